import { api, told } from "../api";
import { connection, view } from "../store/live";
import { choose, lang, theme, type Theme } from "../store/prefs";
import { selected, toast } from "../store/ui";
import { t } from "../text";
import { useSure } from "../ui/sure";
import { Recorder } from "./Recorder";

const themes: Theme[] = ["auto", "light", "dark"];

export function TopBar() {
  const words = t().top;
  return (
    <header class="top">
      <div class="brand">
        <Logo />
        <h1>wx-sim</h1>
      </div>
      <Target />
      <Live />
      <div class="top-actions">
        <Recorder />
        <label class="select small">
          <span class="sr-only">{words.theme.label}</span>
          <select value={theme.value} onChange={(event) => choose(theme, "theme", event.currentTarget.value as Theme)}>
            {themes.map((name) => (
              <option key={name} value={name}>
                {words.theme[name]}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="button"
          lang={lang.value === "zh" ? "en" : "zh-CN"}
          onClick={() => choose(lang, "lang", lang.value === "zh" ? "en" : "zh")}
        >
          {lang.value === "zh" ? "English" : "中文"}
        </button>
        <Reset />
      </div>
    </header>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M6 10.500A3.500 3.500 0 0 1 9.500 7h8a3.500 3.500 0 0 1 3.500 3.500v3a3.500 3.500 0 0 1-3.500 3.500H12l-4 3.200V17a3.500 3.500 0 0 1-2-3.500z" />
      <path
        opacity=".82"
        d="M23 13.200a3.400 3.400 0 0 1 3 3.400v2.600a3.400 3.400 0 0 1-2 3.100v3.200l-3.800-3.100h-4.700a3.400 3.400 0 0 1-3.200-2.300h5.700A5 5 0 0 0 23 15.100z"
      />
    </svg>
  );
}

function Target() {
  const { target, target_check: check, base_url } = view.value ?? {};
  const words = t().top;
  if (!view.value) return null;
  const state = check ? (check.ok ? words.verified(check.elapsed_ms) : words.notVerified) : words.unknown;
  return (
    <>
      {target ? (
        <button
          type="button"
          class="pill"
          data-testid="target"
          data-ok={check ? String(check.ok) : "unknown"}
          title={`${check?.detail ?? ""}\n${words.verify}`.trim()}
          onClick={() => void told(api.verify())}
        >
          <span class={`dot ${check ? (check.ok ? "good" : "bad") : ""}`} />
          <span class="pill-name">{words.target}</span> <b>{target}</b> <span class="pill-state">· {state}</span>
        </button>
      ) : (
        <span class="pill" data-testid="target" data-ok="none">
          <span class="dot bad" />
          {words.noTarget}
        </span>
      )}
      <span class="pill wide-only">
        <span class="pill-name">{words.platform}</span> <b>{base_url}</b>
      </span>
    </>
  );
}

function Live() {
  const state = connection.value;
  return (
    <span class={`live ${state}`} role="status" data-testid="connection" data-state={state}>
      <span class={`dot ${state === "open" ? "good" : state === "lost" ? "bad" : ""}`} />
      {t().top.live[state]}
    </span>
  );
}

function Reset() {
  const [sure, press] = useSure(async () => {
    if ((await told(api.reset().then(() => true))) !== true) return;
    selected.value = null;
    toast(t().top.resetDone);
  });
  return (
    <button type="button" class={sure ? "button danger" : "button"} onClick={press}>
      {sure ? t().top.resetSure : t().top.reset}
    </button>
  );
}
