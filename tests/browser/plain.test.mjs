// An account without EncodingAESKey: the page can only chat in plain mode, and does.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openStage } from "./stage.mjs";

let stage;
before(async () => (stage = await openStage({ vars: { ENCODING_AES_KEY: "" } })));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

test("chat in plain mode", scene({ as: "小明" }, async (phone, page) => {
  const modes = page.getByRole("radiogroup", { name: "消息加解密", exact: true });
  assert.ok(await modes.getByRole("radio", { name: "明文", exact: true }).isChecked());
  for (const name of ["兼容", "安全 AES"]) assert.ok(await modes.getByRole("radio", { name }).isDisabled());
  const line = await phone.say("你好，明文");
  await phone.sees("account", "你好，明文");
  assert.deepEqual(await phone.rings(line), ["green reply"]);
}));
