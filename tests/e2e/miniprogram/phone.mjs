// A phone with the Mini Program on it: runs the files of examples/miniprogram as they are, in a context that has what
// WeChat gives them (`wx`, `App`, `Page`, `require`) and nothing of Node: no fetch, no TextDecoder, no Buffer.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";
import { at } from "../../../tools/paths.mjs";
import { makeWx } from "./wx.mjs";

const FOLDER = at("examples/miniprogram");
let phones = 0;

/**
 * Somebody's phone. What it keeps outlives the app: `storage`, and what was shown (`toasts`, `modals`, …).
 *
 * - `world`: `{ stack, sim }`, where the Worker and wx-sim are
 * - `person`: who holds it
 * - `language`, `streams`: of WeChat; false: its base library is older than `enableChunked`
 * - `config`: over that of the Mini Program
 * - `piece`: bytes in a chunk, at most. Small numbers cut characters
 * - `hurry`: how much faster the app's own clocks run
 * - `risky`: WeChat thinks this person is up to no good
 */
export class Phone {
  storage = new Map();
  toasts = [];
  modals = [];
  sheets = [];
  clipboard = "";
  files = new Map();
  shared = [];
  /** Every request: `{ method, path, header, data, status, chunks, aborted }`. */
  requests = [];
  sockets = [];
  timers = [];
  logins = 0;
  /** Its address in the network: logins are counted by that. */
  address = `10.0.0.${++phones}`;
  /** How the person answers `wx.showModal`. */
  agrees = true;
  online = true;
  /** What goes wrong with requests: `(request) => undefined | { … }`, see `wx.mjs`. */
  trouble = () => undefined;

  constructor({ world, person, language = "zh_CN", streams = true, config = {}, piece = 7, hurry = 1, risky = false }) {
    Object.assign(this, { world, person, language, streams, config, piece, hurry, risky });
  }

  /** Taps on the icon: a new process of the app, on its first page or on another one. */
  async open(url = "/pages/chat/chat") {
    this.close();
    this.listeners = {};
    this.pages = [];
    this.modules = new Map();
    this.context = vm.createContext({
      ...this.clocks(),
      console,
      wx: makeWx(this),
      App: (app) => (this.app = app),
      Page: (page) => (this.defined = page),
      getApp: () => this.app,
      getCurrentPages: () => this.pages,
    });
    this.require("app.js");
    this.app.onLaunch?.({});
    this.app.onShow?.({});
    await this.navigate(url);
    return this.page;
  }

  /** Swipes the app away: its requests end, its code never runs again. */
  close() {
    for (const request of this.requests) request.abort?.();
    for (const socket of this.sockets) socket.drop();
    for (const page of this.pages ?? []) page.onUnload?.();
    for (const timer of this.timers) clearTimeout(timer);
    this.pages = [];
  }

  /** Clocks that stop with the app. */
  clocks() {
    const known = (start) => (callback, milliseconds) => {
      const timer = start(callback, milliseconds / this.hurry);
      this.timers.push(timer);
      return timer;
    };
    return { setTimeout: known(setTimeout), setInterval: known(setInterval), clearTimeout, clearInterval };
  }

  /** The page on the screen. */
  get page() {
    return this.pages.at(-1);
  }

  /** Goes to another app, and back. */
  hide() {
    this.hidden = true;
    this.page.onHide?.();
    this.tell("appHide", {});
  }

  show() {
    this.hidden = false;
    this.tell("appShow", {});
    this.page.onShow?.();
  }

  network(isConnected) {
    this.online = isConnected;
    this.tell("networkStatusChange", { isConnected, networkType: isConnected ? "wifi" : "none" });
  }

  tell(event, detail) {
    for (const listener of this.listeners[event] ?? []) listener(detail);
  }

  /** Types into the field and taps the button. */
  say(text) {
    this.page.onInput({ detail: { value: text } });
    assert.equal(this.page.data.draft, text);
    this.page.send();
  }

  /** Taps something that has `data-…`. */
  tap(handler, dataset = {}, detail = {}) {
    return this.page[handler]({ currentTarget: { dataset }, detail });
  }

  /** The last message on the screen. */
  get last() {
    return this.page.data.messages.at(-1);
  }

  /** What is on the screen, as lines. */
  get lines() {
    return this.page.data.messages.map(({ role, text }) => `${role}: ${text}`);
  }

  /** The next request to `/api/chat` goes wrong in this way. */
  spoil(order) {
    this.trouble = ({ path }) => {
      if (!path.startsWith("/api/chat")) return undefined;
      this.trouble = () => undefined;
      return order;
    };
  }

  /** Waits until the last message is in one of these states. */
  async until(...states) {
    await this.see(() => this.last && states.includes(this.last.state), states.join(" or "));
    return this.last;
  }

  /** Waits until the page shows something. */
  async see(question, what, seconds = 30) {
    const shows = () => this.page && question(this.page.data);
    const end = Date.now() + seconds * 1000;
    while (!shows()) {
      assert.ok(Date.now() < end, `no ${what} on the screen: ${JSON.stringify({ ...this.page?.data, t: undefined })}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async navigate(url, how = "push") {
    const [route, query = ""] = url.replace(/^\//, "").split("?");
    const { pages } = JSON.parse(fs.readFileSync(path.join(FOLDER, "app.json"), "utf8"));
    assert.ok(pages.includes(route), `app.json has no page ${route}`);
    if (how === "relaunch") for (const page of this.pages.splice(0)) page.onUnload?.();
    this.page?.onHide?.();
    this.modules.delete(path.join(FOLDER, `${route}.js`));
    this.require(`${route}.js`);
    const page = makePage(this.defined, route);
    // Pages begin in tasks of their own.
    await new Promise(setImmediate);
    this.pages.push(page);
    page.onLoad?.(Object.fromEntries(new URLSearchParams(query)));
    page.onShow?.();
    page.onReady?.();
    return page;
  }

  back() {
    this.pages.pop().onUnload?.();
    this.page.onShow?.();
  }

  /** WeChat's `require`: paths in the package, nothing else. */
  require(name, from = FOLDER) {
    const file = path.resolve(from, name);
    assert.ok(file.startsWith(FOLDER + path.sep) && file.endsWith(".js"), `require of ${name}`);
    const known = this.modules.get(file);
    if (known) return known.exports;
    const module = { exports: {} };
    this.modules.set(file, module);
    const code = fs.readFileSync(file, "utf8");
    const wrapped = vm.runInContext(`(function (require, module, exports) {${code}\n})`, this.context, { filename: file });
    wrapped((next) => this.require(next, path.dirname(file)), module, module.exports);
    if (file === path.join(FOLDER, "config.js")) Object.assign(module.exports, this.settings());
    return module.exports;
  }

  settings() {
    const simulator = { url: this.world.sim.url.replace(/\/$/, ""), person: this.person };
    return { baseUrl: this.world.stack.url.origin, simulator, ...this.config };
  }
}

/** A page as WeChat makes it of what `Page` got: data of its own, and `setData` with its paths. */
function makePage(defined, route) {
  const page = Object.create(defined);
  page.route = route;
  page.data = copy(defined.data ?? {});
  /** Each change of the data. */
  page.drawn = [];
  page.setData = (fields, done) => {
    for (const [name, value] of Object.entries(fields)) put(page.data, name, copy(value, name));
    page.drawn.push(copy(fields));
    done?.();
  };
  return page;
}

/** What goes over the bridge to the screen is JSON; `undefined` and functions do not get there. */
function copy(value, name = "data") {
  const seen = (key, part) => {
    assert.ok(part !== undefined && typeof part !== "function", `setData: ${name}.${key} is ${typeof part}`);
    return part;
  };
  return JSON.parse(JSON.stringify(value, seen));
}

/** `messages[3].text`. */
function put(data, name, value) {
  const steps = name.match(/[^.[\]]+/g);
  const last = steps.pop();
  let place = data;
  for (const step of steps) place = place[step];
  assert.ok(place !== null && typeof place === "object", `setData: no place for ${name}`);
  place[last] = value;
}
