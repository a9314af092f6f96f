//! `wx mass`: messages to many. What went out cannot be called back, so sending asks for the number of people.

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Wx;
use super::ask::typed;
use super::columns::{Column, Kind, Part, facts, list, people, text};
use super::document::Document;
use super::menu::in_file;
use super::stop::{Ending, Stop};
use super::voice::{Voice, tame};
use crate::lang::Lang;
use crate::query;

#[derive(Debug, Subcommand)]
pub enum Mass {
    /// Write a message to many down; it is not sent
    Draft {
        /// JSON: {"name": …, "message": {"msgtype": …}, "audience": {"all": true}}; - for standard input
        file: String,
        /// In place of this one
        #[arg(long, value_name = "ID")]
        replace: Option<String>,
    },
    /// Drafts, and what was sent
    List {
        /// Only those of this stage: draft, checked, sending, done, …
        #[arg(long)]
        stage: Option<String>,
        #[command(flatten)]
        part: Part,
    },
    /// One of them, and what came of it
    Show { id: String },
    /// Check content, media, audience and rights; it is not sent
    Check { id: String },
    /// Send it to one person alone
    Preview(Preview),
    /// Send it, after showing how many get what
    Send(Send),
    /// Take the page of articles or a video away
    Stop {
        id: String,
        /// Only this article, counted from 1
        #[arg(long)]
        article: Option<u8>,
    },
    /// Delete a draft, or what is known of one that was sent
    Delete { id: String },
}

#[derive(Debug, Args)]
pub struct Preview {
    id: String,
    /// Their openid
    #[arg(
        long,
        value_name = "OPENID",
        allow_hyphen_values = true,
        required_unless_present = "to_wxname",
        conflicts_with = "to_wxname"
    )]
    to: Option<String>,
    /// Their WeChat id
    #[arg(long, value_name = "NAME")]
    to_wxname: Option<String>,
}

#[derive(Debug, Args)]
pub struct Send {
    id: String,
    /// Do not ask, if it is for exactly so many people
    #[arg(long, value_name = "N")]
    yes_send_to: Option<u64>,
    /// After an unknown outcome: the same again, by its confirmation. Nobody gets it twice
    #[arg(long, value_name = "CONFIRMATION", conflicts_with = "yes_send_to")]
    again: Option<String>,
}

const JOBS: &[Column] = &[
    Column("编号", "id", "/id", Kind::Id),
    Column("阶段", "stage", "/stage", Kind::Text),
    Column("名称", "name", "/name", Kind::Text),
    Column("类型", "type", "/message/msgtype", Kind::Text),
    Column("人数", "people", "/heads", Kind::Text),
    Column("改动", "changed", "/changed", Kind::Millis),
];
const PARTS: &[Column] = &[
    Column("阶段", "stage", "/stage", Kind::Text),
    Column("人数", "people", "/people", Kind::Text),
    Column("msg_id", "msg_id", "/msg_id", Kind::Id),
    Column("状态", "status", "/result/status", Kind::Text),
    Column("送达", "sent", "/result/sent", Kind::Text),
    Column("总数", "total", "/result/total", Kind::Text),
    Column("微信的答复", "WeChat said", "/error/errmsg", Kind::Text),
];

fn path(id: &str, rest: &str) -> String {
    format!("/admin/mass/{}{rest}", query::encode(id))
}

impl Mass {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let lang = wx.voice.lang;
        match self {
            Self::Draft { file, replace } => draft(wx, &file, replace.as_deref()).await,
            Self::List { stage, part } => {
                let path = format!("/admin/mass{}", part.query(&[("stage", stage.as_deref())]));
                list(wx, &path, "wx mass list --after", JOBS).await
            }
            Self::Show { id } => {
                let job = wx.api.get(&path(&id, "")).await?;
                wx.voice.answer(&job, || shown(wx.voice, &job));
                Ok(Ending::Good)
            }
            Self::Check { id } => {
                let job = wx.api.post(&path(&id, "/check"), None).await?;
                wx.voice.answer(&job, || checked(wx.voice, &job));
                Ok(Ending::Good)
            }
            Self::Preview(preview) => preview.run(wx).await,
            Self::Send(send) => send.run(wx).await,
            Self::Stop { id, article } => {
                let body = article.map_or(json!({}), |article| json!({ "article_idx": article }));
                let job = wx.api.post(&path(&id, "/stop"), Some(body.to_string())).await?;
                wx.voice.answer(&job, || wx.voice.done(lang.pick("页面已删除", "its page is taken away")));
                Ok(Ending::Good)
            }
            Self::Delete { id } => {
                let answer = wx.api.ask(Method::DELETE, &path(&id, ""), None).await?;
                wx.voice.answer(&answer, || wx.voice.done(lang.pick("已删除", "it is gone")));
                Ok(Ending::Good)
            }
        }
    }
}

async fn draft(wx: &Wx, file: &str, replace: Option<&str>) -> Result<Ending, Stop> {
    let document = Document::read(file)?;
    let body = Some(document.text.clone());
    let job = match replace {
        Some(id) => wx.api.ask(Method::PUT, &path(id, ""), body).await,
        None => wx.api.post("/admin/mass", body).await,
    };
    let job = job.map_err(|stop| in_file(stop, &document))?;
    wx.voice.answer(&job, || {
        let id = text(&job, "/id");
        let next = wx.voice.lang.pick("接下来", "next");
        format!("{}\n  → {next}: wx mass check {id}", wx.voice.done(&wx.voice.paint.bold(&id)))
    });
    Ok(Ending::Good)
}

impl Preview {
    async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        let body = match (&self.to, &self.to_wxname) {
            (Some(openid), _) => json!({ "touser": openid }),
            (None, name) => json!({ "towxname": name }),
        };
        let job = wx.api.post(&path(&self.id, "/preview"), Some(body.to_string())).await;
        let job = job.map_err(|stop| unchecked(stop, wx.voice.lang, &self.id))?;
        wx.voice.answer(&job, || {
            let words = wx.voice.lang.pick("已发送预览", "sent to this person alone");
            format!("{}\n  → wx mass send {}", wx.voice.done(words), self.id)
        });
        Ok(Ending::Good)
    }
}

/// What comes first.
fn unchecked(stop: Stop, lang: Lang, id: &str) -> Stop {
    let draft = |stage: Option<&Value>| stage.and_then(Value::as_str) == Some("draft");
    match stop {
        Stop::Problem(problem) if problem.kind() == "conflict" && draft(problem.body.get("stage")) => {
            let words = lang.pick("先检查", "first");
            Stop::Problem(problem).hint(&format!("{words}: wx mass check {id}"))
        }
        other => other,
    }
}

impl Send {
    /// 1. what goes out, and to whom
    /// 2. the people are counted, which chooses them
    /// 3. their number is typed
    /// 4. it is sent
    async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        if let Some(confirmation) = &self.again {
            return self.send(wx, confirmation).await;
        }
        let job = wx.api.get(&path(&self.id, "")).await?;
        wx.voice.say(&goes_out(wx.voice, &job));
        let confirm = wx.api.post(&path(&self.id, "/confirm"), None).await;
        let confirm = confirm.map_err(|stop| unchecked(stop, wx.voice.lang, &self.id))?;
        let heads = confirm.get("heads").and_then(Value::as_u64);
        let (Some(heads), Some(code)) = (heads, confirm.get("confirmation").and_then(Value::as_str)) else {
            return Err(Stop::Refused("the answer has no heads or no confirmation".to_owned()));
        };
        self.agreed(wx.voice, heads)?;
        self.send(wx, code).await
    }

    fn agreed(&self, voice: Voice, heads: u64) -> Result<(), Stop> {
        let lang = voice.lang;
        let nothing = lang.pick("什么也没有发送", "nothing was sent");
        let all = people(lang, heads);
        voice.say(&format!("{} {}", lang.pick("将发送给", "It goes to"), voice.paint.bold(&all)));
        if let Some(expected) = self.yes_send_to {
            if expected == heads {
                return Ok(());
            }
            let words = lang.pick("人数不符", "that is another number of people");
            return Err(Stop::Refused(format!("{words}: {expected} ≠ {heads}; {nothing}")));
        }
        let question = lang.pick(
            "发出后不能收回。输入人数以发送：",
            "It cannot be called back. Type the number of people to send it:",
        );
        if typed(question) == heads.to_string() {
            return Ok(());
        }
        Err(Stop::Refused(format!("{}; {nothing}", lang.pick("没有确认", "that was not the number"))))
    }

    async fn send(&self, wx: &Wx, confirmation: &str) -> Result<Ending, Stop> {
        let lang = wx.voice.lang;
        let body = json!({ "confirmation": confirmation }).to_string();
        let sent = wx.api.post(&path(&self.id, "/send"), Some(body)).await;
        let job = sent.map_err(|stop| {
            let unknown = match &stop {
                Stop::Problem(problem) => ["unknown-outcome", "unavailable"].contains(&problem.kind()),
                other => matches!(other, Stop::Unreachable(_)),
            };
            if !unknown {
                return stop;
            }
            let words =
                lang.pick("24 小时内重复不会多发", "the same again, which sends nothing twice for 24 hours");
            let hint = format!("{words}: wx mass send {} --again {confirmation}", self.id);
            if wx.voice.json {
                // The problem is for the program; this is for whoever reads its log.
                wx.voice.alert(&hint);
            }
            stop.hint(&hint)
        })?;
        wx.voice.answer(&job, || shown(wx.voice, &job));
        let failed = ["failed", "unknown"].contains(&text(&job, "/stage").as_str());
        Ok(if failed { Ending::Bad } else { Ending::Good })
    }
}

/// What people get, and who.
fn goes_out(voice: Voice, job: &Value) -> String {
    let content = job.pointer("/message/text/content").and_then(Value::as_str);
    let message = job.get("message").unwrap_or(&Value::Null);
    let shown = match content {
        // As it is: each line of it tamed, none left out.
        Some(content) => {
            content.lines().map(|line| format!("  │ {}", tame(line))).collect::<Vec<_>>().join("\n")
        }
        None => indented(&facts(message)),
    };
    let to = voice.lang.pick("对象", "to");
    let audience = facts(job.get("audience").unwrap_or(&Value::Null)).replace('\n', ", ");
    format!(
        "{}  {}\n{shown}\n  {to}: {audience}",
        voice.paint.bold(&text(job, "/name")),
        text(message, "/msgtype")
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn shown(voice: Voice, job: &Value) -> String {
    let stage = format!("{}  {}", voice.paint.bold(&text(job, "/id")), text(job, "/stage"));
    let mut lines = vec![stage, goes_out(voice, job)];
    if let Some(heads) = job.get("heads").and_then(Value::as_u64) {
        lines.push(format!("  {}", people(voice.lang, heads)));
    }
    if let Some(parts) = job.get("parts").and_then(Value::as_array).filter(|parts| !parts.is_empty()) {
        lines.push(super::columns::table(voice, PARTS, parts));
    }
    lines.join("\n")
}

fn checked(voice: Voice, job: &Value) -> String {
    let lang = voice.lang;
    let mut lines = vec![goes_out(voice, job)];
    for warning in job.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!("! {}", text(warning, "")));
    }
    let opens = job.get("opens").and_then(Value::as_u64).filter(|opens| *opens > 0);
    if let Some(opens) = opens {
        let words = lang.pick(
            "按 MASS_PER_HOUR 与 MASS_PER_DAY，最早发送时间",
            "by MASS_PER_HOUR and MASS_PER_DAY, not before",
        );
        lines.push(format!("! {words} {}", super::columns::time(opens / 1_000)));
    }
    let heads = job.get("heads").and_then(Value::as_u64).unwrap_or_default();
    lines.push(voice.done(&people(lang, heads)));
    let id = text(job, "/id");
    lines.push(format!("  → wx mass preview {id} --to OPENID, wx mass send {id}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Paint;

    fn voice() -> Voice {
        let plain = Paint::new(false);
        Voice { lang: Lang::En, json: true, paint: plain, alarm: plain, lively: false }
    }

    #[test]
    fn all_of_a_text_is_shown() {
        let job = json!({ "name": "n", "audience": { "tag_id": 2 }, "message": { "msgtype": "text", "text": { "content": "一\n\u{1b}[2Jtwo" } } });
        assert_eq!(goes_out(voice(), &job), "n  text\n  │ 一\n  │ \u{fffd}[2Jtwo\n  to: tag_id  2");
        let job = json!({ "name": "", "audience": { "all": true }, "message": { "msgtype": "mpnews", "mpnews": { "media_id": "D1" } } });
        assert!(goes_out(voice(), &job).contains("  mpnews.media_id  D1\n"));
    }

    #[test]
    fn only_the_exact_number_sends_without_asking() {
        let send = |expected| Send { id: "1".to_owned(), yes_send_to: Some(expected), again: None };
        assert!(send(3).agreed(voice(), 3).is_ok());
        for wrong in [0, 2, 4] {
            let Err(Stop::Refused(words)) = send(wrong).agreed(voice(), 3) else {
                panic!("{wrong} was taken")
            };
            assert!(words.ends_with("nothing was sent"), "{words}");
        }
    }
}
