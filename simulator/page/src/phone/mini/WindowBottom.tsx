// Below the chat with the Mini Program's customer service: words, pictures, pages, and the opening of the chat.
import { useState } from "preact/hooks";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { FileInput } from "../../ui/FileInput";
import { Icon } from "../../ui/Icon";
import { act, sendFile } from "../act";
import { Composer } from "./Composer";
import { enter } from "./deeds";

export function WindowBottom() {
  const [plus, setPlus] = useState(false);
  const words = t().phone;
  const idle = (
    <button type="button" class="icon-button" aria-label={words.plus} aria-expanded={plus} onClick={() => setPlus(!plus)}>
      <span class="plus">
        <Icon name="plus" size={20} />
      </span>
    </button>
  );
  return (
    <>
      <Composer label={words.input} onSend={(text) => act({ text })} idle={idle} />
      {plus && <Panel onDone={() => setPlus(false)} />}
    </>
  );
}

function Panel({ onDone }: { onDone: () => void }) {
  const words = t();
  return (
    <div class="plus-panel">
      <label class="tile">
        <span>
          <Icon name="picture" size={26} />
        </span>
        {words.phone.plusPanel.picture}
        <FileInput accept="image/*" onFile={(file) => (void sendFile(file, "picture"), onDone())} />
      </label>
      <button type="button" class="tile" onClick={() => ((overlay.value = { kind: "page" }), onDone())}>
        <span>
          <Icon name="link" size={26} />
        </span>
        {words.mini.page}
      </button>
      <button type="button" class="tile" onClick={() => (void enter(), onDone())}>
        <span>
          <Icon name="person" size={26} />
        </span>
        {words.mini.enter}
      </button>
    </div>
  );
}
