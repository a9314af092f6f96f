//! Identifiers that look like WeChat's: openids, original ids, tokens, media ids, request ids.

use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest, Sha1};

/// Length of an openid in characters.
pub const OPENID_LENGTH: usize = 28;

/// Characters of an access token of ours. WeChat asks for room for 512 and gives 136 or more.
pub const TOKEN_LENGTH: usize = 139;

/// Unpredictable enough for nonces and test tokens; a simulator has no secret to keep, so this needs no crate.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        let word = RandomState::new().build_hasher().finish().to_le_bytes();
        for (byte, random) in chunk.iter_mut().zip(word) {
            *byte = random;
        }
    }
    bytes
}

/// A random decimal number of ten digits, the form of WeChat's nonces.
pub fn nonce() -> String {
    let number = u64::from_le_bytes(random_bytes());
    (1_000_000_000 + number % 9_000_000_000).to_string()
}

/// The openid of a person in one account: stable, so that `--as xiaoming` is the same user every day.
///
/// As with real ones, the first six characters are the account's. A name that already has the form of an openid is
/// used as it is, so that a real conversation can be replayed.
pub fn openid(app_id: &str, name: &str) -> String {
    if is_openid(name) {
        return name.to_owned();
    }
    let account = digest64(&["account", app_id]);
    let person = digest64(&["person", app_id, name]);
    format!("o{}{}", account.get(..5).unwrap_or_default(), person.get(..22).unwrap_or_default())
}

/// The openid of the same person in the Mini Program: another one, also of a person whose name is an openid. Only what
/// is an openid of the Mini Program already stays as it is.
pub fn mini_openid(app_id: &str, name: &str) -> String {
    let mini = openid(app_id, &format!("mini {name}"));
    if is_openid(name) && name.get(..6) == mini.get(..6) { name.to_owned() } else { mini }
}

/// Whether `text` has the form of an openid: 28 characters of `[A-Za-z0-9_-]`, the first an `o`.
pub fn is_openid(text: &str) -> bool {
    text.len() == OPENID_LENGTH && text.starts_with('o') && text.bytes().all(is_id_byte)
}

/// The original id (`gh_…`) under which callbacks name the account.
pub fn original_id(app_id: &str) -> String {
    let hex: String = Sha1::digest(app_id).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("gh_{hex}")
}

/// A new access token.
pub fn access_token() -> String {
    let random = URL_SAFE_NO_PAD.encode(random_bytes::<102>());
    format!("97_{random}")
}

/// A new code of web OAuth: 32 characters, as WeChat's.
pub fn oauth_code() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<24>())
}

/// The id of a person in one Open Platform account: stable, and the same for all of its apps.
pub fn unionid(open_app_id: &str, name: &str) -> String {
    let person = digest64(&["union", open_app_id, name]);
    format!("o6{}", person.get(..26).unwrap_or_default())
}

/// Whether `text` could be an access token of ours, live or not.
pub fn is_access_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.starts_with("97_") && text.bytes().all(is_id_byte)
}

/// A new media id.
pub fn media_id() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<48>())
}

/// A new ticket for the JS-SDK: 86 characters, as WeChat's.
pub fn ticket() -> String {
    let random = URL_SAFE_NO_PAD.encode(random_bytes::<63>());
    format!("HL{random}")
}

/// So many random characters of base62.
pub fn base62<const N: usize>() -> String {
    const CHARACTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let pick = |byte| CHARACTERS.get(usize::from(byte) % CHARACTERS.len()).copied().map(char::from);
    random_bytes::<N>().into_iter().filter_map(pick).collect()
}

/// A request id as at the end of WeChat's `errmsg`: seconds and two random words, in hex.
pub fn rid(now_ms: u64) -> String {
    let [a, b, c, d, e, f, g, h] = random_bytes::<8>();
    let seconds = now_ms / 1000;
    format!("{seconds:08x}-{a:02x}{b:02x}{c:02x}{d:02x}-{e:02x}{f:02x}{g:02x}{h:02x}")
}

/// Whether `text` has the form of a request id.
pub fn is_rid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &&str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == 3 && parts.iter().all(hex)
}

fn digest64(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(Sha1::digest(parts.join("\n")))
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_openid_is_stable_and_looks_real() {
        let ming = openid("wx5823bf96d3bd56c7", "小明");
        assert!(is_openid(&ming), "{ming}");
        assert_eq!(ming, openid("wx5823bf96d3bd56c7", "小明"));
        assert_ne!(ming, openid("wx5823bf96d3bd56c7", "小红"));
        assert_ne!(ming, openid("wx0000000000000000", "小明"), "each account sees another openid");
        assert_eq!(ming.get(..6), openid("wx5823bf96d3bd56c7", "小红").get(..6));
        assert_eq!(openid("wx0000000000000000", &ming), ming);
    }

    #[test]
    fn the_mini_program_sees_another_openid() {
        let [official, mini] = ["wx5823bf96d3bd56c7", "wx0000000000000001"];
        let known = openid(official, "小明");
        for name in ["小明", &known] {
            let there = mini_openid(mini, name);
            assert!(is_openid(&there) && there != known);
            assert_eq!(mini_openid(mini, &there), there);
        }
    }

    #[test]
    fn tokens_and_request_ids_have_their_form() {
        assert!(is_access_token(&access_token()));
        assert_ne!(access_token(), access_token());
        assert!(is_rid(&rid(1_700_000_000_000)) && !is_rid("") && !is_rid("65a0c1d2-0a1b2c3d"));
        assert!(
            base62::<15>().len() == 15 && base62::<15>().bytes().all(|byte| byte.is_ascii_alphanumeric())
        );
        assert_eq!(nonce().len(), 10);
        assert_eq!(original_id("wx5823bf96d3bd56c7").len(), 15);
    }
}
