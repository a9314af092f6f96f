// Where words are typed: Enter sends, Shift+Enter breaks the line.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../text";

interface Props {
  label: string;
  /** False, in the end, if it could not be sent. */
  onSend: (text: string) => Promise<boolean>;
  /** An answer is on its way. */
  busy?: boolean;
  /** Before the words. */
  before?: ComponentChildren;
  /** Instead of the button while nothing is typed. */
  idle?: ComponentChildren;
  /** The cursor is here from the beginning. */
  focus?: boolean;
  onFocus?: () => void;
  /** Below the words. */
  children?: ComponentChildren;
}

export function Composer({ label, onSend, busy = false, before, idle, focus = false, onFocus, children }: Props) {
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  const empty = text.trim() === "";
  useLayoutEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  const send = () => {
    if (empty || busy) return;
    setText("");
    // What could not be sent is not lost.
    void onSend(text).then((sent) => sent || setText((since) => since || text));
    input.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    // Enter also ends the choice of a Chinese word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div class="bottom">
      <form class="composer" onSubmit={(event) => (event.preventDefault(), send())}>
        {before}
        <textarea
          ref={input}
          rows={1}
          value={text}
          aria-label={label}
          placeholder={label}
          enterkeyhint="send"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={key}
          onFocus={onFocus}
        />
        {empty && idle ? (
          idle
        ) : (
          <button type="submit" class="button primary send" disabled={empty || busy}>
            {t().send}
          </button>
        )}
      </form>
      {children}
    </div>
  );
}
