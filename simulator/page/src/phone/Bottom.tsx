// Below the chat: the account's menu, or the keyboard side with its panel of other things to send.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { person } from "../store/live";
import { overlay } from "../store/ui";
import { t } from "../text";
import { FileInput } from "../ui/FileInput";
import { Icon, type IconName } from "../ui/Icon";
import { act, sendFile } from "./act";
import { MenuBar } from "./MenuBar";

export function Bottom() {
  const menu = person.value?.following ? person.value.menu : null;
  const has = Boolean(menu?.length);
  const [side, setSide] = useState<"menu" | "keyboard">("menu");
  if (has && side === "menu") return <MenuBar buttons={menu!} onKeyboard={() => setSide("keyboard")} />;
  return <Keyboard onMenu={has ? () => setSide("menu") : undefined} focus={has} />;
}

function Keyboard({ onMenu, focus }: { onMenu: (() => void) | undefined; focus: boolean }) {
  const [text, setText] = useState("");
  const [plus, setPlus] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const words = t().phone;
  useLayoutEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  const send = () => {
    if (text.trim() === "") return;
    setText("");
    // What could not be sent is not lost.
    void act({ text }).then((sent) => sent || setText((since) => since || text));
    input.current?.focus();
  };
  const key = (event: KeyboardEvent) => {
    // Enter also ends the choice of a Chinese word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div class="bottom">
      <form class="composer" onSubmit={(event) => (event.preventDefault(), send())}>
        {onMenu && (
          <button type="button" class="icon-button" aria-label={words.toMenu} onClick={onMenu}>
            <Icon name="menu" size={24} />
          </button>
        )}
        <textarea
          ref={input}
          rows={1}
          value={text}
          aria-label={words.input}
          placeholder={words.input}
          enterkeyhint="send"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={key}
          onFocus={() => setPlus(false)}
        />
        {text.trim() === "" ? (
          <button type="button" class="icon-button" aria-label={words.plus} aria-expanded={plus} onClick={() => setPlus(!plus)}>
            <span class="plus">
              <Icon name="plus" size={20} />
            </span>
          </button>
        ) : (
          <button type="submit" class="button primary send">
            {t().send}
          </button>
        )}
      </form>
      {plus && <Panel onDone={() => setPlus(false)} />}
    </div>
  );
}

function Panel({ onDone }: { onDone: () => void }) {
  const words = t().phone.plusPanel;
  const open = (kind: "place" | "link" | "scan") => () => {
    overlay.value = { kind };
    onDone();
  };
  return (
    <div class="plus-panel">
      <FileTile icon="picture" label={words.picture} accept="image/*" onFile={(file) => (void sendFile(file, "picture"), onDone())} />
      <FileTile
        icon="sound"
        label={words.voice}
        accept="audio/*,.amr,.speex,.silk"
        onFile={(file) => (void sendFile(file, "voice"), onDone())}
      />
      <Tile icon="place" label={words.place} onClick={open("place")} />
      <Tile icon="link" label={words.link} onClick={open("link")} />
      <Tile icon="scan" label={words.scan} onClick={open("scan")} />
    </div>
  );
}

function Tile({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="tile" onClick={onClick}>
      <span>
        <Icon name={icon} size={26} />
      </span>
      {label}
    </button>
  );
}

function FileTile({
  icon,
  label,
  accept,
  onFile,
}: {
  icon: IconName;
  label: string;
  accept: string;
  onFile: (file: File | undefined) => void;
}) {
  return (
    <label class="tile">
      <span>
        <Icon name={icon} size={26} />
      </span>
      {label}
      <FileInput accept={accept} onFile={onFile} />
    </label>
  );
}
