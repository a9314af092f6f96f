import { t } from "../text";
import { Icon } from "./Icon";

/** Whether something is as it must be, or a word of advice. */
export function Mark({ tone }: { tone: "good" | "bad" | "warn" }) {
  const name = ({ good: "check", bad: "cross", warn: "bang" } as const)[tone];
  const said = tone === "good" ? t().format.kept : tone === "bad" ? t().format.broken : "";
  return (
    <span class={`mark ${tone}`}>
      <Icon name={name} size={16} />
      {said && <span class="sr-only">{said}</span>}
    </span>
  );
}
