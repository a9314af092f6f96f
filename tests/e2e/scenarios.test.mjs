// Our own scenarios on the built Worker in workerd, run as anybody runs theirs: by `wx-sim run`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { at, simBinary } from "../../tools/paths.mjs";
import { startPair } from "../../tools/stack.mjs";

const compat = ["--mode", "compat", "scenarios/generic", "scenarios/chat.json"];

// Almost all of a scenario's time is waiting, so that many can wait together.
describe("wx-sim run", { concurrency: true }, () => {
  for (const { name, vars, runs } of [
    { name: "secure and compat mode", runs: [["scenarios", "scenarios/generic"], compat] },
    { name: "plain mode", vars: { ENCODING_AES_KEY: "" }, runs: [["scenarios/chat.json", "scenarios/generic"]] },
    { name: "answers by customer-service message", vars: { DELIVERY: "push" }, runs: [["scenarios/push"]] },
    { name: "the Mini Program", runs: [["scenarios/mini"]] },
  ]) {
    test(name, { timeout: 170_000 }, async (t) => {
      const pair = await startPair({ vars: { LANG: "zh", ...vars } });
      t.after(pair.close);
      for (const { code, output } of await Promise.all(runs.map((args) => run(pair.sim, args)))) assert.equal(code, 0, output);
    });
  }
});

function run(sim, files) {
  const args = ["--lang", "en", "run", "--port", new URL(sim.url).port, "--jobs", "30", ...files];
  return new Promise((resolve) => {
    execFile(simBinary, args, { cwd: at() }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, output: stdout + stderr }),
    );
  });
}
