// What the control API under /_sim says, as docs/wx-sim-api.md describes it. Times are milliseconds since 1970: of
// requests by the real clock, of chats and codes by the simulated one.

export type AccountType = "personal" | "subscription" | "service" | "test";
export type Mode = "plain" | "compat" | "aes";

/** One message of `GET /_sim/watch`. */
export interface Update {
  /** Drop all you have: the first message of a connection, and after a reset. */
  reset: boolean;
  now_ms: number;
  /** Whole, whenever something in it changed. */
  view: View | null;
  /** New or changed; replace by id. */
  lines: Line[];
  /** What phones show of the Mini Program: new or changed; replace by openid. */
  panels: Panel[];
  /** Messages in them: new or changed; replace by id. */
  messages: MiniMessage[];
  /** New or changed; replace by id. */
  exchanges: Exchange[];
}

export interface View {
  version: string;
  base_url: string;
  target: string | null;
  target_check: TargetCheck | null;
  account: { type: AccountType; app_id: string; original_id: string; name?: string; has_key: boolean; has_secret: boolean; bound: boolean };
  /** The account's Mini Program, if there is one. */
  mini: MiniSettings | null;
  mode: Mode;
  people: Person[];
  network: Network;
  faults: Fault[];
  codes?: Code[];
  /** How far the virtual clock is ahead. */
  advanced_ms: number;
  recording?: null | { steps: number };
}

/** What came of a scenario: `POST /_sim/run` */
export interface RunResult {
  outcome: "passed" | "failed" | "error";
  elapsed_ms: number;
  /** Up to the first that went wrong. */
  steps: StepResult[];
}

export interface StepResult {
  n: number;
  /** The step, as JSON. */
  what: string;
  elapsed_ms: number;
  misses: { place: string; expected: string; came: string }[];
  trouble: string | null;
}

export type Format = "xml" | "json";

export interface MiniSettings {
  app_id: string;
  original_id: string;
  target: string | null;
  target_check: TargetCheck | null;
  /** Whether messages to its customer service are pushed. */
  has_token: boolean;
  has_key: boolean;
  mode: Mode;
  format: Format;
}

/** What somebody's phone shows of the Mini Program. */
export interface Panel {
  openid: string;
  logged_in: boolean;
  busy: boolean;
  conversation_id: string | null;
  fresh: boolean;
  /** As the server listed them last. */
  conversations: Conversation[] | null;
  /** Of the open conversation, by their ids. */
  messages: Id[];
  /** Whether an answer can be gone on with. */
  unfinished: boolean;
  complaint: null | { status: number | null; text: string; retry_after_s: number | null; at_ms: number };
}

export interface Conversation {
  id: string;
  title?: string;
  updated_at?: number;
  status?: string;
}

export type Standing = "done" | "waiting" | "streaming" | "pending" | "left" | "broken" | "failed";

export interface MiniMessage {
  id: Id;
  openid: string;
  role: string;
  text: string;
  at_ms: number;
  state: Standing;
  tokens_used: number | null;
  first_ms: number | null;
  source: string | null;
}

/** Something that a person does in the Mini Program: `POST /_sim/mini/do`. */
export type Deed =
  | "login"
  | "logout"
  | "resume"
  | "new"
  | "list"
  | "delete_all"
  | { login_with: { risky?: boolean } }
  | { say: { text: string; stream?: boolean; leave_after?: number } }
  | { open: string }
  | { delete: string };

export interface TargetCheck {
  ok: boolean;
  elapsed_ms: number;
  detail: string;
}

export interface Person {
  /** By which orders call them. */
  name: string;
  /** What they call themselves. */
  nickname?: string;
  openid: string;
  following: boolean;
  blacklisted: boolean;
  /** 0: not typing. */
  typing_until_ms: number;
  /** Messages that the account may still send them. */
  allowance: number;
  /** The same in the chat with the Mini Program's customer service. */
  mini?: { openid: string; typing_until_ms: number; allowance: number };
  menu?: Button[] | null;
}

/** A menu's button in WeChat's own names: https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu */
export interface Button {
  name: string;
  type?: string;
  key?: string;
  url?: string;
  appid?: string;
  pagepath?: string;
  media_id?: string;
  article_id?: string;
  sub_button?: Button[];
}

/** What happens to messages on their way to the target. */
export interface Network {
  slow_ms: number;
  duplicate: boolean;
  out_of_order: boolean;
  tamper: null | "signature" | "stale";
  cut: boolean;
}

/** What goes wrong with calls of the platform. */
export interface Fault {
  path: string;
  errcode?: number | null;
  http_status?: number | null;
  delay_ms?: number;
  cut?: boolean;
  half?: boolean;
  times?: number | "always";
}

/** A QR code that the stand-in made. */
export interface Code {
  ticket: string;
  scene: string | number;
  url: string;
  expires_ms: number | null;
}

export type Sent =
  | { type: "text"; text: string }
  | { type: "image"; url: string }
  | { type: "voice"; url: string; recognition?: string | null }
  | { type: "video"; url: string }
  | { type: "location"; lat: number; lon: number; label: string }
  | { type: "link"; title: string; description: string; url: string }
  | { type: "page"; title: string; path: string }
  | { type: "event"; name: string; key: string };

export type DeliveryState = "running" | "reply" | "success" | "timeout" | "status" | "refused" | "cut";

export interface Delivery {
  n: number;
  /** The id of its exchange. */
  exchange: Id;
  started_ms: number;
  state: DeliveryState;
  /** Of its answer, if one came. */
  status?: number | null;
  elapsed_ms: number | null;
}

export type Id = number | string;

/** One thing in a chat. */
export interface Line {
  id: Id;
  openid: string;
  at_ms: number;
  from: "person" | "account" | "notice";
  sent?: Sent | null;
  deliveries?: Delivery[] | null;
  limit_ms?: number | null;
  shown?: Bubble | null;
  how?: How | null;
  notice?: string | null;
}

/** By which way something of the account's came. */
export type How =
  | { kind: "passive"; line: Id; delivery: number | null; elapsed_ms: number }
  | { kind: "custom"; after_ms: number | null }
  | { kind: "mass" | "template" | "subscribe" | "menu" };

export interface Link {
  label: string;
  href: string;
  kind: "page" | "menu" | "mini_program";
  send?: string | null;
  id?: string | null;
}

export interface Article {
  title: string;
  description: string;
  pic_url: string;
  url: string;
}

export interface CardLine {
  /** Empty: the value stands alone. */
  name: string;
  value: string;
}

/** What the phone shows. */
export type Bubble =
  | { type: "text"; text: string; links: Link[] }
  | { type: "image"; media_id: string }
  | { type: "voice"; media_id: string }
  | { type: "video"; media_id: string; title: string; description: string }
  | { type: "music"; title: string; description: string; url: string }
  | { type: "news"; articles: Article[] }
  | { type: "menu"; head: string; choices: { id: string; content: string }[]; tail: string }
  | { type: "card"; title: string; lines: CardLine[]; url?: string; mini_program?: { appid: string; pagepath: string } }
  | { type: "transfer"; agent: string | null }
  | { type: "other"; msgtype: string }
  | { type: "error"; text: string };

export type ExchangeKind = "push" | "api" | "model" | "web" | "mini";

/** One request, in whatever direction. */
export interface Exchange {
  id: Id;
  kind: ExchangeKind;
  at_ms: number;
  /** null: it is running. */
  elapsed_ms: number | null;
  method: string;
  path: string;
  /** Short and for people: `text “你好”`. */
  what: string;
  state: "running" | "ok" | "late" | "failed";
  /** `200`, `errcode 0`, `timeout`, … */
  result: string;
  delivery?: { n: number; line: Id | null } | null;
  limit_ms?: number | null;
}

export interface Check {
  rule: string;
  ok: boolean;
  detail: string;
}

export type Headers = [string, string][];

/** `GET /_sim/exchanges/{id}` */
export interface ExchangeDetail extends Exchange {
  request: { url: string; headers: Headers; body: string };
  response: null | { status: number; headers: Headers; body: string };
  /** The pushed XML before it was sealed. */
  plain: string | null;
  /** The reply's plain XML. */
  reply_plain: string | null;
  checks: Check[] | null;
  curl: string;
}

/** Who does what: `POST /_sim/send`. */
export interface SendRequest {
  as: string;
  mini?: boolean;
  page?: { title: string; path: string };
  text?: string;
  bizmsgmenuid?: string;
  image?: string;
  voice?: { data: string; format?: string; recognition?: string };
  link?: { title: string; description: string; url: string };
  location?: { lat: number; lon: number; label: string };
  event?: { type: string; key?: string; fields?: Record<string, string> };
  xml?: string;
}

/** What a tap on a menu button, or a scan, leads to. */
/** What the person gives to a menu button that wants something: of a code, a picture in base64, a place. */
export interface Given {
  scan_result?: string;
  image?: string;
  location?: SendRequest["location"];
}

export interface TapResult {
  open?: string | null;
  mini_program?: { appid: string; pagepath: string } | null;
}
