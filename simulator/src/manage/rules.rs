//! `wx rules`

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Wx;
use super::ask::go_on;
use super::columns::{Column, Kind, list, text};
use super::document::Document;
use super::menu::in_file;
use super::stop::{Ending, Stop};
use super::voice::{Voice, tame};
use crate::query;

#[derive(Debug, Subcommand)]
pub enum Rules {
    /// All rules, in their order
    List,
    /// One rule, as JSON
    Show { id: String },
    /// Add the rule of a file; or all of a list, such as `wx rules list --json` printed
    Add {
        /// JSON: {"name": …, "when": …, "reply": …}; - for standard input
        file: String,
    },
    /// Replace a rule by that of a file
    Set {
        id: String,
        /// JSON; - for standard input
        file: String,
    },
    /// Which rule would answer, and what; nobody is sent anything
    Test(Test),
    /// Take over the automatic replies of WeChat's console
    Import {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Delete a rule
    Delete {
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct Test {
    /// What somebody writes
    #[arg(required_unless_present_any = ["kind", "event"])]
    text: Option<String>,
    /// A message of another type: image, voice, …
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// An event: subscribe, click, scan, …
    #[arg(long, conflicts_with_all = ["kind", "text"])]
    event: Option<String>,
    /// The key of the event
    #[arg(long, requires = "event")]
    key: Option<String>,
    /// Try the rule of this file, which need not be added
    #[arg(long, value_name = "FILE")]
    rule: Option<String>,
}

const RULES: &[Column] = &[
    Column("编号", "id", "/id", Kind::Id),
    Column("名称", "name", "/name", Kind::Text),
    Column("启用", "enabled", "/enabled", Kind::Text),
    Column("条件", "when", "/when", Kind::Text),
    Column("回复", "reply", "/reply/type", Kind::Text),
    Column("改动", "changed", "/changed", Kind::Millis),
];

fn path(id: &str) -> String {
    format!("/admin/rules/{}", query::encode(id))
}

impl Rules {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let lang = wx.voice.lang;
        let said = match self {
            Self::List => return list(wx, "/admin/rules", "", RULES).await,
            Self::Test(test) => return test.run(wx).await,
            Self::Add { file } => return add(wx, &Document::read(&file)?).await,
            Self::Import { yes } => return import(wx, yes).await,
            Self::Show { id } => {
                let rule = wx.api.get(&path(&id)).await?;
                wx.voice.document(&rule);
                return Ok(Ending::Good);
            }
            Self::Set { id, file } => {
                let document = Document::read(&file)?;
                let said = wx.api.ask(Method::PUT, &path(&id), Some(document.text.clone())).await;
                said.map_err(|stop| in_file(stop, &document))?
            }
            Self::Delete { id, yes } => {
                go_on(wx, lang.pick("删除这条规则吗？", "Delete this rule?"), yes)?;
                wx.api.ask(Method::DELETE, &path(&id), None).await?
            }
        };
        wx.voice.answer(&said, || wx.voice.done(lang.pick("完成", "done")));
        Ok(Ending::Good)
    }
}

/// The rules of a file, each with a pointer to it.
fn rules_of(value: &Value) -> Vec<(String, &Value)> {
    let (base, items) = match value.get("items") {
        Some(items) => ("/items", items),
        None => ("", value),
    };
    match items.as_array() {
        Some(items) => {
            items.iter().enumerate().map(|(index, item)| (format!("{base}/{index}"), item)).collect()
        }
        None => vec![(String::new(), value)],
    }
}

/// One after the other; the first that is refused ends it, and what was added before stays.
async fn add(wx: &Wx, document: &Document) -> Result<Ending, Stop> {
    let rules = rules_of(&document.value);
    let many = rules.len() != 1 || !document.value.is_object();
    let mut made = Vec::new();
    for (pointer, rule) in rules {
        let answer = wx.api.post("/admin/rules", Some(rule.to_string())).await;
        let rule = answer.map_err(|mut stop| {
            if let Stop::Problem(problem) = &mut stop {
                problem.about(document, &pointer);
            }
            if made.is_empty() {
                return stop;
            }
            let words = wx.voice.lang.pick("之前的规则已经添加", "rules before it were added");
            stop.hint(&format!("{} {words}", made.len()))
        })?;
        if !wx.voice.json {
            let line = format!("{}  {}", wx.voice.paint.bold(&text(&rule, "/id")), text(&rule, "/name"));
            wx.voice.say(&wx.voice.done(&line));
        }
        made.push(rule);
    }
    if wx.voice.json {
        let one = made.pop().filter(|_| !many);
        wx.voice.document(&one.unwrap_or_else(|| json!({ "items": made })));
    }
    Ok(Ending::Good)
}

async fn import(wx: &Wx, yes: bool) -> Result<Ending, Stop> {
    let question = wx.voice.lang.pick(
        "把公众平台后台的自动回复导入为规则？此前导入的会被替换。",
        "Make rules of the console's automatic replies? They replace those of an earlier import.",
    );
    go_on(wx, question, yes)?;
    let said = wx.api.post("/admin/rules/import", None).await?;
    wx.voice.answer(&said, || {
        let mut lines = Vec::new();
        for rule in said.get("imported").and_then(Value::as_array).into_iter().flatten() {
            lines.push(wx.voice.done(&format!("{}  {}", text(rule, "/id"), text(rule, "/name"))));
        }
        if said.get("welcome") == Some(&Value::Bool(true)) {
            lines.push(wx.voice.done(wx.voice.lang.pick("关注后回复", "the welcome")));
        }
        for left in said.get("skipped").and_then(Value::as_array).into_iter().flatten() {
            lines.push(format!("! {}: {}", text(left, "/what"), text(left, "/reason")));
        }
        if lines.is_empty() {
            lines.push(
                wx.voice.paint.dim(wx.voice.lang.pick("（后台没有自动回复）", "(the console has none)")),
            );
        }
        lines.join("\n")
    });
    Ok(Ending::Good)
}

impl Test {
    async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let document = self.rule.as_deref().map(Document::read).transpose()?;
        let members = [
            ("text", self.text.map(Value::from)),
            ("type", self.kind.map(Value::from)),
            ("event", self.event.map(Value::from)),
            ("key", self.key.map(Value::from)),
            ("rule", document.as_ref().map(|document| document.value.clone())),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let body = Value::Object(given.collect()).to_string();
        let said = wx.api.post("/admin/rules/test", Some(body)).await?;
        wx.voice.answer(&said, || tried(wx.voice, &said));
        Ok(Ending::Good)
    }
}

fn tried(voice: Voice, said: &Value) -> String {
    let lang = voice.lang;
    let who = match text(said, "/answers").as_str() {
        "rule" => format!(
            "{} {}  {}",
            lang.pick("规则", "the rule"),
            text(said, "/rule/name"),
            text(said, "/rule/id")
        ),
        "model" => lang.pick("由模型回答", "the model answers").to_owned(),
        "command" => lang.pick("这是一个命令", "it is a command").to_owned(),
        "welcome" => lang.pick("关注后回复", "the welcome").to_owned(),
        "default" => lang.pick("默认回复", "the default reply").to_owned(),
        _ => lang.pick("不回复", "nothing is answered").to_owned(),
    };
    let reply = said.get("reply").filter(|reply| !reply.is_null());
    let reply = reply.map(|reply| match reply.get("text").and_then(Value::as_str) {
        Some(words) => words.lines().map(|line| format!("\n  │ {}", tame(line))).collect(),
        None => format!("\n  {}", tame(&reply.to_string())),
    });
    format!("{}{}", voice.paint.bold(&who), reply.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_rule_or_many() {
        let pointers =
            |value: Value| rules_of(&value).into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>();
        assert_eq!(pointers(json!({ "name": "a" })), [""]);
        assert_eq!(pointers(json!([{}, {}])), ["/0", "/1"]);
        assert_eq!(pointers(json!({ "items": [{}], "next": null })), ["/items/0"]);
        assert!(pointers(json!([])).is_empty());
    }
}
