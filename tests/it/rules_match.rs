//! What a rule matches and says, without anything around it.

use proptest::prelude::*;
use serde_json::{Value, json};
use wxapi::chat::rule::import::import;
use wxapi::chat::rule::read::{self, Faults};
use wxapi::chat::rule::{Book, Subject, reply};

/// Midnight in China.
const MIDNIGHT: u64 = 1_700_000_000_000 / 86_400_000 * 86_400_000 - 8 * 3_600_000;

fn faults_of(document: &Value) -> Vec<String> {
    let mut faults = Faults::new();
    read::rule("id", document, &mut faults);
    faults.into_iter().map(|(pointer, _)| pointer).collect()
}

fn book(document: Value) -> Book {
    let mut faults = Faults::new();
    let rule = read::rule("id", &document, &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    Book { rules: vec![rule], welcome: None }
}

fn said(text: &str) -> Subject<'_> {
    Subject { kind: "text", text, media_id: "" }
}

/// What a rule with this condition and reply says to `subject`.
fn says(when: Value, reply: Value, subject: &Subject<'_>) -> Option<Value> {
    let book = book(json!({ "when": when, "reply": reply }));
    book.decide(subject, 0, false).map(|ruling| ruling.reply)
}

fn hears(how: &str, pattern: &str, as_is: bool, text: &str) -> bool {
    let when = json!({ "texts": [{ "match": how, "text": pattern, "case_sensitive": as_is }] });
    says(when, json!({ "type": "silent" }), &said(text)).is_some()
}

#[test]
fn texts_match_as_the_table_says() {
    for (how, pattern, as_is, text, expected) in [
        ("exact", "Price", false, "price", true),
        ("exact", "Price", false, "ｐｒｉｃｅ", true),
        ("exact", " ＰＲＩＣＥ ", false, "price", true),
        ("exact", "Price", false, "prices", false),
        ("exact", "Price", true, "price", false),
        ("exact", "Price", true, "Price", true),
        ("exact", "价格", false, "价格", true),
        ("exact", "a b", false, "a\u{3000}b", true),
        ("contains", "价格", false, "请问价格是多少？", true),
        ("contains", "价格", false, "请问价 格", false),
        ("contains", "OK", false, "it is ｏk!", true),
        ("contains", "OK", true, "it is ok!", false),
        ("contains", "ПРИВЕТ", false, "ну, привет", true),
        ("regex", "^order (\\d+)$", false, "ORDER 42", true),
        ("regex", "^order (\\d+)$", true, "ORDER 42", false),
        ("regex", "^order (\\d+)$", false, "order x", false),
        ("regex", "退(货|款)", false, "我要退款", true),
    ] {
        assert_eq!(hears(how, pattern, as_is, text), expected, "{how} {pattern} {as_is}: {text}");
    }
}

#[test]
fn types_events_and_hours_match_as_the_table_says() {
    let at = |minutes: u64| MIDNIGHT + minutes * 60_000;
    let click = Subject { kind: "click", text: "k", media_id: "" };
    let image = Subject { kind: "image", text: "", media_id: "m" };
    let voice = Subject { kind: "voice", text: "价格", media_id: "m" };
    for (when, subject, now, expected) in [
        (json!({ "types": ["text"] }), said("x"), 0, true),
        (json!({ "types": ["image"] }), said("x"), 0, false),
        (json!({ "types": ["image"] }), image, 0, true),
        (json!({ "texts": [{ "match": "contains", "text": "价格" }] }), voice, 0, true),
        (json!({ "texts": [{ "match": "contains", "text": "k" }] }), click, 0, false),
        (json!({ "events": [{ "event": "click" }] }), click, 0, true),
        (json!({ "events": [{ "event": "click", "key": "k" }] }), click, 0, true),
        (json!({ "events": [{ "event": "click", "key": "K" }] }), click, 0, false),
        (json!({ "events": [{ "event": "scan", "key": "k" }] }), click, 0, false),
        (
            json!({ "types": ["text"], "hours": { "from": "09:00", "to": "18:00" } }),
            said("x"),
            at(539),
            false,
        ),
        (json!({ "types": ["text"], "hours": { "from": "09:00", "to": "18:00" } }), said("x"), at(540), true),
        (
            json!({ "types": ["text"], "hours": { "from": "09:00", "to": "18:00" } }),
            said("x"),
            at(1080),
            false,
        ),
        (
            json!({ "types": ["text"], "hours": { "from": "22:00", "to": "06:00" } }),
            said("x"),
            at(1380),
            true,
        ),
        (json!({ "types": ["text"], "hours": { "from": "22:00", "to": "06:00" } }), said("x"), at(60), true),
        (
            json!({ "types": ["text"], "hours": { "from": "22:00", "to": "06:00" } }),
            said("x"),
            at(720),
            false,
        ),
    ] {
        let book = book(json!({ "when": when, "reply": { "type": "silent" } }));
        assert_eq!(book.decide(&subject, now, false).is_some(), expected, "{when} {subject:?} {now}");
    }
    let off = book(json!({ "enabled": false, "when": { "types": ["text"] }, "reply": { "type": "echo" } }));
    assert!(off.decide(&said("x"), 0, false).is_none());
}

#[test]
fn replies_are_filled_in() {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let order = json!({ "texts": [{ "match": "regex", "text": "^order (\\d+)( fast)?" }] });
    for (template, expected) in [
        ("No. {1}, {text}!", Some("No. 7, order 7!")),
        ("{2}|{3}|{0}|{x}|{", Some("|{3}|{0}|{x}|{")),
        ("{text", Some("{text")),
        ("{2}", None),
    ] {
        let filled = says(order.clone(), text(template), &said("order 7"));
        assert_eq!(filled, expected.map(text), "{template}");
    }
    let long = says(json!({ "types": ["text"] }), text(&"{text}".repeat(300)), &said(&"价".repeat(600)));
    assert!((2046..=2048).contains(&long.unwrap()["text"].as_str().unwrap().len()));

    let echo = |kind: &'static str, text: &'static str, media_id: &'static str| {
        says(json!({ "types": [kind] }), json!({ "type": "echo" }), &Subject { kind, text, media_id })
    };
    assert_eq!(echo("text", "hi", ""), Some(text("hi")));
    assert_eq!(echo("image", "", "m"), Some(json!({ "type": "image", "media_id": "m" })));
    assert_eq!(echo("shortvideo", "", "m"), Some(json!({ "type": "video", "media_id": "m" })));
    assert_eq!(echo("location", "here", ""), None);
    assert_eq!(echo("text", "", ""), None);
}

#[test]
fn every_fault_of_a_document_is_found_at_once() {
    let document = json!({
        "name": 7, "enabled": "yes", "extra/~": 1,
        "when": {
            "texts": [{ "match": "like", "text": "x" }, { "match": "regex", "text": "(" }, { "match": "exact" }],
            "types": ["smell"],
            "events": [{ "event": "unsubscribe" }],
            "hours": { "from": "9:00", "to": "24:01" },
        },
        "reply": { "type": "news", "articles": [{ "title": "" }, {}], "text": "x" },
    });
    let mut found = faults_of(&document);
    found.sort();
    assert_eq!(
        found,
        [
            "/enabled",
            "/extra~1~0",
            "/name",
            "/reply/articles",
            "/reply/articles/0/title",
            "/reply/articles/1/title",
            "/reply/text",
            "/when/events/0/event",
            "/when/hours/from",
            "/when/hours/to",
            "/when/texts/0/match",
            "/when/texts/1/text",
            "/when/texts/2/text",
            "/when/types/0",
        ]
    );
}

#[test]
fn every_limit_of_a_document_is_kept() {
    for (document, pointer) in [
        (json!({ "when": {}, "reply": { "type": "echo" } }), "/when"),
        (json!({ "when": { "types": [] }, "reply": { "type": "echo" } }), "/when"),
        (json!({ "when": { "types": ["text"] } }), "/reply/type"),
        (
            json!({ "when": { "types": ["text"], "hours": { "from": "09:00", "to": "09:00" } }, "reply": { "type": "ai" } }),
            "/when/hours/to",
        ),
        (
            json!({ "when": { "types": ["text"] }, "reply": { "type": "text", "text": "x".repeat(2049) } }),
            "/reply/text",
        ),
        (json!({ "when": { "types": ["text"] }, "reply": { "type": "text", "text": " \n" } }), "/reply/text"),
        (json!({ "when": { "types": ["text"] }, "reply": { "type": "image" } }), "/reply/media_id"),
        (
            json!({ "when": { "texts": [{ "match": "exact", "text": "x".repeat(513) }] }, "reply": { "type": "ai" } }),
            "/when/texts/0/text",
        ),
        (
            json!({ "when": { "texts": [{ "match": "regex", "text": "\\w{1000}{1000}" }] }, "reply": { "type": "ai" } }),
            "/when/texts/0/text",
        ),
        (
            json!({ "when": { "texts": [{ "match": "regex", "text": "(a)".repeat(10) }] }, "reply": { "type": "ai" } }),
            "/when/texts/0/text",
        ),
        (
            json!({ "when": { "texts": vec![json!({ "match": "exact", "text": "x" }); 21] }, "reply": { "type": "ai" } }),
            "/when/texts",
        ),
    ] {
        assert!(
            faults_of(&document).iter().any(|found| found == pointer),
            "{pointer}: {:?}",
            faults_of(&document)
        );
    }
    let eight = json!({ "type": "news", "articles": vec![json!({ "title": "t" }); 8] });
    assert!(faults_of(&json!({ "when": { "events": [{ "event": "click" }] }, "reply": eight })).is_empty());
    assert_eq!(faults_of(&json!({ "when": { "types": ["text"] }, "reply": eight })), ["/reply/articles"]);
}

#[test]
fn the_consoles_replies_become_rules() {
    let keyword = |how: &str, text: &str| json!({ "type": "text", "match_mode": how, "content": text });
    let answer = json!({
        "is_add_friend_reply_open": 1, "is_autoreply_open": 1,
        "add_friend_autoreply_info": { "type": "text", "content": "Thanks!" },
        "message_default_autoreply_info": { "type": "img", "content": "m1" },
        "keyword_autoreply_info": { "list": [
            { "rule_name": "news", "reply_mode": "reply_all",
              "keyword_list_info": [keyword("contain", "news"), keyword("equal", "新闻")],
              "reply_list_info": [
                { "type": "news", "news_info": { "list": [
                    { "title": "t", "digest": "d", "cover_url": "https://p", "content_url": "https://c" }, { "title": "u" } ] } },
                { "type": "text", "content": "more" } ] },
            { "rule_name": "video", "keyword_list_info": [keyword("equal", "v")],
              "reply_list_info": [{ "type": "video", "content": "http://61.0.0.1/v.mp4" }, { "type": "voice", "content": "m2" }] },
            { "rule_name": "card", "keyword_list_info": [keyword("equal", "c")], "reply_list_info": [{ "type": "card" }] },
        ] },
    });
    let imported = import(&answer);
    assert_eq!(imported.welcome, Some(json!({ "type": "text", "text": "Thanks!" })));
    let rules = Value::from(imported.rules);
    assert_eq!(rules.as_array().unwrap().len(), 3);
    assert_eq!(
        rules[0],
        json!({ "name": "news", "enabled": true,
            "when": { "texts": [{ "match": "contains", "text": "news" }, { "match": "exact", "text": "新闻" }] },
            "reply": { "type": "news", "articles": [{ "title": "t", "description": "d", "pic_url": "https://p", "url": "https://c" }] } })
    );
    assert_eq!(rules[1]["reply"], json!({ "type": "voice", "media_id": "m2" }));
    assert_eq!((&rules[2]["enabled"], &rules[2]["reply"]["media_id"]), (&json!(false), &json!("m1")));
    let skipped: Vec<&str> = imported.skipped.iter().filter_map(|skip| skip["what"].as_str()).collect();
    assert_eq!(skipped, ["news", "news", "video", "card", "card", "默认回复 (default reply)"]);

    let nothing = import(&json!({ "errcode": 0 }));
    assert!(nothing.rules.is_empty() && nothing.welcome.is_none() && nothing.skipped.is_empty());
}

/// Patterns that a matcher with backtracking would need ages for, and other odd ones.
fn patterns() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("(a*)*b".to_owned()),
        Just("(a|a)*b".to_owned()),
        Just("^(\\w+\\s?)*$".to_owned()),
        Just("(x+x+)+y".to_owned()),
        "[a-c(){}*+?|\\[\\]^$.价]{0,24}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn matching_always_ends_and_replies_always_fit(
        pattern in patterns(),
        how in prop_oneof![Just("exact"), Just("contains"), Just("regex")],
        text in prop_oneof![Just("a".repeat(4000)), Just("x".repeat(3000)), "[a-c价 ]{0,80}", ".{0,80}"],
        template in "[{}a-z0-9]{1,40}|[{]text[}][{]1[}]x",
        kind in prop_oneof![Just("text"), Just("voice"), Just("image"), Just("click"), Just("nothing of ours")],
    ) {
        let document = json!({
            "when": { "texts": [{ "match": how, "text": pattern }], "types": ["image"], "events": [{ "event": "click" }] },
            "reply": { "type": "text", "text": template },
        });
        let mut faults = Faults::new();
        let rule = read::rule("id", &document, &mut faults);
        let book = Book { rules: vec![rule], welcome: None };
        let subject = Subject { kind, text: &text, media_id: "" };
        // Backtracking would take longer than the universe is old.
        if let Some(ruling) = book.decide(&subject, 0, false) {
            let wechat = reply::of(&ruling.reply).unwrap();
            prop_assert!(wechat.to_xml(&wxapi::wechat::OpenId::new("o"), &wxapi::wechat::OriginalId::new("g"), 0).is_ok());
        }
    }

    #[test]
    fn any_document_is_read_or_refused(document in json_value()) {
        let mut faults = Faults::new();
        read::rule("id", &document, &mut faults);
        import(&document);
        let wrapped = json!({ "when": document, "reply": document });
        read::rule("id", &wrapped, &mut faults);
        prop_assert!(!faults.is_empty());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("when"),
        Just("reply"),
        Just("type"),
        Just("texts"),
        Just("events"),
        Just("match"),
        Just("text"),
        Just("articles"),
        Just("hours"),
        Just("keyword_autoreply_info"),
        Just("list"),
        Just("reply_list_info"),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
