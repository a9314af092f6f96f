// A Worker in bare workerd: no proxy in front, so that what is measured is the Worker.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { freePort } from "../../tools/ports.mjs";

const workerd = createRequire(import.meta.url)("workerd").default;
const TICKS_PER_SECOND = 100;

/**
 * Starts a Worker.
 *
 * - `modules`: `{ name: file }`, the first one is the entry
 * - `vars`: its settings
 * - `objects`: `{ BINDING: "ClassName" }`
 * - `disk`: the objects' storage is on disk, not in memory
 * - `model`: `{ file, vars }`, a Worker that gets every request which this one sends
 */
export async function startServer({ modules, vars = {}, objects = {}, disk = false, model }) {
  // workerd keeps objects with SQLite in files only; in memory means files in memory.
  const folder = fs.mkdtempSync(path.join(disk ? os.tmpdir() : "/dev/shm", "wxapi-bench-"));
  const port = await freePort();
  for (const [name, file] of Object.entries(modules)) fs.copyFileSync(file, path.join(folder, name));
  if (model) fs.copyFileSync(model.file, path.join(folder, "model.js"));
  fs.mkdirSync(path.join(folder, "storage"));
  fs.writeFileSync(path.join(folder, "config.capnp"), config({ modules, vars, objects, folder, port, model }));
  const [command, args] = withManyFiles(workerd, ["serve", "config.capnp"]);
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const started = performance.now();
  const server = new Server(child, folder, port);
  await server.ready(started);
  return server;
}

/** A command that may open as many files as the system allows: connections, and three for each object. */
export const withManyFiles = (command, args) => ["sh", ["-c", 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', command, ...args]];

class Server {
  #child;
  #folder;

  constructor(child, folder, port) {
    this.#child = child;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Milliseconds from the start of the process to its first answer. */
  firstAnswer;

  async ready(started) {
    for (;;) {
      try {
        await (await fetch(`${this.url}/wechat`)).text();
        this.firstAnswer = performance.now() - started;
        return;
      } catch {
        if (this.#child.exitCode !== null) throw new Error(`workerd ended with ${this.#child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  /** Seconds of processor time that the process has used. */
  cpu() {
    const fields = fs.readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Megabytes in memory. */
  memory() {
    const status = fs.readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024);
  }

  async close() {
    if (this.#child.exitCode === null) {
      this.#child.kill();
      await once(this.#child, "exit");
    }
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** workerd's configuration. https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
function config({ modules, vars, objects, folder, port, model }) {
  const text = JSON.stringify;
  const kind = (name) => (name.endsWith(".wasm") ? "wasm" : "esModule");
  const files = Object.keys(modules).map((name) => `(name = ${text(name)}, ${kind(name)} = embed ${text(name)})`);
  const settings = (vars = {}) => Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(String(value))})`);
  const bindings = [
    ...settings(vars),
    ...Object.entries(objects).map(([name, value]) => `(name = ${text(name)}, durableObjectNamespace = ${text(value)})`),
  ];
  const namespaces = Object.values(objects).map((name) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`);
  const outside = model ? `(name = "internet", worker = .model)` : `(name = "internet", network = (allow = []))`;
  const modelWorker = `const model :Workerd.Worker = (
  compatibilityDate = "2026-10-01",
  modules = [(name = "model.js", esModule = embed "model.js")],
  bindings = [${settings(model?.vars).join(", ")}],
);`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    ${outside},
    (name = "storage", disk = (path = ${text(path.join(folder, "storage"))}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-10-01",
  modules = [${files.join(", ")}],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "storage"),
);
${model ? modelWorker : ""}
`;
}
