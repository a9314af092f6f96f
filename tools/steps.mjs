// One line when a step starts, one when it ends; what its commands print goes to a log file, whose end is
// shown if it fails. Plain Node >= 18, no dependencies: this runs before anything is installed.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { at, root } from "./paths.mjs";

const TAIL_LINES = 60;
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));

/** A failure whose message is all that the user needs: no stack trace. */
export class Failure extends Error {}

/** Seconds since `start`, for people. */
export const seconds = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;

/** The time of day, at the start of every line. */
export const clock = (time = Date.now()) => new Date(time).toLocaleTimeString("en-GB");

/** Prints one line of progress. */
export function say(line) {
  console.log(`${clock()} ${line}`);
}

/** Does a piece of work that takes a while and says so. `work` gets a function that runs commands. */
export async function step(title, work) {
  const log = at(".tools/log", `${title.split(/[ :(]/)[0]}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  fs.writeFileSync(log, "");
  const start = Date.now();
  say(`… ${title}`);
  const result = await work((command, args, options) => logged(log, title, command, args, options));
  say(`✓ ${title.replace(/ \(.*\)$/, "")} (${seconds(start)})`);
  return result;
}

/** Runs a command in the foreground; resolves with its exit code. */
export function foreground(command, args, options = {}) {
  return finished(command, launch(command, args, { stdio: "inherit", ...options }));
}

/** Runs a command and resolves with its exit code and all it printed. */
export async function captured(command, args, options = {}) {
  const child = launch(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return { code: await finished(command, child), output };
}

async function logged(log, title, command, args, options = {}) {
  const file = fs.openSync(log, "a");
  fs.writeSync(file, `$ ${command} ${args.join(" ")}\n`);
  const child = launch(command, args, { ...options, stdio: ["ignore", file, file] });
  fs.closeSync(file);
  const code = await finished(command, child);
  if (code !== 0) throw new Failure(failed(log, title, `${command} ended with ${code}`));
}

function launch(command, args, options) {
  const child = spawn(command, args, { cwd: root, ...options });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

function finished(command, child) {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Failure(cannotStart(command, error))));
    child.once("close", (code, signal) => resolve(exitCode(code, signal)));
  });
}

/** A signal counts as a shell counts it. */
export function exitCode(code, signal) {
  return code ?? 128 + os.constants.signals[signal];
}

function cannotStart(command, error) {
  if (error.code !== "ENOENT") return `✗ ${command} could not be started: ${error.message}`;
  return `✗ ${command} was not found. ${WHERE_FROM[path.basename(command)] ?? "Install it, or add it to PATH."}`;
}

const WHERE_FROM = {
  cargo: "Install Rust from https://rustup.rs, then open a new terminal.",
  rustc: "Install Rust from https://rustup.rs, then open a new terminal.",
  rustup: "Rust is here, but not from rustup, which adds the wasm32 target: install it from https://rustup.rs.",
  npm: "Install Node.js 18 or newer together with npm: https://nodejs.org.",
};

/** What to do about failures that people meet on a new machine. */
const ADVICE = [
  [/linker `(cc|link\.exe)` not found/, "Install a C compiler: `apt-get install build-essential`, or on macOS `xcode-select --install`."],
  [/No space left on device/, "The disk is full: `cargo clean` in this folder frees the most."],
  [/ENOTFOUND|EAI_AGAIN|Could not resolve host|failed to lookup address|Temporary failure in name resolution/, "The package registry cannot be reached: check the network or the proxy settings, then run the command again; it goes on where it stopped."],
  [/lock file .* needs to be updated/, "Cargo.lock does not match Cargo.toml: run `cargo check` once, and commit Cargo.lock."],
  [/package-lock\.json.*(not in sync|in sync)/, "package-lock.json does not match package.json: run `npm install` once, and commit it."],
];

function failed(log, title, what) {
  const text = fs.readFileSync(log, "utf8");
  const tail = text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  const advice = ADVICE.filter(([pattern]) => pattern.test(text)).map(([, line]) => `\n→ ${line}`);
  return `${tail}\n✗ ${title}: ${what}. The whole log: ${path.relative(root, log)}${advice.join("")}`;
}

/** Prints what went wrong and ends with 1; anything but a `Failure` is a bug of these tools and keeps its trace. */
export function giveUp(error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exit(1);
}
