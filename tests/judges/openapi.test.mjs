// The OpenAPI document and the Worker say the same: Schemathesis, from PyPI, makes requests of the document, and judges
// the answers by it.
import { execFile } from "node:child_process";
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { at } from "../../tools/paths.mjs";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";

const run = promisify(execFile);
const TOKEN = "an-admin-token-for-the-judge";
/** Requests of each kind for each operation. */
const EXAMPLES = "8";
/** It must come to the same verdict every time. */
const SEED = "20";

let pair, folder;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-openapi-"));
  pair = await startPair({ vars: { ADMIN_TOKEN: TOKEN } });
});

after(async () => {
  await pair?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const served = async () => (await fetch(new URL("/openapi.json", pair.stack.url))).json();

test("what is served is a valid document of OpenAPI 3.1", async () => {
  const file = path.join(folder, "openapi.json");
  fs.writeFileSync(file, JSON.stringify(await served()));
  await run(python, ["-m", "openapi_spec_validator", "--schema", "3.1.0", file]);
});

test("every operation has a name, a summary and its problems", async () => {
  const { paths } = await served();
  const names = new Set();
  for (const [route, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item).filter(([name]) => name !== "parameters")) {
      const what = `${method} ${route}`;
      assert.ok(operation.operationId && !names.has(operation.operationId), `${what} has a name of its own`);
      names.add(operation.operationId);
      assert.ok(operation.summary, `${what} says what it does`);
      for (const status of ["401", "503"]) assert.ok(operation.responses[status] ?? operation.responses.default, `${what} ${status}`);
    }
  }
});

test("the Worker does as the document says, whatever it is sent", { timeout: 600_000 }, async () => {
  const judge = ["-m", "schemathesis.cli", "run", new URL("/openapi.json", pair.stack.url).href, "--url", pair.stack.url.origin];
  const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth";
  const bounds = ["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", "2"];
  const quiet = ["--no-color", "--generation-database", "none", "--suppress-health-check", "all"];
  const args = [...judge, "--checks", checks, ...bounds, ...quiet, "--header", `Authorization: Bearer ${TOKEN}`];
  await run(python, args, { cwd: folder, maxBuffer: 1 << 26 }).catch(({ stdout, stderr }) => assert.fail(`${stdout}\n${stderr}`.slice(-12_000)));
});

test("every route of the code is in the document", async () => {
  const { paths } = await served();
  const documented = Object.keys(paths).map((route) => route.replace(/\{[^}]+\}/g, "{}"));
  for (const route of routesOfTheCode()) assert.ok(documented.includes(route), `${route} is not in docs/openapi`);
});

/** The patterns of the route tables: `["menu", "history", number, "rollback"]` and `"tags/:id/members"`. */
function routesOfTheCode() {
  const sources = fs.readdirSync(at("src/handlers/admin"), { recursive: true }).filter((name) => name.endsWith(".rs"));
  const routes = new Set();
  for (const name of sources) {
    const code = fs.readFileSync(at(path.join("src/handlers/admin", name)), "utf8");
    for (const [, segments] of code.matchAll(/^\s*\("(?:GET|POST|PUT|PATCH|DELETE)"(?: \| "[A-Z]+")*, \[("[^\]]+)\]\)/gm)) {
      const parts = segments.split(",").map((part) => part.trim());
      const choices = parts.map((part) => [...part.matchAll(/"([^"]+)"/g)].map(([, word]) => word));
      let all = [""];
      for (const words of choices) all = all.flatMap((begin) => (words.length ? words : ["{}"]).map((word) => `${begin}/${word}`));
      for (const route of all) routes.add(`/admin${route}`);
    }
    for (const [, pattern] of code.matchAll(/^\s*pattern: "([^"]+)"/gm)) routes.add(`/admin/${pattern.replace(/:\w+/g, "{}")}`);
  }
  assert.ok(routes.size > 0);
  return routes;
}
