import { api, told } from "../api";
import { view } from "../store/live";
import { t } from "../text";
import type { AccountType, Mode } from "../types";
import { Segmented } from "../ui/controls";

const types: AccountType[] = ["personal", "subscription", "service", "test"];
const modes: Mode[] = ["plain", "compat", "aes"];

export function AccountSettings() {
  const { account, mode } = view.value!;
  const words = t().account;
  return (
    <>
      <section class="group">
        <h2 id="account-type">{words.type}</h2>
        <div class="select">
          <select
            aria-labelledby="account-type"
            value={account.type}
            onChange={(event) => void told(api.account({ type: event.currentTarget.value as AccountType }))}
          >
            {types.map((type) => (
              <option key={type} value={type}>
                {words.types[type]}
              </option>
            ))}
          </select>
        </div>
        <p class="hint">{words.typeHints[account.type]}</p>
      </section>
      <section class="group">
        <h2>{words.mode}</h2>
        <Segmented
          label={words.mode}
          describedBy={account.has_key ? undefined : "no-key"}
          value={mode}
          onChange={(mode) => void told(api.account({ mode }))}
          options={modes.map((value) => ({ value, label: words.modes[value], disabled: value !== "plain" && !account.has_key }))}
        />
        {!account.has_key && (
          <p class="hint" id="no-key">
            {words.noKey}
          </p>
        )}
      </section>
    </>
  );
}
