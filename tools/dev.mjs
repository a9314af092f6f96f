// npm run dev: the Worker in workerd, wx-sim and a website beside it, until Ctrl-C; edits are taken over while it runs.
// Started by run.mjs, which has built them.
import fs from "node:fs";
import { parseEnv } from "node:util";
import { openPage } from "./browser.mjs";
import { bundleWorker, compileWorker, profiles } from "./build.mjs";
import { showLog, showReport, showSim } from "./console.mjs";
import { serveExamples } from "./examples.mjs";
import { makeFrontend } from "./frontend.mjs";
import { noteAddress, takeLock } from "./lock.mjs";
import { makePage, pageFiles } from "./page.mjs";
import { at } from "./paths.mjs";
import { freePort } from "./ports.mjs";
import { makeDevVars } from "./settings.mjs";
import { clock, Failure, giveUp, say, seconds } from "./steps.mjs";
import { startSim, startStack } from "./stack.mjs";
import { changes } from "./watch.mjs";

const WORKER_PORT = 8787;
const SIM_PORT = 8788;
const SITE_PORT = 8789;
const LOCK = at(".wrangler/dev.lock");

/** `owed`: changes that could not be taken over. `bundled`: there is a bundle that does not run yet. */
const running = { built: Date.now(), owed: [], bundled: false };

async function main() {
  stopOnSignals();
  takeLock(LOCK);
  // So that an edited page takes no other wx-sim, which would forget everybody.
  process.env.WX_SIM_PAGE = pageFiles;
  const isNew = makeDevVars();
  running.port = await port("the Worker", WORKER_PORT);
  running.simPort = await port("wx-sim", SIM_PORT);
  running.sitePort = await port("the website", SITE_PORT);
  await startBoth();
  running.site = await serveExamples({ port: running.sitePort, worker: running.stack.url.origin });
  noteAddress(LOCK, running.stack.url.origin);
  stopOnSignals();
  await running.sim.post("/_sim/verify");
  welcome(isNew);
  openPage(running.sim.url);
  for await (const changed of changes()) await takeOver(changed);
}

async function port(who, wanted) {
  const free = await freePort(wanted);
  if (free !== wanted) say(`port ${wanted} is taken; ${who} is on ${free} instead`);
  return free;
}

async function startBoth() {
  const vars = settings();
  running.sim = await simulator(vars);
  running.stack = await startStack({
    port: running.port,
    persist: at(".wrangler/state"),
    build: at(profiles.dev.out),
    sim: running.sim,
    vars,
  });
  running.stack.on("log", showLog);
  running.stack.on("report", showReport);
}

/** Those of .dev.vars; the website may be on another port than they say. */
function settings() {
  const { LOGIN_CLIENTS: clients, ...vars } = parseEnv(fs.readFileSync(at(".dev.vars"), "utf8"));
  return clients ? { ...vars, LOGIN_CLIENTS: clients.replaceAll(`//localhost:${SITE_PORT}`, `//localhost:${running.sitePort}`) } : vars;
}

function simulator(vars) {
  const target = `http://127.0.0.1:${running.port}/wechat`;
  return startSim({ vars, target, seed: null, port: running.simPort, onLine: showSim });
}

const NOT_YET = `
                 …once .dev.vars has LOGIN_CLIENTS and SUBJECT_SECRET, as .dev.vars.example has`;

function welcome(isNew) {
  const { stack, sim, site } = running;
  const elsewhere = running.simPort === SIM_PORT ? "" : ` --port ${running.simPort}`;
  console.log(`
  The Worker     ${new URL("/wechat", stack.url)}
  The phone      ${sim.url}    wx-sim plays WeChat, its users and the model: open it and say hello
  A website      ${site.url}    it logs people in: send the digits of its page to the account, in the phone${settings().LOGIN_CLIENTS ? "" : NOT_YET}
  The account    .dev.vars${isNew ? ", made just now with random values" : ""}

  Or in another terminal, in this folder:

      npx wx-sim send "你好"${elsewhere}
      npx wx-sim verify ${new URL("/wechat", stack.url)}
      npx wx doctor${stack.url.port === "8787" ? "" : ` --url ${stack.url.origin}`}

  Edits of src/, frontend/, simulator/page/, Cargo.toml, wrangler.toml and .dev.vars are taken over. Ctrl-C ends all.
`);
}

/** A change that cannot be taken over is explained, and what ran before it goes on. */
async function takeOver(latest) {
  const start = Date.now();
  const failedBefore = running.owed.length > 0;
  const changed = new Set([...running.owed, ...latest]);
  running.owed = [];
  try {
    if (changed.has("page") && (await makePage())) say("  reload it in the browser");
    changed.delete("page");
    if (changed.has("frontend") && !(await makeFrontend())) changed.delete("frontend");
    if (changed.size === 0) return;
    if (changed.has("code")) running.bundled = (await rebuilt()) || running.bundled;
    if (!running.bundled && changed.has("code") && changed.size === 1) {
      if (failedBefore) say(`✓ it compiles again, to the Worker of ${clock(running.built)} that is running`);
      return;
    }
    if (changed.has("settings")) await restartSim();
    await running.stack.reload(settings());
    await readsItsSettings();
    running.built = Date.now();
    running.bundled = false;
    say(`✓ reloaded: ${[...changed].join(", ")} (${seconds(start)})`);
  } catch (error) {
    running.owed = [...changed];
    console.error(error instanceof Failure ? error.message : `✗ ${error.message}`);
    say(`the Worker of ${clock(running.built)} goes on; waiting for the next change`);
  }
}

/** Whatever is asked of the Worker, it first says what is wrong with its settings. */
const readsItsSettings = () => running.stack.fetch("/wechat", { method: "HEAD" });

async function rebuilt() {
  return bundleWorker(profiles.dev, await compileWorker(profiles.dev));
}

/** It must sign with the Token that the Worker has. */
async function restartSim() {
  await running.sim.close();
  running.sim = await simulator(settings());
}

/** Again once miniflare runs: its own listeners end the process before everything is closed. */
function stopOnSignals() {
  for (const event of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) process.removeAllListeners(event).on(event, stop);
}

async function stop() {
  await Promise.allSettled([running.stack?.close(), running.sim?.close(), running.site?.close()]);
  process.exit(0);
}

main().catch(giveUp);
