// A Python of our own with wechatpy and Authlib, independent implementations of WeChat's protocol and of OpenID Connect,
// for the tests.
// Plain Node >= 18, no dependencies.
import fs from "node:fs";
import { aptInstall } from "./apt.mjs";
import { at } from "./paths.mjs";
import { captured, Failure, step } from "./steps.mjs";

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
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r", at("tools/requirements.txt")]);
  });
  fs.writeFileSync(stamp, wanted);
}

/** Debian leaves a part of venv out of its python3. */
async function canMakeVenv() {
  const probe = captured("python3", ["-c", "import venv, ensurepip"]);
  return probe.then(({ code }) => code === 0, () => false);
}

async function installVenv(run) {
  if (await aptInstall(run, ["python3-venv"], "python3-venv is missing")) return;
  throw new Failure("✗ The tests need Python 3 with venv: `sudo apt-get install python3-venv`, or your system's way.");
}
