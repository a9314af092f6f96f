// The built Worker in workerd: it answers, takes over new settings, and comes back after a power cut.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { at } from "../../tools/paths.mjs";
import { startStack } from "../../tools/stack.mjs";

const TOKEN = "stackToken1";
let stack;

before(async () => {
  stack = await startStack({ vars: { WECHAT_TOKEN: TOKEN } });
});

after(() => stack?.close());

/** The path of the console's request that verifies the URL, signed with `token`. */
function verification(token, echostr = "4375120948345356249") {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = "1234567";
  const signature = createHash("sha1").update([token, timestamp, nonce].sort().join("")).digest("hex");
  return `/wechat?${new URLSearchParams({ signature, timestamp, nonce, echostr })}`;
}

async function answer(path) {
  const response = await stack.fetch(path);
  return [response.status, await response.text()];
}

test("the Worker verifies its URL to whoever knows the Token", async () => {
  assert.deepEqual(await answer(verification(TOKEN)), [200, "4375120948345356249"]);
  assert.equal((await answer(verification("another")))[0], 403);
});

test("assets are served, and what is neither a route nor an asset is not found", async () => {
  assert.deepEqual(await answer("/robots.txt"), [200, fs.readFileSync(at("frontend/robots.txt"), "utf8")]);
  assert.equal((await answer("/nothing-here"))[0], 404);
});

test("new settings are taken over, and faulty ones are logged", async () => {
  await stack.reload({ WECHAT_TOKEN: "replace-me-token" });
  assert.equal((await answer(verification(TOKEN)))[0], 503);
  assert.match((await stack.logged(/WECHAT_TOKEN/)).message, /example value/);
  await stack.reload({ WECHAT_TOKEN: TOKEN });
  assert.equal((await answer(verification(TOKEN)))[0], 200);
});

test("after a power cut the Worker is back at the same address", async () => {
  const pid = stack.workerdPid();
  await stack.kill();
  assert.equal(stack.workerdPid(), undefined);
  await assert.rejects(answer(verification(TOKEN)), "nothing answers in between");
  await stack.restart();
  assert.notEqual(stack.workerdPid(), pid);
  assert.equal((await answer(verification(TOKEN)))[0], 200);
});

test("the bundle carries no function names", () => {
  const wasm = new WebAssembly.Module(fs.readFileSync(at("build/index_bg.wasm")));
  assert.deepEqual(WebAssembly.Module.customSections(wasm, "name"), []);
});
