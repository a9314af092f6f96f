// What the person whose phone is shown does. Nothing waits for the delivery: the watch tells what comes of it.
import { api, told } from "../api";
import { person, view } from "../store/live";
import { app, inWindow, miniTab, overlay, toast } from "../store/ui";
import { t } from "../text";
import type { Deed, Given, SendRequest, TapResult } from "../types";

/** Most bytes of a file: the simulator reads 32 MiB, and base64 makes a third more. */
const MOST_BYTES = 20 * 1024 * 1024;

/** Whom the command line means, too, if it is told nobody. */
const SOMEBODY = "xiaoming";

/** Who acts: before anybody is there, whoever is met by acting. */
export const actor = () => person.value?.name ?? SOMEBODY;

/** The person does something; false, in the end, if the simulator refused. */
export async function act(message: Omit<SendRequest, "as">): Promise<boolean> {
  const mini = inWindow.value ? { mini: true } : {};
  return (await told(api.send({ ...message, ...mini, as: actor() }))) !== undefined;
}

/** Opens a Mini Program: the account's own is there, of others it is only told. */
export function openMini(appid: string, pagepath: string) {
  if (appid !== view.value?.mini?.app_id) return void (overlay.value = { kind: "mini", appid, pagepath });
  app.value = "mini";
  miniTab.value = "chat";
}

/** The person does something in the Mini Program. What comes of it is shown by the watch. */
export async function inMini(deed: Deed): Promise<boolean> {
  return (await told(api.mini(actor(), deed).then(() => true))) === true;
}

/** Opens what a tap or a scan leads to. */
export function follow(result: TapResult | undefined) {
  if (result?.open) overlay.value = { kind: "browser", url: result.open };
  else if (result?.mini_program) openMini(result.mini_program.appid, result.mini_program.pagepath);
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
