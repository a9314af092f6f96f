// What the Mini Program says when something went wrong, and the way out.
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../../store/clock";
import { miniMessages, panel } from "../../store/live";
import { t } from "../../text";
import { logIn, say } from "./deeds";

export function Complaint() {
  const complaint = panel.value?.complaint;
  const waits = useSeconds(complaint ? complaint.at_ms + (complaint.retry_after_s ?? 0) * 1000 : 0);
  if (!complaint || !panel.value) return null;
  const words = t().mini;
  const { status, text } = complaint;
  const title = titled(status);
  const unsaid = unanswered();
  const blocked = panel.value.busy || waits > 0;
  return (
    <div class="mini-complaint" role="alert" data-testid="mini-complaint" data-status={status ?? "none"}>
      <p>
        <b>{title}</b> <small>{text}</small>
      </p>
      {waits > 0 && <p class="hint">{words.wait(waits)}</p>}
      <div class="mini-buttons">
        {unsaid && (
          <button type="button" class="button small" disabled={blocked} onClick={() => void say(unsaid.text)}>
            {words.again}
          </button>
        )}
        {!panel.value.logged_in && (
          <button type="button" class="button small" disabled={blocked} onClick={() => void logIn()}>
            {words.login}
          </button>
        )}
      </div>
    </div>
  );
}

function titled(status: number | null): string {
  const words = t().mini;
  if (status === null) return words.unreachable;
  // A stream that had begun says by an event that it failed.
  return status < 300 ? words.failed : (words.complaints[status] ?? words.wrong(status));
}

/** The message that the server did not take, or could not answer. */
function unanswered() {
  const said = miniMessages.value.filter(({ role }) => role === "user");
  return miniMessages.value.at(-1)?.state === "failed" ? said.at(-1) : said.findLast(({ state }) => state === "failed");
}

/** Whole seconds until a moment of the server's clock; 0 after it. */
function useSeconds(until_ms: number): number {
  const [, again] = useState(0);
  const left = Math.max(0, Math.ceil((until_ms - serverNow()) / 1000));
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(() => again((n) => n + 1), 500);
    return () => clearTimeout(timer);
  });
  return left;
}
