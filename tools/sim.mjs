// wx-sim as a child process: WeChat's servers, the phone and the model, on one port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import { at, simBinary } from "./paths.mjs";
import { accountSettings } from "./settings.mjs";

/** A seed without anybody. */
const nobody = at("tools/nobody.json");

/**
 * Starts the simulator.
 *
 * - `vars`: the account's settings, as the Worker has them
 * - `target`: where it delivers messages to
 * - `port`: a free one by default
 * - `seed`: a file with who and what is there at the start: nobody by default; with `null`, those whom `wx-sim dev` has
 * - `onLine`: gets each line that it prints
 * - `binary`: another build of it, or a command before whose arguments `before` stand
 */
export async function startSim({ vars, target, port = 0, seed = nobody, onLine = () => {}, binary = simBinary, before = [] }) {
  const account = Object.fromEntries(accountSettings.map((name) => [name, vars[name] ?? ""]));
  const seeded = seed === null ? [] : ["--seed", seed];
  const child = spawn(binary, [...before, "dev", "--port", port, "--target", target, ...seeded], {
    // Not the project's folder: there it would read .dev.vars first.
    cwd: at("tools"),
    env: { ...process.env, ...account },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => child.kill();
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  const url = await address(child, onLine);
  return new Sim(child, url);
}

/** Waits for the line that says where it listens. */
function address(child, onLine) {
  const printed = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      readline.createInterface({ input: stream }).on("line", (line) => {
        printed.push(line);
        onLine(line);
        const url = /^wx-sim listening on (http:\S+)/.exec(line)?.[1];
        if (url) resolve(url);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`wx-sim ended with ${code}:\n${printed.join("\n")}`)));
  });
}

class Sim {
  #child;

  constructor(child, url) {
    this.#child = child;
    this.url = url;
  }

  /** POSTs JSON to the control API; resolves with the JSON of the answer. */
  post(path, body = {}) {
    return this.#call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  }

  /** GETs JSON from the control API. */
  get(path) {
    return this.#call(path);
  }

  /** Ends the process. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, "exit");
  }

  async #call(path, init) {
    const response = await fetch(new URL(path, this.url), init);
    const text = await response.text();
    if (!response.ok) throw new Error(`wx-sim ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }
}
