// What the built Worker refuses, and that a refused request changes nothing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { startPair } from "../../tools/stack.mjs";
import { say, see, timesAsked, until } from "./people.mjs";

let secure;
let plain;
before(async () => {
  [secure, plain] = await Promise.all([
    startPair({ vars: { LANG: "en" } }),
    startPair({ vars: { LANG: "en", ENCODING_AES_KEY: "" } }),
  ]);
});
after(() => Promise.all([secure.close(), plain.close()]));

const sha1 = (...parts) => createHash("sha1").update(parts.sort().join("")).digest("hex");

/** POSTs a body to the Worker in plain mode, properly signed. */
async function post(body, token = plain.vars.WECHAT_TOKEN) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const query = `signature=${sha1(token, timestamp, "n")}&timestamp=${timestamp}&nonce=n`;
  const response = await plain.stack.fetch(`/wechat?${query}`, { method: "POST", body, duplex: "half" });
  return { status: response.status, text: await response.text() };
}

const message = (content) =>
  `<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>${content}</Content><MsgId>1</MsgId></xml>`;

for (const tamper of ["signature", "unsigned", "stale", "downgrade", "app_id"]) {
  test(`secure mode: ${tamper} is refused and changes nothing`, async () => {
    const report = await secure.sim.post("/_sim/send", { as: "mallory", text: `forged ${tamper}`, tamper });
    for (const { status } of report.deliveries) assert.equal(status, 403, JSON.stringify(report.deliveries));
    assert.equal(await timesAsked(secure.sim, `forged ${tamper}`), 0);
    await see(secure.sim, "mallory", "/status", 1, /Turns remembered: 0/);
  });
}

test("plain mode: a wrong token is refused, a right one answered", async () => {
  assert.equal((await post(message("forged"), "another")).status, 403);
  const { status, text } = await post(message("genuine"));
  assert.equal(status, 200);
  assert.match(text, /genuine/);
});

test("bodies that are too long, not UTF-8, or not plain XML are refused", async () => {
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join("");
  const chunked = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 65; n++) controller.enqueue(Buffer.alloc(1024, 120));
      controller.close();
    },
  });
  // A whole document but for these bytes, so nothing else can be the reason.
  const [start, end] = message("|").split("|");
  const notUtf8 = Buffer.concat([Buffer.from(start), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(end)]);
  for (const [body, expected] of [
    [message("x".repeat(65 * 1024)), 413],
    [chunked, 413],
    [notUtf8, 400],
    [`<!DOCTYPE xml [<!ENTITY l0 "lol">${laughs}]>${message("&l9;")}`, 400],
    [`<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]>${message("&f;")}`, 400],
    ["", 400],
    ["null", 400],
    ["<xml>".repeat(10_000), 400],
  ]) {
    const { status, text } = await post(body);
    assert.equal(status, expected, String(body).slice(0, 60));
    assert.ok(text.length < 20, "the outside learns nothing");
  }
});

test("the console's check of the URL", async () => {
  const { WECHAT_TOKEN } = secure.vars;
  const query = (signature) => `/wechat?signature=${signature}&timestamp=1&nonce=2&echostr=4375120948345356249`;
  const good = await secure.stack.fetch(query(sha1(WECHAT_TOKEN, "1", "2")));
  assert.deepEqual([good.status, await good.text()], [200, "4375120948345356249"]);
  const bad = await secure.stack.fetch(query("0".repeat(40)));
  assert.equal(bad.status, 403);
});

test("the log gives the reason, but no secret, person or message", async () => {
  const { sim, stack, vars } = secure;
  // Both leave lines in the log: the model's failure, then the refusal.
  const accepted = await say(sim, "confider", "a private question fail=always");
  const forged = { as: "mallory", text: "a private matter", tamper: "signature", deliveries: 1 };
  const seen = stack.logs.length;
  const refused = await sim.post("/_sim/send", forged);
  const logged = (pattern) => stack.logs.slice(seen).some((line) => pattern.test(line.message));
  await until(() => logged(/request\.refused/), "the refusal's line in the log");
  await stack.logged(/model\.failed/);
  const log = JSON.stringify(stack.logs);
  const secrets = Object.values(vars).filter((value) => value.length > 8);
  for (const secret of [...secrets, "private question", "private matter", accepted.openid, refused.openid]) {
    assert.ok(secret.length > 8);
    assert.ok(!log.includes(secret), `${secret} is in the log`);
  }
});
