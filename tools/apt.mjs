// Packages of the system, where that is ours to decide: Debian and Ubuntu, as root or with a sudo that asks nothing.
// Plain Node >= 18, no dependencies.
import fs from "node:fs";
import { captured, say } from "./steps.mjs";

/** apt-get takes a lock, so that whoever wants packages waits in line. */
let line = Promise.resolve();
let listsReady;

/**
 * Installs Debian packages; false if this is no machine where it may.
 *
 * - `run`: runs a command, as `step` hands it out
 * - `why`: one line for the user, who did not ask for it
 */
export async function aptInstall(run, packages, why) {
  const first = await asRoot();
  if (!first) return false;
  const apt = (args) => {
    const [command, ...rest] = [...first, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return run(command, rest);
  };
  const work = async () => {
    say(`… ${why}: apt-get installs ${packages.join(", ")}`);
    await (listsReady ??= apt(["update"]));
    await apt(["install", "-y", "--no-install-recommends", ...packages]);
  };
  const done = line.then(work);
  line = done.catch(() => {});
  await done;
  return true;
}

/** Brings apt's lists up to date; false if this is no machine where it may. */
export async function aptUpdate() {
  const first = await asRoot();
  if (!first) return false;
  const [command, ...rest] = [...first, "apt-get", "update"];
  listsReady ??= line.then(() => captured(command, rest));
  line = listsReady.catch(() => {});
  return listsReady.then(() => true, () => false);
}

/** What stands before a command that needs root: nothing for root itself; undefined where it cannot be. */
async function asRoot() {
  if (!fs.existsSync("/usr/bin/apt-get")) return undefined;
  if (process.getuid?.() === 0) return [];
  const asked = captured("sudo", ["-n", "true"]);
  const free = await asked.then(({ code }) => code === 0, () => false);
  return free ? ["sudo", "-n"] : undefined;
}
