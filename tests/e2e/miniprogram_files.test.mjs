// The files of examples/miniprogram that nothing here can draw: whether they fit together.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { transform } from "esbuild";
import { at } from "../../tools/paths.mjs";
import { Phone } from "./miniprogram/phone.mjs";
import { expressions, loopNames, names, parseWxml } from "./miniprogram/wxml.mjs";

const FOLDER = at("examples/miniprogram");
const read = (name) => fs.readFileSync(path.join(FOLDER, name), "utf8");
const json = (name) => JSON.parse(read(name));
const files = fs.readdirSync(FOLDER, { recursive: true }).map((name) => name.replaceAll(path.sep, "/"));
const { pages } = json("app.json");

/** The components that the pages use. <https://developers.weixin.qq.com/miniprogram/dev/component/> */
const COMPONENTS = ["block", "button", "scroll-view", "text", "textarea", "view"];

/** Nobody answers this phone. */
const alone = () => new Phone({ world: { stack: { url: new URL("http://127.0.0.1:9") }, sim: { url: "http://127.0.0.1:9" } }, person: "nobody" });

describe("the files of the Mini Program", () => {
  let phone;
  let strings;
  before(async () => {
    phone = alone();
    phone.online = false;
    await phone.open();
    strings = phone.require("utils/strings.js");
  });

  test("each page has its four files, and every JSON file is JSON", () => {
    for (const page of pages) for (const kind of ["js", "json", "wxml", "wxss"]) assert.ok(files.includes(`${page}.${kind}`), `${page}.${kind}`);
    for (const name of files.filter((name) => name.endsWith(".json"))) json(name);
    assert.equal(json("project.config.json").appid, "touristappid");
  });

  test("what theme.json names is there by day and by night", () => {
    const { light, dark } = json("theme.json");
    assert.deepEqual(Object.keys(light), Object.keys(dark));
    const used = [...read("app.json").matchAll(/"@(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(used.toSorted(), Object.keys(light).toSorted());
  });

  test("no syntax that is newer than ES2018", async () => {
    for (const name of files.filter((name) => name.endsWith(".js"))) {
      const [newest, old] = await Promise.all(["esnext", "es2018"].map((target) => transform(read(name), { target })));
      assert.equal(old.code, newest.code, name);
      assert.doesNotMatch(read(name), /\.(at|replaceAll|flatMap|flat|fromEntries|matchAll|allSettled)\(|\b(fetch|TextDecoder|URL|process|Buffer)\b\(/, name);
    }
  });

  test("both languages say the same things, and nothing that nobody shows", () => {
    const { zh, en } = strings;
    assert.deepEqual(Object.keys(zh), Object.keys(en));
    const all = files.filter((name) => /\.(js|wxml)$/.test(name)).map(read).join("\n");
    for (const [name, text] of Object.entries(zh)) {
      const holes = (words) => (String(words).match(/\{\w+\}/g) ?? []).toSorted();
      assert.deepEqual(holes(text), holes(en[name]), name);
      assert.match(all, new RegExp(`\\bt\\.${name}\\b`), name);
    }
    assert.doesNotMatch(JSON.stringify(en), /[\u4e00-\u9fff]/);
  });

  for (const page of pages) {
    test(`${page}: its WXML fits its data, its handlers, its texts and its styles`, async () => {
      const file = `${page}.wxml`;
      const { elements, texts } = parseWxml(read(file), file);
      await phone.navigate(`/${page}`);
      const { data } = phone.page;
      const known = ([name, field], local, where) => {
        if (local.includes(name)) return;
        assert.ok(name in data, `${where}: no ${name} in data`);
        if (name === "t") assert.ok(field in strings.zh, `${where}: no text ${field}`);
      };
      for (const element of elements) {
        const { name, attributes, before } = element;
        assert.ok(COMPONENTS.includes(name), `${file}: <${name}>`);
        for (const [key, value] of attributes) {
          const where = `${file}: <${name} ${key}="${value}">`;
          const handler = /^(bind|catch):?\w+$/.test(key);
          if (handler) assert.equal(typeof phone.page[value], "function", where);
          // The list of a loop is not yet in it.
          const local = key === "wx:for" ? loopNames({ ...element, attributes: new Map() }) : loopNames(element);
          for (const expression of expressions(value)) for (const used of names(expression)) known(used, local, where);
        }
        if (attributes.has("wx:for")) assert.ok(attributes.has("wx:key"), `${file}: a loop without wx:key`);
        if (attributes.has("wx:elif") || attributes.has("wx:else")) {
          assert.ok(before?.attributes.has("wx:if") || before?.attributes.has("wx:elif"), `${file}: wx:else without wx:if`);
        }
        if (attributes.has("bindtap") && name === "view") assert.equal(attributes.get("aria-role"), "button", `${file}: ${attributes.get("bindtap")}`);
      }
      for (const { text, parents } of texts) {
        const local = loopNames({ parents, attributes: new Map() });
        for (const expression of expressions(text)) for (const used of names(expression)) known(used, local, file);
        assert.doesNotMatch(text.replace(/\{\{[^]*?\}\}/g, ""), /[\p{L}]/u, `${file}: a text that is not in strings.js: ${text.trim()}`);
      }
      const styles = `${read("app.wxss")}\n${read(`${page}.wxss`)}`;
      const classes = elements.flatMap(({ attributes }) => [attributes.get("class"), attributes.get("hover-class")]);
      for (const name of classes.flatMap((value) => value?.replace(/\{\{[^]*?\}\}/g, " ").split(/\s+/) ?? []).filter(Boolean)) {
        assert.match(styles, new RegExp(`\\.${name}\\b`), `${file}: no style .${name}`);
      }
    });
  }

  test("every style is one that some page uses, in balanced braces, with every colour by day and by night", () => {
    const markup = files.filter((name) => /\.(wxml|js)$/.test(name)).map(read).join("\n");
    for (const name of files.filter((name) => name.endsWith(".wxss"))) {
      const text = read(name).replace(/\/\*[^]*?\*\//g, "");
      let depth = 0;
      for (const brace of text.match(/[{}]/g)) assert.ok((depth += brace === "{" ? 1 : -1) >= 0, name);
      assert.equal(depth, 0, name);
      for (const [, used] of text.matchAll(/\.([a-z][\w-]*)(?=[^{}]*\{)/g)) assert.match(markup, new RegExp(`\\b${used}\\b`), `${name}: .${used}`);
      for (const [, used] of text.matchAll(/var\((--[\w-]+)\)/g)) assert.match(read("app.wxss"), new RegExp(`${used}:`), `${name}: ${used}`);
    }
    const [day, night] = read("app.wxss").split("@media");
    const colours = (text) => [...text.matchAll(/(--[\w-]+):/g)].map(([, name]) => name);
    assert.deepEqual(colours(day), colours(night));
  });

  test("UTF-8 in pieces: what TextDecoder makes of it, however it is cut", () => {
    const { Utf8Decoder } = phone.require("utils/wxapi.js");
    const decode = (bytes, size) => {
      const decoder = new Utf8Decoder();
      let text = "";
      for (let start = 0; start < bytes.length; start += size) text += decoder.push(Uint8Array.from(bytes.subarray(start, start + size)).buffer);
      return text;
    };
    const good = Buffer.from("aé你🎉\u{10ffff}\u0800\ud7ff\ue000 end");
    for (let size = 1; size <= good.length; size++) assert.equal(decode(good, size), good.toString());
    const odd = ["80", "c0af", "e08080", "eda080", "f08fbfbf", "f4908080", "f5", "e4bd41", "f09f41", "e4e4bda0", "c3c3a9", "ff"];
    const pieces = [...odd.map((hex) => Buffer.from(hex, "hex")), ...Array.from({ length: 2_000 }, () => randomBytes(24))];
    for (const bytes of pieces) {
      // Closed by a letter, so that nothing waits for more.
      const closed = Buffer.concat([bytes, Buffer.from("a")]);
      const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(closed);
      for (const size of [1, 2, 3, 25]) assert.equal(decode(closed, size), expected, closed.toString("hex"));
    }
  });

  test("server-sent events in pieces", () => {
    const { EventParser } = phone.require("utils/wxapi.js");
    const text = ": hello\n\nid: 1.2\nevent: delta\ndata: {\"a\":\ndata: 1}\n\nid:2\r\ndata:x\r\n\r\nid: 3\ndata\n\ndata: y\r\rretry: 1\n\n";
    const expected = [
      { id: "1.2", type: "delta", data: '{"a":\n1}' },
      { id: "2", type: "", data: "x" },
      { id: "3", type: "", data: "" },
      { id: "", type: "", data: "y" },
    ];
    for (let size = 1; size <= text.length; size++) {
      const parser = new EventParser();
      const events = [];
      for (let start = 0; start < text.length; start += size) events.push(...parser.push(text.slice(start, start + size)));
      assert.deepEqual(events.map((event) => ({ ...event })), expected, `pieces of ${size}`);
    }
  });
});

describe("utils/wxapi.js, with a server that says just what it is told to", () => {
  let server;
  let url;
  /** What comes next, and what was asked. */
  let answers = [];
  let asked = [];
  before(async () => {
    server = http.createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      asked.push({ method: request.method, path: request.url, last: request.headers["last-event-id"], body: body && JSON.parse(body) });
      const [status, headers, text] = answers.shift() ?? [500, {}, "{}"];
      response.writeHead(status, headers).end(text);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = new URL(`http://127.0.0.1:${server.address().port}`);
  });
  after(() => server.close());

  const json = (status, body, headers = {}) => [status, { "content-type": "application/json", ...headers }, JSON.stringify(body)];
  const events = (...all) => [200, { "content-type": "text/event-stream" }, all.map(([id, data]) => `:\n\nid: ${id}\nevent: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join("")];
  const begin = ["1.0", { type: "begin", conversation_id: "c" }];
  const delta = (id, text) => [id, { type: "delta", conversation_id: "c", delta: text }];
  const replace = (id, text) => [id, { type: "replace", conversation_id: "c", text }];
  const done = (id, reply) => [id, { type: "done", conversation_id: "c", reply, tokens_used: 7 }];

  /** Asks; what was shown, how it ended, and what the server was asked. */
  const chat = async (script, { how = "chat", question = { message: "你好" }, trouble, ...options } = {}) => {
    answers = script;
    asked = [];
    const phone = new Phone({ world: { stack: { url }, sim: { url: url.href } }, person: "x", hurry: 50, ...options });
    phone.storage.set("wxapi.session", "s");
    await phone.open();
    if (trouble) phone.trouble = () => trouble;
    const shown = [];
    const begun = [];
    const task = phone.app.api[how]({ conversationId: "c", onText: (text) => shown.push(text), onBegin: (id) => begun.push(id), ...question });
    const outcome = await task.answer.then((answer) => ({ ...answer }), ({ status, message, retryAfter }) => ({ status, message, retryAfter }));
    phone.close();
    assert.deepEqual(answers, [], "all was asked for");
    return { shown, begun, outcome, asked };
  };
  const answer = (reply) => ({ reply, conversationId: "c", tokensUsed: 7, stopped: false });

  test("words that are taken back", async () => {
    const { shown, begun, outcome } = await chat([events(begin, delta("1.1", "我想想"), replace("1.2", "你"), delta("1.3", "好！"), done("1.4", "你好！"))]);
    assert.deepEqual(shown, ["我想想", "你", "你好！"]);
    assert.deepEqual(begun, ["c"]);
    assert.deepEqual(outcome, answer("你好！"));
  });

  test("the whole answer counts, whatever came before", async () => {
    const { shown, outcome } = await chat([events(begin, delta("1.1", "甲"), done("1.2", "乙"))]);
    assert.deepEqual(shown, ["甲", "乙"]);
    assert.deepEqual(outcome, answer("乙"));
  });

  test("streams that just end: the rest, from the last event on, as long as each brings something", async () => {
    const pieces = Array.from({ length: 8 }, (_, n) => events(begin, delta(`1.${n}`, `${n}`)));
    const { shown, outcome, asked } = await chat([...pieces, events(done("1.9", "01234567"))]);
    assert.equal(shown.at(-1), "01234567");
    assert.deepEqual(outcome, answer("01234567"));
    assert.deepEqual(asked.slice(1).map(({ method, path, last }) => [method, path, last]), Array.from({ length: 8 }, (_, n) => ["GET", "/api/chat/c", `1.${n}`]));
  });

  for (const [what, stream] of [["nothing", () => events()], ["no more than the beginning", () => events(begin)]]) {
    test(`connections that always break, and bring ${what}: it gives up, and says that there is none`, async () => {
      const { outcome, asked } = await chat(Array.from({ length: 6 }, stream));
      assert.equal(outcome.status, 0);
      assert.equal(asked.length, 6);
      assert.equal(new Set(asked.map(({ body }) => body.message_id)).size, 1);
    });
  }

  test("refusals keep their status, word and patience, streamed or not", async () => {
    const slow = json(429, { error: "Too many requests. Please slow down." }, { "retry-after": "12" });
    const expected = { status: 429, message: "Too many requests. Please slow down.", retryAfter: 12 };
    assert.deepEqual((await chat([slow])).outcome, expected);
    assert.deepEqual((await chat([slow], { streams: false })).outcome, expected);
    assert.equal((await chat([json(500, { error: "Service temporarily unavailable" })], { trouble: { atEnd: true } })).outcome.status, 500);
    assert.equal((await chat([events(begin, ["1.1", { type: "error", conversation_id: "c", error: "no" }])])).outcome.status, 500);
  });

  test("an answer that is late, in JSON: looked for until it is there", async () => {
    const pending = json(202, { status: "pending", conversation_id: "c" });
    const { shown, outcome, asked } = await chat([pending, pending, pending, json(200, { reply: "好", conversation_id: "c", tokens_used: 7 })], { streams: false });
    assert.deepEqual(shown, ["好"]);
    assert.deepEqual(outcome, answer("好"));
    assert.deepEqual(asked.map(({ method }) => method), ["POST", "GET", "GET", "GET"]);
  });

  test("what is no message is not sent", async () => {
    for (const message of ["", "x".repeat(2001)]) {
      const { outcome, asked } = await chat([], { question: { message } });
      assert.deepEqual([outcome.status, asked], [400, []]);
    }
  });

  test("a session that nobody knows: one new login, and then an end to it", async () => {
    const unknown = json(401, { error: "Invalid session" });
    const { outcome, asked } = await chat([unknown, json(200, { code: "c" }), json(200, { sessionKey: "t" }), unknown]);
    assert.equal(outcome.status, 401);
    assert.deepEqual(asked.map(({ path }) => path), ["/api/chat", "/_sim/login_code", "/api/auth/wx-login", "/api/chat"]);
  });
});
