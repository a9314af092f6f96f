// The pictures that the documents show: taken from the running page by `npm run shots`, and there in any case.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { at } from "../../tools/paths.mjs";
import { atRest, openStage } from "./stage.mjs";

const WANTED = process.env.WX_SHOTS !== undefined;

/** What is said and done on the pictures of one language. */
const plays = {
  zh: {
    ending: ".zh-CN",
    settings: {},
    people: ["小明", "阿花", "Bob"],
    follow: "关注",
    welcome: "欢迎关注",
    talk: ["你好", "你好，小明！我是小鹿，想聊点什么？"],
    slow: ["帮我写一份周报，分三段", "本周进展：\n一、登录组件上线，三种浏览器都测过。\n二、菜单改版，点击率涨了一成。\n三、下周开始做群发。"],
    later: "提醒：周会改到下午三点。",
    menu: ["AI 助手", "登录网站", "更多"],
    theme: ["外观", "深色"],
    mini: {
      person: "阿杰",
      tab: "小程序",
      input: "问点什么",
      asked: "周末去杭州怎么玩？",
      reply: "两天这样走：\n\n1. 周六沿苏堤散步，中午在龙井村吃农家菜\n2. 周日去良渚博物院，下午回城\n\n要我把车票也列出来吗？",
      more: "要，顺便写几句攻略",
      shown: "高铁一小时",
      growing: "好的。从上海虹桥出发，高铁一小时到杭州东，每天六十多趟。周六早上八点前后的最合适，到了先把行李寄存在车站。",
    },
  },
  en: {
    ending: "",
    settings: { LANG: "en" },
    people: ["Ming", "Hua", "Bob"],
    follow: "Follow",
    welcome: "welcome",
    talk: ["Hello", "Hello Ming! I am Fawn. What shall we talk about?"],
    slow: ["Write my weekly report, please", "This week: the login widget is live.\nNext week: broadcasts."],
    later: "A reminder: the meeting moved to 3 p.m.",
    menu: ["Assistant", "Log in", "More"],
    theme: ["Theme", "Dark"],
    mini: {
      person: "Rose",
      tab: "Mini Program",
      input: "Ask something",
      asked: "A weekend in Hangzhou?",
      reply: "Two days go like this:\n\n1. Saturday: along the Su Causeway, lunch in Longjing village\n2. Sunday: the Liangzhu museum, back in the afternoon\n\nShall I look up trains?",
      more: "Yes, and tell me more",
      shown: "an hour",
      growing: "From Shanghai Hongqiao it is an hour to Hangzhou East, sixty trains a day. Take one at eight in the morning, and leave the luggage at the station.",
    },
  },
};

const documents = ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", ...fs.readdirSync(at("docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`)];

describe("pictures of the page", { skip: !WANTED && "npm run shots takes them" }, () => {
  for (const [lang, play] of Object.entries(plays)) {
    test(lang, async (t) => {
      const stage = await openStage({ vars: play.settings });
      t.after(() => stage.close());
      const window = { viewport: { width: 1440, height: 880 }, scale: 1.5 };
      await stage.scene({ as: play.people[0], lang, ...window }, (phone, page) => perform(stage, phone, page, play))(t);
      await stage.scene({ as: play.mini.person, lang, ...window }, (_, page) => chat(stage, page, play))(t);
    });
  }
});

describe("pictures of the login", { skip: !WANTED && "npm run shots takes them" }, () => {
  test("the page, and the phone that is asked", async (t) => {
    const clients = [{ id: "blog", name: "小鹿博客", redirect_uris: ["https://blog.example.com/callback"] }];
    const vars = { ACCOUNT_TYPE: "service_verified", ACCOUNT_NAME: "小鹿笔记", LOGIN_CLIENTS: clients };
    const stage = await openStage({ cf: { country: "CN", city: "上海" }, vars });
    t.after(() => stage.close());
    await stage.scene({ as: "小明", viewport: { width: 1440, height: 760 } }, async (_, page) => {
      const context = await page.context().browser().newContext({ locale: "zh-CN", viewport: { width: 480, height: 640 }, deviceScaleFactor: 1.5 });
      t.after(() => context.close());
      const tab = await context.newPage();
      const query = new URLSearchParams({
        response_type: "code", client_id: "blog", redirect_uri: "https://blog.example.com/callback", scope: "openid", state: "s",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", lang: "zh", theme: "light", method: "qr",
      });
      await tab.goto(new URL(`/authorize?${query}`, stage.stack.url).href);
      await take(tab, "login");
      await page.getByRole("button", { name: "扫一扫", exact: true }).first().click();
      const code = { name: "code.png", mimeType: "image/png", buffer: await tab.locator("svg.qr").screenshot() };
      await page.getByRole("dialog", { name: "扫一扫" }).locator("input[type=file]").setInputFiles(code);
      await page.frameLocator("[data-testid=browser]").locator(".choices").waitFor();
      await take(page, "login-confirm", page.locator(".phone"));
    })(t);
  });
});

/** A chat with an answer in time, one on the second delivery, and one on the account's own; then both themes of it. */
async function perform(stage, phone, page, { people, talk, slow, ...play }) {
  for (const name of people.slice(1)) await stage.sim.post("/_sim/people", { name });
  await stage.sim.post("/_sim/model", [
    { match: talk[0], reply: talk[1], delay_ms: 900 },
    { match: slow[0], reply: slow[1], delay_ms: 7000 },
  ]);
  await stage.sim.post("/_sim/verify");
  await page.getByRole("button", { name: play.follow, exact: true }).first().click();
  await phone.sees("account", play.welcome);
  await phone.say(talk[0]);
  await phone.sees("account", talk[1]);
  const line = await phone.say(slow[0]);
  await phone.rings(line, 30_000);
  await stage.platform("menu/create", { button: play.menu.map((name, at) => ({ type: "click", name, key: `KEY_${at}` })) });
  const { openid: touser } = await stage.sim.get(`/_sim/inbox?as=${encodeURIComponent(people[0])}`);
  await stage.platform("message/custom/send", { touser, msgtype: "text", text: { content: play.later } });
  await phone.sees("account", play.later);
  await phone.menu.waitFor();
  await line.locator("[data-state]").last().click();
  await page.getByTestId("check").first().waitFor();
  await take(page, `wx-sim${play.ending}`);
  await page.getByRole("combobox", { name: play.theme[0] }).selectOption({ label: play.theme[1] });
  await take(page, `wx-sim-dark${play.ending}`);
}

/** The Mini Program with one answer, and another one that is still growing; the phone alone. */
async function chat(stage, page, { ending, mini: { tab, input, asked, reply, more, shown, growing } }) {
  await stage.sim.post("/_sim/model", [{ match: asked, reply, delay_ms: 300 }, { match: more, reply: growing, chunk_ms: 600 }]);
  await page.getByRole("tablist").getByRole("tab", { name: tab, exact: true }).click();
  const answers = page.locator("[data-testid=mini-message][data-role=assistant]");
  const say = async (text) => {
    await page.getByRole("textbox", { name: input }).fill(text);
    await page.getByRole("textbox", { name: input }).press("Enter");
  };
  await say(asked);
  await answers.and(page.locator("[data-state=done]")).waitFor();
  await say(more);
  await answers.filter({ hasText: shown }).waitFor();
  await take(page, `mini${ending}`, page.locator(".phone"));
}

/** Without the pointer, and when nothing moves any more; of the whole window, or a part of it. */
async function take(page, name, part = page) {
  await page.mouse.move(0, 0);
  await atRest(page);
  fs.mkdirSync(at("docs/images"), { recursive: true });
  await part.screenshot({ path: at(`docs/images/${name}.png`) });
}

test("every picture that a document shows is there", () => {
  for (const document of documents) {
    const text = fs.readFileSync(at(document), "utf8");
    const shown = [...text.matchAll(/!\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, markdown, html]) => markdown ?? html);
    for (const file of shown.filter((address) => !/^[a-z]+:/.test(address))) {
      const picture = at(path.dirname(document), file);
      assert.ok(fs.existsSync(picture), `${document} shows ${file}, which is not there: npm run shots`);
    }
  }
});
