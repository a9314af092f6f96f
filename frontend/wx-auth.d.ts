/** The Worker, the widget's options, and what people see: `frontend/README.md`. */
export interface WxApiLoginOptions {
  /** The website's `id` in `LOGIN_CLIENTS`. Without it the Worker goes by the page's origin. */
  clientId?: string;
  /** `auto`: a window on computers, the whole page on phones and inside WeChat. Default: `auto`. */
  mode?: "auto" | "popup" | "redirect";
  /** What happens where the browser blocks the window. Default: `dialog`, with a link that no browser blocks. */
  blocked?: "dialog" | "redirect" | "error";
  /** The language of the texts and of the login page. Default: that of the page, or of the browser. */
  lang?: string;
  /** The login page's looks. Default: as the system has them. */
  theme?: "light" | "dark";
  /** The key in localStorage where the user id is remembered. Default: `LocalUid`. */
  key?: string;
  /** Milliseconds after which a login fails with `timeout`. Default: 300,000. */
  timeout?: number;
  /**
   * The page that calls `WxApiLogin.callback()`; its address must be among the website's `redirect_uris`. Needed for
   * redirect mode, where it is this page's own address otherwise, and for websites that send
   * `Cross-Origin-Opener-Policy: same-origin`.
   */
  callback?: string;
  /** The one method to offer, as in `LOGIN_METHODS`. */
  method?: string;
  /** Ask for name and picture too; not every method has them. */
  profile?: boolean;
}

/** Somebody who is logged in. */
export interface WxApiSession {
  /** The user id: `sub` of the token. What a page does with it is a convenience; it is not proof. */
  uid: string;
  /** The ID token. A server verifies it with the keys at `<host>/.well-known/jwks.json`. */
  token: string;
  /** Name and picture, where they were asked for and the method has them. */
  profile: { name?: string; picture?: string };
  /** When the token expires, in seconds since 1970 by this browser's clock. */
  exp: number;
}

export type WxApiErrorCode =
  | "popup_blocked"
  | "cancelled"
  | "closed_by_user"
  | "expired_token"
  | "access_denied"
  | "origin_not_allowed"
  | "storage_blocked"
  | "insecure_context"
  | "network"
  | "timeout";

/** Why there is no session. `message` is for people, in their language. */
export interface WxApiError extends Error {
  /** One of ours, or an error of OAuth as the Worker said it. */
  code: WxApiErrorCode | (string & {});
}

/** What a callback gets. */
export type WxApiAnswer = { code: 200; data: string } | { code: 400; data: string; error: WxApiError["code"] };

export interface WxApiLoginEvents {
  /** How far it is: `pending`, `hello`, `scanned`, `number`, `confirmed`, `leaving`. */
  status: CustomEvent<{ status: string }>;
  login: CustomEvent<WxApiSession>;
  error: CustomEvent<WxApiError>;
  /** The browser blocked the window; `url` is where it would have led. */
  blocked: CustomEvent<{ url: string }>;
  /** In this tab or another. */
  logout: CustomEvent<undefined>;
}

/** Login with WeChat for one host. There is one object for each: a second `new` gives the first, its options merged. */
export class WxApiLogin extends EventTarget {
  /** @param options a string is the `key` */
  constructor(host: string | URL, options?: string | WxApiLoginOptions);

  /**
   * Begins a login, or joins the one that runs. Call it in the click, so that the browser lets the window open.
   * Rejects with a `WxApiError`.
   */
  login(how?: ((answer: WxApiAnswer) => void) | { signal?: AbortSignal }): Promise<WxApiSession>;

  /** The session that redirect mode brought to this page, or null. Rejects with a `WxApiError`, as after a no. */
  handleRedirect(): Promise<WxApiSession | null>;

  /** Forgets the session and the user id, in all tabs of this website. */
  logout(): void;

  /** The user id of the session, or the one remembered in localStorage: a hint, not proof. */
  readonly uid: string | null;

  /** Until the token expires; this tab keeps it over reloads. */
  readonly session: WxApiSession | null;

  /** For the page at `callback`: hands the result in its address over. False if there is none. */
  static callback(): boolean;

  addEventListener<K extends keyof WxApiLoginEvents>(
    type: K,
    listener: (this: WxApiLogin, event: WxApiLoginEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof WxApiLoginEvents>(
    type: K,
    listener: (this: WxApiLogin, event: WxApiLoginEvents[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** The attributes of `<wechat-login-button>`; those without a meaning for the button are options of `WxApiLogin`. */
export interface WechatLoginButtonAttributes {
  host: string;
  "client-id"?: string;
  mode?: WxApiLoginOptions["mode"];
  blocked?: WxApiLoginOptions["blocked"];
  lang?: string;
  /** What the button says. */
  label?: string;
  theme?: WxApiLoginOptions["theme"];
  key?: string;
  method?: string;
  callback?: string;
  timeout?: number | string;
}

export interface WechatLoginButtonEvents {
  "wechat-login": CustomEvent<WxApiSession>;
  "wechat-error": CustomEvent<WxApiError>;
}

/** `<wechat-login-button>`. Parts: `button`, `status`. CSS: `--wx-bg`, `--wx-fg`. */
export interface WechatLoginButton extends HTMLElement {
  addEventListener<K extends keyof WechatLoginButtonEvents>(
    type: K,
    listener: (this: WechatLoginButton, event: WechatLoginButtonEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "wechat-login-button": WechatLoginButton;
  }
  interface HTMLElementEventMap extends WechatLoginButtonEvents {}
}

/*
 * In JSX, say once what the element takes. React 19, in any .d.ts of the project:
 *
 *   import type { WechatLoginButtonAttributes } from "wxapi-login";
 *   declare module "react" {
 *     namespace JSX {
 *       interface IntrinsicElements {
 *         "wechat-login-button": WechatLoginButtonAttributes & { ref?: Ref<HTMLElement>; className?: string };
 *       }
 *     }
 *   }
 *
 * `key` is React's own there; set it by `ref` or use the class. Preact: `declare module "preact"`. Vue: tell the
 * compiler by `isCustomElement: (tag) => tag === "wechat-login-button"`.
 */
