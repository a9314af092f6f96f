//! The tokens that a website gets.

/// ID tokens and access tokens live this long, seconds.
pub const LIFETIME: u64 = 1_800;
