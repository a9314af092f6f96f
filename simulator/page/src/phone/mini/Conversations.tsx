// The conversations of the Mini Program, and the way out of it.
import { useEffect, useState } from "preact/hooks";
import { simulatedNow } from "../../store/clock";
import { panel } from "../../store/live";
import { overlay } from "../../store/ui";
import { chatTime, t } from "../../text";
import type { Conversation } from "../../types";
import { Icon } from "../../ui/Icon";
import { inMini } from "../act";
import { Sheet } from "../sheets/Sheet";
import { Complaint } from "./Complaint";
import { logIn } from "./deeds";

const close = () => void (overlay.value = null);

export function Conversations() {
  const words = t().mini;
  const { conversations = null, busy = false, logged_in = false } = panel.value ?? {};
  // An answer may be on its way: then the list is as it was.
  useEffect(() => void (busy || inMini("list")), []);
  return (
    <Sheet title={words.conversations}>
      {conversations?.length === 0 && <p class="hint">{words.none}</p>}
      <ul class="mini-list">
        {conversations?.map((one) => (
          <One key={one.id} one={one} busy={busy} />
        ))}
      </ul>
      <Complaint />
      <div class="mini-buttons">
        <button type="button" class="button" disabled={busy} onClick={() => void inMini("list")}>
          {words.more}
        </button>
        {Boolean(conversations?.length) && <RemoveAll busy={busy} />}
        {logged_in ? (
          <button type="button" class="button" disabled={busy} onClick={() => (close(), void inMini("logout"))}>
            {words.logout}
          </button>
        ) : (
          <button type="button" class="button" disabled={busy} onClick={() => void logIn()}>
            {words.login}
          </button>
        )}
      </div>
    </Sheet>
  );
}

function One({ one, busy }: { one: Conversation; busy: boolean }) {
  const words = t().mini;
  const title = one.title || words.untitled;
  const open = () => {
    close();
    void inMini({ open: one.id });
  };
  return (
    <li>
      <button
        type="button"
        class="mini-conversation"
        disabled={busy}
        aria-current={one.id === panel.value?.conversation_id ? "true" : undefined}
        onClick={open}
      >
        <span>{title}</span>
        <small>
          {one.status === "pending" && `${words.states.streaming} · `}
          {one.updated_at !== undefined && chatTime(one.updated_at, simulatedNow())}
        </small>
      </button>
      <button type="button" class="icon-button" aria-label={words.remove(title)} disabled={busy} onClick={() => void inMini({ delete: one.id })}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

/** Asks before: there is no way back. */
function RemoveAll({ busy }: { busy: boolean }) {
  const [sure, setSure] = useState(false);
  const words = t().mini;
  const remove = () => {
    if (sure) void inMini("delete_all");
    setSure(!sure);
  };
  return (
    <button type="button" class={sure ? "button danger" : "button"} disabled={busy} onClick={remove}>
      {sure ? words.removeAllSure : words.removeAll}
    </button>
  );
}
