//! The document of the management API and the Worker have the same routes and methods.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wxapi::handlers::admin::routes;

use crate::world::admin::{admin_request, settings};
use crate::world::{World, run};

/// Paths with the methods that they answer.
type Routes = BTreeMap<String, BTreeSet<String>>;

/// What `docs/openapi/` describes below `/admin`. Names in braces are as good as any other.
fn described() -> Routes {
    let mut all = Routes::new();
    let folder = format!("{}/docs/openapi", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let Some(path) = path.strip_prefix("/admin") else { continue };
            let methods = item.as_object().unwrap().keys().filter(|name| *name != "parameters");
            let known = all.entry(pattern(path, '{')).or_default();
            for method in methods {
                assert!(known.insert(method.to_uppercase()), "{method} {path} is there twice");
            }
        }
    }
    all
}

fn pattern(path: &str, name: char) -> String {
    let part = |part: &str| if part.starts_with(name) { "*".to_owned() } else { part.to_owned() };
    path.split('/').filter(|part| !part.is_empty()).map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_described_and_every_description_has_its_route() {
    let mut served = Routes::new();
    for (path, methods) in routes::all() {
        served.entry(pattern(path, ':')).or_default().extend(methods.split(' ').map(str::to_owned));
    }
    assert_eq!(served, described());
}

#[test]
fn every_route_is_served_and_no_other_method() {
    run(async {
        let world = World::new(&settings());
        for (path, methods) in described() {
            let path = format!("/admin/{}", path.replace('*', "1"));
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"] {
                let asked = if method == "HEAD" { "GET" } else { method };
                let response = world.send(admin_request(method, &path, b"")).await;
                let is_described = methods.contains(asked);
                assert_eq!(response.status == 405, !is_described, "{method} {path}: {}", response.status);
                assert!(!response.body.contains("no such route"), "{method} {path}");
                let allow = response.headers.iter().find(|(name, _)| *name == "allow");
                let Some((_, allow)) = allow else { continue };
                let mut allowed: BTreeSet<String> = allow.split(", ").map(str::to_owned).collect();
                assert_eq!(allowed.remove("HEAD"), methods.contains("GET"), "{allow}");
                assert_eq!(allowed, methods, "{method} {path}");
            }
        }
    });
}

#[test]
fn who_asks_for_the_head_gets_no_body() {
    run(async {
        let world = World::new(&settings());
        let (status, index) = world.admin("GET", "/admin", None).await;
        let known = json!({ "doctor": "/admin/doctor", "metrics": "/metrics", "openapi": "/openapi.json" });
        assert_eq!((status, index), (200, known));
        let head = world.send(admin_request("HEAD", "/admin", b"")).await;
        assert_eq!((head.status, head.body.as_str(), head.content_type), (200, "", "application/json"));
        let unknown = world.send(admin_request("HEAD", "/admin/nowhere", b"")).await;
        assert_eq!((unknown.status, unknown.body.as_str()), (404, ""));
    });
}

#[test]
fn of_two_patterns_the_one_without_a_name_counts() {
    run(async {
        let world = World::new(&settings());
        for path in
            ["/admin/mass/speed", "/admin/agents/online", "/admin/drafts/count", "/admin/material/count"]
        {
            assert_eq!(world.admin("DELETE", path, None).await.0, 405, "{path}");
        }
        assert!(world.api_calls().is_empty());
    });
}
