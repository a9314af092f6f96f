// One line of a chat: a notice, what the person did with its rings, or what the account answered and how.
import type { ComponentChildren } from "preact";
import { accountName, displayName, person } from "../store/live";
import { selected } from "../store/ui";
import { span, t } from "../text";
import type { How, Line, Sent } from "../types";
import { Avatar } from "../ui/Avatar";
import { AccountBubble } from "./bubbles/AccountBubble";
import { PersonBubble } from "./bubbles/PersonBubble";
import { Rings } from "./Rings";

export function LineView({ line }: { line: Line }) {
  if (line.from === "notice") return <Notice line={line} />;
  return line.from === "person" ? <OfPerson line={line} /> : <OfAccount line={line} />;
}

function Notice({ line }: { line: Line }) {
  const name = accountName();
  const words = t().phone;
  const known: Record<string, string> = { followed: words.followed(name), left: words.left(name) };
  const text = known[line.notice ?? ""] ?? line.notice ?? "";
  return (
    <p class="chat-notice" data-testid="line" data-from="notice" data-kind={line.notice ?? ""}>
      {text}
    </p>
  );
}

function OfPerson({ line }: { line: Line }) {
  const { sent, deliveries } = line;
  if (!sent) return null;
  const rings = deliveries && deliveries.length > 0 && <Rings deliveries={deliveries} limit={line.limit_ms ?? 5000} />;
  if (sent.type === "event") {
    return (
      <article class="line-event" data-testid="line" data-from="person" data-kind="event">
        <p class="chat-notice">
          <EventText sent={sent} />
        </p>
        {rings}
      </article>
    );
  }
  const who = person.value ? displayName(person.value) : "";
  const chosen = deliveries?.some(({ exchange }) => exchange === selected.value);
  return (
    <Row from="person" kind={sent.type} who={who} below={rings} chosen={chosen}>
      <PersonBubble sent={sent} />
    </Row>
  );
}

function EventText({ sent }: { sent: Extract<Sent, { type: "event" }> }) {
  const words = t().phone.eventNames[sent.name.toLowerCase()] ?? sent.name;
  return (
    <>
      {words}
      {sent.key && <code class="event-key">{sent.key}</code>}
    </>
  );
}

function OfAccount({ line }: { line: Line }) {
  const { shown, how } = line;
  if (!shown) return null;
  if (shown.type === "error") {
    return (
      <article class="line-event" data-testid="line" data-from="account" data-kind="error" aria-label={t().phone.error}>
        <p class="chat-notice error" data-testid="error-line">
          {shown.text}
        </p>
      </article>
    );
  }
  if (shown.type === "transfer") {
    return (
      <p class="chat-notice" data-testid="line" data-from="account" data-kind="transfer">
        {t().phone.transfer(shown.agent)}
      </p>
    );
  }
  const wide = shown.type === "news" || shown.type === "card";
  const caption = how && <p class="how">{howText(how)}</p>;
  return (
    <Row from="account" kind={shown.type} who={accountName()} below={caption} wide={wide}>
      <AccountBubble shown={shown} />
    </Row>
  );
}

function howText(how: How): string {
  const words = t().phone.how;
  switch (how.kind) {
    case "passive":
      return [words.passive, how.delivery !== null && how.delivery > 1 && words.delivery(how.delivery), span(how.elapsed_ms)]
        .filter(Boolean)
        .join(" · ");
    case "custom":
      return [words.custom, how.after_ms !== null && words.after(span(how.after_ms))].filter(Boolean).join(" · ");
    default:
      return words[how.kind] ?? String(how.kind);
  }
}

interface RowProps {
  from: "person" | "account";
  kind: string;
  who: string;
  children: ComponentChildren;
  below?: ComponentChildren;
  wide?: boolean;
  /** One of its deliveries is shown in the timeline. */
  chosen?: boolean | undefined;
}

function Row({ from, kind, who, children, below, wide = false, chosen = false }: RowProps) {
  return (
    <article
      class={`line ${from}${wide ? " wide" : ""}${chosen ? " chosen" : ""}`}
      data-testid="line"
      data-from={from}
      data-kind={kind}
      aria-label={who}
    >
      <Avatar name={who} account={from === "account"} />
      <div class="line-body">
        {children}
        {below}
      </div>
    </article>
  );
}
