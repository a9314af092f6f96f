// Small controls made of native ones, so that keyboard and screen reader work by themselves.
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

interface Option<T extends string> {
  value: T;
  label: string;
  disabled?: boolean;
}

/** One of a few: radio buttons that look like one bar. */
export function Segmented<T extends string>(props: {
  label: string;
  options: Option<T>[];
  value: T;
  onChange: (value: T) => void;
  kind?: "bar" | "chips";
  describedBy?: string | undefined;
}) {
  const name = useId();
  return (
    <div
      role="radiogroup"
      aria-label={props.label}
      aria-describedby={props.describedBy}
      class={props.kind === "chips" ? "chips" : "segmented"}
    >
      {props.options.map(({ value, label, disabled }) => (
        <label key={value}>
          <input type="radio" name={name} checked={props.value === value} disabled={disabled} onChange={() => props.onChange(value)} />
          <span>{label}</span>
        </label>
      ))}
    </div>
  );
}

/** On or off, at once. */
export function Switch(props: { label: string; note?: string | undefined; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="switch">
      <span class="switch-label">{props.label}</span>
      {props.note && <span class="switch-note">{props.note}</span>}
      <input type="checkbox" role="switch" checked={props.on} onChange={(event) => props.onChange(event.currentTarget.checked)} />
    </label>
  );
}

interface Tab<T extends string> {
  value: T;
  label: string;
  panel: () => ComponentChildren;
}

/** Tabs as ARIA wants them: arrows move, one panel is there. */
export function Tabs<T extends string>(props: {
  label: string;
  tabs: Tab<T>[];
  value: T;
  onChange: (value: T) => void;
  after?: ComponentChildren;
}) {
  const id = useId();
  const bar = useRef<HTMLDivElement>(null);
  const index = props.tabs.findIndex(({ value }) => value === props.value);
  const current = props.tabs[index] ?? props.tabs[0];
  const move = (event: KeyboardEvent) => {
    const next = nextIndex(event.key, index, props.tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    props.onChange(props.tabs[next]!.value);
    bar.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tabs-bar">
        <div role="tablist" aria-label={props.label} ref={bar} onKeyDown={move}>
          {props.tabs.map(({ value, label }) => (
            <button
              key={value}
              type="button"
              role="tab"
              id={`${id}-${value}`}
              aria-selected={value === props.value}
              aria-controls={`${id}-panel`}
              tabIndex={value === props.value ? 0 : -1}
              onClick={() => props.onChange(value)}
            >
              {label}
            </button>
          ))}
        </div>
        {props.after}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${props.value}`} class="tabs-panel" tabIndex={0}>
        {current?.panel()}
      </div>
    </div>
  );
}

/** Where an arrow key leads among `count` in a row. */
export function nextIndex(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowRight":
      return (index + 1) % count;
    case "ArrowLeft":
      return (index - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
