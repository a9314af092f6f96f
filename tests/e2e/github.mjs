// A stand-in for github.com, which tests cannot reach: the pages and APIs of a login with an OAuth app, as GitHub's
// documentation describes them. Everything is below one address, as with GitHub Enterprise Server, so GITHUB_BASE_URL
// can name it.
//
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors
// https://docs.github.com/en/rest/users/users#get-the-authenticated-user
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

/** Milliseconds that a code can be exchanged. */
const CODE_MS = 600_000;

/** Who is signed in to GitHub, unless a test says otherwise. */
const OCTOCAT = { id: 583231, login: "octocat", name: "The Octocat" };

/**
 * Starts it.
 *
 * - `callback`: the "Authorization callback URL" of the app
 * - `user`: who is signed in, `{ id, login, name }`
 * - `clientId`, `secret`: of the app; random ones by default
 */
export async function startGithub({ callback, user = OCTOCAT, clientId = hex(10), secret = hex(20) }) {
  const github = new Github({ callback, user, clientId, secret });
  await github.listen();
  return github;
}

class Github {
  #app;
  #server = http.createServer((request, response) => void this.#serve(request, response));
  #codes = new Map();
  #tokens = new Map();

  /** Every request: `{ method, path, headers, form }`. */
  requests = [];
  /** Answers the next calls of a path with this status and a page instead: `{ [path]: status }`. */
  faults = {};

  constructor(app) {
    this.#app = app;
    this.vars = { GITHUB_CLIENT_ID: app.clientId, GITHUB_CLIENT_SECRET: app.secret };
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    this.vars.GITHUB_BASE_URL = this.url;
  }

  async close() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Somebody else signs in. */
  signIn(user) {
    this.#app.user = user;
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.url);
    const body = await text(request);
    const form = request.headers["content-type"]?.startsWith("application/json") ? json(body) : params(body);
    this.requests.push({ method: request.method, path: url.pathname, headers: request.headers, form });
    const route = `${request.method} ${url.pathname}`;
    const fault = this.faults[url.pathname];
    if (fault) return send(response, fault, { "content-type": "text/html" }, "<h1>Unicorn!</h1>");
    if (route === "GET /login/oauth/authorize") return this.#ask(url.searchParams, response);
    if (route === "POST /login/oauth/authorize") return this.#answer(url.searchParams, form, response);
    if (route === "POST /login/oauth/access_token") return this.#exchange({ ...params(url.search), ...form }, request, response);
    if (route === "GET /api/v3/user") return this.#user(request, response);
    send(response, 404, { "content-type": "application/json" }, JSON.stringify(problem("Not Found", 404)));
  }

  /** The page that asks. An unknown app is told to the person only. */
  #ask(query, response) {
    if (query.get("client_id") !== this.#app.clientId) return send(response, 404, HTML, "<h1>404</h1>");
    if (!this.#registered(query.get("redirect_uri"))) {
      const error = "redirect_uri_mismatch";
      const why = "The redirect_uri MUST match the registered callback URL for this application.";
      return this.#back(query, response, { error, error_description: why, error_uri: `${TROUBLE_AUTHORIZE}#redirect-uri-mismatch` });
    }
    send(response, 200, HTML, `<!doctype html><title>Authorize application</title><h1>Authorize this app</h1>
      <p>Signed in as ${this.#app.user.login}</p>
      <form method="post"><button name="authorize" value="1">Authorize</button><button name="authorize" value="0">Cancel</button></form>`);
  }

  #answer(query, form, response) {
    if (form.authorize !== "1") {
      const why = "The user has denied your application access.";
      return this.#back(query, response, { error: "access_denied", error_description: why, error_uri: `${TROUBLE_AUTHORIZE}#access-denied` });
    }
    const code = hex(10);
    this.#codes.set(code, {
      user: this.#app.user,
      redirectUri: query.get("redirect_uri"),
      challenge: query.get("code_challenge_method") === "S256" ? query.get("code_challenge") : null,
      scope: query.get("scope") ?? "",
      ends: Date.now() + CODE_MS,
    });
    this.#back(query, response, { code });
  }

  /** To the address that was asked for if it is the app's, otherwise to the app's own. */
  #back(query, response, answer) {
    const asked = query.get("redirect_uri");
    const target = new URL(asked && this.#registered(asked) ? asked : this.#app.callback);
    const state = query.get("state");
    for (const [name, value] of Object.entries({ ...answer, ...(state !== null && { state }) })) target.searchParams.append(name, value);
    send(response, 302, { location: target.href }, "");
  }

  /** The same host and port, and a path below: on the loopback addresses any port will do. */
  #registered(address) {
    if (address === null) return true;
    if (!URL.canParse(address)) return false;
    const [asked, own] = [new URL(address), new URL(this.#app.callback)];
    const loopback = ["127.0.0.1", "[::1]"].includes(own.hostname);
    const host = asked.protocol === own.protocol && asked.hostname === own.hostname && (loopback || asked.port === own.port);
    const folder = own.pathname.replace(/\/?$/, "/");
    return host && (asked.pathname === own.pathname || asked.pathname.startsWith(folder));
  }

  /** Errors have the status 200, and answers the form that `Accept` names. */
  #exchange(asked, request, response) {
    const answer = this.#token(asked);
    const wantsJson = request.headers.accept?.includes("application/json");
    if (wantsJson) return send(response, 200, { "content-type": "application/json; charset=utf-8" }, JSON.stringify(answer));
    send(response, 200, { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }, String(new URLSearchParams(answer)));
  }

  #token({ client_id, client_secret, code, redirect_uri, code_verifier }) {
    const { clientId, secret } = this.#app;
    if (client_id !== clientId || client_secret !== secret) {
      return refusal("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.");
    }
    const known = this.#codes.get(code);
    if (redirect_uri !== undefined && known && redirect_uri !== known.redirectUri) {
      return refusal("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.");
    }
    const proven = !known?.challenge || known.challenge === sha256(code_verifier ?? "");
    if (!known || Date.now() >= known.ends || !proven) {
      return refusal("bad_verification_code", "The code passed is incorrect or expired.");
    }
    this.#codes.delete(code);
    const token = `gho_${hex(18)}`;
    this.#tokens.set(token, known.user);
    return { access_token: token, token_type: "bearer", scope: known.scope };
  }

  #user(request, response) {
    const answer = (status, body) => send(response, status, { "content-type": "application/json; charset=utf-8" }, JSON.stringify(body));
    if (!request.headers["user-agent"]) {
      const why = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
      return send(response, 403, { "content-type": "text/html" }, why);
    }
    const [, token] = /^(?:bearer|token) (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (!token) return answer(401, problem("Requires authentication", 401));
    const user = this.#tokens.get(token);
    if (!user) return answer(401, problem("Bad credentials", 401));
    answer(200, {
      login: user.login,
      id: user.id,
      node_id: Buffer.from(`04:User${user.id}`).toString("base64"),
      avatar_url: `${this.url}/avatars/u/${user.id}?v=4`,
      gravatar_id: "",
      url: `${this.url}/api/v3/users/${user.login}`,
      html_url: `${this.url}/${user.login}`,
      type: "User",
      site_admin: false,
      name: user.name ?? null,
      company: null,
      email: null,
      public_repos: 2,
      created_at: "2011-01-25T18:44:36Z",
      updated_at: "2026-11-01T00:00:00Z",
    });
  }
}

const HTML = { "content-type": "text/html; charset=utf-8" };
const TROUBLE_AUTHORIZE = "/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/";
const TROUBLE_TOKEN = "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";

const refusal = (error, why) => ({ error, error_description: why, error_uri: `${TROUBLE_TOKEN}#${error.replaceAll("_", "-")}` });
const problem = (message, status) => ({ message, documentation_url: "https://docs.github.com/rest", status: String(status) });
const hex = (bytes) => randomBytes(bytes).toString("hex");
const sha256 = (value) => createHash("sha256").update(value).digest("base64url");
const params = (query) => Object.fromEntries(new URLSearchParams(query));

function json(body) {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

async function text(request) {
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += piece;
  return body;
}

const send = (response, status, headers, body) => response.writeHead(status, headers).end(body);
