// The access token on the built Worker: one fetch for all, repaired once, survives kill -9, and other programs' own.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { say, until } from "./people.mjs";

const TOKEN = "/cgi-bin/stable_token";
const SEND = "/cgi-bin/message/custom/send";
const ADMIN_TOKEN = "an-admin-token-that-is-long";
const SECRET = "the-secret-of-a-client";
const secret_sha256 = createHash("sha256").update(SECRET).digest("hex");
const API_CLIENTS = [
  { id: "shop", secret_sha256, scopes: ["read"] },
  { id: "legacy", secret_sha256, scopes: ["everything"], raw_token: true },
];

describe("the access token", () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en", DELIVERY: "push", ADMIN_TOKEN, API_CLIENTS } })));
  after(() => pair.close());

  const calls = async (path) => (await pair.sim.get("/_sim/calls")).calls.filter((call) => call.path === path);
  const fetches = async () => (await calls(TOKEN)).length;
  const fault = (faults) => pair.sim.post("/_sim/faults", faults);
  const json = async (path, init) => (await pair.stack.fetch(path, init)).json();
  const ask = (id) => json(`/cgi-bin/token?grant_type=client_credential&appid=${id}&secret=${SECRET}`);
  const admin = async (method, path, body) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await pair.stack.fetch(`/admin/${path}`, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const hundreds = (what) => Promise.all(Array.from({ length: 200 }, (_, n) => what(n)));

  test("200 who ask at once while there is none: one fetch", async () => {
    const answers = await hundreds(() => ask("legacy"));
    assert.equal(new Set(answers.map(({ access_token }) => access_token)).size, 1, JSON.stringify(answers[0]));
    assert.ok(answers[0].access_token);
    assert.equal(await fetches(), 1);
  });

  for (const [what, end] of [
    ["expired", () => pair.sim.post("/_sim/clock", { advance_s: 7_300 })],
    ["died behind our back", () => pair.sim.post("/_sim/token", { invalidate: true })],
  ]) {
    test(`200 calls with a token that ${what}: one refresh, each call repeated once at most`, { timeout: 120_000 }, async () => {
      const { total } = await pair.sim.get("/_sim/calls");
      await end();
      // Delivered once, and it does not matter how late that is acknowledged: what counts is what the answers need.
      const inboxes = await hundreds(async (n) => {
        const person = `${what} ${n}`;
        await pair.sim.post("/_sim/send", { as: person, text: "hello", deliveries: 1 });
        return pair.sim.get(`/_sim/inbox?as=${encodeURIComponent(person)}&wait_ms=60000`);
      });
      for (const { messages } of inboxes) assert.equal(messages.length, 1);
      const since = async (path) => (await calls(path)).filter(({ n }) => n > total);
      const sent = (await since(SEND)).length;
      assert.ok(sent <= 400, `${sent} calls`);
      assert.equal((await since(TOKEN)).length, 1);
    });
  }

  test("kill -9 while a token is fetched: the next who asks gets one", { timeout: 120_000 }, async () => {
    await pair.sim.post("/_sim/token", { invalidate: true });
    await fault([{ path: TOKEN, delay_ms: 5_000, times: 1 }]);
    const lost = admin("POST", "token/refresh", { force: true }).then(() => "answered", () => "cut");
    await until(async () => (await pair.sim.get("/_sim/faults")).length === 0, "the fetch");
    await pair.stack.kill();
    assert.equal(await lost, "cut");
    await pair.stack.restart();
    const { body: report } = await admin("GET", "token");
    assert.equal(report.forced_today, 1, "it counted before it was sent");
    const { status, body } = await admin("POST", "token/refresh");
    assert.equal(status, 200, JSON.stringify(body));
    await say(pair.sim, "survivor", "after the crash");
    await until(async () => JSON.stringify(await pair.sim.get("/_sim/inbox?as=survivor")).includes("after the crash"), "the push");
  });

  test("the Mini Program has a token of its own, from its own object", async () => {
    const doctor = async () => (await admin("GET", "doctor?only=token,mini_program")).body.checks;
    const before = await fetches();
    for (const check of await doctor()) assert.equal(check.state, "ok", JSON.stringify(check));
    assert.equal(await fetches(), before + 1, "the account had one");
    await Promise.all(Array.from({ length: 20 }, doctor));
    await pair.stack.kill();
    await pair.stack.restart();
    for (const check of await doctor()) assert.equal(check.state, "ok", JSON.stringify(check));
    assert.equal(await fetches(), before + 1, "both were stored");
    const [asked] = (await calls(TOKEN)).slice(-1);
    assert.ok(JSON.stringify(asked).includes(pair.vars.MINI_APP_ID), JSON.stringify(asked));
  });

  test("other programs get tokens and tickets in WeChat's form", async () => {
    const { access_token, expires_in } = await ask("shop");
    assert.match(access_token, /^shop\.\d+\.[0-9a-f]{16}\.[\w-]{43}$/);
    assert.equal(expires_in, 7200);
    const body = JSON.stringify({ grant_type: "client_credential", appid: "shop", secret: SECRET, force_refresh: true });
    const stable = await json("/v1/cgi-bin/stable_token", { method: "POST", body });
    assert.notEqual(stable.access_token, access_token);
    const ticket = () => json(`/cgi-bin/ticket/getticket?access_token=${stable.access_token}&type=jsapi`);
    const [first, second] = [await ticket(), await ticket()];
    assert.equal(first.errcode, 0);
    assert.equal(first.ticket, second.ticket);
    assert.equal((await calls("/cgi-bin/ticket/getticket")).length, 1);
    const refused = await json(`/cgi-bin/ticket/getticket?access_token=${access_token}x&type=jsapi`);
    assert.equal(refused.errcode, 40001);
    const url = "https://example.com/?a=1#b";
    const { body: signed } = await admin("POST", "jssdk/signature", { url });
    const { nonceStr, timestamp } = signed;
    const text = `jsapi_ticket=${first.ticket}&noncestr=${nonceStr}&timestamp=${timestamp}&url=https://example.com/?a=1`;
    assert.equal(signed.signature, createHash("sha1").update(text).digest("hex"));
  });

  test("a refusal says what to do, and is not asked for again with every message", async () => {
    await fault([{ path: TOKEN, errcode: 40164, times: "always" }]);
    await pair.sim.post("/_sim/token", { invalidate: true });
    const { status, body } = await admin("POST", "token/refresh");
    assert.deepEqual([status, body.errcode], [422, 40164]);
    assert.match(body.fix, /WECHAT_API_BASE/);
    const before = await fetches();
    await Promise.all(Array.from({ length: 20 }, (_, n) => say(pair.sim, `patient ${n}`, "hello")));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(await fetches(), before);
    await pair.stack.logged(/token\.failed.*whitelist/);
    await fault([]);
    assert.equal((await admin("POST", "token/refresh")).status, 200);
  });
});
