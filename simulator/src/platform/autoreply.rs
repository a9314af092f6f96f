//! The automatic replies that the account's owner set in the console.
//!
//! They only have an effect at WeChat while no server is configured, so here they are only told.
//! <https://developers.weixin.qq.com/doc/service/api/autoreply/api_getcurrentautoreplyinfo>

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call};
use super::errcode::Errcode;

/// The family's APIs.
pub const APIS: &[Api] = &[Api::get("/cgi-bin/get_current_autoreply_info", Right::Basic, current)];

/// What is set, in WeChat's own form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoReplies {
    /// 1: who begins to follow gets a reply.
    pub is_add_friend_reply_open: u8,
    /// 1: messages get replies.
    pub is_autoreply_open: u8,
    /// The reply to who begins to follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_friend_autoreply_info: Option<Reply>,
    /// The reply to what no rule knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_default_autoreply_info: Option<Reply>,
    /// The rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_autoreply_info: Option<Rules>,
}

/// The rules, wrapped as WeChat wraps them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The rules.
    pub list: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub rule_name: String,
    /// When it was made, in Unix seconds.
    #[serde(default)]
    pub create_time: u64,
    /// Whether one reply is given, or all.
    #[serde(default)]
    pub reply_mode: ReplyMode,
    /// The words.
    pub keyword_list_info: Vec<Keyword>,
    /// The replies.
    pub reply_list_info: Vec<Reply>,
}

/// Which replies of a rule are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyMode {
    /// All of them.
    #[default]
    ReplyAll,
    /// Any one.
    RandomOne,
}

/// A word that a rule waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// Its type; WeChat has only `text`.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// How it is compared.
    pub match_mode: MatchMode,
    /// The word.
    pub content: String,
}

/// How a word is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchMode {
    /// The message contains it.
    Contain,
    /// The message is it.
    Equal,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A text, a media id, or the address of a video.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// The articles of `news`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news_info: Option<News>,
}

/// Types of words and replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    Text,
    /// A picture.
    Img,
    /// A voice.
    Voice,
    /// A video.
    Video,
    /// Articles.
    News,
}

/// Articles, wrapped as WeChat wraps them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// The articles.
    pub list: Vec<Article>,
}

/// An article.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Article {
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// Its summary.
    pub digest: String,
    /// 1: the cover is shown in the text.
    pub show_cover: u8,
    /// The cover's address.
    pub cover_url: String,
    /// The article's address.
    pub content_url: String,
    /// The address of the original.
    pub source_url: String,
}

/// `GET /cgi-bin/get_current_autoreply_info?access_token=…`
fn current(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    Ok(ApiReply::Json(json!(call.state.auto_replies)))
}
