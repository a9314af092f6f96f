// What would cost many crossings between wasm and JavaScript is done here in one.

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

export function respond(status, contentType, body) {
  return new Response(body, { status, headers: { "content-type": contentType } });
}

/** Calls an object by its name: its answer, or undefined where it answers 204. */
export async function callObject(namespace, name, body) {
  const response = await namespace.getByName(name).fetch("https://object/", { method: "POST", body });
  const text = await response.text();
  if (response.status === 204) return undefined;
  if (response.status !== 200) throw new Error("status " + response.status);
  return text;
}

/** Sends a request; fails if it is not over after `timeout` ms. Headers are name, value, name, value. */
export async function send(method, url, headers, body, timeout) {
  const pairs = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i], headers[i + 1]]);
  return await fetch(url, {
    method,
    headers: pairs,
    // A copy: `body` is a window into wasm's memory, which changes before the request is on its way.
    body: method === "GET" ? undefined : body.slice(),
    redirect: "manual",
    signal: AbortSignal.timeout(timeout),
  });
}

/** Runs a model by the AI binding: a stream, whether the model streams or not. */
export async function runAi(ai, model, inputs, timeout) {
  const output = await ai.run(model, JSON.parse(inputs), { signal: AbortSignal.timeout(timeout) });
  return output instanceof ReadableStream ? output : new Response(JSON.stringify(output)).body;
}

export function reader(stream) {
  return stream?.getReader({ mode: "byob" });
}

/** The next piece, or undefined at the end. Tokens come in hundreds of tiny pieces, so wait for a kilobyte. */
export async function read(reader) {
  const piece = (await reader?.readAtLeast(1024, new Uint8Array(16384)))?.value;
  return piece?.byteLength ? piece : undefined;
}

export function cancel(reader) {
  reader?.cancel().catch(() => {});
}

/** An error in words fit for a log: addresses, which may hold tokens, are left out. */
export function reason(error) {
  return String(error?.message ?? error).replace(/https?:\S+/g, "<address>").slice(0, 160);
}

export function load(state) {
  return state.storage.kv.get("state");
}

export function save(state, document) {
  state.storage.kv.put("state", document);
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
