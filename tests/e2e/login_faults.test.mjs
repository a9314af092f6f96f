// A login when something goes wrong, on the built Worker in workerd: WeChat and GitHub refuse, a callback comes twice,
// twenty redeem at once, workerd is killed in the middle.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Attempt, Phone, pkce, redeem } from "./login.mjs";
import { startLogin } from "./login_world.mjs";

const TOKEN = "/sns/oauth2/access_token";

/** A page of the website's pop-up. */
async function popup({ stack, site }, parameters = {}) {
  const { verifier, challenge, state } = pkce();
  const query = new URLSearchParams({ client_id: "blog", target: site.origin, mode: "popup", state, challenge, ...parameters });
  return { attempt: await Attempt.begin(new URL(`/oauth?${query}`, stack.url)), verifier };
}

/** The result, redeemed. */
async function collect({ stack }, { attempt, verifier }) {
  await attempt.reaches("confirmed");
  const { message } = await attempt.finish();
  return redeem(stack, { client_id: "blog", code: message.code, code_verifier: verifier });
}

// One after the other: faults are everybody's.
describe("WeChat's server refuses", () => {
  let world;
  before(async () => (world = await startLogin()));
  after(() => world?.close());

  const exchanges = async () => (await world.sim.get("/_sim/calls")).calls.filter(({ path }) => path === TOKEN);

  for (const errcode of [40029, 40163, 42003]) {
    test(`${errcode}: the person may begin anew, and nothing is repeated by itself`, async () => {
      const login = await popup(world);
      const phone = new Phone(world.sim, `refused ${errcode}`);
      const before = (await exchanges()).length;
      await world.sim.post("/_sim/faults", [{ path: TOKEN, errcode }]);
      const page = await phone.scan(login.attempt.qr);
      assert.equal(page.status, 400, page.words);
      assert.equal((await exchanges()).length, before + 1, "one code, one exchange");
      const again = await page.follow(/\/go\//, { origins: { includes: () => true } });
      await phone.agree(again, login.attempt.number);
      assert.equal((await collect(world, login)).status, 200);
    });
  }

  for (const fault of [{ errcode: 48001 }, { errcode: 40164 }, { errcode: 40013 }, { http_status: 502 }, { cut: true }]) {
    test(`${JSON.stringify(fault)}: the phone is told so, and another way works`, async () => {
      const login = await popup(world);
      const phone = new Phone(world.sim, `down ${JSON.stringify(fault)}`);
      await world.sim.post("/_sim/faults", [{ path: TOKEN, times: "always", ...fault }]);
      const page = await phone.scan(login.attempt.qr);
      await world.sim.post("/_sim/faults", []);
      assert.equal(page.status, 503, page.words);
      assert.doesNotMatch(page.text, /48001|40164|40013|whitelist/, "reasons are the operator's");
      const other = await popup(world, { method: "code" });
      await phone.confirm(await phone.say(other.attempt.wording));
      assert.equal((await collect(world, other)).status, 200);
    });
  }

  test("40164 when the QR code is made: the page shows another way", async () => {
    await world.sim.post("/_sim/faults", [{ path: "/cgi-bin/qrcode/create", errcode: 40164, times: "always" }]);
    const { attempt } = await popup(world, { method: "scene" });
    await world.sim.post("/_sim/faults", []);
    assert.match(attempt.page.words, /this is another/);
    assert.match(attempt.qr ?? "", /\/m\//, "our own QR code, not the account's");
  });

  test("a snapshot page's virtual user is nobody", async () => {
    const login = await popup(world, { scope: "profile" });
    await world.sim.post("/_sim/oauth", { snapshot: true });
    try {
      const page = await new Phone(world.sim, "snapshot").scan(login.attempt.qr);
      assert.match(page.words, /full service/i);
      assert.notEqual(await login.attempt.status(), "confirmed");
    } finally {
      await world.sim.post("/_sim/oauth", { snapshot: false });
    }
  });

  test("a callback that comes twice uses its code once", async () => {
    await world.sim.post("/_sim/oauth", { duplicate_callback: true });
    try {
      const login = await popup(world);
      const before = (await exchanges()).length;
      const phone = new Phone(world.sim, "twice");
      const page = await phone.scan(login.attempt.qr);
      assert.match(page.words, /The Blog/);
      assert.equal((await exchanges()).length, before + 1);
      await phone.agree(page, login.attempt.number);
      assert.equal((await collect(world, login)).status, 200);
    } finally {
      await world.sim.post("/_sim/oauth", { duplicate_callback: false });
    }
  });

  test("whoever refuses at WeChat's own page for websites has logged in nowhere", async () => {
    const { attempt } = await popup(world, { method: "open" });
    const origins = [world.stack.url.origin, world.sim.url];
    const code = await attempt.page.follow(/\/go\/open$/, { origins });
    const back = await code.press(/refuse|拒绝/i, { origins });
    assert.equal(back.status, 200, back.words);
    assert.doesNotMatch(back.text, /<form[^>]*\/oauth\/confirm\//, "nothing to confirm");
    assert.notEqual(await attempt.status(), "confirmed");
  });
});

describe("GitHub refuses", () => {
  let world;
  before(async () => (world = await startLogin()));
  after(() => world?.close());

  const everywhere = () => [world.stack.url.origin, world.github.url];

  test("whoever cancels there has logged in nowhere", async () => {
    const { attempt } = await popup(world, { method: "github" });
    const asked = await attempt.page.follow(/\/go\/github$/, { origins: everywhere() });
    const back = await asked.press(/^Cancel$/, { origins: everywhere() });
    assert.equal(back.status, 200, back.words);
    assert.notEqual(await attempt.status(), "confirmed");
  });

  test("a secret that GitHub does not know is the operator's trouble", async () => {
    await world.stack.reload({ ...world.settings, GITHUB_CLIENT_SECRET: "wrong" });
    const { attempt } = await popup(world, { method: "github" });
    const asked = await attempt.page.follow(/\/go\/github$/, { origins: everywhere() });
    const back = await asked.press(/^Authorize$/, { origins: everywhere() });
    await world.stack.reload(world.settings);
    assert.equal(back.status, 503, back.words);
    assert.doesNotMatch(back.text, /client_secret|incorrect_client/);
  });

  test("a GitHub that is down", async () => {
    const { attempt } = await popup(world, { method: "github" });
    const asked = await attempt.page.follow(/\/go\/github$/, { origins: everywhere() });
    world.github.faults["/api/v3/user"] = 503;
    const back = await asked.press(/^Authorize$/, { origins: everywhere() });
    delete world.github.faults["/api/v3/user"];
    assert.equal(back.status, 503, back.words);
  });
});

describe("at once, and in the middle", () => {
  let world;
  before(async () => (world = await startLogin()));
  after(() => world?.close());

  test("of twenty that redeem a code at once exactly one gets it, and the others take it back", async () => {
    const { attempt, verifier } = await popup(world, { method: "code" });
    const phone = new Phone(world.sim, "redeemed twenty times");
    await phone.confirm(await phone.say(attempt.wording));
    await attempt.reaches("confirmed");
    const { code } = (await attempt.finish()).message;
    const tries = await Promise.all(Array.from({ length: 20 }, () => redeem(world.stack, { client_id: "blog", code, code_verifier: verifier })));
    const good = tries.filter(({ status }) => status === 200);
    assert.equal(good.length, 1, JSON.stringify(tries));
    for (const { status, error } of tries.filter((one) => one.status !== 200)) assert.deepEqual([status, error], [400, "invalid_grant"]);
    const info = await world.stack.fetch("/userinfo", { headers: { authorization: `Bearer ${good[0].access_token}` } });
    assert.equal(info.status, 401, "a code that comes twice was stolen from somebody");
  });

  test("two phones that scan at the same moment: one of them has it", async () => {
    const { attempt } = await popup(world);
    const pages = await Promise.all(Array.from({ length: 8 }, (_, index) => new Phone(world.sim, `scanner ${index}`).scan(attempt.qr)));
    assert.equal(pages.filter(({ status }) => status === 200).length, 1, JSON.stringify(pages.map(({ status }) => status)));
    assert.equal(pages.filter(({ status }) => status === 409).length, 7);
  });

  test("kill -9 between the code and the confirmation, and between the confirmation and the result", { timeout: 120_000 }, async () => {
    const login = await popup(world, { method: "code" });
    const byQr = await popup(world);
    const phone = new Phone(world.sim, "survivor");
    const asked = await phone.say(login.attempt.wording);
    const page = await phone.scan(byQr.attempt.qr);

    await world.stack.kill();
    await world.stack.restart();
    assert.equal(await login.attempt.status(), "scanned");
    await phone.confirm(asked);
    await login.attempt.reaches("confirmed");
    await phone.agree(page, byQr.attempt.number);
    await byQr.attempt.reaches("confirmed");

    await world.stack.kill();
    await world.stack.restart();
    const keys = await (await world.stack.fetch("/.well-known/jwks.json")).json();
    const tokens = await collect(world, login);
    assert.equal(tokens.status, 200, JSON.stringify(tokens));
    assert.equal((await collect(world, byQr)).status, 200);
    const { kid } = JSON.parse(Buffer.from(tokens.id_token.split(".")[0], "base64url"));
    assert.ok(keys.keys.some((key) => key.kid === kid), "signed with a key that was there before");
  });
});

describe("messages that anybody could have sent", () => {
  test("without encryption they log in nobody, unless the operator says so", { timeout: 60_000 }, async (t) => {
    const world = await startLogin({ vars: { ENCODING_AES_KEY: "", ACCOUNT_TYPE: "subscription", LOGIN_IN_PLAIN_MODE: "" } });
    t.after(world.close);
    const { challenge, state } = pkce();
    const query = new URLSearchParams({ client_id: "blog", target: world.site.origin, state, challenge, method: "code" });
    const page = await fetch(new URL(`/oauth?${query}`, world.stack.url), { redirect: "follow" });
    assert.ok(page.status >= 400, "no way to log in is left");

    await world.stack.reload({ ...world.settings, LOGIN_IN_PLAIN_MODE: "allow" });
    const login = await popup(world, { method: "code" });
    const phone = new Phone(world.sim, "in the open");
    await phone.confirm(await phone.say(login.attempt.wording));
    assert.equal((await collect(world, login)).status, 200);
  });

  test("an old message under a valid signature does nothing", { timeout: 60_000 }, async (t) => {
    const world = await startLogin();
    t.after(world.close);
    const { attempt } = await popup(world, { method: "code" });
    const report = await world.sim.post("/_sim/send", { as: "replayed", text: attempt.wording, tamper: "stale" });
    assert.ok(report.deliveries.every(({ outcome }) => outcome !== "reply"), JSON.stringify(report.deliveries));
    assert.equal(await attempt.status(), "pending");
  });
});
