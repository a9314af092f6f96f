// The OpenAPI document of the management API: one file for each family in docs/openapi/, put together for everybody to
// have at /openapi.json. Plain Node >= 18, no dependencies.
import fs from "node:fs";
import path from "node:path";
import { at } from "./paths.mjs";
import { Failure } from "./steps.mjs";

const folder = at("docs/openapi");

/** The files that it is made of. */
export function openapiSources() {
  return fs.readdirSync(folder).sort().map((name) => path.join(folder, name));
}

/** The document. Fails where two parts disagree, or a part names what is nowhere. */
export function openapiDocument() {
  const document = read(path.join(folder, "base.json"));
  document.info.version = read(at("package.json")).version;
  for (const file of openapiSources().filter((file) => !file.endsWith("base.json"))) {
    const { paths, components = {} } = read(file);
    add(document.paths, paths, file);
    for (const [kind, entries] of Object.entries(components)) add((document.components[kind] ??= {}), entries, file);
  }
  checkReferences(document, document);
  return document;
}

function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new Failure(`✗ ${file}: ${error.message}`);
  }
}

function add(all, entries, file) {
  for (const [name, entry] of Object.entries(entries)) {
    if (name in all) throw new Failure(`✗ ${file}: ${name} is described elsewhere too.`);
    all[name] = entry;
  }
}

function checkReferences(part, document) {
  if (typeof part !== "object" || part === null) return;
  if (typeof part.$ref === "string") {
    const found = part.$ref.split("/").slice(1).reduce((at, name) => at?.[name], document);
    if (!found) throw new Failure(`✗ docs/openapi: there is no ${part.$ref}.`);
  }
  for (const inner of Object.values(part)) checkReferences(inner, document);
}
