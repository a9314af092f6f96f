//! What a message to many may be.
//! <https://developers.weixin.qq.com/doc/service/api/notify/message/api_sendall>

use serde_json::Value;

use super::super::fields::{Field, Rule, fault, faults, may, must};
use super::super::problem::{Fault, Problem};
use super::super::{Visit, ask};
use crate::gateway::send::SendError;
use crate::json::json;
use crate::platform::Platform;
use crate::wechat::api::{ApiRequest, Body, Method, post_json};

const KINDS: &[&str] = &["text", "mpnews", "image", "voice", "mpvideo", "wxcard"];
/// `media_id`s, `card_id`s.
const ID: Rule = Rule::Text(128);
/// There is no such medium.
const NO_MEDIUM: i64 = 40007;

/// The members of each kind. Texts have the limit of customer-service messages; of pictures, 20 go out together.
const MEMBERS: &[(&str, &[Field])] = &[
    ("text", &[must("/text/content", Rule::Bytes(2048))]),
    ("mpnews", &[must("/mpnews/media_id", ID), may("/send_ignore_reprint", Rule::Number(0, 1))]),
    (
        "image",
        &[
            must("/images/media_ids", Rule::Texts(1, 20)),
            may("/images/recommend", Rule::Note(300)),
            may("/images/need_open_comment", Rule::Number(0, 1)),
            may("/images/only_fans_can_comment", Rule::Number(0, 1)),
        ],
    ),
    ("voice", &[must("/voice/media_id", ID)]),
    (
        "mpvideo",
        &[
            must("/mpvideo/media_id", ID),
            may("/mpvideo/title", Rule::Note(64)),
            may("/mpvideo/description", Rule::Note(120)),
        ],
    ),
    ("wxcard", &[must("/wxcard/card_id", ID)]),
];

fn kind(message: &Value) -> &str {
    message.get("msgtype").and_then(Value::as_str).unwrap_or_default()
}

/// What is wrong with the message. Its audience is none of its members.
pub fn faults_of(message: &Value) -> Vec<Fault> {
    let mut found = faults(message, &[must("/msgtype", Rule::Choice(KINDS))]);
    let members = MEMBERS.iter().find(|(name, _)| *name == kind(message));
    found.extend(members.into_iter().flat_map(|(_, fields)| faults(message, fields)));
    for name in ["touser", "towxname", "filter", "clientmsgid"] {
        if message.get(name).is_some() {
            found.push(fault(format!("/{name}"), "is no member of a message: say it as the audience"));
        }
    }
    found.into_iter().map(|(at, detail)| fault(format!("/message{at}"), detail)).collect()
}

/// What is not wrong, but worth a look.
pub fn warnings(message: &Value) -> Vec<&'static str> {
    let text = message.pointer("/text/content").and_then(Value::as_str).unwrap_or_default();
    let found = [
        (text.contains("http://"), "the text has a link without https, before which WeChat warns"),
        (
            matches!(kind(message), "mpvideo" | "wxcard"),
            "WeChat has no call to see whether the video or card is there",
        ),
    ];
    found.into_iter().filter_map(|(is, words)| is.then_some(words)).collect()
}

/// The media that are not there.
pub async fn media_faults<P: Platform>(visit: &Visit<'_, P>, message: &Value) -> Result<Vec<Fault>, Problem> {
    let mut found = Vec::new();
    for at in media(message) {
        let id = message.pointer(&at).and_then(Value::as_str).unwrap_or_default();
        if !is_there(visit, kind(message), id).await? {
            found.push(fault(format!("/message{at}"), "is no medium of this account, or not any more"));
        }
    }
    Ok(found)
}

/// Where the message names media that can be asked for.
fn media(message: &Value) -> Vec<String> {
    let pictures = message.pointer("/images/media_ids").and_then(Value::as_array).map_or(0, Vec::len);
    match kind(message) {
        kind @ ("mpnews" | "voice") => vec![format!("/{kind}/media_id")],
        "image" => (0..pictures).map(|number| format!("/images/media_ids/{number}")).collect(),
        _ => Vec::new(),
    }
}

/// Articles are drafts or, from older days, material; other media are temporary or material.
async fn is_there<P: Platform>(visit: &Visit<'_, P>, kind: &str, id: &str) -> Result<bool, Problem> {
    let asked = json!({ "media_id": id });
    let first = if kind == "mpnews" {
        post_json("/cgi-bin/draft/get", &asked)
    } else {
        let query = vec![("media_id", id.to_owned())];
        ApiRequest { method: Method::Get, path: "/cgi-bin/media/get", query, body: Body::Empty }
    };
    let material = post_json("/cgi-bin/material/get_material", &asked);
    Ok(exists(visit, &first).await? || exists(visit, &material).await?)
}

/// A file is answered as it is: a picture is no JSON, and there it is.
async fn exists<P: Platform>(visit: &Visit<'_, P>, request: &ApiRequest) -> Result<bool, Problem> {
    match ask(visit, request).await {
        Ok(_) => Ok(true),
        Err(SendError::Unknown(reason)) if reason == crate::wechat::api::NO_OBJECT => Ok(true),
        Err(SendError::Refused(error)) if error.errcode == NO_MEDIUM => Ok(false),
        Err(error) => Err(error.into()),
    }
}
