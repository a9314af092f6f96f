// Logging in with wx-auth.js, whole: a website in a real Chromium, the built Worker, and a phone that wx-sim plays.
// Rows of what can be in the way: other origins, cut-off openers, blocked windows and storage, reloads, forgers.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../tools/ports.mjs";
import { startPair } from "../../tools/stack.mjs";
import { Phone } from "../e2e/login.mjs";
import { begin, callbackPage, classPage, clickForPopup, elementPage, ended, heard, startBrowser, startSite, visit } from "./site.mjs";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
const SAME = { "cross-origin-opener-policy": "same-origin" };
let pair, site, stranger, browser, host;
let people = 0;

before(async () => {
  const port = await freePort();
  [site, stranger, browser] = await Promise.all([startSite(), startSite(), startBrowser()]);
  const clients = [{ id: "blog", name: "The Blog", origins: [site.origin], redirect_uris: [site.callback, `${site.origin}/`] }];
  pair = await startPair({ port, vars: { LANG: "en", LOGIN_METHODS: "code", LOGIN_RATE_LIMIT: "1000", LOGIN_CLIENTS: clients } });
  host = pair.stack.url.origin;
  site.put("/", classPage(host));
  site.put("/callback", callbackPage(host));
  site.put("/severed", classPage(host), SAME);
  site.put("/element", elementPage(host, 'client-id="blog" method="code"'));
});
after(async () => {
  site?.close();
  stranger?.close();
  await Promise.all([browser?.close(), pair?.close()]);
});

const OPTIONS = { clientId: "blog", method: "code" };

/** A test on a page of its own, in a browser of its own. */
const scene = (options, play) => async (t) => {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(20_000);
  try {
    await play(await context.newPage(), t);
  } finally {
    await context.close();
  }
};

/** Somebody sends the code of the login page, and says yes. */
async function confirm(popup, name = `visitor ${(people += 1)}`) {
  const { phone, asked } = await send(popup, name);
  await phone.confirm(asked);
}

/** …or only sends it. */
async function send(popup, name = `visitor ${(people += 1)}`) {
  const words = await popup.locator("#words").innerText();
  const phone = new Phone(pair.sim, name);
  return { phone, asked: await phone.say(words.trim()) };
}

/** Whoever is logged in now: the session is whole, and localStorage has the id. */
async function check(page, session) {
  assert.match(session?.uid ?? "", /^[\w-]{27}$/, JSON.stringify(session));
  assert.equal(session.token.split(".").length, 3);
  assert.ok(session.exp > Date.now() / 1000 + 1_500 && session.exp < Date.now() / 1000 + 2_000, "half an hour");
  const seen = await page.evaluate(() => [wx.uid, wx.session?.token, localStorage.getItem("LocalUid")]);
  assert.deepEqual(seen, [session.uid, session.token, session.uid]);
}

const isClosed = async (popup) => popup.isClosed() || (await popup.waitForEvent("close"));

describe("a window", () => {
  test("opens, tells how far it is, logs in, and closes", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await confirm(popup);
    await check(page, await ended(page));
    await isClosed(popup);
    const statuses = await heard(page, "status");
    for (const status of ["pending", "hello", "scanned", "confirmed"]) assert.ok(statuses.includes(status), `${status} of ${statuses}`);
    assert.equal(new URL(page.url()).search, "");
  }));

  test("the same person has the same id, another has another, and logging out forgets both", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const uids = [];
    for (const name of ["twin", "twin", "other"]) {
      const popup = await clickForPopup(page);
      await confirm(popup, name);
      uids.push((await ended(page)).uid);
      await isClosed(popup);
      await page.evaluate(() => wx.logout());
      assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session, localStorage.length]), [null, null, 0]);
    }
    assert.equal(uids[0], uids[1]);
    assert.notEqual(uids[1], uids[2]);
  }));

  test("the session outlives a reload, and a logout is seen in the other tab", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await confirm(popup);
    const { uid } = await ended(page);
    await page.reload();
    await begin(page, host, OPTIONS);
    assert.equal(await page.evaluate(() => wx.session.uid), uid);
    const other = await page.context().newPage();
    await visit(other, `${site.origin}/`, host, OPTIONS);
    assert.deepEqual(await other.evaluate(() => [wx.uid, wx.session]), [uid, null], "a hint, and no token");
    await other.evaluate(() => wx.logout());
    await page.waitForFunction(() => wx.session === null);
    assert.equal((await heard(page, "logout")).length, 1);
  }));

  test("the callback and key of earlier projects", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    await page.evaluate((host) => {
      globalThis.ended = undefined;
      document.querySelector("#go").onclick = () => new WxApiLogin(host, "MyUid").login((answer) => (globalThis.answer = answer));
    }, host);
    const popup = await clickForPopup(page);
    await confirm(popup);
    await page.waitForFunction(() => globalThis.answer);
    const { code, data } = await page.evaluate(() => answer);
    assert.equal(code, 200);
    assert.equal(await page.evaluate(() => localStorage.getItem("MyUid")), data);
  }));

  test("the element says so, and its event has the session", scene({}, async (page) => {
    await page.goto(`${site.origin}/element`);
    await page.evaluate(() => addEventListener("wechat-login", ({ detail }) => (globalThis.session = detail)));
    const popup = await clickForPopup(page, "wechat-login-button");
    const { phone, asked } = await send(popup);
    await page.getByRole("status").getByText("Confirm on your phone").waitFor();
    await phone.confirm(asked);
    await page.getByRole("status").getByText("Logged in").waitFor();
    assert.equal(await page.getByRole("button").getAttribute("aria-busy"), "false");
    assert.match(await page.evaluate(() => globalThis.session.uid), /^[\w-]{27}$/);
  }));

  test("whoever says no: access_denied", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    const { phone, asked } = await send(popup);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    assert.equal((await ended(page)).code, "access_denied");
    assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session]), [null, null]);
  }));

  test("…and then tries again in the same window: a login", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    const { phone, asked } = await send(popup);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    assert.equal((await ended(page)).code, "access_denied");
    await popup.locator("main[data-status=denied] a[href^='/oauth?']").first().click();
    await confirm(popup);
    await page.waitForFunction(() => wx.session);
    assert.equal((await heard(page, "login")).length, 1);
  }));

  test("…the element hears the second no, too, and that the window was closed at the third try", scene({}, async (page) => {
    await page.goto(`${site.origin}/element`);
    await page.evaluate(() => {
      globalThis.codes = [];
      addEventListener("wechat-error", ({ detail }) => codes.push(detail.code));
    });
    const status = page.getByRole("status");
    const popup = await clickForPopup(page, "wechat-login-button");
    for (const codes of [["access_denied"], ["access_denied", "access_denied"]]) {
      const { phone, asked } = await send(popup);
      await status.getByText("Confirm on your phone").waitFor();
      await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
      await status.getByText("Login denied").waitFor();
      assert.deepEqual(await page.evaluate(() => globalThis.codes), codes);
      await popup.locator("main[data-status=denied] a[href^='/oauth?']").first().click();
      await status.getByText("Continue in the login window").waitFor();
    }
    await popup.close();
    await status.getByText("Login cancelled").waitFor();
    assert.equal(await page.getByRole("button").getAttribute("aria-busy"), "false");
  }));

  test("closed by the visitor after the website was reloaded", scene({}, async (page) => {
    await page.goto(`${site.origin}/element`);
    const popup = await clickForPopup(page, "wechat-login-button");
    await popup.locator("#words").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Log in with WeChat" }).waitFor();
    await send(popup);
    await page.getByRole("status").getByText("Confirm on your phone").waitFor();
    await popup.close();
    await page.getByRole("status").getByText("Login cancelled").waitFor();
  }));

  test("closed by the visitor", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await page.waitForFunction(() => heard.some(([, status]) => status === "hello"));
    await popup.close();
    assert.equal((await ended(page)).code, "closed_by_user");
  }));

  test("reloaded by the visitor, which is no close", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await popup.reload();
    await confirm(popup);
    await check(page, await ended(page));
  }));

  test("closed before it said a word: the next click opens it again", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    await page.context().route(/\/oauth\?/, (route) => route.abort(), { times: 1 });
    const first = await clickForPopup(page);
    await first.close();
    const popup = await clickForPopup(page);
    await confirm(popup);
    await check(page, await ended(page));
  }));

  test("the website is reloaded meanwhile, and takes the result up", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await page.reload();
    await begin(page, host, OPTIONS);
    await confirm(popup);
    await page.waitForFunction(() => wx.session);
    assert.equal((await heard(page, "login")).length, 1);
  }));

  test("two tabs at once: each has its own", scene({}, async (page) => {
    const other = await page.context().newPage();
    const popups = [];
    for (const tab of [page, other]) {
      await visit(tab, `${site.origin}/`, host, OPTIONS);
      popups.push(await clickForPopup(tab));
    }
    await confirm(popups[1], "second tab");
    const second = await ended(other);
    await check(other, second);
    assert.equal(await page.evaluate(() => wx.session), null);
    await confirm(popups[0], "first tab");
    const first = await ended(page);
    assert.notEqual(first.uid, second.uid);
    await check(page, first);
  }));

  test("blocked, then by the link", scene({}, async (page) => {
    const more = `<script type="module">
      import { WxApiLogin } from "${host}/wx-auth.js";
      globalThis.wx = new WxApiLogin("${host}", ${JSON.stringify({ ...OPTIONS, mode: "popup" })});
      globalThis.ended = wx.login();
    </script>`;
    await page.goto(site.put("/blocked", classPage(host, { more })));
    const [popup] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link").click()]);
    await confirm(popup);
    await check(page, await ended(page));
    await isClosed(popup);
  }));

  test("offline just when the code is redeemed, then back", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await page.route("**/token", (route) => route.abort("internetdisconnected"), { times: 1 });
    await confirm(popup);
    await check(page, await ended(page));
  }));

  test("under the strictest policies", scene({}, async (page) => {
    const policy = `default-src 'none'; script-src ${host}; connect-src ${host}; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'`;
    await page.goto(site.put("/strict", elementPage(host, 'client-id="blog" method="code"'), { "content-security-policy": policy }));
    const popup = await clickForPopup(page, "wechat-login-button");
    await confirm(popup);
    await page.getByRole("status").getByText("Logged in").waitFor();
  }));
});

describe("an opener that is cut off, or not", () => {
  for (const policy of ["same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"]) {
    test(`COOP ${policy}: as ever`, scene({}, async (page) => {
      site.put(`/${policy}`, classPage(host), { "cross-origin-opener-policy": policy });
      await visit(page, `${site.origin}/${policy}`, host, OPTIONS);
      const popup = await clickForPopup(page);
      await confirm(popup);
      await check(page, await ended(page));
    }));
  }

  for (const [name, headers] of Object.entries({
    "COOP same-origin": SAME,
    "isolated from all origins": { ...SAME, "cross-origin-embedder-policy": "require-corp" },
  })) {
    test(`${name}: the result comes by the callback page, and the window closes`, scene({}, async (page) => {
      site.put("/cut", classPage(host), headers);
      await visit(page, `${site.origin}/cut`, host, { ...OPTIONS, callback: "/callback" });
      const popup = await clickForPopup(page);
      assert.equal(await popup.locator("#words").evaluate(() => opener), null);
      await confirm(popup);
      await check(page, await ended(page));
      await isClosed(popup);
    }));
  }

  test("COOP same-origin on the callback page too", scene({}, async (page) => {
    const callback = site.put("/callback", callbackPage(host), SAME);
    try {
      await visit(page, `${site.origin}/severed`, host, { ...OPTIONS, callback });
      const popup = await clickForPopup(page);
      await confirm(popup);
      await check(page, await ended(page));
      await isClosed(popup);
    } finally {
      site.put("/callback", callbackPage(host));
    }
  }));

  test("`closed` is not believed, while the window is open", scene({}, async (page) => {
    await page.addInitScript(() => {
      const { open, setInterval } = globalThis;
      globalThis.open = (...all) => (globalThis.handle = open(...all));
      // Counts the looks at a window that seems to be closed, which are more frequent here.
      globalThis.looks = 0;
      globalThis.setInterval = (look) => setInterval(() => (look(), (looks += handle.closed)), 20);
    });
    await visit(page, `${site.origin}/severed`, host, { ...OPTIONS, callback: "/callback" });
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await page.waitForFunction(() => globalThis.looks > 20);
    assert.deepEqual(await heard(page, "error"), []);
    await confirm(popup);
    await check(page, await ended(page));
  }));

  test("a reload of the cut-off website resumes, too", scene({}, async (page) => {
    await visit(page, `${site.origin}/severed`, host, { ...OPTIONS, callback: "/callback" });
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await page.reload();
    await begin(page, host, { ...OPTIONS, callback: "/callback" });
    await confirm(popup);
    await page.waitForFunction(() => wx.session);
  }));
});

describe("redirect mode", () => {
  test("by the callback page and back to where it began, whose address is as it was", scene({}, async (page) => {
    site.put("/article", classPage(host));
    const address = `${site.origin}/article?page=2#comments`;
    await visit(page, address, host, { ...OPTIONS, mode: "redirect", callback: "/callback" });
    await page.click("#go");
    await confirm(page);
    await page.waitForURL(address);
    await begin(page, host, OPTIONS);
    await check(page, await page.evaluate(() => wx.handleRedirect()));
    assert.equal(await page.evaluate(() => sessionStorage.getItem("wxapi-login")), "null", "nothing to redeem twice");
    await page.reload();
    await begin(page, host, OPTIONS);
    assert.equal(await page.evaluate(() => wx.handleRedirect()), null);
    assert.ok(await page.evaluate(() => wx.session), "but logged in");
  }));

  test("to the page itself, whose address is clean then; a phone's default", scene({ userAgent: IPHONE }, async (page) => {
    await visit(page, `${site.origin}/`, host, OPTIONS);
    await page.click("#go");
    await confirm(page);
    await page.waitForURL((url) => url.origin === site.origin);
    await begin(page, host, OPTIONS);
    // It leaves once more, for the address without the result.
    await page.waitForURL(`${site.origin}/`);
    await begin(page, host, OPTIONS);
    await check(page, await page.evaluate(() => wx.handleRedirect()));
  }));

  test("whoever says no, and goes back to the website: access_denied", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, { ...OPTIONS, mode: "redirect", callback: "/callback" });
    await page.click("#go");
    const { phone, asked } = await send(page);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    await page.locator(`main[data-status=denied] a[href^="${site.callback}"]`).click();
    await page.waitForURL(`${site.origin}/`);
    await begin(page, host, OPTIONS);
    assert.equal(await page.evaluate(() => wx.handleRedirect().catch(({ code }) => code)), "access_denied");
    assert.deepEqual(await heard(page, "error"), ["access_denied"], "whoever listens right after the construction hears it");
    assert.equal(await page.evaluate(() => sessionStorage.getItem("wxapi-login")), "null", "nothing to hear twice");
    await page.reload();
    await begin(page, host, OPTIONS);
    // What the construction put off for a task is before this one.
    assert.equal(await page.evaluate(() => new Promise((done) => setTimeout(() => done(wx.handleRedirect())))), null);
    assert.deepEqual(await heard(page, "error"), []);
  }));

  test("…and the element says so, once", scene({}, async (page) => {
    const address = site.put("/element-redirect", elementPage(host, 'client-id="blog" method="code" mode="redirect" callback="/callback"'));
    await page.goto(address);
    await page.locator("wechat-login-button").click();
    const { phone, asked } = await send(page);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    await page.locator(`main[data-status=denied] a[href^="${site.callback}"]`).click();
    await page.waitForURL(address);
    await page.getByRole("status").getByText("Login denied").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Log in with WeChat" }).waitFor();
    await page.evaluate(() => new Promise((done) => setTimeout(done))); // after whatever the construction put off
    assert.equal(await page.getByRole("status").textContent(), "");
  }));

  test("back by the browser's button: the page is usable again", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, { ...OPTIONS, mode: "redirect", callback: "/callback" });
    await page.click("#go");
    await page.locator("#words").waitFor();
    await page.goBack();
    await begin(page, host, { ...OPTIONS, mode: "popup" });
    const popup = await clickForPopup(page);
    await confirm(popup);
    await check(page, await ended(page));
  }));

  test("somebody else's result in a link logs nobody in", scene({}, async (page) => {
    await visit(page, `${site.origin}/`, host, { ...OPTIONS, mode: "redirect", callback: "/callback" });
    await page.goto(`${site.callback}?code=${"0".repeat(64)}&state=forged&iss=${host}`);
    await page.goto(`${site.origin}/?code=${"0".repeat(64)}&state=forged&iss=${host}`);
    await begin(page, host, OPTIONS);
    assert.deepEqual(await page.evaluate(async () => [await wx.handleRedirect(), wx.uid]), [null, null]);
  }));
});

describe("forgers", () => {
  /** For a page: keeps every message that it gets. */
  const collect = () => {
    globalThis.messages = [];
    addEventListener("message", ({ data }) => messages.push(data));
  };
  /** The messages that a page got, up to one of its own. */
  const messages = (page) => page.evaluate(() => new Promise((done) => {
    addEventListener("message", ({ data }) => data === "last" && done(globalThis.messages));
    postMessage("last");
  }));

  test("neither the page, nor a third origin, nor a frame, nor a window of another", scene({}, async (page) => {
    const forge = `for (const to of [opener, parent, globalThis.top].filter(Boolean)) {
      to.postMessage({ type: "wxapi-login", state: new URLSearchParams(location.hash.slice(1)).get("state"), code: "stolen", iss: "${host}" }, "*");
      to.postMessage(JSON.stringify({ code: 200, data: "somebody else" }), "*");
    }`;
    const evil = stranger.put("/evil", `<!doctype html><title>evil</title><script>${forge}</script>`);
    await visit(page, `${site.origin}/`, host, OPTIONS);
    const popup = await clickForPopup(page);
    await popup.locator("#words").waitFor();
    await page.evaluate((evil) => {
      globalThis.forged = 0;
      addEventListener("message", ({ origin }) => (forged += evil.startsWith(origin)));
      globalThis.fetched = [];
      const original = fetch;
      globalThis.fetch = (...all) => (fetched.push(all[0]), original(...all));
    }, evil);
    // Even one who knows the state.
    await page.evaluate((evil) => {
      const { state } = JSON.parse(sessionStorage.getItem("wxapi-login"));
      const frame = document.createElement("iframe");
      frame.src = `${evil}#state=${state}`;
      document.body.append(frame);
      return new Promise((resolve) => (frame.onload = resolve));
    }, evil);
    const state = await page.evaluate(() => JSON.parse(sessionStorage.getItem("wxapi-login")).state);
    await Promise.all([page.context().waitForEvent("page"), page.evaluate((url) => void open(url), `${evil}#state=${state}`)]);
    // Two to the frame's parent, two to its top, two to the window's opener.
    await page.waitForFunction(() => globalThis.forged === 6);
    assert.deepEqual(await page.evaluate(() => globalThis.fetched), []);
    assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session]), [null, null]);
    await confirm(popup);
    await check(page, await ended(page));
    assert.deepEqual(await page.evaluate(() => globalThis.fetched), [`${host}/token`]);
  }));

  test("a website that is not registered: the window says so, and tells it nothing", scene({}, async (page) => {
    stranger.put("/", classPage(host));
    await visit(page, `${stranger.origin}/`, host, OPTIONS);
    await page.evaluate(collect);
    const [answer, popup] = await Promise.all([
      page.context().waitForEvent("response", (response) => new URL(response.url()).pathname === "/oauth"),
      clickForPopup(page),
    ]);
    assert.equal(answer.status(), 400);
    await popup.waitForLoadState();
    await popup.waitForLoadState();
    // The window's messages come in order.
    await popup.evaluate(() => opener.postMessage("by the test", "*"));
    await page.waitForFunction(() => messages.includes("by the test"));
    assert.deepEqual(await messages(page), ["by the test", "last"]);
  }));

  test("a website that pretends to be another gets nothing", scene({}, async (page) => {
    stranger.put("/", classPage(host));
    await page.goto(`${stranger.origin}/`);
    await page.evaluate(collect);
    const query = new URLSearchParams({ client_id: "blog", target: site.origin, state: "forged", challenge: "A".repeat(43), mode: "popup", method: "code" });
    const [popup] = await Promise.all([page.context().waitForEvent("page"), page.evaluate((url) => void open(url), `${host}/oauth?${query}`)]);
    await confirm(popup);
    // It closes after it has sent the result to its opener, if that is the website.
    await isClosed(popup);
    assert.deepEqual(await messages(page), ["last"], "the message's target origin is that of the website");
  }));
});

describe("the class of earlier projects, unchanged", () => {
  /** As its public contract has it: no state, no check of the origin, a raw address in the query. */
  const EARLIER = `class WxApiLogin {
    static instance;
    constructor(host, key = 'LocalUid') {
      if (WxApiLogin.instance) return WxApiLogin.instance;
      this.host = host;
      this.key = key;
      WxApiLogin.instance = this;
    }
    login(cb) {
      const popup = window.open(\`\${this.host}/oauth?target=\${location.href}\`, 'wxlogin', 'width=480,height=640');
      window.addEventListener('message', (e) => {
        const { code, data } = JSON.parse(e.data);
        if (code === 200) localStorage.setItem(this.key, data);
        cb({ code, data });
        popup.close();
      });
    }
  }`;
  const page = () => `<!doctype html><meta charset="utf-8"><title>An old website</title><link rel="icon" href="data:,">
    <button id="go">log in</button><script>${EARLIER}
    document.querySelector("#go").onclick = () => new WxApiLogin("${host}").login((answer) => (globalThis.answer = answer));</script>`;

  test("logs in, from an address with a query of its own", scene({}, async (tab) => {
    site.put("/old", page());
    await tab.goto(`${site.origin}/old?a=1&b=2`);
    const popup = await clickForPopup(tab);
    await confirm(popup);
    await tab.waitForFunction(() => globalThis.answer);
    const { code, data } = await tab.evaluate(() => answer);
    assert.equal(code, 200);
    assert.equal(await tab.evaluate(() => localStorage.getItem("LocalUid")), data);
  }));

  test("hears a no", scene({}, async (tab) => {
    site.put("/old", page());
    await tab.goto(`${site.origin}/old`);
    const popup = await clickForPopup(tab);
    const { phone, asked } = await send(popup);
    await phone.say(asked.links.find(({ label }) => /cancel/i.test(label)).send);
    await tab.waitForFunction(() => globalThis.answer);
    assert.equal(await tab.evaluate(() => answer.code), 400);
  }));

  test("and ours without a client id, by its origin", scene({}, async (tab) => {
    await visit(tab, `${site.origin}/`, host, { method: "code" });
    const popup = await clickForPopup(tab);
    await confirm(popup);
    await check(tab, await ended(tab));
  }));
});

describe("a browser that blocks cookies and storage of all but the Worker", () => {
  let shut, folder;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-browser-"));
    const { port } = new URL(host);
    const exceptions = { cookies: { [`http://127.0.0.1:${port},*`]: { setting: 1 } } };
    const preferences = { profile: { default_content_setting_values: { cookies: 2 }, content_settings: { exceptions } } };
    fs.mkdirSync(path.join(folder, "Default"), { recursive: true });
    fs.writeFileSync(path.join(folder, "Default", "Preferences"), JSON.stringify(preferences));
    shut = await startBrowser({ folder, locale: "en-GB" });
  });
  after(async () => {
    await shut?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test("a window works, and the session is in memory", async () => {
    const page = await shut.newPage();
    await visit(page, `${site.origin}/`, host, OPTIONS);
    assert.equal(await page.evaluate(() => Promise.resolve().then(() => localStorage).catch(({ name }) => name)), "SecurityError");
    const popup = await clickForPopup(page);
    await confirm(popup);
    const { uid } = await ended(page);
    assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session.uid]), [uid, uid]);
    await page.close();
  });

  test("redirect mode does not, and says so", async () => {
    const page = await shut.newPage();
    await visit(page, `${site.origin}/`, host, { ...OPTIONS, mode: "redirect" });
    await page.click("#go");
    assert.equal((await ended(page)).code, "storage_blocked");
    await page.close();
  });
});
