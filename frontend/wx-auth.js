/**
 * Login with WeChat for a website: the class {@link WxApiLogin} and the element `<wechat-login-button>`.
 *
 * A login is an authorization code with PKCE (RFC 7636). The verifier never leaves this tab; what comes back from the
 * login page, by message or by address, is a code that is worth nothing without it.
 *
 * `uid` is a convenience for the page, NOT proof of who somebody is: whoever sits at the browser can write it. A server
 * must verify `token`, an ID token signed with the keys at `<host>/.well-known/jwks.json`.
 *
 * ES2022, no dependency; wx-auth.d.ts has the types. Every byte here is sent to every visitor: tools/frontend.mjs
 * fails over 4,096 of them.
 */

/** The type of every message, and the name of whatever needs one: a channel, a key of storage. */
const NAME = "wxapi-login";

/** The window's name: all attempts of this page have the same window, those of another tab never. */
const WINDOW = NAME + Math.random();

/** What people read, in Chinese and English; errors have their codes as names. Others than these concern developers. */
const TEXTS = {
  popup_blocked: ["登录窗口被浏览器拦截", "Login window blocked"],
  cancelled: ["已取消登录", "Login cancelled"],
  closed_by_user: ["已取消登录", "Login cancelled"],
  expired_token: ["登录已过期，请重试", "Login expired, try again"],
  access_denied: ["登录被拒绝", "Login denied"],
  network: ["网络错误，请重试", "Network error, try again"],
  timeout: ["登录超时", "Login timed out"],
  failed: ["登录失败", "Login failed"],
  button: ["微信登录", "Log in with WeChat"],
  open: ["打开登录窗口", "Open login window"],
  cancel: ["取消", "Cancel"],
  pending: ["请在登录窗口中继续", "Continue in the login window"],
  scanned: ["请在手机上确认", "Confirm on your phone"],
  done: ["已登录", "Logged in"],
};

const BUTTON = "font:inherit;min-height:44px;padding:9px 18px;border:0;border-radius:8px;cursor:pointer;";
const GREEN = `${BUTTON}font-weight:600;background:var(--wx-bg,#077a3f);color:var(--wx-fg,#fff);`;

/** The glyph is a speech bubble of our own; WeChat's logo belongs to Tencent. */
const STYLE = `:host(:not([hidden])){display:inline-block}button{${GREEN}}button:before{content:"";display:inline-block;width:1em;height:.8em;margin-right:8px;border-radius:50% 50% 50% 9%;background:currentColor}button:hover{filter:brightness(1.1)}[aria-busy=true]{cursor:progress}span{display:block;font-size:.85em}`;

/** Whether to speak Chinese: as asked for, or else as the page or the browser does. */
const isChinese = (asked) => /^zh/i.test(asked || document.documentElement.lang || navigator.language);

const say = (name, lang) => TEXTS[name]?.[isChinese(lang) ? 0 : 1];

/** What a browser that blocks storage throws at, and then is undefined. */
const attempted = (touch) => {
  try {
    return touch();
  } catch {}
};

/** What this tab keeps over reloads: the attempt, or by a longer name a session. True, if it can. */
const keep = (value, name = NAME) => attempted(() => (sessionStorage[name] = JSON.stringify(value)));
const kept = (name = NAME) => attempted(() => JSON.parse(sessionStorage[name]));

const make = (tag, text, style = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.style.cssText = style;
  return element;
};

/** A query or a form, of those fields that have a value. */
const fields = (all) => new URLSearchParams(Object.entries(all).filter(([, value]) => value));

export class WxApiLogin extends EventTarget {
  /** One for each host. */
  static #all = {};

  #host;
  #options = {};
  #session;
  /** State, verifier and challenge of the next attempt: made before the click, because hashing is asynchronous. */
  #next;
  /** How to wait for the attempt that runs. */
  #join;
  /** Where messages go: to the last attempt, which may have failed: the login page offers to try again. */
  #receive;
  #channel;
  #arrived;

  /**
   * There is one object for each host. Constructing a second one gives the first, with the options changed that the
   * second names; an attempt that runs keeps those it began with.
   *
   * @param {string} host where the Worker is: `https://login.example.com`
   * @param {string | import("./wx-auth.js").WxApiLoginOptions} [options] a string is the `key`
   */
  constructor(host, options) {
    super();
    host = this.#host = new URL(host).origin;
    const self = (WxApiLogin.#all[host] ??= this);
    Object.assign(self.#options, typeof options === "string" ? { key: options } : options);
    if (self !== this) return self;
    this.#session = kept(NAME + host);
    this.#prepare();
    addEventListener("message", ({ origin, source, data }) => origin === host && this.#receive?.(data, source));
    addEventListener("storage", ({ key, newValue }) => {
      if (key === NAME) this.#receive?.(JSON.parse(newValue));
      else if ((!key || key === this.#key) && this.#session && this.#session.uid !== newValue) this.#forget();
    });
    this.#arrived = this.#arrive();
  }

  get #key() {
    return this.#options.key ?? "LocalUid";
  }

  /** The user id: of the session, or remembered in localStorage. A hint, not proof. */
  get uid() {
    return this.session?.uid ?? attempted(() => localStorage[this.#key]) ?? null;
  }

  /** `{ uid, token, profile, exp }` until the token expires. This tab keeps it over reloads. */
  get session() {
    return this.#session?.exp > Date.now() / 1e3 ? this.#session : null;
  }

  /**
   * Begins a login, or joins the one that runs. Call it in the click, so that the browser lets the window open.
   *
   * @param {((answer: object) => void) | { signal?: AbortSignal }} [how]
   * @returns {Promise<import("./wx-auth.js").WxApiSession>}
   */
  login(how) {
    const running = this.#join;
    return (running ?? this.#attempt())(how, running);
  }

  /** The session that redirect mode brings to this page, or null. Every call has the same answer. */
  async handleRedirect() {
    return this.#arrived;
  }

  /** Forgets the session and the user id, in all tabs of this website. */
  logout() {
    attempted(() => delete localStorage[this.#key]);
    this.#forget();
  }

  #forget() {
    this.#session = null;
    keep(null, NAME + this.#host);
    this.#emit("logout");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /**
   * For the page at `callback`: takes the result in its address to where the login began: back to that page, or from a
   * popup without opener to the other tab. False if there is no result.
   */
  static callback() {
    const { state, code, iss, error } = Object.fromEntries(new URLSearchParams(location.search));
    const answer = { type: NAME, state, code, iss, error };
    const attempt = kept();
    if (!state || !(code || error)) return false;
    // A popup has a copy of its opener's sessionStorage: only `redirect` says that it was this tab.
    if (attempt?.redirect && attempt.state === state) {
      keep({ ...attempt, answer });
      location.replace(attempt.back);
    } else {
      new BroadcastChannel(NAME).postMessage(answer);
      attempted(() => {
        localStorage[NAME] = JSON.stringify(answer);
        delete localStorage[NAME];
      });
      setTimeout(close, 200);
    }
    return true;
  }

  #prepare() {
    if (!isSecureContext) return;
    const next = (this.#next = { state: crypto.randomUUID(), verifier: crypto.randomUUID() + crypto.randomUUID() });
    next.ready = crypto.subtle.digest("SHA-256", new TextEncoder().encode(next.verifier)).then((hash) => {
      const text = btoa(String.fromCharCode(...new Uint8Array(hash)));
      return (next.challenge = text.replace(/\+/g, "-").replace(/\//g, "_").replace("=", ""));
    });
  }

  /** Takes up what an earlier page of this tab began; gives what `handleRedirect` promises. */
  #arrive() {
    const attempt = kept();
    if (attempt?.host !== this.#host) return null;
    const { state, redirect, answer } = attempt;
    // The login page came back to a page that has the widget, too: it leaves for the one where the login began.
    if (location.search.includes(state) && WxApiLogin.callback()) return new Promise(() => {});
    // A popup may still be open while its opener is reloaded. A window that has an opener has only a copy of this.
    if (!answer && (redirect || opener || attempt.ends < Date.now())) return null;
    const promise = this.#attempt(attempt)();
    if (!answer) return (this.#join = null);
    keep(null); // heard once, whatever it is
    setTimeout(this.#receive, 0, answer); // by those, too, who listen from now on
    return promise;
  }

  /** An attempt: a new one, or one that an earlier page of this tab began. Gives what waits for its end. */
  #attempt(old) {
    const host = this.#host;
    const { mode, blocked, callback, clientId, lang, theme, method, profile, timeout = 3e5 } = this.#options;
    const { ready, ...next } = this.#next ?? {};
    const { href, origin, pathname } = location;
    const attempt = old ?? {
      ...next,
      host,
      client: { client_id: clientId, redirect_uri: callback && new URL(callback, href).href },
      back: href,
    };
    let popup, hello, used, watch, dialog, settle;
    let gone = 0;
    const promise = new Promise((...both) => (settle = both));
    promise.catch(() => {}); // whoever does not wait has the callback or the event

    const end = (again) => {
      this.#join = null;
      watch = clearInterval(watch);
      dialog?.remove();
      if (again) return;
      this.#receive = null;
      popup?.close();
      keep(null);
    };

    const fail = (reason = "network") => {
      if (this.#receive !== receive) return clearInterval(watch);
      const code = reason === "invalid_grant" ? "expired_token" : reason.includes("_client") ? "origin_not_allowed" : reason;
      const error = Object.assign(new Error(say(code, lang) ?? `${say("failed", lang)}: ${code}`), { code });
      // After these two the login page offers to try again.
      end(/expired|denied/.test(code) && !used);
      settle[1](error);
      this.#emit("error", error);
    };

    const cancel = () => fail("cancelled");

    const redeem = async (code) => {
      used = true;
      watch = clearInterval(watch);
      this.#join = join; // who asks now, waits for this
      keep(null);
      const body = fields({ ...attempt.client, grant_type: "authorization_code", code, code_verifier: attempt.verifier });
      let answer;
      // A form needs no preflight. Who is offline for a moment has the code's minute to come back.
      for (let tries = 6; !answer && tries--; ) {
        answer = await fetch(`${host}/token`, { method: "POST", body, credentials: "omit" })
          .then((response) => response.json())
          .catch(() => new Promise((resolve) => setTimeout(resolve, 2e3)));
      }
      const token = answer?.id_token;
      if (!token) return fail(answer?.error);
      // Not verified here: it came from the host itself, by TLS.
      const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
      const { sub, exp, iat, name, picture } = JSON.parse(decodeURIComponent(escape(bytes)));
      // `exp` by this browser's clock, which may be wrong.
      const session = (this.#session = { uid: sub, token, profile: { name, picture }, exp: Math.floor(Date.now() / 1e3) + exp - iat });
      keep(session, NAME + host);
      attempted(() => (localStorage[this.#key] = sub));
      end();
      settle[0](session);
      this.#emit("login", session);
    };

    /**
     * What the login page says. Of `source` the first counts, where this page did not open the window itself: a link
     * did, or it was reloaded since. By way of `callback` there is none.
     */
    const receive = (this.#receive = (data, source) => {
      if (data?.type !== NAME || data.state !== attempt.state || used) return;
      if (source && (popup ??= source) !== source) return;
      const { status, error, code, iss } = data;
      if (status) {
        hello = status !== "leaving";
        watch ?? follow();
        this.#emit("status", { status });
      } else if (error) fail(error);
      else if (iss === host) redeem(code);
    });
    (this.#channel ??= new BroadcastChannel(NAME)).onmessage = ({ data }) => this.#receive?.(data);

    /** Watches the window: from the click, and again if it goes on after a no, or after a reload of this page. */
    const follow = () => {
      attempt.ends = Date.now() + +timeout;
      watch = setInterval(() => {
        // Under COOP `closed` is true of a window that is open; whoever said hello is not out of reach.
        gone = hello && popup?.closed ? gone + 1 : 0;
        if (gone > 4) fail("closed_by_user");
        else if (Date.now() > attempt.ends) fail("timeout");
      }, 400);
    };

    const address = (challenge) => {
      const { client, state, redirect } = attempt;
      return `${host}/oauth?${fields({
        ...client,
        target: origin,
        state,
        challenge,
        mode: redirect ? "redirect" : "popup",
        lang: isChinese(lang) ? "zh" : "en",
        theme,
        method,
        scope: profile && "profile",
      })}`;
    };

    /** Opens the window at once; where it leads may take a millisecond more. */
    const show = () => {
      const { challenge } = attempt;
      popup = open(challenge ? address(challenge) : "about:blank", WINDOW, `popup,width=440,height=680,left=${screenX + outerWidth / 2 - 220},top=${screenY + 60}`);
      if (!challenge) ready.then((challenge) => popup?.location.replace(address(challenge)));
      return popup;
    };

    const leave = () => {
      watch = clearInterval(watch);
      attempt.redirect = true;
      attempt.client.redirect_uri ??= origin + pathname;
      if (!keep(attempt)) return fail("storage_blocked");
      // Back from the login page, while the browser has kept this one.
      addEventListener("pageshow", ({ persisted }) => persisted && cancel());
      ready.then((challenge) => location.assign(address(challenge)));
    };

    const ask = (challenge) => {
      const url = address(challenge);
      this.#emit("blocked", { url });
      if (blocked === "redirect") return leave();
      if (blocked === "error") return fail("popup_blocked");
      dialog = make("dialog", say("popup_blocked", lang), BUTTON);
      // No browser blocks a link.
      const link = make("a", say("open", lang), `${GREEN}display:block;margin:9px 0;text-decoration:none`);
      const no = make("button", say("cancel", lang), BUTTON);
      Object.assign(link, { href: url, target: WINDOW, rel: "opener", onclick: () => setTimeout(() => dialog.remove()) });
      no.onclick = dialog.oncancel = cancel;
      dialog.append(link, no);
      document.body.append(dialog);
      dialog.showModal();
    };

    const join = (this.#join = (how, again) => {
      if (typeof how === "function") promise.then(({ uid }) => how({ code: 200, data: uid }), ({ code, message }) => how({ code: 400, data: message, error: code }));
      // A window that closed without a word cannot be told from one out of reach (COOP): open it again.
      if (again && watch) popup && !popup.closed ? popup.focus() : show();
      how?.signal?.aborted ? cancel() : how?.signal?.addEventListener("abort", cancel);
      return promise;
    });
    if (old) return join;
    if (!ready) return fail("insecure_context"), join;
    this.#prepare();
    this.#emit("status", { status: "pending" });
    if (mode === "redirect" || (mode !== "popup" && /Mobi|MicroMessenger/.test(navigator.userAgent) && self === top)) return leave(), join;
    follow();
    keep(attempt);
    if (!show()) ready.then(ask);
    return join;
  }
}

/** Where there is no HTMLElement, as on a server that renders pages, the class can be imported still. */
class WechatLoginButton extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["host", "label", "lang"];
  #button = make("button");
  #status = make("span");
  #listening;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    this.#button.part = "button";
    this.#button.onclick = () => this.#wx().login();
    this.#status.part = this.#status.role = "status";
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", STYLE)); // Safari before 16.4
    }
    root.append(this.#button, this.#status);
  }

  connectedCallback() {
    this.disconnectedCallback();
    if (!this.getAttribute("host")) return;
    const wx = this.#wx();
    const { signal } = (this.#listening = new AbortController());
    const on = (type, show) => wx.addEventListener(type, ({ detail }) => show(detail), { signal });
    const show = (detail) => this.#show(detail?.message ?? (wx.session && say("done", this.lang)));
    on("status", ({ status }) => {
      const text = say(status, this.lang);
      if (text) this.#show(text, true);
    });
    for (const type of ["login", "error"]) {
      on(type, (detail) => {
        show(detail);
        this.dispatchEvent(new CustomEvent(`wechat-${type}`, { detail, bubbles: true, composed: true }));
      });
    }
    on("logout", show);
    show();
  }

  disconnectedCallback() {
    this.#listening?.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  /** Every attribute is the option of its name: `client-id` is `clientId`. */
  #wx() {
    const options = Object.fromEntries([...this.attributes].map(({ name, value }) => [name.replace("client-id", "clientId"), value]));
    return new WxApiLogin(options.host, options);
  }

  #show(text, busy = false) {
    this.#button.textContent = this.getAttribute("label") ?? say("button", this.lang);
    this.#button.ariaBusy = busy;
    this.#status.textContent = text ?? "";
  }
}

const { customElements: elements } = globalThis;
elements?.get("wechat-login-button") ?? elements?.define("wechat-login-button", WechatLoginButton);
