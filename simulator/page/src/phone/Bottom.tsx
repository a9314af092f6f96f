// Below the chat: the account's menu, or the keyboard side with its panel of other things to send.
import { useState } from "preact/hooks";
import { person } from "../store/live";
import { overlay } from "../store/ui";
import { t } from "../text";
import { Icon } from "../ui/Icon";
import { act, sendFile } from "./act";
import { Composer } from "./Composer";
import { MenuBar } from "./MenuBar";
import { FileTile, PlusButton, Tile } from "./tiles";

export function Bottom() {
  const menu = person.value?.following ? person.value.menu : null;
  const has = Boolean(menu?.length);
  const [side, setSide] = useState<"menu" | "keyboard">("menu");
  if (has && side === "menu") return <MenuBar buttons={menu!} onKeyboard={() => setSide("keyboard")} />;
  return <Keyboard onMenu={has ? () => setSide("menu") : undefined} focus={has} />;
}

function Keyboard({ onMenu, focus }: { onMenu: (() => void) | undefined; focus: boolean }) {
  const [plus, setPlus] = useState(false);
  const words = t().phone;
  const toMenu = onMenu && (
    <button type="button" class="icon-button" aria-label={words.toMenu} onClick={onMenu}>
      <Icon name="menu" size={24} />
    </button>
  );
  return (
    <Composer
      label={words.input}
      onSend={(text) => act({ text })}
      before={toMenu}
      idle={<PlusButton open={plus} onClick={() => setPlus(!plus)} />}
      focus={focus}
      onFocus={() => setPlus(false)}
    >
      {plus && <Panel onDone={() => setPlus(false)} />}
    </Composer>
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
