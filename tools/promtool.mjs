// promtool, which judges /metrics and the alert rules of docs/operations.md: the one that is there, or the one out of
// Debian's package. That is not installed, since it would also start a Prometheus.
// Plain Node >= 18, no dependencies.
import fs from "node:fs";
import path from "node:path";
import { aptUpdate } from "./apt.mjs";
import { at } from "./paths.mjs";
import { captured, Failure, step } from "./steps.mjs";

const folder = at(".tools/promtool");
const own = path.join(folder, "usr/bin/promtool");

/** The program; it is there after `promtool`. */
export const promtoolBinary = () => (fs.existsSync(own) ? own : "promtool");

/** Sees to it that there is a promtool. */
export async function promtool() {
  if (await starts()) return;
  await step("promtool (once)", async () => {
    fs.mkdirSync(folder, { recursive: true });
    const cwd = { cwd: folder };
    if (!(await download(cwd)) && !((await aptUpdate()) && (await download(cwd)))) throw new Failure(HOW);
    const [file] = fs.readdirSync(folder).filter((name) => name.endsWith(".deb"));
    await captured("dpkg-deb", ["--extract", file, "."], cwd);
    fs.rmSync(path.join(folder, file));
    if (!(await starts())) throw new Failure(HOW);
  });
}

const download = (cwd) => succeeds("apt-get", ["download", "prometheus"], cwd);
const starts = () => succeeds(promtoolBinary(), ["--version"]);
const succeeds = (...command) => captured(...command).then(({ code }) => code === 0, () => false);

const HOW =
  "✗ The tests of /metrics need promtool. Install Prometheus (https://prometheus.io/download/), or your system's package, so that promtool is on PATH.";
