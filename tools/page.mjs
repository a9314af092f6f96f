// The page of wx-sim: Vite makes simulator/page/dist of its sources, and cargo puts that into the program.
// Plain Node >= 18, no dependencies.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { exclusively } from "./lock.mjs";
import { at } from "./paths.mjs";
import { captured, Failure, say, seconds } from "./steps.mjs";
import { node, npmCi } from "./setup.mjs";

/** Where the sources are. */
export const pageSources = at("simulator/page");

/** What is made of them. */
export const pageFiles = at("simulator/page/dist");

const STAMP = path.join(pageFiles, ".made-of");

/** Makes the page if its sources changed; true if it did. Cargo's build script may ask for it at the same time. */
export async function makePage() {
  if (isCurrent()) return false;
  return exclusively("page", async () => {
    if (isCurrent()) return false;
    const start = Date.now();
    const source = digest();
    await tool("vite/bin/vite.js", "build", "--logLevel", "warn");
    fs.writeFileSync(STAMP, source);
    say(`✓ page of wx-sim (${seconds(start)})`);
    return true;
  });
}

/** Checks the types of the sources, which Vite only leaves out. */
export async function checkPage() {
  await tool("typescript/bin/tsc", "--noEmit");
}

async function tool(script, ...args) {
  const [interpreter] = await Promise.all([node(), npmCi("simulator/page", "page-packages")]);
  const { code, output } = await captured(interpreter, [path.join(pageSources, "node_modules", script), ...args], { cwd: pageSources });
  if (code !== 0) throw new Failure(`${output}\n✗ page of wx-sim: ${path.basename(script)} ended with ${code}.`);
}

const isCurrent = () => fs.existsSync(STAMP) && fs.readFileSync(STAMP, "utf8") === digest();

function digest() {
  const hash = createHash("sha256");
  for (const file of sources(pageSources).sort()) hash.update(`${path.relative(pageSources, file)}\n`).update(fs.readFileSync(file));
  return hash.digest("hex");
}

function sources(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !["dist", "node_modules"].includes(name));
  return entries.flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? sources(file) : [file];
  });
}
