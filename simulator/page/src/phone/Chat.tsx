// The chat of the chosen person. It follows what is new, unless somebody reads further up.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { chat, person, view } from "../store/live";
import { serverNow } from "../store/clock";
import { chatTime, t } from "../text";
import type { Line } from "../types";
import { Avatar } from "../ui/Avatar";
import { Icon } from "../ui/Icon";
import { act } from "./act";
import { LineView } from "./LineView";

/** WeChat writes the time again after so long a silence. */
const SILENCE_MS = 5 * 60_000;
/** Of a long chat, so many lines are drawn; a button shows more. */
const DRAWN = 150;

export function Chat() {
  const lines = chat.value;
  const { list, below, toEnd } = useFollowing(lines);
  const [drawn, setDrawn] = useState(DRAWN);
  const shown = lines.slice(-drawn);
  return (
    <div class="chat-frame">
      <div class="chat" ref={list} role="log" aria-label={t().phone.chat} data-testid="chat" tabIndex={0}>
        {lines.length > drawn && (
          <button type="button" class="chat-older" onClick={() => setDrawn(drawn + DRAWN)}>{t().timeline.older(lines.length - drawn)}</button>
        )}
        {shown.map((line, index) => (
          <Stamped key={line.id} line={line} before={shown[index - 1]} />
        ))}
        {lines.length === 0 && view.value && <Empty />}
      </div>
      {below && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" size={16} />
          {t().phone.newMessages}
        </button>
      )}
    </div>
  );
}

function Stamped({ line, before }: { line: Line; before: Line | undefined }) {
  const silent = !before || line.at_ms - before.at_ms > SILENCE_MS;
  return (
    <>
      {silent && <p class="chat-time"><time dateTime={new Date(line.at_ms).toISOString()}>{chatTime(line.at_ms, serverNow())}</time></p>}
      <LineView line={line} />
    </>
  );
}

/** Stays at the end; true for `below` if something new came while the reader was elsewhere. */
function useFollowing(lines: Line[]) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [below, setBelow] = useState(false);
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  const openid = person.value?.openid;
  useEffect(() => {
    const element = list.current!;
    const look = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
      if (atEnd.current) setBelow(false);
    };
    element.addEventListener("scroll", look, { passive: true });
    // A picture that has come, a panel that opened.
    const sizes = new ResizeObserver(() => atEnd.current && toEnd());
    sizes.observe(element);
    const pictures = () => atEnd.current && toEnd();
    element.addEventListener("load", pictures, true);
    return () => {
      element.removeEventListener("scroll", look);
      element.removeEventListener("load", pictures, true);
      sizes.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    atEnd.current = true;
    toEnd();
  }, [openid]);
  const last = lines.at(-1);
  useLayoutEffect(() => {
    // What the person does themselves brings the end into view.
    if (atEnd.current || last?.from === "person") toEnd();
    else if (last) setBelow(true);
  }, [last?.id]);
  // A ring below the last bubble makes it higher.
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  });
  return { list, below, toEnd };
}

/** Says what to do first. */
function Empty() {
  const words = t().phone;
  const { name } = view.value!.account;
  return (
    <div class="chat-empty">
      <Avatar name={name} account />
      <p class="chat-empty-name">{name}</p>
      <p>{person.value?.following === false ? words.notFollowing(name) : words.empty}</p>
      {person.value?.following === false && (
        <button type="button" class="button primary" onClick={() => act({ event: { type: "subscribe" } })}>{words.follow}</button>
      )}
      <p class="hint">{words.emptyTry}</p>
      <button type="button" class="button" disabled={!person.value} onClick={() => act({ text: words.emptyStart })}>{words.emptyStart}</button>
    </div>
  );
}
