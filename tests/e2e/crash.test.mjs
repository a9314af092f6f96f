// Faults on purpose: workerd is killed while the model runs, wasm is stopped by a trap.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { bundleWith } from "./bundle.mjs";
import { fetchAnswer, say, see, timesAsked, until } from "./people.mjs";

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
  await stack.restart();

  await fetchAnswer(sim, "returning", /returning asks/);
  // The alarm alone brings the other's question back to work.
  await until(async () => (await timesAsked(sim, "silent asks")) === 2, "the alarm");
  await fetchAnswer(sim, "silent", /silent asks/);
});

const TRAP = `throw new WebAssembly.RuntimeError("unreachable");`;

/** What a person who lost a delivery sees at last. */
async function answered(sim, person, words, { text }) {
  if (!words.test(text)) await fetchAnswer(sim, person, words);
}

test("a trap in one request does not harm the next, and loses no answer", { timeout: 120_000 }, async (t) => {
  const method = /function [\w$]+\(([\w$]+)\)\{(?=return \1\.method\+" "\+\1\.url\})/;
  const build = bundleWith([method, `if(ARGUMENT.url.endsWith("/trap"))${TRAP}`]);
  const { stack, sim, close } = await startPair({ vars: { LANG: "en" }, build });
  t.after(close);
  await see(sim, "before", "hello", 1, /hello/);
  const inFlight = say(sim, "unlucky", "in flight delay=3s");
  await until(async () => (await timesAsked(sim, "in flight")) >= 1, "the question reached the model");
  const trapped = await stack.fetch("/trap").catch((error) => error);
  assert.ok(trapped instanceof Error || trapped.status >= 500, "the trap was no trap");
  await see(sim, "after", "hello again", 1, /hello again/);
  await answered(sim, "unlucky", /in flight/, await inFlight);
});

test("a trap in an object's job loses no answer and harms nobody else", { timeout: 120_000 }, async (t) => {
  // Where the first answer of the model begins to stream in.
  const reader = /function [\w$]+\(([\w$]+)\)\{(?=let [\w$]+=\1\?\.getReader\(\{mode:"byob"\}\))/;
  const build = bundleWith([reader, `if(!globalThis.trapped){globalThis.trapped=true;console.log("trapped");${TRAP}}`]);
  const { stack, sim, close } = await startPair({ vars: { LANG: "en" }, build });
  t.after(close);
  const unlucky = say(sim, "unlucky", "streamed twice");
  await stack.logged(/^trapped$/);
  await see(sim, "bystander", "hello", 1, /hello/);
  await answered(sim, "unlucky", /streamed twice/, await unlucky);
  assert.equal(await timesAsked(sim, "streamed twice"), 2, "the first answer was lost in the trap");
});
