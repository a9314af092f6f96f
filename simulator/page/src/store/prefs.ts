// Language and theme: of the address (?lang=zh|en&theme=light|dark|auto), else as chosen before, else the browser's.
import { effect, signal } from "@preact/signals";

export type Lang = "zh" | "en";
export type Theme = "auto" | "light" | "dark";

const wanted = new URLSearchParams(location.search);

function stored(name: string): string | null {
  try {
    return localStorage.getItem(`wx-sim.${name}`);
  } catch {
    return null; // a browser may forbid it
  }
}

/** Keeps a choice for the next visit. */
export function keep(name: string, value: string) {
  try {
    localStorage.setItem(`wx-sim.${name}`, value);
  } catch {
    // then it lasts as long as the page
  }
}

function choice<T extends string>(name: string, among: readonly T[], otherwise: T): T {
  const found = [wanted.get(name), stored(name)].find((value) => among.includes(value as T));
  return (found as T | undefined) ?? otherwise;
}

export const lang = signal<Lang>(choice("lang", ["zh", "en"], navigator.language.startsWith("zh") ? "zh" : "en"));
export const theme = signal<Theme>(choice("theme", ["auto", "light", "dark"], "auto"));

export function choose<T extends string>(what: { value: T }, name: "lang" | "theme", value: T) {
  what.value = value;
  keep(name, value);
}

effect(() => {
  document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/** Whose phone is in the middle: a name, kept for the next visit. */
export const chosenName = signal(stored("person") ?? "");
effect(() => keep("person", chosenName.value));
