//! What the account's object can be asked, apart from the access token itself.

use serde::{Deserialize, Serialize};

use super::record;

/// A question, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// About stored documents. Answer: [`record::Reply`].
    Record(record::Call),
}
