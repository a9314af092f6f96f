// How large the deployed bundle is: its two modules one after the other, through gzip. It is the number that wrangler
// prints as "Total Upload", in thousands of bytes instead of KiB; Cloudflare, whose limit it is, may compress otherwise.
import fs from "node:fs";
import { gzipSync } from "node:zlib";
import { at } from "./paths.mjs";
import { Failure } from "./steps.mjs";

/** Bytes of gzip that the bundle may have. Cloudflare's own limit is 3 MB on the free plan. */
const LIMIT = 567_000;

/** Says how large the bundle is; fails if it is over the limit. */
export function checkSize(folder = at("build")) {
  const files = ["index_bg.wasm", "index.js"].map((name) => fs.readFileSync(`${folder}/${name}`));
  const whole = Buffer.concat(files);
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const compressed = gzipSync(whole).length;
  const line = `bundle ${kilobytes(whole.length)}, gzip ${kilobytes(compressed)} of ${kilobytes(LIMIT)}`;
  if (compressed > LIMIT) throw new Failure(`✗ ${line}: too large.`);
  return line;
}
