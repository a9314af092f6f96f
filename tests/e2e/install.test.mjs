// `cargo install --path simulator` gives one file that needs nothing of this folder. Built as for the tests, since
// that is built already: an optimised build would take minutes, and shows nothing more.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { at, cargoTarget } from "../../tools/paths.mjs";
import { throwAwayAccount } from "../../tools/settings.mjs";
import { startSim } from "../../tools/sim.mjs";

const run = promisify(execFile);

test("the installed program runs from an empty folder", { timeout: 170_000 }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wx-sim-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const install = ["install", "--path", at("simulator"), "--debug", "--locked", "--offline", "--quiet", "--root", folder];
  await run("cargo", install, { cwd: at(), env: { ...process.env, CARGO_TARGET_DIR: cargoTarget } });
  const empty = fs.mkdtempSync(path.join(folder, "empty-"));
  // Away from where it was installed, too.
  const binary = path.join(empty, "wx-sim");
  fs.renameSync(path.join(folder, "bin", "wx-sim"), binary);

  const backend = http.createServer((request, response) => request.resume().on("end", () => response.end("success")));
  await new Promise((resolve) => backend.listen(0, "127.0.0.1", resolve));
  t.after(() => backend.close());
  const target = `http://127.0.0.1:${backend.address().port}/`;
  const vars = throwAwayAccount();
  const options = { cwd: empty, env: vars };

  const sent = await run(binary, ["--lang", "en", "send", "hello", "--port", "0", "--target", target], options);
  assert.match(sent.stdout, /the user sees nothing/);
  fs.writeFileSync(path.join(empty, "quiet.json"), JSON.stringify({ name: "quiet", steps: [{ send: "a", expect: { type: "nothing" } }] }));
  const ran = await run(binary, ["--lang", "en", "run", "quiet.json", "--port", "0", "--target", target], options);
  assert.match(ran.stdout, /1 of 1 scenarios passed/);

  const sim = await startSim({ vars, target, binary });
  t.after(() => sim.close());
  const page = await (await fetch(sim.url)).text();
  const [script] = /(?<=src=")[^"]+\.js/.exec(page);
  const loaded = await fetch(new URL(script, sim.url));
  assert.match(loaded.headers.get("content-type"), /javascript/);
});
