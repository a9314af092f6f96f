// A Python of our own with wechatpy, an independent implementation of WeChat's protocol, for the tests.
// Plain Node >= 18, no dependencies.
import fs from "node:fs";
import { at } from "./paths.mjs";
import { captured, Failure, say, step } from "./steps.mjs";

const venv = at(".tools/venv");

/** The interpreter that sees the packages of requirements.txt; it is there after `pythonPackages`. */
export const python = at(".tools/venv/bin/python");

/** Makes the virtual environment, or brings it up to date. */
export async function pythonPackages() {
  const wanted = fs.readFileSync(at("tools/requirements.txt"), "utf8");
  const stamp = at(".tools/venv/.installed");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;
  await step("python packages", async (run) => {
    if (!(await canMakeVenv())) await installVenv(run);
    await run("python3", ["-m", "venv", "--clear", venv]);
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", at("tools/requirements.txt")]);
  });
  fs.writeFileSync(stamp, wanted);
}

/** Debian leaves a part of venv out of its python3. */
async function canMakeVenv() {
  const probe = captured("python3", ["-c", "import venv, ensurepip"]);
  return probe.then(({ code }) => code === 0, () => false);
}

/** Root is whoever runs in a container or in CI; on anybody's own machine, packages of the system are their affair. */
async function installVenv(run) {
  if (process.getuid?.() !== 0 || !fs.existsSync("/usr/bin/apt-get")) {
    throw new Failure("✗ The tests need Python 3 with venv: `sudo apt-get install python3-venv`, or your system's way.");
  }
  say("… python3-venv is missing: apt-get installs it now, since this runs as root");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update"], { env });
  await run("apt-get", ["install", "-y", "--no-install-recommends", "python3-venv"], { env });
}
