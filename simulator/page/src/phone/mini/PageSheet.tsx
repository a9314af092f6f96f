import { useState } from "preact/hooks";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { act } from "../act";
import { Sheet } from "../sheets/Sheet";

/** A page of the Mini Program to send. */
export function PageSheet() {
  const words = t().mini;
  const [title, setTitle] = useState(words.pageSample.title);
  const [path, setPath] = useState(words.pageSample.path);
  const send = (event: Event) => {
    event.preventDefault();
    overlay.value = null;
    void act({ page: { title, path } });
  };
  return (
    <Sheet title={words.page}>
      <form class="fields" onSubmit={send}>
        <label>
          {words.pageTitle}
          <input value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <label>
          {words.pagePath}
          <input value={path} onInput={(event) => setPath(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button primary" disabled={path.trim() === ""}>
          {t().send}
        </button>
      </form>
    </Sheet>
  );
}
