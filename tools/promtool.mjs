// promtool, which judges /metrics and the alert rules of docs/operations.md: the one that is there, or Debian's.
// Plain Node >= 18, no dependencies.
import { aptInstall } from "./apt.mjs";
import { captured, Failure, step } from "./steps.mjs";

/** Sees to it that promtool is on PATH. */
export async function promtool() {
  if (await starts()) return;
  await step("promtool (once)", async (run) => {
    const done = await aptInstall(run, ["prometheus"], "the tests of /metrics need promtool");
    if (!done || !(await starts())) throw new Failure(`✗ The tests of /metrics need promtool. ${HOW}`);
  });
}

const starts = () => captured("promtool", ["--version"]).then(({ code }) => code === 0, () => false);

const HOW = "Install Prometheus (https://prometheus.io/download/), or your system's package, so that promtool is on PATH.";
