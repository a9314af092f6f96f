// The Mini Program's API on the built Worker: every route once, with its exact status and body. WeChat is wx-sim's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { MiniUser } from "./mini.mjs";
import { timesAsked } from "./people.mjs";

const JSON_TYPE = "application/json; charset=utf-8";
const INVALID_SESSION = [401, { error: "Invalid session" }];
const NOT_FOUND = [404, { error: "Not found" }];

const brief = ({ status, body }) => [status, body];

describe("the Mini Program's API", { concurrency: true }, () => {
  let pair;
  before(async () => (pair = await startPair({ vars: { LANG: "en" } })));
  after(() => pair.close());

  const stranger = (name) => new MiniUser(pair, name);
  const user = (name) => stranger(name).logIn();

  test("health", async () => {
    const before = Date.now();
    const { status, headers, body } = await stranger("doctor").api("GET", "health");
    assert.deepEqual([status, headers.get("content-type"), headers.get("cache-control")], [200, JSON_TYPE, "no-store"]);
    assert.deepEqual(Object.keys(body), ["status", "timestamp"]);
    assert.ok(body.status === "ok" && body.timestamp >= before && body.timestamp <= Date.now(), JSON.stringify(body));
  });

  test("logging in and out", async () => {
    const anna = stranger("anna");
    const logIn = (body) => anna.api("POST", "auth/wx-login", body);
    const code = await anna.code();
    const first = await logIn({ code });
    assert.deepEqual([first.status, Object.keys(first.body)], [200, ["sessionKey"]]);
    assert.match(first.body.sessionKey, /^[\w-]{22}\.[\w-]{43}\.[\w-]{22}$/);
    assert.equal(first.headers.get("cache-control"), "no-store");
    for (const used of [code, "never given out"]) {
      assert.deepEqual(brief(await logIn({ code: used })), [401, { error: "Invalid code" }]);
    }
    for (const body of [{}, { code: "" }, { code: 7 }, "no JSON"]) {
      assert.deepEqual(brief(await logIn(body)), [400, { error: "Invalid code" }]);
    }
    assert.deepEqual(brief(await logIn({ code: await anna.code({ risky: true }) })), [403, { error: "Login refused" }]);

    const telephone = first.body.sessionKey;
    const tablet = (await logIn({ code: await anna.code() })).body.sessionKey;
    anna.session = telephone;
    assert.deepEqual(brief(await anna.api("POST", "auth/logout")), [200, { status: "ok" }]);
    assert.deepEqual(brief(await anna.api("POST", "auth/logout")), INVALID_SESSION);
    anna.session = tablet;
    assert.deepEqual(brief(await anna.api("GET", "conversations")), [200, { conversations: [], next: null }]);
    const { sessions } = (await anna.api("GET", "export")).body;
    assert.equal(sessions.length, 1);
  });

  test("a session of nobody's is refused everywhere", async () => {
    const anna = await user("careful");
    const [name, secret, seal] = anna.session.split(".");
    const forged = [`${name}.${secret}.${"A".repeat(22)}`, `${name}.${secret}`, `${"A".repeat(22)}.${secret}.${seal}`, "x", ""];
    const mallory = stranger("mallory");
    for (const [method, target] of [
      ["POST", "chat"], ["GET", "chat/x"], ["GET", "chat/ws"], ["GET", "conversations"], ["DELETE", "conversations"],
      ["GET", "conversations/x"], ["GET", "export"], ["POST", "forget-me"], ["POST", "auth/logout"],
    ]) {
      mallory.address = `10.9.0.${target.length + method.length * 20}`;
      mallory.session = forged[target.length % forged.length];
      assert.deepEqual(brief(await mallory.api(method, target, method === "POST" ? {} : undefined)), INVALID_SESSION, target);
    }
  });

  test("a conversation, read again and deleted", async () => {
    const [anna, bella] = await Promise.all([user("talks"), user("listens in")]);
    const first = await anna.chat("What is a spruce 🌲?");
    const id = first.body.conversation_id;
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.deepEqual([first.status, first.headers.get("content-type")], [200, JSON_TYPE]);
    assert.match(first.body.reply, /What is a spruce 🌲\?/);
    assert.ok(Number.isInteger(first.body.tokens_used) && first.body.tokens_used > 0);
    assert.deepEqual(Object.keys(first.body).sort(), ["conversation_id", "reply", "tokens_used"]);
    assert.deepEqual(brief(await anna.api("GET", `chat/${id}`)), [200, first.body]);

    const second = await anna.chat("And a fir?", id);
    assert.equal(second.body.conversation_id, id);
    const shown = await anna.api("GET", `conversations/${id}`);
    const said = shown.body.messages.map(({ role, content }) => [role, content]);
    assert.deepEqual(said, [
      ["user", "What is a spruce 🌲?"], ["assistant", first.body.reply], ["user", "And a fir?"], ["assistant", second.body.reply],
    ]);
    assert.deepEqual([shown.body.id, shown.body.title, shown.body.status], [id, "What is a spruce 🌲?", "idle"]);

    const other = (await anna.chat("Something else", "new")).body.conversation_id;
    const page = await anna.api("GET", "conversations?limit=1");
    assert.deepEqual([page.body.conversations.map((one) => one.id), page.body.next], [[other], other]);
    const rest = await anna.api("GET", `conversations?after=${other}`);
    assert.deepEqual([rest.body.conversations.map((one) => one.id), rest.body.next], [[id], null]);

    // Nobody else's, and none at all, are the same.
    for (const [method, target] of [["GET", `chat/${id}`], ["GET", `conversations/${id}`], ["DELETE", `conversations/${id}`]]) {
      assert.deepEqual(brief(await bella.api(method, target)), NOT_FOUND);
      assert.deepEqual(brief(await bella.api(method, target.replace(id, "0".repeat(32)))), NOT_FOUND);
    }
    assert.deepEqual(brief(await bella.chat("Let me in", id)), NOT_FOUND);

    const taken = await anna.api("GET", "export");
    assert.match(taken.headers.get("content-disposition"), /^attachment; filename="[\w.-]+"$/);
    assert.deepEqual(taken.body.conversations.map((one) => one.id), [other, id]);
    assert.doesNotMatch(JSON.stringify(taken.body), /session_key|sessionKey|digest/);

    assert.deepEqual(brief(await anna.api("DELETE", `conversations/${id}`)), [200, { deleted: 1 }]);
    assert.deepEqual(brief(await anna.api("GET", `chat/${id}`)), NOT_FOUND);
    assert.deepEqual(brief(await anna.api("DELETE", "conversations")), [200, { deleted: 1 }]);
    assert.deepEqual(brief(await anna.api("POST", "forget-me")), [200, { status: "ok" }]);
    assert.deepEqual(brief(await anna.api("GET", "conversations")), INVALID_SESSION);
  });

  test("what is no message, and what is no route", async () => {
    const anna = await user("errs");
    for (const body of [{}, { message: "" }, { message: " \n" }, { message: 7 }, { message: "x".repeat(2001) }, { message: "🌲".repeat(1001) }, "no JSON", ""]) {
      assert.deepEqual(brief(await anna.api("POST", "chat", body)), [400, { error: "Invalid message" }], JSON.stringify(body).slice(0, 40));
    }
    for (const [method, target, allow] of [
      ["GET", "chat", "POST"], ["POST", "health", "GET, HEAD"], ["DELETE", "auth/wx-login", "POST"], ["PUT", "conversations", "GET, DELETE"],
      ["POST", "conversations/x", "GET, DELETE"], ["GET", "forget-me", "POST"], ["DELETE", "export", "GET"], ["POST", "chat/ws", "GET"],
    ]) {
      const answer = await anna.api(method, target);
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, allow], `${method} ${target}`);
    }
    assert.deepEqual(brief(await anna.api("GET", "nothing")), NOT_FOUND);
    assert.deepEqual(brief(await anna.api("GET", "chat/ws")), [426, { error: "Upgrade required" }]);
  });

  test("a provider that fails leaves 500, and can be asked again", async () => {
    const anna = await user("unlucky");
    const unavailable = [500, { error: "Service temporarily unavailable" }];
    assert.deepEqual(brief(await anna.chat("never fail=always", null, { message_id: "m1" })), unavailable);
    const { conversations } = (await anna.api("GET", "conversations")).body;
    assert.equal(conversations[0].status, "failed");
    assert.deepEqual(brief(await anna.api("GET", `chat/${conversations[0].id}`)), unavailable);
    assert.match((await anna.chat("better luck now fail=1", conversations[0].id)).body.reply, /better luck now/);
  });

  test("a message that is sent again is not asked again", async () => {
    const anna = await user("impatient");
    const ask = () => anna.chat("only once, please", null, { message_id: "one-two-three" });
    const all = await Promise.all([ask(), ask(), ask()]);
    all.push(await ask());
    for (const { status, body } of all) assert.deepEqual([status, body], [200, all[0].body]);
    assert.equal(await timesAsked(pair.sim, "only once, please"), 1);
  });

  test("twenty questions a minute, whatever the conversation", async () => {
    const anna = await user("eager");
    for (let n = 1; n <= 20; n++) assert.equal((await anna.chat(n === 20 ? "" : "the same", "new")).status, n === 20 ? 400 : 200, String(n));
    const refused = await anna.chat("one too many", "new");
    assert.deepEqual(brief(refused), [429, { error: "Too many requests. Please slow down." }]);
    const seconds = Number(refused.headers.get("retry-after"));
    assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, refused.headers.get("retry-after"));
  });

  test("whoever has no session is counted by their address", async () => {
    const mallory = stranger("flood");
    mallory.session = "forged";
    const seen = new Map();
    for (let n = 0; n < 30; n++) {
      const { status, headers } = await mallory.api("GET", "conversations");
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (status === 429) assert.match(headers.get("retry-after"), /^\d+$/);
    }
    assert.deepEqual([...seen.keys()], [401, 429], JSON.stringify([...seen]));
    assert.ok(seen.get(401) >= 20);
    // The binding counts in clock minutes; a test that begins in one and ends in the next sees more, but not all, pass.
    const bella = stranger("from elsewhere");
    assert.deepEqual(brief(await bella.api("GET", "conversations")), INVALID_SESSION);
    const code = await mallory.code();
    assert.equal((await mallory.api("POST", "auth/wx-login", { code })).status, 429);
  });
});

test("without its settings the API says so", async (t) => {
  const pair = await startPair({ vars: { LANG: "en", MINI_APP_ID: "", MINI_APP_SECRET: "", MINI_TOKEN: "", MINI_ENCODING_AES_KEY: "" } });
  t.after(pair.close);
  const anna = new MiniUser(pair, "anna");
  assert.equal((await anna.api("GET", "health")).status, 200);
  for (const [method, target] of [["POST", "auth/wx-login"], ["POST", "chat"], ["GET", "export"]]) {
    const body = method === "POST" ? { code: "x" } : undefined;
    assert.deepEqual(brief(await anna.api(method, target, body)), [503, { error: "Not configured" }]);
  }
});
