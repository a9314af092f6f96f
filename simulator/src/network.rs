//! What happens to pushes on their way to the target, as long as it is switched on.

use serde::{Deserialize, Serialize};

use crate::push::envelope::Tamper;

/// The longest delay of an answer: no delivery is waited for longer.
pub const SLOWEST_MS: u64 = 120_000;

/// The state of the way between WeChat and the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Every answer arrives so many milliseconds later.
    pub slow_ms: u64,
    /// A push that was answered is delivered once more.
    pub duplicate: bool,
    /// A push waits until another one has overtaken it, five seconds at most.
    pub out_of_order: bool,
    /// Every push arrives like this.
    pub tamper: Option<Tamper>,
    /// The answer to the first delivery of each push is lost on its way.
    pub cut: bool,
}
