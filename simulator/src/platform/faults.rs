//! Faults that a test orders: the next calls of a path go wrong in a certain way.

use serde::{Deserialize, Serialize};

use crate::model::Always;

/// What goes wrong, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The path of the API, or `*` for every API.
    pub path: String,
    /// Answer this errcode instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errcode: Option<i64>,
    /// Answer this HTTP status with an error page instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Wait this long first, in milliseconds; alone, the answer then is the right one.
    #[serde(default)]
    pub delay_ms: u64,
    /// Close the connection without an answer.
    #[serde(default)]
    pub cut: bool,
    /// Answer only half, then close the connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half: bool,
    /// How many calls it hits: 1 without it.
    #[serde(default)]
    pub times: Times,
}

/// A number of calls, or `"always"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Times {
    /// The next so many calls.
    Next(u32),
    /// Every call, until the faults are set anew.
    Always(Always),
}

impl Default for Times {
    fn default() -> Self {
        Self::Next(1)
    }
}

/// The faults that are still to happen, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Faults {
    pending: Vec<Fault>,
}

impl Faults {
    /// Replaces all faults.
    pub fn set(&mut self, faults: Vec<Fault>) {
        self.pending = faults;
    }

    /// The faults that are still to happen.
    pub fn pending(&self) -> &[Fault] {
        &self.pending
    }

    /// Takes one use of the first fault for `path`.
    pub fn take(&mut self, path: &str) -> Option<Fault> {
        let index = self.pending.iter().position(|fault| fault.path == path || fault.path == "*")?;
        let fault = self.pending.get_mut(index)?;
        if let Times::Next(left) = &mut fault.times {
            *left = left.saturating_sub(1);
        }
        let taken = fault.clone();
        self.pending.retain(|fault| fault.times != Times::Next(0));
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_path_as_often_as_it_says() {
        let mut faults = Faults::default();
        let fault: Fault = serde_json::from_str(r#"{"path":"/a","errcode":-1,"times":2}"#).unwrap();
        let other: Fault = serde_json::from_str(r#"{"path":"*","cut":true}"#).unwrap();
        faults.set(vec![fault, other]);
        let hits: Vec<_> =
            (0..4).map(|_| faults.take("/a").map(|fault| (fault.errcode, fault.cut))).collect();
        assert_eq!(hits, [Some((Some(-1), false)), Some((Some(-1), false)), Some((None, true)), None]);
        assert!(faults.pending().is_empty());
        faults.set(vec![serde_json::from_str(r#"{"path":"/a","errcode":-1,"times":"always"}"#).unwrap()]);
        assert!((0..9).all(|_| faults.take("/a").is_some()) && faults.take("/b").is_none());
    }
}
