// One `npm run dev` in a folder at a time: two would write to the same storage. And one installation or build of the
// same thing at a time, since cargo's build script starts some, too.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { at } from "./paths.mjs";
import { Failure } from "./steps.mjs";

/** Takes the lock, or fails and says where its holder is. It is given back when this process ends. */
export function takeLock(file) {
  refuseIfHeld(file);
  fs.rmSync(file, { force: true });
  fs.mkdirSync(path.dirname(file), { recursive: true });
  try {
    fs.writeFileSync(file, JSON.stringify({ pid: process.pid }), { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    refuseIfHeld(file);
  }
  process.once("exit", () => fs.rmSync(file, { force: true }));
}

/** Notes in the lock where its holder can be reached. */
export function noteAddress(file, url) {
  fs.writeFileSync(file, JSON.stringify({ pid: process.pid, url }));
}

/** Does `work` while no other process of this folder does work of this name; waits until it may. */
export async function exclusively(name, work) {
  const file = at(".tools/locks", name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  while (!taken(file)) {
    if (isAbandoned(file)) fs.rmSync(file, { force: true });
    else await delay(100);
  }
  const giveBack = () => fs.rmSync(file, { force: true });
  process.once("exit", giveBack);
  try {
    return await work();
  } finally {
    process.off("exit", giveBack);
    giveBack();
  }
}

function taken(file) {
  try {
    fs.writeFileSync(file, JSON.stringify({ pid: process.pid }), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

/** Its process is gone, or died before it could write its number. */
function isAbandoned(file) {
  const { pid } = content(file);
  if (Number.isInteger(pid)) return !runs(pid);
  const { mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? {};
  return Date.now() - mtimeMs > 1000;
}

function refuseIfHeld(file) {
  const { pid, url = "" } = content(file);
  if (!isHolder(pid)) return;
  throw new Failure(`✗ already running${url && ` at ${url}`} (process ${pid}). One \`npm run dev\` in a folder at a time.`);
}

function content(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {}; // no lock, or one whose writer was killed while it wrote
  }
}

/** A process that was killed leaves its lock behind, and another program may have its number by now. */
function isHolder(pid) {
  if (!Number.isInteger(pid) || pid === process.pid || !runs(pid)) return false;
  const command = `/proc/${pid}/cmdline`;
  return !fs.existsSync(command) || fs.readFileSync(command, "utf8").includes("dev.mjs");
}

function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
