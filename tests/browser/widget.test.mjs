// wx-auth.js in a real Chromium, served by the built Worker: its addresses, its looks, what it asks for, and everything
// that ends before somebody takes a phone into their hand. login-widget.test.mjs goes on from there.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { at } from "../../tools/paths.mjs";
import { startPair } from "../../tools/stack.mjs";
import { begin, classPage, clickForPopup, elementPage, ended, heard, startBrowser, startSite, visit } from "./site.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { version } = JSON.parse(fs.readFileSync(at("package.json"), "utf8"));
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
const WECHAT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.0.0 Safari/537.36 MicroMessenger/7.0.20";
let pair, stack, site, browser, host;

before(async () => {
  [site, browser] = await Promise.all([startSite(), startBrowser()]);
  const clients = [{ id: "blog", name: "The Blog", origins: [site.origin], redirect_uris: [site.callback, `${site.origin}/`] }];
  pair = await startPair({ vars: { LOGIN_RATE_LIMIT: "1000", LOGIN_CLIENTS: clients } });
  stack = pair.stack;
  host = stack.url.origin;
  site.put("/", classPage(host));
});
after(async () => {
  site?.close();
  await Promise.all([browser?.close(), pair?.close()]);
});

/** A test on a page of its own; it fails on whatever the browser complains of, but for `allowed`. */
const scene = ({ allowed = /^$/, ...options }, play) => async (t) => {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (line) => line.type() === "error" && !allowed.test(line.text()) && complaints.push(line.text()));
  page.on("pageerror", (error) => complaints.push(error.stack));
  try {
    await play(page, t);
    assert.deepEqual(complaints, [], "the browser complains");
  } finally {
    await context.close();
  }
};

/** The query with which the next window, or this page, asks for a login. */
async function asked(page, act) {
  const request = page.context().waitForEvent("request", (request) => new URL(request.url()).pathname === "/oauth");
  const [found] = await Promise.all([request, act()]);
  return Object.fromEntries(new URL(found.url()).searchParams);
}

/** For a page: keeps every window that it opens. */
const countWindows = () => {
  globalThis.windows = [];
  const original = open;
  globalThis.open = (...all) => {
    const opened = original(...all);
    windows.push(opened);
    return opened;
  };
};

describe("files", () => {
  const get = async (path) => {
    const answer = await stack.fetch(path);
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
  };

  test("every address of the widget has the same bytes, for everybody, and not too many of them", async () => {
    const [exact, ...moving] = await Promise.all([`/w/${version}/wx-auth.js`, "/w/v0/wx-auth.js", "/wx-auth.js"].map(get));
    assert.match(exact.headers.get("cache-control"), /max-age=31536000.*immutable/);
    for (const file of [exact, ...moving]) {
      assert.equal(file.status, 200);
      assert.ok(file.body.equals(exact.body));
      assert.match(file.headers.get("content-type"), /javascript/);
      assert.equal(file.headers.get("access-control-allow-origin"), "*");
      assert.equal(file.headers.get("cross-origin-resource-policy"), "cross-origin");
      assert.equal(file.headers.get("x-content-type-options"), "nosniff");
    }
    for (const file of moving) assert.match(file.headers.get("cache-control"), /max-age=3600\b/);
    const bytes = gzipSync(exact.body, { level: 9 }).length;
    assert.ok(bytes <= 4_096, `${bytes} bytes`);
  });

  test("the hash that websites pin is that of the bytes", async () => {
    const { latest, files } = JSON.parse((await get("/w/integrity.json")).body);
    assert.equal(latest, version);
    for (const [path, integrity] of Object.entries(files)) {
      const { body } = await get(path);
      assert.equal(integrity, `sha384-${createHash("sha384").update(body).digest("base64")}`, path);
    }
  });

  test("what belongs to the sources is not served", async () => {
    for (const path of ["/_headers", "/package.json", "/wx-auth.d.ts", "/examples/index.html", "/w/9.9.9/wx-auth.js"]) {
      assert.equal((await get(path)).status, 404, path);
    }
  });
});

describe("loading", () => {
  /** A page that loads the script with this hash. */
  const pinned = (hash) => `<!doctype html><meta charset="utf-8"><title>pinned</title><link rel="icon" href="data:,">
    <script type="module" src="${host}/w/${version}/wx-auth.js" integrity="${hash}" crossorigin></script>
    <wechat-login-button host="${host}"></wechat-login-button><script>globalThis.alive = true</script>`;

  test("with the right hash", scene({}, async (page) => {
    const { files } = await (await stack.fetch("/w/integrity.json")).json();
    await page.goto(site.put("/pinned", pinned(files[`/w/${version}/wx-auth.js`])));
    await page.getByRole("button", { name: "Log in with WeChat" }).waitFor();
  }));

  test("not with a wrong one, and the page lives on", scene({ allowed: /integrity|digest/i }, async (page) => {
    await page.goto(site.put("/mispinned", pinned(`sha384-${"A".repeat(64)}`)));
    assert.deepEqual(await page.evaluate(() => [alive, customElements.get("wechat-login-button") === undefined]), [true, true]);
  }));

  test("on a page that is isolated from all others", scene({}, async (page) => {
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    const text = elementPage(host).replace('type="module"', 'type="module" crossorigin');
    await page.goto(site.put("/isolated", text, headers));
    await page.getByRole("button").waitFor();
    assert.ok(await page.evaluate(() => crossOriginIsolated));
  }));

  test("under the strictest policies, with its looks", scene({}, async (page) => {
    const policy = `default-src 'none'; script-src ${host}; connect-src ${host}; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'`;
    await page.goto(site.put("/strict", elementPage(host), { "content-security-policy": policy }));
    const button = page.getByRole("button");
    assert.equal(await button.evaluate((element) => getComputedStyle(element).backgroundColor), "rgb(7, 122, 63)");
    const popup = await clickForPopup(page, "wechat-login-button");
    await popup.waitForURL(`${host}/oauth**`);
  }));

  test("without a browser, where only the types of it matter", async () => {
    const { WxApiLogin } = await import("../../frontend/wx-auth.js");
    assert.equal(typeof WxApiLogin.callback, "function");
  });
});

describe("the button", () => {
  for (const [lang, label] of [["zh-CN", "微信登录"], ["en", "Log in with WeChat"]]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`${lang}, ${colorScheme}: for everybody`, scene({ colorScheme }, async (page) => {
        const more = `<meta name="color-scheme" content="light dark"><style>body { font: 16px sans-serif }</style>`;
        await page.goto(site.put(`/looks-${lang}`, elementPage(host, "", { lang, more })));
        const button = page.getByRole("button", { name: label });
        const { width, height } = await button.boundingBox();
        assert.ok(height >= 44 && width >= 44, `${width} × ${height}`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document));
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].failureSummary}`), []);
      }));
    }
  }

  test("by keyboard: it is reached, seen, pressed, and says what goes on", scene({}, async (page) => {
    await page.goto(site.put("/keys", elementPage(host)));
    const button = page.getByRole("button");
    await button.waitFor();
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement.shadowRoot.activeElement.matches("button:focus-visible")));
    assert.notEqual(await button.evaluate((element) => getComputedStyle(element).outlineStyle), "none");
    const [popup] = await Promise.all([page.context().waitForEvent("page"), page.keyboard.press("Enter")]);
    await page.getByRole("status").getByText("Continue in the login window").waitFor();
    assert.equal(await button.getAttribute("aria-busy"), "true");
    await popup.close();
  }));

  test("attributes: its text, its language, its colours, and what it asks for", scene({}, async (page) => {
    const style = "<style>wechat-login-button { --wx-bg: rgb(1, 2, 3) } wechat-login-button::part(button) { border-radius: 3px }</style>";
    const attributes = 'client-id="blog" lang="zh" theme="dark" method="code" callback="/callback" label="进来"';
    await page.goto(site.put("/attributes", elementPage(host, attributes, { more: style })));
    const button = page.getByRole("button", { name: "进来" });
    const looks = await button.evaluate((element) => [getComputedStyle(element).backgroundColor, getComputedStyle(element).borderTopLeftRadius]);
    assert.deepEqual(looks, ["rgb(1, 2, 3)", "3px"]);
    const query = await asked(page, () => button.click());
    const { client_id, lang, theme, method, redirect_uri } = query;
    assert.deepEqual({ client_id, lang, theme, method, redirect_uri }, { client_id: "blog", lang: "zh", theme: "dark", method: "code", redirect_uri: site.callback });
    await page.locator("wechat-login-button").evaluate((element) => element.setAttribute("label", "再见"));
    await page.getByRole("button", { name: "再见" }).waitFor();
  }));

  test("errors come out of the element, in words, and out of shadows around it", scene({}, async (page) => {
    await page.goto(site.put("/shadows", `${elementPage(host, 'mode="popup" blocked="error"')}<div id="outer"></div>`));
    await page.waitForFunction(() => customElements.get("wechat-login-button"));
    await page.evaluate(() => {
      const root = document.querySelector("#outer").attachShadow({ mode: "open" });
      root.append(document.querySelector("wechat-login-button"));
      globalThis.open = () => null; // as where an operator's policy blocks every window
      addEventListener("wechat-error", ({ detail }) => (globalThis.problem = detail.code));
    });
    await page.getByRole("button").click();
    await page.getByRole("status").getByText("Login window blocked").waitFor();
    assert.equal(await page.evaluate(() => globalThis.problem), "popup_blocked");
    assert.equal(await page.getByRole("button").getAttribute("aria-busy"), "false");
  }));

  test("without a host it waits for one, and it can be moved", scene({}, async (page) => {
    await page.goto(site.put("/later", elementPage(host).replace(`host="${host}"`, "hidden")));
    const element = page.locator("wechat-login-button");
    await page.waitForFunction(() => customElements.get("wechat-login-button"));
    assert.ok(await element.isHidden(), "hidden hides it");
    await element.evaluate((button, host) => {
      button.hidden = false;
      button.setAttribute("host", host);
      document.body.append(button);
    }, host);
    const popup = await clickForPopup(page, "wechat-login-button");
    await popup.waitForURL(`${host}/oauth**`);
  }));
});

describe("the class", () => {
  test("one object for each host, whose options a second construction changes", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host, { clientId: "blog", lang: "zh" });
    const query = await asked(page, () => page.evaluate((host) => {
      if (new WxApiLogin(`${host}/path`, { theme: "dark" }) !== wx) throw new Error("another object");
      if (new WxApiLogin("https://another.example") === wx) throw new Error("the same object");
      logIn();
    }, host));
    assert.deepEqual([query.client_id, query.lang, query.theme], ["blog", "zh", "dark"]);
  }));

  test("a string is the key of the user id, with the default that earlier projects have", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host);
    await page.evaluate(() => localStorage.setItem("LocalUid", "by default"));
    assert.equal(await page.evaluate(() => wx.uid), "by default");
    await page.evaluate((host) => {
      localStorage.setItem("Mine", "by my key");
      new WxApiLogin(host, "Mine");
    }, host);
    assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session]), ["by my key", null]);
    await page.evaluate(() => wx.logout());
    assert.deepEqual(await page.evaluate(() => [wx.uid, localStorage.getItem("LocalUid")]), [null, "by default"]);
  }));

  test("what it asks for: PKCE by S256, and a state of its own each time", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host, { clientId: "blog", profile: true });
    const seen = [];
    for (let round = 0; round < 2; round += 1) {
      const query = await asked(page, () => page.click("#go"));
      const { verifier } = JSON.parse(await page.evaluate(() => sessionStorage.getItem("wxapi-login")));
      assert.match(verifier, /^[\w.~-]{43,128}$/);
      assert.equal(query.challenge, createHash("sha256").update(verifier).digest("base64url"));
      assert.deepEqual([query.target, query.mode, query.scope], [site.origin, "popup", "profile"]);
      assert.ok(!JSON.stringify(query).includes(verifier), "the verifier stays here");
      seen.push(query.state, verifier);
      await page.evaluate((host) => {
        globalThis.wx.dispatchEvent(new Event("test"));
        const controller = new AbortController();
        wx.login({ signal: controller.signal });
        controller.abort();
      }, host);
    }
    assert.equal(new Set(seen).size, 4);
  }));

  test("constructed in the click itself, the window opens all the same", scene({}, async (page) => {
    await page.goto(site.put("/", classPage(host)));
    await page.waitForFunction(() => globalThis.WxApiLogin);
    await page.evaluate((host) => {
      document.querySelector("#go").onclick = () => new WxApiLogin(host).login(() => {});
    }, host);
    const query = await asked(page, () => page.click("#go"));
    assert.match(query.challenge, /^[\w-]{43}$/);
  }));

  test("a double click is one window and one attempt", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host);
    const requests = [];
    page.context().on("request", (request) => new URL(request.url()).pathname === "/oauth" && requests.push(request.url()));
    await page.evaluate(() => {
      globalThis.promises = [];
      document.querySelector("#go").onclick = () => promises.push(wx.login());
    });
    await page.evaluate(countWindows);
    // Not by Playwright's mouse, whose second click goes to the window.
    const twice = page.evaluate(() => void ["first", "second"].forEach(() => document.querySelector("#go").click()));
    const [popup] = await Promise.all([page.context().waitForEvent("page"), twice]);
    await popup.waitForURL(`${host}/oauth**`);
    assert.deepEqual(await page.evaluate(() => [promises.length, new Set(promises).size, windows.length]), [2, 1, 1]);
    assert.equal(requests.length, 1);
  }));

  for (const [name, userAgent] of Object.entries({ "a phone": IPHONE, WeChat: WECHAT })) {
    test(`${name}: the whole page goes, and a return without result is a cancel`, scene({ userAgent }, async (page) => {
      await visit(page, site.put("/", classPage(host)), host, { callback: "/callback" });
      const query = await asked(page, () => page.click("#go"));
      assert.deepEqual([query.mode, query.redirect_uri], ["redirect", site.callback]);
      await page.waitForURL(`${host}/oauth**`);
      await page.goBack();
      await begin(page, host, {});
      assert.deepEqual(await page.evaluate(() => wx.handleRedirect()), null);
    }));
  }

  test("redirect without a callback comes back to this page's own address", scene({}, async (page) => {
    await visit(page, `${site.put("/", classPage(host))}?draft=1#part`, host, { mode: "redirect" });
    const query = await asked(page, () => page.click("#go"));
    assert.equal(query.redirect_uri, `${site.origin}/`);
  }));

  test("a callback page without a result does nothing", scene({}, async (page) => {
    await page.goto(site.put("/", classPage(host)));
    await page.waitForFunction(() => globalThis.WxApiLogin);
    assert.equal(await page.evaluate(() => WxApiLogin.callback()), false);
  }));

  test("no attempt takes a result with another state, or from an issuer that is not the host", scene({ allowed: /status of 400/ }, async (page) => {
    await visit(page, site.put("/", classPage(host)), host, { mode: "popup" });
    await clickForPopup(page);
    const fetched = await page.evaluate(async (host) => {
      const fetched = [];
      const original = fetch;
      globalThis.fetch = (...all) => (fetched.push(all[0]), original(...all));
      const { state } = JSON.parse(sessionStorage.getItem("wxapi-login"));
      const channel = new BroadcastChannel("wxapi-login");
      channel.postMessage({ type: "wxapi-login", state: "another", code: "stolen", iss: host });
      channel.postMessage({ type: "wxapi-login", state, code: "stolen", iss: "https://evil.example" });
      channel.postMessage("wxapi-login");
      channel.postMessage(null);
      postMessage({ type: "wxapi-login", state, code: "stolen", iss: host }, "*");
      postMessage(JSON.stringify({ code: 200, data: "somebody" }), "*");
      // Whoever hears the last of either kind has heard the others.
      const last = (target) => new Promise((done) => (target.onmessage = ({ data }) => data === "last" && done()));
      const all = Promise.all([globalThis, new BroadcastChannel("wxapi-login")].map(last));
      postMessage("last");
      channel.postMessage("last");
      await all;
      return fetched;
    }, host);
    assert.deepEqual(fetched, []);
    assert.deepEqual(await page.evaluate(() => [wx.uid, wx.session]), [null, null]);
    // The right ones are taken: only the code is wrong.
    const token = page.waitForRequest(`${host}/token`);
    await page.evaluate((host) => {
      const { state } = JSON.parse(sessionStorage.getItem("wxapi-login"));
      new BroadcastChannel("wxapi-login").postMessage({ type: "wxapi-login", state, code: "guessed", iss: host });
    }, host);
    assert.match((await token).postData(), /code=guessed/);
    assert.equal((await ended(page)).code, "expired_token");
  }));

  test("neither HTTPS nor localhost: insecure_context", scene({}, async (page) => {
    // The same website by a name that no browser trusts without TLS.
    const elsewhere = await startBrowser({ args: ["--no-sandbox", "--host-resolver-rules=MAP plain.example 127.0.0.1"] });
    try {
      const plain = await elsewhere.newPage();
      const { port } = new URL(site.put("/", classPage(host)));
      await visit(plain, `http://plain.example:${port}/`, host);
      await plain.click("#go");
      assert.equal((await ended(plain)).code, "insecure_context");
    } finally {
      await elsewhere.close();
    }
  }));

  test("storage blocked: redirect mode cannot work, and says so", scene({}, async (page) => {
    const sandbox = `<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><iframe sandbox="allow-scripts" src="/"></iframe>`;
    site.put("/", classPage(host));
    await page.goto(site.put("/sandbox", sandbox));
    const frame = page.frames()[1];
    await begin(frame, host, { mode: "redirect" });
    await frame.click("#go");
    const { code, message } = await ended(frame);
    assert.deepEqual([code, message], ["storage_blocked", "Login failed: storage_blocked"]);
  }));
});

describe("a blocked window", () => {
  /** A page that logs in without anybody having clicked, so that Chromium's own blocker acts. */
  const blockedPage = (options) => site.put("/blocked", classPage(host, { more: `<script type="module">
    import { WxApiLogin } from "${host}/wx-auth.js";
    globalThis.heard = [];
    globalThis.wx = new WxApiLogin("${host}", ${JSON.stringify({ mode: "popup", clientId: "blog", ...options })});
    wx.addEventListener("blocked", ({ detail }) => heard.push(["blocked", detail.url]));
    globalThis.ended = wx.login().then(String, ({ code }) => ({ code }));
  </script>` }));

  async function blocked(page, options) {
    await page.goto(blockedPage(options));
    await page.waitForFunction(() => globalThis.heard?.length > 0);
    const [url] = await heard(page, "blocked");
    assert.ok(url.startsWith(`${host}/oauth?`), url);
  }

  test("asks for a click on a link, which opens the window with an opener", scene({}, async (page) => {
    await blocked(page);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Login window blocked").waitFor();
    const [popup] = await Promise.all([page.context().waitForEvent("page"), dialog.getByRole("link", { name: "Open login window" }).click()]);
    await popup.waitForURL(`${host}/oauth**`);
    assert.ok(await popup.evaluate(() => opener !== null));
    await dialog.waitFor({ state: "detached" });
  }));

  test("the dialog is for everybody", scene({ colorScheme: "dark" }, async (page) => {
    await blocked(page);
    const { height } = await page.getByRole("link").boundingBox();
    assert.ok(height >= 44, `${height} px`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run("dialog"));
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].failureSummary}`), []);
  }));

  test("Escape and the button cancel", scene({}, async (page) => {
    await blocked(page);
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    assert.deepEqual(await ended(page), { code: "cancelled" });
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(await ended(page), { code: "cancelled" });
  }));

  test("or is an error", scene({}, async (page) => {
    await blocked(page, { blocked: "error" });
    assert.deepEqual(await ended(page), { code: "popup_blocked" });
  }));

  test("or the whole page goes", scene({}, async (page) => {
    const query = await asked(page, () => page.goto(blockedPage({ blocked: "redirect", callback: "/callback" })));
    assert.deepEqual([query.mode, query.redirect_uri], ["redirect", site.callback]);
    await page.waitForURL(`${host}/oauth**`);
  }));

  test("a signal cancels, before and after", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host);
    await page.evaluate(countWindows);
    const before = () => wx.login({ signal: AbortSignal.abort() }).catch(({ code }) => code);
    const later = () => {
      const controller = new AbortController();
      const promise = wx.login({ signal: controller.signal }).catch(({ code }) => code);
      controller.abort();
      return promise;
    };
    // Each is a gesture of its own, which may open a window.
    for (const act of [before, later]) assert.equal(await page.evaluate(act), "cancelled");
    assert.equal(await page.evaluate(() => windows.length), 2);
    await page.waitForFunction(() => windows.every((opened) => opened.closed));
  }));

  test("timeout", scene({}, async (page) => {
    await visit(page, site.put("/", classPage(host)), host, { timeout: 600 });
    const popup = await clickForPopup(page);
    assert.equal((await ended(page)).code, "timeout");
    if (!popup.isClosed()) await popup.waitForEvent("close");
  }));
});
