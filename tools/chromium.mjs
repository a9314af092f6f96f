// The browser for tests/browser: a Chrome or Chromium that is there, or the one of Debian.
// Plain Node >= 18, no dependencies.
import fs from "node:fs";
import path from "node:path";
import { aptInstall } from "./apt.mjs";
import { captured, Failure, step } from "./steps.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ON_MACOS = ["Google Chrome", "Chromium"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

/** The browser's program: `CHROME_PATH`, or where Chrome and Chromium usually are; undefined without one. */
export function findChromium() {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH;
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/bin"];
  const usual = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [...usual, ...ON_MACOS].find((file) => fs.existsSync(file));
}

/** Sees to it that there is a browser that starts. */
export async function chromium() {
  if (!findChromium()) await step("chromium (once)", install);
  const file = findChromium();
  const { code, output } = await captured(file, ["--version"]).catch(({ message }) => ({ code: 1, output: message }));
  if (code !== 0) throw new Failure(`${output}\n✗ ${file} does not start. ${HOW}`);
}

async function install(run) {
  // The font draws Chinese; Debian's Chromium brings none.
  const done = await aptInstall(run, ["chromium", "fonts-wqy-microhei"], "the tests of the page need a browser");
  if (!done || !findChromium()) throw new Failure(`✗ The tests of the page need Chrome or Chromium. ${HOW}`);
}

const HOW = "Install Google Chrome (https://www.google.com/chrome) or Chromium, or name one in CHROME_PATH.";
