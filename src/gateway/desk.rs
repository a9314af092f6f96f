//! What the account's object can be asked, apart from the access token for this Worker's own calls.

use serde::{Deserialize, Serialize};

use super::{record, token};

/// A question, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// About stored documents. Answer: [`record::Reply`].
    Record(record::Call),
    /// About the access token and tickets. The answer is said at each.
    Token(token::Call),
}
