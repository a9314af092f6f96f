// For a menu button that wants a picture: WeChat tells of the tap first, then sends the picture as a message.
import { told } from "../../api";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { FileInput } from "../../ui/FileInput";
import { act, base64, tapMenu } from "../act";
import { sampleImage } from "../samples";
import { Sheet } from "./Sheet";

export function PictureSheet({ button }: { button: number[] | undefined }) {
  const words = t().sheets;
  const send = async (picture: Promise<string | undefined>) => {
    overlay.value = null;
    const image = await told(picture);
    if (!image) return;
    if (button) void tapMenu(button, { image });
    else void act({ image });
  };
  return (
    <Sheet title={words.picture}>
      <p class="hint">{words.pictureHint}</p>
      <div class="sheet-buttons">
        <label class="button">
          {words.choose}
          <FileInput accept="image/*" onFile={(file) => file && void send(base64(file))} />
        </label>
        <button type="button" class="button primary" onClick={() => void send(sampleImage())}>
          {words.sample}
        </button>
      </div>
    </Sheet>
  );
}
