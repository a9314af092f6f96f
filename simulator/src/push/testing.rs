//! An account and a stamp for tests.

use super::envelope::Stamp;
use crate::account::Account;

/// Somebody of the account below.
pub const OPENID: &str = "oAbCd1234567890abcdefghijkl_";

/// An account with everything.
pub fn account() -> Account {
    let settings = [
        ("WECHAT_TOKEN", "test_token"),
        ("APP_ID", "wx5823bf96d3bd56c7"),
        ("APP_SECRET", "s3cret"),
        ("ENCODING_AES_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
    ];
    let find = |name: &str| settings.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
    Account::from_settings(find).unwrap()
}

/// A moment.
pub fn stamp() -> Stamp {
    Stamp { timestamp: 1_800_000_000, nonce: "1832145745".to_owned(), random: [7; 16] }
}
