//! The page as a browser gets it.

use crate::raw::{Got, get, post};
use crate::world::World;

/// The files that a document names.
fn named(document: &Got) -> Vec<String> {
    let text = document.text();
    let files = text.split('"').filter(|part| part.starts_with("/assets/"));
    files.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_file_of_the_page_comes_with_its_type() {
    let world = World::alone().await;
    let index = world.ask(get("/")).await;
    assert_eq!(index.status, 200);
    assert!(index.has_header("content-type: text/html; charset=utf-8"));
    let files = named(&index);
    for (ending, content_type) in
        [("js", "text/javascript; charset=utf-8"), ("css", "text/css; charset=utf-8")]
    {
        let file = files.iter().find(|file| file.ends_with(ending)).unwrap();
        let got = world.ask(get(file)).await;
        assert_eq!((got.status, got.whole), (200, true), "{file}");
        assert!(got.has_header(&format!("content-type: {content_type}")), "{file}: {}", got.headers);
        assert!(
            got.has_header("cache-control: no-cache") && got.has_header("x-content-type-options: nosniff")
        );
    }
    for missing in ["/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/"] {
        assert_eq!(world.ask(get(missing)).await.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn the_page_runs_no_code_but_its_own() {
    let world = World::alone().await;
    let index = world.ask(get("/")).await;
    let policy =
        index.headers.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let scripts: Vec<_> = index.text().match_indices("<script").map(|(at, _)| at).collect();
    for at in scripts {
        assert!(index.text()[at..].split_once('>').unwrap().0.contains("src=\"/assets/"), "an inline script");
    }
}

#[tokio::test]
async fn only_this_machine_gets_the_page() {
    let world = World::alone().await;
    let file = named(&world.ask(get("/")).await).remove(0);
    for path in ["/", &file] {
        let rebound = world.ask(get(path).header("Host", "evil.example")).await;
        assert_eq!(rebound.status, 403, "{path}: DNS rebinding");
        assert!(!rebound.text().contains("<html"));
        assert_eq!(world.ask(get(path).header("Origin", "https://evil.example")).await.status, 403, "{path}");
    }
    // The AI binding posts wherever it likes, under whatever name.
    let binding = post("/", r#"{"inputs":{"prompt":"hi"},"options":{}}"#)
        .header("Host", "workers-binding.ai")
        .header("MF-URL", "https://workers-binding.ai/run?version=3")
        .header("mf-header-cf-consn-model-id", "@cf/m");
    assert_eq!(world.ask(binding).await.status, 200);
}
