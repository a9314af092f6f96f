// Scanning: one of the live codes, the text of a code, or a picture with a code in it.
import { useEffect, useState } from "preact/hooks";
import { view } from "../../store/live";
import { seconds } from "../../store/clock";
import { overlay } from "../../store/ui";
import { span, t } from "../../text";
import type { Code } from "../../types";
import { FileInput } from "../../ui/FileInput";
import { Icon } from "../../ui/Icon";
import { scan, tapMenu } from "../act";
import { CodePicture } from "../CodePicture";
import { readCode } from "../readCode";
import { Sheet } from "./Sheet";

/** Of many codes, the newest are drawn. */
const DRAWN = 50;

export function ScanSheet({ button, waits }: { button: number[] | undefined; waits: boolean }) {
  const words = t().scan;
  const [text, setText] = useState("");
  const use = (code: string) => {
    if (code.trim() === "") return;
    if (!button) return void scan(code.trim());
    overlay.value = null;
    void tapMenu(button, { scan_result: code.trim() });
  };
  return (
    <Sheet title={button ? `${words.title}${waits ? " · scancode_waitmsg" : ""}` : words.title}>
      <form class="inline-form" onSubmit={(event) => (event.preventDefault(), use(text))}>
        <input value={text} aria-label={words.paste} placeholder={words.paste} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" class="button primary small" disabled={text.trim() === ""}>
          {words.go}
        </button>
      </form>
      <FromPicture onCode={use} />
      <h4>{words.live}</h4>
      <Codes onCode={(code) => use(button ? code.url : code.ticket)} />
    </Sheet>
  );
}

function Codes({ onCode }: { onCode: (code: Code) => void }) {
  const codes = (view.value?.codes ?? []).slice(-DRAWN).reverse();
  const words = t().scan;
  if (codes.length === 0) return <p class="hint">{words.empty}</p>;
  return (
    <ul class="codes">
      {codes.map((code) => (
        <li key={code.ticket}>
          <button type="button" onClick={() => onCode(code)}>
            <CodePicture text={code.url} size={48} />
            <span>
              <b>{words.scene(code.scene)}</b>
              <small>{left(code)}</small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Codes live by the virtual clock. */
function left({ expires_ms }: Code): string {
  const words = t().scan;
  if (expires_ms === null) return words.permanent;
  const left_ms = expires_ms - seconds.value * 1000;
  return left_ms > 0 ? words.left(span(left_ms)) : words.expired;
}

function FromPicture({ onCode }: { onCode: (code: string) => void }) {
  const words = t().scan;
  const [state, setState] = useState<"idle" | "over" | "reading" | "nothing">("idle");
  const read = async (file: Blob | undefined | null) => {
    if (!file) return setState("idle");
    setState("reading");
    const code = await readCode(file).catch(() => undefined);
    setState(code === undefined ? "nothing" : "idle");
    if (code !== undefined) onCode(code);
  };
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const picture = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
      if (!picture) return;
      event.preventDefault();
      void read(picture);
    };
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }, []);
  return (
    <div
      class={`drop ${state}`}
      onDragOver={(event) => (event.preventDefault(), setState("over"))}
      onDragLeave={() => setState("idle")}
      onDrop={(event) => (event.preventDefault(), void read(event.dataTransfer?.files[0]))}
    >
      <Icon name="scan" size={28} />
      <span role="status">{state === "reading" ? words.reading : state === "nothing" ? words.nothing : words.drop}</span>
      <label class="button small">
        {words.choose}
        <FileInput accept="image/*" onFile={(file) => void read(file)} />
      </label>
    </div>
  );
}
