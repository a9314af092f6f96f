// What docs/login.md shows a website's server is run as it stands there, against a token of the real Worker.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { at } from "../../tools/paths.mjs";
import { python } from "../../tools/python.mjs";
import { startPair } from "../../tools/stack.mjs";
import { captured } from "../../tools/steps.mjs";
import { logInByCode, pkce, redeem, startWebsite } from "../e2e/login.mjs";

/** The issuer of the page's examples. */
const EXAMPLE = "https://wx.example.com";
/** Beside the packages that the examples import. */
const FOLDER = fileURLToPath(new URL("../node_modules/.docs/", import.meta.url));

let pair, site, tokens;

before(async () => {
  site = await startWebsite();
  const client = (id) => ({ id, name: id, origins: [site.origin], redirect_uris: [site.callback], method: "code" });
  pair = await startPair({ vars: { LOGIN_CLIENTS: [client("blog"), client("shop")] } });
  tokens = { blog: await token("blog"), shop: await token("shop") };
  fs.mkdirSync(FOLDER, { recursive: true });
});

after(async () => {
  site?.close();
  fs.rmSync(FOLDER, { recursive: true, force: true });
  await pair?.close();
});

/** Somebody logs in to a website; resolves with their ID token and who they are there. */
async function token(client) {
  const { verifier, challenge, state } = pkce();
  const asked = { client_id: client, redirect_uri: site.callback, challenge, state, mode: "redirect" };
  const address = new URL(`/oauth?${new URLSearchParams(asked)}`, pair.stack.url);
  const end = new URL(await logInByCode(pair, address.href, "Reader"));
  const code = end.searchParams.get("code");
  const { id_token } = await redeem(pair.stack, { code, code_verifier: verifier, client_id: client, redirect_uri: site.callback });
  return { jwt: id_token, sub: JSON.parse(Buffer.from(id_token.split(".")[1], "base64url")).sub };
}

/** The example in this language, with the Worker's address in the place of the page's. */
function example(language) {
  const page = fs.readFileSync(at("docs/login.md"), "utf8");
  const verify = page.slice(page.indexOf("## Verify the token"));
  const [, code] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(verify);
  assert.ok(code.includes(EXAMPLE));
  return code.replaceAll(EXAMPLE, pair.stack.url.origin);
}

/** A signature that differs in one bit. */
function forged(jwt) {
  const [head, body, signature] = jwt.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[0] ^= 1;
  return [head, body, bytes.toString("base64url")].join(".");
}

/** The example takes the website's own token and no other. */
async function check(userOf) {
  assert.equal(await userOf(tokens.blog.jwt), tokens.blog.sub);
  await assert.rejects(userOf(tokens.shop.jwt), "another website's token");
  await assert.rejects(userOf(forged(tokens.blog.jwt)), "a forged token");
}

test("Node", async () => {
  const file = `${FOLDER}example.mjs`;
  fs.writeFileSync(file, example("js"));
  const { userOf } = await import(file);
  await check(userOf);
});

test("Python", async () => {
  const script = `${example("python")}\nimport sys\nprint(user_of(sys.argv[1]))\n`;
  await check(async (jwt) => {
    const { code, output } = await captured(python, ["-c", script, jwt]);
    assert.equal(code, 0, output);
    return output.trim();
  });
});
