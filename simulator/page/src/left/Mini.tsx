import { api, told } from "../api";
import { view } from "../store/live";
import { distrusted, leaves, streams, toast } from "../store/ui";
import { t } from "../text";
import type { Format, Mode } from "../types";
import { Segmented, Switch } from "../ui/controls";

const modes: Mode[] = ["plain", "compat", "aes"];
const formats: Format[] = ["xml", "json"];

/** How messages to the Mini Program's customer service are pushed, and how its page behaves. */
export function MiniSettings() {
  const mini = view.value?.mini;
  if (!mini) return null;
  const words = t().mini.settings;
  const { has_token, has_key } = mini;
  const hint = has_token ? (has_key ? undefined : words.noKey) : t().mini.noToken;
  return (
    <section class="group" role="group" aria-labelledby="mini-title">
      <h2 id="mini-title">{words.title}</h2>
      <Segmented
        label={words.mode}
        describedBy={hint && "mini-hint"}
        value={mini.mode}
        onChange={(mode) => void told(api.miniSettings({ mode }))}
        options={modes.map((value) => ({ value, label: t().account.modes[value], disabled: value !== "plain" && !has_key }))}
      />
      <Segmented
        label={words.format}
        value={mini.format}
        onChange={(format) => void told(api.miniSettings({ format }))}
        options={formats.map((value) => ({ value, label: words.formats[value], disabled: !has_token }))}
      />
      {hint && (
        <p class="hint" id="mini-hint">
          {hint}
        </p>
      )}
      <Switch label={words.bound} on={view.value!.account.bound} onChange={(bound) => void told(api.account({ bound }))} />
      <Switch label={words.streams} on={streams.value} onChange={(on) => (streams.value = on)} />
      <Switch label={words.leaves} on={leaves.value} onChange={(on) => (leaves.value = on)} />
      <Switch label={words.distrusted} on={distrusted.value} onChange={(on) => (distrusted.value = on)} />
      {has_token && (
        <button type="button" class="chip" onClick={() => void verify()}>
          {words.verify}
        </button>
      )}
    </section>
  );
}

async function verify() {
  const check = await told(api.verify(true));
  if (!check) return;
  const words = t().top;
  if (check.ok) toast(words.verified(check.elapsed_ms));
  else toast(`${words.notVerified}: ${check.detail}`, "error");
}
