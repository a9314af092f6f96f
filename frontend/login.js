// The login page's script: it follows the attempt, tells the website's window, and takes the result. All it needs is
// in the attributes of <main>, which the Worker renders anew whenever something has changed. Without it the page works
// too, more slowly.

/** How often a socket is asked whether it lives, milliseconds. */
const PING = 25_000;
/** Without sockets, the status is asked for this often, and so many times. */
const POLL = 2_000;
const POLLS = 90;
/** A QR code is renewed so many times on a page that nobody touches. */
const RENEWALS = 3;
/** The tick is seen for this long; if the window is still there after the second time, it says so. */
const SEEN = 800;
const STAYS = 3_000;

const OPEN = ["pending", "scanned", "number"];
const ways = globalThis.trustedTypes?.createPolicy("wxapi-login", { createHTML: (text) => text });
const opener = window.opener;
let main = document.querySelector("main");
/** The status that was acted on. */
let seen;
let ends = Infinity;
let renew = Infinity;
let renewals = 0;
let wake = () => {};
let socket;
/** One thing after the other, so that an old page never replaces a newer one. */
let queue = Promise.resolve();

const now = () => Date.now();
const isOpen = () => OPEN.includes(main.dataset.status);
const api = (what) => `/oauth/s/${main.dataset.login}/${what}`;
const say = (text) => (document.querySelector("#say").textContent = text ?? "");

/** Waits; coming back online ends it early. */
const pause = (time) =>
  new Promise((done) => {
    const timer = setTimeout(done, time);
    wake = () => (clearTimeout(timer), done());
  });
/** Longer with each attempt, and never all browsers at once. */
const later = (attempt) => pause(1_000 * 2 ** Math.min(attempt - 1, 3) + 500 * Math.random());

/** Says that the connection is lost, or that it is back: attempt 0. */
function offline(attempt) {
  const toast = document.querySelector("#offline");
  const text = attempt ? toast.dataset.text.replace("{}", attempt) : "";
  if (toast.textContent !== text) toast.textContent = text;
}

async function persist(work) {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work();
      offline(0);
      return result;
    } catch {
      offline(attempt);
      await later(attempt);
    }
  }
}

// --- The website's window -------------------------------------------------------------------------------------------

/** Only ever to the exact origin that is registered for the website. */
function tell(message) {
  const { origin } = main.dataset;
  if (origin && opener) opener.postMessage(message, origin);
}

function progress(status) {
  const { legacy, state } = main.dataset;
  if (legacy === undefined) tell({ type: "wxapi-login", state, status });
}

function failed(error) {
  const { legacy, state, error: data } = main.dataset;
  tell(legacy === undefined ? { type: "wxapi-login", state, error } : JSON.stringify({ code: 400, data }));
}

async function finish() {
  socket?.close();
  const post = { method: "POST", headers: { accept: "application/json" } };
  const answer = await persist(async () => {
    const answer = await fetch(api("finish"), post);
    if (answer.status >= 500) throw new Error("later");
    return answer;
  });
  if (!answer.ok) return update();
  const { origin, message, redirect, form } = await answer.json();
  if (message && origin && opener) {
    opener.postMessage(message, origin);
    // The message is on its way only while its window is.
    setTimeout(() => close(), SEEN);
    setTimeout(update, STAYS);
  } else if (form) {
    send(form);
  } else if (redirect) {
    location.replace(redirect);
  } else {
    update();
  }
}

function send({ action, fields }) {
  const form = Object.assign(document.createElement("form"), { method: "post", action, hidden: true });
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}

// --- The page ---------------------------------------------------------------------------------------------------------

/** Renders the page anew, as the Worker sees it now. */
const update = () => (queue = queue.then(() => persist(fetchPage)));

/** Somebody says how far it is. */
const heard = (status) => (queue = queue.then(() => status !== main.dataset.status && persist(fetchPage)));

async function fetchPage() {
  const answer = await fetch(main.dataset.page, { headers: { accept: "text/html" } });
  const text = await answer.text();
  const parsed = new DOMParser().parseFromString(ways ? ways.createHTML(text) : text, "text/html");
  const next = parsed.querySelector("main");
  if (!next) throw new Error("not a page of ours");
  const { activeElement: focus } = document;
  const held = main.contains(focus);
  main.replaceWith(next);
  main = next;
  // Whoever goes by keyboard goes on from here, not from the top.
  if (held) {
    main.tabIndex = -1;
    (main.querySelector(focus.id ? `#${focus.id}` : "[autofocus]") ?? main).focus();
  }
  begin();
}

/** Acts on what the page says now. */
function begin() {
  const { status, say: text, endsIn, rotateIn } = main.dataset;
  ends = now() + Number(endsIn);
  renew = rotateIn ? now() + Number(rotateIn) : Infinity;
  tick();
  if (status === seen) return;
  if (seen) say(text);
  seen = status;
  if (status === "confirmed") {
    progress(status);
    finish();
  } else if (status === "denied" || status === "expired") {
    failed(status === "denied" ? "access_denied" : "expired_token");
  } else if (isOpen()) {
    progress(status);
  }
}

/** Once a second: the clock, the ring, and what is due. */
function tick() {
  if (!isOpen()) return;
  const left = Math.max(0, ends - now());
  const text = `${Math.floor(left / 60_000)}:${String(Math.floor(left / 1_000) % 60).padStart(2, "0")}`;
  for (const clock of main.querySelectorAll(".clock")) clock.textContent = text;
  const drawn = Math.min(100, (left / main.dataset.lifetime) * 100);
  main.querySelector(".ring .left")?.setAttribute("stroke-dashoffset", 100 - drawn);
  if (left === 0) {
    // The Worker's clock decides; if it is behind, the page comes back as it was.
    ends = now() + POLL;
    update();
  } else if (now() >= renew && !document.hidden) {
    renew = Infinity;
    if (renewals++ < RENEWALS) update();
    else stale();
  }
}

function stale() {
  const state = main.querySelector("#stale");
  main.querySelector(".box")?.replaceChildren(state.content.cloneNode(true));
  say(state.dataset.say);
}

// --- Following the attempt -----------------------------------------------------------------------------------------

/** Listens until the socket is gone; resolves with whether it was ever there. */
const listen = () =>
  new Promise((done) => {
    let opened = false;
    let alive = true;
    let timer;
    const end = () => (clearInterval(timer), done(opened));
    try {
      socket = new WebSocket(location.origin.replace(/^http/, "ws") + api("watch"));
    } catch {
      return end();
    }
    const mine = socket;
    mine.onopen = () => {
      opened = true;
      offline(0);
      timer = setInterval(() => {
        if (!alive) return mine.close(), end();
        alive = false;
        mine.send("ping");
      }, PING);
    };
    mine.onmessage = ({ data }) => {
      alive = true;
      if (data !== "pong") heard(JSON.parse(data).status);
    };
    mine.onclose = end;
  });

/** Asks once; false if nobody answers. */
async function ask() {
  try {
    const answer = await fetch(api("status"), { headers: { accept: "application/json" } });
    if (answer.status >= 500) return false;
    heard(answer.ok ? (await answer.json()).status : "gone");
    await queue;
    return true;
  } catch {
    return false;
  }
}

/** By a socket; where none can be had, by asking. */
async function follow() {
  let had = false;
  for (let failures = 0, polls = 0; isOpen() && polls < POLLS; ) {
    if ((had || failures < 2) && (await listen())) {
      had = true;
      failures = 0;
    }
    await queue;
    if (!isOpen()) return;
    failures += 1;
    const there = await ask();
    offline(there ? 0 : failures);
    if (there && !had) {
      polls += 1;
      await pause(POLL);
    } else {
      await later(failures);
    }
  }
}

// --- What people do --------------------------------------------------------------------------------------------------

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Not allowed, or no TLS: the old way.
    getSelection().selectAllChildren(main.querySelector("#words"));
    document.execCommand("copy");
  }
  const label = button.textContent;
  if (label === button.dataset.done) return;
  say(button.dataset.done);
  button.textContent = button.dataset.done;
  setTimeout(() => (button.textContent = label), POLL);
}

addEventListener("click", ({ target }) => {
  const on = (what) => target.closest?.(`[data-${what}]`);
  if (on("copy")) copy(on("copy"));
  if (on("go")) progress("leaving");
  if (on("close")) globalThis.WeixinJSBridge ? WeixinJSBridge.call("closeWindow") : close();
});
addEventListener("online", () => wake());
// Out of the browser's memory the page is as old as when it was left, and its socket is dead.
addEventListener("pageshow", ({ persisted }) => persisted && main.dataset.login && (update(), socket?.close()));

document.documentElement.dataset.js = "";
document.querySelector("form[data-send]")?.submit();
if (main?.dataset.login) {
  progress("hello");
  begin();
  setInterval(tick, 1_000);
  follow();
}
