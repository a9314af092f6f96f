// Copies of the bundle with something put into its JavaScript: production code has no way to panic or to talk on demand.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folders = [];
process.once("exit", () => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

/** A folder with the bundle in which, for each `[head, code]`, `code` stands after `head`; ARGUMENT in it is what `head` captures. */
export function bundleWith(...insertions) {
  const build = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-trap-"));
  folders.push(build);
  fs.cpSync(fileURLToPath(new URL("../../build", import.meta.url)), build, { recursive: true });
  const bundle = path.join(build, "index.js");
  let source = fs.readFileSync(bundle, "utf8");
  for (const [head, code] of insertions) {
    assert.match(source, head, "the place to put it in");
    source = source.replace(head, (start, name) => start + code.replaceAll("ARGUMENT", name));
  }
  fs.writeFileSync(bundle, source);
  return build;
}
