import { api, told } from "../api";
import { view } from "../store/live";
import { t } from "../text";
import { Switch } from "../ui/controls";

/** A second more than WeChat waits. */
const SLOW_MS = 6000;

export function NetworkFaults() {
  const { network } = view.value!;
  const words = t().network;
  const set = (change: Parameters<typeof api.network>[0]) => void told(api.network(change));
  const tamper = (kind: "signature" | "stale") => (
    <Switch label={words[kind]} on={network.tamper === kind} onChange={(on) => set({ tamper: on ? kind : null })} />
  );
  return (
    <section class="group" role="group" aria-labelledby="network-title">
      <h2 id="network-title">{words.title}</h2>
      <p class="hint above">{words.hint}</p>
      <Switch label={words.slow} on={network.slow_ms > 0} onChange={(on) => set({ slow_ms: on ? SLOW_MS : 0 })} />
      <Switch label={words.duplicate} on={network.duplicate} onChange={(duplicate) => set({ duplicate })} />
      <Switch label={words.out_of_order} on={network.out_of_order} onChange={(out_of_order) => set({ out_of_order })} />
      {tamper("signature")}
      {tamper("stale")}
      <Switch label={words.cut} on={network.cut} onChange={(cut) => set({ cut })} />
    </section>
  );
}
