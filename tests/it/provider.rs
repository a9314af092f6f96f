//! The OpenID provider as websites' servers see it: how codes become tokens, and who gets none.

use futures_util::future::join_all;
use serde_json::{Value, json as value};
use wxapi::login::request::{AuthRequest, ResultBy};
use wxapi::platform::Object;

use crate::issuer::{
    APP_CALLBACK, BLOG, SECRET, VERIFIER, app_asks, asks, basic, code, get, header, is_error, is_revoked,
    json, redeem, send, tokens, userinfo, verified, world, world_with,
};
use crate::world::{DAWN, ORIGIN, World, run};

/// A token request of `app`, with a header.
async fn redeem_as_app(
    world: &World,
    authorization: &str,
    others: &[(&str, &str)],
) -> wxapi::platform::Response {
    let code = code(world, app_asks()).await;
    let mut form = vec![("grant_type", "authorization_code"), ("code", &code)];
    form.extend([("code_verifier", VERIFIER), ("redirect_uri", APP_CALLBACK)]);
    form.extend(others);
    let headers = [("authorization", authorization)];
    send(world, "POST", "/token", if authorization.is_empty() { &[] } else { &headers }, &form).await
}

#[test]
fn a_code_becomes_tokens() {
    run(async {
        let world = world();
        world.pass(5_000).await;
        let code = code(&world, AuthRequest { profile: true, ..asks("blog") }).await;
        world.pass(7_000).await;
        let response = redeem(&world, "blog", &code, &[]).await;
        assert_eq!((response.status, header(&response, "cache-control")), (200, Some("no-store")));
        assert_eq!(header(&response, "pragma"), Some("no-cache"));
        let got = json(&response);
        assert_eq!((got["token_type"].as_str(), got["expires_in"].as_u64()), (Some("Bearer"), Some(1_800)));
        assert_eq!(got["scope"], "openid profile");
        let (head, claims) = verified(&world, got["id_token"].as_str().unwrap()).await;
        assert_eq!((head["alg"].as_str(), head["typ"].as_str()), (Some("RS256"), Some("JWT")));
        let iat = DAWN / 1_000 + 12;
        let access = got["access_token"].as_str().unwrap();
        // Of the vector in login_tokens.rs; `at_hash` as the specification has it.
        let half = &ring::digest::digest(&ring::digest::SHA256, access.as_bytes()).as_ref()[..16].to_vec();
        let expected = value!({
            "iss": ORIGIN, "sub": "yI3lDn6Ibx7S_I67rTFJf6LzYqE", "aud": "blog", "iat": iat, "exp": iat + 1_800,
            "auth_time": iat - 7, "nonce": "a-nonce", "amr": ["code"], "at_hash": wxapi::login::base64url(half),
        });
        assert_eq!(claims, expected);
        let (head, claims) = verified(&world, access).await;
        assert_eq!(head["typ"], "at+jwt");
        assert_eq!(claims["aud"], format!("{ORIGIN}/userinfo"));
        assert_eq!((claims["client_id"].as_str(), claims["sid"].as_str()), (Some("blog"), Some(&code[..32])));
        assert_eq!(
            (claims["exp"].as_u64(), claims["scope"].as_str()),
            (Some(iat + 1_800), Some("openid profile"))
        );
    });
}

#[test]
fn access_tokens_differ_and_a_missing_nonce_is_not_made_up() {
    run(async {
        let world = world();
        let request = AuthRequest { nonce: None, ..asks("blog") };
        let (one, other) = (tokens(&world, request.clone()).await, tokens(&world, request).await);
        assert_ne!(one["access_token"], other["access_token"]);
        let (_, claims) = verified(&world, one["id_token"].as_str().unwrap()).await;
        assert!(claims.get("nonce").is_none());
        assert_eq!(one["scope"], "openid");
    });
}

#[test]
fn a_client_proves_who_it_is() {
    run(async {
        let world = world();
        for authorization in [
            basic("app", SECRET),
            basic("app", SECRET).replace("Basic", "basic"),
            // as programs write it that forget to encode
            format!("Basic {}", base64_of(&format!("app:{SECRET}"))),
        ] {
            let response = redeem_as_app(&world, &authorization, &[]).await;
            assert_eq!(response.status, 200, "{authorization}: {}", response.body);
        }
        let with_id = redeem_as_app(&world, &basic("app", SECRET), &[("client_id", "app")]).await;
        assert_eq!(with_id.status, 200);
        let posted = redeem_as_app(&world, "", &[("client_id", "app"), ("client_secret", SECRET)]).await;
        assert_eq!(posted.status, 200);
        // a client without a secret, as some programs send it
        let code = code(&world, asks("blog")).await;
        let form =
            [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
        let authorization = basic("blog", "");
        let response = send(&world, "POST", "/token", &[("authorization", &authorization)], &form).await;
        assert_eq!(response.status, 200);
    });
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn a_client_that_proves_nothing_gets_nothing() {
    run(async {
        let world = world();
        for authorization in [
            basic("app", "wrong"),
            basic("app", ""),
            basic("nobody", SECRET),
            basic("blog", "no secret was given to it"),
            format!("Basic {}", base64_of("app")),
            "Basic !!!".to_owned(),
            "Basic".to_owned(),
            format!("Bearer {}", base64_of("app:x")),
        ] {
            let response = redeem_as_app(&world, &authorization, &[]).await;
            is_error(&response, 401, "invalid_client");
            assert!(header(&response, "www-authenticate").unwrap().starts_with("Basic "), "{authorization}");
        }
        for others in [
            &[("client_id", "app")][..],
            &[("client_id", "app"), ("client_secret", "wrong")],
            &[("client_id", "app"), ("client_secret", "")],
            &[("client_id", "blog"), ("client_secret", SECRET)],
            &[("client_id", "nobody")],
            &[],
        ] {
            let response = redeem_as_app(&world, "", others).await;
            is_error(&response, 401, "invalid_client");
            assert_eq!(header(&response, "www-authenticate"), None, "{others:?}");
        }
        for others in [&[("client_id", "app"), ("client_secret", SECRET)][..], &[("client_id", "blog")]] {
            is_error(&redeem_as_app(&world, &basic("app", SECRET), others).await, 400, "invalid_request");
        }
        let log = format!("{:?}", world.log());
        assert!(!log.contains(SECRET) && !log.contains("wrong\"") && log.contains("the secret is wrong"));
    });
}

#[test]
fn a_token_request_is_read_strictly() {
    run(async {
        let world = world();
        let code = code(&world, asks("blog")).await;
        for (others, error) in [
            (&[("grant_type", "")][..], "invalid_request"),
            (&[("grant_type", "refresh_token")], "unsupported_grant_type"),
            (&[("grant_type", "client_credentials")], "unsupported_grant_type"),
            (&[("grant_type", "password")], "unsupported_grant_type"),
            (&[("code", "")], "invalid_request"),
            (&[("code", code.as_str()), ("code", code.as_str())], "invalid_request"),
            (&[("code_verifier", VERIFIER), ("code_verifier", VERIFIER)], "invalid_request"),
            (&[("client_id", "blog"), ("client_id", "blog")], "invalid_request"),
        ] {
            is_error(&redeem(&world, "blog", &code, others).await, 400, error);
        }
        for code in
            ["x", &code[..63], &code.to_uppercase(), &format!("{code}0"), &"é".repeat(32), &"0".repeat(64)]
        {
            is_error(&redeem(&world, "blog", code, &[]).await, 400, "invalid_grant");
        }
        let query = format!(
            "/token?grant_type=authorization_code&code={code}&client_id=blog&code_verifier={VERIFIER}"
        );
        is_error(&send(&world, "POST", &query, &[], &[]).await, 401, "invalid_client");
        let body =
            format!("grant_type=authorization_code&code={code}&client_id=blog&code_verifier={VERIFIER}");
        is_error(&world.request("POST", "/token", "", &body).await, 400, "invalid_request");
        assert_eq!(get(&world, "/token").await.status, 405);
        assert_eq!(redeem(&world, "blog", &code, &[]).await.status, 200, "none of this has used the code up");
    });
}

#[test]
fn a_code_needs_its_verifier() {
    run(async {
        let world = world();
        let bound = code(&world, asks("blog")).await;
        for verifier in ["", "x", &VERIFIER.to_lowercase(), crate::issuer::CHALLENGE, &format!("{VERIFIER}x")]
        {
            is_error(
                &redeem(&world, "blog", &bound, &[("code_verifier", verifier)]).await,
                400,
                "invalid_grant",
            );
        }
        assert_eq!(redeem(&world, "blog", &bound, &[]).await.status, 200);
        // Somebody took the challenge out of the request on the way: the verifier gives it away.
        let stripped = code(&world, AuthRequest { challenge: None, ..asks("blog") }).await;
        is_error(&redeem(&world, "blog", &stripped, &[]).await, 400, "invalid_grant");
    });
}

#[test]
fn a_code_is_good_for_one_client_one_address_and_a_minute() {
    run(async {
        let world = world();
        let one = code(&world, asks("blog")).await;
        is_error(&redeem(&world, "sister", &one, &[]).await, 400, "invalid_grant");
        is_error(
            &redeem(&world, "blog", &one, &[("redirect_uri", "https://evil.example/")]).await,
            400,
            "invalid_grant",
        );
        world.pass(59_000).await;
        assert_eq!(redeem(&world, "blog", &one, &[]).await.status, 200);
        let late = code(&world, asks("blog")).await;
        world.pass(60_000).await;
        is_error(&redeem(&world, "blog", &late, &[]).await, 400, "invalid_grant");
        world.pass(600_000).await;
        is_error(&redeem(&world, "blog", &late, &[]).await, 400, "invalid_grant");
        let redirected = AuthRequest {
            result: ResultBy::Redirect { form_post: false },
            redirect_uri: Some(format!("{BLOG}/cb")),
            ..asks("blog")
        };
        let code = code(&world, redirected).await;
        for address in ["", "https://blog.example.com/cb2", "https://blog.example.com/cb/"] {
            is_error(
                &redeem(&world, "blog", &code, &[("redirect_uri", address)]).await,
                400,
                "invalid_grant",
            );
        }
        assert_eq!(
            redeem(&world, "blog", &code, &[("redirect_uri", "https://blog.example.com/cb")]).await.status,
            200
        );
    });
}

#[test]
fn a_code_that_comes_twice_takes_back_what_it_gave() {
    run(async {
        let world = world();
        let code = code(&world, asks("blog")).await;
        let got = json(&redeem(&world, "blog", &code, &[]).await);
        let access = got["access_token"].as_str().unwrap();
        assert_eq!(userinfo(&world, access).await.status, 200);
        is_error(&redeem(&world, "blog", &code, &[]).await, 400, "invalid_grant");
        assert!(is_revoked(&world, &code).await);
        is_error(&userinfo(&world, access).await, 401, "invalid_token");
        // That is remembered for as long as the token could live.
        world.pass(1_700_000).await;
        is_error(&userinfo(&world, access).await, 401, "invalid_token");
        assert!(is_revoked(&world, &code).await);
        is_error(&redeem(&world, "blog", &code, &[]).await, 400, "invalid_grant");
    });
}

#[test]
fn of_twenty_at_once_one_redeems() {
    run(async {
        let world = world();
        world.network(300);
        let code = code(&world, asks("blog")).await;
        let responses = join_all((0..20).map(|_| redeem(&world, "blog", &code, &[]))).await;
        let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 19, "{statuses:?}");
    });
}

#[test]
fn without_its_keys_it_says_so_and_recovers() {
    run(async {
        let world = world();
        let disk = world.disk_behind(wxapi::platform::Object::Key, "keys");
        disk.set_full(true);
        let spent = code(&world, asks("blog")).await;
        assert_eq!(redeem(&world, "blog", &spent, &[]).await.status, 503);
        assert_eq!(get(&world, "/.well-known/jwks.json").await.status, 503);
        assert_eq!(disk.document(), None);
        disk.set_full(false);
        let got: Value = tokens(&world, asks("blog")).await;
        verified(&world, got["id_token"].as_str().unwrap()).await;
    });
}

#[test]
fn who_has_no_id_gets_no_token() {
    run(async {
        // The operator went over to unionids between the code and its use.
        let before = world_with(&[]);
        let code = code(&before, asks("blog")).await;
        let world = world_with(&[("SUBJECT_SOURCE", "unionid")]);
        let login = &code[..32];
        let stored = before.disk_behind(Object::Login, login).document().unwrap();
        world.disk_behind(Object::Login, login).put(&stored);
        is_error(&redeem(&world, "blog", &code, &[]).await, 400, "invalid_grant");
        assert!(format!("{:?}", world.log()).contains("WeChat told none"));
    });
}
