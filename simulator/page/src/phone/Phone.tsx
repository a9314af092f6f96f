// A phone with one chat in it.
import { useRef } from "preact/hooks";
import { seconds } from "../store/clock";
import { accountName, view } from "../store/live";
import { app, overlay, type App } from "../store/ui";
import { hourMinute, t } from "../text";
import { nextIndex } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { Bottom } from "./Bottom";
import { Chat } from "./Chat";
import { MiniProgram } from "./mini/MiniProgram";
import { Overlays } from "./Overlays";
import { useTyping } from "./typing";

export function Phone() {
  const covered = overlay.value !== null;
  return (
    <div class="phone">
      <div class="screen">
        <StatusBar />
        <div class="app-screen" inert={covered}>
          {view.value?.mini && <Apps />}
          {app.value === "mini" && view.value?.mini ? (
            <MiniProgram />
          ) : (
            <div id="app-account" class="app-page" role={view.value?.mini ? "tabpanel" : undefined} aria-label={t().mini.apps.account}>
              <TitleBar />
              <Chat />
              <Bottom />
            </div>
          )}
        </div>
        <Overlays />
      </div>
    </div>
  );
}

const apps: App[] = ["account", "mini"];

/** The two apps of the account, of which the phone shows one. */
function Apps() {
  const bar = useRef<HTMLDivElement>(null);
  const words = t().mini.apps;
  const move = (event: KeyboardEvent) => {
    const next = nextIndex(event.key, apps.indexOf(app.value), apps.length);
    if (next === undefined) return;
    event.preventDefault();
    app.value = apps[next]!;
    bar.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="apps" role="tablist" aria-label={words.label} ref={bar} onKeyDown={move}>
      {apps.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={app.value === name}
          aria-controls={app.value === name ? `app-${name}` : undefined}
          tabIndex={app.value === name ? 0 : -1}
          onClick={() => (app.value = name)}
        >
          {words[name]}
        </button>
      ))}
    </div>
  );
}

function StatusBar() {
  return (
    <div class="status-bar" aria-hidden="true">
      <span>{hourMinute(seconds.value * 1000)}</span>
      <svg width="62" height="14" viewBox="0 0 62 14">
        <path d="M1 9h3v4H1zM6 7h3v6H6zM11 4h3v9h-3zM16 1h3v12h-3z" />
        <path d="M25 5.500a8 8 0 0 1 11 0l-1.300 1.400a6 6 0 0 0-8.400 0zM27.600 8.300a4.200 4.200 0 0 1 5.800 0L30.500 11.500z" />
        <path d="M42.500 2h14A1.500 1.500 0 0 1 58 3.500v7a1.500 1.500 0 0 1-1.500 1.500h-14a1.500 1.500 0 0 1-1.500-1.500v-7A1.500 1.500 0 0 1 42.500 2zm0 1.200v7.600h14V3.200zM59 5.500c1.500.4 1.500 2.600 0 3zM43.700 4.400h10v5.200h-10z" />
      </svg>
    </div>
  );
}

function TitleBar() {
  const typing = useTyping();
  const name = accountName();
  return (
    <div class="title-bar">
      <h2 data-testid="phone-title" aria-live="polite">
        {typing ? t().phone.typing : name}
      </h2>
      <button type="button" class="icon-button" aria-label={t().phone.about} onClick={() => (overlay.value = { kind: "about" })}>
        <Icon name="more" size={22} />
      </button>
    </div>
  );
}
