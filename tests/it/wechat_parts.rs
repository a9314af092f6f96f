//! The parts of the callback: queries, sealed answers, keys, secrets, ids, signatures.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha1::{Digest, Sha1};
use wxapi::wechat::callback::{Envelope, Format, Keys, Query, WhichKey, seal};
use wxapi::wechat::crypto::{CryptoError, EncodingAesKey, KeyError};
use wxapi::wechat::signature::{sign, verify};
use wxapi::wechat::xml::{find_encrypt, parse_xml};
use wxapi::wechat::{AppId, MsgId, OpenId, OriginalId, Secret};

const TOKEN: &str = "the-secret-token";
const APP: &str = "wx0a1b2c3d4e5f6071";
const NEW: &str = "Vt1Q8mZr0KxYc3LdWb5HnGf7PaSjEu2Xo4Ti6Rw9BkM";
const OLD: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NOW: u64 = 1_790_000_000;

fn key(text: &str) -> EncodingAesKey {
    EncodingAesKey::parse(text).unwrap()
}

fn keys() -> Keys {
    Keys {
        token: Secret::new(TOKEN),
        app_id: Some(AppId::new(APP)),
        current: Some(key(NEW)),
        previous: Some(key(OLD)),
    }
}

fn envelope() -> Envelope {
    Envelope::Encrypted { key: WhichKey::Current, id: AppId::new(APP), format: Format::Xml }
}

#[test]
fn queries_are_decoded_where_they_are_encoded() {
    let query =
        Query::parse("nonce=a%2Bb+c%20d&timestamp=%E4%B8%AD&echostr=%zz%4&openid=%ff&&=&x=1&signature");
    assert_eq!(query.nonce, "a+b c d");
    assert_eq!(query.timestamp, "中");
    assert_eq!(query.echostr, "%zz%4");
    assert_eq!(query.openid, "%ff");
    assert_eq!((&*query.signature, &*query.msg_signature), ("", ""));
    assert_eq!(Query::parse("nonce=1&nonce=2").nonce, "1");
    assert_eq!(Query::parse(""), Query::default());
}

/// CBC by hand over single blocks, so that nothing is shared with the code under test but the block cipher.
fn decrypt_independently(encrypt: &str, encoding_aes_key: &str) -> Vec<u8> {
    let key = STANDARD.decode(format!("{encoding_aes_key}=")).unwrap();
    let cipher = Aes256::new(&Array::try_from(&key[..]).unwrap());
    let mut previous = key[..16].to_vec();
    let mut plain = Vec::new();
    for block in STANDARD.decode(encrypt).unwrap().chunks(16) {
        let mut decrypted = Array::try_from(block).unwrap();
        cipher.decrypt_block(&mut decrypted);
        plain.extend(decrypted.iter().zip(&previous).map(|(a, b)| a ^ b));
        previous = block.to_vec();
    }
    plain
}

#[test]
fn sealed_replies_open_with_an_independent_implementation() {
    let (keys, envelope) = (keys(), envelope());
    for length in 0..70 {
        let reply = format!("<xml>{}</xml>", "答".repeat(length));
        let sealed = parse_xml(&seal(&reply, &envelope, &keys, "n]]>", NOW, *b"0123456789abcdef")).unwrap();
        let field = |name: &str| sealed.get(name).unwrap();
        assert_eq!((field("TimeStamp"), field("Nonce")), (NOW.to_string().as_str(), "n]]>"));
        let mut parts = [TOKEN, &NOW.to_string(), "n]]>", field("Encrypt")];
        parts.sort();
        assert_eq!(field("MsgSignature"), sha1_hex(&parts.concat()));
        let plain = decrypt_independently(field("Encrypt"), NEW);
        let pad = usize::from(*plain.last().unwrap());
        assert!((1..=32).contains(&pad) && plain.len().is_multiple_of(32));
        let (text, padding) = plain.split_at(plain.len() - pad);
        assert!(padding.iter().all(|byte| usize::from(*byte) == pad));
        let mut expected = b"0123456789abcdef".to_vec();
        expected.extend((reply.len() as u32).to_be_bytes());
        expected.extend(reply.as_bytes());
        expected.extend(APP.as_bytes());
        assert_eq!(text, expected);
    }
}

fn sha1_hex(text: &str) -> String {
    Sha1::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn success_and_silence_are_never_encrypted() {
    let (keys, envelope) = (keys(), envelope());
    for reply in ["", "success"] {
        assert_eq!(seal(reply, &envelope, &keys, "n", NOW, [0; 16]), reply);
        assert_eq!(seal(reply, &Envelope::Plain, &keys, "n", NOW, [0; 16]), reply);
    }
    assert_eq!(seal("<xml/>", &Envelope::Plain, &keys, "n", NOW, [0; 16]), "<xml/>");
    let lost = Keys { current: None, ..keys };
    assert_eq!(seal("<xml/>", &envelope, &lost, "n", NOW, [0; 16]), "success");
}

#[test]
fn keys_are_43_characters_whose_spare_bits_do_not_matter() {
    for length in [0, 1, 42, 44, 64] {
        assert_eq!(EncodingAesKey::parse(&"A".repeat(length)).unwrap_err(), KeyError::Length);
    }
    for wrong in ['=', '-', '_', ' ', '\n'] {
        assert_eq!(EncodingAesKey::parse(&format!("{}{wrong}", &NEW[..42])).unwrap_err(), KeyError::Alphabet);
    }
    assert_eq!(EncodingAesKey::parse(&"键".repeat(15)[..43 + 2]).unwrap_err(), KeyError::Length);
    let sealed = key(NEW).encrypt([0; 16], "m", APP);
    for last in ['M', 'N', 'O', 'P'] {
        let spare = key(&format!("{}{last}", &NEW[..42]));
        assert_eq!(spare.decrypt(&sealed).unwrap().message, "m");
    }
    let next = key(&format!("{}Q", &NEW[..42]));
    assert_eq!(next.decrypt(&sealed).unwrap_err(), CryptoError::Padding);
}

/// What is before the padding, encrypted as it is.
fn encrypt_raw(bytes: &[u8]) -> String {
    let key = STANDARD.decode(format!("{NEW}=")).unwrap();
    let cipher = Aes256::new(&Array::try_from(&key[..]).unwrap());
    let mut previous = key[..16].to_vec();
    let mut sealed = Vec::new();
    for block in bytes.chunks(16) {
        let mixed: Vec<u8> = block.iter().zip(&previous).map(|(a, b)| a ^ b).collect();
        let mut encrypted = Array::try_from(&mixed[..]).unwrap();
        cipher.encrypt_block(&mut encrypted);
        previous = encrypted.to_vec();
        sealed.extend(encrypted);
    }
    STANDARD.encode(sealed)
}

/// Ends in 8, but only seven times.
fn uneven() -> [u8; 16] {
    let mut block = [8; 16];
    block[8] = 7;
    block
}

#[test]
fn broken_envelopes_say_what_is_broken() {
    let envelope = |length: u32, rest: &[u8]| {
        let mut bytes = [&[b'r'; 16], &length.to_be_bytes()[..], rest].concat();
        let pad = 32 - bytes.len() % 32;
        bytes.resize(bytes.len() + pad, pad as u8);
        encrypt_raw(&bytes)
    };
    assert_eq!(key(NEW).decrypt(&envelope(1, b"mid")).unwrap().id, "id");
    for (encrypt, error) in [
        ("=".to_owned(), CryptoError::Base64),
        (String::new(), CryptoError::Blocks),
        ("AAAA".to_owned(), CryptoError::Blocks),
        (STANDARD.encode([0; 33]), CryptoError::Blocks),
        (encrypt_raw(&[0; 32]), CryptoError::Padding),
        (encrypt_raw(&[33; 64]), CryptoError::Padding),
        (encrypt_raw(&[[7; 16], [8; 16], [9; 16], uneven()].concat()), CryptoError::Padding),
        (encrypt_raw(&[17; 16]), CryptoError::Padding),
        (encrypt_raw(&[16; 16]), CryptoError::Length),
        (encrypt_raw(&[13; 32]), CryptoError::Length),
        (envelope(4, b"mid"), CryptoError::Length),
        (envelope(u32::MAX, b"mid"), CryptoError::Length),
        (envelope(1, b"\xffid"), CryptoError::Utf8),
        (envelope(1, b"m\xff"), CryptoError::Utf8),
    ] {
        assert_eq!(key(NEW).decrypt(&encrypt), Err(error), "{encrypt}");
    }
}

#[test]
fn encrypt_is_found_where_it_is_and_nowhere_else() {
    for (body, found) in [
        ("<xml><Encrypt>AA+/=</Encrypt></xml>", Some("AA+/=")),
        ("<xml><Encrypt>\n <![CDATA[ AAAA ]]>\n</Encrypt></xml>", Some("AAAA")),
        ("\n<xml><!-- <Encrypt>BBBB</Encrypt> --><Encrypt>AAAA</Encrypt>", Some("AAAA")),
        ("<xml><Content><![CDATA[<Encrypt>BBBB</Encrypt>]]></Content><Encrypt>AAAA</Encrypt>", Some("AAAA")),
        ("<xml><Encrypted>BBBB</Encrypted><Encrypt>AAAA</Encrypt>", Some("AAAA")),
        ("<xml><Encrypt>AA AA</Encrypt></xml>", None),
        ("<xml><Encrypt>AAAA</Encrypted></xml>", None),
        ("<xml><Encrypt><![CDATA[AAAA</Encrypt></xml>", None),
        ("<xml><Encrypt>中文</Encrypt></xml>", None),
        ("<xml><Encrypt/></xml>", None),
        (r#"{"Encrypt":"AAAA"}"#, Some("AAAA")),
        (r#" {"a":{"b":[1,{}]},"Encrypt" : "AAAA"}"#, Some("AAAA")),
        (r#"{"a":"x\\","Encrypt":"AAAA"}"#, Some("AAAA")),
        (r#"{"a":"\",\"Encrypt\":\"BBBB\"","Encrypt":"AAAA"}"#, Some("AAAA")),
        (r#"{"a":"Encrypt","Encrypt":"AAAA"}"#, Some("AAAA")),
        (r#"{"a":{"Encrypt":"BBBB"},"Encrypt":"AAAA"}"#, Some("AAAA")),
        (r#"{"a":[{"Encrypt":"BBBB"}]}"#, None),
        (r#"{"Encrypt":"AA\/A"}"#, None),
        (r#"{"Encrypt":1}"#, None),
        (r#"["Encrypt","AAAA"]"#, None),
        ("", None),
    ] {
        assert_eq!(find_encrypt(body.as_bytes()), found, "{body}");
    }
    let at = |blanks: usize| " ".repeat(blanks) + "<Encrypt>AAAA</Encrypt>";
    assert_eq!(find_encrypt(at(65_536 - 23).as_bytes()), Some("AAAA"));
    assert_eq!(find_encrypt(at(65_536 - 22).as_bytes()), None);
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?} {:?}", keys(), OpenId::new("oTheSecretOpenId"));
    for secret in [TOKEN, NEW, OLD, &NEW[..8], "oTheSecretOpenId"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let secret = Secret::new("abc");
    assert!(secret.matches("abc") && secret == Secret::new("abc"));
    for other in ["", "ab", "abd", "abcd", "ABC"] {
        assert!(!secret.matches(other) && secret != Secret::new(other), "{other}");
    }
}

#[test]
fn ids_are_stored_as_plain_text() {
    assert_eq!(serde_json::to_string(&OpenId::new("o1")).unwrap(), r#""o1""#);
    assert_eq!(
        serde_json::to_string(&(AppId::new("w"), OriginalId::new("g"), MsgId::new("7"))).unwrap(),
        r#"["w","g","7"]"#
    );
    assert_eq!(serde_json::from_str::<OpenId>(r#""o1""#).unwrap(), OpenId::new("o1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The order of the parts does not matter, every byte of them does.
    #[test]
    fn signatures_depend_on_content_only(mut parts in proptest::collection::vec("[a-z0-9]{1,9}", 1..7)) {
        let given = |parts: &[String]| sign(&parts.iter().map(String::as_str).collect::<Vec<_>>());
        let before = given(&parts);
        parts.reverse();
        prop_assert_eq!(&before, &given(&parts));
        prop_assert!(verify(&parts.iter().map(String::as_str).collect::<Vec<_>>(), &before));
        parts[0].push('!');
        prop_assert_ne!(before, given(&parts));
    }
}
