// wx-sim is tied to no backend: callback servers made of other people's frameworks are checked and used by its command
// line, as in any other project.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { at } from "../../tools/paths.mjs";
import { throwAwayAccount } from "../../tools/settings.mjs";
import { scenario, startEcho, wxSim } from "./servers.mjs";

/** A scenario for any backend. */
const generic = (name) => at(`scenarios/generic/${name}.json`);

const modes = { plain: { ENCODING_AES_KEY: "" }, secure: {} };

/** What a server that follows the manual of node-easywechat lets through, and `wx-sim verify` finds. */
const holes = {
  plain: [
    "no echostr for a wrong signature",
    "no echostr without a signature",
    "a message with a wrong signature is refused",
    "a message without a signature is refused",
    "a message of an hour ago is refused",
  ],
  secure: [
    "no echostr for a wrong signature",
    "no echostr without a signature",
    "a message without a signature is refused",
    "a message of an hour ago is refused",
    "in secure mode, a plain message is refused",
  ],
};

for (const [mode, settings] of Object.entries(modes)) {
  const vars = { ...throwAwayAccount(), ...settings };

  describe(`a server of wechatpy in ${mode} mode`, () => {
    let echo;
    before(async () => (echo = await startEcho("wechatpy", vars)));
    after(() => echo?.close());

    test("passes every check of `wx-sim verify`", async () => {
      const { code, stdout, stderr } = await wxSim(vars, "verify", echo.url);
      assert.equal(code, 0, stdout + stderr);
      assert.doesNotMatch(stdout, /✗/);
    });

    test("repeats what it is sent, character by character", async () => {
      const awkward = "tags <b> & \"quotes\" 表情 😀";
      const { code, stdout, stderr } = await wxSim(vars, "send", awkward, "--target", echo.url, "--port", "0");
      assert.equal(code, 0, stdout + stderr);
      assert.ok(stdout.includes(`account ◂ ${awkward}`), stdout);
    });

    test("passes scenarios", async () => {
      const files = [scenario("echo.json"), scenario("careful.json"), ...["messages", "events", "duplicate", "forged"].map(generic)];
      const { code, stdout, stderr } = await wxSim(vars, "run", ...files, "--target", echo.url, "--port", "0");
      assert.equal(code, 0, stdout + stderr);
    });

    test("is caught letting a text write the rest of the reply", async () => {
      const { code, stdout } = await wxSim(vars, "run", generic("injection"), "--target", echo.url, "--port", "0");
      assert.equal(code, 1, stdout);
      assert.match(stdout, /✗ A message cannot break out .*\n.*\n.*rules\n.*expected: the rule \w+ holds/);
    });

    test("greets followers, and understands where they came from", async () => {
      const event = ["event", "subscribe", "lg_8f2c", "--as", "小红", "--target", echo.url, "--port", "0"];
      const { code, stdout, stderr } = await wxSim(vars, ...event);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /account ◂ 欢迎/);
      const heard = JSON.parse(echo.lines.at(-1));
      assert.deepEqual([heard.event, heard.EventKey], ["subscribe_scan", "lg_8f2c"]);
    });

    test("reads every event that people cause", async () => {
      for (const [kind, key, as] of [["click", "TODAY", "click"], ["view", "https://example.com/a?b=1&c=2", "view"], ["scan", "42", "scan"]]) {
        const { code, stdout, stderr } = await wxSim(vars, "event", kind, key, "--target", echo.url, "--port", "0");
        assert.equal(code, 0, stdout + stderr);
        const heard = JSON.parse(echo.lines.at(-1));
        assert.deepEqual([heard.event, heard.EventKey], [as, key]);
      }
    });
  });

  describe(`a server of node-easywechat in ${mode} mode`, () => {
    let echo;
    before(async () => (echo = await startEcho("node-easywechat", vars)));
    after(() => echo?.close());

    test("passes a scenario", async () => {
      const { code, stdout, stderr } = await wxSim(vars, "run", scenario("echo.json"), "--target", echo.url, "--port", "0");
      assert.equal(code, 0, stdout + stderr);
    });

    test("does not pass one that sends forged messages", async () => {
      const { code, stdout } = await wxSim(vars, "run", scenario("careful.json"), "--target", echo.url, "--port", "0");
      assert.equal(code, 1, stdout);
    });

    test("lets strangers in, which `wx-sim verify` finds", async () => {
      const { code, stdout } = await wxSim(vars, "verify", echo.url);
      assert.equal(code, 1, stdout);
      const found = [...stdout.matchAll(/✗ (.*?) {2}/g)].map(([, rule]) => rule);
      assert.deepEqual(found, holes[mode]);
    });
  });
}

test("compat mode: wechatpy reads the encrypted half", async (t) => {
  const vars = throwAwayAccount();
  const echo = await startEcho("wechatpy", vars);
  t.after(echo.close);
  const sent = await wxSim(vars, "send", "兼容", "--mode", "compat", "--target", echo.url, "--port", "0");
  assert.equal(sent.code, 0, sent.stdout + sent.stderr);
  assert.match(sent.stdout, /account ◂ 兼容/);
});
