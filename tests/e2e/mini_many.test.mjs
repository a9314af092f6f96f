// Five hundred people read their answers at once, from one workerd: each gets their own, whole, and no memory stays.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { at } from "../../tools/paths.mjs";
import { bundleWith } from "./bundle.mjs";
import { MiniUser, startWriter } from "./mini.mjs";
import { until } from "./people.mjs";

const PEOPLE = 500;
/** So many log in at once; what they do is small, and a machine has few processors. */
const AT_ONCE = 25;

/**
 * A bundle that says, asked for /memory, how many kilobytes its wasm has: all that is ours. What JavaScript has depends on
 * when somebody sweeps.
 */
function measuring() {
  const [, wasm] = /([\w$]+)\.memory\.buffer/.exec(fs.readFileSync(at("build/index.js"), "utf8"));
  const method = /function [\w$]+\(([\w$]+)\)\{(?=return \1\.method\+" "\+\1\.url\})/;
  return bundleWith([method, `if(ARGUMENT.url.endsWith("/memory"))console.log("kilobytes: "+${wasm}.memory.buffer.byteLength/1024);`]);
}

test("500 streams at once: each is whole, and its own", { timeout: 240_000 }, async (t) => {
  const writer = await startWriter();
  t.after(() => writer.close());
  const vars = { LANG: "en", AI_BASE_URL: writer.url, AI_MODEL: "writer" };
  const pair = await startPair({ vars, build: measuring() });
  t.after(pair.close);
  const kilobytes = async () => {
    const known = pair.stack.logs.length;
    await pair.stack.fetch("/memory");
    const line = () => pair.stack.logs.slice(known).find(({ message }) => message.startsWith("kilobytes: "));
    return Number((await until(line, "the size of the memory")).message.slice(11));
  };

  const people = Array.from({ length: PEOPLE }, (_, index) => new MiniUser(pair, `reader ${index}`));
  for (let from = 0; from < PEOPLE; from += AT_ONCE) {
    await Promise.all(people.slice(from, from + AT_ONCE).map((person) => person.logIn()));
  }
  const words = (round, person, part) => `第${round}次 ${person.name} 🌲 ${part}. `;

  /** All ask; once all answers have begun, and all are read so far, they go on and end. */
  async function round(number) {
    const streams = await Promise.all(people.map((person) => person.say(`round ${number} of ${person.name}.`, "new")));
    const asked = () => writer.calls.filter(({ question }) => question.startsWith(`round ${number} `));
    await until(() => asked().length === PEOPLE, `${PEOPLE} calls of the model`);
    const calls = new Map(asked().map((call) => [call.question, call]));
    const mine = (person) => calls.get(`round ${number} of ${person.name}.`);
    for (const person of people) mine(person).write(words(number, person, "begins"));
    // Nobody has come to an end before everybody is under way: so many are held at once.
    await Promise.all(streams.map((stream) => stream.upTo("delta")));
    for (const part of ["goes on", "still goes on"]) for (const person of people) mine(person).write(words(number, person, part));
    for (const person of people) mine(person).end();
    await Promise.all(streams.map((stream) => stream.rest()));
    for (const [index, stream] of streams.entries()) {
      const whole = ["begins", "goes on", "still goes on"].map((part) => words(number, people[index], part)).join("").trim();
      assert.equal(stream.shown, whole);
      assert.equal(stream.seen.at(-1).data.reply, whole);
    }
  }

  await round(1);
  const before = await kilobytes();
  await round(2);
  const after = await kilobytes();
  t.diagnostic(`kilobytes of wasm after ${PEOPLE} streams: ${before}, after as many again: ${after}`);
  // The second conversation of each is an entry in their list.
  assert.ok(after - before < 2 * PEOPLE, `${after - before} kB more`);
  assert.equal(writer.calls.length, 2 * PEOPLE, "nobody was asked about twice");
  assert.deepEqual(pair.stack.logs.filter(({ level }) => level === "error"), []);
});
