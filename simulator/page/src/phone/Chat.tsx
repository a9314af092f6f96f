// The chat of the chosen person. It follows what is new, unless somebody reads further up.
import { useState } from "preact/hooks";
import { simulatedNow } from "../store/clock";
import { accountName, chat, chatter, person, view } from "../store/live";
import { inWindow } from "../store/ui";
import { chatTime, t } from "../text";
import type { Line } from "../types";
import { Avatar } from "../ui/Avatar";
import { useFollowing } from "../ui/following";
import { act } from "./act";
import { LineView } from "./LineView";
import { enter } from "./mini/deeds";
import { ToEnd } from "./ToEnd";

/** WeChat writes the time again after so long a silence. */
const SILENCE_MS = 5 * 60_000;
/** Of a long chat, so many lines are drawn; a button shows more. */
const DRAWN = 150;

export function Chat() {
  const lines = chat.value;
  const last = lines.at(-1);
  // What the person does themselves brings the end into view.
  const { element, below, toEnd } = useFollowing<HTMLDivElement>({
    list: chatter.value?.openid,
    last: last?.id,
    always: last?.from === "person",
  });
  const [drawn, setDrawn] = useState(DRAWN);
  const shown = lines.slice(-drawn);
  return (
    <div class="chat-frame">
      <div class="chat" ref={element} role="log" aria-label={t().phone.chat} data-testid="chat" tabIndex={0}>
        {lines.length > drawn && (
          <button type="button" class="chat-older" onClick={() => setDrawn(drawn + DRAWN)}>
            {t().timeline.older(lines.length - drawn)}
          </button>
        )}
        {shown.map((line, index) => (
          <Stamped key={line.id} line={line} before={shown[index - 1]} />
        ))}
        {lines.length === 0 && view.value && (inWindow.value ? <EmptyWindow /> : <Empty />)}
      </div>
      {below && <ToEnd onClick={toEnd} />}
    </div>
  );
}

function Stamped({ line, before }: { line: Line; before: Line | undefined }) {
  const silent = !before || line.at_ms - before.at_ms > SILENCE_MS;
  return (
    <>
      {silent && (
        <p class="chat-time">
          <time dateTime={new Date(line.at_ms).toISOString()}>{chatTime(line.at_ms, simulatedNow())}</time>
        </p>
      )}
      <LineView line={line} />
    </>
  );
}

/** The chat with the Mini Program's customer service, before anything was said in it. */
function EmptyWindow() {
  const words = t().mini;
  return (
    <div class="chat-empty">
      <Avatar name={words.name} account />
      <p class="chat-empty-name">{words.tabs.window}</p>
      <p class="hint">{view.value?.mini?.has_token ? words.windowHint : words.noToken}</p>
      <button type="button" class="button" onClick={() => void enter()}>
        {words.enter}
      </button>
    </div>
  );
}

/** Says what to do first. */
function Empty() {
  const words = t().phone;
  const name = accountName();
  return (
    <div class="chat-empty">
      <Avatar name={name} account />
      <p class="chat-empty-name">{name}</p>
      <p>{person.value?.following === false ? words.notFollowing(name) : words.empty}</p>
      {person.value?.following === false && (
        <button type="button" class="button primary" onClick={() => act({ event: { type: "subscribe" } })}>
          {words.follow}
        </button>
      )}
      <p class="hint">{words.emptyTry}</p>
      <button type="button" class="button" onClick={() => act({ text: words.emptyStart })}>
        {words.emptyStart}
      </button>
    </div>
  );
}
