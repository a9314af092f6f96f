// What the rules say about an answer, in words.
import { line, view } from "../store/live";
import { ruleText, span, t } from "../text";
import type { Check, DeliveryState, ExchangeDetail } from "../types";
import { Mark } from "../ui/Mark";

export function Checks({ detail }: { detail: ExchangeDetail }) {
  const words = t().detail;
  const { checks, state } = detail;
  const late = lateDeliveries(detail);
  const failed = state === "failed";
  return (
    <section class="checks" aria-label={words.checks} tabIndex={0}>
      <h3>{words.checks}</h3>
      {checks && checks.length > 0 ? (
        <ul aria-label={words.checks}>
          {checks.map((check, index) => (
            <Item key={index} check={check} />
          ))}
        </ul>
      ) : (
        late.length === 0 && !failed && <p class="hint">{state === "running" ? words.pending : words.noChecks}</p>
      )}
      {failed && (
        <ul class="advice">
          <li>
            <Mark tone="bad" />
            <span>{detail.result === "refused" ? words.refused : words.failed(t().rings.states[detail.result as DeliveryState] ?? detail.result)}</span>
          </li>
        </ul>
      )}
      {late.length > 0 && (
        <ul class="advice">
          <li>
            <Mark tone="bad" />
            <span>{words.late(late.join(", "), span(detail.limit_ms ?? 5000))}</span>
          </li>
          {!answered(detail) && (
            <li>
              <Mark tone="warn" />
              <span>{view.value?.account.type === "personal" ? words.adviceForPersonal : words.advice}</span>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

/** Whether any delivery of the same message was. */
function answered({ delivery }: ExchangeDetail): boolean {
  const deliveries = line(delivery?.line)?.deliveries ?? [];
  return deliveries.some(({ state }) => state === "reply" || state === "success");
}

/** The deliveries of the same message that WeChat gave up on. */
function lateDeliveries({ delivery, state }: ExchangeDetail): number[] {
  const deliveries = line(delivery?.line)?.deliveries ?? [];
  const late = deliveries.filter((one) => one.state === "timeout").map(({ n }) => n);
  return late.length > 0 ? late : state === "late" ? [delivery?.n ?? 1] : [];
}

function Item({ check }: { check: Check }) {
  const { rule, ok, detail } = check;
  const text = ruleText(rule, ok) ?? rule;
  return (
    <li data-testid="check" data-rule={rule} data-ok={String(ok)}>
      <Mark tone={ok ? "good" : "bad"} />
      <span>
        {text}
        {detail && <small>{detail}</small>}
      </span>
    </li>
  );
}
