// oidc-client-ts, a library for pages without a server: https://github.com/authts/oidc-client-ts. It runs in a real
// browser, since the browser's rules (CORS, cookies, form-action) are what such a page depends on.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import { at } from "../../../tools/paths.mjs";

const LIBRARY = at("tests/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");

/** The library checks it, and then leaves it out of what it tells of the person. */
const NONCE = "n-1";

const page = ({ issuer, client, origin }) => `<!doctype html><title>A website</title><button>Log in</button><script src="/library.js"></script>
<script>
  const manager = new oidc.UserManager({
    authority: ${JSON.stringify(issuer)}, client_id: ${JSON.stringify(client.id)}, redirect_uri: "${origin}/callback",
    post_logout_redirect_uri: "${origin}/bye", scope: "openid profile", loadUserInfo: true, monitorSession: false,
  });
  document.querySelector("button").onclick = () => manager.signinRedirect({ nonce: "${NONCE}", url_state: "kept" });
  window.user = location.pathname === "/callback" ? manager.signinRedirectCallback() : undefined;
</script>`;

/** The website's server, which only has the page. */
export async function startSite() {
  const server = http.createServer((request, response) => {
    if (request.url === "/library.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(fs.readFileSync(LIBRARY));
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(site));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const site = { origin: `http://localhost:${server.address().port}`, close: () => void server.closeAllConnections() || server.close() };
  return site;
}

/** A whole login in `tab`; `answer(tab)` does what the person does at the login page. */
export async function logIn({ issuer, client, site, tab, answer }) {
  Object.assign(site, { issuer, client });
  await tab.goto(site.origin);
  await tab.getByRole("button", { name: "Log in" }).click();
  await tab.waitForURL(`${issuer}/**`);
  await answer(tab);
  await tab.waitForURL(`${site.origin}/callback?*`);
  const user = await tab.evaluate(async () => ({ ...(await window.user) }));
  assert.equal(user.url_state, "kept");
  await tab.evaluate((hint) => void manager.signoutRedirect({ id_token_hint: hint }), user.id_token);
  await tab.waitForURL(`${site.origin}/bye*`);
  return { claims: user.profile, idToken: user.id_token, nonce: NONCE };
}
