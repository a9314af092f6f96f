//! Whatever arrives, nothing panics; and what was sealed opens.

use crate::wechat::{NEW, NOW, Push, keys, text};
use proptest::prelude::*;
use std::path::Path;
use wxapi::wechat::callback::{Query, open};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::message::Inbound;
use wxapi::wechat::xml::{XmlError, find_encrypt, parse_json, parse_xml};

/// Real documents, to be bent.
fn documents() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let kinds = ["inbound-xml", "inbound-json", "envelope-compat-xml"];
    let files = kinds.iter().flat_map(|kind| std::fs::read_dir(folder.join(kind)).unwrap());
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// What makes parsers stumble.
const PIECES: [&[u8]; 16] = [
    b"",
    b"<",
    b">",
    b"]]>",
    b"<![CDATA[",
    b"<Encrypt>",
    b"</xml>",
    b"&#",
    b"&amp",
    b"<!--",
    b"<!DOCTYPE",
    b"<?",
    b"\"",
    b"{",
    b"\\u",
    b"\xff",
];

/// A cut, a swap, an insertion or a repetition somewhere in a real document.
fn bent() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(&PIECES[..]);
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, pieces), 1..5);
    (prop::sample::select(documents()), edits).prop_map(|(document, edits)| {
        let mut bytes = document.into_bytes();
        for (at, cut, piece) in edits {
            let from = at.index(bytes.len() + 1);
            let to = bytes.len().min(from + cut);
            bytes.splice(from..to, piece.iter().copied());
        }
        bytes
    })
}

/// Everything that takes a body, behind a valid signature too: a bug must not need an honest sender.
fn feed(body: &[u8]) {
    let found = find_encrypt(body);
    assert!(found.is_none_or(|text| !text.is_empty() && text.is_ascii()));
    let document = String::from_utf8_lossy(body);
    let _ = parse_xml(&document);
    let _ = parse_json(&document);
    let _ = Inbound::parse(&document).map(|inbound| inbound.key());
    let signed = Push::plain(&document);
    let _ = signed.open(&keys(None, None));
    let _ = Push::secure(&document, NEW, "wx").open(&keys(Some(NEW), None));
    let _ = Push::around(found.unwrap_or_default(), &document).open(&keys(Some(NEW), None));
    let _ = open(&signed.query, body, &keys(None, None), NOW);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        feed(&body);
    }

    #[test]
    fn any_markup(body in "[<>/!\\[\\]CDATxml&;#0-9a-z\"{}:, \\\\-]{0,200}") {
        feed(body.as_bytes());
    }

    #[test]
    fn bent_documents(body in bent()) {
        feed(&body);
    }

    #[test]
    fn any_query(raw in "[a-z_=&%+0-9A-F中\\PC]{0,120}") {
        let query = Query::parse(&raw);
        let _ = open(&query, text("x").as_bytes(), &keys(None, None), NOW);
    }

    /// Percent-encoded or not, the same parameters are read.
    #[test]
    fn queries_come_back(nonce in "\\PC{0,30}", signature in "[0-9a-f]{0,40}") {
        let encoded: String = nonce.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let raw = format!("x=1&nonce={encoded}&signature={signature}");
        let query = Query::parse(&raw);
        prop_assert_eq!((&*query.nonce, &*query.signature), (nonce.as_str(), signature.as_str()));
    }

    #[test]
    fn any_ciphertext(encrypt in "[A-Za-z0-9+/=]{0,300}", blocks in proptest::collection::vec(any::<[u8; 32]>(), 0..6)) {
        use base64::Engine;
        let key = EncodingAesKey::parse(NEW).unwrap();
        let _ = key.decrypt(&encrypt);
        let _ = key.decrypt(&base64::engine::general_purpose::STANDARD.encode(blocks.concat()));
    }

    #[test]
    fn what_was_encrypted_opens(random: [u8; 16], message in "\\PC{0,200}", id in "[a-z0-9]{0,30}", bytes: [u8; 32]) {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        let key = EncodingAesKey::parse(&encoded).unwrap();
        let encrypt = key.encrypt(random, &message, &id);
        let opened = key.decrypt(&encrypt).unwrap();
        prop_assert_eq!((opened.random, opened.message, opened.id), (random, message, id));
        for body in [format!("<xml><Encrypt>{encrypt}</Encrypt></xml>"), format!("{{\"Encrypt\":\"{encrypt}\"}}")] {
            prop_assert_eq!(find_encrypt(body.as_bytes()), Some(encrypt.as_str()));
        }
    }

    /// A changed ciphertext is refused by its signature, whatever it would decrypt to.
    #[test]
    fn changed_ciphertexts_are_refused(at: prop::sample::Index, to in "[A-Za-z0-9+/]") {
        let push = Push::secure(&text("hello"), NEW, "wx0a1b2c3d4e5f6071");
        let encrypt = find_encrypt(&push.body).unwrap().to_owned();
        let mut changed = encrypt.clone();
        let at = at.index(encrypt.len());
        changed.replace_range(at..at + 1, &to);
        prop_assume!(changed != encrypt);
        let body = String::from_utf8(push.body.clone()).unwrap().replace(&encrypt, &changed);
        let refusal = open(&push.query, body.as_bytes(), &keys(Some(NEW), None), NOW).unwrap_err();
        prop_assert_eq!(refusal.status(), 403);
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |levels: usize| "<a>".repeat(levels) + "x" + &"</a>".repeat(levels);
    assert!(parse_xml(&format!("<xml>{}</xml>", nested(15))).is_ok());
    assert_eq!(parse_xml(&format!("<xml>{}</xml>", nested(16))), Err(XmlError::TooDeep));
    assert_eq!(parse_xml(&format!("<xml>{}", "<a>".repeat(100_000))), Err(XmlError::TooDeep));
    assert!(parse_xml(&format!("<xml>{}</xml>", "<a/>".repeat(1999))).is_ok());
    assert_eq!(parse_xml(&format!("<xml>{}</xml>", "<a/>".repeat(2000))), Err(XmlError::TooMany));
    let nested = |levels: usize| r#"{"a":"#.repeat(levels) + "1" + &"}".repeat(levels);
    assert!(parse_json(&nested(16)).is_ok());
    assert!(parse_json(&nested(17)).is_err());
    assert!(parse_json(&format!(r#"{{"a":{}"#, "[".repeat(100_000))).is_err());
    assert!(parse_json(&format!(r#"{{"a":[{}0]}}"#, "0,".repeat(1998))).is_ok());
    assert!(parse_json(&format!(r#"{{"a":[{}0]}}"#, "0,".repeat(2000))).is_err());
}

#[test]
fn names_begin_with_a_letter() {
    for (name, valid) in
        [("a", true), ("_a", true), ("中", true), ("1a", false), ("-a", false), ("!a", false)]
    {
        assert_eq!(parse_xml(&format!("<xml><{name}>x</{name}></xml>")).is_ok(), valid, "{name}");
    }
}

/// Beginnings without an end, as long as a body may be.
#[test]
fn hostile_bodies_hold_nothing() {
    for piece in ["<", "<![CDATA[", "<!--", "<Encrypt>", "]]>", "{\"", "\\\"", "\"Encrypt\":\"", "<Encrypt>A"]
    {
        let body = piece.repeat(64 * 1024 / piece.len());
        assert_eq!(find_encrypt(body.as_bytes()), None, "{piece}");
        assert_eq!(find_encrypt(format!("{{{body}").as_bytes()), None, "{piece}");
    }
}
