//! `wx token`, `wx quota`, `wx audit` and `wx metrics`: how things stand.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Map, Value, json};

use super::Wx;
use super::columns::{Column, Kind, Part, facts, list, table, with_query};
use super::doctor;
use super::progress::Progress;
use super::stop::{Ending, Stop};
use super::voice::Voice;

#[derive(Debug, Subcommand)]
pub enum Token {
    /// How old it is, how long it lives, and what went wrong last
    Status,
    /// Fetch one now
    Refresh {
        /// End the one before, too; WeChat allows that 20 times a day
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub struct Quota {
    /// A path of WeChat's, such as /cgi-bin/message/custom/send; without it, those that run out most
    path: Option<String>,
}

#[derive(Debug, Args)]
pub struct Audit {
    /// Only this client of API_CLIENTS
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    #[command(flatten)]
    part: Part,
}

#[derive(Debug, Args)]
pub struct Metrics {}

const QUOTAS: &[Column] = &[
    Column("路径", "path", "/path", Kind::Id),
    Column("今日已用", "used today", "/quota/used", Kind::Text),
    Column("剩余", "left", "/quota/remain", Kind::Text),
    Column("每日上限", "of", "/quota/daily_limit", Kind::Text),
];
const CALLS: &[Column] = &[
    Column("编号", "number", "/number", Kind::Id),
    Column("时间", "at", "/at", Kind::Millis),
    Column("程序", "client", "/client", Kind::Text),
    Column("方法", "method", "/method", Kind::Text),
    Column("路径", "path", "/path", Kind::Text),
    Column("结果", "outcome", "/outcome", Kind::Text),
    Column("errcode", "errcode", "/errcode", Kind::Text),
    Column("毫秒", "ms", "/ms", Kind::Text),
];

impl Token {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let said = match self {
            Self::Status => wx.api.get("/admin/token").await?,
            Self::Refresh { force } => {
                let body = json!({ "force": force }).to_string();
                wx.api.post("/admin/token/refresh", Some(body)).await?
            }
        };
        wx.voice.answer(&said, || facts(&said));
        Ok(Ending::Good)
    }
}

impl Quota {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let Some(path) = &self.path else {
            let report = doctor::report(wx, Some("quota")).await?;
            wx.voice.answer(&report, || {
                let values = report.pointer("/checks/0/values").and_then(Value::as_object);
                values.map_or_else(|| doctor::words(wx.voice, &report), |values| quotas(wx.voice, values))
            });
            return Ok(Ending::Good);
        };
        let said =
            wx.api.get(&with_query("/admin/quota", [("cgi_path", Some(path.as_str()))].into_iter())).await?;
        wx.voice.answer(&said, || facts(&said));
        Ok(Ending::Good)
    }
}

/// A line for each path.
fn quotas(voice: Voice, values: &Map<String, Value>) -> String {
    let items: Vec<_> = values.iter().map(|(path, quota)| json!({ "path": path, "quota": quota })).collect();
    table(voice, QUOTAS, &items)
}

impl Audit {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let path = format!("/admin/audit{}", self.part.query(&[("client", self.client.as_deref())]));
        list(wx, &path, "wx audit --after", CALLS).await
    }
}

impl Metrics {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let arriving = wx.api.exchange(Method::GET, "/metrics", None, &mut Progress::quiet()).await?;
        let bytes = arriving.bytes().await?;
        let exposition = String::from_utf8_lossy(&bytes);
        if wx.voice.json {
            wx.voice.document(&json!({ "samples": samples(&exposition) }));
        } else {
            wx.voice.say(exposition.trim_end());
        }
        Ok(Ending::Good)
    }
}

/// The samples of Prometheus' text form: name, labels, value.
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
fn samples(exposition: &str) -> Vec<Value> {
    exposition.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Value> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let mut labels = Map::new();
    let mut rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"")?;
            let (value, behind) = quoted(behind)?;
            labels.insert(label.trim().to_owned(), Value::String(value));
            rest = behind.trim_start_matches([',', ' ']);
        }
        rest = rest.get(1..)?;
    }
    let value = rest.split_whitespace().next()?;
    // What is no number of JSON, such as +Inf, stays a text.
    let value =
        serde_json::from_str::<serde_json::Number>(value).map_or_else(|_| json!(value), Value::Number);
    Some(json!({ "name": name, "labels": labels, "value": value }))
}

/// A text up to its closing quote, and what is behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(index + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read() {
        let exposition = "# HELP a Words.\n# TYPE a counter\na{type=\"te\\\"x,t}\",outcome=\"q\"} 12\nb 0.5 1700000000\nc_bucket{le=\"+Inf\"} +Inf\n\n";
        let expected = [
            json!({ "name": "a", "labels": { "type": "te\"x,t}", "outcome": "q" }, "value": 12 }),
            json!({ "name": "b", "labels": {}, "value": 0.5 }),
            json!({ "name": "c_bucket", "labels": { "le": "+Inf" }, "value": "+Inf" }),
        ];
        assert_eq!(samples(exposition), expected);
    }
}
