//! Notices: subscriptions, verification, customer service, authorisation, Mini Programs.

use super::super::xml::Fields;
use super::super::{AppId, MsgId, OpenId};
use super::Event;

/// A user's answer to one subscription request.
/// <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/subscribe-message.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionPopup {
    /// The template.
    pub template_id: String,
    /// `accept` rather than `reject`.
    pub accepted: bool,
    /// Where it was asked: 0 a Mini Program page, 1 and 2 other places.
    pub popup_scene: Option<u32>,
}

/// A subscription that a user changed later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// The template.
    pub template_id: String,
    /// `accept` rather than `reject`.
    pub accepted: bool,
}

/// The late result of one subscription message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionSent {
    /// The template.
    pub template_id: String,
    /// The message's number.
    pub msg_id: Option<MsgId>,
    /// 0 when it arrived.
    pub error_code: i64,
    /// The same for people.
    pub error_status: String,
}

/// A change of what a user allows.
/// <https://developers.weixin.qq.com/doc/service/guide/h5/authorization_change>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationChange {
    /// The person; the message's sender is WeChat.
    pub open_id: OpenId,
    /// The account or app it is about.
    pub app_id: AppId,
    /// What was taken back, by number: e.g. 205 nickname and picture, 206 position.
    pub revoke_info: Option<String>,
    /// The person across one owner's accounts.
    pub union_id: Option<String>,
    /// The Mini Program plugin.
    pub plugin_id: Option<AppId>,
    /// The person inside that plugin.
    pub open_pid: Option<String>,
}

/// The result of an asynchronous content check.
/// <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaCheck {
    /// The number that the request returned; the only thing that tells results of one second apart.
    pub trace_id: String,
    /// The Mini Program.
    pub app_id: AppId,
    /// What was found.
    pub verdict: MediaVerdict,
}

/// The two versions of the check's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaVerdict {
    /// Version 1.
    Risk {
        /// Whether the medium is harmful.
        is_risky: bool,
        /// 0 when the check ran.
        status_code: i64,
        /// More, as JSON; often empty.
        extra_info_json: String,
    },
    /// Version 2.
    Suggestion {
        /// 0 when the check ran; -1008 when the medium could not be downloaded.
        errcode: i64,
        /// The same for people.
        errmsg: String,
        /// `pass`, `review` or `risky`.
        suggest: String,
        /// What was found: 100 nothing, 10001 advertising, 20001 politics, …
        label: Option<i64>,
        /// The single strategies.
        details: Vec<MediaCheckDetail>,
    },
}

/// What one strategy of the check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaCheckDetail {
    /// The strategy, e.g. `content_model`.
    pub strategy: String,
    /// 0 when it ran.
    pub errcode: i64,
    /// `pass`, `review` or `risky`.
    pub suggest: String,
    /// See [`MediaVerdict::Suggestion`].
    pub label: Option<i64>,
    /// How sure it is, in percent.
    pub prob: Option<i64>,
}

pub(super) fn read(name: &str, fields: &Fields) -> Option<Event> {
    subscription(name, fields)
        .or_else(|| verification(name, fields))
        .or_else(|| customer_service(name, fields))
        .or_else(|| authorization(name, fields))
        .or_else(|| mini_program(name, fields))
}

fn subscription(name: &str, fields: &Fields) -> Option<Event> {
    Some(match name {
        "subscribe_msg_popup_event" => {
            Event::SubscribeMsgPopup(list(fields, "SubscribeMsgPopupEvent").map(popup).collect())
        }
        "subscribe_msg_change_event" => {
            Event::SubscribeMsgChange(list(fields, "SubscribeMsgChangeEvent").map(change).collect())
        }
        "subscribe_msg_sent_event" => {
            Event::SubscribeMsgSent(list(fields, "SubscribeMsgSentEvent").map(sent).collect())
        }
        _ => return None,
    })
}

/// XML wraps the list in an element of its own, JSON has it at the top.
fn list<'a>(fields: &'a Fields, wrapper: &str) -> impl Iterator<Item = &'a Fields> {
    fields.child(wrapper).unwrap_or(fields).children("List")
}

fn popup(entry: &Fields) -> SubscriptionPopup {
    SubscriptionPopup {
        template_id: entry.owned("TemplateId"),
        accepted: accepted(entry),
        popup_scene: entry.number("PopupScene"),
    }
}

fn change(entry: &Fields) -> SubscriptionChange {
    SubscriptionChange { template_id: entry.owned("TemplateId"), accepted: accepted(entry) }
}

fn sent(entry: &Fields) -> SubscriptionSent {
    SubscriptionSent {
        template_id: entry.owned("TemplateId"),
        msg_id: entry.filled("MsgID").map(MsgId::new),
        error_code: entry.number("ErrorCode").unwrap_or_default(),
        error_status: entry.owned("ErrorStatus"),
    }
}

fn accepted(entry: &Fields) -> bool {
    entry.get("SubscribeStatusString") == Some("accept")
}

/// <https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Wechat_Accreditation_Event_Push.html>
fn verification(name: &str, fields: &Fields) -> Option<Event> {
    let expired_time = || fields.number("ExpiredTime").unwrap_or_default();
    let fail_time = || fields.number("FailTime").unwrap_or_default();
    let fail_reason = || fields.owned("FailReason");
    Some(match name {
        "qualification_verify_success" => Event::QualificationVerifySuccess { expired_time: expired_time() },
        "qualification_verify_fail" => {
            Event::QualificationVerifyFail { fail_time: fail_time(), fail_reason: fail_reason() }
        }
        "naming_verify_success" => Event::NamingVerifySuccess { expired_time: expired_time() },
        "naming_verify_fail" => {
            Event::NamingVerifyFail { fail_time: fail_time(), fail_reason: fail_reason() }
        }
        "annual_renew" => Event::AnnualRenew { expired_time: expired_time() },
        "verify_expired" => Event::VerifyExpired { expired_time: expired_time() },
        _ => return None,
    })
}

fn customer_service(name: &str, fields: &Fields) -> Option<Event> {
    Some(match name {
        "kf_create_session" => Event::KfCreateSession { kf_account: fields.owned("KfAccount") },
        "kf_close_session" => Event::KfCloseSession {
            kf_account: fields.owned("KfAccount"),
            close_type: fields.optional("CloseType"),
        },
        "kf_switch_session" => Event::KfSwitchSession {
            from_kf_account: fields.owned("FromKfAccount"),
            to_kf_account: fields.owned("ToKfAccount"),
        },
        _ => return None,
    })
}

fn authorization(name: &str, fields: &Fields) -> Option<Event> {
    let change = || AuthorizationChange {
        open_id: OpenId::new(fields.owned("OpenID")),
        app_id: AppId::new(fields.owned("AppID")),
        revoke_info: fields.optional("RevokeInfo"),
        union_id: fields.optional("UnionID"),
        plugin_id: fields.filled("PluginID").map(AppId::new),
        open_pid: fields.optional("OpenPID"),
    };
    Some(match name {
        "user_info_modified" => Event::UserInfoModified(change()),
        "user_authorization_revoke" => Event::UserAuthorizationRevoke(change()),
        "user_authorization_cancellation" => Event::UserAuthorizationCancellation(change()),
        _ => return None,
    })
}

fn mini_program(name: &str, fields: &Fields) -> Option<Event> {
    Some(match name {
        "user_enter_tempsession" => Event::UserEnterTempSession { session_from: fields.owned("SessionFrom") },
        "wxa_media_check" => Event::WxaMediaCheck(MediaCheck {
            trace_id: fields.owned("trace_id"),
            app_id: AppId::new(fields.owned("appid")),
            verdict: verdict(fields),
        }),
        _ => return None,
    })
}

fn verdict(fields: &Fields) -> MediaVerdict {
    if let Some(is_risky) = fields.filled("isrisky") {
        return MediaVerdict::Risk {
            is_risky: is_risky == "1",
            status_code: fields.number("status_code").unwrap_or_default(),
            extra_info_json: fields.owned("extra_info_json"),
        };
    }
    let result = fields.child("result");
    MediaVerdict::Suggestion {
        errcode: fields.number("errcode").unwrap_or_default(),
        errmsg: fields.owned("errmsg"),
        suggest: result.map(|result| result.owned("suggest")).unwrap_or_default(),
        label: result.and_then(|result| result.number("label")),
        details: fields.children("detail").map(detail).collect(),
    }
}

fn detail(entry: &Fields) -> MediaCheckDetail {
    MediaCheckDetail {
        strategy: entry.owned("strategy"),
        errcode: entry.number("errcode").unwrap_or_default(),
        suggest: entry.owned("suggest"),
        label: entry.number("label"),
        prob: entry.number("prob"),
    }
}
