// A small server of a Mini Program, with wx-sim in front of it: the API that the Mini Program calls, and the callback of
// its customer service. What a message says decides how it is answered:
//
// - `429`, `500`: that status; `202`: pending twice, then the answer
// - `slow`: 120 ms between the pieces of the answer; `fails`: an error in the middle of it
// - otherwise, and in the customer service, the answer repeats the message
//
// It opens messages by itself, so that it is a judge of how wx-sim seals them.
import crypto from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { throwAwayAccount } from "../../tools/settings.mjs";
import { startSim } from "../../tools/sim.mjs";

/** Starts both. `server` is the memory of the small one: `sessions`, `conversations`, `pushes`, `passive`. */
export async function startMiniPair() {
  const vars = throwAwayAccount();
  const server = new MiniServer(vars);
  await server.listen();
  const sim = await startSim({ vars, target: `${server.origin}/wechat` });
  server.sim = sim;
  const close = async () => void (await Promise.all([sim.close(), server.close()]));
  return { sim, vars, server, stack: undefined, close };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class MiniServer {
  #vars;
  #http = http.createServer((request, response) => void this.#answer(request, response));

  sessions = new Map();
  conversations = [];
  /** Messages to the customer service, opened: `{ format, document }`. */
  pushes = [];
  /** What the callback answers. */
  passive = "success";
  #pending = 0;

  constructor(vars) {
    this.#vars = vars;
  }

  async listen() {
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    this.origin = `http://127.0.0.1:${this.#http.address().port}`;
  }

  async close() {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (pathname === "/wechat/mini") return this.#push(searchParams, body, response);
    const say = (status, answer, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers }).end(JSON.stringify(answer));
    if (pathname === "/api/auth/wx-login") return this.#login(JSON.parse(body), say);
    const key = request.headers["x-wx-session"];
    const openid = this.sessions.get(key);
    if (!openid) return say(401, { error: "Invalid session" });
    const [, , family, id] = pathname.split("/");
    const wantsStream = request.headers.accept === "text/event-stream";
    const own = this.conversations.filter((one) => one.openid === openid);
    const found = own.find((one) => one.id === id);
    switch (`${request.method} ${family}`) {
      case "POST auth":
        this.sessions.delete(key);
        return say(200, { status: "ok" });
      case "POST chat":
        return this.#chat(openid, JSON.parse(body), wantsStream, say, response);
      case "GET chat": {
        if (!found) return say(404, { error: "Not found" });
        if (this.#pending-- > 0) return say(202, { status: "pending", conversation_id: id });
        const last = request.headers["last-event-id"];
        return last && wantsStream ? this.#stream(found, "", Number(last), response) : say(200, whole(found));
      }
      case "GET conversations":
        if (id === undefined) return say(200, { conversations: own.toReversed().map(listed), next: null });
        return found ? say(200, { ...listed(found), messages: found.messages }) : say(404, { error: "Not found" });
      case "DELETE conversations": {
        const gone = id === undefined ? own : own.filter((one) => one.id === id);
        this.conversations = this.conversations.filter((one) => !gone.includes(one));
        return id !== undefined && gone.length === 0 ? say(404, { error: "Not found" }) : say(200, { deleted: gone.length });
      }
      default:
        return say(404, { error: "Not found" });
    }
  }

  async #login({ code }, say) {
    const { MINI_APP_ID: appid, MINI_APP_SECRET: secret } = this.#vars;
    const query = new URLSearchParams({ appid, secret, js_code: code, grant_type: "authorization_code" });
    const session = await (await fetch(new URL(`/sns/jscode2session?${query}`, this.sim.url))).json();
    const statuses = { 40029: 401, 40163: 401, 40226: 403, 45011: 429 };
    if (session.errcode) return say(statuses[session.errcode] ?? 500, { error: "Login refused" });
    const key = crypto.randomBytes(32).toString("base64url");
    this.sessions.set(key, session.openid);
    say(200, { sessionKey: key });
  }

  async #chat(openid, { message, conversation_id }, wantsStream, say, response) {
    if (message.includes("429") && !this.slowedDown) {
      this.slowedDown = true;
      return say(429, { error: "Too many requests. Please slow down." }, { "retry-after": "2" });
    }
    if (message.includes("500")) return say(500, { error: "Service temporarily unavailable" });
    const own = this.conversations.filter((one) => one.openid === openid);
    let found = own.find((one) => one.id === conversation_id) ?? (conversation_id === null ? own.at(-1) : undefined);
    if (!found && conversation_id !== null && conversation_id !== "new") return say(404, { error: "Not found" });
    if (!found) {
      found = { id: crypto.randomUUID(), openid, title: message, messages: [], at: Date.now() };
      this.conversations.push(found);
    }
    found.reply = `你说的是：“${message}”。这是一个一段一段到来的答案😀，到此为止。`;
    found.messages.push({ role: "user", content: message, created_at: Date.now() });
    found.messages.push({ role: "assistant", content: found.reply, created_at: Date.now(), tokens_used: 42 });
    if (message.includes("202")) {
      this.#pending = 2;
      return say(202, { status: "pending", conversation_id: found.id });
    }
    if (wantsStream) return this.#stream(found, message, 0, response);
    say(200, whole(found));
  }

  async #stream(conversation, message, from, response) {
    const { id: conversation_id, reply } = conversation;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const send = (id, data) => response.write(`id: ${id}\nevent: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
    send(0, { type: "begin", conversation_id });
    const pieces = [...reply].reduce((all, letter, index) => (index % 4 === 0 ? [...all, letter] : [...all.slice(0, -1), all.at(-1) + letter]), []);
    for (const [index, delta] of pieces.entries()) {
      if (index < from) continue;
      if (message.includes("slow")) await sleep(120);
      if (response.destroyed) return;
      send(index + 1, { type: "delta", conversation_id, delta });
      if (message.includes("fails") && index === 2) {
        send(99, { type: "error", conversation_id, error: "Service temporarily unavailable" });
        return response.end();
      }
    }
    send(pieces.length + 1, { type: "done", ...whole(conversation) });
    response.end();
  }

  /** Opens a message, answers it as it is told to, and repeats a text by `custom/send`. */
  async #push(query, body, response) {
    const format = body.trimStart().startsWith("{") ? "json" : "xml";
    const document = this.#open(query, body, format);
    if (document === undefined) return response.writeHead(403).end();
    this.pushes.push({ format, document });
    response.end(this.passive);
    const field = (name) => (format === "json" ? JSON.parse(document)[name] : new RegExp(`<${name}><!\\[CDATA\\[(.*?)\\]\\]>`, "s").exec(document)?.[1]);
    if (field("MsgType") !== "text") return;
    const content = `客服：${field("Content")}`;
    const { MINI_APP_ID: appid, MINI_APP_SECRET: secret } = this.#vars;
    const post = (path, asked) => fetch(new URL(path, this.sim.url), { method: "POST", body: JSON.stringify(asked) }).then((answer) => answer.json());
    const { access_token } = await post("/cgi-bin/stable_token", { grant_type: "client_credential", appid, secret });
    await post(`/cgi-bin/message/custom/send?access_token=${access_token}`, { touser: field("FromUserName"), msgtype: "text", text: { content } });
  }

  #open(query, body, format) {
    const { MINI_TOKEN: token, MINI_ENCODING_AES_KEY: key, MINI_APP_ID: appid } = this.#vars;
    const [timestamp, nonce] = [query.get("timestamp"), query.get("nonce")];
    const signed = (...parts) => crypto.createHash("sha1").update([token, timestamp, nonce, ...parts].sort().join("")).digest("hex");
    if (query.get("encrypt_type") !== "aes") return signed() === query.get("signature") ? body : undefined;
    const encrypt = format === "json" ? JSON.parse(body).Encrypt : /<Encrypt><!\[CDATA\[(.*?)\]\]>/s.exec(body)[1];
    if (signed(encrypt) !== query.get("msg_signature")) return undefined;
    const secret = Buffer.from(`${key}=`, "base64");
    const cipher = crypto.createDecipheriv("aes-256-cbc", secret, secret.subarray(0, 16)).setAutoPadding(false);
    const padded = Buffer.concat([cipher.update(encrypt, "base64"), cipher.final()]);
    const plain = padded.subarray(0, padded.length - padded.at(-1));
    const end = 20 + plain.readUInt32BE(16);
    return plain.subarray(end).toString() === appid ? plain.subarray(20, end).toString() : undefined;
  }
}

const whole = ({ id, reply }) => ({ reply, conversation_id: id, tokens_used: 42 });
const listed = ({ id, title, at }) => ({ id, title, created_at: at, updated_at: at, status: "idle" });
