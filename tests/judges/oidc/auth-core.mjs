// Auth.js, without a framework: https://github.com/nextauthjs/next-auth/tree/main/packages/core
import assert from "node:assert/strict";
import { Auth } from "@auth/core";

/** A whole login, as the website's server sees it: from its own page to its own session. */
export async function logIn({ issuer, client, visit }) {
  const site = new Site(new URL(client.redirectUri).origin, {
    basePath: "/auth",
    secret: "a secret of the website's own, for its cookies",
    trustHost: true,
    logger: { error: (error) => site.errors.push(error), warn() {}, debug() {} },
    callbacks: {
      jwt: ({ token, account, profile }) => (account ? { ...token, idToken: account.id_token, claims: profile } : token),
      session: ({ session, token }) => ({ ...session, idToken: token.idToken, claims: token.claims }),
    },
    providers: [{
      id: "wechat",
      name: "WeChat",
      type: "oidc",
      issuer,
      clientId: client.id,
      clientSecret: client.secret,
      checks: ["pkce", "state", "nonce"],
      authorization: { params: { scope: "openid profile" } },
      client: { id_token_signed_response_alg: client.alg },
    }],
  });
  const { csrfToken } = await (await site.get("/auth/csrf")).json();
  const begun = await site.post("/auth/signin/wechat", { csrfToken, callbackUrl: `${site.origin}/home` });
  const callback = new URL(await visit(begun.headers.get("location")));
  assert.equal(callback.pathname, "/auth/callback/wechat");
  const done = await site.get(callback.pathname + callback.search);
  assert.equal(done.headers.get("location"), `${site.origin}/home`, site.errors.map(({ cause, stack }) => `${stack} ${cause?.err}`).join("\n"));
  const session = await (await site.get("/auth/session")).json();
  return { claims: session.claims, idToken: session.idToken };
}

/** The website, with one browser's cookies. */
class Site {
  #cookies = new Map();
  errors = [];

  constructor(origin, config) {
    this.origin = origin;
    this.config = config;
  }

  get(path) {
    return this.#ask(path, {});
  }

  post(path, fields) {
    return this.#ask(path, { method: "POST", body: new URLSearchParams(fields) });
  }

  async #ask(path, init) {
    const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
    const request = new Request(this.origin + path, { ...init, headers: { cookie } });
    const answer = await Auth(request, this.config);
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.#cookies.set(name, value);
    }
    return answer;
  }
}
