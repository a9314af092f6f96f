// People who use the Mini Program's API as `wx.request`, `enableChunked` and `wx.connectSocket` would, and a model that
// writes when it is told to.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { until } from "./people.mjs";

/** Somebody with the Mini Program open. */
export class MiniUser {
  /** Addresses of their own, so that not all logins of a test count as one address's. */
  static #people = 0;

  session = "";

  constructor({ stack, sim }, name) {
    Object.assign(this, { stack, sim, name });
    const number = ++MiniUser.#people;
    this.address = `10.1.${number >> 8}.${number & 255}`;
  }

  /** A code of their `wx.login`. */
  async code(more = {}) {
    return (await this.sim.post("/_sim/login_code", { as: this.name, ...more })).code;
  }

  async logIn() {
    const { status, body } = await this.api("POST", "auth/wx-login", { code: await this.code() });
    assert.equal(status, 200, JSON.stringify(body));
    this.session = body.sessionKey;
    return this;
  }

  /** One call; `target` is what follows `/api/`. A body that is no text becomes JSON. */
  async api(method, target, body, headers = {}) {
    const response = await this.#ask(method, target, body, headers);
    const text = await response.text();
    const json = /^application\/json\b/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  /** Says something, and waits for the answer. */
  chat(message, conversation = null, more = {}) {
    return this.api("POST", "chat", { message, conversation_id: conversation, ...more });
  }

  /** Says something; the answer comes as events. */
  say(message, conversation = null, more = {}) {
    return this.#events("POST", "chat", { message, conversation_id: conversation, ...more }, {});
  }

  /** Comes back to a conversation's last answer, of which the event `last` was seen. */
  resume(conversation, last) {
    return this.#events("GET", `chat/${conversation}`, undefined, last === undefined ? {} : { "last-event-id": last });
  }

  /** A WebSocket. */
  async socket() {
    const url = new URL("/api/chat/ws", this.stack.url);
    url.protocol = "ws:";
    const wire = new Wire(new WebSocket(url, { headers: { "x-wx-session": this.session, "cf-connecting-ip": this.address } }));
    await wire.opened;
    return wire;
  }

  async #events(method, target, body, headers) {
    const left = new AbortController();
    const response = await this.#ask(method, target, body, { accept: "text/event-stream", ...headers }, left.signal);
    assert.equal(response.status, 200, await (response.ok ? "" : response.text()));
    return new Events(response, left);
  }

  #ask(method, target, body, headers, signal) {
    const known = this.session && { "x-wx-session": this.session };
    return this.stack.fetch(`/api/${target}`, {
      method,
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", "cf-connecting-ip": this.address, ...known, ...headers },
      signal,
    });
  }
}

/** Server-sent events, as they come. */
class Events {
  #reader;
  #left;
  #text = "";
  #decoder = new TextDecoder("utf-8", { fatal: true });

  /** Those that came so far. */
  seen = [];

  constructor(response, left) {
    this.headers = response.headers;
    this.#reader = response.body.getReader();
    this.#left = left;
  }

  /** The next event, `{ id, event, data }`; undefined at the end. */
  async next() {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        if (block.startsWith(":")) continue;
        const fields = Object.fromEntries(block.split("\n").map((line) => /^(\w+): (.*)$/.exec(line).slice(1)));
        const event = { ...fields, data: JSON.parse(fields.data) };
        assert.equal(event.data.type, event.event);
        this.seen.push(event);
        return event;
      }
      const { done, value } = await this.#reader.read();
      if (done) return assert.equal(this.#text, "", "an event was cut");
      // A Mini Program gets pieces of bytes, and few decode them with care: no piece may end within a character.
      this.#text += this.#decoder.decode(value);
    }
  }

  /** All events up to one of this kind, that one included. */
  async upTo(kind) {
    for (;;) {
      const event = await this.next();
      assert.ok(event, `the events ended without ${kind}: ${JSON.stringify(this.seen)}`);
      if (event.event === kind) return event;
    }
  }

  /** Everything to the end. */
  async rest() {
    while (await this.next());
    return this.seen;
  }

  /** What somebody reads who carries out the events that came so far. */
  get shown() {
    return shown(this.seen.map(({ data }) => data));
  }

  /** Hangs up. */
  leave() {
    this.#left.abort();
  }
}

/** What somebody reads who carries out these events, after `before`. */
export function shown(events, before = "") {
  let text = before;
  for (const event of events) {
    if (event.type === "delta") text += event.delta;
    if (event.type === "replace") text = event.text;
  }
  return text;
}

/** A WebSocket, with what came by it. */
class Wire {
  heard = [];
  closed;

  constructor(socket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => this.heard.push(data === "pong" ? data : JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => (this.closed = code));
    this.opened = new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("no WebSocket")));
    });
  }

  send(message) {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The first message that is so. */
  hears(is, what) {
    return until(() => this.heard.find(is), what, 30);
  }

  leave() {
    this.socket.close();
  }
}

/**
 * An OpenAI-compatible model that writes byte by byte what it is told: `await writer.asked(words)` is the call whose
 * question holds these words; `write(text)`, `end()` and `cut()` go on with it, and `gone` says that the caller hung up.
 */
export async function startWriter() {
  const calls = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { messages } = JSON.parse(body);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    calls.push(new Writing(messages, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = (words, times = 1) =>
    until(() => calls.filter(({ question }) => question.includes(words))[times - 1], `call ${times} of the model about ${words}`, 60);
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/v1`, calls, asked, close };
}

class Writing {
  gone = false;

  constructor(messages, response) {
    this.messages = messages;
    this.question = messages.at(-1).content;
    this.response = response;
    response.on("close", () => (this.gone = !response.writableFinished));
  }

  /** Writes a piece of the answer. */
  write(text) {
    return this.#send(event(text));
  }

  /** The same, in two pieces of bytes: the first ends after `bytes` bytes of the text. */
  async writeInTwo(text, bytes) {
    const whole = event(text);
    const middle = whole.indexOf(text) + bytes;
    await this.#send(whole.subarray(0, middle));
    await this.#send(whole.subarray(middle));
  }

  /** Until it has left this process. */
  #send(bytes) {
    return new Promise((resolve) => this.response.write(bytes, resolve));
  }

  end(tokens = 42) {
    this.response.end(`data: ${JSON.stringify({ choices: [], usage: { total_tokens: tokens } })}\n\ndata: [DONE]\n\n`);
  }

  /** The connection breaks. */
  cut() {
    this.response.destroy();
  }
}

const event = (content) => Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
