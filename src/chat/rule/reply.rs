//! What a rule says, as JSON: `{"type": "text", "text": "…"}`.

use serde_json::Value;

use super::Subject;
use super::read::{Faults, fault, members, optional};
use crate::chat::history::clip;
use crate::json::json;
use crate::wechat::reply::{Article, NEWS_LIMIT, Reply, TEXT_LIMIT};
use crate::wechat::{OpenId, OriginalId};

/// A member of a reply: its name, and whether it must be there. Each is a text.
type Member = (&'static str, bool);

/// Every type of reply with its members, apart from the articles of `news`.
pub const KINDS: &[(&str, &[Member])] = &[
    ("text", &[("text", true)]),
    ("image", &[("media_id", true)]),
    ("voice", &[("media_id", true)]),
    ("video", &[("media_id", true), ("title", false), ("description", false)]),
    (
        "music",
        &[
            ("thumb_media_id", true),
            ("music_url", false),
            ("hq_music_url", false),
            ("title", false),
            ("description", false),
        ],
    ),
    ("news", &[]),
    ("hand_over", &[("kf_account", false)]),
    ("end_hand_over", &[("text", true)]),
    ("echo", &[]),
    ("ai", &[]),
    ("silent", &[]),
];
/// The members of an article, which must all be there, though they may be empty.
const ARTICLE: &[&str] = &["title", "description", "pic_url", "url"];
/// Those of [`KINDS`] that can welcome somebody.
const WELCOMES: &[&str] = &["text", "image", "voice", "video", "music", "news", "hand_over", "silent"];

/// What the reply answers: messages get one article, of more WeChat shows the first only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Messages, perhaps beside events.
    Messages,
    /// Events only.
    Events,
    /// `subscribe`, as the account's welcome.
    Welcome,
}

/// The type of a reply.
pub fn kind(reply: &Value) -> Option<&'static str> {
    let name = reply.get("type")?.as_str()?;
    KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == name)
}

/// Says what is wrong with a reply.
pub fn check(reply: &Value, pointer: &str, to: To, faults: &mut Faults) {
    let found = KINDS.iter().find(|(kind, _)| reply.get("type").and_then(Value::as_str) == Some(kind));
    let Some((kind, wanted)) = found.filter(|(kind, _)| to != To::Welcome || WELCOMES.contains(kind)) else {
        let all = KINDS.iter().map(|(kind, _)| *kind);
        let known: Vec<_> = all.filter(|kind| to != To::Welcome || WELCOMES.contains(kind)).collect();
        fault(faults, &[pointer, "/type"], format!("it must be one of: {}", known.join(", ")));
        return;
    };
    let mut names = vec!["type"];
    names.extend(wanted.iter().map(|(name, _)| *name));
    if *kind == "news" {
        names.push("articles");
        articles(reply, pointer, to, faults);
    }
    members(reply, &names, pointer, faults);
    for (name, required) in *wanted {
        optional(reply, name, TEXT_LIMIT, pointer, faults);
        let blank = || reply.get(*name).and_then(Value::as_str).is_some_and(|text| text.trim().is_empty());
        if *required && (reply.get(*name).is_none() || blank()) {
            fault(faults, &[pointer, "/", name], "it is missing, or blank");
        }
    }
}

fn articles(reply: &Value, pointer: &str, to: To, faults: &mut Faults) {
    let most = if to == To::Messages { 1 } else { NEWS_LIMIT };
    let list = reply.get("articles").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if list.is_empty() || list.len() > most {
        let detail = format!("a list of 1 to {most}: in answer to a message, WeChat shows one article only");
        fault(faults, &[pointer, "/articles"], detail);
    }
    for (index, article) in list.iter().enumerate() {
        let pointer = format!("{pointer}/articles/{index}");
        members(article, ARTICLE, &pointer, faults);
        for name in ARTICLE {
            optional(article, name, TEXT_LIMIT, &pointer, faults);
            if *name == "title" && text(article, name).is_none_or(|title| title.trim().is_empty()) {
                fault(faults, &[&pointer, "/title"], "it is missing, or blank");
            }
        }
    }
}

/// The reply to `subject` with everything filled in; `None` if it has nothing to say to it.
///
/// In a text, `{text}` is what was said and `{1}` to `{9}` are what the groups of the regular expression matched. What
/// gets too long is cut. An `echo` becomes what it echoes.
pub fn fill(reply: &Value, subject: &Subject<'_>, groups: &[String]) -> Option<Value> {
    let filled = match kind(reply)? {
        "text" => json!({ "type": "text", "text": replaced(text(reply, "text")?, subject.text, groups) }),
        "echo" => match (subject.kind, subject.media_id) {
            ("text", _) => json!({ "type": "text", "text": clip(subject.text, TEXT_LIMIT) }),
            (kind @ ("image" | "voice" | "video" | "shortvideo"), media_id) if !media_id.is_empty() => {
                let kind = if kind == "shortvideo" { "video" } else { kind };
                json!({ "type": kind, "media_id": media_id })
            }
            _ => return None,
        },
        _ => reply.clone(),
    };
    // A text can turn out empty; nobody may be shown WeChat's error line for that.
    let fits =
        of(&filled).is_none_or(|reply| reply.to_xml(&OpenId::new(""), &OriginalId::new(""), 0).is_ok());
    fits.then_some(filled)
}

fn replaced(template: &str, said: &str, groups: &[String]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(name, behind)| {
            let group = || name.parse::<usize>().ok().filter(|_| name.len() == 1)?.checked_sub(1);
            let value = if name == "text" { Some(said) } else { groups.get(group()?).map(String::as_str) };
            Some((value?, behind))
        });
        match value {
            Some((value, behind)) => {
                out.push_str(value);
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
        if out.len() > TEXT_LIMIT {
            break;
        }
    }
    out.push_str(rest);
    clip(&out, TEXT_LIMIT)
}

/// A filled reply as WeChat's; `None` if it is an order to us (`ai`, `end_hand_over`).
pub fn of(reply: &Value) -> Option<Reply> {
    let owned = |name| text(reply, name).unwrap_or_default().to_owned();
    let some = |name| text(reply, name).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(match kind(reply)? {
        "text" | "end_hand_over" => Reply::Text { content: owned("text") },
        "image" => Reply::Image { media_id: owned("media_id") },
        "voice" => Reply::Voice { media_id: owned("media_id") },
        "video" => Reply::Video {
            media_id: owned("media_id"),
            title: some("title"),
            description: some("description"),
        },
        "music" => Reply::Music {
            title: some("title"),
            description: some("description"),
            music_url: some("music_url"),
            hq_music_url: some("hq_music_url"),
            thumb_media_id: owned("thumb_media_id"),
        },
        "news" => Reply::News(reply.get("articles")?.as_array()?.iter().map(article).collect()),
        "hand_over" => Reply::TransferCustomerService { kf_account: some("kf_account") },
        "silent" => Reply::Success,
        _ => return None,
    })
}

fn article(article: &Value) -> Article {
    let owned = |name| text(article, name).unwrap_or_default().to_owned();
    Article {
        title: owned("title"),
        description: owned("description"),
        pic_url: owned("pic_url"),
        url: owned("url"),
    }
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
