// The login page as people see and use it: in every state, theme and language, by keyboard, without a script, without a
// network. The Worker is real, and so is its page; the phone is wx-sim's. The whole loop in wx-sim's own page is in
// login.test.mjs, the website's side in login-widget.test.mjs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { IPHONE, atRest, axe, decode, openLogin } from "./login-stage.mjs";

let stage;
before(async () => (stage = await openLogin()));
after(() => stage?.close());
const scene = (options, play) => (t) => stage.scene(options, play)(t);

const reached = (page, status) => page.locator(`main[data-status=${status}]`).waitFor();
const box = (page) => page.locator(".stage").boundingBox();
/** The address of the page itself. */
const OWN = /\/oauth\/s\/[0-9a-f]{32}\?/;
/** Chromium's word for an answer that says no, which a refusal is meant to be. */
const REFUSED = /status of 4\d\d/;

/** What an examiner of accessibility finds against WCAG 2.2, A and AA, in both themes; and what sticks out of 320 px. */
async function check(page, what) {
  await atRest(page);
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`)}`);
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width: 320, height });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, `${what} sticks out of 320 px`);
  await page.setViewportSize({ width, height });
}

for (const lang of ["zh", "en"]) {
  const look = { locale: lang === "zh" ? "zh-CN" : "en-GB", reducedMotion: "reduce" };
  const begin = (page, parameters) => stage.begin(page, { lang, ...parameters });

  describe(`${lang}, light and dark: nobody is shut out`, () => {
    test("waiting, by each way", scene(look, async (page) => {
      await begin(page);
      for (const method of ["qr", "scene", "menu", "code", "typed", "open"]) {
        await page.goto(page.url().replace(/&method=\w+|$/, `&method=${method}`));
        if (method === "open") await page.locator(".others summary").click();
        await check(page, method);
      }
    }));

    test("on a phone", scene({ ...look, userAgent: IPHONE, viewport: { width: 375, height: 667 } }, async (page) => {
      await begin(page);
      await page.locator(".save summary").click();
      await check(page, "the code and the account's picture");
    }));

    test("scanned, with the phone's question; confirmed, with its end; the box stays where it is", scene(look, async (page) => {
      await begin(page, { method: "qr" });
      const place = await box(page);
      const number = await page.locator(".number").innerText();
      const phone = await page.context().newPage();
      await stage.scanWith(phone, await decode(page));
      await reached(page, "scanned");
      await check(page, "scanned");
      assert.deepEqual(await box(page), place);
      await check(phone, "the question");
      // The result stays out of reach, so that the state can be looked at.
      await page.route("**/finish", () => {});
      await phone.getByRole("button", { name: number, exact: true }).click();
      await phone.locator(".disc.good").waitFor();
      await check(phone, "the phone's end");
      await reached(page, "confirmed");
      await check(page, "confirmed");
      assert.deepEqual(await box(page), place);
    }));

    test("denied, and the phone says so again", scene(look, async (page) => {
      await begin(page, { method: "qr" });
      const place = await box(page);
      const phone = await page.context().newPage();
      await stage.scanWith(phone, await decode(page));
      await phone.locator("[name=answer][value=no]").click();
      await phone.locator(".disc.bad").waitFor();
      await check(phone, "the phone's no");
      await reached(page, "denied");
      await check(page, "denied");
      assert.deepEqual(await box(page), place);
      assert.equal(await page.locator(".others").isVisible(), false, "there is no other way any more");
      const { pathname } = new URL(phone.url());
      await phone.goto(new URL(pathname, phone.url()).href);
      assert.equal(await phone.locator(".end h1").innerText(), lang === "zh" ? "已取消" : "Cancelled");
    }));

    test("strict: the number, a wrong one, the last one", scene(look, async (page) => {
      await begin(page, { client_id: "bank", method: "code" });
      const { phone, asked } = await stage.send(page);
      await phone.confirm(asked);
      await reached(page, "number");
      await check(page, "the number");
      await page.locator("#number").fill("00");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await check(page, "a wrong number");
    }));

    test("expired, and begun anew", scene(look, async (page) => {
      await begin(page, { method: "qr" });
      const place = await box(page);
      try {
        await stage.ahead(181_000);
        await page.reload();
        await reached(page, "expired");
        await check(page, "expired");
        assert.deepEqual(await box(page), place);
      } finally {
        await stage.ahead(0);
      }
      await page.locator(".state .button").click();
      await reached(page, "pending");
    }));

    test("refused: an unknown website, no cookies, another's page", scene({ ...look, allowed: REFUSED }, async (page) => {
      await page.goto(`${stage.origin}/oauth?${new URLSearchParams({ target: "https://evil.example", lang })}`);
      await check(page, "an unknown website");
      assert.match(await page.locator("main").innerText(), /https:\/\/evil\.example[^]*origin_not_allowed/);
      await begin(page, { method: "qr" });
      const address = page.url();
      await page.context().clearCookies();
      await page.goto(address);
      await check(page, "no cookies");
      assert.match(await page.locator("main").innerText(), /cookies_needed/);
      await begin(page, { method: "qr" });
      await page.goto(address);
      await check(page, "another's page");
      assert.match(await page.locator("main").innerText(), /not_yours/);
    }));

    test("on the phone: the number to type, another was first, too late, not in WeChat", scene({ ...look, allowed: REFUSED }, async (page) => {
      await begin(page, { method: "qr" });
      const code = await decode(page);
      const phone = await page.context().newPage();
      await phone.goto(code);
      await check(phone, "not in WeChat");
      // Where Cloudflare sees the phone is told by the request, as miniflare has it.
      await phone.setExtraHTTPHeaders({ "mf-cf-blob": JSON.stringify({ country: "US", city: "Austin" }) });
      await stage.scanWith(phone, code);
      await phone.locator("#number").waitFor();
      await check(phone, "the number to type");
      await stage.scanWith(phone, code);
      await phone.locator(".disc.dull").waitFor();
      await check(phone, "another was first");
      await stage.scanWith(phone, `${code.slice(0, -1)}${code.endsWith("0") ? 1 : 0}`);
      await phone.locator(".disc.dull").waitFor();
      await check(phone, "no such token");
    }));
  });
}

describe("the QR code, as a camera sees it", { concurrency: 3 }, () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const scale of [1, 2, 3]) {
      test(`${colorScheme}, ${scale} pixels to one`, scene({ colorScheme, deviceScaleFactor: scale }, async (page) => {
        await stage.begin(page, { method: "qr" });
        const login = await page.locator("main").getAttribute("data-login");
        assert.match(await decode(page), new RegExp(`^${stage.origin}/m/${login}[0-9a-f]{24}$`));
      }));
    }
    test(`${colorScheme}, of a website's own choice, at 200 %`, scene({ colorScheme, deviceScaleFactor: 2, viewport: { width: 320, height: 480 } }, async (page) => {
      const other = colorScheme === "light" ? "dark" : "light";
      await stage.begin(page, { method: "qr", theme: other });
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), other);
      assert.match(await decode(page), /\/m\/[0-9a-f]{56}$/);
    }));
  }

  test("the picture that a phone saves", scene({ userAgent: IPHONE, viewport: { width: 375, height: 667 } }, async (page) => {
    await stage.begin(page, { method: "qr" });
    assert.match(await decode(page, { target: "img.qr" }), /\/m\/[0-9a-f]{56}$/);
  }));
});

describe("hands and ears", { concurrency: 3 }, () => {
  test("the keyboard is enough, and every focus can be seen", scene({}, async (page) => {
    await stage.begin(page, { method: "qr" });
    const stops = [];
    for (let presses = 0; presses < 5; presses += 1) {
      await page.keyboard.press("Tab");
      stops.push(await page.evaluate(() => {
        const { textContent } = document.activeElement;
        return getComputedStyle(document.activeElement).outlineStyle === "none" ? "cannot be seen" : textContent.trim();
      }));
    }
    assert.deepEqual(stops, ["English", "扫码登录", "口令登录", "刷新", "其他登录方式"]);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.closest(".others") !== null), true);
    await page.getByRole("link", { name: "口令登录" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#words").waitFor();
  }));

  test("a change is said once, and what is typed into keeps the focus", scene({}, async (page) => {
    await stage.begin(page, { client_id: "bank", method: "code" });
    await page.evaluate(() => {
      globalThis.said = [];
      new MutationObserver(() => said.push(document.querySelector("#say").textContent)).observe(document.querySelector("#say"), { childList: true });
    });
    const { phone, asked } = await stage.send(page);
    await reached(page, "scanned");
    await phone.confirm(asked);
    await reached(page, "number");
    const said = await page.evaluate(() => globalThis.said);
    assert.equal(said.length, 2, said.join(" | "));
    assert.match(said[0], /已收到/);
    assert.match(said[1], /输入数字/);
    await page.locator("#number").focus();
    assert.equal(await page.evaluate(() => document.activeElement.id), "number");
  }));

  test("a focus on what goes away stays in the page's middle", scene({}, async (page) => {
    await stage.begin(page, { method: "qr" });
    await page.getByRole("link", { name: "刷新" }).focus();
    await stage.scanWith(await page.context().newPage(), await decode(page));
    await reached(page, "scanned");
    assert.equal(await page.evaluate(() => document.activeElement.localName), "main");
  }));
});

describe("what may go wrong", { concurrency: 3 }, () => {
  test("no script: the page looks again by itself, and a button leads back", scene({ javaScriptEnabled: false }, async (page) => {
    await stage.begin(page, { method: "code" });
    const { phone, asked } = await stage.send(page);
    await phone.confirm(asked);
    await reached(page, "confirmed");
    await page.locator("form[action$='/finish'] button").click();
    await page.waitForURL(`${stage.site.callback}?*`);
    assert.match(new URL(page.url()).searchParams.get("code"), /^[0-9a-f]{64}$/);
  }));

  test("no WebSocket: the page asks, and the login is as ever", scene({ allowed: /WebSocket/ }, async (page) => {
    await page.addInitScript(() => (globalThis.WebSocket = class { constructor() { throw new Error("refused"); } }));
    await stage.begin(page, { method: "code" });
    const { phone, asked } = await stage.send(page);
    await phone.confirm(asked);
    await page.waitForURL(`${stage.site.callback}?*`);
  }));

  test("offline: it says so, and goes on when the network is back", scene({ allowed: /ERR_INTERNET_DISCONNECTED|WebSocket/ }, async (page) => {
    await page.routeWebSocket(/\/watch$/, (socket) => void socket.close());
    await stage.begin(page, { method: "code" });
    await page.context().setOffline(true);
    await page.locator("#offline", { hasText: "网络已断开" }).waitFor();
    const { phone, asked } = await stage.send(page);
    await phone.confirm(asked);
    await page.context().setOffline(false);
    await page.waitForURL(`${stage.site.callback}?*`);
  }));

  test("a page that nobody touches renews its QR code three times, a hidden one never", scene({}, async (page) => {
    await page.clock.install();
    await stage.begin(page, { method: "qr" });
    const shows = () => page.waitForResponse((answer) => OWN.test(answer.url()));
    for (let renewal = 0; renewal < 3; renewal += 1) {
      const [shown] = await Promise.all([shows(), page.clock.runFor(56_000)]);
      await shown.finished();
      await page.waitForFunction(() => /^2:[45]/.test(document.querySelector(".clock").textContent));
    }
    await page.clock.runFor(56_000);
    await page.getByText("二维码已失效").first().waitFor();
    await check(page, "stale");
    await page.locator(".state .button").click();
    await page.locator("html[data-js] svg.qr").waitFor();
    await page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => globalThis.away, configurable: true }));
    await page.evaluate(() => (globalThis.away = true));
    let asked = 0;
    page.on("request", (request) => (asked += OWN.test(request.url())));
    await page.clock.runFor(60_000);
    assert.equal(asked, 0);
    await page.evaluate(() => (globalThis.away = false));
    await Promise.all([shows(), page.clock.runFor(2_000)]);
  }));

  test("a reload in every state shows that state", scene({}, async (page) => {
    await stage.begin(page, { method: "qr" });
    await page.reload();
    await reached(page, "pending");
    const number = await page.locator(".number").innerText();
    const phone = await page.context().newPage();
    await stage.scanWith(phone, await decode(page));
    await reached(page, "scanned");
    await page.reload();
    await reached(page, "scanned");
    await page.route("**/finish", () => {});
    await phone.getByRole("button", { name: number, exact: true }).click();
    await reached(page, "confirmed");
    await page.unroute("**/finish");
    // The page leaves as soon as it is there; that may be sooner than this has its answer.
    await page.evaluate(() => location.reload()).catch(() => {});
    await page.getByRole("heading", { name: "the website" }).waitFor();
    assert.ok(page.url().startsWith(`${stage.site.callback}?code=`), page.url());
    // The page has left the history: back does not lead to a login that is over.
    await page.goBack();
    assert.ok(!page.url().includes("/oauth/s/"), page.url());
  }));

  test("two tabs of one browser are two logins", scene({}, async (page) => {
    const other = await page.context().newPage();
    await stage.begin(page, { method: "code" });
    await stage.begin(other, { method: "code" });
    const { phone, asked } = await stage.send(other);
    await phone.confirm(asked);
    await other.waitForURL(`${stage.site.callback}?*`);
    await reached(page, "pending");
    const first = await stage.send(page);
    await first.phone.confirm(first.asked);
    await page.waitForURL(`${stage.site.callback}?*`);
  }));
});

test("whoever begins too often is told to wait", async (t) => {
  const strict = await openLogin({ vars: { LOGIN_RATE_LIMIT: "1" } });
  try {
    await strict.scene({ allowed: REFUSED }, async (page) => {
      await strict.begin(page);
      await page.goto(strict.address());
      assert.match(await page.locator("main").innerText(), /too_many_attempts/);
      await check(page, "too many");
    })(t);
  } finally {
    await strict.close();
  }
});
