// The account's menu: up to three buttons, each with up to five below it.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { overlay } from "../store/ui";
import { t } from "../text";
import type { Button } from "../types";
import { Icon } from "../ui/Icon";
import { tapMenu } from "./act";

/** Some buttons want something of the person first. */
export function tap(button: Button, path: number[]) {
  const type = button.type ?? "";
  if (type.startsWith("scancode_")) overlay.value = { kind: "scan", button: path, waits: type === "scancode_waitmsg" };
  else if (type.startsWith("pic_")) overlay.value = { kind: "picture", button: path, type };
  else if (type === "location_select") overlay.value = { kind: "place", button: path };
  else void tapMenu(path);
}

export function MenuBar({ buttons, onKeyboard }: { buttons: Button[]; onKeyboard: () => void }) {
  const [open, setOpen] = useState<number | null>(null);
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    if (open === null) return;
    const away = (event: Event) => !bar.current?.contains(event.target as Node) && setOpen(null);
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const close = () => {
    bar.current?.querySelectorAll<HTMLElement>(".menu-button")[open ?? 0]?.focus();
    setOpen(null);
  };
  return (
    <nav
      class="bottom menu-bar"
      aria-label={t().phone.menu}
      ref={bar}
      onKeyDown={(event) => event.key === "Escape" && open !== null && close()}
    >
      <button type="button" class="icon-button" aria-label={t().phone.keyboard} onClick={onKeyboard}>
        <Icon name="keyboard" size={24} />
      </button>
      {buttons.slice(0, 3).map((button, index) => {
        const below = button.sub_button?.length ? button.sub_button : undefined;
        return (
          <div key={index} class="menu-slot">
            <button
              type="button"
              class="menu-button"
              aria-haspopup={below ? "menu" : undefined}
              aria-expanded={below ? open === index : undefined}
              onClick={() => (below ? setOpen(open === index ? null : index) : (setOpen(null), tap(button, [index])))}
            >
              {below && <Icon name="menu" size={14} />}
              <span>{button.name}</span>
            </button>
            {below && open === index && <SubMenu name={button.name} buttons={below} at={index} onDone={close} />}
          </div>
        );
      })}
    </nav>
  );
}

function SubMenu({ name, buttons, at, onDone }: { name: string; buttons: Button[]; at: number; onDone: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useLayoutEffect(() => items()[0]?.focus(), []);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = items();
    all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length]?.focus();
  };
  return (
    <div class="sub-menu" role="menu" aria-label={t().phone.subMenu(name)} ref={list} onKeyDown={move}>
      {buttons.map((button, index) => (
        <button key={index} type="button" role="menuitem" tabIndex={-1} onClick={() => (onDone(), tap(button, [at, index]))}>
          {button.name}
        </button>
      ))}
    </div>
  );
}
