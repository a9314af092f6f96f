//! Results of jobs: mass messages, template messages, publishing.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html>,
//! <https://developers.weixin.qq.com/doc/offiaccount/Publish/Callback_on_finish.html>

use super::super::MsgId;
use super::super::xml::Fields;
use super::Event;

/// How a mass message went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassSendJob {
    /// The number that the mass API returned as `msg_id`.
    pub msg_id: Option<MsgId>,
    /// Whether it was sent.
    pub status: MassSendStatus,
    /// Followers in the chosen audience.
    pub total_count: u64,
    /// Of them, those left after filters; sent plus errors.
    pub filter_count: u64,
    /// Delivered.
    pub sent_count: u64,
    /// Not delivered.
    pub error_count: u64,
    /// The originality check of articles.
    pub copyright_check: Option<CopyrightCheck>,
    /// Where the articles now stand.
    pub article_urls: Vec<ArticleUrl>,
}

/// The status text of a mass message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MassSendStatus {
    /// `send success`, also written without the blank.
    Success,
    /// `send fail`.
    Fail,
    /// `err(N)`: 10001 advertising, 20001 politics, 20002 pornography, 20004 society, 20006 crime, 20008 fraud,
    /// 20013 copyright, 21000 other, 22000 mutual promotion, 30001–30003 originality, 40001/40002 no confirmation.
    Error(u32),
    /// A text that we do not know.
    Other(String),
}

/// The originality check of a mass message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyrightCheck {
    /// 1 passed, 2 may be sent as reposts, 3 may not be sent.
    pub check_state: Option<u32>,
    /// The articles that it found something about.
    pub articles: Vec<CopyrightArticle>,
}

/// The originality check of one article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyrightArticle {
    /// Which article, from 1.
    pub article_idx: u32,
    /// What the author declared: 0 nothing, 1 original, 2 reposted.
    pub user_declare_state: u32,
    /// What WeChat found: 1 original, 2 not original, 3 unclear.
    pub audit_state: u32,
    /// The similar original.
    pub original_article_url: String,
    /// The similar original's type.
    pub original_article_type: u32,
    /// Whether reposting is allowed.
    pub can_reprint: bool,
    /// Whether the content must be replaced by the original's.
    pub need_replace_content: bool,
    /// Whether the source must be named.
    pub need_show_reprint_source: bool,
}

/// An article's place on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleUrl {
    /// Which article, from 1.
    pub idx: u32,
    /// Its address.
    pub url: String,
}

/// What became of a template message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSendStatus {
    /// `success`.
    Success,
    /// `failed:user block`: the user refuses messages of this account.
    UserBlock,
    /// `failed: system failed`.
    SystemFailed,
    /// A text that we do not know.
    Other(String),
}

/// How publishing went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishJob {
    /// The number that freepublish/submit returned.
    pub publish_id: String,
    /// Whether it worked.
    pub status: PublishStatus,
    /// The published article, when it worked.
    pub article_id: Option<String>,
    /// Where the articles now stand.
    pub article_urls: Vec<ArticleUrl>,
    /// The articles that failed, from 1.
    pub fail_idx: Vec<u32>,
}

/// `publish_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishStatus {
    /// 0.
    Success,
    /// 1: still going on.
    InProgress,
    /// 2: the originality check failed.
    OriginalityFailed,
    /// 3: failed for another reason.
    Failed,
    /// 4: the audit refused it.
    Refused,
    /// 5: published, then deleted by the account.
    Deleted,
    /// 6: published, then removed by WeChat.
    Banned,
    /// A number that we do not know, or none.
    Other(Option<u32>),
}

pub(super) fn read(name: &str, fields: &Fields) -> Option<Event> {
    Some(match name {
        "masssendjobfinish" => Event::MassSendJobFinish(Box::new(mass_send(fields))),
        "templatesendjobfinish" => Event::TemplateSendJobFinish {
            msg_id: msg_id(fields),
            status: template_status(fields.get("Status").unwrap_or_default()),
        },
        "publishjobfinish" => Event::PublishJobFinish(publish(fields.child("PublishEventInfo")?)),
        _ => return None,
    })
}

fn msg_id(fields: &Fields) -> Option<MsgId> {
    fields.filled("MsgID").or_else(|| fields.filled("MsgId")).map(MsgId::new)
}

fn mass_send(fields: &Fields) -> MassSendJob {
    let count = |name| fields.number(name).unwrap_or_default();
    MassSendJob {
        msg_id: msg_id(fields),
        status: mass_status(fields.get("Status").unwrap_or_default()),
        total_count: count("TotalCount"),
        filter_count: count("FilterCount"),
        sent_count: count("SentCount"),
        error_count: count("ErrorCount"),
        copyright_check: fields.child("CopyrightCheckResult").map(copyright_check),
        article_urls: fields
            .child("ArticleUrlResult")
            .map(|result| articles(result, "ResultList", "ArticleIdx", "ArticleUrl"))
            .unwrap_or_default(),
    }
}

fn mass_status(status: &str) -> MassSendStatus {
    let error = status.strip_prefix("err(").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
    match (status, error) {
        (_, Some(code)) => MassSendStatus::Error(code),
        ("send success" | "sendsuccess", _) => MassSendStatus::Success,
        ("send fail" | "sendfail", _) => MassSendStatus::Fail,
        (other, _) => MassSendStatus::Other(other.to_owned()),
    }
}

fn template_status(status: &str) -> TemplateSendStatus {
    let failure = status.strip_prefix("failed:").map(str::trim_start);
    match (status, failure) {
        ("success", _) => TemplateSendStatus::Success,
        (_, Some("user block")) => TemplateSendStatus::UserBlock,
        (_, Some("system failed")) => TemplateSendStatus::SystemFailed,
        (other, _) => TemplateSendStatus::Other(other.to_owned()),
    }
}

fn copyright_check(result: &Fields) -> CopyrightCheck {
    CopyrightCheck {
        check_state: result.number("CheckState"),
        articles: result
            .child("ResultList")
            .map(|list| list.children("item").map(copyright_article).collect())
            .unwrap_or_default(),
    }
}

fn copyright_article(item: &Fields) -> CopyrightArticle {
    let number = |name| item.number(name).unwrap_or_default();
    CopyrightArticle {
        article_idx: number("ArticleIdx"),
        user_declare_state: number("UserDeclareState"),
        audit_state: number("AuditState"),
        original_article_url: item.owned("OriginalArticleUrl"),
        original_article_type: number("OriginalArticleType"),
        can_reprint: number("CanReprint") == 1,
        need_replace_content: number("NeedReplaceContent") == 1,
        need_show_reprint_source: number("NeedShowReprintSource") == 1,
    }
}

fn publish(info: &Fields) -> PublishJob {
    PublishJob {
        publish_id: info.owned("publish_id"),
        status: publish_status(info.number("publish_status")),
        article_id: info.optional("article_id"),
        article_urls: articles(info, "article_detail", "idx", "article_url"),
        fail_idx: info.children("fail_idx").filter_map(|idx| idx.text().parse().ok()).collect(),
    }
}

fn publish_status(status: Option<u32>) -> PublishStatus {
    match status {
        Some(0) => PublishStatus::Success,
        Some(1) => PublishStatus::InProgress,
        Some(2) => PublishStatus::OriginalityFailed,
        Some(3) => PublishStatus::Failed,
        Some(4) => PublishStatus::Refused,
        Some(5) => PublishStatus::Deleted,
        Some(6) => PublishStatus::Banned,
        other => PublishStatus::Other(other),
    }
}

fn articles(fields: &Fields, list: &str, idx: &str, url: &str) -> Vec<ArticleUrl> {
    let read = |item: &Fields| ArticleUrl { idx: item.number(idx).unwrap_or_default(), url: item.owned(url) };
    fields.child(list).map(|list| list.children("item").map(read).collect()).unwrap_or_default()
}
