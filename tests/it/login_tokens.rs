//! User ids, signing keys and their rotation: vectors and pure rules.

use serde_json::{Value, json};
use wxapi::login::client::{Client, parse};
use wxapi::login::keys::{Call, ROTATED_AFTER, Ring, SHOWN_AFTER, SHOWN_BEFORE};
use wxapi::login::subject::{NoSubject, Who, uid};
use wxapi::login::token::{Bad, Kind, at_hash, read};
use wxapi::platform::{Algorithm, KeyPair};
use wxapi::wechat::{AppId, OpenId, Secret};

use crate::issuer::{APP_ID, OPENID, SUBJECT_SECRET, encode};

/// The `n` of <https://www.rfc-editor.org/rfc/rfc7638#section-3.1>.
const RFC_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn client(fields: &str) -> Client {
    let (mut clients, faults) = parse(&format!(r#"[{{"origins":["https://a.example"],{fields}}}]"#));
    clients.pop().unwrap_or_else(|| panic!("{faults:?}"))
}

fn wechat(app_id: &str, openid: &str, unionid: Option<&str>) -> Who {
    Who::Wechat { app_id: AppId::new(app_id), openid: OpenId::new(openid), unionid: unionid.map(OpenId::new) }
}

fn sub(fields: &str, who: &Who, by_unionid: bool) -> String {
    uid(&client(fields), who, Some(&Secret::new(SUBJECT_SECRET)), by_unionid).unwrap()
}

/// Computed apart from this program, in Python:
///
/// ```python
/// import hmac, hashlib, base64, struct
/// def sub(secret, *texts):
///     message = b"".join(struct.pack(">I", len(t.encode())) + t.encode() for t in texts)
///     code = hmac.new(secret.encode(), message, hashlib.sha256).digest()[:20]
///     return base64.urlsafe_b64encode(code).rstrip(b"=").decode()
/// sub("0123456789abcdef0123456789abcdef", "wxlogin/sub/v1", "blog", "wx0123456789abcdef",
///     "oABCDEFGHIJKLMNOPQRSTUVWXYZ01")
/// ```
#[test]
fn pairwise_ids_never_change() {
    let person = wechat(APP_ID, OPENID, Some("u1"));
    assert_eq!(sub(r#""id":"blog""#, &person, false), "yI3lDn6Ibx7S_I67rTFJf6LzYqE");
    assert_eq!(sub(r#""id":"x","sector":"blog""#, &person, false), "yI3lDn6Ibx7S_I67rTFJf6LzYqE");
    assert_eq!(sub(r#""id":"blog""#, &Who::Github { id: 583_231 }, false), "5j9nlMbenu1UmS3Pa1a45YLk9J8");
    assert_eq!(sub(r#""id":"blog""#, &Who::Github { id: 583_231 }, true), "5j9nlMbenu1UmS3Pa1a45YLk9J8");
}

#[test]
fn nobody_shares_an_id() {
    let person = || wechat(APP_ID, OPENID, Some("u1"));
    let blog = r#""id":"blog""#;
    let all = [
        sub(blog, &person(), false),
        sub(r#""id":"shop""#, &person(), false),
        sub(blog, &wechat(APP_ID, "oABCDEFGHIJKLMNOPQRSTUVWXYZ02", None), false),
        sub(blog, &wechat("wx0123456789abcdee", OPENID, None), false),
        sub(blog, &person(), true),
        // A boundary moves: without the lengths these would be one message.
        sub(blog, &wechat(&format!("{APP_ID}o"), &OPENID[1..], None), false),
        sub(r#""id":"blo""#, &wechat(&format!("g{APP_ID}"), OPENID, None), false),
        uid(&client(blog), &person(), Some(&Secret::new("another secret of thirty-two chars")), false)
            .unwrap(),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "{index}: {one}");
        assert!(!one.contains(OPENID));
    }
    let same =
        [("wx1", "o1"), ("wx2", "o2")].map(|(app, openid)| sub(blog, &wechat(app, openid, Some("u1")), true));
    assert_eq!(same[0], same[1], "two accounts of one owner");
    assert!(all[0].len() == 27 && all[0].bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
}

#[test]
fn public_ids_are_those_of_the_older_system() {
    let public = r#""id":"old","subject_type":"public""#;
    assert_eq!(sub(public, &wechat(APP_ID, OPENID, Some("u1")), false), OPENID);
    assert_eq!(sub(public, &wechat(APP_ID, OPENID, Some("u1")), true), "u1");
    assert_eq!(sub(public, &Who::Github { id: 7 }, false), "github-7");
    assert_eq!(uid(&client(public), &wechat(APP_ID, OPENID, None), None, false).as_deref(), Ok(OPENID));
}

#[test]
fn an_id_that_cannot_be_made_is_not_made_up() {
    let (blog, person) = (client(r#""id":"blog""#), wechat(APP_ID, OPENID, None));
    let secret = Secret::new(SUBJECT_SECRET);
    assert_eq!(uid(&blog, &person, None, false), Err(NoSubject::NoSecret));
    assert_eq!(uid(&blog, &person, Some(&secret), true), Err(NoSubject::NoUnionid));
    let public = client(r#""id":"old","subject_type":"public""#);
    assert_eq!(uid(&public, &person, Some(&secret), true), Err(NoSubject::NoUnionid));
}

fn pair(n: &str) -> KeyPair {
    let public = json!({
        "kty": "RSA", "n": n, "e": "AQAB", "d": "private", "p": "private", "q": "private", "dp": "private",
        "dq": "private", "qi": "private", "ext": true, "key_ops": ["sign"], "alg": "RSA-OAEP", "kid": "mine",
    });
    KeyPair { private: Secret::new(format!("private half of {n}")), public }
}

#[test]
fn a_key_is_named_by_its_thumbprint_and_shows_no_more_than_its_public_half() {
    let mut ring = Ring::default();
    ring.add(Algorithm::Rs256, pair(RFC_N), 5).unwrap();
    let expected = json!({ "keys": [{
        "kty": "RSA", "n": RFC_N, "e": "AQAB", "alg": "RS256", "use": "sig",
        "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    }] });
    assert_eq!(ring.shown(), expected);
    assert!(!format!("{ring:?}").contains("private half"), "{ring:?}");
    let curve = |crv: &str, kty: &str| KeyPair {
        private: Secret::new("s"),
        public: json!({ "kty": kty, "crv": crv, "x": "eA", "y": "eQ", "d": "private" }),
    };
    assert!(ring.add(Algorithm::Es256, curve("P-256", "EC"), 5).is_some());
    assert!(!ring.shown().to_string().contains("private"));
    for wrong in [curve("P-384", "EC"), curve("P-256", "OKP"), pair(RFC_N)] {
        assert_eq!(ring.add(Algorithm::Es256, wrong, 5), None);
    }
    assert_eq!(ring.add(Algorithm::Rs256, curve("P-256", "EC"), 5), None);
    assert_eq!(ring.keys.len(), 2);
}

/// What `at_hash` is for a known token: <https://openid.net/specs/openid-connect-core-1_0.html#id_token-tokenExample>.
#[test]
fn an_access_token_is_bound_as_the_specification_has_it() {
    assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
}

/// What is due in a ring at `now` is done, as the object does it.
fn due(ring: &mut Ring, now: u64) {
    ring.clean(now);
    if let Some(begins) = ring.due(Algorithm::Rs256, now) {
        ring.add(Algorithm::Rs256, pair(&format!("n{}", ring.keys.len() + now as usize)), begins).unwrap();
    }
}

#[test]
fn keys_are_shown_before_they_sign_and_after() {
    let mut ring = Ring::default();
    let start = 1_000_000_000;
    let mut seen: Vec<(String, u64)> = Vec::new();
    let mut signed: Vec<(String, u64)> = Vec::new();
    // Somebody comes every hour, for two years.
    for now in (start..start + 730 * 86_400_000).step_by(3_600_000) {
        due(&mut ring, now);
        assert_eq!(ring.due(Algorithm::Rs256, now), None, "one is enough");
        for key in &ring.keys {
            if !seen.iter().any(|(kid, _)| *kid == key.kid) {
                seen.push((key.kid.clone(), now));
            }
        }
        let signer = ring.signer(Algorithm::Rs256, now).unwrap().kid.clone();
        signed.retain(|(_, at)| now - at < 1_800_000 + 60_000);
        assert!(signed.iter().all(|(kid, _)| ring.keys.iter().any(|key| key.kid == *kid)), "a token lives");
        let shown_for = now - seen.iter().find(|(kid, _)| *kid == signer).unwrap().1;
        assert!(seen[0].0 == signer || shown_for >= SHOWN_BEFORE, "{signer} signs after {shown_for} ms");
        signed.push((signer, now));
        assert!(ring.keys.len() <= 2);
    }
    assert_eq!(seen.len(), 9, "the first, one each 90 days, and the next one");
}

#[test]
fn a_ring_that_nobody_asked_for_long_still_shows_a_key_before_it_signs() {
    let mut ring = Ring::default();
    due(&mut ring, 0);
    let late = ROTATED_AFTER * 3;
    due(&mut ring, late);
    assert_eq!(ring.signer(Algorithm::Rs256, late).unwrap().begins, 0);
    assert_eq!(ring.keys[1].begins, late + SHOWN_BEFORE);
    let begun = late + SHOWN_BEFORE;
    assert_eq!(ring.signer(Algorithm::Rs256, begun).unwrap().begins, begun);
    assert!(!ring.clean(begun + SHOWN_AFTER - 1) && ring.keys.len() == 2);
    assert!(ring.clean(begun + SHOWN_AFTER) && ring.keys.len() == 1);
    assert_eq!(ring.signer(Algorithm::Rs256, 5).unwrap().begins, begun, "even if the clock is set back");
    assert_eq!(ring.signer(Algorithm::Es256, 5), None);
}

#[test]
fn keys_are_stored_in_this_shape() {
    let stored = r#"{"keys":[{"kid":"k","algorithm":"RS256","private":"p","public":{"e":"AQAB","kty":"RSA","n":"n"},"begins":7},{"kid":"l","algorithm":"ES256","private":"p","public":{"crv":"P-256","kty":"EC","x":"x","y":"y"},"begins":8}]}"#;
    let ring: Ring = serde_json::from_str(stored).unwrap();
    assert_eq!(serde_json::to_string(&ring).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Ring>(r#"{"later":1}"#).unwrap(), Ring::default());
}

#[test]
fn the_object_with_the_keys_is_asked_in_this_shape() {
    let shown = r#"{"shown":{"algorithms":["RS256","ES256"]}}"#;
    let sign: Value = json!({ "sign": { "algorithm": "RS256",
        "id": { "iss": "i", "sub": "s", "aud": "a", "exp": 1, "iat": 2, "auth_time": 3, "nonce": "n", "amr": ["code"] },
        "access": { "iss": "i", "sub": "s", "aud": "a", "exp": 1, "iat": 2, "jti": "j", "client_id": "c",
            "scope": "openid", "sid": "l", "name": "N", "email": "e", "email_verified": false },
    } });
    for json in [shown.to_owned(), sign.to_string()] {
        let call: Call = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_value(&call).unwrap(), serde_json::from_str::<Value>(&json).unwrap());
    }
}

/// Each of these is refused before anybody computes a signature.
#[test]
fn a_token_is_not_asked_how_it_wants_to_be_read() {
    let keys = json!({ "keys": [{ "kid": "k", "alg": "RS256" }, { "kid": "l", "alg": "ES256" }] });
    let token = |header: Value| format!("{}.{}.c2lnbmVk", encode(&header), encode(&json!({ "sub": "s" })));
    let fine = token(json!({ "alg": "RS256", "typ": "at+jwt", "kid": "k", "jku": "https://evil.example" }));
    let found = read(&fine, Kind::Access, &keys).unwrap();
    assert_eq!((found.algorithm, &found.key), (Algorithm::Rs256, &keys["keys"][0]));
    assert_eq!(fine, format!("{}.c2lnbmVk", found.input));
    for (header, bad) in [
        (json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k" }), Bad::Key),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": "l" }), Bad::Key),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": "m" }), Bad::Key),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": "" }), Bad::Key),
        (json!({ "alg": "RS256", "typ": "at+jwt" }), Bad::Shape),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": 7 }), Bad::Shape),
        (json!({ "alg": "RS256", "typ": "JWT", "kid": "k" }), Bad::Shape),
        (json!({ "alg": "RS256", "kid": "k" }), Bad::Shape),
        (json!({ "alg": "none", "typ": "at+jwt", "kid": "k" }), Bad::Shape),
        (json!({ "alg": "HS256", "typ": "at+jwt", "kid": "k" }), Bad::Shape),
        (json!({ "alg": ["RS256"], "typ": "at+jwt", "kid": "k" }), Bad::Shape),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": "k", "crit": ["b64"], "b64": false }), Bad::Shape),
    ] {
        assert_eq!(read(&token(header.clone()), Kind::Access, &keys), Err(bad), "{header}");
    }
    assert_eq!(read(&fine, Kind::Id, &keys), Err(Bad::Shape));
    let key_without_alg = json!({ "keys": [{ "kid": "k" }] });
    assert_eq!(read(&fine, Kind::Access, &key_without_alg), Err(Bad::Key));
}
