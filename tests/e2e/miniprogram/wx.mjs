// WeChat's side of a phone: the `wx` that the Mini Program sees, over Node's own fetch and WebSocket.
import assert from "node:assert/strict";

/**
 * `phone.trouble(request)` may order, for one request:
 *
 * - `fail: true`: it never reaches the server
 * - `lost: true`: it reaches the server, but nothing comes back
 * - `cutAfter: bytes`: the connection breaks after so many bytes of the answer
 * - `silentAfter: bytes`: so it does, and nobody is told, as on some iPhones
 * - `dropAfter: messages`: of a WebSocket, the same as `cutAfter`
 * - `atEnd: true`: the chunks come in one piece with the end, as on some computers
 */
export function makeWx(phone) {
  const listen = (event) => (listener) => (phone.listeners[event] ??= []).push(listener);
  const later = (callback, value) => void setImmediate(() => callback?.(value));
  const done = (options, value = {}) => later(options.success, { errMsg: "ok", ...value });
  return {
    env: { USER_DATA_PATH: "http://usr" },
    canIUse: (what) => (what === "request.object.enableChunked" ? phone.streams : true),
    getAppBaseInfo: () => ({ language: phone.language, theme: "light", SDKVersion: "3.5.8" }),
    getNetworkType: (options) => done(options, { networkType: phone.online ? "wifi" : "none" }),
    onAppShow: listen("appShow"),
    onAppHide: listen("appHide"),
    onNetworkStatusChange: listen("networkStatusChange"),

    getStorageSync: (key) => phone.storage.get(key) ?? "",
    setStorageSync: (key, value) => void phone.storage.set(key, value),
    removeStorageSync: (key) => void phone.storage.delete(key),

    login(options) {
      phone.logins += 1;
      phone.world.sim.post("/_sim/login_code", { as: phone.person, risky: phone.risky }).then(
        ({ code }) => options.success?.({ code, errMsg: "login:ok" }),
        () => options.fail?.({ errMsg: "login:fail" }),
      );
    },

    request: (options) => request(phone, options),
    connectSocket: (options) => connectSocket(phone, options),

    navigateTo: (options) => void phone.navigate(options.url).then(() => options.success?.({})),
    reLaunch: (options) => void phone.navigate(options.url, "relaunch").then(() => options.success?.({})),
    setNavigationBarTitle: ({ title }) => void (phone.title = title),
    stopPullDownRefresh: () => void (phone.refreshed = true),
    hideKeyboard: (options) => done(options),

    showToast: ({ title }) => void phone.toasts.push(title),
    showModal(options) {
      phone.modals.push({ title: options.title, content: options.content });
      done(options, { confirm: phone.agrees, cancel: !phone.agrees });
    },
    showActionSheet(options) {
      phone.sheets.push([...options.itemList]);
      done(options, { tapIndex: 0 });
    },
    setClipboardData(options) {
      phone.clipboard = options.data;
      done(options);
    },
    getFileSystemManager: () => ({ writeFileSync: (name, text) => void phone.files.set(name, text) }),
    shareFileMessage(options) {
      phone.shared.push(options.filePath);
      done(options);
    },
    async requestSubscribeMessage({ tmplIds: [template_id], success }) {
      await phone.world.sim.post("/_sim/subscribe", { as: phone.person, template_id, accept: phone.agrees });
      success({ errMsg: "requestSubscribeMessage:ok", [template_id]: phone.agrees ? "accept" : "reject" });
    },
  };
}

function request(phone, options) {
  const { url, method = "GET", header = {}, data, enableChunked = false } = options;
  assert.ok(!enableChunked || phone.streams, "this phone has no enableChunked");
  assert.ok(data === undefined || method !== "GET", "WeChat would put it into the query");
  const known = { method, path: new URL(url).pathname, header, data, enableChunked, chunks: 0, status: 0, aborted: false };
  phone.requests.push(known);
  const order = phone.trouble(known) ?? {};
  const controller = new AbortController();
  let over = false;
  let onChunk = () => {};
  let onHeaders = () => {};
  const fail = (errMsg) => {
    if (over) return;
    over = true;
    controller.abort();
    clearTimeout(timeout);
    setImmediate(() => (options.fail?.({ errMsg, errno: 600001 }), options.complete?.({ errMsg })));
  };
  const succeed = (response) => {
    if (over) return;
    over = true;
    options.success?.({ errMsg: "request:ok", ...response });
    options.complete?.({ errMsg: "request:ok" });
  };
  known.abort = () => {
    if (!over) known.aborted = true;
    over = true;
    controller.abort();
    clearTimeout(timeout);
  };
  const timeout = setTimeout(() => fail("request:fail timeout"), options.timeout ?? 60_000);
  const run = async () => {
    if (!phone.online || order.fail) return fail("request:fail errcode:-106 cronet_error_code:-106 error_msg:net::ERR_INTERNET_DISCONNECTED");
    if (phone.hidden) return fail("request:fail interrupted");
    const body = data === undefined ? undefined : JSON.stringify(data);
    const referer = "https://servicewechat.com/wx/0/page-frame.html";
    const sent = { "content-type": "application/json", "cf-connecting-ip": phone.address, referer, ...header };
    const response = await fetch(url, { method, headers: sent, body, signal: controller.signal });
    known.status = response.status;
    if (order.lost) return fail("request:fail timeout");
    const answer = { statusCode: response.status, header: capitalised(response.headers) };
    if (!enableChunked) {
      const text = await response.text();
      return succeed({ ...answer, data: options.dataType === "text" ? text : json(text) });
    }
    if (!over) onHeaders(answer);
    let count = 0;
    const kept = [];
    for await (const bytes of response.body) {
      for (let start = 0; start < bytes.length && !over; start += phone.piece) {
        // A buffer of its own, as long as the piece.
        const piece = bytes.slice(start, start + phone.piece);
        count += piece.length;
        if (order.silentAfter && count > order.silentAfter) return;
        if (order.cutAfter && count > order.cutAfter) return fail("request:fail errcode:-101 cronet_error_code:-101 error_msg:net::ERR_CONNECTION_RESET");
        known.chunks += 1;
        if (order.atEnd) kept.push(Buffer.from(piece));
        else onChunk({ data: piece.buffer });
      }
    }
    const late = order.atEnd ? { data: Buffer.concat(kept).toString(), statusCode: NaN } : { data: "" };
    succeed({ ...answer, ...late });
  };
  // Nothing of it happens before the caller has the task.
  setImmediate(() => run().catch(() => fail("request:fail")).finally(() => clearTimeout(timeout)));
  return {
    abort: () => {
      if (!over) known.aborted = true;
      fail("request:fail abort");
    },
    onChunkReceived: (listener) => void (onChunk = listener),
    onHeadersReceived: (listener) => void (onHeaders = listener),
  };
}

/** Names of headers as phones give them: `Retry-After`. */
const capitalised = (headers) =>
  Object.fromEntries([...headers].map(([name, value]) => [name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()), value]));

/** What is no JSON stays text, as `dataType: "json"` has it. */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function connectSocket(phone, { url, header = {}, fail }) {
  const on = { open: () => {}, message: () => {}, error: () => {}, close: () => {} };
  const known = { path: new URL(url).pathname, sent: [], received: [] };
  phone.sockets.push(known);
  known.drop = () => {};
  if (!phone.online) {
    setImmediate(() => fail?.({ errMsg: "connectSocket:fail" }));
  } else {
    // The WebSocket of Node is that of undici, which can send headers.
    const socket = new WebSocket(url, { headers: { "cf-connecting-ip": phone.address, ...header } });
    const order = phone.trouble({ method: "SOCKET", path: known.path, header }) ?? {};
    let dead = false;
    known.drop = () => {
      if (dead) return;
      dead = true;
      socket.close();
      on.close({ code: 1006, reason: "" });
    };
    known.socket = socket;
    socket.onopen = () => !dead && on.open({ header: {} });
    socket.onmessage = ({ data }) => {
      if (dead) return;
      known.received.push(data);
      on.message({ data });
      if (order.dropAfter && known.received.length >= order.dropAfter) known.drop();
    };
    socket.onerror = () => !dead && on.error({ errMsg: "fail" });
    socket.onclose = ({ code, reason }) => {
      if (dead) return;
      dead = true;
      on.close({ code, reason });
    };
  }
  return {
    send: ({ data, fail }) => {
      known.sent.push(data);
      if (known.socket?.readyState === WebSocket.OPEN) known.socket.send(data);
      else fail?.({ errMsg: "sendSocketMessage:fail" });
    },
    close: () => known.socket?.readyState <= WebSocket.OPEN && known.socket.close(1000),
    onOpen: (listener) => void (on.open = listener),
    onMessage: (listener) => void (on.message = listener),
    onError: (listener) => void (on.error = listener),
    onClose: (listener) => void (on.close = listener),
  };
}
