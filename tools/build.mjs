// Cargo, then worker-build, then a diet. Cargo alone knows whether anything changed, so the rest is skipped
// while the wasm that it leaves is the same. Plain Node >= 18, no dependencies.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { makePage } from "./page.mjs";
import { at, cargoTarget, cargoTools, fastSimBinary, simBinary } from "./paths.mjs";
import { captured, Failure, say, seconds } from "./steps.mjs";
import { withoutNames } from "./wasm.mjs";

/** `release` is what is deployed and tested; `dev` compiles an edit in a second or two and keeps function names. */
export const profiles = {
  release: { flag: "--release", folder: "release", out: "build", locked: ["--locked"] },
  dev: { flag: "--dev", folder: "debug", out: "target/worker-dev", locked: [] },
};

/** Compiles the Worker to wasm; resolves with the wasm's path. Needs nothing but Rust. */
export async function compileWorker(profile) {
  const release = profile === profiles.release ? ["--release"] : [];
  const args = ["build", "--lib", "-p", "wxapi-worker", "--target", "wasm32-unknown-unknown", ...release, ...profile.locked];
  const wasm = path.join(cargoTarget, "wasm32-unknown-unknown", profile.folder, "wxapi_worker.wasm");
  await cargo("Worker: cargo build", args, wasm);
  return wasm;
}

/** Compiles wx-sim with its page: quickly, or for the bench to a quick program. */
export async function compileSimulator(binary = simBinary) {
  await makePage();
  const profile = binary === fastSimBinary ? ["--profile", "fast"] : [];
  await cargo("wx-sim: cargo build", ["build", "-p", "wx-sim", "--locked", ...profile], binary);
  if (!fs.existsSync(binary)) throw new Failure(`✗ cargo built wx-sim, but not to ${binary}.`);
}

/** Makes `index.js` and `index_bg.wasm` of a compiled Worker; true if they are new. Needs the tools of setup.mjs. */
export async function bundleWorker(profile, wasm) {
  const stamp = at(profile.out, ".made-of");
  const source = `${digest(wasm, at("Cargo.toml"), at("worker/Cargo.toml"))} ${cargoTools.map(({ version }) => version).join(" ")}\n`;
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === source) return false;
  // Named, or it would compile every member of the workspace to wasm.
  const args = [profile.flag, "--no-opt", "--out-dir", `../${profile.out}`, "worker", "-p", "wxapi-worker", ...profile.locked];
  const { code, output } = await captured(at(".tools/bin/worker-build"), args, { env: { ...process.env, ...toolPaths() } });
  if (code !== 0) {
    // The next worker-build would wait for this folder to look abandoned.
    fs.rmSync(at(profile.out, ".tmp"), { recursive: true, force: true });
    throw new Failure(`${output}\n✗ worker-build ended with ${code}.`);
  }
  if (profile === profiles.release) slim(at(profile.out, "index_bg.wasm"));
  fs.writeFileSync(stamp, source);
  return true;
}

/** Quiet unless it takes a while or fails. */
async function cargo(title, args, product) {
  const start = Date.now();
  const first = !fs.existsSync(product);
  let announced = false;
  const timer = setTimeout(() => {
    announced = true;
    say(`… ${title}${first ? " (some minutes, the first time)" : ""}`);
  }, 2000);
  const color = process.stderr.isTTY ? { CARGO_TERM_COLOR: "always" } : {};
  const { code, output } = await captured("cargo", [...args, "--quiet"], { env: { ...process.env, ...toolPaths(), ...color } });
  clearTimeout(timer);
  if (code !== 0) throw new Failure(`${output}\n✗ cargo ${args.join(" ")} ended with ${code}.`);
  if (announced) say(`✓ ${title} (${seconds(start)})`);
}

/** What worker-build would download, and what it sets for cargo: both must be the same for cargo to reuse its work. */
function toolPaths() {
  return {
    WASM_BINDGEN_BIN: at(".tools/bin/wasm-bindgen"),
    ESBUILD_BIN: at("node_modules/esbuild/bin/esbuild"),
    WASM_BINDGEN_USE_JS_SYS: "1",
  };
}

/** Function names are a fifth of the compressed bundle. wasm-opt, measured, makes the rest no smaller and takes 8 s. */
function slim(file) {
  fs.writeFileSync(file, withoutNames(fs.readFileSync(file)));
}

function digest(...files) {
  return files.reduce((hash, file) => hash.update(fs.readFileSync(file)), createHash("sha256")).digest("hex");
}
