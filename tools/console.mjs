// What `npm run dev` shows of the Worker, one line each.
import { styleText } from "node:util";
import { clock } from "./steps.mjs";

const STACK_LINES = 8;
/** Milliseconds after which the Worker surely gave up an answer on purpose; it does so after 10 seconds. */
const RAN_OUT = 9_500;
const COLORS = { ERROR: "red", WARN: "yellow", error: "red", warn: "yellow" };

/** A line of the Worker's console. The Worker's own lines are JSON: event, reason, and whatever else. */
export function showLog({ timestamp, level, message }) {
  const { event, reason = "", level: own = level, ...others } = parsed(message);
  const rest = Object.entries(others).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const text = event === undefined ? indented(message) : [event, reason, ...rest].filter(Boolean).join("  ");
  show(clock(timestamp), own, text);
}

/** A request, or what the local platform has to say about itself. */
export function showReport({ level, message }) {
  if (/^(Updated and ready|Ready) on /.test(message)) return;
  const [, took] = /^POST \/wechat\S* 503 .*\((\d+)ms\)/.exec(message) ?? [];
  if (took >= RAN_OUT) return show(clock(), "info", styleText("dim", ranOut(took)));
  const quiet = /^[A-Z]+ \S+ [1-4]\d\d /.test(message);
  show(clock(), level, quiet ? styleText("dim", message) : indented(message));
}

/** No failure: the model is still at work, and the next delivery of the message asks for its answer. */
function ranOut(took) {
  return `POST /wechat ran out on purpose after ${(took / 1000).toFixed(1)} s: WeChat delivers again`;
}

/** A line of wx-sim. */
export function showSim(line) {
  if (!/^wx-sim listening on /.test(line)) show(clock(), "info", `${styleText("cyan", "wx-sim")} ${line}`);
}

function show(time, level, text) {
  console.log(`${time} ${COLORS[level] ? styleText(COLORS[level], text) : text}`);
}

function parsed(message) {
  try {
    return JSON.parse(message) ?? {};
  } catch {
    return {};
  }
}

function indented(message) {
  const lines = message.trimEnd().split("\n");
  const more = lines.length > STACK_LINES ? [`… ${lines.length - STACK_LINES} more lines`] : [];
  return [...lines.slice(0, STACK_LINES), ...more].join("\n         ");
}
