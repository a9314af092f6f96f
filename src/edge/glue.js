import { waitUntil as keepUntil } from "cloudflare:workers";

// What would cost many crossings between wasm and JavaScript is done here in one.

const shared = (globalThis.__worker_init_state = { criticalError: false, instanceId: 0 });

/** What worker-build's shim shares with wasm: after a critical error it makes a new instance. */
export function state() {
  return shared;
}

export function started() {
  shared.instanceId++;
}

export function panicked(message) {
  console.error("Critical", new Error("Rust panic: " + message));
  shared.criticalError = true;
}

/** `METHOD URL` of a request. */
export function head(request) {
  return request.method + " " + request.url;
}

/** The body, or as much of it as shows that it is longer than `limit` bytes. */
export async function readBody(request, limit) {
  if (request.body === null) return new Uint8Array();
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) <= limit) return new Uint8Array(await request.arrayBuffer());
  const pieces = [];
  let size = 0;
  for await (const piece of request.body) {
    pieces.push(piece);
    size += piece.byteLength;
    if (size > limit) break;
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The headers that somebody reads. */
const READ = [
  "accept", "accept-language", "access-control-request-method", "authorization", "content-length", "content-type",
  "cookie", "idempotency-key", "if-match", "last-event-id", "origin", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
  "sec-purpose", "upgrade", "user-agent", "x-wx-session",
];

/** Cloudflare's name of the request, address, country and city of the peer; then name, value, name, value of the headers. */
export function about(request) {
  const { country, city } = request.cf ?? {};
  const [ray, address] = ["cf-ray", "cf-connecting-ip"].map((name) => request.headers.get(name) ?? "");
  const flat = [ray, address, country ?? "", city ?? ""];
  for (const name of READ) {
    const value = request.headers.get(name);
    if (value !== null) flat.push(name, value);
  }
  return flat;
}

/** The body itself, to be passed on. */
export function bodyOf(request) {
  return request.body;
}

function allHeaders(contentType, headers) {
  const all = new Headers();
  if (contentType) all.set("content-type", contentType);
  for (let i = 0; i < headers.length; i += 2) all.append(headers[i], headers[i + 1]);
  return all;
}

/** Headers are name, value, name, value. */
export function respond(status, contentType, headers, body) {
  return new Response(body || null, { status, headers: allHeaders(contentType, headers) });
}

/** A response that begins with `first` and goes on with what `reader` still has, as it comes. */
export function passOn(status, contentType, headers, first, reader) {
  const begin = first.slice();
  const about = { status, headers: allHeaders(contentType, headers) };
  if (reader === undefined) return new Response(begin, about);
  // The runtime moves the rest by itself: pieces in JavaScript's hands would stay in memory until somebody sweeps.
  const { readable, writable } = new IdentityTransformStream();
  const passing = async () => {
    const writer = writable.getWriter();
    if (begin.length > 0) await writer.write(begin);
    writer.releaseLock();
    reader.releaseLock();
    await reader.stream.pipeTo(writable);
  };
  // It ends early if whoever asked is gone, or if the source does, which they see by how the response ends.
  passing().catch(() => cancel(reader)).finally(reader.stream.over);
  return new Response(readable, about);
}

/** Lets what follows a response come to its end. */
export function waitUntil(promise) {
  keepUntil(promise);
}

/** Asks an object for a WebSocket; its answer goes to whoever asked as it is. */
export async function watch(namespace, name, proof) {
  const headers = { upgrade: "websocket", "x-proof": proof };
  return namespace.getByName(name).fetch("https://object/watch", { headers });
}

/** So many may watch one object: a few tabs, each with a connection that broke unnoticed. The others can ask. */
const WATCHERS = 16;

/**
 * A WebSocket that costs nothing while nobody speaks: "ping" is answered without waking the object. It keeps `proof`, by
 * which it was let in, and is told `greeting`, if there is one.
 */
export function accept(state, greeting, proof) {
  if (state.getWebSockets().length >= WATCHERS) return respond(429, "application/json", [], '{"error":"Too many connections"}');
  const [client, server] = Object.values(new WebSocketPair());
  state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  state.acceptWebSocket(server);
  server.serializeAttachment(proof);
  if (greeting) server.send(greeting);
  return new Response(null, { status: 101, webSocket: client });
}

export function tell(state, text) {
  for (const socket of state.getWebSockets()) {
    try {
      socket.send(text);
    } catch {
      // It has just gone.
    }
  }
}

/** By what a WebSocket was let in. */
export function proofOf(socket) {
  return socket.deserializeAttachment() ?? "";
}

/** Tells it to one; whether they are there. */
export function tellOne(socket, text) {
  try {
    socket.send(text);
    return true;
  } catch {
    return false;
  }
}

/** A response that is written while it is read. */
export function channel() {
  const { readable, writable } = new IdentityTransformStream();
  const channel = { readable, writer: writable.getWriter(), gone: false };
  channel.leave = () => (channel.gone = true);
  channel.writer.closed.catch(channel.leave);
  return channel;
}

const encoder = new TextEncoder();

/** Writes to it; whether somebody reads. */
export function write(channel, text) {
  // What waits to be read is an answer or two; or all that is exported, which is better here than in wasm's memory.
  if (!channel.gone) channel.writer.write(encoder.encode(text)).catch(channel.leave);
  return !channel.gone;
}

export function finish(channel) {
  channel.writer.close().catch(channel.leave);
}

/** The response of a channel: server-sent events. */
export function events(channel) {
  return new Response(channel.readable, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

/** Whoever hung up repeats no code, because some may not be repeated. */
export function hangUp(socket, code) {
  try {
    socket.close(code);
  } catch {
    // It has just gone.
  }
}

export async function withinLimit(limiter, key) {
  return (await limiter.limit({ key })).success;
}

const ALGORITHMS = {
  RS256: {
    make: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    use: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  },
  ES256: {
    make: { name: "ECDSA", namedCurve: "P-256" },
    use: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  },
};

/** A pair of keys as two JWKs. */
export async function makeKey(algorithm) {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[algorithm].make, true, ["sign", "verify"]);
  const halves = [pair.privateKey, pair.publicKey].map((key) => crypto.subtle.exportKey("jwk", key));
  return (await Promise.all(halves)).map((jwk) => JSON.stringify(jwk));
}

export async function sign(algorithm, privateKey, message) {
  // A copy: the memory of wasm may move before the promise is done.
  const text = message.slice();
  const { use } = ALGORITHMS[algorithm];
  const key = await crypto.subtle.importKey("jwk", JSON.parse(privateKey), use, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(use, key, text));
}

export async function verify(algorithm, publicKey, message, signature) {
  const [text, signed] = [message.slice(), signature.slice()];
  const { use } = ALGORITHMS[algorithm];
  const key = await crypto.subtle.importKey("jwk", JSON.parse(publicKey), use, false, ["verify"]);
  return crypto.subtle.verify(use, key, signed, text);
}

/** The name by which an object was called first; empty if it is not known: an old alarm may not tell. */
export function nameOf(state) {
  return state.id.name ?? "";
}

/** Calls an object by its name: its answer, or undefined where it answers 204. */
export async function callObject(namespace, name, body) {
  const response = await namespace.getByName(name).fetch("https://object/", { method: "POST", body });
  const text = await response.text();
  if (response.status === 204) return undefined;
  if (response.status !== 200) throw new Error("status " + response.status);
  return text;
}

/** Calls an object by its name: its response, which may go on for a while. */
export async function openObject(namespace, name, body) {
  return await namespace.getByName(name).fetch("https://object/", { method: "POST", body });
}

/**
 * What `begin` makes of a signal that ends it after `timeout` ms, body included. `over` of the stream in it stops the
 * clock: an object is not put to sleep while one runs, as that of AbortSignal.timeout would to its end.
 */
async function within(timeout, begin) {
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  const clock = setTimeout(late, timeout);
  const over = () => clearTimeout(clock);
  try {
    const begun = await begin(controller.signal);
    const stream = begun instanceof Response ? begun.body : begun;
    if (stream instanceof ReadableStream) stream.over = over;
    else over();
    return begun;
  } catch (error) {
    over();
    throw error;
  }
}

/** Sends a request; fails if it is not over after `timeout` ms. Headers are name, value, name, value. */
export function send(method, url, headers, body, timeout) {
  const pairs = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i], headers[i + 1]]);
  // A copy: `body` is a window into wasm's memory, which changes before the request is on its way.
  const copy = method === "GET" ? undefined : body.slice();
  return within(timeout, (signal) => fetch(url, { method, headers: pairs, body: copy, redirect: "manual", signal }));
}

/**
 * Sends a request whose body is passed on as it comes. WeChat wants to know its length beforehand, so a stream that says
 * it is put between.
 */
export function sendOn(method, url, headers, body, length, timeout) {
  const pairs = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i], headers[i + 1]]);
  const fixed = new FixedLengthStream(length);
  // A body that ends early makes the request itself fail.
  body.pipeTo(fixed.writable).catch(() => {});
  const init = { method, headers: pairs, body: fixed.readable, redirect: "manual" };
  return within(timeout, (signal) => fetch(url, { ...init, signal }));
}

/** Runs a model by the AI binding: a stream, whether the model streams or not. */
export async function runAi(ai, model, inputs, timeout) {
  const output = await within(timeout, (signal) => ai.run(model, JSON.parse(inputs), { signal }));
  return output instanceof ReadableStream ? output : new Response(JSON.stringify(output)).body;
}

/** Kept after `span` ms, or when it is woken. */
export function sleep(span) {
  let wake;
  const sleeping = new Promise((resolve) => (wake = resolve));
  const timer = setTimeout(wake, span);
  sleeping.wake = () => {
    clearTimeout(timer);
    wake();
  };
  return sleeping;
}

/** Whoever waited in wasm is gone: keeping the promise lets go of what was to be told. */
export function wake(sleeping) {
  sleeping.wake();
}

export function reader(stream) {
  const reader = stream?.getReader({ mode: "byob" });
  if (reader) reader.stream = stream;
  return reader;
}

/** The next piece, of so many bytes at least, or undefined at the end. */
export async function read(reader, least) {
  const piece = (await reader?.readAtLeast(least, new Uint8Array(16384)))?.value;
  return piece?.byteLength ? piece : undefined;
}

/** Nothing more is read, whether or not there is more. */
export function cancel(reader) {
  reader?.stream.over?.();
  reader?.cancel().catch(() => {});
}

/** An error in words fit for a log: addresses, which may hold tokens, are left out. */
export function reason(error) {
  return String(error?.message ?? error).replace(/https?:\S+/g, "<address>").slice(0, 160);
}

export function load(state, key) {
  return state.storage.kv.get(key);
}

export function save(state, key, document) {
  state.storage.kv.put(key, document);
}

/** Runs one statement; values and rows are JSON. */
export function sql(state, statement, values) {
  return JSON.stringify(state.storage.sql.exec(statement, ...JSON.parse(values)).toArray());
}

export function remove(state, key) {
  state.storage.kv.delete(key);
}

export function setAside(state, document) {
  state.storage.kv.put("unreadable", document);
}

export function clear(state) {
  state.storage.deleteAll();
}

export function setAlarm(state, at) {
  state.storage.setAlarm(at);
}
