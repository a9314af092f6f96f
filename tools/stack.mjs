// The Worker on this machine, for `npm run dev`, the tests and the bench: workerd itself, started by miniflare with
// the bindings of wrangler.toml. Only what is outside Cloudflare is played by wx-sim: WeChat, the phone, the model.
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter, on, once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { at } from "./paths.mjs";
import { freePort } from "./ports.mjs";
import { throwAwayAccount } from "./settings.mjs";
import { startSim } from "./sim.mjs";

export { startSim };

/**
 * Starts the Worker.
 *
 * - `vars`: over those of wrangler.toml; .dev.vars is not read. What is no text becomes JSON, as `LOGIN_CLIENTS` wants it
 * - `sim`: a simulator, or its address; the model behind the `AI` binding, `WECHAT_API_BASE` and `WECHAT_OPEN_BASE`
 * - `cf`: what Cloudflare tells of each visitor, as `{ country, city }`; miniflare's example, a city in Texas, by default
 * - `port`: of the Worker; a free one by default
 * - `persist`: the folder of the objects' storage; by default one that `close` removes
 * - `build`: the folder of the bundle
 * - `worker`: options of miniflare's worker, over all others
 */
export async function startStack(options = {}) {
  const stack = new Stack(options, options.port ?? (await freePort()));
  await stack.restart();
  return stack;
}

/** The Worker and the simulator, each knowing the other; closing the stack closes both. */
export async function startPair({ vars = {}, ...options } = {}) {
  const port = options.port ?? (await freePort());
  const all = { ...throwAwayAccount(), ...vars };
  const sim = await startSim({ vars: all, target: `http://127.0.0.1:${port}/wechat` });
  try {
    const stack = await startStack({ ...options, port, sim, vars: all });
    const close = async () => void (await Promise.all([stack.close(), sim.close()]));
    return { stack, sim, vars: all, close };
  } catch (error) {
    await sim.close();
    throw error;
  }
}

/** Every process of this program, to find workerd among them. */
const children = [];
subscribe("child_process", ({ process: child }) => children.push(child));

class Stack extends EventEmitter {
  #options;
  #temporary;
  #miniflare;

  /** What the Worker wrote to its console: `{ timestamp, level, message }`. */
  logs = [];

  constructor(options, port) {
    super();
    this.#options = options;
    this.port = port;
    this.url = new URL(`http://127.0.0.1:${port}`);
    if (!options.persist) this.#temporary = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-"));
  }

  /** `fetch` with a path of the Worker. */
  fetch(pathname, init) {
    return fetch(new URL(pathname, this.url), init);
  }

  /** The first log line that matches, of those that came or come within `timeout` milliseconds. */
  async logged(pattern, timeout = 10_000) {
    const matches = ({ message }) => pattern.test(message);
    const known = this.logs.find(matches);
    if (known) return known;
    try {
      for await (const [line] of on(this, "log", { signal: AbortSignal.timeout(timeout) })) if (matches(line)) return line;
    } catch (cause) {
      const last = this.logs.slice(-10).map(({ message }) => message);
      throw new Error([`no log line matches ${pattern}; the last ones:`, ...last].join("\n"), { cause });
    }
  }

  /** Takes over a new bundle, new `vars`, or an edited wrangler.toml. Storage stays. */
  async reload(vars = this.#options.vars) {
    this.#options = { ...this.#options, vars };
    await this.#miniflare.setOptions(this.#settings());
  }

  /** The process id of workerd, while it runs. */
  workerdPid() {
    return this.#workerd()?.pid;
  }

  /** workerd dies as in a power cut. What it had stored is there after `restart`. */
  async kill() {
    const workerd = this.#workerd();
    const gone = once(workerd, "exit");
    workerd.kill("SIGKILL");
    // At once, or miniflare would bring it back by itself.
    await Promise.all([gone, this.#miniflare.dispose()]);
    this.#miniflare = undefined;
  }

  /** Starts workerd (again), on the same port and the same storage. */
  async restart() {
    await this.#miniflare?.dispose();
    this.#miniflare = new Miniflare(this.#settings());
    await this.#miniflare.ready;
  }

  /** Ends workerd, and removes its storage unless that was given. */
  async close() {
    await this.#miniflare?.dispose();
    this.#miniflare = undefined;
    if (this.#temporary) fs.rmSync(this.#temporary, { recursive: true, force: true });
  }

  #workerd() {
    const entry = `--socket-addr=entry=127.0.0.1:${this.port}`;
    return children.findLast((child) => child.spawnargs.includes(entry) && child.exitCode === null && child.signalCode === null);
  }

  #settings() {
    const { vars = {}, sim, cf, persist = this.#temporary, build = at("build"), worker = {} } = this.#options;
    const simUrl = sim && new URL(sim.url ?? sim);
    const wechat = simUrl && { WECHAT_API_BASE: simUrl.origin, WECHAT_OPEN_BASE: simUrl.origin };
    const config = unstable_readConfig({ config: at("wrangler.toml") }, { hideWarnings: true });
    const { workerOptions, externalWorkers } = unstable_getMiniflareWorkerOptions(config);
    const module = (type, name) => ({ type, path: path.join(build, name) });
    return convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: this.port,
      resourcePersistencePath: persist,
      log: new Reports((report) => this.emit("report", report)),
      handleStructuredLogs: (line) => this.#log(line),
      telemetry: { enabled: false },
      cf: cf ?? false, // or it would ask an outside host where we are
      workers: [
        {
          ...workerOptions,
          name: config.name,
          modulesRoot: build,
          modules: [module("ESModule", "index.js"), module("CompiledWasm", "index_bg.wasm")],
          bindings: { ...config.vars, ...wechat, ...texts(vars) },
          // The simulator speaks the protocol of the service behind the binding.
          ai: simUrl && { binding: config.ai.binding, remoteProxyConnectionString: simUrl },
          ...worker,
        },
        ...externalWorkers,
      ],
    });
  }

  #log(line) {
    this.logs.push(line);
    this.emit("log", line);
  }
}

/** Settings as a Worker gets them. */
function texts(vars) {
  const text = ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)];
  return Object.fromEntries(Object.entries(vars).map(text));
}

/** What miniflare itself has to say: requests, and failures outside the Worker's code. */
class Reports extends Log {
  #report;

  constructor(report) {
    super(LogLevel.INFO);
    this.#report = report;
  }

  logWithLevel(level, message) {
    if (level <= LogLevel.INFO) this.#report({ level: LogLevel[level], message: stripVTControlCharacters(message) });
  }

  error(error) {
    this.#report({ level: "ERROR", message: error.stack ?? String(error) });
  }
}
