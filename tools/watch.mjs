// What changed in the project's files while `npm run dev` runs.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { at } from "./paths.mjs";
import { pageSources } from "./page.mjs";

/** Milliseconds within which an editor, or git, writes all files of one change. */
const ONE_CHANGE = 60;

/** What each file means for the running Worker. */
const kinds = {
  "Cargo.toml": "code",
  "Cargo.lock": "code",
  "wrangler.toml": "bindings",
  ".dev.vars": "settings",
};

/** Yields what changed, as a set of kinds: "code", "bindings", "settings", "frontend", "page". What changes meanwhile is in the next set. */
export async function* changes() {
  const changed = new Set();
  let wake = () => {};
  const note = (kind) => {
    changed.add(kind);
    wake();
  };
  fs.watch(at("."), (_, file) => kinds[file] && note(kinds[file]));
  fs.watch(pageSources, (_, file) => /\.(html|json|ts)$/.test(file) && note("page"));
  for (;;) {
    watchFolders(at("src"), (file) => /\.(rs|js|toml)$/.test(file) && note("code"));
    watchFolders(at("frontend"), () => note("frontend"));
    watchFolders(path.join(pageSources, "src"), () => note("page"));
    if (changed.size === 0) await new Promise((resolve) => (wake = resolve));
    await delay(ONE_CHANGE);
    const all = new Set(changed);
    changed.clear();
    yield all;
  }
}

const watched = new Map();

/** Watches every folder from `top` on, each by itself: Node's recursive watch loses files that editors replace. */
function watchFolders(top, listener) {
  const inside = fs.readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  const folders = [top, ...inside.map((entry) => path.join(entry.parentPath, entry.name))];
  for (const folder of folders.filter((folder) => !watched.has(folder))) {
    const watcher = fs.watch(folder, (_, file) => listener(file ?? ""));
    const forget = () => watched.delete(folder);
    watched.set(folder, watcher.on("error", forget).on("close", forget));
  }
}
