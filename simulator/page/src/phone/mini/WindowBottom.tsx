// Below the chat with the Mini Program's customer service: words, pictures, pages, and the opening of the chat.
import { useState } from "preact/hooks";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { act, sendFile } from "../act";
import { Composer } from "../Composer";
import { FileTile, PlusButton, Tile } from "../tiles";
import { enter } from "./deeds";

export function WindowBottom() {
  const [plus, setPlus] = useState(false);
  const idle = <PlusButton open={plus} onClick={() => setPlus(!plus)} />;
  return (
    <Composer label={t().phone.input} onSend={(text) => act({ text })} idle={idle}>
      {plus && <Panel onDone={() => setPlus(false)} />}
    </Composer>
  );
}

function Panel({ onDone }: { onDone: () => void }) {
  const words = t();
  return (
    <div class="plus-panel">
      <FileTile
        icon="picture"
        label={words.phone.plusPanel.picture}
        accept="image/*"
        onFile={(file) => (void sendFile(file, "picture"), onDone())}
      />
      <Tile icon="link" label={words.mini.page} onClick={() => ((overlay.value = { kind: "page" }), onDone())} />
      <Tile icon="person" label={words.mini.enter} onClick={() => (void enter(), onDone())} />
    </div>
  );
}
