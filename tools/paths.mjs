// Where things are, and which versions of the build tools the project is tested with.
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** A path in the project's folder. */
export const at = (...parts) => path.join(root, ...parts);

/** Where cargo builds. */
export const cargoTarget = path.resolve(root, process.env.CARGO_TARGET_DIR ?? "target");

/** The simulator, as `cargo build -p wx-sim` leaves it. */
export const simBinary = path.join(cargoTarget, "debug", "wx-sim");

/** The command line for the management API, which the same command builds. */
export const wxBinary = path.join(cargoTarget, "debug", "wx");

/** The simulator, as `cargo build -p wx-sim --profile fast` leaves it, for the bench. */
export const fastSimBinary = path.join(cargoTarget, "fast", "wx-sim");

/** Installed from crates.io into `.tools/bin`. wasm-bindgen-cli must match the library in Cargo.toml exactly. */
export const cargoTools = [
  { crate: "worker-build", version: "0.8.7", binary: "worker-build" },
  { crate: "wasm-bindgen-cli", version: "0.2.129", binary: "wasm-bindgen" },
];

/** What wrangler and miniflare ask for. An older Node is only used to fetch this one (tools/node/). */
export const minimumNode = "22.12";
