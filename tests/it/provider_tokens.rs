//! What opens `/userinfo` and what does not: forged tokens, tokens for something else, keys that change.

use std::rc::Rc;

use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json as value};
use sha2::Sha256;
use wxapi::handlers::call_object;
use wxapi::login::base64url;
use wxapi::login::keys::{Call, Signed, Unsigned};
use wxapi::login::request::AuthRequest;
use wxapi::login::token::{AccessClaims, IdClaims};
use wxapi::platform::{Algorithm, Object};

use crate::issuer::{
    BLOG, OPENID, asks, code, encode, get, header, is_error, json, part, redeem, send, tokens, userinfo,
    verified, world,
};
use crate::world::{ORIGIN, World, run};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// A token with this header and these claims, signed by whatever `sign` does.
fn forge(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(&input);
    format!("{input}.{}", base64url(&signature))
}

fn hmac(key: &[u8], input: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(input.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A real signature below the claims of a real access token, changed.
async fn signed(world: &World, token: &str, changes: Value) -> String {
    let mut claims = part(token, 1);
    for (name, changed) in changes.as_object().unwrap() {
        claims[name] = changed.clone();
    }
    let access: AccessClaims = serde_json::from_value(claims).unwrap();
    let id = value!({ "iss": "", "sub": "", "aud": "", "exp": 0, "iat": 0, "auth_time": 0, "amr": [] });
    let id: IdClaims = serde_json::from_value(id).unwrap();
    let call = Call::Sign(Box::new(Unsigned { algorithm: Algorithm::Rs256, id, access: Some(access) }));
    let signed: Signed = call_object(world, Object::Key, "keys", &call).await.unwrap();
    signed.access_token.unwrap()
}

#[test]
fn the_access_token_tells_who_it_is_once_more() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let access = text(&got, "access_token");
        let response = userinfo(&world, access).await;
        assert_eq!((response.status, header(&response, "cache-control")), (200, Some("no-store")));
        assert_eq!(json(&response), value!({ "sub": part(text(&got, "id_token"), 1)["sub"] }));
        let posted = send(&world, "POST", "/userinfo", &[], &[("access_token", access)]).await;
        assert_eq!(posted.body, response.body);
        let header = format!("bearer {access}");
        let posted = send(&world, "POST", "/userinfo", &[("authorization", &header)], &[]).await;
        assert_eq!(posted.body, response.body);
        // The attempt is forgotten after ten minutes; the token lives for thirty.
        world.pass(1_700_000).await;
        assert_eq!(userinfo(&world, access).await.body, response.body);
    });
}

#[test]
fn a_request_without_a_token_learns_how_to_bring_one() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let access = text(&got, "access_token");
        let bearer = format!("Bearer {access}");
        let missing = get(&world, "/userinfo").await;
        assert_eq!((missing.status, header(&missing, "www-authenticate")), (401, Some("Bearer")));
        let query = get(&world, &format!("/userinfo?access_token={access}")).await;
        assert_eq!(query.status, 401, "a token in the query would stay in logs");
        let get_with_body = send(&world, "GET", "/userinfo", &[], &[("access_token", access)]).await;
        assert_eq!(get_with_body.status, 401);
        let both =
            send(&world, "POST", "/userinfo", &[("authorization", &bearer)], &[("access_token", access)])
                .await;
        is_error(&both, 400, "invalid_request");
        let twice =
            send(&world, "POST", "/userinfo", &[], &[("access_token", access), ("access_token", access)])
                .await;
        is_error(&twice, 400, "invalid_request");
        for authorization in ["Basic YTpi", "Bearer", access] {
            let response = send(&world, "GET", "/userinfo", &[("authorization", authorization)], &[]).await;
            is_error(&response, 400, "invalid_request");
        }
        for token in ["x", "", "a.b", "a.b.c", "..", "a.b.c.d", &"x".repeat(9_000)] {
            let response = userinfo(&world, token).await;
            is_error(&response, 401, "invalid_token");
            assert!(
                header(&response, "www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\"")
            );
        }
    });
}

#[test]
fn a_token_without_our_signature_is_worth_nothing() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let access = text(&got, "access_token").to_owned();
        let (head, claims) = (part(&access, 0), part(&access, 1));
        let set = json(&get(&world, "/.well-known/jwks.json").await);
        let (rsa, curve) = (set["keys"][0].clone(), set["keys"][1].clone());
        let with = |name: &str, changed: Value| {
            let mut head = head.clone();
            head[name] = changed;
            head
        };
        let real = access.rsplit_once('.').unwrap().1;
        let real = wxapi::login::from_base64url(real).unwrap();
        let mut forged = vec![
            forge(&head, &claims, |_| Vec::new()),
            forge(&head, &claims, |_| vec![0; 256]),
            forge(&with("kid", curve["kid"].clone()), &claims, |_| real.clone()),
            forge(&with("kid", value!("nobody's")), &claims, |_| real.clone()),
            forge(&with("kid", Value::Null), &claims, |_| real.clone()),
            forge(&with("kid", value!("../../dev/null")), &claims, |_| real.clone()),
            forge(&with("alg", value!("ES256")), &claims, |_| real.clone()),
            forge(&with("crit", value!(["exp"])), &claims, |_| real.clone()),
            forge(&with("typ", value!("JWT")), &claims, |_| real.clone()),
            forge(&with("jwk", rsa.clone()), &claims, |_| real.clone()),
        ];
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            forged.push(forge(&with("alg", value!(alg)), &claims, |_| Vec::new()));
            forged.push(forge(&with("alg", value!(alg)), &claims, |_| real.clone()));
        }
        // HMAC with all that is public as its secret
        let n = wxapi::login::from_base64url(text(&rsa, "n")).unwrap();
        for key in [rsa.to_string().into_bytes(), text(&rsa, "n").as_bytes().to_vec(), n, Vec::new()] {
            forged.push(forge(&with("alg", value!("HS256")), &claims, |input| hmac(&key, input)));
            forged.push(forge(&head, &claims, |input| hmac(&key, input)));
        }
        let mut other = claims.clone();
        other["sub"] = value!("somebody else");
        forged.push(forge(&head, &other, |_| real.clone()));
        for token in forged {
            is_error(&userinfo(&world, &token).await, 401, "invalid_token");
        }
        let padded = format!("{access}=");
        is_error(&userinfo(&world, &padded).await, 401, "invalid_token");
        assert_eq!(userinfo(&world, &access).await.status, 200);
    });
}

#[test]
fn a_token_for_something_else_is_refused() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        is_error(&userinfo(&world, text(&got, "id_token")).await, 401, "invalid_token");
        let access = text(&got, "access_token");
        assert_eq!(userinfo(&world, &signed(&world, access, value!({})).await).await.status, 200);
        for changes in [
            value!({ "aud": ORIGIN }),
            value!({ "aud": "blog" }),
            value!({ "iss": "https://other.example.com" }),
            value!({ "iss": format!("{ORIGIN}/") }),
            value!({ "client_id": "nobody" }),
            value!({ "sid": "not a login" }),
        ] {
            let token = signed(&world, access, changes.clone()).await;
            is_error(&userinfo(&world, &token).await, 401, "invalid_token");
        }
    });
}

#[test]
fn a_token_has_its_time() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let access = text(&got, "access_token");
        let iat = part(access, 1)["iat"].as_u64().unwrap();
        let early = signed(&world, access, value!({ "iat": iat + 59 })).await;
        assert_eq!(userinfo(&world, &early).await.status, 200, "clocks may differ by a minute");
        let future = signed(&world, access, value!({ "iat": iat + 70, "exp": iat + 7_000 })).await;
        is_error(&userinfo(&world, &future).await, 401, "invalid_token");
        world.pass(1_859_000).await;
        assert_eq!(userinfo(&world, access).await.status, 200);
        world.pass(2_000).await;
        is_error(&userinfo(&world, access).await, 401, "invalid_token");
    });
}

#[test]
fn websites_cannot_find_out_that_they_know_the_same_person() {
    run(async {
        let world = world();
        let mut subs = Vec::new();
        for client in ["blog", "sister", "curve", "old", "mail"] {
            let got = tokens(&world, asks(client)).await;
            let (_, claims) = verified(&world, text(&got, "id_token")).await;
            assert_eq!(claims["aud"], client);
            subs.push(text(&claims, "sub").to_owned());
        }
        let [blog, sister, curve, old, mail] = &subs[..] else { panic!("{subs:?}") };
        assert_eq!(blog, sister, "one sector");
        assert_eq!(old, OPENID, "who comes from an older system");
        assert!(blog != curve && blog != mail && curve != mail && !subs[..3].contains(old));
    });
}

#[test]
fn a_client_may_have_its_tokens_signed_by_es256() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("curve")).await;
        for token in ["id_token", "access_token"] {
            let (head, _) = verified(&world, text(&got, token)).await;
            assert_eq!(head["alg"], "ES256");
        }
        assert_eq!(userinfo(&world, text(&got, "access_token")).await.status, 200);
    });
}

#[test]
fn programs_that_want_an_address_get_one_that_no_mail_reaches() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("mail")).await;
        let claims = part(text(&got, "id_token"), 1);
        let sub = text(&claims, "sub");
        let told = json(&userinfo(&world, text(&got, "access_token")).await);
        for said in [&claims, &told] {
            assert_eq!(said["email"], format!("{sub}@wx.example.com.invalid"));
            assert_eq!((&said["email_verified"], text(said, "preferred_username")), (&value!(false), sub));
        }
        let others = json(&userinfo(&world, text(&tokens(&world, asks("blog")).await, "access_token")).await);
        assert!(others.get("email").is_none() && others.get("preferred_username").is_none());
    });
}

async fn kids(world: &World) -> Vec<String> {
    let set = json(&get(world, "/.well-known/jwks.json").await);
    let rsa = set["keys"].as_array().unwrap().iter().filter(|key| key["alg"] == "RS256");
    rsa.map(|key| text(key, "kid").to_owned()).collect()
}

#[test]
fn of_twenty_first_logins_one_makes_the_key() {
    run(async {
        let world = world();
        let mut codes = Vec::new();
        for _ in 0..20 {
            codes.push(code(&world, asks("blog")).await);
        }
        world.network(200);
        let responses = join_all(codes.iter().map(|code| redeem(&world, "blog", code, &[]))).await;
        assert!(responses.iter().all(|response| response.status == 200));
        let mut used: Vec<String> =
            responses.iter().map(|r| text(&part(text(&json(r), "id_token"), 0), "kid").to_owned()).collect();
        used.dedup();
        assert_eq!(used.len(), 1, "{used:?}");
        assert_eq!(kids(&world).await, used);
    });
}

#[test]
fn keys_survive_the_object_and_are_private_to_it() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("blog")).await;
        let before = kids(&world).await;
        world.crash();
        let again = tokens(&world, asks("blog")).await;
        assert_eq!(part(text(&again, "id_token"), 0)["kid"], before[0].as_str());
        assert_eq!(userinfo(&world, text(&got, "access_token")).await.status, 200);
        let disk = world.disk_behind(Object::Key, "keys");
        disk.put("what a later release wrote");
        world.crash();
        world.pass(300_000).await;
        let fresh = tokens(&world, asks("blog")).await;
        verified(&world, text(&fresh, "id_token")).await;
        assert_ne!(kids(&world).await, before);
        assert_eq!(disk.aside().as_deref(), Some("what a later release wrote"));
    });
}

#[test]
fn keys_change_with_the_clock_and_nobody_notices() {
    run(async {
        const DAY: u64 = 86_400_000;
        let world = Rc::new(world());
        let signer = || {
            let world = Rc::clone(&world);
            async move {
                let got = tokens(&world, asks("blog")).await;
                let (head, _) = verified(&world, text(&got, "id_token")).await;
                text(&head, "kid").to_owned()
            }
        };
        let first = signer().await;
        world.pass(87 * DAY).await;
        assert_eq!((signer().await, kids(&world).await), (first.clone(), vec![first.clone()]));
        world.pass(DAY + 1).await;
        let shown = kids(&world).await;
        assert_eq!(
            (shown.len(), signer().await),
            (2, first.clone()),
            "the next one is shown, and does not sign"
        );
        world.pass(2 * DAY - 10_000).await;
        let last = tokens(&world, asks("blog")).await;
        assert_eq!(part(text(&last, "id_token"), 0)["kid"], first.as_str());
        world.pass(20_000).await;
        assert_eq!(signer().await, shown[1], "now it does");
        world.pass(1_700_000).await;
        assert_eq!(
            userinfo(&world, text(&last, "access_token")).await.status,
            200,
            "the old one still counts"
        );
        assert_eq!(kids(&world).await, shown);
        world.pass(2 * 3_600_000).await;
        assert_eq!(kids(&world).await, shown[1..], "nothing that it signed lives");
    });
}

#[test]
fn what_a_person_is_called_is_told_to_who_asked_for_it() {
    run(async {
        use wxapi::handlers::login::issue::{Login, tokens};
        use wxapi::login::method::Method;
        use wxapi::login::session::Answer;
        use wxapi::login::subject::Identity;
        let world = world();
        let (name, picture) = (Some("小明".to_owned()), Some("https://p.example/1".to_owned()));
        let identity = Identity { who: crate::issuer::person(), name, picture };
        let answer = Answer { identity, by: Method::Qr, at: 0 };
        for profile in [true, false] {
            let request = AuthRequest { profile, ..asks("blog") };
            let id = "0".repeat(32);
            let login = Login { issuer: ORIGIN, id: &id, request: &request, answer: &answer };
            let issued = tokens(&world, world.app(), login, true).await.unwrap();
            let claims = part(&issued.signed.id_token, 1);
            let told = json(&userinfo(&world, &issued.signed.access_token.unwrap()).await);
            for said in [claims, told] {
                assert_eq!(said["name"].as_str(), profile.then_some("小明"));
                assert_eq!(said["picture"].as_str(), profile.then_some("https://p.example/1"));
                assert_eq!(said["sub"], issued.uid);
            }
        }
    });
}

#[test]
fn what_was_refused_is_logged_without_tokens_and_people() {
    run(async {
        let world = world();
        let got = tokens(&world, asks("old")).await;
        let access = text(&got, "access_token");
        userinfo(&world, &format!("{access}x")).await;
        send(&world, "GET", "/userinfo", &[("authorization", "Bearer x"), ("origin", BLOG)], &[]).await;
        let log = format!("{:?}", world.log());
        assert!(
            log.contains("login.userinfo_refused") && !log.contains(OPENID) && !log.contains("eyJ"),
            "{log}"
        );
    });
}
