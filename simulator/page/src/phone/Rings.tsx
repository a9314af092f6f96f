// The deliveries of one message: a ring each, which fills while WeChat waits.
import { serverNow, useMotion } from "../store/clock";
import { select, selected } from "../store/ui";
import { span, t } from "../text";
import type { Delivery } from "../types";

const RADIUS = 5.5;
const AROUND = 2 * Math.PI * RADIUS;

export function Rings({ deliveries, limit }: { deliveries: Delivery[]; limit: number }) {
  return (
    <div class="rings" role="group" aria-label={t().rings.label} data-testid="rings">
      {deliveries.map((delivery, index) => <Ring key={`${delivery.n}-${index}`} delivery={delivery} limit={limit} />)}
    </div>
  );
}

/** Green is answered, red is anything after which WeChat tries again. */
function toneOf({ state }: Delivery): "running" | "good" | "bad" {
  if (state === "running") return "running";
  return state === "reply" || state === "success" ? "good" : "bad";
}

function Ring({ delivery, limit }: { delivery: Delivery; limit: number }) {
  const { n, state, elapsed_ms } = delivery;
  const words = t().rings;
  const running = state === "running";
  const time = elapsed_ms === null || running ? "" : span(elapsed_ms);
  const said = words.of(n, [words.states[state] ?? state, time].filter(Boolean).join(", "));
  return (
    <button type="button" class={`ring ${toneOf(delivery)}`} data-state={state} data-n={n} aria-label={said} title={`${said}\n${words.show}`}
      aria-pressed={selected.value === delivery.exchange} onClick={() => select(delivery.exchange)}>
      {running ? <Filling started={delivery.started_ms} limit={limit} /> : <Full part={(elapsed_ms ?? limit) / limit} />}
      {running ? <Waiting started={delivery.started_ms} /> : <span>{state === "reply" || state === "success" ? time : shortState(delivery)}</span>}
    </button>
  );
}

function shortState({ state, elapsed_ms }: Delivery): string {
  const word = t().rings.states[state] ?? state;
  return state === "timeout" && elapsed_ms !== null ? `${span(elapsed_ms)} ${word}` : word;
}

const filled = (part: number) => String(AROUND * (1 - Math.min(1, Math.max(0.02, part))));

function Full({ part }: { part: number }) {
  return <Circle part={part} />;
}

/** Moves without rendering: there may be a hundred. */
function Filling({ started, limit }: { started: number; limit: number }) {
  const svg = useMotion<SVGSVGElement>(true, (element) => {
    element.lastElementChild?.setAttribute("stroke-dashoffset", filled((serverNow() - started) / limit));
  });
  return <Circle part={0} svgRef={svg} />;
}

function Waiting({ started }: { started: number }) {
  const text = useMotion<HTMLSpanElement>(true, (element) => {
    element.textContent = `${Math.max(0, (serverNow() - started) / 1000).toFixed(1)} s`;
  });
  return <span ref={text} aria-hidden="true" />;
}

function Circle({ part, svgRef }: { part: number; svgRef?: preact.RefObject<SVGSVGElement | null> }) {
  return (
    <svg ref={svgRef ?? null} width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <circle class="ring-track" cx="7" cy="7" r={RADIUS} />
      <circle class="ring-fill" cx="7" cy="7" r={RADIUS} stroke-dasharray={String(AROUND)} stroke-dashoffset={filled(part)} transform="rotate(-90 7 7)" />
    </svg>
  );
}
