// What WeChat does for the Mini Program, by /api/wx on the built Worker: wx-sim encrypts, signs, checks, sends and draws.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";

describe("the Mini Program's services", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", MSG_SEC_CHECK: "on" } })));
  after(() => pair?.close());

  const post = (path, session, body, headers = {}) =>
    pair.stack.fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(session && { "x-wx-session": session }), ...headers },
      body: JSON.stringify(body),
    });

  /** Status and JSON of a service. */
  async function ask(service, session, body) {
    const response = await post(`wx/${service}`, session, body);
    assert.match(response.headers.get("content-type"), /^application\/json/);
    return [response.status, await response.json()];
  }

  async function login(person) {
    const { code } = await pair.sim.post("/_sim/login_code", { as: person });
    const response = await post("auth/wx-login", undefined, { code });
    assert.equal(response.status, 200);
    return (await response.json()).sessionKey;
  }

  const callsOf = async (path) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === path);

  test("open data is decrypted, and its signature checked", async () => {
    const session = await login("anna");
    const { rawData, signature, encryptedData, iv } = await pair.sim.post("/_sim/open_data", { as: "anna", kind: "user_info" });
    const [status, { data }] = await ask("decrypt", session, { encryptedData, iv });
    assert.equal(status, 200);
    assert.equal(data.watermark.appid, pair.vars.MINI_APP_ID);
    assert.equal(data.nickName, JSON.parse(rawData).nickName);
    assert.deepEqual(await ask("signature", session, { rawData, signature }), [200, { valid: true }]);
    assert.deepEqual(await ask("signature", session, { rawData: `${rawData} `, signature }), [200, { valid: false }]);

    const steps = await pair.sim.post("/_sim/open_data", { as: "anna", kind: "we_run" });
    assert.equal((await ask("decrypt", session, steps))[1].data.stepInfoList.length, 31);

    // Another person's session key does not open it.
    const [refused, answer] = await ask("decrypt", await login("otto"), { encryptedData, iv });
    assert.deepEqual([refused, answer], [409, { error: "Please log in again" }]);
    assert.equal((await ask("decrypt", session, { encryptedData: "AAAA", iv }))[0], 400);
    assert.equal((await ask("decrypt", "nobody", { encryptedData, iv }))[0], 401);
  });

  test("a phone number is got once, for one's own code", async () => {
    const session = await login("anna");
    const { code } = await pair.sim.post("/_sim/phone_code", { as: "anna" });
    const [status, phone] = await ask("phone", session, { code });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(phone).sort(), ["countryCode", "phoneNumber", "purePhoneNumber"]);
    assert.match(phone.phoneNumber, /^100\d{8}$/);
    const used = [400, { error: "Invalid code" }];
    assert.deepEqual(await ask("phone", session, { code }), used);
    const foreign = await pair.sim.post("/_sim/phone_code", { as: "otto" });
    assert.deepEqual(await ask("phone", session, { code: foreign.code }), used);
    assert.ok(await pair.stack.logged(/mini\.service_refused.*phone: WeChat answered 40029.*rid/s));
  });

  test("texts are checked", async () => {
    const session = await login("anna");
    assert.deepEqual(await ask("check", session, { content: "今天天气好" }), [200, { suggest: "pass", label: 100 }]);
    assert.deepEqual(await ask("check", session, { content: "加微信", scene: 2 }), [200, { suggest: "review", label: 10001 }]);
    assert.deepEqual(await ask("check", session, { content: "网上赌博" }), [200, { suggest: "risky", label: 20006 }]);
    assert.equal((await ask("check", session, { content: "好".repeat(2501) }))[0], 400);
    await pair.sim.post("/_sim/clock", { advance_s: 3 * 3600 });
    const away = { error: "Not in the Mini Program within two hours" };
    assert.deepEqual(await ask("check", session, { content: "hello" }), [403, away]);
  });

  test("a notification is sent to whoever agreed, and with a token that had died", async () => {
    const session = await login("anna");
    const template = { kind: "mini_subscribe", title: "Order", content: "What:{{thing1.DATA}}" };
    const { template_id } = await pair.sim.post("/_sim/template", template);
    const order = { template_id, data: { thing1: { value: "Tea" } }, page: "pages/index/index" };
    assert.deepEqual(await ask("subscribe", session, order), [403, { error: "Not subscribed" }]);
    await pair.sim.post("/_sim/faults", [{ path: "/cgi-bin/message/subscribe/send", errcode: 40001, times: 1 }]);
    await agree("anna", template_id);
    assert.deepEqual(await ask("subscribe", session, order), [200, { status: "ok" }]);
    const wrong = await ask("subscribe", session, { ...order, template_id: "another" });
    assert.deepEqual(wrong, [400, { error: "WeChat refused this: 40037" }]);
  });

  /** The event that tells of it goes to a server of the account; whether it takes it does not matter here. */
  const agree = (person, template_id) => pair.sim.post("/_sim/subscribe", { as: person, template_id, accept: true });

  test("a code is a picture", async () => {
    const session = await login("anna");
    const response = await post("wx/code", session, { scene: "table=7", page: "pages/index/index" });
    assert.deepEqual([response.status, response.headers.get("content-type")], [200, "image/png"]);
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual([...bytes.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
    assert.equal(new TextDecoder("latin1").decode(bytes.slice(-8, -4)), "IEND", "and it is whole");
    assert.equal((await ask("code", session, { scene: "not this" }))[0], 400);
    await pair.sim.post("/_sim/mini", { pages: ["pages/index/index"] });
    const missing = await ask("code", session, { scene: "a", page: "pages/nowhere" });
    assert.deepEqual(missing, [400, { error: "WeChat refused this: 41030" }]);
  });

  test("the guard holds back what is risky, both ways, and streams only what was looked at", async () => {
    const session = await login("lisa");
    const chat = async (message, headers) => {
      const response = await post("chat", session, { message, conversation_id: "new" }, headers);
      return [response.status, headers ? await response.text() : await response.json()];
    };
    const [status, { reply }] = await chat("good morning");
    assert.equal(status, 200);
    assert.match(reply, /good morning/);
    assert.deepEqual(await chat("网上赌博"), [400, { error: "Content not allowed" }]);
    const [, events] = await chat("网上赌博", { accept: "text/event-stream" });
    assert.match(events, /event: error\ndata: [^\n]*"error":"Content not allowed"/);
    const [, good] = await chat("tell me a story", { accept: "text/event-stream" });
    assert.equal(good.match(/event: delta/g).length, 1, good);
    assert.ok((await callsOf("/wxa/msg_sec_check")).length >= 6);
    await pair.sim.post("/_sim/model", [{ match: "how to get rich", reply: "去赌博吧" }]);
    const sorry = "Sorry, this is nothing I can talk about. Please ask me something else.";
    assert.equal((await chat("how to get rich"))[1].reply, sorry);

    await pair.sim.post("/_sim/faults", [{ path: "/wxa/msg_sec_check", errcode: 48001, times: 1 }]);
    assert.deepEqual(await chat("unlucky"), [500, { error: "Service temporarily unavailable" }]);
    assert.equal((await chat("unlucky"))[0], 200);
  });
});
