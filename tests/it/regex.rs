//! Our regular expressions against those of `regex-lite`, which means the same by the same pattern.

use proptest::prelude::*;
use wxapi::chat::rule::regex::Regex;

/// Where the groups of the first match begin and end.
type Found = Option<Vec<Option<(usize, usize)>>>;

/// The groups of the first match, by us and by the other.
fn both(pattern: &str, any_case: bool, text: &str) -> (Found, Found) {
    let ours = Regex::new(pattern, any_case).unwrap().captures(text);
    let other = regex_lite::RegexBuilder::new(pattern).case_insensitive(any_case).build();
    let other = other.unwrap_or_else(|error| panic!("{pattern}: only we take it: {error}"));
    let groups = other.captures(text).map(|captures| {
        captures.iter().skip(1).map(|group| group.map(|group| (group.start(), group.end()))).collect()
    });
    (ours, groups)
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "aab",
    "order 42",
    "ORDER 42 x",
    "a\nb",
    "价格：10元",
    "x-y_z",
    "{1}",
    "a]b",
    "\u{7f}é\u{10ffff}",
];
const KNOWN: &[&str] = &[
    "",
    "a",
    "^a$",
    "a|b",
    "(a|ab)(c|bcd)?",
    "(a*)(b*)",
    "(a*)*",
    "(a*)+",
    "(a|b*)*",
    "(?:a|(b))*",
    "a??b",
    "(a+?)(a*)",
    "(a{2})",
    "a{1,}",
    "(a{0,2})(.*)",
    "^order (\\d+)",
    "(?i)Order (\\d+)",
    "[^a-z]+",
    "[\\w\\-]+",
    "\\D+",
    "\\W",
    "\\S+\\s",
    ".+",
    "价(格)?",
    "[一-龥]+",
    "\\{(1)\\}",
    "[\\]]",
    "()",
    "(|a)+",
    "$^",
    "a$|^",
    "(^a|b)+$",
    "\\.",
    "[\\d\\s]+",
    "[^\\w]",
    "[^\\W]",
    "((a)|b)*",
    "(a?){3}",
    "(a{0}){5}",
    "(?:(a)|(b)|c){2,3}?",
    "}",
    "]",
];

#[test]
fn what_is_known_means_what_it_should() {
    for pattern in KNOWN {
        for text in TEXTS {
            for any_case in [false, true] {
                let (ours, other) = both(pattern, any_case, text);
                assert_eq!(ours, other, "{pattern:?} {any_case} {text:?}");
            }
        }
    }
}

#[test]
fn what_is_not_known_is_refused_with_a_reason() {
    for pattern in [
        "(",
        ")",
        "a)",
        "[",
        "[]",
        "[^]",
        "[b-a]",
        "[a-\\d]",
        "[\\d-z]",
        "[[a]]",
        "*",
        "a**",
        "a{",
        "a{x}",
        "a{2,1}",
        "a{1001}",
        "{2}",
        "\\",
        "\\q",
        "\\1",
        "\\b",
        "\\pL",
        "(?P<n>a)",
        "(?=a)",
        "a(?i)",
        "(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)",
        "(?:a{100}){100}",
        "((((((((((a{0}){1000}){1000}){1000}){1000}))))))",
        "[a--b]",
        "[a&&b]",
        "[a~~b]",
    ] {
        assert!(!Regex::new(pattern, false).err().unwrap_or_default().is_empty(), "{pattern}");
    }
    assert!(Regex::new(&"(?:".repeat(21), false).is_err());
}

/// Patterns of all that is known.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[abB价]",
        Just(".".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned()),
        Just("\\d".to_owned()),
        Just("\\W".to_owned()),
        Just("[^a]".to_owned()),
        Just("[a-c1]".to_owned()),
        Just("[\\s价]".to_owned()),
        Just(String::new()),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| all.concat()),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("(?:{})", all.join("|"))),
            inner.clone().prop_map(|inner| format!("({inner})")),
            (inner, "[*+?]|[{][12][}]|[{]0,2[}]|[{]1,3[}]|[{]2,[}]", "[?]?")
                .prop_map(|(inner, times, lazy)| format!("(?:{inner}){times}{lazy}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn we_find_what_regex_lite_finds(pattern in pattern(), any_case: bool, text in "[aAbB1 价\n]{0,12}") {
        // Too many groups, or too large.
        prop_assume!(Regex::new(&pattern, any_case).is_ok());
        let (ours, other) = both(&pattern, any_case, &text);
        prop_assert_eq!(ours, other, "{:?} {} {:?}", pattern, any_case, text);
    }

    #[test]
    fn whatever_we_take_means_the_same(pattern in "[abB1(){}*+?|\\[\\]^$.,:\\\\dwS价-]{0,12}", text in "[aAbB1 价)\n]{0,12}") {
        if Regex::new(&pattern, false).is_ok() {
            let (ours, other) = both(&pattern, false, &text);
            prop_assert_eq!(ours, other, "{:?} {:?}", pattern, text);
        }
    }
}
