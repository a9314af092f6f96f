// The page of wx-sim in a real Chromium, with the real Worker in workerd behind it.
import assert from "node:assert/strict";
import fs from "node:fs";
import { chromium } from "playwright-core";
import { findChromium } from "../../tools/chromium.mjs";
import { at } from "../../tools/paths.mjs";
import { startPair } from "../../tools/stack.mjs";
import { until } from "../e2e/people.mjs";
import { Phone } from "./phone.mjs";

/** Where pictures of pages go on which a test failed. */
const FAILED = at(".tools/failed-pages");

/** Chromium as root and in small containers, and without calls of its own to the outside. */
const FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"];

/** Starts the Worker, wx-sim and a browser; options as for `startPair`. */
export async function openStage(options = {}) {
  const pair = await startPair(options);
  try {
    const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
    return new Stage(pair, browser);
  } catch (error) {
    await pair.close();
    throw error;
  }
}

class Stage {
  #pair;
  #browser;
  #token;

  constructor(pair, browser) {
    this.#pair = pair;
    this.#browser = browser;
    this.sim = pair.sim;
    this.vars = pair.vars;
    this.stack = pair.stack;
  }

  /**
   * A test on a page of its own. It fails on whatever the browser complains of, and then leaves a picture of the page.
   *
   * - `as`: whose phone is shown
   * - `lang`, `theme`: of the page
   * - `viewport`, `scale`: of the window
   * - `script`: what every page runs first
   */
  scene(options, play) {
    return async (t) => {
      const { page, complaints } = await this.#open(options);
      try {
        await play(new Phone(page, options.lang ?? "zh"), page, t);
        assert.deepEqual(complaints, [], "the browser complains");
      } catch (error) {
        await picture(page, t.name);
        if (complaints.length > 0) error.message += `\nthe browser complained:\n${complaints.join("\n")}`;
        throw error;
      } finally {
        await page.context().close();
      }
    };
  }

  async #open({ as, lang = "zh", theme = "light", viewport = { width: 1440, height: 860 }, scale = 1, script }) {
    const locale = lang === "zh" ? "zh-CN" : "en-GB";
    const context = await this.#browser.newContext({ viewport, locale, deviceScaleFactor: scale });
    context.setDefaultTimeout(15_000);
    if (script) await context.addInitScript(script);
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (line) => ["error", "warning"].includes(line.type()) && complaints.push(line.text()));
    page.on("pageerror", (error) => complaints.push(error.stack));
    page.on("requestfailed", (request) => interesting(request) && complaints.push(`${request.url()} ${request.failure()?.errorText}`));
    if (as) await this.sim.post("/_sim/people", { name: as });
    await page.goto(new URL(`/?${new URLSearchParams({ lang, theme })}`, this.sim.url).href);
    await page.locator("[data-testid=connection][data-state=open]").waitFor();
    if (as) await new Phone(page, lang).pick(as);
    return { page, complaints };
  }

  /** The account's server has an access token: one for all calls. */
  token() {
    const { APP_ID: appid, APP_SECRET: secret } = this.vars;
    const query = new URLSearchParams({ grant_type: "client_credential", appid, secret });
    const asked = () => fetch(new URL(`/cgi-bin/token?${query}`, this.sim.url)).then((answer) => answer.json());
    return (this.#token ??= asked().then(({ access_token }) => access_token));
  }

  /** Calls the simulated platform as the account's server; resolves with its JSON, which says that it worked. */
  async platform(api, body) {
    const address = new URL(`/cgi-bin/${api}?access_token=${await this.token()}`, this.sim.url);
    const answer = await (await fetch(address, { method: "POST", body: JSON.stringify(body) })).json();
    assert.ok(!answer.errcode, `${api}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Waits until the model has answered the question that contains `words`. */
  async answered(words) {
    const done = ({ question, outcome }) => question.includes(words) && outcome === "answered";
    await until(async () => (await this.sim.get("/_sim/model")).calls.some(done), `the answer to ${words}`);
  }

  async close() {
    await this.#browser.close();
    await this.#pair.close();
  }
}

/** The stream of updates ends with the page, and is no failure then. */
const interesting = (request) => !request.url().endsWith("/_sim/watch");

/** Waits until nothing moves any more, but for what moves for ever. */
export const atRest = (page) =>
  page.evaluate(() => {
    const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
    return Promise.allSettled(ending.map(({ finished }) => finished));
  });

async function picture(page, name) {
  fs.mkdirSync(FAILED, { recursive: true });
  const file = `${FAILED}/${name.replace(/[^\p{L}\p{N}]+/gu, "-")}.png`;
  await page.screenshot({ path: file }).then(() => console.error(`the page as it was: ${file}`), () => {});
}
