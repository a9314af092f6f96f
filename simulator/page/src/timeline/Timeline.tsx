// Every request in both directions, and the chosen one in full.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { exchange, exchanges, person, sender } from "../store/live";
import { selected } from "../store/ui";
import { t } from "../text";
import type { Exchange, ExchangeKind, Id } from "../types";
import { Segmented } from "../ui/controls";
import { useFollowing } from "../ui/following";
import { Icon } from "../ui/Icon";
import { Detail } from "./Detail";
import { Row } from "./Row";

type Filter = "all" | ExchangeKind;

const filter = signal<Filter>("all");
/** Rows drawn; a button shows more. */
const DRAWN = 200;

export function Timeline() {
  const all = exchanges.value;
  // Until somebody chooses, the newest message is shown, so that the first 你好 explains itself: one of whose phone it is.
  const own = all.findLast((one) => one.kind === "push" && sender(one) === person.value);
  const chosen = exchange(selected.value) ?? own ?? all.findLast(({ kind }) => kind === "push");
  const matching = all.filter(({ kind }) => filter.value === "all" || kind === filter.value);
  return (
    <div class="timeline-body">
      <header class="timeline-head">
        <h2>{t().timeline.title}</h2>
        <Filters all={all} />
        <Counts matching={matching} />
      </header>
      <List matching={matching} chosen={chosen?.id} />
      <div class="detail" data-testid="detail">
        {chosen ? (
          <Detail key={chosen.id} exchange={chosen} />
        ) : (
          <p class="empty">
            <span>{t().timeline.choose}</span>
          </p>
        )}
      </div>
    </div>
  );
}

function Filters({ all }: { all: Exchange[] }) {
  const words = t().timeline;
  const kinds: ExchangeKind[] = ["push", "api", "model"];
  // Pages in the phone's browser are rare: their filter comes with the first of them.
  if (all.some(({ kind }) => kind === "web")) kinds.push("web");
  if (all.some(({ kind }) => kind === "mini")) kinds.push("mini");
  const options = [{ value: "all" as Filter, label: words.all }, ...kinds.map((kind) => ({ value: kind as Filter, label: words[kind] }))];
  return (
    <Segmented kind="chips" label={words.filter} options={options} value={filter.value} onChange={(value) => (filter.value = value)} />
  );
}

function Counts({ matching }: { matching: Exchange[] }) {
  const count = (state: Exchange["state"]) => matching.filter((exchange) => exchange.state === state).length;
  const [late, failed, fine] = [count("late"), count("failed"), count("ok")];
  const words = t().timeline;
  return (
    <p class="counts">
      {late > 0 && (
        <span class="badge bad" data-testid="count-late">
          {words.late(late)}
        </span>
      )}
      {failed > 0 && (
        <span class="badge bad" data-testid="count-failed">
          {words.failed(failed)}
        </span>
      )}
      {matching.length > 0 && (
        <span class="badge good" data-testid="count-fine">
          {words.fine(fine)}
        </span>
      )}
    </p>
  );
}

function List({ matching, chosen }: { matching: Exchange[]; chosen: Id | undefined }) {
  const [drawn, setDrawn] = useState(DRAWN);
  const words = t().timeline;
  const shown = matching.slice(-drawn);
  const { element, below, toEnd } = useFollowing<HTMLDivElement>({ list: filter.value, last: matching.at(-1)?.id });
  return (
    <div class="timeline-frame">
      <div class="timeline-list" ref={element} tabIndex={-1}>
        {matching.length > drawn && (
          <button type="button" class="chat-older" onClick={() => setDrawn(drawn + DRAWN)}>
            {words.older(matching.length - drawn)}
          </button>
        )}
        {matching.length === 0 ? (
          <p class="empty">
            <span>{words.empty}</span>
            <b>{words.emptyTry}</b>
          </p>
        ) : (
          <Table shown={shown} chosen={chosen} />
        )}
      </div>
      {below && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" size={16} />
          {words.newer}
        </button>
      )}
    </div>
  );
}

function Table({ shown, chosen }: { shown: Exchange[]; chosen: Id | undefined }) {
  const words = t().timeline;
  return (
    <table aria-label={words.title}>
      <thead>
        <tr>
          <th scope="col">{words.time}</th>
          <th scope="col">
            <span class="direction-name">{words.direction}</span>
          </th>
          <th scope="col">{words.request}</th>
          <th scope="col">{words.result}</th>
          <th scope="col" class="took">
            {words.took}
          </th>
        </tr>
      </thead>
      <tbody onKeyDown={moveRows}>
        {shown.map((exchange) => (
          <Row key={exchange.id} exchange={exchange} chosen={exchange.id === chosen} />
        ))}
      </tbody>
    </table>
  );
}

/** Up and down go from request to request and choose. */
function moveRows(event: KeyboardEvent) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".row-button")];
  const next = buttons[buttons.indexOf(document.activeElement as HTMLElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}
