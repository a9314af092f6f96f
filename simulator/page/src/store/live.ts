// What the simulator says, live: one EventSource, by itself again after a break.
import { batch, computed, signal } from "@preact/signals";
import type { Exchange, Id, Line, MiniMessage, Panel, Person, Update, View } from "../types";
import { t } from "../text";
import { setAdvanced, setNow } from "./clock";
import { chosenName } from "./prefs";
import { inWindow } from "./ui";

export type Connection = "connecting" | "open" | "lost";

export const connection = signal<Connection>("connecting");
export const view = signal<View | null>(null);

/** Every line, by id, in the order of their coming; `version` changes with each update. */
const lineById = new Map<Id, Line>();
const exchangeById = new Map<Id, Exchange>();
const panelByOpenid = new Map<string, Panel>();
const messageById = new Map<Id, MiniMessage>();
const lineVersion = signal(0);
const panelVersion = signal(0);
const exchangeVersion = signal(0);

/** Kept here, a little more than the simulator keeps. */
const MOST_EXCHANGES = 1200;
const MOST_LINES = 5000;
/** Messages of one frame are drawn together: under load there are many. */
const FRAME_MS = 16;

/** How long to wait before a connection that the browser gave up on is tried again. */
const RETRY_MS = 1500;

export function watch() {
  const source = new EventSource("/_sim/watch");
  source.onopen = () => (connection.value = "open");
  source.onmessage = (message) => receive(JSON.parse(message.data) as Update);
  source.onerror = () => {
    connection.value = "lost";
    // The browser tries again after a break of the line, but not after an answer other than an event stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(watch, RETRY_MS);
  };
  current = source;
}

let current: EventSource | undefined;
// A page that the browser only put aside comes back without its connection.
addEventListener("pagehide", () => current?.close());
addEventListener("pageshow", (event) => event.persisted && watch());

let received: Update[] = [];

function receive(update: Update) {
  setNow(update.now_ms);
  if (received.length === 0) setTimeout(takeAll, FRAME_MS);
  received.push(update);
}

function takeAll() {
  const updates = received;
  received = [];
  batch(() => updates.forEach(take));
}

function take(update: Update) {
  if (update.reset) {
    lineById.clear();
    exchangeById.clear();
    panelByOpenid.clear();
    messageById.clear();
  }
  if (update.view) {
    view.value = update.view;
    forgetOthers(update.view.people);
    setAdvanced(update.view.advanced_ms);
  }
  for (const line of update.lines) lineById.set(line.id, line);
  for (const exchange of update.exchanges) exchangeById.set(exchange.id, exchange);
  for (const panel of update.panels) panelByOpenid.set(panel.openid, panel);
  for (const message of update.messages) messageById.set(message.id, message);
  trim(lineById, MOST_LINES);
  trim(messageById, MOST_LINES);
  trim(exchangeById, MOST_EXCHANGES);
  if (update.reset || update.lines.length > 0) lineVersion.value++;
  if (update.reset || update.panels.length > 0 || update.messages.length > 0) panelVersion.value++;
  if (update.reset || update.exchanges.length > 0) exchangeVersion.value++;
}

/** Drops the chats of who is gone: somebody of the same name may come. */
function forgetOthers(people: Person[]) {
  const here = new Set(people.flatMap(({ openid, mini }) => [openid, mini?.openid]));
  for (const [id, line] of lineById) if (!here.has(line.openid)) lineById.delete(id);
  for (const openid of panelByOpenid.keys()) if (!here.has(openid)) panelByOpenid.delete(openid);
}

/** Drops the oldest ones: a map keeps the order in which they came. */
function trim(map: Map<Id, unknown>, most: number) {
  for (const id of map.keys()) {
    if (map.size <= most) return;
    map.delete(id);
  }
}

/** Who is chosen, or the first one there is. */
export const person = computed<Person | null>(() => {
  const people = view.value?.people ?? [];
  return people.find(({ name }) => name === chosenName.value) ?? people[0] ?? null;
});

/** What a person is called on the screen. */
export const displayName = ({ name, nickname }: Person) => nickname || name;

/** What the account is called, or the Mini Program in the chat with its customer service. */
export const accountName = () => (inWindow.value ? t().mini.name : view.value?.account.name || t().phone.account);

/** The chosen person as the app knows them whose chat is shown. */
export const chatter = computed(() => (inWindow.value ? person.value?.mini : person.value) ?? null);

/** What the chosen person's phone shows of the Mini Program. */
export const panel = computed<Panel | null>(() => {
  void panelVersion.value;
  const openid = person.value?.mini?.openid;
  return (openid !== undefined && panelByOpenid.get(openid)) || null;
});

/** The messages of the conversation that is open there. */
export const miniMessages = computed<MiniMessage[]>(() => {
  void panelVersion.value;
  const ids = panel.value?.messages ?? [];
  return ids.flatMap((id) => messageById.get(id) ?? []);
});

/** The chat of the chosen person, in time's order. */
export const chat = computed<Line[]>(() => {
  void lineVersion.value;
  const openid = chatter.value?.openid;
  const lines = [...lineById.values()].filter((line) => line.openid === openid);
  return lines.sort((a, b) => a.at_ms - b.at_ms);
});

/** Every request, in time's order. */
export const exchanges = computed<Exchange[]>(() => {
  void exchangeVersion.value;
  return [...exchangeById.values()].sort((a, b) => a.at_ms - b.at_ms);
});

/** A request as it is now. */
export function exchange(id: Id | null): Exchange | undefined {
  void exchangeVersion.value;
  return id === null ? undefined : exchangeById.get(id);
}

/** A line as it is now. */
export function line(id: Id | null | undefined): Line | undefined {
  void lineVersion.value;
  return id === undefined || id === null ? undefined : lineById.get(id);
}

/** Who did what a message tells; absent if it tells of nobody, as of the end of a job. */
export function sender({ delivery }: Exchange): Person | undefined {
  const openid = line(delivery?.line)?.openid;
  const is = (one: Person) => one.openid === openid || one.mini?.openid === openid;
  return openid === undefined ? undefined : view.value?.people.find(is);
}
