// An implementation that shares no code with ours judges the protocol: wechatpy, from PyPI.
import { execFile } from "node:child_process";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";

const judge = fileURLToPath(new URL("wechatpy/worker.py", import.meta.url));

for (const [mode, vars] of [["secure", {}], ["plain", { ENCODING_AES_KEY: "" }]]) {
  test(`wechatpy agrees with the Worker in ${mode} mode`, async (t) => {
    const pair = await startPair({ vars });
    t.after(pair.close);
    const env = { ...process.env, ...pair.vars, WORKER_URL: new URL("/wechat", pair.stack.url).href };
    const { stdout } = await promisify(execFile)(python, [judge], { env, timeout: 60_000 });
    assert.match(stdout, /^done$/m, "it came to its end");
  });
}
