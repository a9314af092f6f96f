// The widget as an npm package: what is in it, and that a website in TypeScript compiles against it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { at } from "../../tools/paths.mjs";

const run = promisify(execFile);
const read = (...file) => fs.readFileSync(at(...file), "utf8");
const pack = JSON.parse(read("frontend/package.json"));

test("its version is the Worker's, and everything that it names is there", () => {
  assert.equal(pack.version, JSON.parse(read("package.json")).version);
  const named = [...pack.files, pack.types, pack.customElements, ...Object.values(pack.exports).flatMap((entry) => (typeof entry === "string" ? entry : Object.values(entry)))];
  for (const file of named) assert.ok(fs.existsSync(at("frontend", file)), file);
  for (const file of pack.sideEffects) assert.ok(pack.files.includes(path.basename(file)), file);
});

test("its manifest of elements says what the types say", () => {
  const [element] = JSON.parse(read("frontend/custom-elements.json")).modules[0].declarations;
  const [, attributes] = /interface WechatLoginButtonAttributes \{(.*?)\n\}/s.exec(read("frontend/wx-auth.d.ts"));
  const typed = [...attributes.matchAll(/^ {2}"?([\w-]+)"?\??:/gm)].map(([, name]) => name);
  assert.deepEqual(element.attributes.map(({ name }) => name).sort(), typed.sort());
});

for (const moduleResolution of ["bundler", "nodenext"]) {
  test(`a website in TypeScript, by ${moduleResolution}`, async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wxapi-types-"));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
    const installed = path.join(folder, "node_modules/wxapi-login");
    fs.mkdirSync(installed, { recursive: true });
    for (const file of ["package.json", ...pack.files]) fs.copyFileSync(at("frontend", file), path.join(installed, file));
    fs.copyFileSync(at("tests/types/consumer.ts"), path.join(folder, "consumer.ts"));
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const options = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom"], types: [], module: moduleResolution === "bundler" ? "esnext" : "nodenext", moduleResolution };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }));
    const compiler = at("simulator/page/node_modules/typescript/bin/tsc");
    await run(process.execPath, [compiler, "-p", folder]).catch(({ stdout, message }) => assert.fail(stdout || message));
  });
}
