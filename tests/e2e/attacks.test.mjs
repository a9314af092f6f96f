// Attacks on the login that must fail, on the built Worker in workerd. Some succeeded against an older program of this
// kind: those with the numbers 1 to 4. What workerd cannot show, because it takes minutes or a browser, is shown here:
//
// |  | attack | also in |
// |---|---|---|
// | 1 | any site as `target` gets the id | login_request.rs: no_other_site_is_a_target; login_origin.rs |
// | 2 | an old signature with a forged message | login_limits.rs: a_stale_or_future_timestamp_cannot_log_in |
// | 3 | codes are guessed | login_limits.rs; login_code.rs: every_digit_comes_from_equally_many_bytes |
// | 4 | a page is framed | login_attacks.rs: the_question_cannot_be_framed_or_reached_by_its_opener |
// | 5 | a QR code is passed on, or old | login_attacks.rs: a_picture_of_an_old_qr_code_is_worth_nothing; login_phone.rs: in_another_country_the_number_is_typed |
// | 6 | a link with another's `state` | login_attacks.rs: a_callback_without_the_phones_cookie_is_refused |
// | 7 | one handle in place of another | login_session.rs: the_handles_are_never_interchangeable |
// | 8 | somebody is logged in as the attacker | login_attacks.rs: another_site_cannot_send_a_browser_on; login_typing.rs |
// | 9 | a code of WeChat's comes again | login_faults.test.mjs: 40163, a snapshot page, a callback that comes twice |
// | 10 | redirect addresses, PKCE, codes | login_request.rs; provider.rs; login_faults.test.mjs: of twenty that redeem |
// | 11 | forged tokens | provider_tokens.rs: a_token_without_our_signature_is_worth_nothing |
// | 12 | messages of other windows | tests/browser/login-widget.test.mjs: "neither the page, nor a third origin, nor a frame, nor a window of another" |
// | 13 | open redirects, other origins | provider_logout.rs; provider_open.rs |
// | 14 | people are correlated | provider_tokens.rs: websites_cannot_find_out_that_they_know_the_same_person |
import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac, createPublicKey, randomBytes } from "node:crypto";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { Attempt, Phone, Visitor, logInByCode, pkce, redeem } from "./login.mjs";
import { forms } from "./html.mjs";
import { startLogin } from "./login_world.mjs";

const WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0.49";

let world;
let origin;
before(async () => {
  world = await startLogin();
  origin = world.stack.url.origin;
});
after(() => world?.close());

const at = (path) => new URL(path, origin).href;
const sha1 = (...parts) => createHash("sha1").update(parts.sort().join("")).digest("hex");
const seconds = () => Math.floor(Date.now() / 1_000);

/** The address of a pop-up, and what redeems its result. */
function request(parameters = {}) {
  const { verifier, challenge, state } = pkce();
  const query = new URLSearchParams({ client_id: "blog", target: world.site.origin, mode: "popup", state, challenge, ...parameters });
  return { address: at(`/oauth?${query}`), verifier, state };
}

async function popup(parameters, visitor) {
  const { address, ...rest } = request(parameters);
  return { attempt: await Attempt.begin(address, visitor), ...rest };
}

/** Somebody confirms, the page takes the result, and the website redeems it. */
async function logIn(name, parameters = { method: "code" }) {
  const { attempt, verifier } = await popup(parameters);
  const phone = new Phone(world.sim, name);
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const { code } = (await attempt.finish()).message;
  const client_id = parameters.client_id ?? "blog";
  const tokens = await redeem(world.stack, { client_id, code, code_verifier: verifier });
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
  return { attempt, phone, code, verifier, ...tokens };
}

const text = (from, content, id = String(randomBytes(6).readUIntBE(0, 6))) =>
  `<xml><ToUserName>gh_1</ToUserName><FromUserName>${from}</FromUserName><CreateTime>${seconds()}</CreateTime><MsgType>text</MsgType><Content>${content}</Content><MsgId>${id}</MsgId></xml>`;

/** A message as WeChat encrypts it: what only who has the account's keys can make. */
function encrypted(document, { timestamp = seconds(), nonce = "n" } = {}) {
  const { ENCODING_AES_KEY, WECHAT_TOKEN, APP_ID } = world.settings;
  const key = Buffer.from(`${ENCODING_AES_KEY}=`, "base64");
  const message = Buffer.from(document);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  const body = Buffer.concat([randomBytes(16), length, message, Buffer.from(APP_ID)]);
  const pad = 32 - (body.length % 32);
  const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  const sealed = Buffer.concat([cipher.update(Buffer.concat([body, Buffer.alloc(pad, pad)])), cipher.final()]).toString("base64");
  const signature = sha1(WECHAT_TOKEN, String(timestamp), nonce, sealed);
  const query = `timestamp=${timestamp}&nonce=${nonce}&encrypt_type=aes&msg_signature=${signature}`;
  return { query, body: `<xml><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>` };
}

const deliver = ({ query, body }, stack = world.stack) => stack.fetch(`/wechat?${query}`, { method: "POST", body });

/** A message under a signature that does not cover it. */
const forged = (body, timestamp, { vars, stack }) =>
  deliver({ query: `signature=${sha1(vars.WECHAT_TOKEN, timestamp, "n")}&timestamp=${timestamp}&nonce=n`, body }, stack);

/** A request with a cookie and headers of the attacker's choice; bytes as they are. */
const raw = (path, cookie, headers = {}, more = {}) =>
  new Visitor().ask(at(path), { ...more, headers: { "sec-fetch-site": "same-origin", cookie: Buffer.from(cookie).toString("latin1"), ...headers } });

/** Where WeChat's page leads somebody back to, with a code; wx-sim's own browser has been there in vain. */
async function authorized(name, address) {
  const page = await new Phone(world.sim, name).open(address);
  return at(`/oauth/wechat${page.url.search}`);
}

function unframed({ headers, status, url }) {
  const what = `${status} ${url.pathname}`;
  const policy = headers["content-security-policy"] ?? "";
  assert.match(policy, /frame-ancestors 'none'/, what);
  assert.match(policy, /default-src 'none'/, what);
  assert.doesNotMatch(policy, /unsafe|\*/, what);
  assert.equal(headers["x-content-type-options"], "nosniff", what);
  if (/text\/html/.test(headers["content-type"])) {
    assert.equal(headers["x-frame-options"], "DENY", what);
    assert.equal(headers["cache-control"], "no-store", what);
    assert.equal(headers["referrer-policy"], "no-referrer", what);
  }
}

test("1. any site as the target of the result", async () => {
  const { host } = new URL(world.legacy.origin);
  const targets = [
    "https://evil.example", "https://evil.example/?", `http://${host}.evil.example/`, `http://${host}@evil.example/`,
    `http://evil.example#${host}`, `http://evil.example/${host}`, `http://${host}\\@evil.example`, `http://LOCALHOST:${host.split(":")[1]}`,
    `http://localhost.:${host.split(":")[1]}`, `http://127.0.0.1:${host.split(":")[1]}`, `http://localhost:1`, "http://localhost",
    `https://${host}`, `//${host}`, host, "null", "*", "javascript:alert(1)", `data:text/html,${host}`, "",
  ];
  for (const target of targets) {
    for (const query of [`target=${target}`, `target=${encodeURIComponent(target)}`, `client_id=legacy&target=${encodeURIComponent(target)}`, `client_id=blog&state=s&challenge=${pkce().challenge}&target=${encodeURIComponent(target)}`]) {
      const page = await new Visitor().ask(at(`/oauth?${encodeURI(decodeURI(query))}`));
      assert.equal(page.status, 400, query);
      assert.deepEqual([page.location, page.headers["set-cookie"]], [undefined, undefined], query);
      assert.doesNotMatch(page.text, /data-origin|data-login/, query);
    }
  }
  // Another client's origin is not this client's.
  assert.equal((await new Visitor().ask(at(`/oauth?client_id=legacy&target=${world.site.origin}`))).status, 400);
  const attempt = await Attempt.begin(`${origin}/oauth?target=${world.legacy.origin}/a?target=https://evil.example&client_id=blog`);
  await attempt.show("code");
  const phone = new Phone(world.sim, "sent astray");
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const outcome = await attempt.finish();
  assert.deepEqual([outcome.origin, outcome.redirect, outcome.form], [world.legacy.origin, null, null]);
});

describe("2. an old signature with a forged message", () => {
  const scan = (from, result) =>
    `<xml><ToUserName>gh_1</ToUserName><FromUserName>${from}</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>scancode_waitmsg</Event><EventKey>login</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>${result}</ScanResult></ScanCodeInfo></xml>`;

  test("with encryption, nothing that is not encrypted counts", async () => {
    for (const timestamp of ["1", String(seconds())]) {
      const byCode = (await popup({ method: "code" })).attempt;
      const byMenu = (await popup({ method: "menu" })).attempt;
      for (const body of [text("o-victim", byCode.wording), text("o-victim", "confirm"), scan("o-victim", byMenu.qr)]) {
        const { status } = await forged(body, timestamp, { vars: world.settings, stack: world.stack });
        assert.equal(status, 403);
      }
      assert.deepEqual([await byCode.status(), await byMenu.status()], ["pending", "pending"]);
    }
  });

  test("without encryption nobody can log in; where the operator allows it, an old signature counts for nothing", async (t) => {
    const plain = await startLogin({ vars: { ENCODING_AES_KEY: "", ACCOUNT_TYPE: "subscription", LOGIN_METHODS: "code,menu" } });
    t.after(plain.close);
    const there = () => new URL(`/oauth?${new URLSearchParams({ client_id: "blog", target: plain.site.origin, state: "s", challenge: pkce().challenge })}`, plain.stack.url);
    assert.equal((await new Visitor().open(there())).status, 503);
    await plain.stack.reload({ ...plain.settings, LOGIN_IN_PLAIN_MODE: "allow" });
    const attempt = await Attempt.begin(there());
    for (const timestamp of ["1", String(seconds() - 400), String(seconds() + 400)]) {
      for (const body of [text("o-victim", attempt.wording), text("o-victim", "confirm"), scan("o-victim", `https://x/m/${attempt.id}${"0".repeat(24)}`)]) {
        await (await forged(body, timestamp, { vars: plain.settings, stack: plain.stack })).text();
      }
      assert.equal(await attempt.status(), "pending", timestamp);
    }
  });
});

test("3. codes are guessed: eight hundred at once, and then the right one", { timeout: 120_000 }, async () => {
  const { attempt } = await popup({ method: "code" });
  const right = Number(attempt.code);
  const guess = (by) => String((right + by) % 1_000_000).padStart(6, "0");
  const guesses = Array.from({ length: 800 }, (_, index) => encrypted(text("o-guesser", `登录 ${guess(index + 1)}`)));
  for (let start = 0; start < guesses.length; start += 50) {
    await Promise.all(guesses.slice(start, start + 50).map(async (one) => (await deliver(one)).text()));
  }
  for (const words of [attempt.wording, attempt.code]) await (await deliver(encrypted(text("o-guesser", words)))).text();
  assert.equal(await attempt.status(), "pending", "nobody listens to them any more");
  // Whoever did not guess still can; and with so many guesses about, new codes are longer.
  const phone = new Phone(world.sim, "who sees the page");
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const codes = await Promise.all(Array.from({ length: 30 }, async () => (await popup({ method: "code" })).attempt.code));
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^(\d{6}|\d{8})$/);
});

test("4. a page is framed", async () => {
  const visitor = new Visitor();
  const { attempt } = await popup({}, visitor);
  // wx-sim's own phones show pages in a frame of theirs, so this is another.
  const phone = new Visitor({ agent: WECHAT });
  const asked = await phone.open(await authorized("framed", (await phone.ask(attempt.qr)).location));
  assert.equal(asked.url.pathname, `/oauth/confirm/${attempt.id}`, asked.words);
  const form = at(`/authorize?${new URLSearchParams({ client_id: "server", redirect_uri: world.site.callback, response_type: "token", response_mode: "form_post" })}`);
  const done = await asked.press(new RegExp(`^${attempt.number}$`));
  const pages = [attempt.page, asked, done, (await attempt.show()).page];
  for (const path of ["/oauth", "/authorize", "/oauth?target=https://evil.example", form, `/oauth/s/${"a".repeat(32)}`, "/oauth/s/x", `/m/${attempt.id}`, `/oauth/confirm/${attempt.id}`, `/oauth/s/${attempt.id}/go/github`, "/oauth/wechat?code=1&state=2", "/oauth/github", "/logout", "/login.js", "/login.css", "/wx-auth.js", "/robots.txt"]) {
    pages.push(await new Visitor({ agent: path.startsWith("/m/") ? WECHAT : undefined }).ask(at(path)));
  }
  for (const page of pages) unframed(page);
  for (const path of ["/nowhere", "/oauth/confirm/x", "/token", `/oauth/s/${attempt.id}/status`, `/oauth/s/${attempt.id}/watch`]) {
    assert.equal((await visitor.ask(at(path))).headers["x-content-type-options"], "nosniff", path);
  }
  for (const destination of ["iframe", "frame", "embed", "object", "image", "empty"]) {
    const page = await new Visitor().ask(request().address, { headers: { "sec-fetch-dest": destination, "sec-fetch-site": "cross-site" } });
    assert.deepEqual([page.status, page.headers["set-cookie"]], [403, undefined], destination);
  }
});

test("5. a QR code is scanned by a second phone, or the number is guessed", async () => {
  const { attempt } = await popup();
  const [first, second] = ["relayed to", "relayed to as well"].map((name) => new Phone(world.sim, name));
  const asked = await first.scan(attempt.qr);
  const late = await second.scan(attempt.qr);
  assert.equal(late.status, 409, late.words);
  assert.equal((await second.open(at(`/oauth/confirm/${attempt.id}`))).status, 403);
  // A no is a no: nobody gets to guess three times.
  const choices = [...asked.text.matchAll(/name="number" value="(\d+)"/g)].map(([, number]) => number);
  await first.agree(asked, choices.find((number) => number !== attempt.number));
  await attempt.reaches("denied");
  await first.agree(asked, attempt.number);
  assert.equal(await attempt.status(), "denied");
  assert.equal((await attempt.tryFinish()).status, 409);
  // Neither a yes without a number, nor a picture of an older attempt's code.
  const other = (await popup()).attempt;
  const third = new Phone(world.sim, "relayed to at last");
  const question = await third.scan(other.qr);
  const { fields, action } = forms(question.text)[0];
  const yes = await third.open(new URL(action, question.url).href, { method: "POST", fields: { ...fields, answer: "yes" }, headers: { origin: "null", "sec-fetch-site": "same-origin" } });
  assert.ok(yes.status < 500);
  assert.equal(await other.status(), "scanned");
  const mixed = `${origin}/m/${attempt.id}${other.qr.slice(-24)}`;
  assert.ok((await second.scan(mixed)).status >= 400);
});

test("6. a link to WeChat's page with the attacker's state", async () => {
  const { attempt } = await popup();
  const attacker = new Visitor({ agent: WECHAT });
  const there = await attacker.ask(attempt.qr);
  assert.equal(new URL(there.location).pathname, "/connect/oauth2/authorize");
  const victim = new Phone(world.sim, "sent a link");
  const asked = async () => (await world.sim.get("/_sim/calls")).calls.filter(({ path }) => path === "/sns/oauth2/access_token").length;
  const before = await asked();
  const page = await victim.open(there.location);
  assert.deepEqual([page.status, new URL(page.url).pathname], [403, "/oauth/wechat"], page.words);
  assert.equal(await asked(), before, "the code was not used");
  assert.equal((await attacker.ask(at(`/oauth/confirm/${attempt.id}`))).status, 409, "nobody is known yet");
  assert.equal(await attempt.status(), "scanned");
});

test("7. one handle in place of another, and a challenge of the attacker's", async () => {
  const { attempt } = await popup();
  const token = attempt.qr.slice(-24);
  const mine = attempt.visitor.cookies(origin).split("=")[1];
  const scanner = new Visitor({ agent: WECHAT });
  const there = await scanner.ask(attempt.qr);
  const phone = scanner.cookies(origin).split("=")[1];
  const state = new URL(there.location).searchParams.get("state");
  const digest = (value) => createHash("sha256").update(value).digest("hex");
  for (const value of [token, attempt.id, phone, `${token}${"0".repeat(8)}`, state, state.slice(32), digest(mine), digest(mine).slice(0, 32)]) {
    for (const path of ["", "/status"]) assert.ok((await raw(`/oauth/s/${attempt.id}${path}`, `__Host-wxl=${value}`)).status >= 400, value);
    for (const path of ["/finish", "/number", "/typed"]) {
      const page = await raw(`/oauth/s/${attempt.id}${path}`, `__Host-wxl=${value}`, { origin }, { method: "POST", fields: { number: "11", code: "BCDFGHJK" } });
      assert.equal(page.status, 403, `${path} ${value}`);
    }
    assert.equal(await watched(attempt, { cookie: `__Host-wxl=${value}`, origin }), 403);
  }
  for (const value of [mine, token, attempt.id, state.slice(32)]) {
    assert.equal((await raw(`/oauth/confirm/${attempt.id}`, `__Host-wxm=${value}`)).status, 403);
    assert.equal((await raw(`/oauth/wechat?code=081&state=${state}`, `__Host-wxm=${value}`)).status, 403);
  }
  // Whoever makes somebody begin with his own challenge gets nothing for it: the code goes to the website.
  const { address, verifier } = request({ method: "code", redirect_uri: world.site.callback, mode: "redirect" });
  const redirect = new URL(await logInByCode(world, address, "with another's challenge"));
  assert.equal(`${redirect.origin}${redirect.pathname}`, world.site.callback);
  for (const code of [attempt.id + token, attempt.id + mine, state, attempt.id.repeat(2), "x"]) {
    assert.equal((await redeem(world.stack, { client_id: "blog", code, code_verifier: verifier, redirect_uri: world.site.callback })).error, "invalid_grant");
  }
});

describe("8. somebody is made to log in as the attacker, or the attacker as somebody", () => {
  test("the victim's page shows the attacker's attempt", async () => {
    const { attempt } = await popup({ method: "code" });
    const victim = new Visitor();
    await Attempt.begin(request().address, victim);
    const page = await victim.ask(attempt.at());
    assert.equal(page.status, 403);
    assert.doesNotMatch(page.text, /data-login|id="words"/);
  });

  // Browsers let every host of a domain set these, which only look like the cookie with the prefix.
  test("a cookie that another host of the domain has set", async () => {
    const { attempt } = await popup({ method: "code" });
    const cookie = attempt.visitor.cookies(origin);
    for (const space of ["\u2000", "\u2003", "\u2028", "\u3000", "\u00a0", "\u0085", "\u1680", "\ufeff", "x"]) {
      assert.equal((await raw(`/oauth/s/${attempt.id}/status`, `${space}${cookie}`)).status, 403, JSON.stringify(space));
      assert.equal((await raw(`/oauth/s/${attempt.id}/status`, `a=b;${space} ${cookie}`)).status, 403, JSON.stringify(space));
    }
    const [name, value] = cookie.split("=");
    for (const other of [`${name.toLowerCase()}=${value}`, `${name}=${"0".repeat(32)}; ${cookie}`, `${cookie}; ${name}=${"0".repeat(32)}`, `${name} =${value}`, `=${cookie}`, `${name}="${value}"`, `${name}=${value.toUpperCase()}A`]) {
      assert.equal((await raw(`/oauth/s/${attempt.id}/status`, other)).status, 403, other);
    }
    assert.equal((await raw(`/oauth/s/${attempt.id}/status`, `a=b; ${cookie};c=d`)).status, 200);
  });

  test("in strict mode, whoever sees the page cannot say what the chat told", async () => {
    const { attempt } = await popup({ client_id: "strict" });
    const shown = attempt.number;
    assert.match(shown, /^\d\d$/);
    await attempt.show("code");
    assert.ok(!attempt.number);
    const victim = new Phone(world.sim, "phished");
    const told = await victim.confirm(await victim.say(attempt.wording));
    const [number] = /\b\d\d\b/.exec(told.text);
    assert.notEqual(number, shown);
    await attempt.reaches("number");
    for (const method of ["qr", "code", "scene", "menu", "typed"]) {
      await attempt.show(method);
      assert.doesNotMatch(attempt.page.words, new RegExp(`\\b${number}\\b`), method);
    }
    await attempt.page.press(/log in/i, { typed: { number: shown } });
    assert.equal(await attempt.status(), "number");
  });

  test("the attacker sends the code that the victim's page shows: strict mode leaves the victim out of it", async () => {
    const { attempt } = await popup({ client_id: "strict", method: "code" });
    const attacker = new Phone(world.sim, "over the shoulder");
    await attacker.confirm(await attacker.say(attempt.wording));
    await attempt.reaches("number");
    assert.equal((await attempt.tryFinish()).status, 409);
    // And whoever is second hears that somebody else was first.
    assert.doesNotMatch((await new Phone(world.sim, "at the page").say(attempt.wording)).text, /confirm/i);
  });

  test("another site's form types a code, or takes the result", async () => {
    const { attempt } = await popup({ method: "typed" });
    const [code] = /[A-Z]{4}-[A-Z]{4}/.exec((await new Phone(world.sim, "who gives letters away").say("login")).text);
    for (const headers of [{ origin: "https://evil.example", "sec-fetch-site": "cross-site" }, { origin: "null", "sec-fetch-site": "cross-site" }, { origin: "null", "sec-fetch-site": "same-site" }, { origin: "https://evil.example", "sec-fetch-site": undefined }]) {
      const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
      for (const path of ["/typed", "/finish", "/number"]) {
        const page = await raw(`/oauth/s/${attempt.id}${path}`, attempt.visitor.cookies(origin), sent, { method: "POST", fields: { code, number: "11" } });
        // A request without it is an old browser's, which says its origin.
        if (headers["sec-fetch-site"]) assert.equal(page.status, 403, path);
      }
    }
    assert.equal(await attempt.status(), "pending");
    attempt.page = await attempt.page.press(/log in/i, { typed: { code } });
    await attempt.reaches("confirmed");
  });

  test("a message of WeChat's is sent again", async () => {
    const one = (await popup({ method: "code" })).attempt;
    const sent = encrypted(text("o-replayed", one.wording));
    const yes = encrypted(text("o-replayed", "confirm"));
    for (const message of [sent, yes]) await (await deliver(message)).text();
    assert.equal(await one.status(), "confirmed");
    const two = (await popup({ method: "code" })).attempt;
    await (await deliver(encrypted(text("o-replayed", two.wording)))).text();
    assert.equal(await two.status(), "scanned");
    // The same request; and the same message in a request of its own.
    for (const again of [yes, yes]) await (await deliver(again)).text();
    assert.equal(await two.status(), "scanned");
  });
});

test("9. a code of WeChat's comes again, from elsewhere, or another in its place", async () => {
  const { attempt } = await popup();
  const phone = new Visitor({ agent: WECHAT });
  const there = await phone.ask(attempt.qr);
  const state = new URL(there.location).searchParams.get("state");
  const back = await authorized("comes twice", there.location);
  assert.equal(new URL(back).searchParams.get("state"), state, back);
  const asked = async () => (await world.sim.get("/_sim/calls")).calls.filter(({ path }) => path === "/sns/oauth2/access_token").length;
  const before = await asked();
  const all = await Promise.all(Array.from({ length: 5 }, () => phone.ask(back)));
  for (const page of all) assert.equal(new URL(page.location).pathname, `/oauth/confirm/${attempt.id}`);
  assert.equal(await asked(), before + 1, "one code, one exchange");
  assert.equal((await new Visitor({ agent: WECHAT }).ask(back)).status, 403);
  const swapped = new URL(back);
  swapped.searchParams.set("code", "081another");
  assert.equal((await phone.ask(swapped)).status, 403);
  assert.equal(await asked(), before + 1);
});

describe("10. redirect addresses, PKCE and codes", () => {
  const authorize = (changes = {}, extra = "") => {
    const { challenge, state, verifier } = pkce();
    const all = { response_type: "code", client_id: "server", redirect_uri: world.site.callback, scope: "openid", state, code_challenge: challenge, code_challenge_method: "S256", ...changes };
    const query = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
    return { address: at(`/authorize?${query}${extra}`), verifier };
  };

  test("no address but the website's own is gone to", async () => {
    const { callback, origin: home } = world.site;
    const { host } = new URL(home);
    for (const redirect_uri of [
      `${callback}/`, `${callback}?a=b`, `${callback}#x`, `${callback}%2f`, `${callback}/../x`, `${home}/Callback`, `${home}%2fcallback`, `${home}//callback`,
      `http://user@${host}/callback`, `http://${host}@evil.example/callback`, `http://${host}.evil.example/callback`, `http://x.${host}/callback`,
      `http://localhost.:${host.split(":")[1]}/callback`, "http://localhost:1/callback", `https://${host}/callback`, `http://${host}\\callback`, "javascript:alert(1)", "", undefined,
    ]) {
      for (const prompt of ["none", undefined]) {
        const page = await new Visitor().ask(authorize({ redirect_uri, prompt }).address);
        assert.deepEqual([page.status, page.location], [400, undefined], redirect_uri);
      }
      const popped = await new Visitor().ask(request({ mode: "redirect", redirect_uri: redirect_uri ?? "" }).address);
      assert.deepEqual([popped.status, popped.location], [400, undefined], redirect_uri);
    }
  });

  test("what comes twice, and PKCE left out", async () => {
    for (const name of ["client_id", "redirect_uri"]) {
      const page = await new Visitor().ask(authorize({}, `&${name}=x`).address);
      assert.deepEqual([page.status, page.location], [400, undefined], name);
    }
    for (const extra of ["&state=x", "&scope=openid", "&code_challenge=x", "&code_challenge_method=plain", "&response_type=token", "&nonce=1&nonce=2"]) {
      const page = await new Visitor().ask(authorize({}, extra).address);
      assert.equal(new URL(page.location).searchParams.get("error"), "invalid_request", extra);
    }
    for (const changes of [{ code_challenge_method: "plain" }, { code_challenge_method: undefined }, { client_id: "blog", code_challenge: undefined, code_challenge_method: undefined }]) {
      const page = await new Visitor().ask(authorize(changes).address);
      assert.equal(new URL(page.location).searchParams.get("error"), "invalid_request", JSON.stringify(changes));
    }
    // A verifier for a request without a challenge: somebody took the challenge out on the way.
    const { address } = authorize({ code_challenge: undefined, code_challenge_method: undefined });
    const code = new URL(await logInByCode(world, address, "downgraded")).searchParams.get("code");
    const fields = { client_id: "server", code, redirect_uri: world.site.callback };
    assert.equal((await redeem(world.stack, { ...fields, code_verifier: pkce().verifier }, { secret: world.secret })).error, "invalid_grant");
    assert.equal((await redeem(world.stack, fields, { secret: world.secret })).status, 200);
  });

  test("a code in another client's hands", async () => {
    const { address, verifier } = authorize();
    const code = new URL(await logInByCode(world, address, "whose code is taken")).searchParams.get("code");
    const fields = { client_id: "blog", code, code_verifier: verifier, redirect_uri: world.site.callback };
    assert.equal((await redeem(world.stack, fields)).error, "invalid_grant");
    assert.equal((await redeem(world.stack, { ...fields, client_id: "server" })).error, "invalid_client", "without the secret");
    assert.equal((await redeem(world.stack, { ...fields, client_id: "server" }, { secret: world.secret })).status, 200);
  });
});

test("11. forged tokens, and tokens for something else", async () => {
  const { access_token: access, id_token: id } = await logIn("whose tokens are forged");
  const { keys } = await (await world.stack.fetch("/.well-known/jwks.json")).json();
  for (const key of keys) {
    for (const secret of ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "key_ops"]) assert.ok(!(secret in key), secret);
  }
  const known = async (token) => (await world.stack.fetch("/userinfo", { headers: { authorization: `Bearer ${token}` } })).status;
  assert.equal(await known(access), 200);
  const [header, claims, signature] = access.split(".");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const decoded = JSON.parse(Buffer.from(header, "base64url"));
  const pem = createPublicKey({ key: keys[0], format: "jwk" }).export({ type: "spki", format: "pem" });
  const hmac = (key) => {
    const input = `${encode({ ...decoded, alg: "HS256" })}.${claims}`;
    return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
  };
  const other = encode({ ...JSON.parse(Buffer.from(claims, "base64url")), sub: "somebody else" });
  for (const token of [
    id, hmac(pem), hmac(JSON.stringify(keys[0])), hmac(keys[0].n), hmac(""), `${header}.${other}.${signature}`, `${header}.${claims}.`, `${header}.${claims}`,
    ...["none", "None", "NONE", "", "HS256", "ES256"].flatMap((alg) => [`${encode({ ...decoded, alg })}.${claims}.`, `${encode({ ...decoded, alg })}.${claims}.${signature}`]),
    `${encode({ ...decoded, jwk: keys[0] })}.${other}.${signature}`, `${encode({ ...decoded, kid: "../x" })}.${claims}.${signature}`, `${access}x`, "a.b.c", "x",
  ]) {
    assert.equal(await known(token), 401, token.slice(0, 40));
  }
  const logout = (hint) => new Visitor().ask(at(`/logout?id_token_hint=${hint}`));
  assert.equal((await logout(id)).status, 200);
  assert.equal((await logout(access)).status, 400, "an access token is no ID token");
});

test("12. messages go to one origin, and no page of ours listens to any", async () => {
  const { attempt, verifier, state } = await popup({ method: "code" });
  assert.match(attempt.page.text, new RegExp(`data-origin="${world.site.origin}"`));
  const phone = new Phone(world.sim, "whose message is wanted");
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const { origin: to, message } = await attempt.finish();
  assert.deepEqual([to, message.state], [world.site.origin, state]);
  assert.deepEqual(Object.keys(message).sort(), ["code", "iss", "state", "type"], "no id and no token");
  const script = await (await world.stack.fetch("/login.js")).text();
  assert.doesNotMatch(script, /["'`]message["'`]\s*,|onmessage(?!=\s*\(\{data)|postMessage\([^)]*["'`]\*["'`]/);
  assert.equal((await redeem(world.stack, { client_id: "blog", code: message.code, code_verifier: verifier })).status, 200);
  // A refusal has no origin that it could tell.
  const refused = await new Visitor().ask(at("/oauth?target=https://evil.example"));
  assert.doesNotMatch(refused.text, /data-(origin|state)/);
});

test("13. open redirects, and pages of other origins", async () => {
  for (const address of ["https://evil.example", world.site.callback, "//evil.example", "javascript:alert(1)"]) {
    for (const client of ["", "&client_id=blog", "&client_id=server", "&client_id=nobody"]) {
      const page = await new Visitor().ask(at(`/logout?post_logout_redirect_uri=${encodeURIComponent(address)}${client}`));
      assert.deepEqual([page.status, page.location], [400, undefined]);
    }
  }
  for (const path of ["//evil.example/oauth", "/oauth//evil.example", "/%2f%2fevil.example", "/oauth/s/..%2f..", "/m//evil.example"]) {
    const { location } = await new Visitor({ agent: WECHAT }).ask(`${origin}${path}`);
    assert.ok(!location || new URL(location).origin === origin, `${path} ${location}`);
  }
  for (const foreign of ["https://evil.example", "null", `${world.site.origin}.evil.example`, world.site.origin.toUpperCase()]) {
    for (const path of ["/token", "/userinfo"]) {
      for (const method of ["OPTIONS", "POST"]) {
        const { headers } = await world.stack.fetch(path, { method, headers: { origin: foreign } });
        assert.equal(headers.get("access-control-allow-origin"), null, `${method} ${path} ${foreign}`);
      }
    }
  }
  const ours = await world.stack.fetch("/token", { method: "POST", headers: { origin: world.site.origin } });
  assert.equal(ours.headers.get("access-control-allow-origin"), world.site.origin);
  assert.equal(ours.headers.get("access-control-allow-credentials"), null);
  for (const path of ["config", "token", "refresh", "userinfo", "verify"]) {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: `Basic ${btoa(`server:${world.secret}`)}` }, { authorization: "Bearer " }]) {
      const answer = await world.stack.fetch(`/oauth/${path}`, { method: "POST", headers: { ...headers, origin: world.site.origin }, body: "{}" });
      assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [401, null], path);
    }
    assert.equal((await world.stack.fetch(`/oauth/${path}`, { method: "OPTIONS", headers: { origin: world.site.origin } })).status, 405);
  }
});

test("14. websites cannot find out that they know the same person, nor use each other's tokens", async () => {
  const claims = ({ id_token }) => JSON.parse(Buffer.from(id_token.split(".")[1], "base64url"));
  const blog = await logIn("known to two");
  const { address, verifier } = request({ client_id: "blog", method: "code", mode: "redirect", redirect_uri: world.site.callback });
  const again = new URL(await logInByCode(world, address, "known to two"));
  const second = await redeem(world.stack, { client_id: "blog", code: again.searchParams.get("code"), code_verifier: verifier, redirect_uri: world.site.callback });
  const server = pkce();
  const query = new URLSearchParams({ response_type: "code", client_id: "server", redirect_uri: world.site.callback, scope: "openid", state: server.state, code_challenge: server.challenge, code_challenge_method: "S256" });
  const there = new URL(await logInByCode(world, at(`/authorize?${query}`), "known to two"));
  const other = await redeem(world.stack, { client_id: "server", code: there.searchParams.get("code"), code_verifier: server.verifier, redirect_uri: world.site.callback }, { secret: world.secret });
  assert.equal(claims(blog).sub, claims(second).sub);
  assert.notEqual(claims(blog).sub, claims(other).sub);
  assert.deepEqual([claims(blog).aud, claims(other).aud], ["blog", "server"]);
  const all = JSON.stringify([blog.id_token, other.id_token, blog.access_token].map((token) => Buffer.from(token.split(".")[1], "base64url").toString()));
  assert.ok(!all.includes(blog.phone.openid), "no openid in any token");
  assert.equal((await new Visitor().ask(at(`/logout?client_id=blog&id_token_hint=${other.id_token}`))).status, 400);
});

describe("beyond the list", () => {
  test("many requests at once make one attempt ask for many codes", async () => {
    const agent = new http.Agent({ keepAlive: true });
    const get = (address, headers) =>
      new Promise((resolve, reject) => {
        const asked = http.get(address, { agent, headers }, (answer) => {
          let all = "";
          answer.on("data", (piece) => (all += piece)).on("end", () => resolve(all));
        });
        asked.on("error", reject);
      });
    for (let round = 0; round < 4; round += 1) {
      const visitor = new Visitor();
      const { location } = await visitor.ask(request({ method: "code" }).address);
      await Promise.all(Array.from({ length: 100 }, () => get(at("/nowhere"))));
      const pages = await Promise.all(Array.from({ length: 100 }, () => get(location, { cookie: visitor.cookies(origin), "user-agent": visitor.agent })));
      const codes = new Set(pages.map((page) => /id="words"[^>]*>([^<]*)/.exec(page)?.[1]));
      assert.equal(codes.size, 1, [...codes].join());
    }
    agent.destroy();
  });

  test("sockets: another site's, too many, and one that talks", async () => {
    const { attempt } = await popup();
    const cookie = attempt.visitor.cookies(origin);
    for (const foreign of ["https://evil.example", "null", undefined, `${origin}.evil.example`, world.site.origin]) {
      assert.equal(await watched(attempt, { cookie, ...(foreign && { origin: foreign }) }), 403, foreign);
    }
    assert.equal(await watched({ at: (rest) => at(`/oauth/s/${"a".repeat(32)}${rest}`) }, { cookie, origin }), 403);
    const talker = attempt.visitor.watch(attempt.at("/watch"));
    assert.equal(await talker.next(), "pending");
    talker.say("ping");
    assert.equal(await talker.next(), "pong");
    talker.say("x".repeat(100_000));
    assert.equal(await talker.next(), "closed");
    const all = Array.from({ length: 60 }, () => attempt.visitor.watch(attempt.at("/watch")));
    const words = await Promise.all(all.map((watch) => watch.next()));
    const there = words.filter((word) => word === "pending").length;
    assert.ok(there >= 8 && there <= 16, `${there} of 60`);
    for (const watch of all) watch.close();
  });

  test("one address begins too often, all at once and by every door", async (t) => {
    const small = await startLogin({ vars: { LOGIN_RATE_LIMIT: "5" } });
    t.after(small.close);
    const { challenge, state } = pkce();
    const doors = [
      `/oauth?${new URLSearchParams({ client_id: "blog", target: small.site.origin, state, challenge })}`,
      `/oauth?target=${small.legacy.origin}`,
      `/authorize?${new URLSearchParams({ response_type: "code", client_id: "server", redirect_uri: small.site.callback, scope: "openid", state })}`,
    ];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const headers = { "x-forwarded-for": `203.0.113.${index}`, "x-real-ip": `203.0.113.${index}`, forwarded: `for=203.0.113.${index}` };
        return new Visitor().ask(new URL(doors[index % doors.length], small.stack.url), { headers });
      }),
    );
    assert.equal(answers.filter(({ status }) => status === 303).length, 5);
    assert.equal(answers.filter(({ status }) => status === 429).length, 25);
  });

  test("a login that was taken back gives nothing any more", async () => {
    const { phone, access_token } = await logIn("who takes it back");
    const known = async () => (await world.stack.fetch("/userinfo", { headers: { authorization: `Bearer ${access_token}` } })).status;
    assert.equal(await known(), 200);
    await phone.say("log out");
    assert.equal(await known(), 401);
    // Confirmed, but taken back before the page fetched the result.
    const { attempt } = await popup({ method: "code" });
    await phone.confirm(await phone.say(attempt.wording));
    await phone.say("log out");
    assert.equal((await attempt.tryFinish()).status, 409);
  });

  test("whoever only looks ahead uses nothing up", async () => {
    const { address } = request();
    for (const purpose of ["prefetch", "prefetch;prerender"]) {
      const page = await new Visitor().ask(address, { headers: { "sec-purpose": purpose } });
      assert.deepEqual([page.status, page.headers["set-cookie"]], [403, undefined]);
    }
    // What makes pictures of links is not WeChat's browser, and does not become the first phone.
    const { attempt } = await popup();
    for (const agent of ["facebookexternalhit/1.1", "Mozilla/5.0 (compatible; Baiduspider/2.0)", ""]) {
      await new Visitor({ agent }).ask(attempt.qr);
    }
    await new Visitor({ agent: WECHAT }).ask(attempt.qr, { method: "HEAD" });
    assert.equal(await attempt.status(), "pending");
  });

  test("nothing of what is sent becomes markup or a header", async () => {
    const evil = `"><script>alert(1)</script>\r\nset-cookie: a=b`;
    const agent = `Mozilla/5.0 "><img src=x onerror=alert(1)> Chrome/156`;
    const visitor = new Visitor({ agent, language: `"><script>,zh` });
    const attempt = await Attempt.begin(request({ state: evil, lang: evil, theme: evil, method: evil, nonce: evil, scope: evil, ui_locales: evil }).address, visitor);
    for (const rest of ["", `?method=${encodeURIComponent(evil)}&lang=${encodeURIComponent(evil)}&theme=${encodeURIComponent(evil)}&note=${encodeURIComponent(evil)}&failure=${encodeURIComponent(evil)}`]) {
      const page = await visitor.ask(attempt.at(rest));
      assert.equal(page.status, 200);
      assert.doesNotMatch(page.text, /<script>alert|<img src=x|onerror=alert\(1\)>/);
      assert.equal(page.headers["set-cookie"], undefined);
    }
    const query = new URLSearchParams({ client_id: "server", redirect_uri: world.site.callback, response_type: "token", state: evil });
    const back = await new Visitor().ask(at(`/authorize?${query}`));
    assert.equal(new URL(back.location).searchParams.get("state"), evil);
    assert.equal(back.headers["set-cookie"], undefined);
    const form = await new Visitor().ask(at(`/authorize?${query}&response_mode=form_post`));
    assert.doesNotMatch(form.text, /<script>alert/);
    assert.match(form.headers["content-security-policy"], new RegExp(`form-action 'self' ${world.site.origin};`));
  });

  test("inputs that are far too large", async () => {
    const long = "x".repeat(9_000);
    for (const path of [`/oauth?target=${long}`, `/oauth?client_id=blog&target=${world.site.origin}&state=${"x".repeat(2_049)}&challenge=${pkce().challenge}`, `/m/${long}`, `/oauth/s/${long}`, `/oauth/wechat?state=${long}&code=${long}`]) {
      const { status } = await new Visitor({ agent: WECHAT }).ask(at(path));
      assert.ok(status >= 400 && status < 500, `${status} ${path.slice(0, 30)}`);
    }
    for (const path of ["/token", "/authorize", "/userinfo", "/oauth/token"]) {
      const { status } = await new Visitor().ask(at(path), { method: "POST", fields: { a: "x".repeat(3_000_000) } });
      assert.ok(status >= 400 && status < 500, `${status} ${path}`);
    }
  });

  test("two that answer at once: one answer counts", async () => {
    const { attempt } = await popup();
    const phone = new Phone(world.sim, "of two minds");
    const asked = await phone.scan(attempt.qr);
    await Promise.all([phone.agree(asked, attempt.number), phone.refuse(asked)]);
    const status = await attempt.status();
    assert.ok(["confirmed", "denied"].includes(status), status);
    assert.equal((await attempt.tryFinish()).status, status === "confirmed" ? 200 : 409);
  });

  test("a website that leads somebody in WeChat here: they are asked, as from anywhere", async () => {
    const phone = new Visitor({ agent: WECHAT });
    const { address } = request({ mode: "redirect", redirect_uri: world.site.callback });
    const page = await phone.open(address, { headers: { "sec-fetch-site": "cross-site" } });
    assert.equal(new URL(page.location).pathname, "/connect/oauth2/authorize", page.words);
    for (const name of ["__Host-wxl", "__Host-wxm"]) assert.match(phone.cookies(origin), new RegExp(`${name}=[0-9a-f]{32}`));
  });

  // Last, when all of the above has been said.
  test("the log knows no person, no code and no secret", async () => {
    const { attempt, phone, code, verifier, access_token, id_token } = await logIn("whom the log does not know");
    await redeem(world.stack, { client_id: "blog", code, code_verifier: verifier });
    const log = world.stack.logs.map(({ message }) => message).join("\n");
    assert.match(log, /login\.|request\.refused/, "there is a log");
    const { WECHAT_TOKEN, ENCODING_AES_KEY, APP_SECRET, SUBJECT_SECRET, OPEN_APP_SECRET } = world.settings;
    const secrets = { WECHAT_TOKEN, ENCODING_AES_KEY, APP_SECRET, SUBJECT_SECRET, OPEN_APP_SECRET, secret: world.secret, openid: phone.openid, code, access_token, id_token, digits: attempt.code };
    for (const [name, value] of Object.entries(secrets)) assert.ok(value && !log.includes(value), name);
    assert.doesNotMatch(log, /o-victim|o-guesser|o-replayed|081another|[0-9a-f]{64}/);
  });
});

/** The status of the answer to a handshake; 101 if it becomes a socket. */
function watched(attempt, headers) {
  return new Promise((resolve, reject) => {
    const asked = http.request(attempt.at("/watch"), {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64"), ...headers },
    });
    asked.on("response", (answer) => void answer.resume() ?? resolve(answer.statusCode));
    asked.on("upgrade", (_, socket) => void socket.destroy() ?? resolve(101));
    asked.on("error", reject);
    asked.end();
  });
}
