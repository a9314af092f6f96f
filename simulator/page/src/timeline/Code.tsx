import { t } from "../text";
import { copy } from "../ui/clipboard";
import { Icon } from "../ui/Icon";
import { highlight, type CodeKind } from "./highlight";

interface CodeProps {
  text: string;
  /** For screen readers. */
  label: string;
  /** A line above the text, such as the request line. */
  head?: string;
  /** Shown instead of an empty text. */
  empty?: string;
  kind?: CodeKind;
}

/** Coloured text with a button that copies it as it was. */
export function Code({ text, label, head, empty, kind }: CodeProps) {
  return (
    <div class="code">
      <div class="code-head">
        <span class="mono" title={head}>
          {head}
        </span>
        <button type="button" class="button small" onClick={() => void copy(text)}>
          <Icon name="copy" size={14} />
          {t().copy}
        </button>
      </div>
      {text === "" ? (
        <p class="hint padded">{empty}</p>
      ) : (
        <pre aria-label={label}>
          <code>
            {highlight(text, kind).map(({ type, text }, index) =>
              type === "" ? (
                text
              ) : (
                <span key={index} class={`tok-${type}`}>
                  {text}
                </span>
              ),
            )}
          </code>
        </pre>
      )}
    </div>
  );
}

/** A value as indented JSON. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  return <Code text={JSON.stringify(value, null, 2)} label={label} kind="json" />;
}
