// The pages of frontend/examples/, as `npm run dev` serves them: people log in on them, and can read them.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { serveExamples } from "../../tools/examples.mjs";
import { at } from "../../tools/paths.mjs";
import { freePort } from "../../tools/ports.mjs";
import { startPair } from "../../tools/stack.mjs";
import { Phone } from "../e2e/login.mjs";
import { clickForPopup, startBrowser } from "./site.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let pair, site, browser;

before(async () => {
  const sitePort = await freePort();
  // The website that .dev.vars.example has, at another port.
  const [, clients] = /^LOGIN_CLIENTS='(.*)'$/m.exec(fs.readFileSync(at(".dev.vars.example"), "utf8"));
  const vars = { LOGIN_METHODS: "code", LOGIN_CLIENTS: clients.replaceAll(":8789", `:${sitePort}`) };
  [pair, browser] = await Promise.all([startPair({ vars }), startBrowser()]);
  site = await serveExamples({ port: sitePort, worker: pair.stack.url.origin });
});
after(async () => {
  await Promise.all([site?.close(), browser?.close(), pair?.close()]);
});

/** A test on a page of its own, which the browser must not complain of. */
const scene = (options, play) => async () => {
  const context = await browser.newContext({ locale: "zh-CN", ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  page.on("pageerror", (error) => complaints.push(error.stack));
  try {
    await play(page);
    assert.deepEqual(complaints, [], "the browser complains");
  } finally {
    await context.close();
  }
};

async function confirm(page, name) {
  const phone = new Phone(pair.sim, name);
  await phone.confirm(await phone.say((await page.locator("#words").innerText()).trim()));
}

async function isForEverybody(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].failureSummary}`), []);
  const [wide, inside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= inside, `${wide} of ${inside} px`);
}

test("comments only after a login", scene({}, async (page) => {
  await page.goto(new URL("blog-comments.html", site.url).href);
  assert.ok(await page.locator("#write").isHidden());
  await isForEverybody(page);
  const popup = await clickForPopup(page, "wechat-login-button");
  await confirm(popup, "a reader");
  await page.getByRole("textbox", { name: "写点什么" }).fill("<b>好文章</b>");
  await page.getByRole("button", { name: "发表" }).click();
  await page.getByText("<b>好文章</b>").waitFor();
  await isForEverybody(page);
  await page.getByRole("button", { name: "退出" }).click();
  assert.ok(await page.locator("#write").isHidden());
  await page.getByRole("button", { name: "微信登录" }).waitFor();
}));

test("a letter for subscribers: the whole page goes, and comes back by callback.html", scene({ colorScheme: "dark", viewport: { width: 360, height: 740 } }, async (page) => {
  const address = new URL("subscribers-only.html", site.url).href;
  await page.goto(address);
  await isForEverybody(page);
  await page.getByRole("button", { name: "用微信登录" }).click();
  await confirm(page, "a subscriber");
  await page.waitForURL(address);
  await page.getByText("谢谢你一直在读").waitFor();
  await isForEverybody(page);
  await page.reload();
  await page.getByText("谢谢你一直在读").waitFor();
}));

test("…and whoever says no in the chat reads that, once", scene({}, async (page) => {
  const address = new URL("subscribers-only.html", site.url).href;
  await page.goto(address);
  await page.getByRole("button", { name: "用微信登录" }).click();
  const phone = new Phone(pair.sim, "a doubter");
  const { links } = await phone.say((await page.locator("#words").innerText()).trim());
  await phone.say(links.find(({ label }) => /取消|不/.test(label)).send);
  await page.locator("main[data-status=denied] a[href*='callback.html?error']").click();
  await page.waitForURL(address);
  await page.getByText("登录被拒绝").waitFor();
  await page.reload();
  await page.getByText("用微信登录，确认你是订阅者。").waitFor();
}));

test("the other pages", scene({}, async (page) => {
  for (const name of ["", "callback.html"]) {
    await page.goto(new URL(name, site.url).href);
    await isForEverybody(page);
  }
  for (const [name, status] of [["../package.json", 404], ["%2e%2e/package.json", 404], ["style.css", 200]]) {
    assert.equal((await fetch(new URL(name, site.url))).status, status, name);
  }
}));
