//! The claims of events, see `vectors_claims`.

use crate::vectors_claims::Claims;
use wxapi::wechat::event::{
    ArticleUrl, AuthorizationChange, CopyrightArticle, CopyrightCheck, Event, MassSendJob, MassSendStatus,
    MediaCheck, MediaCheckDetail, MediaVerdict, PictureSource, PublishJob, PublishStatus, SubscribeSource,
    TemplateSendStatus,
};

/// Every event that has a variant of its own, in lower case.
pub const EVENTS: [&str; 33] = [
    "subscribe",
    "unsubscribe",
    "scan",
    "location",
    "click",
    "view",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
    "view_miniprogram",
    "masssendjobfinish",
    "templatesendjobfinish",
    "publishjobfinish",
    "subscribe_msg_popup_event",
    "subscribe_msg_change_event",
    "subscribe_msg_sent_event",
    "qualification_verify_success",
    "qualification_verify_fail",
    "naming_verify_success",
    "naming_verify_fail",
    "annual_renew",
    "verify_expired",
    "kf_create_session",
    "kf_close_session",
    "kf_switch_session",
    "user_info_modified",
    "user_authorization_revoke",
    "user_authorization_cancellation",
    "user_enter_tempsession",
    "wxa_media_check",
];

pub fn event(claims: &mut Claims, event: &Event) {
    claims.text("Event", name(event));
    if !(menu(claims, event) || account(claims, event) || job(claims, event)) {
        notice(claims, event);
    }
}

fn name(event: &Event) -> &str {
    match event {
        Event::Subscribe { .. } => "subscribe",
        Event::Unsubscribe => "unsubscribe",
        Event::Scan { .. } => "scan",
        Event::Location { .. } => "location",
        Event::Click { .. } => "click",
        Event::View { .. } => "view",
        Event::ScanCode { waits: false, .. } => "scancode_push",
        Event::ScanCode { waits: true, .. } => "scancode_waitmsg",
        Event::Pictures { source: PictureSource::SysPhoto, .. } => "pic_sysphoto",
        Event::Pictures { source: PictureSource::PhotoOrAlbum, .. } => "pic_photo_or_album",
        Event::Pictures { source: PictureSource::Weixin, .. } => "pic_weixin",
        Event::LocationSelect { .. } => "location_select",
        Event::ViewMiniProgram { .. } => "view_miniprogram",
        Event::MassSendJobFinish(_) => "masssendjobfinish",
        Event::TemplateSendJobFinish { .. } => "templatesendjobfinish",
        Event::PublishJobFinish(_) => "publishjobfinish",
        Event::SubscribeMsgPopup(_) => "subscribe_msg_popup_event",
        Event::SubscribeMsgChange(_) => "subscribe_msg_change_event",
        Event::SubscribeMsgSent(_) => "subscribe_msg_sent_event",
        Event::QualificationVerifySuccess { .. } => "qualification_verify_success",
        Event::QualificationVerifyFail { .. } => "qualification_verify_fail",
        Event::NamingVerifySuccess { .. } => "naming_verify_success",
        Event::NamingVerifyFail { .. } => "naming_verify_fail",
        Event::AnnualRenew { .. } => "annual_renew",
        Event::VerifyExpired { .. } => "verify_expired",
        Event::KfCreateSession { .. } => "kf_create_session",
        Event::KfCloseSession { .. } => "kf_close_session",
        Event::KfSwitchSession { .. } => "kf_switch_session",
        Event::UserInfoModified(_) => "user_info_modified",
        Event::UserAuthorizationRevoke(_) => "user_authorization_revoke",
        Event::UserAuthorizationCancellation(_) => "user_authorization_cancellation",
        Event::UserEnterTempSession { .. } => "user_enter_tempsession",
        Event::WxaMediaCheck(_) => "wxa_media_check",
        Event::Other { name } => name,
    }
}

fn account(claims: &mut Claims, event: &Event) -> bool {
    match event {
        Event::Subscribe { source, ticket } => {
            claims.text("EventKey", event_key(source)).optional("Ticket", ticket.as_deref());
        }
        Event::Unsubscribe => {}
        Event::Scan { scene, ticket } => {
            claims.text("EventKey", scene).optional("Ticket", ticket.as_deref());
        }
        Event::Location { latitude, longitude, precision } => {
            claims.text("Latitude", latitude).text("Longitude", longitude).text("Precision", precision);
        }
        _ => return false,
    }
    true
}

fn event_key(source: &SubscribeSource) -> String {
    match source {
        SubscribeSource::Plain => String::new(),
        SubscribeSource::QrScene(scene) => format!("qrscene_{scene}"),
        SubscribeSource::LastTradeNo(number) => format!("last_trade_no_{number}"),
        SubscribeSource::ScanBarcode { standard, key } => format!("scanbarcode|{standard}|{key}"),
        SubscribeSource::ScanImage { standard, key } => format!("scanimage|{standard}|{key}"),
        SubscribeSource::Other(key) => {
            let known = ["qrscene_", "last_trade_no_"].iter().any(|prefix| key.starts_with(prefix));
            if known { format!("not taken off: {key}") } else { key.clone() }
        }
    }
}

fn menu(claims: &mut Claims, event: &Event) -> bool {
    match event {
        Event::Click { key } => {
            claims.text("EventKey", key);
        }
        Event::View { url, menu_id } => {
            claims.text("EventKey", url).optional("MenuId", menu_id.as_deref());
        }
        Event::ViewMiniProgram { page_path, menu_id } => {
            claims.text("EventKey", page_path).optional("MenuId", menu_id.as_deref());
        }
        Event::ScanCode { key, scan_type, scan_result, waits: _ } => {
            claims
                .text("EventKey", key)
                .text("ScanCodeInfo/ScanType", scan_type)
                .text("ScanCodeInfo/ScanResult", scan_result);
        }
        Event::Pictures { key, count, md5_sums, source: _ } => {
            claims.text("EventKey", key).number("SendPicsInfo/Count", count);
            claims.list("SendPicsInfo/PicList/item", md5_sums.len());
            for (index, md5) in md5_sums.iter().enumerate() {
                claims.text(format!("SendPicsInfo/PicList/item/{index}/PicMd5Sum"), md5);
            }
        }
        Event::LocationSelect { key, latitude, longitude, scale, label, poi_name } => {
            claims
                .text("EventKey", key)
                .text("SendLocationInfo/Location_X", latitude)
                .text("SendLocationInfo/Location_Y", longitude)
                .text("SendLocationInfo/Scale", scale)
                .text("SendLocationInfo/Label", label)
                .text("SendLocationInfo/Poiname", poi_name);
        }
        _ => return false,
    }
    true
}

fn job(claims: &mut Claims, event: &Event) -> bool {
    match event {
        Event::MassSendJobFinish(job) => mass_send(claims, job),
        Event::TemplateSendJobFinish { msg_id, status } => {
            let status = match status {
                TemplateSendStatus::Success => "success",
                TemplateSendStatus::UserBlock => "failed:user block",
                TemplateSendStatus::SystemFailed => "failed: system failed",
                TemplateSendStatus::Other(other) => other,
            };
            claims.optional("MsgID|MsgId", msg_id.as_ref().map(|id| id.as_str())).text("Status", status);
        }
        Event::PublishJobFinish(job) => publish(claims, job),
        _ => return false,
    }
    true
}

fn mass_send(claims: &mut Claims, job: &MassSendJob) {
    let status = match &job.status {
        MassSendStatus::Success => "sendsuccess".to_owned(),
        MassSendStatus::Fail => "sendfail".to_owned(),
        MassSendStatus::Error(code) => format!("err({code})"),
        MassSendStatus::Other(other) => other.clone(),
    };
    claims
        .optional("MsgID|MsgId", job.msg_id.as_ref().map(|id| id.as_str()))
        .text("Status", status)
        .number("TotalCount", job.total_count)
        .number("FilterCount", job.filter_count)
        .number("SentCount", job.sent_count)
        .number("ErrorCount", job.error_count);
    if let Some(check) = &job.copyright_check {
        copyright(claims, check);
    }
    let list = "ArticleUrlResult/ResultList/item";
    articles(claims, &job.article_urls, list, "ArticleIdx", "ArticleUrl");
    claims.number("ArticleUrlResult/Count", job.article_urls.len());
}

fn copyright(claims: &mut Claims, check: &CopyrightCheck) {
    let path = "CopyrightCheckResult/ResultList/item";
    claims.number("CopyrightCheckResult/Count", check.articles.len());
    claims.number("CopyrightCheckResult/CheckState", check.check_state.unwrap_or_default());
    claims.list(path, check.articles.len());
    for (index, article) in check.articles.iter().enumerate() {
        let CopyrightArticle { article_idx, user_declare_state, audit_state, .. } = article;
        claims
            .number(format!("{path}/{index}/ArticleIdx"), article_idx)
            .number(format!("{path}/{index}/UserDeclareState"), user_declare_state)
            .number(format!("{path}/{index}/AuditState"), audit_state)
            .text(format!("{path}/{index}/OriginalArticleUrl"), &article.original_article_url)
            .number(format!("{path}/{index}/OriginalArticleType"), article.original_article_type)
            .number(format!("{path}/{index}/CanReprint"), u8::from(article.can_reprint))
            .number(format!("{path}/{index}/NeedReplaceContent"), u8::from(article.need_replace_content))
            .number(
                format!("{path}/{index}/NeedShowReprintSource"),
                u8::from(article.need_show_reprint_source),
            );
    }
}

fn publish(claims: &mut Claims, job: &PublishJob) {
    let status = match job.status {
        PublishStatus::Success => 0,
        PublishStatus::InProgress => 1,
        PublishStatus::OriginalityFailed => 2,
        PublishStatus::Failed => 3,
        PublishStatus::Refused => 4,
        PublishStatus::Deleted => 5,
        PublishStatus::Banned => 6,
        PublishStatus::Other(number) => number.unwrap_or_default(),
    };
    claims
        .text("PublishEventInfo/publish_id", &job.publish_id)
        .number("PublishEventInfo/publish_status", status)
        .optional("PublishEventInfo/article_id", job.article_id.as_deref())
        .list("PublishEventInfo/fail_idx", job.fail_idx.len());
    for (index, idx) in job.fail_idx.iter().enumerate() {
        claims.number(format!("PublishEventInfo/fail_idx/{index}"), idx);
    }
    // WeChat's own count may disagree with the list, so the list is what is read.
    claims.known("PublishEventInfo/article_detail/count");
    articles(claims, &job.article_urls, "PublishEventInfo/article_detail/item", "idx", "article_url");
}

fn articles(claims: &mut Claims, urls: &[ArticleUrl], path: &str, idx: &str, url: &str) {
    claims.list(path, urls.len());
    for (index, article) in urls.iter().enumerate() {
        claims.number(format!("{path}/{index}/{idx}"), article.idx);
        claims.text(format!("{path}/{index}/{url}"), &article.url);
    }
}

/// XML has a wrapper around the list, JSON has none.
fn entry(wrapper: &str, index: usize, field: &str) -> String {
    format!("{wrapper}/List/{index}/{field}|List/{index}/{field}")
}

fn notice(claims: &mut Claims, event: &Event) {
    let answer = |accepted| if accepted { "accept" } else { "reject" };
    match event {
        Event::SubscribeMsgPopup(popups) => {
            let wrapper = "SubscribeMsgPopupEvent";
            claims.list(format!("{wrapper}/List|List"), popups.len());
            for (index, popup) in popups.iter().enumerate() {
                claims
                    .text(entry(wrapper, index, "TemplateId"), &popup.template_id)
                    .text(entry(wrapper, index, "SubscribeStatusString"), answer(popup.accepted))
                    .number(entry(wrapper, index, "PopupScene"), popup.popup_scene.unwrap_or_default());
            }
        }
        Event::SubscribeMsgChange(changes) => {
            let wrapper = "SubscribeMsgChangeEvent";
            claims.list(format!("{wrapper}/List|List"), changes.len());
            for (index, change) in changes.iter().enumerate() {
                claims
                    .text(entry(wrapper, index, "TemplateId"), &change.template_id)
                    .text(entry(wrapper, index, "SubscribeStatusString"), answer(change.accepted));
            }
        }
        Event::SubscribeMsgSent(sent) => {
            let wrapper = "SubscribeMsgSentEvent";
            claims.list(format!("{wrapper}/List|List"), sent.len());
            for (index, sent) in sent.iter().enumerate() {
                claims
                    .text(entry(wrapper, index, "TemplateId"), &sent.template_id)
                    .optional(entry(wrapper, index, "MsgID"), sent.msg_id.as_ref().map(|id| id.as_str()))
                    .number(entry(wrapper, index, "ErrorCode"), sent.error_code)
                    .text(entry(wrapper, index, "ErrorStatus"), &sent.error_status);
            }
        }
        other => person(claims, other),
    }
}

fn person(claims: &mut Claims, event: &Event) {
    match event {
        Event::QualificationVerifySuccess { expired_time }
        | Event::NamingVerifySuccess { expired_time }
        | Event::AnnualRenew { expired_time }
        | Event::VerifyExpired { expired_time } => {
            claims.number("ExpiredTime", expired_time);
        }
        Event::QualificationVerifyFail { fail_time, fail_reason }
        | Event::NamingVerifyFail { fail_time, fail_reason } => {
            claims.number("FailTime", fail_time).text("FailReason", fail_reason);
        }
        Event::KfCreateSession { kf_account } => {
            claims.text("KfAccount", kf_account);
        }
        Event::KfCloseSession { kf_account, close_type } => {
            claims.text("KfAccount", kf_account).optional("CloseType", close_type.as_deref());
        }
        Event::KfSwitchSession { from_kf_account, to_kf_account } => {
            claims.text("FromKfAccount", from_kf_account).text("ToKfAccount", to_kf_account);
        }
        Event::UserInfoModified(change)
        | Event::UserAuthorizationRevoke(change)
        | Event::UserAuthorizationCancellation(change) => authorization(claims, change),
        Event::UserEnterTempSession { session_from } => {
            claims.text("SessionFrom", session_from);
        }
        Event::WxaMediaCheck(check) => media_check(claims, check),
        _ => {}
    }
}

fn authorization(claims: &mut Claims, change: &AuthorizationChange) {
    claims
        .text("OpenID", change.open_id.as_str())
        .text("AppID", change.app_id.as_str())
        .optional("RevokeInfo", change.revoke_info.as_deref())
        .optional("UnionID", change.union_id.as_deref())
        .optional("PluginID", change.plugin_id.as_ref().map(|id| id.as_str()))
        .optional("OpenPID", change.open_pid.as_deref());
}

fn media_check(claims: &mut Claims, check: &MediaCheck) {
    claims.text("trace_id", &check.trace_id).text("appid", check.app_id.as_str());
    match &check.verdict {
        MediaVerdict::Risk { is_risky, status_code, extra_info_json } => {
            claims
                .number("isrisky", u8::from(*is_risky))
                .number("status_code", status_code)
                .text("extra_info_json", extra_info_json);
        }
        MediaVerdict::Suggestion { errcode, errmsg, suggest, label, details } => {
            claims.known("version");
            claims
                .number("errcode", errcode)
                .text("errmsg", errmsg)
                .text("result/suggest", suggest)
                .number("result/label", label.unwrap_or_default())
                .list("detail", details.len());
            for (index, detail) in details.iter().enumerate() {
                strategy(claims, index, detail);
            }
        }
    }
}

fn strategy(claims: &mut Claims, index: usize, detail: &MediaCheckDetail) {
    claims
        .text(format!("detail/{index}/strategy"), &detail.strategy)
        .number(format!("detail/{index}/errcode"), detail.errcode)
        .text(format!("detail/{index}/suggest"), &detail.suggest)
        .number(format!("detail/{index}/label"), detail.label.unwrap_or_default())
        .number(format!("detail/{index}/prob"), detail.prob.unwrap_or_default());
}
