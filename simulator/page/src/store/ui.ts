// What is chosen and open on this page; nothing of it concerns the simulator.
import { computed, signal } from "@preact/signals";
import type { Id } from "../types";

/** The request whose details are shown. */
export const selected = signal<Id | null>(null);

/** The column that a narrow window shows. */
export type Column = "left" | "phone" | "timeline";
export const column = signal<Column>("phone");

const narrowQuery = matchMedia("(max-width: 1119px)");
export const narrow = signal(narrowQuery.matches);
narrowQuery.addEventListener("change", () => (narrow.value = narrowQuery.matches));

/** Shows a request in the timeline. */
export function select(id: Id) {
  selected.value = id;
  if (narrow.value) column.value = "timeline";
}

export interface Toast {
  id: number;
  text: string;
  kind: "error" | "info";
}

export const toasts = signal<Toast[]>([]);
let toastId = 0;

/** Says something for a while; errors longer. */
export function toast(text: string, kind: Toast["kind"] = "info") {
  const id = ++toastId;
  toasts.value = [...toasts.value.filter((other) => other.text !== text), { id, text, kind }].slice(-3);
  setTimeout(() => dismiss(id), kind === "error" ? 9000 : 4000);
}

export function dismiss(id: number) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Whether a window lies over the page; then it shows the toasts. */
export const windowOpen = signal(false);

/** Which of the two apps the phone shows. */
export type App = "account" | "mini";
export const app = signal<App>("account");

/** What the phone shows of the Mini Program: its own page, or the chat with its customer service. */
export type MiniTab = "chat" | "window";
export const miniTab = signal<MiniTab>("chat");

/** Whether the chat that is shown is the one with the Mini Program's customer service. */
export const inWindow = computed(() => app.value === "mini" && miniTab.value === "window");

/** How the Mini Program behaves, for tests: its answers come in pieces; it goes away in the middle of one; WeChat distrusts
 * who logs in. */
export const streams = signal(true);
export const leaves = signal(false);
export const distrusted = signal(false);

/** What lies over the phone's chat. */
export type Overlay =
  | { kind: "conversations" }
  | { kind: "page" }
  | { kind: "scan"; button?: number[]; waits?: boolean }
  | { kind: "place"; button?: number[] }
  | { kind: "link" }
  | { kind: "picture"; button?: number[]; type: string }
  | { kind: "browser"; url: string }
  | { kind: "mini"; appid: string; pagepath: string }
  | { kind: "about" };

export const overlay = signal<Overlay | null>(null);
