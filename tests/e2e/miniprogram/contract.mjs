// The Mini Program's API in small: what the Worker says under /api, with wx-sim as WeChat and as the model. It has the
// shape of `startPair` in tools/stack.mjs.
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import { WebSocketServer } from "ws";
import { throwAwayAccount } from "../../../tools/settings.mjs";
import { startSim } from "../../../tools/sim.mjs";

const PATIENCE = 55_000;
/** Logins from one address in a minute. */
const LOGINS = 20;

export async function startPair({ vars = {} } = {}) {
  const all = { ...throwAwayAccount(), ...vars };
  const sim = await startSim({ vars: all, target: "http://127.0.0.1:9/wechat" });
  const api = new Api(sim, all);
  const server = http.createServer((request, response) => api.serve(request, response));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const user = api.users.get(request.headers["x-wx-session"]);
    if (!user) return socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (open) => api.talk(user, open));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${server.address().port}`);
  const close = async () => {
    server.closeAllConnections();
    server.close();
    for (const client of sockets.clients) client.terminate();
    await sim.close();
  };
  return { stack: { url, fetch: (path, init) => fetch(new URL(path, url), init) }, sim, vars: all, close };
}

class Refusal extends Error {
  constructor(status, error, retryAfter) {
    super(error);
    Object.assign(this, { status, retryAfter });
  }
}

class Api {
  /** Sessions: whose they are. */
  users = new Map();
  people = new Map();
  /** How many logins came from where. */
  logins = new Map();

  constructor(sim, vars) {
    Object.assign(this, { sim, vars });
  }

  async serve(request, response) {
    try {
      const { pathname, searchParams } = new URL(request.url, "http://x");
      const text = Buffer.concat(await request.toArray()).toString();
      const body = text === "" ? {} : JSON.parse(text);
      const path = pathname.split("/").slice(2);
      const session = request.headers["x-wx-session"];
      const streams = request.headers.accept === "text/event-stream";
      const { "last-event-id": last, "cf-connecting-ip": address } = request.headers;
      const answer = await this.route(request.method, path, { body, session, streams, searchParams, last, address, response });
      if (answer) say(response, answer.status, answer.body);
    } catch (error) {
      const { status = 500, message, retryAfter } = error;
      if (status === 500 && !(error instanceof Refusal)) console.error(error);
      say(response, status, { error: message }, retryAfter && { "retry-after": retryAfter });
    }
  }

  async route(method, path, call) {
    const place = `${method} ${path.join("/")}`;
    if (place === "GET health") return wrap({ status: "ok", timestamp: Date.now() });
    if (place === "POST auth/wx-login") {
      const count = (this.logins.get(call.address) ?? 0) + 1;
      this.logins.set(call.address, count);
      if (count > LOGINS) throw new Refusal(429, "Too many requests. Please slow down.", 60);
      return this.logIn(call.body.code);
    }
    const user = this.users.get(call.session);
    if (!user) throw new Refusal(401, "Invalid session");
    const thread = () => {
      const found = user.threads.get(path[1]);
      if (!found) throw new Refusal(404, "Not found");
      return found;
    };
    if (place === "POST auth/logout") return this.users.delete(call.session), wrap({ status: "ok" });
    if (place === "POST chat") return this.deliver(this.ask(user, call.body), call, undefined);
    if (method === "GET" && path[0] === "chat") return this.deliver(thread().said.at(-1), call, call.last ?? "");
    if (place === "GET conversations") return wrap(list(user, call.searchParams));
    if (method === "GET" && path[0] === "conversations") return wrap(whole(thread()));
    if (place === "DELETE conversations") return wrap({ deleted: empty(user) });
    if (method === "DELETE" && path[0] === "conversations") return user.threads.delete(thread().id), wrap({ deleted: 1 });
    if (place === "POST wx/phone") return wrap((await this.wechat("/wxa/business/getuserphonenumber", call.body)).phone_info);
    if (place === "POST wx/subscribe") {
      await this.wechat("/cgi-bin/message/subscribe/send", { touser: user.openid, ...call.body });
      return wrap({ status: "ok" });
    }
    if (place === "GET export") return wrap({ conversations: [...user.threads.values()].map(whole) });
    if (place === "POST forget-me") {
      for (const [session, other] of this.users) if (other === user) this.users.delete(session);
      this.people.delete(user.openid);
      return wrap({ status: "ok" });
    }
    throw new Refusal(404, "Not found");
  }

  /** A call of WeChat's API for the Mini Program. */
  async wechat(path, body) {
    const { MINI_APP_ID: appid, MINI_APP_SECRET: secret } = this.vars;
    const { access_token } = await this.sim.get(`/cgi-bin/token?${new URLSearchParams({ grant_type: "client_credential", appid, secret })}`);
    const answer = await this.sim.post(`${path}?access_token=${access_token}`, body);
    if (answer.errcode) throw new Refusal(400, `errcode ${answer.errcode}`);
    return answer;
  }

  async logIn(code) {
    const { MINI_APP_ID, MINI_APP_SECRET } = this.vars;
    const query = new URLSearchParams({ appid: MINI_APP_ID, secret: MINI_APP_SECRET, js_code: code, grant_type: "authorization_code" });
    const { openid, errcode } = await this.sim.get(`/sns/jscode2session?${query}`);
    if (!openid) throw new Refusal(errcode === 40226 ? 403 : 401, errcode === 40226 ? "Login refused" : "Invalid code");
    if (!this.people.has(openid)) this.people.set(openid, { openid, threads: new Map(), asked: [] });
    const sessionKey = randomUUID();
    this.users.set(sessionKey, this.people.get(openid));
    return wrap({ sessionKey });
  }

  ask(user, { message, conversation_id: id, message_id: key }) {
    const now = Date.now();
    user.asked = user.asked.filter((at) => at > now - 60_000);
    if (user.asked.length >= Number(this.vars.RATE_LIMIT)) {
      throw new Refusal(429, "Too many requests. Please slow down.", Math.ceil((user.asked[0] + 60_000 - now) / 1000));
    }
    user.asked.push(now);
    if (typeof message !== "string" || message === "" || message.length > 2000) throw new Refusal(400, "Invalid message");
    for (const thread of user.threads.values()) {
      const known = key && thread.said.find((exchange) => exchange.key === key);
      if (known?.failed) {
        Object.assign(known, { failed: false, text: "" });
        void this.work(known);
      }
      if (known) return known;
    }
    const isNew = id === null || id === "new";
    const thread = isNew ? { id: randomUUID(), title: message.slice(0, 20), created_at: now, said: [] } : user.threads.get(id);
    if (!thread) throw new Refusal(404, "Not found");
    user.threads.set(thread.id, thread);
    const exchange = Object.assign(new EventEmitter(), { thread, key, message, n: thread.said.length + 1, asked: now, text: "" });
    thread.said.push(exchange);
    thread.updated_at = now;
    void this.work(exchange);
    return exchange;
  }

  async work(exchange) {
    try {
      const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: exchange.message }] });
      const response = await fetch(new URL("/v1/chat/completions", this.sim.url), { method: "POST", headers: { "content-type": "application/json" }, body });
      if (!response.ok) throw new Error(response.status);
      let rest = "";
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          if (!line.startsWith("data: {")) continue;
          const delta = JSON.parse(line.slice(6)).choices[0]?.delta?.content;
          if (!delta) continue;
          exchange.text += delta;
          exchange.emit("event", event(exchange, "delta", { delta }));
        }
      }
      exchange.reply = exchange.text;
    } catch {
      exchange.failed = true;
    }
    exchange.emit("event", last(exchange));
  }

  deliver(exchange, { streams, response }, from) {
    const { thread } = exchange;
    if (streams) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      const tell = ({ id, ...data }) => {
        response.write(`id: ${id}\nevent: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
        if (isLast(data)) response.end();
      };
      const beat = setInterval(() => response.write(":\n\n"), 15_000);
      response.once("close", () => (clearInterval(beat), exchange.off("event", tell)));
      listen(exchange, tell, from);
      return undefined;
    }
    const settled = () => {
      if (exchange.failed) throw new Refusal(500, "Service temporarily unavailable");
      const pending = { status: "pending", conversation_id: thread.id };
      return exchange.reply === undefined ? { status: 202, body: pending } : wrap({ reply: exchange.reply, conversation_id: thread.id, tokens_used: 1 });
    };
    if (from !== undefined || exchange.reply !== undefined || exchange.failed) return settled();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      response.once("close", () => clearTimeout(timer));
      exchange.on("event", (told) => isLast(told) && (clearTimeout(timer), resolve()));
    }).then(settled);
  }

  /** The WebSocket. */
  talk(user, socket) {
    socket.on("message", (bytes) => {
      const text = bytes.toString();
      if (text === "ping") return socket.send("pong");
      const said = JSON.parse(text);
      const tell = (told) => socket.send(JSON.stringify(told));
      try {
        const resumes = said.type === "resume";
        const exchange = resumes ? user.threads.get(said.conversation_id)?.said.at(-1) : this.ask(user, said);
        if (!exchange) throw new Refusal(404, "Not found");
        listen(exchange, tell, resumes ? said.last_event_id : undefined);
        socket.once("close", () => exchange.off("event", tell));
      } catch ({ status, message, retryAfter }) {
        tell({ type: "error", status, error: message, retry_after: retryAfter });
      }
    });
  }
}

/** Tells what is there already, or what came since the event `from`, and then what comes. */
function listen(exchange, tell, from) {
  if (exchange.reply !== undefined || exchange.failed) return tell(last(exchange));
  tell(event(exchange, "begin", {}));
  const [n, length] = (from || "").split(".").map(Number);
  if (from !== undefined && n !== exchange.n) {
    if (exchange.text) tell(event(exchange, "replace", { text: exchange.text }));
  } else if (exchange.text.length > (length || 0)) {
    tell(event(exchange, "delta", { delta: exchange.text.slice(length || 0) }));
  }
  exchange.on("event", tell);
}

const event = (exchange, type, more) => ({ id: `${exchange.n}.${exchange.text.length}`, type, conversation_id: exchange.thread.id, ...more });

const last = (exchange) =>
  exchange.failed ? event(exchange, "error", { error: "Service temporarily unavailable" }) : event(exchange, "done", { reply: exchange.reply, tokens_used: 1 });

const isLast = ({ type }) => type === "done" || type === "error";

const wrap = (body) => ({ status: 200, body });

function say(response, status, body, headers) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

function empty(user) {
  const { size } = user.threads;
  user.threads.clear();
  return size;
}

const status = ({ said }) => (said.some((one) => one.reply === undefined && !one.failed) ? "pending" : said.at(-1).failed ? "failed" : "idle");

const about = (thread) => ({ id: thread.id, title: thread.title, created_at: thread.created_at, updated_at: thread.updated_at, status: status(thread) });

function list(user, params) {
  const all = [...user.threads.values()].sort((a, b) => b.updated_at - a.updated_at);
  const start = Number(params.get("after") ?? 0);
  const end = start + Number(params.get("limit") ?? 20);
  return { conversations: all.slice(start, end).map(about), next: end < all.length ? `${end}` : null };
}

const whole = (thread) => ({
  ...about(thread),
  messages: thread.said.flatMap(({ message, reply, asked }) => [
    { role: "user", content: message, created_at: asked },
    ...(reply === undefined ? [] : [{ role: "assistant", content: reply, created_at: asked }]),
  ]),
});
