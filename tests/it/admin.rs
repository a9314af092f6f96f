//! Who is let into the management API, and how it says no.

use serde_json::{Value, json};

use crate::world::admin::{TOKEN, admin_request, settings};
use crate::world::{World, run};

async fn ask(world: &World, authorization: Option<&str>) -> (u16, Value) {
    let mut request = admin_request("GET", "/admin/nowhere", b"");
    request.peer.address = "192.0.2.1".to_owned();
    request.headers.retain(|(name, _)| name != "authorization");
    request.headers.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
    let response = world.send(request).await;
    assert_eq!(response.content_type, "application/problem+json");
    let problem: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(problem["status"], response.status);
    assert_eq!(problem["instance"], "urn:wxapi:request:request-1");
    (response.status, problem)
}

#[test]
fn only_the_token_opens_the_door() {
    run(async {
        let world = World::new(&settings());
        let (status, problem) = ask(&world, Some(&format!("bearer {TOKEN}"))).await;
        assert_eq!((status, &problem["type"]), (404, &Value::from("urn:wxapi:problem:not-found")));
        let shorter = &TOKEN[..TOKEN.len() - 1];
        for wrong in
            [None, Some("Bearer"), Some("Basic eDp5"), Some(shorter), Some(&format!("Bearer {shorter}"))]
        {
            assert_eq!(ask(&world, wrong).await.0, 401, "{wrong:?}");
        }
        let log: String = world.log().iter().map(wxapi::log::Line::to_json).collect();
        assert!(!log.contains(shorter), "{log}");
    });
}

#[test]
fn guesses_from_one_address_are_told_to_stop_and_the_operator_is_still_heard() {
    run(async {
        let world = World::new(&settings());
        for _ in 0..10 {
            assert_eq!(ask(&world, Some("Bearer a-guess")).await.0, 401);
        }
        assert_eq!(ask(&world, Some("Bearer a-guess")).await.0, 429);
        assert_eq!(ask(&world, Some(&format!("Bearer {TOKEN}"))).await.0, 404);
        world.pass(600_000).await;
        assert_eq!(ask(&world, Some("Bearer a-guess")).await.0, 401);
    });
}

#[test]
fn without_a_token_of_some_length_it_is_closed() {
    run(async {
        for token in ["", "23-characters-are-short", "replace-me-with-a-long-random-text"] {
            let world = World::new(&[("ADMIN_TOKEN", token)]);
            assert_eq!(ask(&world, Some(&format!("Bearer {token}"))).await.0, 503, "{token}");
        }
    });
}

#[test]
fn the_programs_are_listed_without_their_secrets() {
    run(async {
        let secret = "5c".repeat(32);
        let clients = format!(
            r#"[{{"id":"shop","secret_sha256":"{secret}","scopes":["read","message"]}},
                {{"id":"bad","secret_sha256":"short","scopes":[]}},
                {{"id":"raw","secret_sha256":"{secret}","scopes":["read"],"raw_token":true}}]"#
        );
        let mut all = settings();
        all.push(("API_CLIENTS", &clients));
        let world = World::new(&all);
        let (status, listed) = world.admin("GET", "/admin/clients", None).await;
        let shop =
            json!({ "id": "shop", "scopes": ["read", "message"], "per_minute": 600, "raw_token": false });
        assert_eq!((status, listed), (200, json!({ "items": [shop], "next": null })));
        let problems = &world.app().config.problems;
        let said: Vec<&str> = problems.iter().map(|problem| problem.text.as_ref()).collect();
        assert!(said.iter().any(|text| text.contains("number 2 has a secret_sha256")), "{said:?}");
        assert!(said.iter().any(|text| text.contains("number 3 has raw_token")), "{said:?}");
        assert!(!said.concat().contains(&secret));
    });
}
