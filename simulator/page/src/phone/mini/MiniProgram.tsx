// The account's Mini Program: a page that chats by the server's API, and the chat with its customer service.
import { useEffect, useRef } from "preact/hooks";
import { chatter, panel, person } from "../../store/live";
import { miniTab, overlay, type MiniTab } from "../../store/ui";
import { t } from "../../text";
import { nextIndex } from "../../ui/controls";
import { Icon } from "../../ui/Icon";
import { inMini } from "../act";
import { Chat } from "../Chat";
import { useTyping } from "../typing";
import { logIn } from "./deeds";
import { MiniChat } from "./MiniChat";
import { WindowBottom } from "./WindowBottom";

const tabs: MiniTab[] = ["chat", "window"];

export function MiniProgram() {
  useLaunch();
  return (
    <div id="app-mini" class="app-page" role="tabpanel" aria-label={t().mini.apps.mini}>
      <Title />
      <Pages />
      {miniTab.value === "chat" ? (
        <MiniChat />
      ) : (
        <>
          <Chat />
          <WindowBottom />
        </>
      )}
    </div>
  );
}

/** Who opened it already, so that whoever logs out stays so. */
const launched = new Set<string>();

/** Whoever opens it logs in. */
function useLaunch() {
  const openid = person.value?.mini?.openid;
  useEffect(() => {
    if (!openid || launched.has(openid)) return;
    launched.add(openid);
    if (!panel.value?.logged_in && !panel.value?.busy) void logIn();
  }, [openid]);
}

function Title() {
  const words = t().mini;
  const typing = useTyping();
  const open = panel.value?.conversations?.find(({ id }) => id === panel.value?.conversation_id);
  const inChat = miniTab.value === "chat";
  const name = (inChat && open?.title) || words.name;
  return (
    <div class="title-bar">
      {inChat && (
        <button type="button" class="icon-button" aria-label={words.conversations} onClick={() => (overlay.value = { kind: "conversations" })}>
          <Icon name="menu" size={22} />
        </button>
      )}
      <h2 data-testid="mini-title" aria-live="polite">
        {!inChat && typing ? t().phone.typing : name}
      </h2>
      {inChat ? (
        <button type="button" class="icon-button" aria-label={words.fresh} disabled={panel.value?.busy} onClick={() => void inMini("new")}>
          <Icon name="plus" size={22} />
        </button>
      ) : (
        <small class="mini-left">{words.left(chatter.value?.allowance ?? 0)}</small>
      )}
    </div>
  );
}

function Pages() {
  const bar = useRef<HTMLDivElement>(null);
  const words = t().mini.tabs;
  const move = (event: KeyboardEvent) => {
    const next = nextIndex(event.key, tabs.indexOf(miniTab.value), tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    miniTab.value = tabs[next]!;
    bar.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="mini-tabs" role="tablist" aria-label={words.label} ref={bar} onKeyDown={move}>
      {tabs.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={miniTab.value === name}
          tabIndex={miniTab.value === name ? 0 : -1}
          onClick={() => (miniTab.value = name)}
        >
          {words[name]}
        </button>
      ))}
    </div>
  );
}
