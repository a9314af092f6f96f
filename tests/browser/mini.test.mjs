// The account's Mini Program in the page's phone: its chat by the Worker's API, and the chat with its customer service.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { MiniUser } from "../e2e/mini.mjs";
import { timesAsked, until } from "../e2e/people.mjs";
import { atRest, openStage } from "./stage.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How the model answers: what a message contains decides. Others are repeated. */
const MODEL = [
  { match: "慢", reply: "这是一个一段一段到来的答案😀，每一段只有几个字，好让人看见它是怎样长出来的，到此为止。", chunk_ms: 150 },
  { match: "中断", cut: true, chunk_ms: 100, reply: "说到一半就断了的答案，后面的字谁也看不到，因为连接在这里断开。" },
  { match: "出错", fail: "always" },
];

let stage;
before(async () => {
  // All the phones have one address here, so that their logins would soon be too many.
  const limiter = (name) => ({ type: "ratelimit", name, namespace_id: name, simple: { limit: 1_000, period: 60 } });
  const ratelimits = Object.fromEntries(["RATE_LIMITER", "LOGIN_LIMITER"].map((name) => [name, limiter(name)]));
  stage = await openStage({ worker: { ratelimits } });
  await stage.sim.post("/_sim/model", MODEL);
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
    await this.messages("assistant", "done").filter({ hasText: text }).last().waitFor();
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

/** A person who uses the Mini Program elsewhere, too. */
const elsewhere = (name) => new MiniUser(stage, name).logIn();

/** So many questions of a person are being answered elsewhere, for some seconds. */
async function atWork(name, questions) {
  const other = await elsewhere(name);
  const answers = questions.map((text) => other.chat(`${name} ${text} delay=4s`, "new"));
  await until(async () => (await timesAsked(stage.sim, `${name} `)) >= questions.length, "the questions at work");
  return answers;
}

/** Requests of the timeline with this path. */
const rows = (page, path) => page.locator("[data-testid=exchange][data-kind=mini]").filter({ hasText: path });

describe("the Mini Program", () => {
  test("it logs in when it is opened, and shows the words as they come", scene({ as: "chat" }, async (mini, page) => {
    await rows(page, "/api/auth/wx-login").filter({ hasText: "200" }).waitFor();
    await mini.type("慢慢说");
    const streaming = mini.messages("assistant", "streaming");
    await streaming.filter({ hasText: "这是一个" }).waitFor();
    assert.ok(!(await streaming.innerText()).includes("到此为止"), "not all of it at once");
    await mini.messages("assistant", "done").filter({ hasText: "到此为止" }).waitFor();
    await mini.messages("assistant").filter({ hasText: /\d+ tokens/ }).waitFor();
    await rows(page, "/api/chat").getByRole("button").click();
    await page.getByRole("tab", { name: "响应", exact: true }).click();
    const detail = page.getByTestId("detail");
    await detail.filter({ hasText: "pieces, here in one" }).waitFor();
    assert.equal((await detail.innerText()).match(/event: delta/g).length, 1, "pieces are folded");
    await page.getByRole("tab", { name: "头部", exact: true }).click();
    await detail.filter({ hasText: "x-wx-session" }).waitFor();
    // <user>.<secret>.<mac>: the last part is what nobody may read.
    assert.doesNotMatch(await detail.innerText(), /[\w-]+\.[\w-]{16,}\.[\w-]{16,}/, "the session is hidden");
  }));

  test("a session that the server ended is replaced by itself", scene({ as: "expired" }, async (mini, page) => {
    await mini.say("第一句");
    const logins = rows(page, "/api/auth/wx-login").filter({ hasText: "200" });
    const before = await logins.count();
    // Ten sessions of one person are kept; more end the one that was used least lately.
    for (let n = 0; n < 10; n++) await elsewhere("expired");
    await mini.say("第二句");
    await rows(page, "/api/chat").filter({ hasText: "401" }).waitFor();
    assert.equal(await logins.count(), before + 1);
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("who was forgotten by the server begins anew", scene({ as: "forgotten" }, async (mini) => {
    await mini.say("第一句");
    const other = await elsewhere("forgotten");
    assert.equal((await other.api("POST", "forget-me", {})).status, 200);
    await mini.type("第二句");
    await mini.complaint.filter({ hasText: "没有这个对话" }).waitFor();
    await mini.complaint.getByRole("button", { name: "重新发送" }).click();
    await mini.messages("assistant", "done").filter({ hasText: "第二句" }).waitFor();
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("too fast: the seconds are counted down, then it goes on", scene({ as: "fast" }, async (mini, page) => {
    await mini.say("先说一句");
    // Three questions at work are as many as the Worker takes of one person.
    const others = await atWork("fast", ["一", "二", "三"]);
    await mini.type("太快了");
    await mini.complaint.filter({ hasText: "秒后可以再试" }).waitFor();
    assert.equal(await mini.complaint.getAttribute("data-status"), "429");
    const again = mini.complaint.getByRole("button", { name: "重新发送" });
    assert.ok(await again.isDisabled());
    await Promise.all(others);
    await mini.complaint.filter({ hasNotText: "秒后可以再试" }).waitFor();
    await again.click();
    await mini.messages("assistant", "done").filter({ hasText: "太快了" }).waitFor();
    assert.equal(await mini.complaint.count(), 0);
  }));

  test("an error is told, also one in the middle of an answer, and the message can be sent again", scene({ as: "errors" }, async (mini, page) => {
    await mini.type("说到一半中断");
    await mini.messages("assistant", "failed").waitFor();
    await mini.complaint.filter({ hasText: "Service temporarily unavailable" }).waitFor();
    await page.getByRole("switch", { name: "答案分段到达" }).uncheck();
    await mini.type("服务器出错");
    await mini.complaint.filter({ hasText: "服务器出错了" }).waitFor();
    assert.equal(await mini.complaint.getAttribute("data-status"), "500");
    await mini.messages("user", "failed").waitFor();
    await stage.sim.post("/_sim/model", MODEL.filter(({ match }) => match !== "出错"));
    await mini.complaint.getByRole("button", { name: "重新发送" }).click();
    await mini.messages("assistant", "done").filter({ hasText: "服务器出错" }).waitFor();
    assert.equal(await mini.complaint.count(), 0);
    await stage.sim.post("/_sim/model", MODEL);
  }));

  test("the phone goes away in the middle of an answer, and goes on with it", scene({ as: "leaves" }, async (mini, page) => {
    await page.getByRole("switch", { name: "手机在答案中途离开" }).check();
    await mini.type("慢慢来，还在吗");
    const left = mini.messages("assistant", "left");
    await left.waitFor();
    assert.ok(!(await left.innerText()).includes("到此为止"));
    await mini.button("继续接收").click();
    await mini.messages("assistant", "done").filter({ hasText: "到此为止" }).waitFor();
    assert.equal(await mini.messages("assistant").count(), 1, "it is one answer");
    assert.equal(await timesAsked(stage.sim, "还在吗"), 1);
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
  for (const [mode, label, format] of [["aes", "安全 AES", "XML"], ["aes", "安全 AES", "JSON"], ["compat", "兼容", "JSON"]]) {
    test(`${format} in ${mode} mode is opened and answered by custom/send`, scene({ as: `${mode}-${format}` }, async (mini, page, phone) => {
      await page.getByRole("radiogroup", { name: "小程序消息加解密" }).getByRole("radio", { name: label }).check();
      await page.getByRole("radiogroup", { name: "小程序数据格式" }).getByRole("radio", { name: format }).check();
      await mini.toWindow();
      const line = await phone.say(`在吗 <b> & "${mode}"`);
      await phone.sees("account", `在吗 <b> & "${mode}"`);
      assert.deepEqual(await phone.rings(line), ["green success"]);
      const row = page.locator("[data-testid=exchange]").filter({ hasText: "/wechat/mini" }).last();
      await row.getByRole("button").click();
      await page.getByRole("tab", { name: "明文", exact: true }).click();
      await page.getByTestId("detail").filter({ hasText: format === "XML" ? "<MsgType>" : '"MsgType"' }).waitFor();
      await page.getByRole("tab", { name: "公众号", exact: true }).click();
      assert.equal(await page.getByTestId("chat").getByText("在吗").count(), 0, "the account's chat is another one");
    }));
  }

  test("without a key it is pushed as it is", async (t) => {
    const other = await openStage({ vars: { MINI_ENCODING_AES_KEY: "" } });
    t.after(() => other.close());
    const play = async (phone, page) => {
      const mini = new Mini(page, "zh");
      await mini.open();
      await page.getByRole("radiogroup", { name: "小程序消息加解密" }).getByRole("radio", { name: "安全 AES" }).and(page.locator(":disabled")).waitFor();
      await mini.toWindow();
      const line = await phone.say("明文在吗");
      await phone.sees("account", "明文在吗");
      assert.deepEqual(await phone.rings(line), ["green success"]);
    };
    await other.scene({ as: "plain" }, play)(t);
  });

  test("the chat is opened, and a page is sent", scene({ as: "cards" }, async (mini, page, phone) => {
    await mini.toWindow();
    await mini.button("打开客服会话").click();
    await phone.lines("person", "event").waitFor();
    await page.getByRole("button", { name: "更多", exact: true }).or(page.getByRole("button", { name: "更多功能", exact: true })).first().click();
    await mini.button("小程序页面").click();
    await page.getByRole("dialog", { name: "小程序页面" }).getByRole("button", { name: "发送" }).click();
    await phone.lines("person", "page").filter({ hasText: "pages/order/index?id=1" }).waitFor();
    await phone.sees("account", "还看不了这类消息");
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
        await mini.type("出错");
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
    await mini.messages("assistant", "done").filter({ hasText: "键盘" }).waitFor();
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
