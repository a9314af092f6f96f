// What the person whose phone is shown does. Nothing waits for the delivery: the watch tells what comes of it.
import { api, told } from "../api";
import { person } from "../store/live";
import { overlay, toast } from "../store/ui";
import { t } from "../text";
import type { Given, SendRequest, TapResult } from "../types";

/** Most bytes of a file: the simulator reads 32 MiB, and base64 makes a third more. */
const MOST_BYTES = 20 * 1024 * 1024;

/** Whom the command line means, too, if it is told nobody. */
const SOMEBODY = "xiaoming";

/** Who acts: before anybody is there, whoever is met by acting. */
export const actor = () => person.value?.name ?? SOMEBODY;

/** The person does something; false, in the end, if the simulator refused. */
export async function act(message: Omit<SendRequest, "as">): Promise<boolean> {
  return (await told(api.send({ ...message, as: actor() }))) !== undefined;
}

/** Opens what a tap or a scan leads to. */
export function follow(result: TapResult | undefined) {
  if (result?.open) overlay.value = { kind: "browser", url: result.open };
  else if (result?.mini_program) overlay.value = { kind: "mini", ...result.mini_program };
}

/** A tap on a menu button; resolves when WeChat has been told of it, and of what the person gave. */
export async function tapMenu(button: number[], given: Given = {}) {
  follow(await told(api.click(actor(), button, given)));
}

/** A scan of a QR code, by its text, its ticket or its scene. */
export async function scan(code: string) {
  overlay.value = null;
  follow(await told(api.scan(actor(), code)));
}

/** A file as base64, as the control API wants it. */
export async function base64(file: Blob): Promise<string | undefined> {
  if (file.size > MOST_BYTES) {
    toast(t().sheets.tooLarge, "error");
    return undefined;
  }
  const reader = new FileReader();
  const done = new Promise<string>((resolve, reject) => {
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
  });
  reader.readAsDataURL(file);
  return (await done).split(",")[1];
}

/** Sends a picture or a recording from a file. */
export async function sendFile(file: File | undefined, kind: "picture" | "voice") {
  const data = file && (await told(base64(file)));
  if (!file || !data) return;
  if (kind === "picture") return void act({ image: data });
  const format = file.name.split(".").pop()?.toLowerCase() || "amr";
  void act({ voice: { data, format } });
}
