// Faults of the platform's API: each hits the next call, or every call until it is switched off.
import { useState } from "preact/hooks";
import { api, told } from "../api";
import { view } from "../store/live";
import { t } from "../text";
import type { Fault } from "../types";
import { Segmented, Switch } from "../ui/controls";

type Scope = "once" | "always";

/** In this order: an object would put its numbers first. */
const kinds = new Map<string, Pick<Fault, "errcode" | "http_status" | "half" | "cut">>([
  ["40001", { errcode: 40001 }],
  ["42001", { errcode: 42001 }],
  ["40164", { errcode: 40164 }],
  ["45009", { errcode: 45009 }],
  ["40226", { errcode: 40226 }],
  ["45011", { errcode: 45011 }],
  ["-1", { errcode: -1 }],
  ["503", { http_status: 503 }],
  ["half", { half: true }],
  ["cut", { cut: true }],
]);

const paths = [
  "*",
  "/cgi-bin/message/custom/send",
  "/cgi-bin/stable_token",
  "/cgi-bin/token",
  "/cgi-bin/media/get",
  "/cgi-bin/qrcode/create",
  "/cgi-bin/user/info",
  "/sns/jscode2session",
  "/wxa/msg_sec_check",
];

/** The name of a fault's kind, if the page has a switch for it. */
function kindOf(fault: Fault): string | undefined {
  if (fault.half) return "half";
  if (fault.cut) return "cut";
  return [...kinds.keys()].find((name) => Number(name) === (fault.errcode ?? fault.http_status));
}

export function PlatformFaults() {
  const [scope, setScope] = useState<Scope>("once");
  const [path, setPath] = useState("*");
  const { faults } = view.value!;
  const words = t().platform;
  const set = (name: string, on: boolean) => {
    const others = faults.filter((fault) => kindOf(fault) !== name);
    const times = scope === "once" ? 1 : "always";
    void told(api.faults(on ? [...others, { path, ...kinds.get(name), times }] : others));
  };
  return (
    <section class="group" role="group" aria-labelledby="platform-title">
      <h2 id="platform-title">{words.title}</h2>
      <p class="hint above">{words.hint}</p>
      <div class="scope">
        <Segmented
          label={words.scope}
          value={scope}
          onChange={setScope}
          options={[
            { value: "once", label: words.once },
            { value: "always", label: words.always },
          ]}
        />
        <div class="select">
          <select aria-label={words.path} value={path} onChange={(event) => setPath(event.currentTarget.value)}>
            {paths.map((one) => (
              <option key={one} value={one}>
                {one === "*" ? words.allPaths : one}
              </option>
            ))}
          </select>
        </div>
      </div>
      {[...kinds.keys()].map((name) => {
        const fault = faults.find((fault) => kindOf(fault) === name);
        return (
          <Switch
            key={name}
            label={words.names[name] ?? name}
            note={fault && words.left(fault.times ?? 1)}
            on={fault !== undefined}
            onChange={(on) => set(name, on)}
          />
        );
      })}
    </section>
  );
}
