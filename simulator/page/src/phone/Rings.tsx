// The deliveries of one message: a ring each, which fills while WeChat waits.
import type { RefObject } from "preact";
import { serverNow, useMotion } from "../store/clock";
import { select, selected } from "../store/ui";
import { span, t } from "../text";
import type { Delivery, DeliveryState } from "../types";

const RADIUS = 5.5;
const AROUND = 2 * Math.PI * RADIUS;

export function Rings({ deliveries, limit }: { deliveries: Delivery[]; limit: number }) {
  return (
    <div class="rings" role="group" aria-label={t().rings.label} data-testid="rings">
      {deliveries.map((delivery, index) => (
        <Ring key={`${delivery.n}-${index}`} delivery={delivery} limit={limit} />
      ))}
    </div>
  );
}

/** Green is answered, red is anything after which WeChat tries again. */
function toneOf({ state }: Delivery): "running" | "good" | "bad" {
  if (state === "running") return "running";
  return state === "reply" || state === "success" ? "good" : "bad";
}

function Ring({ delivery, limit }: { delivery: Delivery; limit: number }) {
  const { n, state, status, elapsed_ms, started_ms, exchange } = delivery;
  const words = t().rings;
  const tone = toneOf(delivery);
  const word = words.states[state] ?? state;
  return (
    <button
      type="button"
      class={`ring ${tone}`}
      data-state={state}
      data-n={n}
      title={`${words.of(n)}${word}\n${words.show}`}
      aria-pressed={selected.value === exchange}
      onClick={() => select(exchange)}
    >
      {tone === "running" ? (
        <Filling started={started_ms} limit={limit} />
      ) : (
        <Circle part={state === "timeout" ? 1 : (elapsed_ms ?? limit) / limit} />
      )}
      <span class="sr-only">{words.of(n)}</span>
      {tone === "running" ? (
        <Waiting started={started_ms} word={word} />
      ) : (
        <Ended state={state} word={state === "status" && status ? String(status) : word} time={span(elapsed_ms ?? limit)} />
      )}
    </button>
  );
}

/** Of an answer, the time says enough; of anything but a timeout, the word does. */
function Ended({ state, word, time }: { state: DeliveryState; word: string; time: string }) {
  const answered = state === "reply" || state === "success";
  return (
    <span>
      <span class={answered || state === "timeout" ? "" : "sr-only"}>{time} </span>
      <span class={answered ? "sr-only" : ""}>{word}</span>
    </span>
  );
}

const filled = (part: number) => String(AROUND * (1 - Math.min(1, Math.max(0.02, part))));

/** Moves without rendering: there may be a hundred. */
function Filling({ started, limit }: { started: number; limit: number }) {
  const svg = useMotion<SVGSVGElement>(true, (element) => {
    element.lastElementChild?.setAttribute("stroke-dashoffset", filled((serverNow() - started) / limit));
  });
  return <Circle part={0} svgRef={svg} />;
}

function Waiting({ started, word }: { started: number; word: string }) {
  const text = useMotion<HTMLSpanElement>(true, (element) => {
    element.textContent = `${Math.max(0, (serverNow() - started) / 1000).toFixed(1)} s`;
  });
  return (
    <>
      <span ref={text} aria-hidden="true" />
      <span class="sr-only">{word}</span>
    </>
  );
}

function Circle({ part, svgRef }: { part: number; svgRef?: RefObject<SVGSVGElement | null> }) {
  return (
    <svg ref={svgRef ?? null} width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <circle class="ring-track" cx="7" cy="7" r={RADIUS} />
      <circle
        class="ring-fill"
        cx="7"
        cy="7"
        r={RADIUS}
        stroke-dasharray={String(AROUND)}
        stroke-dashoffset={filled(part)}
        transform="rotate(-90 7 7)"
      />
    </svg>
  );
}
