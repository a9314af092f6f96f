// The Worker with everything that a login can need, for the tests of logging in.
import { startPair } from "../../tools/stack.mjs";
import { startGithub } from "./github.mjs";
import { digest, startWebsite } from "./login.mjs";
import { freePort } from "../../tools/ports.mjs";

/** A client secret. */
const SECRET = "a client secret of more than thirty-two characters";

/** Starts it; `vars` over its own settings. */
export async function startLogin({ vars = {} } = {}) {
  const port = await freePort();
  const [site, legacy] = await Promise.all([startWebsite(), startWebsite()]);
  const github = await startGithub({ callback: `http://127.0.0.1:${port}/oauth/github` });
  const settings = {
    LANG: "en",
    ACCOUNT_TYPE: "service_verified",
    LOGIN_METHODS: "wechat,qr,scene,open,code,menu,typed,github",
    // All tests come from one address.
    LOGIN_RATE_LIMIT: "1000",
    LOGIN_CLIENTS: [
      { id: "blog", name: "The Blog", origins: [site.origin], redirect_uris: [site.callback] },
      { id: "strict", name: "The Bank", origins: [site.origin], strict: true },
      { id: "server", name: "The Server", redirect_uris: [site.callback], secret_sha256: digest(SECRET) },
      { id: "legacy", name: "The Old One", origins: [legacy.origin], subject_type: "public" },
    ],
    ...github.vars,
    ...vars,
  };
  const pair = await startPair({ port, cf: { country: "CN", city: "Hangzhou" }, vars: settings });
  await makeMenu(pair);
  const close = async () => {
    site.close();
    legacy.close();
    await Promise.all([pair.close(), github.close()]);
  };
  return { ...pair, settings: pair.vars, site, legacy, github, secret: SECRET, close };
}

/** The account's owner makes a menu with a button that scans and waits. */
async function makeMenu({ sim, vars }) {
  const query = new URLSearchParams({ grant_type: "client_credential", appid: vars.APP_ID, secret: vars.APP_SECRET });
  const { access_token: token } = await (await fetch(new URL(`/cgi-bin/token?${query}`, sim.url))).json();
  const button = [{ type: "scancode_waitmsg", name: "Scan to log in", key: "login" }];
  await fetch(new URL(`/cgi-bin/menu/create?access_token=${token}`, sim.url), { method: "POST", body: JSON.stringify({ button }) });
}
