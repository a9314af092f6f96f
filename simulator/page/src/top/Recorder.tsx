// Record what is done on this page, do it again, keep it as a file.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, told } from "../api";
import { view } from "../store/live";
import { toast, windowOpen as shown } from "../store/ui";
import { t } from "../text";
import { JsonView } from "../timeline/Code";
import type { RunResult } from "../types";
import { FileInput } from "../ui/FileInput";
import { Icon } from "../ui/Icon";
import { Toasts } from "../ui/Toasts";
import { Outcome, outcomeText } from "./Outcome";

const scenario = signal<unknown>(undefined);
const outcome = signal<RunResult | undefined>(undefined);
const replaying = signal(false);

async function record(on: boolean) {
  const answer = await told(api.record(on));
  if (on || answer?.scenario === undefined) return;
  scenario.value = answer.scenario;
  outcome.value = undefined;
  shown.value = true;
  toast(t().top.recorded);
}

async function replay() {
  replaying.value = true;
  outcome.value = undefined;
  outcome.value = await told(api.run(scenario.value));
  replaying.value = false;
  if (outcome.value) toast(outcomeText(outcome.value), outcome.value.outcome === "passed" ? "info" : "error");
}

function save() {
  const file = new Blob([`${JSON.stringify(scenario.value, null, 2)}\n`], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "scenario.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function open(file: File | undefined) {
  if (!file) return;
  try {
    scenario.value = JSON.parse(await file.text());
    outcome.value = undefined;
  } catch {
    toast(t().top.badScenario, "error");
  }
}

export function Recorder() {
  const recording = view.value?.recording;
  const words = t().top;
  return (
    <>
      <button
        type="button"
        class={recording ? "button recording on" : "button recording"}
        aria-pressed={Boolean(recording)}
        onClick={() => void record(!recording)}
      >
        <Icon name="record" size={14} filled />
        {recording ? words.recording(recording.steps) : words.record}
      </button>
      <button type="button" class="button" onClick={() => (shown.value = true)}>
        {words.replay}
      </button>
      {shown.value && <Scenario />}
    </>
  );
}

function Scenario() {
  const dialog = useRef<HTMLDialogElement>(null);
  const words = t().top;
  const missing = scenario.value === undefined;
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="window" ref={dialog} aria-label={words.scenario} onClose={() => (shown.value = false)}>
      <div class="window-head">
        <h2>{words.scenario}</h2>
        <button type="button" class="icon-button" aria-label={t().close} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <p class="hint">{missing ? words.noScenario : words.scenarioHint}</p>
      {!missing && <JsonView value={scenario.value} label={words.scenario} />}
      {outcome.value && <Outcome result={outcome.value} />}
      <div class="window-foot">
        <label class="button">
          {words.import}
          <FileInput accept="application/json,.json" onFile={(file) => void open(file)} />
        </label>
        <button type="button" class="button" disabled={missing} onClick={save}>
          {words.export}
        </button>
        <button type="button" class="button primary" disabled={missing || replaying.value} onClick={() => void replay()}>
          {replaying.value ? words.replaying : words.replay}
        </button>
      </div>
      <Toasts />
    </dialog>
  );
}
