// Faults on purpose: workerd is killed while the model runs, wasm is stopped by a trap.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { say, see, timesAsked, until } from "./people.mjs";

const folders = [];
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

test("kill -9 while the model runs: after the restart every answer is there", { timeout: 120_000 }, async (t) => {
  const { stack, sim, close } = await startPair({ vars: { LANG: "en" } });
  t.after(close);

  // One asks and will come back, one asks and never says another word.
  const lost = ["returning", "silent"].map((person) =>
    sim.post("/_sim/send", { as: person, text: `${person} asks delay=20s`, deliveries: 1 }),
  );
  await until(async () => (await timesAsked(sim, "asks delay=20s")) === 2, "both questions reached the model");
  await stack.kill();
  for (const { deliveries } of await Promise.all(lost)) assert.notEqual(deliveries[0].outcome, "reply");
  await sim.post("/_sim/model", []);
  await stack.restart();

  await say(sim, "returning", "/retrieve");
  const fetched = async () => (await say(sim, "returning", "/retrieve")).text;
  await until(async () => /returning asks/.test(await fetched()), "the answer of the one who comes back");
  // The alarm alone brings the other's question back to work.
  await until(async () => (await timesAsked(sim, "silent asks")) === 2, "the alarm");
  await until(async () => /silent asks/.test((await say(sim, "silent", "/retrieve")).text), "the silent one's answer");
});

test("a trap in one request does not harm the next, and loses no answer", { timeout: 120_000 }, async (t) => {
  // Production code has no way to panic on demand, so a copy of the bundle gets one: an address that traps.
  const build = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-trap-"));
  folders.push(build);
  fs.cpSync(new URL("../../build", import.meta.url).pathname, build, { recursive: true });
  const bundle = path.join(build, "index.js");
  const source = fs.readFileSync(bundle, "utf8");
  const head = /return (\w+)\.method\+" "\+\1\.url/;
  assert.match(source, head, "the place to put the trap in");
  const trap = `if(REQ.url.endsWith("/trap"))throw new WebAssembly.RuntimeError("unreachable");return REQ.method+" "+REQ.url`;
  fs.writeFileSync(bundle, source.replace(head, (_, name) => trap.replaceAll("REQ", name)));

  const { stack, sim, close } = await startPair({ vars: { LANG: "en" }, build });
  t.after(close);
  await see(sim, "before", "hello", 1, /hello/);
  const inFlight = say(sim, "unlucky", "in flight delay=3s");
  await until(async () => (await timesAsked(sim, "in flight")) >= 1, "the question reached the model");
  const trapped = await stack.fetch("/trap").catch((error) => error);
  assert.ok(!(trapped instanceof Error) ? trapped.status >= 500 : true, "the trap was no trap");
  await see(sim, "after", "hello again", 1, /hello again/);
  const { text } = await inFlight;
  if (!/in flight/.test(text)) {
    await until(async () => /in flight/.test((await say(sim, "unlucky", "/retrieve")).text), "the unlucky one's answer");
  }
});
