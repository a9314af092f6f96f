// DELIVERY=push: answers by customer-service message, and what happens when WeChat refuses them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { fetchAnswer, say, see, until } from "./people.mjs";

const SEND = "/cgi-bin/message/custom/send";

describe("push", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", DELIVERY: "push" } })));
  after(() => pair.close());

  const inbox = async (person, count) => (await pair.sim.get(`/_sim/inbox?as=${person}&count=${count}&wait_ms=20000`)).messages;
  const sends = async () => (await pair.sim.get("/_sim/calls")).calls.filter(({ path }) => path === SEND);

  test("the message is acknowledged at once, typing is shown, the answer is pushed", async () => {
    const seen = await say(pair.sim, "pushed", "tell me delay=6s");
    assert.equal(seen.deliveries.length, 1);
    assert.equal(seen.deliveries[0].outcome, "success");
    const [message] = await inbox("pushed", 1);
    assert.match(JSON.stringify(message), /tell me delay=6s/);
    const { calls } = await pair.sim.get("/_sim/calls");
    assert.ok(calls.some(({ path }) => path === "/cgi-bin/message/custom/typing"));
    assert.equal(calls.filter(({ path }) => path === "/cgi-bin/stable_token").length, 1);
  });

  for (const errcode of [45015, 45047]) {
    test(`${errcode}: the answer waits for /retrieve, and the next message is pushed again`, async () => {
      await pair.sim.post("/_sim/faults", [{ path: SEND, errcode, times: 1 }]);
      const person = `refused${errcode}`;
      const before = (await sends()).length;
      await say(pair.sim, person, "kept for later");
      await until(async () => (await sends()).length > before, "the refused push");
      await fetchAnswer(pair.sim, person, /kept for later/);
      await say(pair.sim, person, "and this one");
      assert.match(JSON.stringify(await inbox(person, 1)), /and this one/);
    });
  }

  test("48001: the account may not push, so the user is served by passive replies", async () => {
    await pair.sim.post("/_sim/account", { type: "personal" });
    const before = (await sends()).length;
    await say(pair.sim, "unverified", "first question");
    await until(async () => (await sends()).length > before, "the refused push");
    await fetchAnswer(pair.sim, "unverified", /first question/);
    await see(pair.sim, "unverified", "second question", 1, /second question/);
    assert.equal((await sends()).length, before + 1);
    await pair.sim.post("/_sim/account", { type: "service" });
  });

  test("40001 mid-flight: one new token, one more try", async () => {
    await say(pair.sim, "midflight", "warm up");
    await inbox("midflight", 1);
    const tokens = async () => (await pair.sim.get("/_sim/calls")).calls.filter(({ path }) => path === "/cgi-bin/stable_token").length;
    const before = await tokens();
    await pair.sim.post("/_sim/token", { invalidate: true });
    await say(pair.sim, "midflight", "after the token died");
    const messages = await inbox("midflight", 2);
    assert.match(JSON.stringify(messages.at(-1)), /after the token died/);
    assert.equal(await tokens(), before + 1);
  });

  test("a connection cut while sending: never sent twice, still retrievable", async () => {
    await pair.sim.post("/_sim/faults", [{ path: SEND, cut: true, times: 1 }]);
    const before = (await sends()).length;
    await say(pair.sim, "uncertain", "maybe sent");
    await until(async () => (await sends()).length > before, "the cut push");
    await fetchAnswer(pair.sim, "uncertain", /maybe sent/);
    assert.equal((await sends()).length, before + 1);
  });

  test("a push that kill -9 prevented is sent after the restart", { timeout: 120_000 }, async () => {
    await say(pair.sim, "killed", "survive delay=15s");
    await until(async () => JSON.stringify(await pair.sim.get("/_sim/model")).includes("survive"), "the model call");
    await pair.stack.kill();
    await pair.stack.restart();
    const messages = await until(async () => {
      const messages = await inbox("killed", 1);
      return messages.length > 0 && messages;
    }, "the push", 90);
    assert.equal(messages.length, 1);
    assert.match(JSON.stringify(messages), /survive/);
  });
});
