import { t } from "../../text";
import type { Bubble } from "../../types";
import { Icon } from "../../ui/Icon";
import { openMini } from "../act";
import { openPage } from "./AccountBubble";

type CardBubble = Extract<Bubble, { type: "card" }>;

/** A template message or a subscribe notification: a title, lines of name and value, and where it leads. */
export function Card({ shown }: { shown: CardBubble }) {
  const open = opener(shown);
  return (
    <div class="card template-card">
      <strong>{shown.title}</strong>
      <div class="template-lines">{shown.lines.map((line, index) => <Line key={index} line={line} />)}</div>
      {open && (
        <button type="button" class="template-more" onClick={open}>
          {t().phone.details}
          <Icon name="down" size={14} />
        </button>
      )}
    </div>
  );
}

function Line({ line }: { line: CardBubble["lines"][number] }) {
  if (!line.name) return <p>{line.value}</p>;
  return (
    <dl>
      <dt>{line.name}</dt>
      <dd>{line.value}</dd>
    </dl>
  );
}

function opener({ url, mini_program: mini }: CardBubble): (() => void) | undefined {
  if (mini) return () => openMini(mini.appid, mini.pagepath);
  return url ? () => openPage(url) : undefined;
}
