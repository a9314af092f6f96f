//! Signatures of pushes: sort the parts by their bytes, join them, SHA-1, lower-case hex.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html>

use sha1::{Digest, Sha1};
use std::hint::black_box;

/// Characters of a signature: SHA-1 in hex.
const LENGTH: usize = 40;

/// Signs `parts`; their order does not matter.
///
/// `[token, timestamp, nonce]` gives `signature`, the same with `Encrypt` gives `msg_signature`.
pub fn sign(parts: &[&str]) -> String {
    hex(parts).iter().map(|byte| char::from(*byte)).collect()
}

/// Whether `given` signs `parts`. Takes the same time wherever the two differ; any length is accepted and compared.
pub fn verify(parts: &[&str], given: &str) -> bool {
    same(&hex(parts), given.as_bytes())
}

/// Compares in a time that depends on the lengths only.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let differences = left.iter().zip(right).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    left.len() == right.len() && differences == 0
}

/// No push signs more than four parts, so those are sorted without touching the heap.
fn hex(parts: &[&str]) -> [u8; LENGTH] {
    let mut few = [""; 4];
    let Some(sorted) = few.get_mut(..parts.len()) else {
        let mut many = parts.to_vec();
        many.sort_unstable();
        return digest(&many);
    };
    sorted.copy_from_slice(parts);
    sorted.sort_unstable();
    digest(sorted)
}

fn digest(sorted: &[&str]) -> [u8; LENGTH] {
    let mut hash = Sha1::new();
    for part in sorted {
        hash.update(part.as_bytes());
    }
    let mut text = [0; LENGTH];
    // Cannot fail: the digest is 20 bytes, the text twice as long.
    let _ = hex::encode_to_slice(hash.finalize(), &mut text);
    text
}
