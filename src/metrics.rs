//! What is counted: series by their Prometheus text, and how much each grew since it was last brought away.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::platform::Millis;

/// Upper bounds of the histograms' buckets, in seconds and in milliseconds: from a cached answer to the longest that a
/// model may take.
const BUCKETS: [(&str, Millis); 8] = [
    ("0.25", 250),
    ("0.5", 500),
    ("1", 1_000),
    ("2.5", 2_500),
    ("5", 5_000),
    ("10", 10_000),
    ("30", 30_000),
    ("120", 120_000),
];

/// Series, each by its text (`wxapi_messages_total{type="text"}`), and their values; sums of seconds are in
/// milliseconds.
pub type Series = BTreeMap<String, u64>;

/// What the object with the counters can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// These grew by so much. Answer: nothing of interest.
    Add(Series),
    /// What is there? Answer: [`Series`].
    Read,
}

/// Counters of one isolate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// What grew since it was last taken.
    pub series: Series,
    /// Somebody is on the way to bring it away.
    pub on_the_way: bool,
}

impl Counters {
    /// More of `name`. Names and labels are words of this program or codes of WeChat's: few, and about nobody.
    pub fn add(&mut self, name: &str, labels: &[(&str, &str)], by: u64) {
        *self.series.entry(text(name, labels)).or_default() += by;
    }

    /// One more that took `span`, in a histogram of seconds.
    pub fn observe(&mut self, name: &str, labels: &[(&str, &str)], span: Millis) {
        let bucket = format!("{name}_bucket");
        for (bound, most) in BUCKETS {
            // All buckets are there from the beginning, so that rates can be formed.
            self.add(&bucket, &[labels, &[("le", bound)]].concat(), u64::from(span <= most));
        }
        self.add(&bucket, &[labels, &[("le", "+Inf")]].concat(), 1);
        self.add(&format!("{name}_sum"), labels, span);
        self.add(&format!("{name}_count"), labels, 1);
    }
}

/// A series and its value as Prometheus reads them.
pub fn line(series: &str, value: u64) -> String {
    let name = series.split('{').next().unwrap_or_default();
    if name.ends_with("_seconds_sum") {
        return format!("{series} {}.{:03}\n", value / 1_000, value % 1_000);
    }
    format!("{series} {value}\n")
}

/// A series' text.
fn text(name: &str, labels: &[(&str, &str)]) -> String {
    let mut text = name.to_owned();
    for (index, (label, value)) in labels.iter().enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        text.push_str(label);
        text.push_str("=\"");
        text.extend(value.chars().filter(|c| !matches!(c, '"' | '\\' | '\n')));
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
    text
}
