import { overlay } from "../../store/ui";
import { t } from "../../text";
import { act } from "../act";
import { Sheet } from "./Sheet";

export function LinkSheet() {
  const words = t().sheets;
  const sample = t().events.linkSample;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string) => String(form.get(name) ?? "");
    act({ link: { title: field("title"), description: field("description"), url: field("url") } });
    overlay.value = null;
  };
  return (
    <Sheet title={words.link}>
      <form class="fields" onSubmit={send}>
        <label>
          {words.linkTitle}
          <input name="title" required defaultValue={sample.title} />
        </label>
        <label>
          {words.description}
          <input name="description" defaultValue={sample.description} />
        </label>
        <label>
          {words.url}
          <input name="url" type="url" required defaultValue={sample.url} />
        </label>
        <button type="submit" class="button primary">
          {t().send}
        </button>
      </form>
    </Sheet>
  );
}
