import { t } from "../text";
import { toast } from "../store/ui";

/** Copies a text and says so. */
export async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t().copied);
  } catch (error) {
    toast(String(error), "error");
  }
}
