// What came of a replayed scenario, step by step.
import { span, t } from "../text";
import type { RunResult, StepResult } from "../types";
import { Mark } from "../ui/Mark";

/** All in one line. */
export function outcomeText({ outcome, steps }: RunResult): string {
  const words = t().top;
  return { passed: words.passed, failed: words.failed, error: words.trouble }[outcome](steps.length);
}

export function Outcome({ result }: { result: RunResult }) {
  return (
    <section class="outcome" aria-label={t().top.replayed} data-outcome={result.outcome} tabIndex={0}>
      <h3>
        {outcomeText(result)} · {span(result.elapsed_ms)}
      </h3>
      <ol>
        {result.steps.map((step) => (
          <Step key={step.n} step={step} />
        ))}
      </ol>
    </section>
  );
}

function Step({ step: { what, elapsed_ms, misses, trouble } }: { step: StepResult }) {
  const words = t().top;
  return (
    <li>
      <Mark tone={misses.length > 0 || trouble !== null ? "bad" : "good"} />
      <span>
        <code>{what}</code> {span(elapsed_ms)}
        {trouble !== null && <small>{trouble}</small>}
        {misses.map(({ place, expected, came }, index) => (
          <small key={index}>
            {place}
            <br />
            {words.expected} {expected}
            <br />
            {words.came} {came}
          </small>
        ))}
      </span>
    </li>
  );
}
