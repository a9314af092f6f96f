// dist/: the files that everybody may have, made of frontend/ by esbuild, and of docs/openapi/. What a website may pin keeps its address and
// its bytes for ever. Plain Node >= 18; esbuild is one of the packages of package-lock.json.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { exclusively } from "./lock.mjs";
import { openapiDocument, openapiSources } from "./openapi.mjs";
import { at } from "./paths.mjs";
import { Failure, say, seconds } from "./steps.mjs";

/** Where the sources are, and where the files go. */
export const frontendSources = at("frontend");
export const frontendFiles = at("dist");

/** Bytes of gzip that a file may have: each is sent to visitors of other people's websites, or while they wait. */
const LIMITS = { "wx-auth.js": 4_096, "login.js": 3_000, "login.css": 3_000 };

/** Minified, for browsers that know ES2022: Safari 15.4, Chrome 94, Firefox 93. */
const MINIFY = { minify: true, target: "es2022", charset: "utf8", legalComments: "none" };

/** For an hour, then once more while a newer one is fetched. */
const MOVING = "public, max-age=3600, stale-while-revalidate=86400";
const FOR_EVER = "public, max-age=31536000, immutable";
/** The pages name these without a version, so that they must be as new as the Worker. */
const CHECKED = "public, max-age=0, must-revalidate";

/** Not in dist/, where everybody could have it. */
const STAMP = at(".tools/frontend.made-of");

/** Makes dist/ if a source changed; true if it did. */
export async function makeFrontend() {
  return exclusively("frontend", async () => {
    const start = Date.now();
    const source = digest();
    if (fs.existsSync(frontendFiles) && read(STAMP) === source) return false;
    const { files, sizes } = await built();
    fs.rmSync(frontendFiles, { recursive: true, force: true });
    for (const [name, content] of files) {
      const file = path.join(frontendFiles, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    }
    fs.writeFileSync(STAMP, source);
    say(`✓ frontend: ${sizes.join(", ")} (${seconds(start)})`);
    return true;
  });
}

/** Every file of dist/, by its path. */
async function built() {
  const files = new Map();
  const sizes = [];
  for (const name of ["wx-auth.js", "login.js", "login.css"].filter((name) => fs.existsSync(source(name)))) {
    const content = await minified(name);
    sizes.push(checkSize(name, content));
    files.set(name, content);
  }
  files.set("robots.txt", fs.readFileSync(source("robots.txt")));
  files.set("openapi.json", `${JSON.stringify(openapiDocument())}\n`);
  const widget = files.get("wx-auth.js");
  const { version } = JSON.parse(read(at("package.json")));
  const versions = { ...released(), [version]: widget };
  const earlier = released()[version];
  if (earlier && !earlier.equals(widget)) throw new Failure(`✗ wx-auth.js ${version} was released with other bytes: raise the version in package.json.`);
  for (const [exact, content] of Object.entries(versions)) files.set(`w/${exact}/wx-auth.js`, content);
  files.set(`w/v${version.split(".")[0]}/wx-auth.js`, widget);
  files.set("w/integrity.json", integrity(version, versions));
  for (const name of files.keys()) checkReach(`/${name}`);
  files.set("_headers", headers([...files.keys()], Object.keys(versions)));
  return { files, sizes };
}

async function minified(name) {
  const { transform } = await import("esbuild");
  const options = name.endsWith(".css") ? { loader: "css" } : { loader: "js", format: "esm" };
  try {
    const { code } = await transform(read(source(name)), { ...MINIFY, ...options, sourcefile: `frontend/${name}`, logLevel: "silent" });
    return Buffer.from(code);
  } catch (error) {
    throw new Failure(`✗ ${error.message}`);
  }
}

/** Fails over the limit; otherwise says how large a file is. */
export function checkSize(name, content) {
  const bytes = gzipSync(content, { level: 9 }).length;
  const line = `${name} gzip ${bytes} of ${LIMITS[name]} bytes`;
  if (bytes > LIMITS[name]) throw new Failure(`✗ ${line}: too large.`);
  return line;
}

/** Exact versions that websites may have pinned: the bytes as they were released. docs/decisions/0006 */
function released() {
  const folder = source("released");
  const versions = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return Object.fromEntries(versions.map((version) => [version, fs.readFileSync(source(`released/${version}/wx-auth.js`))]));
}

/** `integrity` attributes by address. */
function integrity(latest, versions) {
  const hash = (content) => `sha384-${createHash("sha384").update(content).digest("base64")}`;
  const files = Object.entries(versions).map(([version, content]) => [`/w/${version}/wx-auth.js`, hash(content)]);
  return `${JSON.stringify({ latest, files: Object.fromEntries(files) }, null, 2)}\n`;
}

/**
 * What Cloudflare adds to the files: https://developers.cloudflare.com/workers/static-assets/headers/
 * Every file has one rule with all that differs, because rules that fit the same file add up.
 */
function headers(names, versions) {
  const shared = { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };
  const own = { "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": CHECKED };
  const rules = names.map((name) => {
    if (versions.some((version) => name === `w/${version}/wx-auth.js`)) return [name, { ...shared, "Cache-Control": FOR_EVER }];
    return [name, /^w\/|^wx-auth/.test(name) ? { ...shared, "Cache-Control": MOVING } : own];
  });
  const all = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
  };
  const text = ([where, lines]) => [`/${where}`, ...Object.entries(lines).map(([name, value]) => `  ${name}: ${value}`)].join("\n");
  return `${[["*", all], ...rules].map(text).join("\n\n")}\n`;
}

/** A file with the address of a route would never be seen, or would hide the route. */
function checkReach(address) {
  const [, list] = /^run_worker_first = \[(.*?)\]/ms.exec(read(at("wrangler.toml")));
  for (const [, route] of list.matchAll(/"(.+?)"/g)) {
    const hides = route.endsWith("/*") ? address.startsWith(route.slice(0, -1)) : address === route;
    if (hides) throw new Failure(`✗ frontend: the file ${address} and the Worker's route ${route} have the same address.`);
  }
}

/** Of everything that dist/ depends on; the examples and what npm gets are not deployed. */
function digest() {
  const old = Object.keys(released()).map((version) => `released/${version}/wx-auth.js`);
  const sources = [...Object.keys(LIMITS), "robots.txt", ...old].map(source).filter(fs.existsSync);
  const tools = ["package.json", "wrangler.toml", "package-lock.json", "tools/frontend.mjs", "tools/openapi.mjs"].map((file) => at(file));
  const hash = createHash("sha256");
  for (const file of [...sources, ...openapiSources(), ...tools]) hash.update(`${file}\n`).update(fs.readFileSync(file));
  return hash.digest("hex");
}

const source = (name) => path.join(frontendSources, name);
const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");
