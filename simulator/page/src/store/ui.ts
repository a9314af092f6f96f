// What is chosen and open on this page; nothing of it concerns the simulator.
import { signal } from "@preact/signals";
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

/** What lies over the phone's chat. */
export type Overlay =
  | { kind: "scan"; button?: number[]; waits?: boolean }
  | { kind: "place"; button?: number[] }
  | { kind: "link" }
  | { kind: "picture"; button?: number[]; type: string }
  | { kind: "browser"; url: string }
  | { kind: "mini"; appid: string; pagepath: string }
  | { kind: "about" };

export const overlay = signal<Overlay | null>(null);
