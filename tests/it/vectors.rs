//! Runs every vector of `tests/vectors/` and, where `WX_VECTORS` names one, of another folder with the same kind of
//! `index.json`. Each kind has a checker; a kind without one fails the test.

use crate::{vectors_inbound, vectors_mini, vectors_wire};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// One entry of `index.json` with its file.
pub struct Vector {
    entry: Value,
    bytes: Vec<u8>,
    /// Whether the typed message must account for every field of the document. Only our own documents promise to
    /// have no field that WeChat does not document.
    pub complete: bool,
}

impl Vector {
    pub fn id(&self) -> &str {
        self.entry["id"].as_str().expect("id")
    }

    pub fn kind(&self) -> &str {
        self.entry["kind"].as_str().expect("kind")
    }

    pub fn subtype(&self) -> &str {
        self.entry["subtype"].as_str().unwrap_or_default()
    }

    pub fn group(&self) -> Option<&str> {
        self.entry["group"].as_str()
    }

    pub fn inputs(&self) -> &Value {
        &self.entry["inputs"]
    }

    pub fn expected(&self) -> &Value {
        &self.entry["expected"]
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file as text; what is no UTF-8 never reaches the code that takes text.
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.bytes).map_err(|error| error.to_string())
    }

    /// The file as JSON, for the kinds that describe themselves.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("a self-contained vector is JSON")
    }
}

/// How a vector went, if it did not fail.
pub enum Outcome {
    Passed,
    Skipped(&'static str),
}

pub type Check = Result<Outcome, String>;

/// Compares, and says what differs.
#[track_caller]
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}

fn check(vector: &Vector) -> Check {
    match vector.kind() {
        "inbound-xml" | "inbound-json" => vectors_inbound::message(vector),
        "inbound-malformed" => vectors_inbound::malformed(vector),
        "inbound-format-sniff" => vectors_inbound::format_sniff(vector),
        "inbound-probe" => vectors_inbound::probe(vector),
        "component-event-xml" => vectors_inbound::component(vector),
        "envelope-compat-xml" => vectors_inbound::compat_envelope(vector),
        "http-trace" => vectors_inbound::trace(vector),
        "passive-reply-xml" => vectors_inbound::passive_reply(vector),
        "crypto-push-decrypt" => vectors_wire::push(vector),
        "crypto-reply-encrypt" => vectors_wire::sealed_reply(vector),
        "crypto-echostr-encrypted" => vectors_wire::encrypted_echostr(vector),
        "sig-plain" => vectors_wire::signature(vector),
        "sig-jssdk" => vectors_wire::jssdk(vector),
        "api-error" => vectors_wire::api_error(vector),
        "api-request" => vectors_wire::api_request(vector),
        "api-response" => vectors_wire::api_response(vector),
        "crypto-api-gcm" => Ok(Outcome::Skipped("signing of API calls is optional and not used")),
        "crypto-encrypted-data" => vectors_mini::encrypted_data(vector),
        "sig-rawdata" => vectors_mini::raw_data(vector),
        "sig-session-hmac" => vectors_mini::session(vector),
        other => Err(format!("there is no checker for the kind {other}")),
    }
}

fn load(folder: &Path, complete: bool) -> Vec<Vector> {
    let index = std::fs::read_to_string(folder.join("index.json")).expect("the folder has an index.json");
    let index: Value = serde_json::from_str(&index).expect("index.json is JSON");
    let entries = index["fixtures"].as_array().expect("index.json has fixtures");
    assert!(!entries.is_empty(), "{} holds no vectors", folder.display());
    let read = |entry: &Value| {
        let file = folder.join(entry["file"].as_str().expect("file"));
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Vector { entry: entry.clone(), bytes, complete }
    };
    entries.iter().map(read).collect()
}

/// Runs a folder, prints a table and fails with every failure at once.
fn run(folder: &Path, complete: bool) {
    let vectors = load(folder, complete);
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut skipped: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for vector in &vectors {
        match check(vector) {
            Ok(Outcome::Passed) => *passed.entry(vector.kind()).or_default() += 1,
            Ok(Outcome::Skipped(why)) => *skipped.entry((vector.kind(), why)).or_default() += 1,
            Err(why) => failures.push(format!("{} ({}): {why}", vector.id(), vector.kind())),
        }
    }
    failures.extend(vectors_inbound::identities(&vectors));
    // Not eprintln!, which the test harness keeps to itself: the table is for everybody.
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "\nvectors of {}: {} in the index", folder.display(), vectors.len());
    for (kind, count) in &passed {
        let _ = writeln!(out, "  {count:4} passed   {kind}");
    }
    for ((kind, why), count) in &skipped {
        let _ = writeln!(out, "  {count:4} skipped  {kind}: {why}");
    }
    let _ = writeln!(out, "  {:4} failed", failures.len());
    drop(out);
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

#[test]
fn own() {
    run(&own_folder(), true);
}

/// The same for vectors from elsewhere, e.g. captures that may not be published.
#[test]
fn given() {
    if let Some(folder) = std::env::var_os("WX_VECTORS") {
        run(Path::new(&folder), false);
    }
}

/// A file that nobody lists is never tested, and an id that is used twice hides one of two.
#[test]
fn own_index_is_whole() {
    let folder = own_folder();
    let vectors = load(&folder, true);
    let ids: HashSet<&str> = vectors.iter().map(Vector::id).collect();
    assert_eq!(ids.len(), vectors.len(), "ids are unique");
    let listed: HashSet<PathBuf> =
        vectors.iter().map(|vector| folder.join(vector.entry["file"].as_str().expect("file"))).collect();
    for kind in std::fs::read_dir(&folder).expect("folder").map(|entry| entry.expect("entry").path()) {
        for file in kind.is_dir().then(|| std::fs::read_dir(&kind).expect("kind")).into_iter().flatten() {
            let file = file.expect("file").path();
            assert!(listed.contains(&file), "{} is not in index.json", file.display());
        }
    }
}
