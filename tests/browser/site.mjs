// A website at http://localhost:<port>, which is another site than the Worker's 127.0.0.1, and what a test does there.
import { once } from "node:events";
import http from "node:http";
import { chromium } from "playwright-core";
import { findChromium } from "../../tools/chromium.mjs";

/**
 * Chromium as people have it: with its pop-up blocker, which Playwright switches off. `folder`: of a profile that is
 * there already, for a browser that has one context.
 */
export function startBrowser({ folder, ...options } = {}) {
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"];
  const all = { executablePath: findChromium(), args, ignoreDefaultArgs: ["--disable-popup-blocking"], ...options };
  return folder ? chromium.launchPersistentContext(folder, all) : chromium.launch(all);
}

/** A website whose pages are put there while it runs. */
export async function startSite() {
  const pages = new Map();
  const server = http.createServer(({ url }, response) => {
    const { html = "not found", headers } = pages.get(new URL(url, "http://localhost").pathname) ?? {};
    response.writeHead(headers ? 200 : 404, { "content-type": "text/html; charset=utf-8", ...headers }).end(html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  /** Puts a page there; gives its address. */
  const put = (path, html, headers = {}) => {
    pages.set(path, { html, headers });
    return `${origin}${path}`;
  };
  const close = () => void server.closeAllConnections() || server.close();
  return { origin, callback: `${origin}/callback`, put, close };
}

/** A page whose button logs in by the class; `begin` gives it one. `more`: of the head, before the script. */
export const classPage = (worker, { lang = "en", more = "" } = {}) => `<!doctype html>
<html lang="${lang}"><meta charset="utf-8"><title>A website</title>${more}
<link rel="icon" href="data:,">
<h1>A website</h1><button id="go">log in</button>
<script type="module">
  import { WxApiLogin } from "${worker}/wx-auth.js";
  globalThis.WxApiLogin = WxApiLogin;
</script>`;

/** A page with the element; `attributes` is markup. */
export const elementPage = (worker, attributes = "", { lang = "en", more = "" } = {}) => `<!doctype html>
<html lang="${lang}"><meta charset="utf-8"><title>A website</title>${more}
<link rel="icon" href="data:,">
<script type="module" src="${worker}/wx-auth.js"></script>
<main><h1>A website</h1><wechat-login-button host="${worker}" ${attributes}></wechat-login-button></main>`;

/** The page at `redirect_uris`. */
export const callbackPage = (worker) => `<!doctype html><meta charset="utf-8"><title>Back</title><link rel="icon" href="data:,">
<script type="module">
  import { WxApiLogin } from "${worker}/wx-auth.js";
  WxApiLogin.callback();
</script>`;

/** Opens a page of the class and makes `wx`; what the page hears is in `heard`, how a click ends in `ended`. */
export async function visit(page, address, host, options) {
  await page.goto(address);
  await begin(page, host, options);
}

/** Makes `wx` on a page that is there. */
export async function begin(page, host, options) {
  await page.waitForFunction(() => globalThis.WxApiLogin);
  await page.evaluate(
    ({ host, options }) => {
      globalThis.heard = [];
      globalThis.wx = new WxApiLogin(host, options);
      for (const type of ["status", "login", "error", "blocked", "logout"]) {
        wx.addEventListener(type, ({ detail }) => heard.push([type, detail?.status ?? detail?.code ?? detail?.uid ?? detail?.url]));
      }
      globalThis.logIn = () => (globalThis.ended = wx.login().then((session) => session, ({ code, message }) => ({ code, message })));
      document.querySelector("#go").onclick = logIn;
    },
    { host, options },
  );
}

/** Clicks the button; resolves with the window that opens. */
export async function clickForPopup(page, target = "#go") {
  const [popup] = await Promise.all([page.context().waitForEvent("page"), page.click(target)]);
  return popup;
}

/** How the click ended: the session, or `{ code, message }`. */
export const ended = (page) => page.evaluate(() => globalThis.ended);

/** What the page heard of `type`, in order. */
export const heard = (page, type) => page.evaluate((wanted) => heard.filter(([type]) => type === wanted).map(([, detail]) => detail), type);
