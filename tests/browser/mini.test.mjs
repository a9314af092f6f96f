// The account's Mini Program in the page's phone: its chat by the server's API, and its customer service. The server is a
// small one that keeps to the same contract as the Worker.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { startMiniPair } from "./mini-server.mjs";
import { atRest, openStage } from "./stage.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let pair, stage;
before(async () => {
  pair = await startMiniPair();
  stage = await openStage({ pair });
});
after(() => stage?.close());

const words = {
  zh: { app: "小程序", account: "公众号", input: "问点什么", window: "客服消息", list: "对话列表", fresh: "新对话", message: "发消息" },
  en: { app: "Mini Program", account: "Account", input: "Ask something", window: "Customer service", list: "Conversations", fresh: "New conversation", message: "Message" },
};

/** The Mini Program as a person uses it. */
class Mini {
  constructor(page, lang) {
    this.page = page;
    this.words = words[lang];
  }

  async open() {
    await this.page.getByRole("tablist", { name: /应用|Apps/ }).getByRole("tab", { name: this.words.app, exact: true }).click();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  get complaint() {
    return this.page.getByTestId("mini-complaint");
  }

  messages(role, state) {
    return this.page.locator(`[data-testid=mini-message][data-role=${role}]${state ? `[data-state=${state}]` : ""}`);
  }

  /** Says something; resolves when the answer is whole. */
  async say(text) {
    await this.type(text);
    await this.messages("assistant", "done").filter({ hasText: `“${text}”` }).last().waitFor();
  }

  async type(text) {
    const input = this.page.getByRole("textbox", { name: this.words.input });
    await input.fill(text);
    await input.press("Enter");
  }

  async toWindow() {
    await this.page.getByRole("tab", { name: this.words.window, exact: true }).click();
  }
}

const scene = (options, play) => (t) =>
  stage.scene(options, async (phone, page) => {
    const mini = new Mini(page, options.lang ?? "zh");
    await mini.open();
    await play(mini, page, phone);
  })(t);

/** Requests of the timeline with this path. */
const rows = (page, path) => page.locator("[data-testid=exchange][data-kind=mini]").filter({ hasText: path });

describe("the Mini Program", () => {
  test("it logs in when it is opened, and shows the words as they come", scene({ as: "chat" }, async (mini, page) => {
    await rows(page, "/api/auth/wx-login").filter({ hasText: "200" }).waitFor();
    await mini.type("slow 你好");
    const streaming = mini.messages("assistant", "streaming");
    await streaming.filter({ hasText: "你说的是" }).waitFor();
    assert.ok(!(await streaming.innerText()).includes("到此为止"), "not all of it at once");
    await mini.messages("assistant", "done").filter({ hasText: "到此为止" }).waitFor();
    await mini.messages("assistant").filter({ hasText: "42 tokens" }).waitFor();
    await rows(page, "/api/chat").getByRole("button").click();
    await page.getByRole("tab", { name: "响应", exact: true }).click();
    const detail = page.getByTestId("detail");
    await detail.filter({ hasText: "pieces, here in one" }).waitFor();
    assert.equal((await detail.innerText()).match(/event: delta/g).length, 1, "pieces are folded");
    await page.getByRole("tab", { name: "请求头" }).or(page.getByRole("tab", { name: "头部" })).or(page.getByRole("tab", { name: "Headers" })).first().click();
    await detail.filter({ hasText: "x-wx-session" }).waitFor();
    for (const key of pair.server.sessions.keys()) assert.ok(!(await detail.innerText()).includes(key), "the session is hidden");
  }));

  test("a session that the server ended is replaced by itself", scene({ as: "expired" }, async (mini, page) => {
    await mini.say("一");
    pair.server.sessions.clear();
    await mini.say("二");
    assert.equal(await rows(page, "/api/auth/wx-login").count(), await rows(page, "/api/auth/wx-login").filter({ hasText: "200" }).count());
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("too fast: the seconds are counted down, then it goes on", scene({ as: "fast" }, async (mini) => {
    await mini.type("429");
    await mini.complaint.filter({ hasText: "秒后可以再试" }).waitFor();
    assert.equal(await mini.complaint.getAttribute("data-status"), "429");
    const again = mini.complaint.getByRole("button", { name: "重新发送" });
    assert.ok(await again.isDisabled());
    await mini.complaint.filter({ hasNotText: "秒后可以再试" }).waitFor();
    await again.click();
    await mini.messages("assistant", "done").filter({ hasText: "“429”" }).waitFor();
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("an error is told, also one in the middle of an answer", scene({ as: "errors" }, async (mini) => {
    await mini.type("500");
    await mini.complaint.filter({ hasText: "服务器出错了" }).waitFor();
    await mini.messages("user", "failed").waitFor();
    await mini.type("fails");
    await mini.messages("assistant", "failed").filter({ hasText: "你说的是" }).waitFor();
    await mini.complaint.filter({ hasText: "Service temporarily unavailable" }).waitFor();
    await mini.say("好了");
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("an answer that is pending is asked for until it is there", scene({ as: "pending" }, async (mini, page) => {
    await page.getByRole("switch", { name: "答案分段到达" }).uncheck();
    await mini.type("202");
    await mini.messages("assistant", "pending").waitFor();
    await mini.messages("assistant", "done").filter({ hasText: "“202”" }).waitFor();
    assert.ok((await rows(page, "/api/chat/").count()) >= 3);
  }));

  test("the phone goes away in the middle of an answer, and goes on with it", scene({ as: "leaves" }, async (mini, page) => {
    await page.getByRole("switch", { name: "手机在答案中途离开" }).check();
    await mini.type("slow 还在吗");
    const left = mini.messages("assistant", "left");
    await left.waitFor();
    assert.ok(!(await left.innerText()).includes("到此为止"));
    await mini.button("继续接收").click();
    await mini.messages("assistant", "done").filter({ hasText: "到此为止" }).waitFor();
    assert.equal(await mini.messages("assistant").count(), 1, "it is one answer");
  }));

  test("conversations are listed, opened, begun and deleted, and who logs out stays so", scene({ as: "history" }, async (mini, page) => {
    await mini.say("第一段对话");
    await mini.button("新对话").click();
    await mini.messages("user").first().waitFor({ state: "detached" });
    await mini.say("第二段对话");
    await mini.button("对话列表").click();
    const sheet = page.getByRole("dialog", { name: "对话列表" });
    await sheet.getByRole("button", { name: "第一段对话" }).first().click();
    await mini.messages("user").filter({ hasText: "第一段对话" }).waitFor();
    assert.equal(await mini.messages("user").count(), 1);
    await mini.button("对话列表").click();
    await sheet.getByRole("button", { name: "删除「第一段对话」" }).click();
    await sheet.getByRole("button", { name: "第一段对话" }).first().waitFor({ state: "detached" });
    await sheet.getByRole("button", { name: "全部删除" }).click();
    await sheet.getByRole("button", { name: "确定全部删除？" }).click();
    await sheet.getByText("还没有对话。").waitFor();
    await sheet.getByRole("button", { name: "退出登录" }).click();
    await page.getByTestId("mini-chat").getByText("未登录").waitFor();
  }));

  test("a login that WeChat distrusts is refused", scene({ as: "trusted" }, async (mini, page, phone) => {
    await page.getByRole("switch", { name: "登录被判高风险 40226" }).check();
    await stage.sim.post("/_sim/people", { name: "risky" });
    await phone.pick("risky");
    await mini.complaint.filter({ hasText: "微信不信任这个用户" }).waitFor();
    await page.getByRole("switch", { name: "登录被判高风险 40226" }).uncheck();
    await mini.complaint.getByRole("button", { name: "登录" }).click();
    await mini.complaint.waitFor({ state: "detached" });
  }));
});

describe("its customer service", () => {
  for (const [mode, label, format] of [["aes", "安全 AES", "XML"], ["aes", "安全 AES", "JSON"], ["compat", "兼容", "JSON"], ["plain", "明文", "XML"]]) {
    test(`${format} in ${mode} mode is opened and answered by custom/send`, scene({ as: `${mode}-${format}` }, async (mini, page, phone) => {
      await page.getByRole("radiogroup", { name: "小程序消息加解密" }).getByRole("radio", { name: label }).check();
      await page.getByRole("radiogroup", { name: "小程序数据格式" }).getByRole("radio", { name: format }).check();
      await mini.toWindow();
      const line = await phone.say(`在吗 <b> & "${mode}"`);
      await phone.sees("account", `客服：在吗 <b> & "${mode}"`);
      assert.deepEqual(await phone.rings(line), ["green success"]);
      assert.equal(pair.server.pushes.at(-1).format, format.toLowerCase());
      await page.getByRole("tab", { name: "公众号", exact: true }).click();
      assert.equal(await page.getByText(`客服：在吗`).count(), 0, "the account's chat is another one");
    }));
  }

  test("the chat is opened, and a page is sent", scene({ as: "cards" }, async (mini, page, phone) => {
    await mini.toWindow();
    await mini.button("打开客服会话").click();
    await phone.lines("person", "event").waitFor();
    await page.getByRole("button", { name: "更多", exact: true }).or(page.getByRole("button", { name: "更多功能", exact: true })).first().click();
    await mini.button("小程序页面").click();
    await page.getByRole("dialog", { name: "小程序页面" }).getByRole("button", { name: "发送" }).click();
    await phone.lines("person", "page").filter({ hasText: "pages/order/index?id=1" }).waitFor();
    assert.match(pair.server.pushes.at(-1).document, /miniprogrampage/);
  }));

  test("a passive reply is shown to be a mistake", scene({ as: "passive" }, async (mini, page, phone) => {
    pair.server.passive = "<xml><MsgType>text</MsgType><Content>hi</Content></xml>";
    await mini.toWindow();
    await phone.say("有人吗");
    await page.locator("[data-testid=check][data-rule=mini_reply][data-ok=false]").waitFor();
    pair.server.passive = "success";
  }));
});

/** What an examiner of accessibility calls serious or critical. */
async function findings(page) {
  await atRest(page);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
}

describe("how it looks", () => {
  for (const lang of ["zh", "en"]) {
    for (const theme of ["light", "dark"]) {
      test(`no serious finding of axe: ${lang}, ${theme}`, scene({ as: `axe-${lang}-${theme}`, lang, theme, script: axe }, async (mini, page) => {
        await mini.say("你好");
        await mini.type("500");
        await mini.complaint.waitFor();
        assert.deepEqual(await findings(page), []);
        await mini.button(mini.words.list).click();
        await page.getByRole("dialog").getByRole("button", { name: "你好" }).first().waitFor();
        assert.deepEqual(await findings(page), [], "with the conversations over it");
        await page.keyboard.press("Escape");
        await mini.toWindow();
        assert.deepEqual(await findings(page), [], "the customer service");
      }));
    }
  }

  test("the keyboard alone is enough", scene({ as: "keys" }, async (mini, page) => {
    const apps = page.getByRole("tab", { name: "公众号", exact: true });
    await page.getByRole("tab", { name: "小程序", exact: true }).focus();
    await page.keyboard.press("ArrowLeft");
    await apps.and(page.locator("[aria-selected=true]")).waitFor();
    await page.keyboard.press("ArrowRight");
    const input = page.getByRole("textbox", { name: "问点什么" });
    await input.waitFor();
    for (let presses = 0; presses < 40 && !(await input.evaluate((element) => element === document.activeElement)); presses++) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.type("键盘");
    await page.keyboard.press("Enter");
    await mini.messages("assistant", "done").filter({ hasText: "“键盘”" }).waitFor();
  }));

  test("390 px are enough", scene({ as: "narrow", viewport: { width: 390, height: 844 } }, async (mini, page, phone) => {
    await mini.say("窄屏");
    const fits = async (what) => {
      const [wide, inside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= inside, `${what}: ${wide} of ${inside} px`);
    };
    await fits("chat");
    await mini.toWindow();
    await fits("customer service");
    await phone.show("设置");
    await fits("settings");
  }));
});
