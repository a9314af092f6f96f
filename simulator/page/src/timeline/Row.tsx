import { serverNow, useMotion } from "../store/clock";
import { displayName, person, sender } from "../store/live";
import { select } from "../store/ui";
import { span, t, toMillisecond } from "../text";
import type { DeliveryState, Exchange } from "../types";

/** A bar's full width, a little more than WeChat waits. */
const SCALE_MS = 5600;
const LIMIT_MS = 5000;

const width = (ms: number) => `${Math.min(100, Math.max(0.8, (ms / SCALE_MS) * 100))}%`;

export function Row({ exchange, chosen }: { exchange: Exchange; chosen: boolean }) {
  const { id, kind, at_ms, method, path, what, state, result, delivery } = exchange;
  const words = t().timeline;
  const from = sender(exchange);
  // Of the others, the row says who it was.
  const other = from && from !== person.value ? displayName(from) : "";
  const title = [method, path, other, what].filter(Boolean).join(" ");
  return (
    <tr class={chosen ? "chosen" : ""} data-testid="exchange" data-kind={kind} data-state={state}>
      <td class="mono time">{toMillisecond(at_ms)}</td>
      <td class={`direction ${kind}`}>
        <Direction text={words[kind] ?? kind} />
      </td>
      <td class="request">
        <button type="button" class="row-button" aria-pressed={chosen} title={title} onClick={() => select(id)}>
          <b>{method}</b> {path !== "/" && <span class="path">{path} </span>}
          {other && <span class="who">{other} </span>}
          <span class="what">{what}</span>
        </button>
        {delivery && delivery.n > 1 && <span class="badge warn">{words.again(delivery.n)}</span>}
      </td>
      <td>
        <span class={`badge ${toneOf(state)}`}>{state === "running" ? words.running : (t().rings.states[result as DeliveryState] ?? t().mini.results[result] ?? result)}</span>
      </td>
      <td class="took">
        <Bar exchange={exchange} />
      </td>
    </tr>
  );
}

/** The arrow alone says it where there is little room. */
function Direction({ text }: { text: string }) {
  const [arrow, ...name] = text.split(" ");
  return (
    <span title={text}>
      {arrow} <span class="direction-name">{name.join(" ")}</span>
    </span>
  );
}

function toneOf(state: Exchange["state"]) {
  return { running: "wait", ok: "good", late: "bad", failed: "bad" }[state] ?? "wait";
}

function Bar({ exchange }: { exchange: Exchange }) {
  const { at_ms, elapsed_ms, state, kind } = exchange;
  const running = elapsed_ms === null;
  const bar = useMotion<HTMLSpanElement>(running, (element) => {
    element.style.width = width(serverNow() - at_ms);
  });
  const said = running ? t().timeline.running : span(elapsed_ms);
  return (
    <span class="track" title={said}>
      <span ref={bar} class={`bar ${kind} ${state}`} style={running ? undefined : { width: width(elapsed_ms) }} />
      {kind === "push" && <span class="limit" style={{ left: width(exchange.limit_ms ?? LIMIT_MS) }} />}
      <span class="sr-only">{said}</span>
    </span>
  );
}
