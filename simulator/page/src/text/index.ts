// The page's words in the chosen language, and numbers, times and spans for people.
import { computed } from "@preact/signals";
import { lang } from "../store/prefs";
import { en } from "./en";
import { rulesEn } from "./rules-en";
import { rulesZh } from "./rules-zh";
import { zh } from "./zh";

const chosen = computed(() => (lang.value === "zh" ? zh : en));

/** The words; read it while rendering, so that a change of language renders again. */
export const t = () => chosen.value;

/** A rule in words. */
export function ruleText(rule: string, ok: boolean): string | undefined {
  return (lang.value === "zh" ? rulesZh : rulesEn)[rule]?.[ok ? 0 : 1];
}

/** 38 ms, 1.2 s, 5 s, 3 min. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 99_500) return `${short(ms / 1000)} s`;
  const { minute, hour, day } = t().clock.units;
  const minutes = ms / 60_000;
  if (minutes < 90) return `${Math.round(minutes)} ${minute}`;
  if (minutes < 48 * 60) return `${short(minutes / 60)} ${hour}`;
  return `${short(minutes / 1440)} ${day}`;
}

const short = (value: number) => value.toFixed(1).replace(/\.0$/, "");

const pad = (value: number, length = 2) => String(value).padStart(length, "0");

/** 10:21 */
export function hourMinute(ms: number): string {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** 10:21:03.112 */
export function toMillisecond(ms: number): string {
  const date = new Date(ms);
  return `${hourMinute(ms)}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** A chat's time stamp: the time, with the day if that is another than now's. */
export function chatTime(ms: number, now_ms: number): string {
  const date = new Date(ms);
  if (date.toDateString() === new Date(now_ms).toDateString()) return hourMinute(ms);
  const day = new Intl.DateTimeFormat(lang.value === "zh" ? "zh-CN" : "en", { month: "short", day: "numeric" }).format(date);
  return `${day} ${hourMinute(ms)}`;
}
