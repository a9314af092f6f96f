//! What the OpenID provider tells everybody, and which pages may ask it for more.

use serde_json::json as value;

use crate::issuer::{BLOG, get, header, json, redeem, send, world};
use crate::world::{ORIGIN, World, run};

#[test]
fn it_describes_itself() {
    run(async {
        let world = world();
        let response = get(&world, "/.well-known/openid-configuration").await;
        let said = json(&response);
        assert_eq!((response.status, response.content_type), (200, "application/json"));
        assert_eq!(said["issuer"], ORIGIN);
        for (name, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("userinfo_endpoint", "/userinfo"),
            ("jwks_uri", "/.well-known/jwks.json"),
            ("end_session_endpoint", "/logout"),
        ] {
            assert_eq!(said[name], format!("{ORIGIN}{path}"));
        }
        for (name, expected) in [
            ("response_types_supported", value!(["code"])),
            ("response_modes_supported", value!(["query", "form_post"])),
            ("grant_types_supported", value!(["authorization_code"])),
            ("subject_types_supported", value!(["pairwise", "public"])),
            ("id_token_signing_alg_values_supported", value!(["RS256", "ES256"])),
            ("scopes_supported", value!(["openid", "profile"])),
            (
                "token_endpoint_auth_methods_supported",
                value!(["client_secret_basic", "client_secret_post", "none"]),
            ),
            ("code_challenge_methods_supported", value!(["S256"])),
            ("authorization_response_iss_parameter_supported", value!(true)),
            ("request_parameter_supported", value!(false)),
            ("request_uri_parameter_supported", value!(false)),
            ("claims_parameter_supported", value!(false)),
        ] {
            assert_eq!(said[name], expected, "{name}");
        }
        let alias = get(&world, "/.well-known/oauth-authorization-server").await;
        assert_eq!(alias.body, response.body);
        assert_eq!(header(&response, "cache-control"), Some("public, max-age=300"));
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    });
}

#[test]
fn without_a_website_there_is_no_provider() {
    run(async {
        let world = World::new(&[]);
        for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/userinfo", "/logout"] {
            assert_eq!(get(&world, path).await.status, 404, "{path}");
        }
        assert_eq!(redeem(&world, "blog", &"0".repeat(64), &[]).await.status, 404);
        for path in ["/token", "/.well-known/jwks.json"] {
            assert!(matches!(get(&world, path).await.status, 404 | 405), "{path}");
        }
    });
}

#[test]
fn the_key_set_holds_no_private_half() {
    run(async {
        let world = world();
        let response = get(&world, "/.well-known/jwks.json").await;
        let keys = json(&response)["keys"].as_array().unwrap().clone();
        assert_eq!(
            keys.iter().map(|key| key["alg"].as_str().unwrap()).collect::<Vec<_>>(),
            ["RS256", "ES256"]
        );
        for key in &keys {
            let members: Vec<&String> = key.as_object().unwrap().keys().collect();
            let expected: &[&str] = match key["kty"].as_str() {
                Some("RSA") => &["alg", "e", "kid", "kty", "n", "use"],
                _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            };
            assert_eq!(members, expected);
            assert_eq!((key["use"].as_str(), key["kid"].as_str().unwrap().len()), (Some("sig"), 43));
        }
        assert_eq!(header(&response, "cache-control"), Some("public, max-age=300"));
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    });
}

#[test]
fn pages_of_websites_may_redeem_and_others_may_not() {
    run(async {
        let world = world();
        for path in ["/token", "/userinfo"] {
            let ask = |origin: &'static str| {
                let headers = [("origin", origin), ("access-control-request-method", "POST")];
                let world = &world;
                async move { send(world, "OPTIONS", path, &headers, &[]).await }
            };
            let fine = ask(BLOG).await;
            assert_eq!((fine.status, header(&fine, "access-control-allow-origin")), (204, Some(BLOG)));
            assert_eq!(header(&fine, "access-control-allow-headers"), Some("authorization, content-type"));
            for origin in [
                "https://evil.example",
                "null",
                "https://blog.example.com.evil.example",
                "http://blog.example.com",
            ] {
                let refused = ask(origin).await;
                assert_eq!(
                    (refused.status, header(&refused, "access-control-allow-origin")),
                    (204, None),
                    "{origin}"
                );
                assert_eq!(header(&refused, "access-control-allow-methods"), None);
            }
        }
        for (origin, allowed) in [(BLOG, Some(BLOG)), ("https://evil.example", None)] {
            for (method, path) in [("POST", "/token"), ("GET", "/userinfo")] {
                let response = send(&world, method, path, &[("origin", origin)], &[]).await;
                assert_eq!(header(&response, "access-control-allow-origin"), allowed, "{path}");
                assert_eq!(header(&response, "vary"), Some("origin"));
                assert_eq!(header(&response, "access-control-allow-credentials"), None);
            }
        }
        let open =
            send(&world, "OPTIONS", "/.well-known/jwks.json", &[("origin", "https://any.example")], &[])
                .await;
        assert_eq!((open.status, header(&open, "access-control-allow-origin")), (204, Some("*")));
    });
}
