//! The house rules that a machine can check.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LIMIT: usize = 400;
const FUNCTION_LIMIT: usize = 50;

/// Every Rust file of the project with its text.
pub fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut todo: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    assert!(!files.is_empty());
    files
}

fn lines_with<'a>(text: &'a str, words: &[&str]) -> Vec<(usize, &'a str)> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    let hits = text
        .lines()
        .enumerate()
        .filter(|(_, line)| code(line) && words.iter().any(|word| line.contains(word)));
    hits.map(|(number, line)| (number + 1, line)).collect()
}

/// No file below `folder` may contain any of `words`.
#[track_caller]
fn check_wall(folder: &str, words: &[&str], why: &str) {
    for (path, text) in sources(&[folder]) {
        let hits = lines_with(&text, words);
        assert!(hits.is_empty(), "{}: {why}: {hits:?}", path.display());
    }
}

#[test]
fn wechat_knows_nothing_of_ours() {
    let ours = [
        "crate::chat",
        "crate::login",
        "crate::gateway",
        "crate::handlers",
        "crate::edge",
        "crate::platform",
        "crate::config",
    ];
    check_wall("src/wechat", &ours, "wechat/ imports no sibling");
    check_wall(
        "src/wechat",
        &["async fn", "SystemTime", "Instant"],
        "wechat/ does no I/O and reads no clock",
    );
}

#[test]
fn the_domain_does_not_know_its_callers_or_its_neighbours() {
    check_wall(
        "src/chat",
        &["crate::gateway", "crate::login", "crate::handlers", "crate::edge"],
        "a wall of chat/",
    );
    check_wall(
        "src/gateway",
        &["crate::chat", "crate::login", "crate::handlers", "crate::edge"],
        "a wall of gateway/",
    );
    check_wall(
        "src/login",
        &["crate::chat", "crate::gateway", "crate::handlers", "crate::edge"],
        "a wall of login/",
    );
    check_wall("src/handlers", &["crate::edge"], "handlers/ does not know edge/");
    check_wall(
        "src/chat",
        &["Platform", "async fn", "SystemTime", "Instant"],
        "chat/ is pure; time is an argument",
    );
    check_wall(
        "src/login",
        &["Platform", "async fn", ".await", "SystemTime", "Instant"],
        "login/ is pure; time and random bytes are arguments",
    );
}

#[test]
fn only_edge_names_the_runtime() {
    for (path, text) in sources(&["src"]) {
        if path.starts_with("src/edge") {
            continue;
        }
        let runtime =
            ["worker::", "wasm_bindgen", "js_sys", "web_sys", "getrandom", "console_error_panic_hook"];
        let hits = lines_with(&text, &runtime);
        assert!(hits.is_empty(), "{}: only edge/ names the runtime: {hits:?}", path.display());
    }
}

#[test]
fn one_function_in_gateway_sends() {
    for (path, text) in sources(&["src/gateway"]) {
        let sends = lines_with(&text, &[".fetch("]).len();
        let allowed = usize::from(path.ends_with("send.rs"));
        assert!(sends <= allowed, "{}: only gateway::send sends", path.display());
    }
}

#[test]
fn files_and_functions_stay_small() {
    for (path, text) in sources(&["src", "simulator", "tests/it"]) {
        let lines = text.lines().count();
        let excused = text.contains("// Long because ");
        assert!(
            lines <= FILE_LIMIT || excused,
            "{}: {lines} lines; split it, or say `// Long because …`",
            path.display()
        );
        for (name, line, length) in functions(&text) {
            assert!(length <= FUNCTION_LIMIT, "{}:{line}: {name} has {length} lines", path.display());
        }
    }
}

/// Name, first line and length of each function, by the indentation that rustfmt gives it.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let words = body.split('(').next().unwrap_or_default();
        let Some(name) = words.split_once("fn ").map(|(_, name)| name) else { continue };
        if body.starts_with("//") || body.ends_with(';') || name.contains(' ') {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let excused = index > 0 && lines[index - 1].trim_start().starts_with("// Long because ");
        if let Some(length) = lines[index..].iter().position(|line| *line == closing).filter(|_| !excused) {
            found.push((name.to_owned(), index + 1, length + 1));
        }
    }
    found
}

#[test]
fn every_limit_of_wechat_has_its_source() {
    for (path, text) in sources(&["src/wechat"]) {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let limit = line.trim_start().starts_with("pub const") && line.contains("LIMIT");
            if !limit {
                continue;
            }
            let comment: Vec<&str> = lines[..index]
                .iter()
                .rev()
                .take_while(|line| line.trim_start().starts_with("///"))
                .copied()
                .collect();
            let sourced =
                comment.iter().any(|line| line.contains("https://")) || text.contains("//! <https://");
            assert!(sourced, "{}:{}: where does this limit come from?", path.display(), index + 1);
        }
    }
}

#[test]
fn links_in_the_docs_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut docs = vec![root.join("README.md"), root.join("README.zh-CN.md"), root.join("ARCHITECTURE.md")];
    docs.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    for doc in docs.iter().filter(|doc| doc.is_file()) {
        let text = fs::read_to_string(doc).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            assert!(doc.parent().unwrap().join(link).exists(), "{}: no {link}", doc.display());
        }
    }
}

#[test]
fn nothing_is_left_over() {
    for (path, text) in sources(&["src", "simulator"]) {
        for word in ["TODO", "FIXME", "XXX", "unimplemented!", "todo!(", "dbg!("] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}
