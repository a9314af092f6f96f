// The OpenID provider is judged by clients that know nothing of it, each with a whole login: discovery, the code sent in
// the chat (by wx-sim, in secure mode), token, keys, userinfo. Their ID tokens are verified once more by jose, as a
// website's server would.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { chromium } from "playwright-core";
import { findChromium } from "../../tools/chromium.mjs";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";
import { digest, logInByCode, Phone, Visitor } from "../e2e/login.mjs";
import * as authCore from "./oidc/auth-core.mjs";
import * as oidcClientTs from "./oidc/oidc-client-ts.mjs";
import * as openidClient from "./oidc/openid-client.mjs";

const SECRET = "a client secret of more than thirty-two characters";
const SITE = "http://localhost:3000";

/** One website for each client and algorithm. */
const clients = Object.fromEntries(
  ["RS256", "ES256"].flatMap((alg) => [
    [`auth-core ${alg}`, { alg, secret: SECRET, redirectUri: `${SITE}/auth/callback/wechat` }],
    [`openid-client ${alg}`, { alg, secret: SECRET, redirectUri: `${SITE}/callback`, logoutUri: `${SITE}/bye` }],
    [`authlib ${alg}`, { alg, secret: SECRET, redirectUri: `${SITE}/callback` }],
    [`openid-client without a secret ${alg}`, { alg, redirectUri: `${SITE}/callback`, logoutUri: `${SITE}/bye` }],
    [`oidc-client-ts ${alg}`, { alg, inBrowser: true }],
  ]),
);
for (const [name, client] of Object.entries(clients)) client.id = name.toLowerCase().replaceAll(" ", "-");

let world;

before(async () => {
  const site = await oidcClientTs.startSite();
  const pair = await startPair({ vars: { LANG: "en", LOGIN_CLIENTS: Object.values(clients).map((client) => registered(client, site)) } });
  const browser = await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
  world = { pair, site, browser, issuer: pair.stack.url.origin };
});

after(async () => {
  world?.site.close();
  await Promise.all([world?.browser.close(), world?.pair.close()]);
});

/** As LOGIN_CLIENTS has it. */
function registered({ id, alg, secret, redirectUri, logoutUri, inBrowser }, site) {
  const own = inBrowser ? { origins: [site.origin], redirectUri: `${site.origin}/callback`, logoutUri: `${site.origin}/bye` } : { redirectUri, logoutUri };
  return {
    id,
    name: id.slice(0, 40),
    id_token_alg: alg,
    method: "code",
    redirect_uris: [own.redirectUri],
    ...(own.origins && { origins: own.origins }),
    ...(own.logoutUri && { post_logout_redirect_uris: [own.logoutUri] }),
    ...(secret && { secret_sha256: digest(secret) }),
  };
}

/** Somebody whom no other test knows goes to the login page and sends the code; resolves with where they end. */
const visit = (name) => (address) => logInByCode(world.pair, address, name);

/** What every website gets. */
async function check({ claims, idToken, nonce }, client) {
  const keys = createRemoteJWKSet(new URL(`${world.issuer}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(idToken, keys, { issuer: world.issuer, audience: client.id, algorithms: [client.alg] });
  assert.equal(decodeProtectedHeader(idToken).alg, client.alg);
  assert.equal(payload.sub, claims.sub);
  assert.match(payload.sub, /^[\w-]{27}$/, "an id that no other website has");
  if (nonce) assert.equal(payload.nonce, nonce);
  assert.equal(payload.exp - payload.iat, 1800);
}

for (const alg of ["RS256", "ES256"]) {
  describe(alg, { concurrency: 2 }, () => {
    for (const [name, judge] of [["openid-client", openidClient], ["openid-client without a secret", openidClient], ["auth-core", authCore]]) {
      test(name, async () => {
        const client = clients[`${name} ${alg}`];
        const result = await judge.logIn({ issuer: world.issuer, client, visit: visit(client.id) });
        await check(result, client);
        if (!result.logout) return;
        const left = await new Visitor().open(result.logout);
        assert.equal(left.location, `${client.logoutUri}?state=left`);
      });
    }

    test("authlib", async () => {
      const client = clients[`authlib ${alg}`];
      await check(await authlib(client), client);
    });

    test("oidc-client-ts, in Chromium", async () => {
      const client = clients[`oidc-client-ts ${alg}`];
      const context = await world.browser.newContext({ locale: "en-GB" });
      const tab = await context.newPage();
      try {
        await check(await oidcClientTs.logIn({ ...world, client, tab, answer: sendTheCode(client.id) }), client);
      } finally {
        await context.close();
      }
    });
  });
}

test("a website that asks for no page learns that one is needed", async () => {
  const client = clients["openid-client without a secret RS256"];
  const silent = async (address) => (await new Visitor().open(address)).location;
  await openidClient.askSilently({ issuer: world.issuer, client, visit: silent });
});

/** In front of the login page in a browser: the code is read off and sent by phone. */
function sendTheCode(name) {
  return async (tab) => {
    await tab.locator("#words").waitFor();
    const phone = new Phone(world.pair.sim, name);
    await phone.confirm(await phone.say(await tab.locator("#words").textContent()));
  };
}

async function authlib(client) {
  const env = { ...process.env, ISSUER: world.issuer, CLIENT_ID: client.id, CLIENT_SECRET: client.secret, REDIRECT_URI: client.redirectUri };
  const program = fileURLToPath(new URL("oidc/authlib_client.py", import.meta.url));
  const child = spawn(python, [program], { env, stdio: ["pipe", "pipe", "pipe"], timeout: 60_000 });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value } = await lines.next();
    if (value === undefined) await once(child, "close");
    assert.ok(value, errors);
    return value;
  };
  child.stdin.end(`${await visit(client.id)(await line())}\n`);
  return JSON.parse(await line());
}
