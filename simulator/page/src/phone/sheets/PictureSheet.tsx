// For a menu button that wants a picture: WeChat tells of the tap first, then sends the picture as a message.
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { FileInput } from "../../ui/FileInput";
import { act, sendFile, tapMenu } from "../act";
import { sampleImage } from "../samples";
import { Sheet } from "./Sheet";

export function PictureSheet({ button }: { button: number[] | undefined }) {
  const words = t().sheets;
  const send = async (picture: () => Promise<unknown>) => {
    overlay.value = null;
    if (button) await tapMenu(button);
    await picture();
  };
  return (
    <Sheet title={words.picture}>
      <p class="hint">{words.pictureHint}</p>
      <div class="sheet-buttons">
        <label class="button">
          {words.choose}
          <FileInput accept="image/*" onFile={(file) => void send(() => sendFile(file, "picture"))} />
        </label>
        <button type="button" class="button primary" onClick={() => void send(async () => act({ image: await sampleImage() }))}>
          {words.sample}
        </button>
      </div>
    </Sheet>
  );
}
