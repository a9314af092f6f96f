// The Mini Program's own page: what was said to the server's API, and its answers as they come.
import { displayName, miniMessages, panel, person } from "../../store/live";
import { span, t } from "../../text";
import type { MiniMessage } from "../../types";
import { Avatar } from "../../ui/Avatar";
import { useFollowing } from "../../ui/following";
import { Icon } from "../../ui/Icon";
import { inMini } from "../act";
import { Composer } from "../Composer";
import { ToEnd } from "../ToEnd";
import { Complaint } from "./Complaint";
import { say } from "./deeds";

export function MiniChat() {
  const messages = miniMessages.value;
  const last = messages.at(-1);
  const words = t().mini;
  const { element, below, toEnd } = useFollowing<HTMLDivElement>({
    list: `${panel.value?.openid} ${panel.value?.conversation_id}`,
    last: last?.id,
    always: panel.value?.busy ?? false,
  });
  const busy = panel.value?.busy === true && ["streaming", "waiting", "pending"].includes(last?.state ?? "");
  return (
    <>
      <div class="chat-frame">
        <div class="chat" ref={element} role="log" aria-label={words.chat} aria-busy={busy} data-testid="mini-chat" tabIndex={0}>
          {messages.map((message) => (
            <Message key={message.id} message={message} isLast={message === last} />
          ))}
          {messages.length === 0 && (
            <div class="chat-empty">
              <Avatar name={words.name} account />
              <p class="chat-empty-name">{words.name}</p>
              <p>{panel.value?.logged_in ? words.loggedIn : words.loggedOut}</p>
              <p class="hint">{words.empty}</p>
            </div>
          )}
        </div>
        {below && <ToEnd onClick={toEnd} />}
      </div>
      <Complaint />
      <Composer label={words.input} onSend={say} busy={busy} />
    </>
  );
}

function Message({ message, isLast }: { message: MiniMessage; isLast: boolean }) {
  const { role, text, state } = message;
  const words = t().mini;
  const mine = role === "user";
  const who = mine ? (person.value ? displayName(person.value) : "") : words.name;
  const resumes = isLast && !mine && panel.value?.unfinished && !panel.value.busy;
  return (
    <article class={mine ? "line person" : "line account"} data-testid="mini-message" data-role={role} data-state={state} aria-label={who}>
      <Avatar name={who} account={!mine} />
      <div class="line-body">
        {text === "" && !mine ? <Thinking message={message} /> : <p class={state === "streaming" ? "bubble streaming" : "bubble"}>{text}</p>}
        <Caption message={message} />
        {resumes && (
          <button type="button" class="chip" onClick={() => void inMini("resume")}>
            <Icon name="again" size={14} />
            {words.resume}
          </button>
        )}
      </div>
    </article>
  );
}

function Thinking({ message }: { message: MiniMessage }) {
  const { state } = message;
  const moving = state === "waiting" || state === "pending";
  return (
    <p class={moving ? "bubble dots moving" : "bubble dots"} role="img" aria-label={moving ? t().mini.thinking : t().mini.states[standing(message)] || "…"}>
      <i />
      <i />
      <i />
    </p>
  );
}

/** A message fails that was not delivered, an answer that was not written to its end. */
const standing = ({ role, state }: MiniMessage) => (state === "failed" && role === "assistant" ? "unanswered" : state);

/** How the message stands, what it cost, and where it was said. */
function Caption({ message }: { message: MiniMessage }) {
  const { role, state, tokens_used, first_ms, source } = message;
  const words = t().mini;
  const parts = [
    words.states[standing(message)],
    role === "assistant" && first_ms !== null && words.first(span(first_ms)),
    tokens_used !== null && words.tokens(tokens_used),
    source !== null && words.sources[source],
  ];
  const said = parts.filter(Boolean).join(" · ");
  return said ? <p class={state === "failed" || state === "broken" ? "how wrong" : "how"}>{said}</p> : null;
}
