// npm run dev | test | shots | build | bench | deploy | wrangler, and page for cargo: installs what this machine lacks,
// builds, and does the job.
// Plain Node >= 18, no dependencies; the jobs themselves run under the Node that wrangler needs.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { bundleWorker, compileSimulator, compileWorker, profiles } from "./build.mjs";
import { chromium } from "./chromium.mjs";
import { makeFrontend } from "./frontend.mjs";
import { at, fastSimBinary, root } from "./paths.mjs";
import { checkPage, makePage } from "./page.mjs";
import { promtool } from "./promtool.mjs";
import { pythonPackages } from "./python.mjs";
import { cargoToolsInstalled, node, npmPackages, rust, testPackages } from "./setup.mjs";
import { checkSize } from "./size.mjs";
import { exitCode, Failure, foreground, giveUp, say, seconds } from "./steps.mjs";

const jobs = { dev, test, shots, build, bench, deploy, wrangler, page };

async function dev(args) {
  const [interpreter] = await Promise.all([node(), prepared(profiles.dev, simulator)]);
  return supervised(interpreter, ["tools/dev.mjs", ...args]);
}

/** Words choose tests: those on the host whose names contain one, and the files of tests/{e2e,judges,browser} that do. */
async function test(words) {
  const others = [simulator, checkPage, pythonPackages, testPackages, chromium, promtool];
  const [interpreter] = await Promise.all([node(), released(...others)]);
  await succeed("cargo", ["test", "--locked", "--quiet", "--", ...words]);
  const files = testFolders.flatMap((folder) => fs.readdirSync(at(folder)).map((file) => `${folder}/${file}`));
  const tests = files.filter((file) => file.endsWith(".test.mjs"));
  const chosen = tests.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (chosen.length === 0) return say(`no file in ${testFolders.join(", ")} has ${words.join(" or ")} in its name`);
  say(`tests on the built Worker, in workerd, and on wx-sim: ${chosen.length} of ${tests.length} files`);
  // The ladder's tests count deliveries, so nobody else may eat into their seconds. Of the others, those with a browser
  // work the processor, and most that have none wait for the clocks of WeChat's protocol: one of each, in turn.
  const alone = chosen.filter((file) => file.includes("/ladder."));
  const busy = chosen.filter((file) => file.includes("/browser/"));
  const waiting = chosen.filter((file) => !alone.includes(file) && !busy.includes(file));
  const codes = [await tested(interpreter, alone), await tested(interpreter, inTurn(busy, waiting))];
  return Math.max(...codes);
}

/** One of each list after the other; what is left of the longer one comes last. */
function inTurn(one, other) {
  const longest = Math.max(one.length, other.length);
  return Array.from({ length: longest }, (_, index) => [one[index], other[index]]).flat().filter(Boolean);
}

const testFolders = ["tests/e2e", "tests/judges", "tests/browser"];

/** So many files at once: two that work, and two that wait. */
const AT_ONCE = "4";

async function tested(interpreter, files) {
  if (files.length === 0) return 0;
  return supervised(interpreter, ["tools/tests.mjs", AT_ONCE, ...files]);
}

/** Takes the pictures that the README shows. */
async function shots() {
  const [interpreter] = await Promise.all([node(), released(simulator, testPackages, chromium)]);
  process.env.WX_SHOTS = "1";
  return tested(interpreter, ["tests/browser/shots.test.mjs"]);
}

async function build() {
  await released();
}

async function bench(args) {
  const [interpreter] = await Promise.all([node(), released(() => rust().then(() => compileSimulator(fastSimBinary)))]);
  return supervised(interpreter, ["tests/bench/bench.mjs", ...args]);
}

/** The build is wrangler's: `[build] command` in wrangler.toml. */
function deploy(args) {
  return wrangler(["deploy", ...args]);
}

/** What `npx wrangler` is on a machine whose Node is new enough. */
async function wrangler(args) {
  // wrangler wants the folder of its assets before it runs the build that makes it.
  const [interpreter] = await Promise.all([node(), npmPackages().then(makeFrontend)]);
  return foreground(interpreter, ["node_modules/wrangler/bin/wrangler.js", ...args], { env: environment(interpreter) });
}

/** Cargo's build script asks for it before it puts the page into wx-sim. */
async function page() {
  await makePage();
}

async function released(...others) {
  await prepared(profiles.release, ...others);
  say(checkSize());
}

/** Builds the Worker and its files, and does `others`, all at once as far as they allow. */
async function prepared(profile, ...others) {
  const compiled = rust().then(() => Promise.all([compileWorker(profile), cargoToolsInstalled()]));
  const packages = npmPackages().then(makeFrontend);
  const [[wasm]] = await Promise.all([compiled, packages, ...others.map((other) => other())]);
  const start = Date.now();
  if (await bundleWorker(profile, wasm)) say(`✓ Worker: bundled in ${profile.out}/ (${seconds(start)})`);
}

const simulator = () => rust().then(() => compileSimulator());

async function succeed(command, args) {
  const code = await foreground(command, args);
  if (code !== 0) throw new Failure(`✗ ${command} ${args.join(" ")} ended with ${code}.`);
}

/** Runs a job in a process group of its own, passes signals on to it, and leaves nothing of the group behind. */
function supervised(interpreter, args) {
  // wrangler is only asked for its configuration; its hints are about a `wrangler dev` that does not run.
  const env = { ...environment(interpreter), WRANGLER_LOG: "error" };
  const options = { cwd: root, detached: true, stdio: ["ignore", "inherit", "inherit", "ipc"], env };
  const child = spawn(interpreter, args, options);
  for (const signal of signals) process.removeAllListeners(signal).on(signal, () => child.kill(signal));
  const npm = npmProcess();
  if (npm) setInterval(() => npmProcess() !== npm && child.kill(), 500).unref();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group is gone, as it should be.
      }
      resolve(exitCode(code, signal));
    });
  });
}

/** Who runs us: npm passes on what a terminal sends, but not that it was killed itself. Often a shell is in between. */
function npmProcess() {
  if (!process.env.npm_lifecycle_event) return undefined;
  const status = `/proc/${process.ppid}/status`;
  const shell = fs.existsSync(status) && /^PPid:\s*(\d+)$/m.exec(fs.readFileSync(status, "utf8"))?.[1];
  return `${process.ppid} ${shell}`;
}

function environment(interpreter) {
  const folders = [path.dirname(interpreter), process.env.PATH].join(path.delimiter);
  return { ...process.env, PATH: folders, WRANGLER_SEND_METRICS: "false" };
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
// Node's own way would leave cargo running.
for (const signal of signals) process.on(signal, () => process.exit(exitCode(null, signal)));
const [name, ...args] = process.argv.slice(2);
if (!jobs[name]) giveUp(new Failure(`usage: node tools/run.mjs ${Object.keys(jobs).join("|")} [arguments]`));
jobs[name](args.filter((arg) => arg !== "--")).then((code) => process.exit(code ?? 0), giveUp);
