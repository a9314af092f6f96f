// One `npm run dev` in a folder at a time: two would write to the same storage.
import fs from "node:fs";
import path from "node:path";
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
  if (!Number.isInteger(pid) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  const command = `/proc/${pid}/cmdline`;
  return !fs.existsSync(command) || fs.readFileSync(command, "utf8").includes("dev.mjs");
}
