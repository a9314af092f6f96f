// Logging in to a website without a browser engine: the browser in front of which somebody sits, the phone in their
// hand, which wx-sim plays, and the website that gets the result.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { forms, links, marked, plain, qrText, textOf } from "./html.mjs";
import { until } from "./people.mjs";

const DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/** One browser: its cookies, its name, and what it says of itself as browsers do. */
export class Visitor {
  #jars = new Map();

  constructor({ agent = DESKTOP, language = "en" } = {}) {
    this.agent = agent;
    this.language = language;
  }

  /** The cookies that it would send to this address. Ports share them. */
  cookies(address) {
    return [...(this.#jars.get(new URL(address).hostname) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Loses its cookies, as another browser would not have them. */
  forget() {
    this.#jars.clear();
  }

  /** One request, redirects not followed. `fields`: of a form; `headers`: over those that a browser sends. */
  async ask(address, { method = "GET", fields, headers = {} } = {}) {
    const url = new URL(address);
    const body = fields && String(new URLSearchParams(fields));
    const sent = {
      accept: "text/html,*/*;q=0.8",
      "accept-language": this.language,
      "user-agent": this.agent,
      "sec-fetch-site": "none",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      ...(this.cookies(url) && { cookie: this.cookies(url) }),
      ...headers,
    };
    const answer = await exchange(url, { method, headers: sent }, body);
    this.#keep(url, answer.headers["set-cookie"] ?? []);
    return new Page(this, url, answer);
  }

  /** Opens an address as a person does: goes along with redirects, as long as they stay on one of these origins. */
  async open(address, { origins = [new URL(address).origin], ...request } = {}) {
    let page = await this.ask(address, request);
    for (let hops = 0; page.location && origins.includes(new URL(page.location).origin); hops += 1) {
      assert.ok(hops < 10, `redirected again and again, at last to ${page.location}`);
      page = await this.ask(page.location, { headers: { "sec-fetch-site": request.headers?.["sec-fetch-site"] ?? "none" } });
    }
    return page;
  }

  /** Hears of an attempt's changes: `next()` gives the next status, `close()` hangs up. */
  watch(address) {
    const url = new URL(address);
    const headers = { cookie: this.cookies(url), origin: url.origin, "user-agent": this.agent };
    url.protocol = "ws:";
    return new Watch(new WebSocket(url, { headers }));
  }

  #keep({ hostname }, cookies) {
    const jar = this.#jars.get(hostname) ?? new Map();
    this.#jars.set(hostname, jar);
    for (const cookie of cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (/;\s*max-age=(0|-\d+)/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
  }
}

/** What a browser shows. */
export class Page {
  #visitor;

  constructor(visitor, url, { status, headers, text }) {
    this.#visitor = visitor;
    Object.assign(this, { url, status, headers, text });
  }

  /** Where it redirects to. */
  get location() {
    return this.headers.location && new URL(this.headers.location, this.url).href;
  }

  get words() {
    return plain(this.text);
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** Presses the button whose text or value matches, with what was typed before; goes along with redirects. */
  async press(label, { typed = {}, ...options } = {}) {
    const fits = ({ text, value }) => label.test(text) || label.test(value);
    const form = forms(this.text).find(({ buttons }) => buttons.some(fits));
    assert.ok(form, `no button ${label}: ${this.words}\n${JSON.stringify(forms(this.text))}`);
    const button = form.buttons.find(fits);
    const fields = { ...form.fields, ...typed, ...(button.name && { [button.name]: button.value }) };
    // A page that tells nobody its address does not tell its origin in forms either.
    const hidden = (this.headers["referrer-policy"] ?? "").includes("no-referrer");
    const headers = { origin: hidden ? "null" : this.url.origin, "sec-fetch-site": "same-origin" };
    return this.#visitor.open(new URL(form.action || this.url, this.url), { method: form.method, fields, headers, ...options });
  }

  /** Follows the link to an address that matches. */
  async follow(address, options = {}) {
    const href = links(this.text).find((link) => address.test(link));
    assert.ok(href, `no link to ${address}: ${this.words}`);
    return this.#visitor.open(new URL(href, this.url), { headers: { "sec-fetch-site": "same-origin" }, ...options });
  }
}

class Watch {
  #socket;
  #words = [];
  #waiting = [];

  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(data.startsWith("{") ? JSON.parse(data).status : data));
    socket.addEventListener("error", () => this.#hear("error"));
    socket.addEventListener("close", () => this.#hear("closed"));
  }

  async next(milliseconds = 10_000) {
    if (this.#words.length > 0) return this.#words.shift();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing was heard for ${milliseconds} ms`)), milliseconds);
      this.#waiting.push((word) => (clearTimeout(late), resolve(word)));
    });
  }

  say(word) {
    this.#socket.send(word);
  }

  close() {
    this.#socket.close();
  }

  #hear(word) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(word);
    else this.#words.push(word);
  }
}

/** An attempt to log in, as the browser sees it that began it. */
export class Attempt {
  /** Begins: `address` is that of `/oauth?…` or `/authorize?…`, whole. */
  static async begin(address, visitor = new Visitor()) {
    const page = await visitor.open(address);
    assert.equal(page.status, 200, `${page.status} ${page.location ?? ""} ${page.words}`);
    return new Attempt(visitor, page);
  }

  constructor(visitor, page) {
    this.visitor = visitor;
    this.page = page;
    this.id = /^\/oauth\/s\/([0-9a-f]{32})$/.exec(page.url.pathname)?.[1] ?? marked(page.text, "login");
    assert.match(this.id ?? "", /^[0-9a-f]{32}$/, `no attempt at ${page.url}`);
  }

  /** An address below the attempt's own. */
  at(rest = "") {
    return new URL(`/oauth/s/${this.id}${rest}`, this.page.url).href;
  }

  /** What is to be sent in the chat: "登录 123456". */
  get wording() {
    return textOf(this.page.text, 'id="words"');
  }

  /** The digits in it. */
  get code() {
    return /\d+/.exec(this.wording ?? "")?.[0];
  }

  /** The two digits that the phone asks for. */
  get number() {
    return textOf(this.page.text, 'class="number"');
  }

  /** What the QR code says. */
  get qr() {
    return qrText(this.page.text);
  }

  /** Shows the page anew, by another method if one is named. */
  async show(method) {
    this.page = await this.visitor.open(this.at(method ? `?method=${method}` : ""));
    assert.equal(this.page.status, 200, this.page.words);
    return this;
  }

  async status() {
    const { text } = await this.visitor.ask(this.at("/status"), { headers: SCRIPT });
    return JSON.parse(text).status;
  }

  /** Waits until the attempt is that far. */
  async reaches(wanted) {
    let last;
    const there = async () => (last = await this.status()) === wanted;
    return until(there, `the status ${wanted}`, 15).catch((error) => {
      throw new Error(`${error.message}; it is ${last}`);
    });
  }

  /** Takes the result, as the page's script does. */
  async finish() {
    const answer = await this.tryFinish();
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  /** The same without a promise, by another browser if one is named. */
  tryFinish(visitor = this.visitor) {
    const headers = { ...SCRIPT, accept: "application/json", origin: this.page.url.origin };
    return visitor.ask(this.at("/finish"), { method: "POST", headers });
  }
}

/** What a page's `fetch` says of itself. */
const SCRIPT = { accept: "*/*", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };

/** Somebody's phone, which wx-sim plays. */
export class Phone {
  /** Its browser: cookies and name are wx-sim's. */
  #browser = new Visitor();

  constructor(sim, name) {
    this.sim = sim;
    this.name = name;
  }

  /** Sends a message; resolves with what is shown: `{ text, links }` and wx-sim's report. */
  async say(text, more = {}) {
    const report = await this.sim.post("/_sim/send", { as: this.name, text, ...more });
    this.openid = report.openid;
    return shown(report);
  }

  /** Holds the phone over a QR code of the account's; resolves with what the chat shows. */
  async scanInChat(code) {
    const { report, open } = await this.sim.post("/_sim/scan", { as: this.name, code });
    assert.ok(report, `the code opens ${open} instead of the chat`);
    return shown(report);
  }

  /** Taps a button of the menu that scans, and holds the phone over a code; resolves with what the chat shows. */
  async scanByMenu(button, code) {
    const { report } = await this.sim.post("/_sim/click", { as: this.name, button, scan_result: code });
    return shown(report);
  }

  /** Holds the phone over a QR code with an address; resolves with the page that it ends at. */
  async scan(code) {
    const { open, report } = await this.sim.post("/_sim/scan", { as: this.name, code });
    assert.ok(open, `the code is the account's: ${JSON.stringify(report)}`);
    return this.open(open);
  }

  /** Opens a page in the phone's browser. */
  async open(address, options = {}) {
    const { url } = await this.sim.post("/_sim/browser", { as: this.name, url: address });
    return this.#browser.open(url, { origins: DOORS, ...options });
  }

  /** Says yes in the chat, after `seen`: taps the link with the number if numbers are offered, else that with the word. */
  async confirm(seen, number) {
    const link = seen.links.find(({ label }) => number && label.includes(number)) ?? seen.links.find(({ label }) => YES.test(label));
    assert.ok(link?.send, `nothing to tap: ${JSON.stringify(seen)}`);
    return this.say(link.send, { bizmsgmenuid: link.id });
  }

  /** Says yes on the page: picks or types the number if it asks for one. */
  async agree(page, number) {
    const asked = forms(page.text);
    const picks = new RegExp(`^${number}$`);
    const options = { origins: DOORS };
    if (number && asked.some(({ buttons }) => buttons.some(({ text, value }) => picks.test(text) || picks.test(value)))) {
      return page.press(picks, options);
    }
    const typed = number && asked.flatMap(({ inputs }) => inputs)[0];
    return page.press(YES, { ...options, ...(typed && { typed: { [typed]: number } }) });
  }

  /** Goes back to the website, which the page's script does by itself. */
  goOn(page) {
    return page.press(/^back to/i, { origins: DOORS });
  }

  /** Says no on the page. */
  refuse(page) {
    return page.press(NO, { origins: DOORS });
  }
}

/** Whatever wx-sim's phones can show is on this machine. */
const DOORS = { includes: (origin) => /^http:\/\/(127\.0\.0\.1|localhost):\d+$/.test(origin) };
const YES = /确认|登录|^yes$|confirm|log in/i;
const NO = /取消|拒绝|不是我|^no$|cancel|refuse|deny|not me/i;

function shown(report) {
  const texts = report.shown.map(({ text }) => text ?? "");
  return { ...report, text: texts.join("\n"), links: report.shown.flatMap(({ links = [] }) => links) };
}

/** What a website without a secret makes for each login. */
export function pkce() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url"), state: randomBytes(16).toString("hex") };
}

/** A website that people are sent back to: it notes who comes, and says hello. */
export async function startWebsite() {
  const visits = [];
  const server = http.createServer((request, response) => {
    visits.push(new URL(request.url, site.origin));
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>the website</h1>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const close = () => void server.closeAllConnections() || server.close();
  const site = { origin, callback: `${origin}/callback`, visits, close };
  return site;
}

/** The website redeems what it got; resolves with the status and the JSON. */
export async function redeem(stack, fields, { secret } = {}) {
  const headers = secret ? { authorization: `Basic ${Buffer.from(`${fields.client_id}:${secret}`).toString("base64")}` } : {};
  const body = new URLSearchParams({ grant_type: "authorization_code", ...fields });
  const answer = await stack.fetch("/token", { method: "POST", headers, body });
  return { status: answer.status, ...(await answer.json()) };
}

/** A `secret_sha256` of LOGIN_CLIENTS. */
export const digest = (secret) => createHash("sha256").update(secret).digest("hex");

/**
 * Somebody logs in by sending the code, from the website's link to the address at the website that they end at.
 * `pair` is what `startPair` gave.
 */
export async function logInByCode({ sim }, address, name, visitor = new Visitor()) {
  const attempt = await Attempt.begin(address, visitor);
  if (!attempt.wording) await attempt.show("code");
  const phone = new Phone(sim, name);
  await phone.confirm(await phone.say(attempt.wording));
  await attempt.reaches("confirmed");
  const { redirect } = await attempt.finish();
  assert.ok(redirect, "no address to go to");
  return redirect;
}

function exchange(url, options, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { ...options, agent: false }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode, headers: response.headers, text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
