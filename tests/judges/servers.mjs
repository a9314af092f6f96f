// Other people's programs as child processes.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { at, simBinary } from "../../tools/paths.mjs";
import { python } from "../../tools/python.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** A scenario's file. */
export const scenario = (file) => here(`scenarios/${file}`);

/** The callback servers: how each is started. */
export const echoes = {
  wechatpy: [python, here("wechatpy/echo.py")],
  "node-easywechat": [process.execPath, here("easywechat/echo.mjs")],
};

/** Starts a callback server with the account's settings; resolves once it listens. `lines`: what it printed since. */
export async function startEcho(name, vars) {
  const [command, ...args] = echoes[name];
  const child = spawn(command, args, { env: { ...process.env, ...vars }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = [];
  const gone = once(child, "exit").then(([code]) => Promise.reject(new Error(`${name}'s server ended with ${code}`)));
  gone.catch(() => {});
  const output = readline.createInterface({ input: child.stdout });
  const [url] = await Promise.race([once(output, "line"), gone]);
  output.on("line", (line) => lines.push(line));
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, "exit");
  };
  return { url, lines, close };
}

/** Runs wx-sim to its end with the account's settings; resolves with its exit code and what it printed. */
export function wxSim(vars, ...args) {
  return run(simBinary, args, vars);
}

/** Runs a Python program of this folder to its end. */
export function runPython(file, vars, ...args) {
  return run(python, [here(file), ...args], vars);
}

function run(command, args, vars) {
  // Not the project's folder: there wx-sim would read .dev.vars first.
  const options = { cwd: at("tools"), env: { ...process.env, LANG: "en", ...vars }, timeout: 60_000 };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}
