import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { Icon } from "../../ui/Icon";

/** A sheet over the phone's chat: takes the focus, gives it back, closes with Escape. */
export function Sheet({
  title,
  children,
  full = false,
  onEscape,
}: {
  title: string;
  children: ComponentChildren;
  full?: boolean;
  onEscape?: () => void;
}) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const close = onEscape ?? (() => void (overlay.value = null));
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    // It slides in from below: scrolling to it would move everything.
    box.current?.focus({ preventScroll: true });
    return () => before?.isConnected && before.focus();
  }, []);
  return (
    <div class={full ? "sheet-frame full" : "sheet-frame"}>
      {!full && <div class="sheet-behind" aria-hidden="true" onClick={close} />}
      <div
        class="sheet"
        role="dialog"
        aria-labelledby={id}
        ref={box}
        tabIndex={-1}
        onKeyDown={(event) => event.key === "Escape" && (event.stopPropagation(), close())}
      >
        <header>
          <button type="button" class="icon-button" aria-label={t().close} onClick={close}>
            <Icon name={full ? "close" : "down"} />
          </button>
          <h3 id={id}>{title}</h3>
        </header>
        <div class="sheet-body">{children}</div>
      </div>
    </div>
  );
}
