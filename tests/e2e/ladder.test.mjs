// The delayed-reply ladder on the built Worker in workerd, with WeChat's real time limits. tools/run.mjs runs this file
// by itself.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { say, see, timesAsked, until } from "./people.mjs";

describe("the ladder", { concurrency: true }, () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en" } })));
  after(() => pair.close());

  for (const [seconds, delivery] of [[1, 1], [7, 2], [13, 3]]) {
    test(`a model that takes ${seconds} s answers delivery ${delivery}`, async () => {
      await see(pair.sim, `ladder${seconds}`, `why delay=${seconds}s`, delivery, new RegExp(`why delay=${seconds}s`));
      assert.equal(await timesAsked(pair.sim, `why delay=${seconds}s`), 1);
    });
  }

  test("a model that takes 40 s is acknowledged with a link, and its answer is fetched", async () => {
    const { sim } = pair;
    await see(sim, "patient", "why delay=40s", 3, /Tap for the answer/);
    await see(sim, "patient", "/retrieve", 1, /Still working, \d+ s/);
    const fetched = async () => {
      const { text } = await say(sim, "patient", "/retrieve");
      return !text.includes("Still working") && text;
    };
    assert.match(await until(fetched, "the answer"), /why delay=40s/);
    assert.equal(await timesAsked(sim, "why delay=40s"), 1);
  });

  test("three copies that arrive at once get one answer of one model call", async () => {
    const report = await say(pair.sim, "triplet", "three at once delay=2s", { parallel: 3 });
    assert.equal(report.deliveries.length, 3);
    const plain = new Set(report.deliveries.map(({ plain }) => plain));
    assert.equal(plain.size, 1, JSON.stringify(report.deliveries));
    assert.match([...plain][0], /three at once/);
    assert.equal(await timesAsked(pair.sim, "three at once"), 1);
  });

  test("compat mode, every kind of message, and commands", async () => {
    const { sim } = pair;
    const compat = await say(sim, "compatible", "hello there", { mode: "compat" });
    assert.match(compat.text, /hello there/);
    await see(sim, "compatible", "帮助", 1, /Just write to me/);
    await see(sim, "compatible", "/status", 1, /Turns remembered: 1/);
    await see(sim, "compatible", "/forget", 1, /deleted/);
    await see(sim, "compatible", "状态", 1, /Turns remembered: 0/);
  });

  test("a long answer is read page by page", async () => {
    const { sim } = pair;
    let { text } = await say(sim, "reader", "a story length=5000");
    let pages = 1;
    for (; text.includes("weixin://") || /\(\d+\/\d+\)/.test(text); pages += 1) {
      assert.ok(pages < 50, `no end after ${pages} pages`);
      assert.match(text, new RegExp(`\\(${pages}/`));
      ({ text } = await say(sim, "reader", "/retrieve"));
    }
    assert.ok(pages >= 3, `${pages} pages`);
    assert.equal(await timesAsked(sim, "a story length=5000"), 1);
  });
});

// Outside the group, hence after it and alone: fifty users at once would eat into the others' seconds.
test("fifty users with a model of 7 s get exactly their own answers", async (t) => {
  const pair = await startPair({ vars: { LANG: "en" } });
  t.after(pair.close);
  const people = Array.from({ length: 50 }, (_, index) => `crowd${index}x`);
  const seen = await Promise.all(people.map((person) => say(pair.sim, person, `I am ${person} delay=7s`)));
  seen.forEach(({ text, deliveries }, index) => {
    assert.match(text, new RegExp(`I am ${people[index]} `));
    assert.equal(deliveries.length, 2);
  });
  assert.equal(await timesAsked(pair.sim, "I am crowd"), 50);
});
