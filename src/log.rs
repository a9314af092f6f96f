//! Structured log lines: JSON with an event and a reason. A reason is in words of this program, with WeChat's
//! error codes and texts; whoever logs sees to it that no openid, message or secret is in it.

use std::fmt::Display;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something was refused or had to be tried again.
    Warn,
    /// Somebody should look.
    Error,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How bad it is.
    pub level: Level,
    /// What happened, as a dotted name: `callback.refused`, `model.failed`.
    pub event: &'static str,
    /// Why, in words made by this program.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Line {
    /// A line of level [`Level::Info`].
    pub fn info(event: &'static str, reason: impl Display) -> Self {
        Self::new(Level::Info, event, &reason)
    }

    /// A line of level [`Level::Warn`].
    pub fn warn(event: &'static str, reason: impl Display) -> Self {
        Self::new(Level::Warn, event, &reason)
    }

    /// A line of level [`Level::Error`].
    pub fn error(event: &'static str, reason: impl Display) -> Self {
        Self::new(Level::Error, event, &reason)
    }

    fn new(level: Level, event: &'static str, reason: &dyn Display) -> Self {
        Self { level, event, reason: reason.to_string() }
    }

    /// The line as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The line as JSON, with where it was written: `request` and its name, or `object` and its class.
    pub fn to_json_in(&self, place: Option<(&str, &str)>) -> String {
        let mut json = self.to_json();
        if let Some((what, name)) = place {
            // In front, since a reason can be long.
            json.insert_str(1, &format!("\"{what}\":{},", serde_json::Value::from(name)));
        }
        json
    }
}
