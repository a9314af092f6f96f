// How the page looks and whom it shuts out: nobody, in both themes and both languages.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { atRest, openStage } from "./stage.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let stage;
before(async () => (stage = await openStage()));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

/** What an examiner of accessibility calls serious or critical. */
async function findings(page) {
  await atRest(page); // what is still fading in has no contrast yet
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
}

/** How light what lies behind the page is: from 0 (black) to 255. */
const backdrop = (page) => page.evaluate(() => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
});

/** Something of everything: a chat with a failure, and a request with its details. */
async function furnish(phone, page, lang) {
  const line = await phone.say("你好");
  await phone.sees("account", "你好");
  await phone.rings(line);
  await line.locator("[data-state]").first().click();
  await page.getByRole("tab", { name: lang === "zh" ? "明文" : "Plain", exact: true }).waitFor();
}

for (const lang of ["zh", "en"]) {
  for (const theme of ["light", "dark"]) {
    describe(`${lang}, ${theme}`, () => {
      test("no serious finding of axe", scene({ as: `axe-${lang}-${theme}`, lang, theme, script: axe }, async (phone, page) => {
        await furnish(phone, page, lang);
        assert.deepEqual(await findings(page), []);
        await page.getByRole("group", { name: lang === "zh" ? "触发事件" : "Make something happen" })
          .getByRole("button", { name: lang === "zh" ? "扫一扫" : "Scan" }).click();
        await page.getByRole("dialog").waitFor();
        assert.deepEqual(await findings(page), [], "with a sheet over the chat");
      }));
    });
  }
}

test("dark is dark, light is light, and the page follows a change at once", scene({ as: "lights" }, async (_, page) => {
  assert.ok((await backdrop(page)) > 200);
  await page.getByRole("combobox", { name: "外观" }).selectOption({ label: "深色" });
  assert.ok((await backdrop(page)) < 60);
  await page.getByRole("combobox", { name: "外观" }).selectOption({ label: "跟随系统" });
  await page.emulateMedia({ colorScheme: "dark" });
  assert.ok((await backdrop(page)) < 60);
  await page.emulateMedia({ colorScheme: "light" });
  assert.ok((await backdrop(page)) > 200);
}));

test("English says everything in English, and is remembered", scene({ as: "Ming" }, async (_, page) => {
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("textbox", { name: "Message", exact: true }).waitFor();
  const own = page.locator(".top, .column.left, .column.timeline");
  const text = (await own.allInnerTexts()).join("\n");
  const chinese = text.split("\n").filter((line) => /\p{Script=Han}/u.test(line));
  assert.deepEqual(chinese, ["中文"], "but for the way back");
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await page.goto(new URL("/", page.url()).href);
  await page.getByRole("textbox", { name: "Message", exact: true }).waitFor();
}));

test("the keyboard alone is enough", scene({ as: "keys" }, async (phone, page) => {
  await page.locator("body").press("Tab");
  await tabTo(page, phone.input);
  await page.keyboard.type("键盘");
  await page.keyboard.press("Enter");
  await phone.sees("account", "键盘");
  const ring = phone.lines("person").last().locator("[data-state]").first();
  await tabTo(page, ring, "Shift+Tab");
  await page.keyboard.press("Enter");
  const plain = page.getByRole("tab", { name: "明文" });
  await tabTo(page, plain);
  await page.keyboard.press("ArrowRight");
  await page.getByRole("tab", { name: "密文", selected: true }).waitFor();
}));

/** Presses Tab until the focus is there, and can be seen. */
async function tabTo(page, target, key = "Tab") {
  for (let presses = 0; presses < 120; presses++) {
    if (await target.evaluate((element) => element === document.activeElement).catch(() => false)) {
      const outline = await target.evaluate((element) => getComputedStyle(element).outlineStyle + getComputedStyle(element).boxShadow);
      return assert.notEqual(outline, "nonenone", "the focus cannot be seen");
    }
    await page.keyboard.press(key);
  }
  assert.fail("the keyboard does not lead there");
}

test("a narrow window shows one column at a time, and nothing sticks out", scene({ as: "narrow", viewport: { width: 390, height: 844 } }, async (phone, page) => {
  await phone.say("窄屏");
  await phone.sees("account", "窄屏");
  for (const name of ["设置", "时间线", "手机"]) {
    await phone.show(name);
    const [wide, inside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= inside, `${name}: ${wide} of ${inside} px`);
  }
}));
