// Three columns; in a narrow window, one of them at a time.
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { Left } from "./left/Left";
import { Phone } from "./phone/Phone";
import { column, narrow, windowOpen, type Column } from "./store/ui";
import { t } from "./text";
import { Timeline } from "./timeline/Timeline";
import { TopBar } from "./top/TopBar";
import { nextIndex } from "./ui/controls";
import { Toasts } from "./ui/Toasts";

const columns: Column[] = ["left", "phone", "timeline"];

export function App() {
  return (
    <div class="app">
      <TopBar />
      {narrow.value && <Chooser />}
      <main class="columns">
        <Part name="left">
          <Left />
        </Part>
        <Part name="phone">
          <Phone />
        </Part>
        <Part name="timeline">
          <Timeline />
        </Part>
      </main>
      {!windowOpen.value && <Toasts />}
    </div>
  );
}

function Part({ name, children }: { name: Column; children: ComponentChildren }) {
  const hidden = narrow.value && column.value !== name;
  return (
    <section
      id={`column-${name}`}
      class={`column of-${name}`}
      aria-label={t().columns[name]}
      hidden={hidden}
      role={narrow.value ? "tabpanel" : "region"}
    >
      {children}
    </section>
  );
}

function Chooser() {
  const id = useId();
  const bar = useRef<HTMLDivElement>(null);
  const index = columns.indexOf(column.value);
  const move = (event: KeyboardEvent) => {
    const next = nextIndex(event.key, index, columns.length);
    if (next === undefined) return;
    event.preventDefault();
    column.value = columns[next]!;
    bar.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <nav class="chooser" aria-label="wx-sim">
      <div role="tablist" aria-label="wx-sim" ref={bar} onKeyDown={move}>
        {columns.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-controls={`column-${name}`}
            aria-selected={column.value === name}
            tabIndex={column.value === name ? 0 : -1}
            onClick={() => (column.value = name)}
          >
            {t().columns[name]}
          </button>
        ))}
      </div>
    </nav>
  );
}
