// The whole loop with nothing but this machine: a website's login page in one window, the phone in wx-sim's page in
// another, and a person who looks at both.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pkce, redeem, startWebsite } from "../e2e/login.mjs";
import { openStage } from "./stage.mjs";

let stage, site;

before(async () => {
  site = await startWebsite();
  const clients = [{ id: "blog", name: "The Blog", redirect_uris: [site.callback] }];
  const vars = { LANG: "en", ACCOUNT_TYPE: "service_verified", LOGIN_CLIENTS: clients };
  stage = await openStage({ cf: { country: "CN", city: "Hangzhou" }, vars });
});

after(async () => {
  await stage?.close();
  site?.close();
});

/** The other window: the website's login page. */
async function computer(page, t, method) {
  const { verifier, challenge, state } = pkce();
  const query = new URLSearchParams({
    response_type: "code", client_id: "blog", redirect_uri: site.callback, scope: "openid", state,
    code_challenge: challenge, code_challenge_method: "S256", lang: "en", method,
  });
  const context = await page.context().browser().newContext({ locale: "en-GB", viewport: { width: 480, height: 720 } });
  t.after(() => context.close());
  const tab = await context.newPage();
  await tab.goto(new URL(`/authorize?${query}`, stage.stack.url).href);
  return { tab, verifier };
}

/** The website has somebody. */
async function loggedIn({ tab, verifier }) {
  await tab.waitForURL(`${site.callback}?*`);
  const code = new URL(tab.url()).searchParams.get("code");
  const tokens = await redeem(stage.stack, { client_id: "blog", code, redirect_uri: site.callback, code_verifier: verifier });
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
}

/** The phone holds its camera over what is on the other window: a picture of it is dropped on the dialog. */
async function scan(page, tab, what) {
  await page.getByRole("button", { name: "Scan", exact: true }).first().click();
  const picture = await tab.locator(what).screenshot();
  const dialog = page.getByRole("dialog", { name: "Scan" });
  await dialog.locator("input[type=file]").setInputFiles({ name: "code.png", mimeType: "image/png", buffer: picture });
}

describe("a person with a computer and a phone", () => {
  test("scans the QR code and picks the number", (t) =>
    stage.scene({ as: "lens", lang: "en" }, async (phone, page) => {
      const login = await computer(page, t, "qr");
      const number = await login.tab.locator(".number").textContent();
      await scan(page, login.tab, "svg.qr");
      const screen = page.frameLocator("[data-testid=browser]");
      await screen.getByText("The Blog").first().waitFor();
      await screen.getByRole("button", { name: number, exact: true }).click();
      await loggedIn(login);
    })(t));

  test("sends the code in the chat and confirms", (t) =>
    stage.scene({ as: "typist", lang: "en" }, async (phone, page) => {
      const login = await computer(page, t, "code");
      await phone.say(await login.tab.locator("#words").textContent());
      await phone.sees("account", "The Blog");
      await phone.tap("confirm");
      await loggedIn(login);
    })(t));

  test("scans the account's own QR code and picks the number in the chat", (t) =>
    stage.scene({ as: "newcomer", lang: "en" }, async (phone, page) => {
      const login = await computer(page, t, "scene");
      const number = await login.tab.locator(".number").textContent();
      await scan(page, login.tab, "svg.qr");
      await phone.sees("account", "The Blog");
      await phone.tap(`[ ${number} ]`);
      await loggedIn(login);
    })(t));

  test("scans the code of WeChat's page for websites", (t) =>
    stage.scene({ as: "visitor", lang: "en" }, async (phone, page) => {
      const login = await computer(page, t, "open");
      await login.tab.getByRole("link", { name: "Continue" }).click();
      await login.tab.locator("img.code").waitFor();
      await scan(page, login.tab, "img.code");
      const screen = page.frameLocator("[data-testid=browser]");
      await screen.getByRole("button", { name: "Log in", exact: true }).click();
      await login.tab.locator("form[action^='/oauth/confirm/'] button[value=yes]").click();
      await loggedIn(login);
    })(t));
});
