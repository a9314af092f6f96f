//! What is counted, and how Prometheus reads it.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::platform::Millis;

/// Upper bounds of the histograms' buckets, in seconds and in milliseconds: from a cached answer to the longest that a
/// model may take.
const BUCKETS: [(&str, Millis); 9] = [
    ("0.25", 250),
    ("0.5", 500),
    ("1", 1_000),
    ("2.5", 2_500),
    ("5", 5_000),
    ("10", 10_000),
    ("30", 30_000),
    ("120", 120_000),
    ("+Inf", Millis::MAX),
];

/// One isolate, and one of the objects, keeps at most so many series. There are some two hundred; a relay that makes up
/// errcodes must not fill the memory.
const MOST: usize = 1_000;

/// Every family: name, type, and what it counts. `docs/operations.md` describes the labels; whoever counts something new
/// adds a line.
pub const FAMILIES: [(&str, &str, &str); 14] = [
    (
        "wxapi_answers_total",
        "counter",
        "Answers by where people first saw them: delivery 1, 2, 3, retrieve, push.",
    ),
    ("wxapi_api_calls_total", "counter", "Calls of WeChat's API by errcode; 0 is success."),
    ("wxapi_callback_refusals_total", "counter", "Calls of /wechat that were refused, by reason."),
    (
        "wxapi_deliveries_total",
        "counter",
        "Deliveries by their number for the message, and what came of each.",
    ),
    ("wxapi_http_requests_total", "counter", "Requests by family of paths and class of the status."),
    ("wxapi_logins_total", "counter", "Logins to websites by method and result."),
    ("wxapi_mass_sends_total", "counter", "Broadcasts that were to go out, by outcome."),
    ("wxapi_messages_total", "counter", "Messages and events by type, and what was decided about each."),
    ("wxapi_model_attempts_total", "counter", "Calls of language models by outcome."),
    (
        "wxapi_model_seconds",
        "histogram",
        "Time until a language model had answered or was given up, repeats included.",
    ),
    (
        "wxapi_proxy_calls_total",
        "counter",
        "Calls of WeChat's API for other programs, by client and outcome.",
    ),
    ("wxapi_questions_total", "counter", "Questions by where their answer came from."),
    ("wxapi_rules_total", "counter", "Messages that a keyword rule answered, by kind of rule."),
    ("wxapi_token_refreshes_total", "counter", "Fetches of the account's access token by outcome."),
];

/// Series, each by its text (`wxapi_messages_total{type="text"}`), and their values. Sums of seconds are in milliseconds;
/// a bucket has only what lies between its bound and the one before. (A map of JSON's, because the code of another kind of
/// map is 10 kB.)
pub type Series = Map<String, Value>;

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
    /// Until then somebody is taken to be on the way to bring it away.
    pub on_the_way: Millis,
}

impl Counters {
    /// More of `name`. Names and labels are words of this program or codes of WeChat's: few, and about nobody.
    pub fn add(&mut self, name: &str, labels: &[(&str, &str)], by: u64) {
        add(&mut self.series, text(name, labels), by);
    }

    /// One more that took `span`, in a histogram of seconds.
    pub fn observe(&mut self, name: &str, labels: &[(&str, &str)], span: Millis) {
        let bound = BUCKETS.iter().find(|(_, most)| span <= *most).map_or("+Inf", |(bound, _)| bound);
        let labels_of_bucket = [labels, &[("le", bound)]].concat();
        self.add(&format!("{name}_bucket"), &labels_of_bucket, 1);
        self.add(&format!("{name}_sum"), labels, span);
    }
}

/// Adds to a series. A new one too many is left out.
pub fn add(all: &mut Series, series: String, by: u64) {
    if all.len() < MOST || all.contains_key(&series) {
        grow(all, series, by);
    }
}

/// Adds to a series, whether or not it is new.
pub fn grow(all: &mut Series, series: String, by: u64) {
    let before = all.get(&series).map_or(0, number);
    all.insert(series, before.saturating_add(by).into());
}

/// The number in a series.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// Everything, as Prometheus reads it: families in the order of [`FAMILIES`], then what is in none. `deployment` is
/// Cloudflare's name of the version that runs.
pub fn page(all: &Series, deployment: &str) -> String {
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("deployment", deployment)];
    let mut page = head("wxapi_build_info", "gauge", "Which release and which deployment answers; always 1.");
    page.push_str(&line(&text("wxapi_build_info", &labels), "1"));
    for (name, kind, help) in FAMILIES {
        let of_family = all.iter().filter(|(series, _)| family(series) == name);
        let lines: String = match kind {
            "histogram" => of_family.map(|(series, sum)| histogram(all, name, series, number(sum))).collect(),
            _ => of_family.map(|(series, value)| line(series, &number(value).to_string())).collect(),
        };
        if !lines.is_empty() {
            page.push_str(&head(name, kind, help));
            page.push_str(&lines);
        }
    }
    let is_known = |series: &str| FAMILIES.iter().any(|(name, ..)| family(series) == *name);
    let others = all.iter().filter(|(series, _)| !is_known(series));
    page.extend(others.map(|(series, value)| line(series, &number(value).to_string())));
    page
}

fn head(name: &str, kind: &str, help: &str) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n")
}

fn line(series: &str, value: &str) -> String {
    format!("{series} {value}\n")
}

/// The family that a series belongs to.
fn family(series: &str) -> &str {
    let name = series.split('{').next().unwrap_or_default();
    let parts = ["_bucket", "_sum"].iter().find_map(|part| name.strip_suffix(part));
    parts.filter(|stem| stem.ends_with("_seconds")).unwrap_or(name)
}

/// The buckets, sum and count of the histogram whose sum is `series`; nothing for another series of it.
fn histogram(all: &Series, name: &str, series: &str, sum: u64) -> String {
    let Some(labels) = series.strip_prefix(name).and_then(|rest| rest.strip_prefix("_sum")) else {
        return String::new();
    };
    let before = labels.strip_suffix('}').map_or("{".to_owned(), |labels| format!("{labels},"));
    let (mut lines, mut count) = (String::new(), 0);
    for (bound, _) in BUCKETS {
        let bucket = format!("{name}_bucket{before}le=\"{bound}\"}}");
        count += all.get(&bucket).map_or(0, number);
        lines.push_str(&line(&bucket, &count.to_string()));
    }
    let sum = format!("{}.{:03}", sum / 1_000, sum % 1_000);
    lines.push_str(&line(series, &sum));
    lines.push_str(&line(&format!("{name}_count{labels}"), &count.to_string()));
    lines
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
