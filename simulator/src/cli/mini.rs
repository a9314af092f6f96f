//! `wx-sim mini`: what a person does in the account's Mini Program.

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::send::{Delivery, base64_of};
use super::{Ending, Trouble, Voice};
use crate::control::send::SendRequest;
use crate::mini_app::{Call, Deed, LoginWith, Outcome, Reader, Report, Say};
use crate::push::envelope::Format;
use crate::push::message::{Event, Page};
use crate::scenario::Brief;

/// What is done.
#[derive(Debug, Subcommand)]
pub enum Mini {
    /// Open it: wx.login, and its code to your server
    Login(Login),
    /// End the session
    Logout(Who),
    /// Say something to your server's API, and see the answer as it comes
    #[command(visible_alias = "stream")]
    Say(Words),
    /// Go on with an answer that broke off
    Resume(Who),
    /// List the conversations
    List(Who),
    /// Open a conversation
    Open(Named),
    /// Begin another conversation with the next message
    New(Who),
    /// Delete a conversation, or all of them without an id
    Delete(Maybe),
    /// Let your server decrypt open data: user_info, phone_number or we_run
    Decrypt(Named),
    /// Tap the phone-number button
    Phone(Who),
    /// Let your server check the signature of rawData
    Signature(Who),
    /// Call your server's API with the person's session
    Call(Path),
    /// A code alone, to be used by hand
    Code(Code),
    /// Say something to the Mini Program's customer service
    Window(Window),
}

#[derive(Debug, Args)]
pub struct Who {
    /// Who does it: any name, always the same openid
    #[arg(long = "as", value_name = "NAME", default_value = "xiaoming")]
    person: String,
    /// The port of the running `wx-sim dev` [default: 8788]
    #[arg(long)]
    port: Option<u16>,
}

#[derive(Debug, Args)]
pub struct Login {
    /// With the code of somebody whom WeChat distrusts (40226)
    #[arg(long, conflicts_with_all = ["used", "code"])]
    risky: bool,
    /// With a code that was exchanged before (40163)
    #[arg(long, conflicts_with = "code")]
    used: bool,
    /// With this code (40029, if WeChat did not give it)
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
pub struct Words {
    /// What is said
    text: String,
    /// A conversation's id, or new [default: the one that is open in the phone]
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// Take the answer in one piece
    #[arg(long)]
    whole: bool,
    /// Go away after so many pieces of the answer
    #[arg(long, value_name = "PIECES")]
    leave_after: Option<u32>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
pub struct Named {
    /// Which
    id: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
pub struct Maybe {
    /// Which; all of them without it
    id: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
pub struct Path {
    /// Its path, as /api/export
    path: String,
    /// The JSON that is sent
    body: Option<String>,
    /// GET, POST or DELETE [default: POST with a body, else GET]
    #[arg(long)]
    method: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
pub struct Code {
    /// That of the phone-number button
    #[arg(long)]
    phone: bool,
    /// That of somebody whom WeChat distrusts
    #[arg(long)]
    risky: bool,
    #[command(flatten)]
    who: Who,
}

/// A message to the customer service: a text, a picture, a page, or the opening of the chat.
#[derive(Debug, Args)]
#[group(id = "said", required = true, multiple = false, args = ["text", "image", "page", "enter"])]
pub struct Window {
    /// The text
    text: Option<String>,
    /// A picture
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// A page of the Mini Program, with its query
    #[arg(long, value_name = "PATH")]
    page: Option<String>,
    /// The title of the page's card
    #[arg(long, value_name = "TEXT", requires = "page", default_value = "")]
    title: String,
    /// Open the chat, from a place of this name
    #[arg(long, value_name = "FROM", num_args = 0..=1, default_missing_value = "")]
    enter: Option<String>,
    /// The notation of the message [default: as set, at first xml]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    delivery: Delivery,
}

impl Mini {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let (who, deed) = match self {
            Self::Window(window) => return window.run(voice).await,
            Self::Code(code) => return code.run(voice).await,
            Self::Say(words) => return words.run(voice).await,
            Self::Login(Login { risky, used, code, who }) => {
                (who, Deed::LoginWith(LoginWith { code, risky, used }))
            }
            Self::Logout(who) => (who, Deed::Logout),
            Self::Resume(who) => (who, Deed::Resume),
            Self::List(who) => (who, Deed::List),
            Self::New(who) => (who, Deed::New),
            Self::Phone(who) => (who, Deed::Phone),
            Self::Signature(who) => (who, Deed::Signature),
            Self::Open(Named { id, who }) => (who, Deed::Open(id)),
            Self::Delete(Maybe { id, who }) => (who, id.map_or(Deed::DeleteAll, Deed::Delete)),
            Self::Decrypt(Named { id, who }) => (who, Deed::Decrypt(serde_json::from_value(json!(id))?)),
            Self::Call(Path { path, body, method, who }) => {
                let body = body.map(|body| serde_json::from_str(&body)).transpose()?;
                (who, Deed::Call(Call { path, body, method, session: None }))
            }
        };
        let client = Client::find(who.port).await?;
        let report: Report = client.post("/_sim/mini/do", &order(&who.person, &deed)).await?;
        match (&deed, &report.reply) {
            (Deed::Resume, Some(reply)) => said(voice, reply),
            (Deed::New, _) => {
                voice.say(
                    voice.lang.pick("下一条消息开始新对话", "The next message begins another conversation"),
                );
            }
            (Deed::Call(_), _) => as_json(voice, &report),
            _ => answered(voice, &report),
        }
        Ok(ended(voice, &report))
    }
}

impl Words {
    /// Says it, and prints the answer as the phone shows it.
    async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let Self { text, conversation, whole, leave_after, who } = self;
        let client = Client::find(who.port).await?;
        voice.say(&format!("{} ▸ {text}", voice.paint.bold(&who.person)));
        let say = Say { text, conversation, leave_after, stream: Some(!whole), ..Say::default() };
        let order = order(&who.person, &Deed::Say(Brief(say)));
        let mut watch = client.events("/_sim/watch").await?;
        let (mut reader, mut shown) = (Reader::default(), Live::new(voice));
        // The first update tells what was there before.
        while shown.before.is_none() {
            let Some(bytes) = watch.next().await.ok().flatten() else { break };
            reader.read(&bytes).iter().for_each(|update| shown.update(&update.data));
        }
        let answer = client.post::<Report>("/_sim/mini/do", &order);
        tokio::pin!(answer);
        let report = loop {
            tokio::select! {
                report = &mut answer => break report?,
                bytes = watch.next() => match bytes {
                    Ok(Some(bytes)) => reader.read(&bytes).iter().for_each(|update| shown.update(&update.data)),
                    _ => break answer.await?,
                },
            }
        };
        shown.finish(report.reply.as_deref().unwrap_or_default());
        Ok(ended(voice, &report))
    }
}

impl Code {
    async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let client = Client::find(self.who.port).await?;
        let path = if self.phone { "/_sim/phone_code" } else { "/_sim/login_code" };
        let code: Value = client.post(path, &json!({ "as": self.who.person, "risky": self.risky })).await?;
        voice.say(code.get("code").and_then(Value::as_str).unwrap_or_default());
        Ok(Ending::Good)
    }
}

impl Window {
    async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let event = self.enter.map(|from| Event {
            kind: "user_enter_tempsession".to_owned(),
            key: None,
            fields: [("SessionFrom".to_owned(), json!(from))].into(),
        });
        let title = self.title;
        let request = SendRequest {
            mini: true,
            format: self.format,
            text: self.text,
            image: self.image.as_deref().map(base64_of).transpose()?,
            page: self.page.map(|path| Page { title, path, ..Page::default() }),
            event,
            ..SendRequest::default()
        };
        self.delivery.run(request, voice).await
    }
}

fn order(person: &str, deed: &Deed) -> Value {
    json!({ "as": person, "do": deed })
}

/// The answer of the Mini Program in a terminal, while it comes.
struct Live {
    voice: Voice,
    /// The messages that were there before; absent until that is known.
    before: Option<BTreeSet<u64>>,
    printed: String,
}

impl Live {
    fn new(voice: Voice) -> Self {
        Self { voice, before: None, printed: String::new() }
    }

    fn update(&mut self, update: &Value) {
        let messages = update.get("messages").and_then(Value::as_array).into_iter().flatten();
        let id = |message: &Value| message.get("id").and_then(Value::as_u64).unwrap_or_default();
        let Some(before) = &self.before else {
            self.before = Some(messages.map(id).collect());
            return;
        };
        let text = |message: &Value, name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
        let new = messages.filter(|message| !before.contains(&id(message)));
        let answers = new.filter(|message| text(message, "role").as_deref() == Some("assistant"));
        let texts: Vec<_> = answers.filter_map(|message| text(message, "text")).collect();
        texts.iter().for_each(|text| self.show(text));
    }

    fn show(&mut self, text: &str) {
        let mut out = stdout();
        let _ = match text.strip_prefix(&self.printed).filter(|_| !self.printed.is_empty()) {
            Some(more) => write!(out, "{}", more.replace('\n', "\n    ")),
            None if text.is_empty() => Ok(()),
            None if self.printed.is_empty() => write!(out, "{}", line(self.voice, text)),
            // The server took back what it had said.
            None => write!(out, "\n{}", line(self.voice, text)),
        };
        let _ = out.flush();
        text.clone_into(&mut self.printed);
    }

    fn finish(mut self, reply: &str) {
        self.show(reply);
        if !self.printed.is_empty() {
            self.voice.say("");
        }
    }
}

fn line(Voice { lang, paint }: Voice, text: &str) -> String {
    let who = lang.pick("小程序", "Mini Program");
    format!("{} ◂ {}", paint.bold(who), text.replace('\n', "\n    "))
}

fn said(voice: Voice, text: &str) {
    voice.say(&line(voice, text));
}

/// The server's answer as JSON; conversations as lines.
fn answered(voice: Voice, report: &Report) {
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| report.answer.get(name).and_then(Value::as_array);
    if let Some(conversations) = list("conversations") {
        if conversations.is_empty() {
            voice.say(voice.lang.pick("没有对话", "no conversations"));
        }
        for one in conversations {
            let (id, title) = (text(one, "id"), text(one, "title"));
            voice.say(&format!("{id}  {title}  {}", voice.paint.dim(&text(one, "status"))));
        }
    } else if let Some(messages) = list("messages") {
        for one in messages {
            voice.say(&format!("{}: {}", voice.paint.bold(&text(one, "role")), text(one, "content")));
        }
    } else {
        as_json(voice, report);
    }
}

fn as_json(voice: Voice, report: &Report) {
    if !report.answer.is_null() {
        voice.say(&report.answer.to_string());
    }
}

/// How it ended, in a line.
fn ended(voice: Voice, report: &Report) -> Ending {
    let Voice { lang, paint } = voice;
    let mut parts = Vec::new();
    parts.extend(report.status.map(|status| status.to_string()));
    if report.pieces > 0 {
        let first = report.first_ms.unwrap_or_default();
        let zh = format!("{} 段，首段 {first} 毫秒", report.pieces);
        let pieces = if report.pieces == 1 { "piece" } else { "pieces" };
        let en = format!("{} {pieces}, the first after {first} ms", report.pieces);
        parts.push(lang.pick(zh, en));
    }
    parts.extend(report.tokens_used.map(|tokens| format!("{tokens} tokens")));
    parts.extend(report.conversation_id.clone());
    if report.logins > 0 {
        parts.push(lang.pick("登录了", "logged in").to_owned());
    }
    let word = match report.outcome {
        Outcome::Done => "",
        Outcome::Pending => lang.pick("还在写", "still pending"),
        Outcome::Left => lang.pick("中途离开", "left in the middle"),
        Outcome::Broken => lang.pick("中断", "broke off"),
        Outcome::Refused => lang.pick("被拒绝", "refused"),
        Outcome::Unreachable => lang.pick("没有应答", "no answer"),
    };
    let error = report.error.as_deref().unwrap_or_default();
    let wait = report
        .retry_after_s
        .map(|seconds| lang.pick(format!("（{seconds} 秒后再试）"), format!("(again in {seconds} s)")));
    if !word.is_empty() {
        voice.say(&paint.red(format!("  ✗ {word} {error} {}", wait.unwrap_or_default()).trim_end()));
    }
    if !parts.is_empty() {
        voice.say(&paint.dim(&format!("  {}", parts.join("  "))));
    }
    // Whoever was told to leave did as told.
    if report.is_good() || report.outcome == Outcome::Left { Ending::Good } else { Ending::Bad }
}
