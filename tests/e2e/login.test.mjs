// Every way to log in to a website, on the built Worker in workerd: wx-sim plays WeChat and the phone, github.mjs plays
// GitHub. What goes wrong on the way is in login_faults.test.mjs.
//
// Not here: what only happens after minutes (a page expires, the alarm deletes an attempt). workerd's clock cannot be
// moved, so those are tested on the host, with time as an argument.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { Attempt, Phone, Visitor, logInByCode, pkce, redeem, startWebsite } from "./login.mjs";
import { startLogin } from "./login_world.mjs";

let world;
before(async () => (world = await startLogin()));
after(() => world?.close());

/** A website without a server asks for a pop-up; resolves with the page, and what redeems its result. */
async function popup(parameters = {}, visitor) {
  const { verifier, challenge, state } = pkce();
  const query = new URLSearchParams({ client_id: "blog", target: world.site.origin, mode: "popup", state, challenge, ...parameters });
  const attempt = await Attempt.begin(new URL(`/oauth?${query}`, world.stack.url), visitor);
  return { attempt, verifier, state };
}

/** The page hands over a code to exactly this website, which redeems it; resolves with the claims about the person. */
async function collect({ attempt, verifier, state }) {
  await attempt.reaches("confirmed");
  const { origin, message } = await attempt.finish();
  assert.equal(origin, world.site.origin);
  const { type, code, ...rest } = message;
  assert.deepEqual({ type, ...rest }, { type: "wxapi-login", state, iss: world.stack.url.origin });
  const tokens = await redeem(world.stack, { client_id: "blog", code, code_verifier: verifier });
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", world.stack.url));
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: world.stack.url.origin, audience: "blog" });
  assert.equal(await attempt.status(), "done");
  return payload;
}

describe("every way to log in", { concurrency: 4 }, () => {
  test("code: the page shows digits, the person sends them and confirms", async () => {
    const login = await popup({ method: "code" });
    const { attempt } = login;
    const watch = attempt.visitor.watch(attempt.at("/watch"));
    assert.equal(await watch.next(), "pending");
    const phone = new Phone(world.sim, "by code");
    const asked = await phone.say(attempt.wording);
    assert.match(asked.text, /The Blog/);
    assert.match(asked.text, /Hangzhou/);
    assert.match(asked.text, /Chrome/);
    assert.equal(await watch.next(), "scanned");
    await phone.confirm(asked);
    assert.equal(await watch.next(), "confirmed");
    watch.close();
    const { sub } = await collect(login);
    assert.match(sub, /^[\w-]{27}$/);
    const again = await popup({ method: "code" });
    await phone.confirm(await phone.say(again.attempt.wording));
    assert.equal((await collect(again)).sub, sub, "the same person has the same id");
    const other = await popup({ method: "code" });
    const another = new Phone(world.sim, "by code too");
    await another.confirm(await another.say(other.attempt.wording));
    assert.notEqual((await collect(other)).sub, sub);
  });

  test("code: whoever says no in the chat logs nobody in", async () => {
    const { attempt } = await popup({ method: "code" });
    const phone = new Phone(world.sim, "by code, refusing");
    const asked = await phone.say(attempt.wording);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    await attempt.reaches("denied");
    assert.notEqual((await attempt.tryFinish()).status, 200);
  });

  test("code: strict, the chat tells a number that is typed on the page", async () => {
    const { verifier, challenge, state } = pkce();
    const query = new URLSearchParams({ client_id: "strict", target: world.site.origin, state, challenge, method: "code" });
    const attempt = await Attempt.begin(new URL(`/oauth?${query}`, world.stack.url));
    assert.ok(!attempt.number, "the page does not show the number");
    const phone = new Phone(world.sim, "by code, strictly");
    const told = await phone.confirm(await phone.say(attempt.wording));
    await attempt.reaches("number");
    const [number] = /\b\d\d\b/.exec(told.text);
    await attempt.show();
    attempt.page = await attempt.page.press(/log in/i, { typed: { number } });
    await attempt.reaches("confirmed");
    const { message } = await attempt.finish();
    const tokens = await redeem(world.stack, { client_id: "strict", code: message.code, code_verifier: verifier });
    assert.equal(tokens.status, 200, JSON.stringify(tokens));
  });

  test("qr: the phone scans, is authorized, and picks the number", async () => {
    const login = await popup();
    const { attempt } = login;
    assert.match(attempt.qr, new RegExp(`^${world.stack.url.origin}/m/${attempt.id}[0-9a-f]{24}$`), "a desktop is shown a QR code first");
    const phone = new Phone(world.sim, "by qr");
    const page = await phone.scan(attempt.qr);
    assert.match(page.words, /The Blog/);
    assert.match(page.words, /Hangzhou/);
    await attempt.reaches("scanned");
    await phone.agree(page, attempt.number);
    await collect(login);
  });

  test("qr: a wrong number, a no, and a second phone log nobody in", async () => {
    const wrong = (await popup()).attempt;
    const page = await new Phone(world.sim, "by qr, wrongly").scan(wrong.qr);
    const choices = [...page.text.matchAll(/name="number" value="(\d+)"/g)].map(([, number]) => number);
    assert.equal(choices.length, 3);
    assert.ok(choices.includes(wrong.number));
    await new Phone(world.sim, "by qr, wrongly").agree(page, choices.find((number) => number !== wrong.number));
    await wrong.reaches("denied");

    const refused = (await popup()).attempt;
    const refusing = new Phone(world.sim, "by qr, refusing");
    await refusing.refuse(await refusing.scan(refused.qr));
    await refused.reaches("denied");

    const taken = (await popup()).attempt;
    const [first, second] = ["by qr, first", "by qr, second"].map((name) => new Phone(world.sim, name));
    const asked = await first.scan(taken.qr);
    const late = await second.scan(taken.qr);
    assert.equal(late.status, 409, late.words);
    await first.agree(asked, taken.number);
    await taken.reaches("confirmed");
  });

  test("scene: a parametric QR code brings a follower and a stranger to the chat", async () => {
    for (const name of ["by scene, a stranger", "by scene, a follower"]) {
      if (name.endsWith("follower")) await world.sim.post("/_sim/send", { as: name, event: { type: "subscribe" } });
      const login = await popup({ method: "scene" });
      const phone = new Phone(world.sim, name);
      const asked = await phone.scanInChat(login.attempt.qr);
      assert.match(asked.text, /The Blog/);
      await phone.confirm(asked, login.attempt.number);
      await collect(login);
    }
  });

  test("menu: a button that scans and waits", async () => {
    const login = await popup({ method: "menu" });
    const phone = new Phone(world.sim, "by menu");
    const asked = await phone.scanByMenu("Scan to log in", login.attempt.qr);
    await phone.confirm(asked, login.attempt.number);
    await collect(login);
  });

  test("typed: the account gives a code, and the page takes it", async () => {
    const login = await popup({ method: "typed" });
    const given = await new Phone(world.sim, "by typing").say("login");
    const [code] = /[A-Z\d]{4}-[A-Z\d]{4}/.exec(given.text) ?? assert.fail(given.text);
    login.attempt.page = await login.attempt.page.press(/log in/i, { typed: { code } });
    await collect(login);
  });

  test("open: WeChat's page for websites, whose QR code a phone scans", async () => {
    const login = await popup({ method: "open" });
    const code = await login.attempt.page.follow(/\/go\/open$/, { origins: [world.stack.url.origin, world.sim.url] });
    const uuid = /data-uuid="([^"]+)"/.exec(code.text)[1];
    const phone = new Phone(world.sim, "by open");
    const confirm = await phone.scan(new URL(`/connect/confirm?uuid=${uuid}`, world.sim.url).href);
    await confirm.press(/^log in$|登录/i);
    const over = await login.attempt.visitor.ask(new URL(`/connect/l/qrconnect?uuid=${uuid}&last=scanned`, world.sim.url));
    const back = await login.attempt.visitor.open(over.json.url);
    assert.match(back.words, /The Blog/, "asked once more, with the website's name");
    await back.press(/^yes$/, { origins: [world.stack.url.origin] });
    await collect(login);
  });

  test("github: the same promises for people without WeChat", async () => {
    const login = await popup({ method: "github" });
    const asked = await login.attempt.page.follow(/\/go\/github$/, { origins: [world.stack.url.origin, world.github.url] });
    const back = await asked.press(/^Authorize$/, { origins: [world.stack.url.origin, world.github.url] });
    await back.press(/^yes$/);
    assert.match((await collect(login)).sub, /^[\w-]{27}$/);
  });

  test("wechat: a page that is open in WeChat asks nothing but the confirmation", async () => {
    const { verifier, challenge, state } = pkce();
    const query = new URLSearchParams({ client_id: "blog", target: world.site.origin, redirect_uri: world.site.callback, mode: "redirect", state, challenge });
    const phone = new Phone(world.sim, "in WeChat");
    const page = await phone.open(new URL(`/oauth?${query}`, world.stack.url).href);
    assert.match(page.words, /The Blog/);
    const done = await phone.goOn(await phone.agree(page));
    const came = world.site.visits.find(({ searchParams }) => searchParams.get("state") === state);
    assert.ok(came, `the phone is back at the website, and not at ${done.url}: ${done.words}`);
    assert.equal(came.searchParams.get("iss"), world.stack.url.origin);
    const fields = { client_id: "blog", code: came.searchParams.get("code"), code_verifier: verifier, redirect_uri: world.site.callback };
    assert.equal((await redeem(world.stack, fields)).status, 200);
  });

  test("one person has one id, whichever way they come", async () => {
    const byCode = await popup({ method: "code" });
    const phone = new Phone(world.sim, "by every way");
    await phone.confirm(await phone.say(byCode.attempt.wording));
    const byQr = await popup();
    await phone.agree(await phone.scan(byQr.attempt.qr), byQr.attempt.number);
    assert.equal((await collect(byCode)).sub, (await collect(byQr)).sub);
  });
});

describe("what a website gets", { concurrency: 4 }, () => {
  test("the older class: a string with the id, for exactly its origin", async () => {
    // As that class writes it: the address of the page, unencoded, to the end of the query.
    const attempt = await Attempt.begin(`${world.stack.url.origin}/oauth?target=${world.legacy.origin}/post?id=1&page=2`);
    await attempt.show("code");
    const phone = new Phone(world.sim, "the older way");
    await phone.confirm(await phone.say(attempt.wording));
    await attempt.reaches("confirmed");
    const { origin, message, redirect } = await attempt.finish();
    assert.deepEqual([origin, redirect], [world.legacy.origin, null]);
    const { code, data } = JSON.parse(message);
    assert.equal(code, 200);
    assert.equal(data, phone.openid, "this client keeps the openids that it had");
  });

  test("a redirect with code, state and iss; the code counts once, and only with its verifier", async () => {
    const { verifier, challenge, state } = pkce();
    const query = new URLSearchParams({
      response_type: "code", client_id: "server", redirect_uri: world.site.callback, scope: "openid", state,
      code_challenge: challenge, code_challenge_method: "S256",
    });
    const address = new URL(await logInByCode(world, new URL(`/authorize?${query}`, world.stack.url), "by redirect"));
    assert.equal(`${address.origin}${address.pathname}`, world.site.callback);
    assert.deepEqual([address.searchParams.get("state"), address.searchParams.get("iss")], [state, world.stack.url.origin]);
    const fields = { client_id: "server", code: address.searchParams.get("code"), redirect_uri: world.site.callback };
    const secret = { secret: world.secret };
    for (const [what, wrong, how] of [
      ["another verifier", { ...fields, code_verifier: pkce().verifier }, secret],
      ["no verifier", fields, secret],
      ["another redirect_uri", { ...fields, code_verifier: verifier, redirect_uri: `${world.site.origin}/other` }, secret],
    ]) {
      assert.equal((await redeem(world.stack, wrong, how)).error, "invalid_grant", what);
    }
    assert.equal((await redeem(world.stack, { ...fields, code_verifier: verifier }, { secret: "wrong" })).error, "invalid_client");
    assert.equal((await redeem(world.stack, { ...fields, code_verifier: verifier }, secret)).status, 200);
  });

  test("a website that nobody registered gets nothing at all", async () => {
    const stranger = await startWebsite();
    try {
      const page = await new Visitor().open(`${world.stack.url.origin}/oauth?target=${stranger.origin}/`);
      assert.equal(page.status, 400);
      assert.equal(page.location, undefined);
      assert.doesNotMatch(page.text, /postMessage|data-login/);
    } finally {
      stranger.close();
    }
  });

  test("another browser sees neither the page nor the result", async () => {
    const { attempt } = await popup({ method: "code" });
    const thief = new Visitor();
    for (const rest of ["", "/status"]) assert.ok((await thief.ask(attempt.at(rest))).status >= 400, rest);
    const phone = new Phone(world.sim, "watched");
    await phone.confirm(await phone.say(attempt.wording));
    await attempt.reaches("confirmed");
    const finish = await attempt.tryFinish(thief);
    assert.ok(finish.status >= 400, finish.text);
    assert.equal((await attempt.tryFinish()).status, 200, "the browser that began still gets it");
  });
});
