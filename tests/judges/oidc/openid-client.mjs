// openid-client: https://github.com/panva/openid-client
import assert from "node:assert/strict";
import * as openid from "openid-client";

/** A whole login, its token checked against the published keys; resolves with the claims, the ID token, a logout's address. */
export async function logIn({ issuer, client, visit }) {
  const metadata = { id_token_signed_response_alg: client.alg };
  const authentication = client.secret ? openid.ClientSecretBasic(client.secret) : openid.None();
  const execute = [openid.allowInsecureRequests, openid.enableNonRepudiationChecks];
  const config = await openid.discovery(new URL(issuer), client.id, metadata, authentication, { execute });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const link = openid.buildAuthorizationUrl(config, {
    redirect_uri: client.redirectUri,
    scope: "openid profile",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  });
  const callback = new URL(await visit(link.href));
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await openid.authorizationCodeGrant(config, callback, checks);
  const claims = tokens.claims();
  const info = await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.sub, claims.sub);
  const again = openid.authorizationCodeGrant(config, callback, checks);
  await assert.rejects(again, ({ error }) => error === "invalid_grant", "a code counts once");
  const revoked = openid.fetchUserInfo(config, tokens.access_token, claims.sub);
  await assert.rejects(revoked, ({ cause }) => /invalid_token/.test(JSON.stringify(cause)), "the second try took back what the first gave");
  const logout = openid.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: client.logoutUri,
    state: "left",
  });
  return { claims, idToken: tokens.id_token, logout: logout.href };
}

/** A website that asks whether somebody is logged in, without a page, learns that nobody is. */
export async function askSilently({ issuer, client, visit }) {
  const config = await openid.discovery(new URL(issuer), client.id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const link = openid.buildAuthorizationUrl(config, {
    redirect_uri: client.redirectUri,
    scope: "openid",
    prompt: "none",
    state: "s",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const callback = new URL(await visit(link.href));
  const tokens = openid.authorizationCodeGrant(config, callback, { expectedState: "s", pkceCodeVerifier });
  await assert.rejects(tokens, (failure) => assert.equal(failure.error, "login_required") ?? true);
}
