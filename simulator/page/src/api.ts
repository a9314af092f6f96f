// Orders to the simulator. What comes of them arrives by the watch.
import type { Deed, Format, ExchangeDetail, Fault, Given, Id, Mode, AccountType, Network, RunResult, SendRequest, TapResult, TargetCheck } from "./types";
import { toast } from "./store/ui";
import { t } from "./text";

/** An order that the simulator refused, in its words. */
export class Refused extends Error {}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit =
    body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`/_sim/${path}`, init).catch(() => {
    throw new Refused(t().unreachable);
  });
  const text = await response.text();
  if (!response.ok) throw new Refused(reason(text) ?? `${method} ${path}: ${response.status}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function reason(text: string): string | undefined {
  try {
    return JSON.parse(text).error;
  } catch {
    return text.trim() || undefined;
  }
}

const post = <T = unknown>(path: string, body: unknown = {}) => call<T>("POST", path, body);

/** Does it, and shows why if it cannot be done; then the answer is undefined. */
export async function told<T>(order: Promise<T>): Promise<T | undefined> {
  try {
    return await order;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "error");
    return undefined;
  }
}

export const api = {
  send: (request: SendRequest) => post("send", request),
  account: (change: { type?: AccountType; mode?: Mode; bound?: boolean }) => post("account", change),
  network: (change: Partial<Network>) => post("network", change),
  faults: (faults: Fault[]) => post("faults", faults),
  addPerson: (name: string) => post("people", { name }),
  removePerson: (name: string) => call("DELETE", `people?as=${encodeURIComponent(name)}`),
  click: (as: string, button: number[], given: Given) => post<TapResult>("click", { as, button, ...given }),
  scan: (as: string, code: string) => post<TapResult>("scan", { as, code }),
  resend: (exchange: Id, fresh: boolean) => post("resend", { exchange, fresh }),
  verify: (mini = false) => post<TargetCheck>("verify", { mini }),
  mini: (as: string, deed: Deed) => post("mini/do", { as, do: deed }),
  miniSettings: (change: { mode?: Mode; format?: Format }) => post("mini", change),
  record: (on: boolean) => post<{ scenario?: unknown }>("record", { on }),
  run: (scenario: unknown) => post<RunResult>("run", { scenario }),
  clock: (advance_s: number) => post("clock", { advance_s }),
  reset: () => post("reset"),
  browser: (as: string, url: string) => post<{ url: string }>("browser", { as, url }),
  exchange: (id: Id) => call<ExchangeDetail>("GET", `exchanges/${id}`),
};

/** Where the bytes of a media id are. */
export const mediaUrl = (id: string) => `/_sim/media/${encodeURIComponent(id)}`;
