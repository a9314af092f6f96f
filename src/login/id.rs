//! The name of an attempt, which is that of its object too, and the texts that begin with one: what a QR code says,
//! a `state`, a code.

/// Hexadecimal digits of 128 random bits: an attempt's name, a cookie, the second half of a `state` or a code.
pub const DIGITS: usize = 32;
/// Hexadecimal digits of 96 random bits: the token behind the name in a QR code. Both fit into a parametric one's 64
/// characters.
pub const TOKEN_DIGITS: usize = 24;

/// Whether `text` is so many hexadecimal digits, in small letters as we write them.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether `text` can be the name of an attempt. Anything else would make an object of any name.
pub fn is_login_id(text: &str) -> bool {
    is_hex(text, DIGITS)
}

/// A token of [`TOKEN_DIGITS`].
pub fn token(random: [u8; 16]) -> String {
    let [token @ .., _, _, _, _] = random;
    hex::encode::<[u8; TOKEN_DIGITS / 2]>(token)
}

/// The name of an attempt and the `digits` that follow it; `None` if `text` is anything else.
pub fn split(text: &str, digits: usize) -> Option<(&str, &str)> {
    text.split_at_checked(DIGITS).filter(|(login, rest)| is_login_id(login) && is_hex(rest, digits))
}
