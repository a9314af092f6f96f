// The Mini Program's customer service: WeChat pushes what people write to /wechat/mini, answers go out by custom/send.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { act, timesAsked, until } from "./people.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SEND = "/cgi-bin/message/custom/send";

describe("customer service of the Mini Program", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", AI_VISION_MODEL: "@cf/eyes" } })));
  after(() => pair.close());

  /** Somebody writes: WeChat hears `success` on the first delivery. */
  async function write(person, message, more = {}) {
    const order = typeof message === "string" ? { text: message } : message;
    const { deliveries } = await act(pair.sim, person, { ...order, ...more, mini: true });
    assert.deepEqual(deliveries.map(({ outcome }) => outcome), ["success"]);
  }
  const inbox = async (person, count, wait = 20_000) => {
    const all = await pair.sim.get(`/_sim/inbox?as=${person}&mini=true&count=${count}&wait_ms=${wait}`);
    return all.messages.map(({ body }) => body.text.content);
  };
  const sends = async () => (await pair.sim.get("/_sim/calls")).calls.filter(({ path }) => path === SEND).length;

  for (const format of ["xml", "json"])
    for (const mode of ["compat", "aes"])
      test(`a question in ${mode} mode and ${format} is answered`, async () => {
        const person = `${mode}-${format}`;
        await write(person, `who am I, ${person}?`, { mode, format });
        assert.match((await inbox(person, 1))[0], new RegExp(`who am I, ${person}`));
      });

  test("the URL is verified, and nobody gets in who is not WeChat", async () => {
    assert.equal((await pair.sim.post("/_sim/verify", { mini: true })).ok, true);
    const before = (await pair.sim.get("/_sim/model")).total;
    for (const tamper of ["signature", "unsigned", "stale", "downgrade", "app_id"]) {
      const order = { as: "mallory", mini: true, text: "let me in", tamper, deliveries: 1 };
      const { deliveries } = await pair.sim.post("/_sim/send", order);
      assert.equal(deliveries[0].status, 403, tamper);
    }
    assert.equal((await pair.sim.get("/_sim/model")).total, before);
    assert.equal((await pair.stack.fetch("/wechat/mini", { method: "PUT" })).status, 405);
  });

  test("typing is shown, and the same message five times at once is one question", async () => {
    const order = { as: "twice", mini: true, text: "only once delay=2s", parallel: 5 };
    const { deliveries } = await pair.sim.post("/_sim/send", order);
    assert.ok(deliveries.every(({ outcome }) => outcome === "success"), JSON.stringify(deliveries));
    await until(async () => (await pair.sim.get("/_sim/inbox?as=twice&mini=true")).typing, "typing");
    assert.equal((await inbox("twice", 1)).length, 1);
    assert.equal(await timesAsked(pair.sim, "only once"), 1);
  });

  test("the conversation goes on; commands are answered; the Mini Program shows it all", async () => {
    await write("anna", { event: { type: "user_enter_tempsession", fields: { SessionFrom: "index" } } });
    assert.match((await inbox("anna", 1))[0], /^Hello!/);
    await write("anna", "remember the spruce");
    await inbox("anna", 2);
    await write("anna", "/status");
    assert.match((await inbox("anna", 3))[2], /Turns remembered: 1/);
    const { code } = await pair.sim.post("/_sim/login_code", { as: "anna" });
    const json = { "content-type": "application/json" };
    const login = { method: "POST", headers: json, body: JSON.stringify({ code }) };
    const { sessionKey } = await (await pair.stack.fetch("/api/auth/wx-login", login)).json();
    const headers = { "x-wx-session": sessionKey };
    const { conversations } = await (await pair.stack.fetch("/api/conversations", { headers })).json();
    assert.deepEqual(conversations.map(({ title }) => title), ["remember the spruce"]);

    await write("anna", "/forget");
    assert.match((await inbox("anna", 4))[3], /Everything stored about you is deleted/);
    assert.equal((await pair.stack.fetch("/api/conversations", { headers })).status, 401);
  });

  test("a long answer goes out in pages, the rest on request", async () => {
    await write("reader", "tell me everything length=14000");
    const first = await inbox("reader", 5);
    assert.equal(first.length, 5);
    assert.match(first[4], /\(5\/\d+\) Continue: \/retrieve$/);
    await write("reader", "/retrieve");
    const all = await inbox("reader", 7);
    assert.ok(all.length > 5 && all.every((page) => Buffer.byteLength(page) <= 2048));
    assert.equal(new Set(all).size, all.length, "no page came twice");
  });

  test("a picture and a card of the Mini Program", async () => {
    await write("painter", { image: PNG });
    assert.match((await inbox("painter", 1))[0], /picture/i);
    assert.ok(await timesAsked(pair.sim, "@cf/eyes"), "a model looked at it");
    await write("painter", { page: { title: "order", path: "pages/order" } });
    assert.match((await inbox("painter", 2))[1], /cannot open this kind/);
  });

  test("what WeChat refuses waits for /retrieve", async () => {
    await pair.sim.post("/_sim/faults", [{ path: SEND, errcode: 45047, times: 1 }]);
    const before = await sends();
    await write("refused", "kept for later");
    await until(async () => (await sends()) > before, "the refused message");
    await write("refused", "/retrieve");
    assert.match((await inbox("refused", 1))[0], /kept for later/);
  });

  test("kill -9 between question and answer loses nothing", { timeout: 150_000 }, async () => {
    await write("killed", "survive delay=4s");
    await until(async () => (await timesAsked(pair.sim, "survive")) === 1, "the model call");
    await pair.stack.kill();
    await pair.stack.restart();
    // Nobody asks: the alarm brings the question back to work.
    const texts = await inbox("killed", 1, 90_000);
    assert.equal(texts.length, 1);
    assert.match(texts[0], /survive/);
  });

  test("kill -9 while a message is on its way: it is sent again only on request", { timeout: 150_000 }, async () => {
    await pair.sim.post("/_sim/faults", [{ path: SEND, delay_ms: 4_000, cut: true, times: 1 }]);
    const before = await sends();
    await write("uncertain", "perhaps");
    await until(async () => (await sends()) > before, "the message on its way");
    await pair.stack.kill();
    await pair.stack.restart();
    await write("uncertain", "/status");
    assert.match((await inbox("uncertain", 1))[0], /Unread answers: 1/);
    await write("uncertain", "/retrieve");
    assert.match((await inbox("uncertain", 2))[1], /perhaps/);
  });
});
