// The login page in a real Chromium, with the real Worker in workerd behind it. What needs WeChat and a phone is played
// by wx-sim; what needs minutes is played by a clock that a test can set forward.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";
import { at } from "../../tools/paths.mjs";
import { freePort } from "../../tools/ports.mjs";
import { startPair } from "../../tools/stack.mjs";
import { Phone, pkce, startWebsite } from "../e2e/login.mjs";
import { startBrowser } from "./site.mjs";
import { atRest } from "./stage.mjs";

export const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
/** WeChat's own browser on a phone, as it calls itself. */
export const WECHAT = `${IPHONE.replace(/ Version.*/, "")} MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN`;

/** The Worker around which a clock is put: all its code asks `Date.now`, and gets that of the last request's header. */
const CLOCK = `
import Worker from "./index.js";
export * from "./index.js";
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
export default class extends Worker {
  fetch(request) {
    ahead = Number(request.headers.get("x-ahead") ?? ahead);
    return super.fetch(request);
  }
}`;

/** Starts everything; `vars` over its own settings. */
export async function openLogin({ vars = {} } = {}) {
  const port = await freePort();
  const [site, browser] = await Promise.all([startWebsite(), startBrowser()]);
  const build = at("build");
  const file = (type, name) => ({ type, path: `${build}/${name}` });
  const worker = {
    modulesRoot: build,
    modules: [{ type: "ESModule", path: `${build}/clock.js`, contents: CLOCK }, file("ESModule", "index.js"), file("CompiledWasm", "index_bg.wasm")],
  };
  const settings = {
    LANG: "zh",
    ACCOUNT_TYPE: "service_verified",
    ACCOUNT_NAME: "小鹿笔记",
    ACCOUNT_QR: "http://weixin.qq.com/r/an-account-of-nobody",
    LOGIN_METHODS: "wechat,qr,scene,open,code,menu,typed",
    // All tests come from one address.
    LOGIN_RATE_LIMIT: "1000",
    OPEN_APP_ID: "wx0123456789open",
    OPEN_APP_SECRET: "an open secret",
    LOGIN_CLIENTS: [
      { id: "blog", name: "小鹿博客", origins: [site.origin], redirect_uris: [site.callback] },
      { id: "bank", name: "小鹿银行", origins: [site.origin], redirect_uris: [site.callback], strict: true },
    ],
    ...vars,
  };
  const pair = await startPair({ port, cf: { country: "CN", city: "上海" }, vars: settings, worker });
  return new LoginStage({ ...pair, site, browser });
}

class LoginStage {
  #browser;
  #people = 0;

  constructor({ browser, stack, sim, site }) {
    this.#browser = browser;
    Object.assign(this, { stack, sim, site });
    this.origin = stack.url.origin;
  }

  /**
   * A test in a browser of its own. It fails on whatever the browser complains of, but for what `allowed` fits, and on
   * whatever the page's policy forbids.
   */
  scene({ allowed = /^$/, ...options }, play) {
    return async (t) => {
      const context = await this.context(options);
      const complaints = [];
      context.on("console", (line) => ["error", "warning"].includes(line.type()) && complaints.push(line.text()));
      context.on("weberror", (error) => complaints.push(error.error().stack));
      try {
        await play(await context.newPage(), t);
        assert.deepEqual(complaints.filter((line) => !allowed.test(line)), [], "the browser complains");
      } catch (error) {
        await failed(context, t.name);
        throw error;
      } finally {
        await context.close();
      }
    };
  }

  /** A browser of its own: its cookies, its window. Whatever is forbidden becomes a complaint. */
  async context(options = {}) {
    const context = await this.#browser.newContext({ locale: "zh-CN", viewport: { width: 480, height: 720 }, ...options });
    context.setDefaultTimeout(10_000);
    if (options.javaScriptEnabled !== false) {
      await context.addInitScript(() => {
        const complain = ({ violatedDirective, blockedURI, sample }) => console.error(`forbidden: ${violatedDirective} ${blockedURI} ${sample}`);
        addEventListener("securitypolicyviolation", complain);
      });
    }
    return context;
  }

  /** The address at which the website begins: in redirect mode, or for a window with `target`. */
  address(parameters = {}) {
    const { challenge, state } = pkce();
    const query = new URLSearchParams({
      response_type: "code", client_id: "blog", redirect_uri: this.site.callback, scope: "openid", state,
      code_challenge: challenge, code_challenge_method: "S256", ...parameters,
    });
    return `${this.origin}/authorize?${query}`;
  }

  /** The same for a window that the website opens. */
  popupAddress(parameters = {}) {
    const { challenge, state } = pkce();
    return `${this.origin}/oauth?${new URLSearchParams({ client_id: "blog", target: this.site.origin, state, challenge, ...parameters })}`;
  }

  /** Begins on a page, and waits until it is there; `theme` and `lang` are those of the address. */
  async begin(page, { theme, ...parameters } = {}) {
    await page.goto(theme ? this.popupAddress({ theme, ...parameters }) : this.address(parameters));
    await page.locator("main[data-status]").waitFor();
    return page;
  }

  /** Somebody whom nobody knows yet. */
  somebody() {
    return new Phone(this.sim, `visitor ${(this.#people += 1)}`);
  }

  /** They send the code of the page; resolves with the phone, and what it shows. */
  async send(page, phone = this.somebody()) {
    const asked = await phone.say((await page.locator("#words").innerText()).trim());
    return { phone, asked };
  }

  /** They scan the QR code, and are asked on the phone; resolves with the phone, and its page. */
  async scan(page, phone = this.somebody()) {
    return { phone, page: await phone.scan(await decode(page)) };
  }

  /** They scan it and see the phone's page, which is shown in `page`: a browser's, that stands for WeChat's own. */
  async scanWith(page, code, { as = this.somebody().name, path } = {}) {
    const url = path ? `${this.origin}${path}` : (await this.sim.post("/_sim/scan", { as, code })).open;
    await page.goto((await this.sim.post("/_sim/browser", { as, url })).url);
    return as;
  }

  /** Sets the Worker's clock forward; at 0 it is right again. */
  async ahead(milliseconds) {
    await this.stack.fetch("/", { headers: { "x-ahead": String(milliseconds) } });
  }

  async close() {
    this.site.close();
    await Promise.all([this.#browser.close(), this.stack.close(), this.sim.close()]);
  }
}

/** What a page's QR code says, as a camera sees it. */
export async function decode(page, { target = "svg.qr" } = {}) {
  const [{ default: decodeQR }, picture] = await Promise.all([import("qr/decode.js"), page.locator(target).first().screenshot()]);
  return decodeQR(pixels(picture), { effort: 10, timeLimit: 2_000 });
}

/** The red, green and blue of a picture by Playwright: PNG, 8 bits, not interlaced. https://www.w3.org/TR/png-3/ */
function pixels(png) {
  const [width, height, channels] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  const span = width * channels;
  let above = new Uint8Array(span);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (span + 1)];
    const row = new Uint8Array(raw.subarray(y * (span + 1) + 1, (y + 1) * (span + 1)));
    for (let i = 0; i < span; i += 1) {
      const [left, corner] = i < channels ? [0, 0] : [row[i - channels], above[i - channels]];
      row[i] += [0, left, above[i], (left + above[i]) >> 1, paeth(left, above[i], corner)][filter];
      data[(y * width + Math.floor(i / channels)) * 4 + (i % channels)] = row[i];
    }
    above = row;
  }
  return { width, height, data };
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const nearest = [left, above, corner].sort((one, other) => Math.abs(guess - one) - Math.abs(guess - other));
  const distance = Math.abs(guess - nearest[0]);
  return [left, above, corner].find((one) => Math.abs(guess - one) === distance);
}

export { atRest };

async function failed(context, name) {
  const folder = at(".tools/failed-pages");
  fs.mkdirSync(folder, { recursive: true });
  for (const [index, page] of context.pages().entries()) {
    const file = `${folder}/${name.replace(/[^\p{L}\p{N}]+/gu, "-")}-${index}.png`;
    await page.screenshot({ path: file }).then(() => console.error(`the page as it was: ${file}`), () => {});
  }
}
