// Chatting on the page: the three modes of the wire, and WeChat's 5 seconds and three attempts as rings.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openStage } from "./stage.mjs";

let stage;
before(async () => (stage = await openStage()));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

describe("chat", () => {
  for (const [mode, label] of [["aes", "安全 AES"], ["compat", "兼容"]]) {
    test(`in ${mode} mode`, scene({ as: `mode-${mode}` }, async (phone, page) => {
      await page.getByRole("radiogroup", { name: "消息加解密", exact: true }).getByRole("radio", { name: label }).check();
      const line = await phone.say(`你好 <b> & ${mode} 😀`);
      await phone.sees("account", `你好 <b> & ${mode} 😀`);
      assert.deepEqual(await phone.rings(line), ["green reply"]);
      const { mode: current } = await stage.sim.get("/_sim/account");
      assert.equal(current, mode);
    }));
  }

  test("a follower is welcomed, and one tap on a link sends its command", scene({ as: "小红" }, async (phone, page) => {
    await page.getByRole("button", { name: "关注", exact: true }).click();
    await phone.sees("account", "欢迎关注");
    await phone.tap("看看我能做什么");
    await phone.sees("person", "/help");
    await phone.sees("account", "直接发消息给我就行");
  }));

  test("what is sent by the API appears without a reload", scene({ as: "live" }, async (phone) => {
    const line = await phone.say("在吗");
    await phone.rings(line);
    const { openid } = await stage.sim.get("/_sim/inbox?as=live");
    await stage.platform("message/custom/typing", { touser: openid, command: "Typing" });
    await phone.title.filter({ hasText: "对方正在输入" }).waitFor();
    const text = { touser: openid, msgtype: "text", text: { content: "这是客服消息" } };
    await stage.platform("message/custom/send", text);
    await phone.sees("account", "这是客服消息");
    await phone.title.filter({ hasNotText: "对方正在输入" }).waitFor();
  }));
});

describe("WeChat waits 5 s, three times", { concurrency: true }, () => {
  test("a model of 7 s: one red ring, one green, one bubble", scene({ as: "seven" }, async (phone) => {
    const line = await phone.say("讲个笑话 delay=7s");
    assert.deepEqual(await phone.rings(line, 30_000), ["red timeout", "green reply"]);
    await phone.sees("account", "讲个笑话");
    assert.equal(await phone.lines("account").count(), 1);
  }));

  test("a model of 12 s: two red rings, one green", scene({ as: "twelve" }, async (phone) => {
    const line = await phone.say("讲个故事 delay=12s");
    assert.deepEqual(await phone.rings(line, 30_000), ["red timeout", "red timeout", "green reply"]);
    await phone.sees("account", "讲个故事");
    assert.equal(await phone.lines("account").count(), 1);
  }));

  test("a model of 40 s: a link, and tapping it fetches the answer", scene({ as: "forty" }, async (phone) => {
    const line = await phone.say("写首长诗 delay=40s");
    assert.deepEqual(await phone.rings(line, 30_000), ["red timeout", "red timeout", "green reply"]);
    await phone.sees("account", "这个问题需要多想一会儿");
    await phone.tap("点此查看回答");
    await phone.sees("account", /还在思考，已用 \d+ 秒/);
    await stage.answered("写首长诗");
    await phone.tap("再看看");
    await phone.sees("account", "写首长诗");
  }));
});
