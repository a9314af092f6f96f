//! The reader of JSON: what it takes, what it refuses, and that it reads as serde_json does.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wxapi::json::{from_exact, from_str, text, value};

#[derive(Debug, PartialEq, Deserialize)]
struct Thing {
    name: String,
    small: u8,
    below: i32,
    share: f64,
    maybe: Option<u64>,
    #[serde(default)]
    list: Vec<u16>,
    #[serde(default)]
    sort: Sort,
    #[serde(skip)]
    passing: bool,
    #[serde(rename = "x")]
    renamed: bool,
    pair: (String, [u8; 2]),
    map: BTreeMap<String, Value>,
    nothing: (),
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Plain,
    One(Box<u8>),
    Two(u8, String),
    Named {
        left: u8,
        why: Option<String>,
    },
}

const THING: &str = r#"{"name":"名\n","small":255,"below":-5,"share":1.5,"maybe":9007199254740993,"list":[1,65535],
    "sort":{"named":{"left":1}},"x":true,"pair":["p",[1,2]],"map":{"a":[null,1.25,-1,"t",{"b":false}]},"nothing":null,
    "later":{"unknown":[1]}}"#;

/// Both readers read it, and the same; or both refuse.
#[track_caller]
fn alike<T: DeserializeOwned + Debug + PartialEq>(json: &str) -> Option<T> {
    let (ours, theirs) = (from_str::<T>(json), serde_json::from_str::<T>(json));
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{json}: {ours:?}, {theirs:?}");
    assert_eq!(ours.as_ref().ok(), theirs.as_ref().ok());
    ours.ok()
}

fn thing_with(member: &str, json: &str) -> String {
    let mut thing = value(THING.as_bytes()).unwrap();
    thing[member] = value(json.as_bytes()).unwrap();
    text(&thing)
}

#[test]
fn everything_is_read() {
    let thing = alike::<Thing>(THING).unwrap();
    assert_eq!(thing.maybe, Some(9_007_199_254_740_993));
    assert_eq!(thing.sort, Sort::Named { left: 1, why: None });
    assert_eq!(thing.map["a"][4]["b"], false);
}

#[test]
fn variants_have_three_shapes() {
    for (json, sort) in [
        (r#""plain""#, Some(Sort::Plain)),
        (r#"{"plain":null}"#, Some(Sort::Plain)),
        (r#"{"one":7}"#, Some(Sort::One(Box::new(7)))),
        (r#"{"two":[7,"t"]}"#, Some(Sort::Two(7, "t".to_owned()))),
        (r#"{"named":{"left":7,"why":"w"}}"#, Some(Sort::Named { left: 7, why: Some("w".to_owned()) })),
        (r#""one""#, None),
        (r#""other""#, None),
        (r#"{"plain":1}"#, None),
        (r#"{"two":[7]}"#, None),
        (r#"{"two":[7,"t",8]}"#, None),
        (r#"{"named":{}}"#, None),
        (r#"{"one":7,"plain":null}"#, None),
        ("{}", None),
        ("7", None),
    ] {
        assert_eq!(alike::<Sort>(json), sort, "{json}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (member, json) in [
        ("name", "7"),
        ("name", "null"),
        ("small", "256"),
        ("small", "-1"),
        ("small", "1.5"),
        ("small", r#""1""#),
        ("below", "2147483648"),
        ("share", r#""1""#),
        ("maybe", "-1"),
        ("list", "null"),
        ("list", "{}"),
        ("list", "[1,-1]"),
        ("sort", "null"),
        ("x", "0"),
        ("pair", r#"["p",[1,2,3]]"#),
        ("pair", r#"["p",[1]]"#),
        ("pair", r#"["p"]"#),
        ("map", "[]"),
        ("nothing", "0"),
    ] {
        assert!(alike::<Thing>(&thing_with(member, json)).is_none(), "{member}: {json}");
    }
    for json in ["", "{", "[]", "null", "7", r#""thing""#, "{} {}"] {
        assert!(alike::<Thing>(json).is_none(), "{json}");
    }
}

#[test]
fn a_member_may_be_missing_if_there_is_something_in_its_place() {
    for (member, may) in [
        ("name", false),
        ("small", false),
        ("maybe", true),
        ("list", true),
        ("sort", true),
        ("x", false),
        ("pair", false),
        ("map", false),
    ] {
        let mut thing = value(THING.as_bytes()).unwrap();
        thing.as_object_mut().unwrap().remove(member).unwrap();
        assert_eq!(alike::<Thing>(&text(&thing)).is_some(), may, "{member}");
        if !may {
            let error = from_str::<Thing>(&text(&thing)).unwrap_err();
            assert_eq!(error.to_string(), format!("missing field `{member}`"));
        }
    }
    assert_eq!(alike::<Thing>(&thing_with("maybe", "null")).unwrap().maybe, None);
}

#[test]
fn only_an_exact_reader_minds_strangers() {
    let thing = value(THING.as_bytes()).unwrap();
    let error = from_exact::<Thing>(&thing).unwrap_err().to_string();
    assert!(error.starts_with("unknown field `later`, expected one of `name`, "), "{error}");
    let mut known = thing;
    known.as_object_mut().unwrap().remove("later");
    assert_eq!(from_exact::<Thing>(&known).unwrap(), from_str(THING).unwrap());
}

/// Members are picked by the one name that they have.
#[test]
fn nothing_has_two_names() {
    for (path, text) in super::tidy::sources(&["src"]) {
        let attributes = text.lines().filter(|line| line.trim_start().starts_with("#[serde("));
        assert!(attributes.clone().all(|line| !line.contains("alias")), "{}", path.display());
    }
}
