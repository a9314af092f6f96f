//! What came of it: by event, or by asking.

use serde_json::Value;

use super::super::problem::Problem;
use super::super::{Visit, ask};
use super::{Stored, load, store, stored};
use crate::gateway::record::{Call, Filter, Kind, Reply};
use crate::handlers::{App, records};
use crate::json::json;
use crate::log::Line;
use crate::platform::{Platform, Unreachable};
use crate::wechat::api::mass;
use crate::wechat::event::{MassSendJob, MassSendStatus};

/// Most parts that WeChat is asked about in one request.
const ASKED: usize = 10;
/// How often a change is made anew because somebody else changed the same document.
const ATTEMPTS: usize = 8;

/// What the codes in `err(…)` mean.
/// <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html>
const REASONS: &[(u32, &str)] = &[
    (10_001, "advertising"),
    (20_001, "politics"),
    (20_002, "pornography"),
    (20_004, "society"),
    (20_006, "crime"),
    (20_008, "fraud"),
    (20_013, "copyright"),
    (21_000, "other"),
    (22_000, "mutual promotion"),
    (30_001, "the originality check failed, and the sender chose not to send then"),
    (30_002, "the originality check does not allow to repost it"),
    (30_003, "the originality check judged it a repost, and the sender chose not to send then"),
    (40_001, "the administrator refused"),
    (40_002, "the administrator did not confirm within 30 minutes"),
];

/// `MASSSENDJOBFINISH` arrived.
///
/// 1. store it: its job may not know its `msg_id` yet
/// 2. if a job knows it, give it the result
pub async fn heard<P: Platform>(platform: &P, app: &App, event: &MassSendJob) -> Result<(), Unreachable> {
    let Some(msg_id) = event.msg_id.as_ref().and_then(|id| id.as_str().parse::<u64>().ok()) else {
        return Ok(());
    };
    records::put(platform, app, Kind::MassResult, &msg_id.to_string(), None, document(event)).await?;
    let filters = vec![Filter { field: "msg_ids".to_owned(), value: json!(msg_id) }];
    let call = Call::List { kind: Kind::Mass, after: None, limit: 1, newest_first: true, filters };
    let Reply::Records { mut records, .. } = records::ask(platform, app, call).await? else {
        return Ok(());
    };
    let Some(record) = records.pop() else { return Ok(()) };
    match absorb(platform, app, stored(record)?).await {
        Ok(_) => Ok(()),
        Err(problem) => Err(Unreachable(problem.detail.clone())),
    }
}

fn document(event: &MassSendJob) -> Value {
    let success = event.status == MassSendStatus::Success;
    let status = match &event.status {
        MassSendStatus::Success => "send success".to_owned(),
        MassSendStatus::Fail => "send fail".to_owned(),
        MassSendStatus::Error(code) => format!("err({code})"),
        MassSendStatus::Other(other) => other.clone(),
    };
    let reason = match event.status {
        MassSendStatus::Error(code) => REASONS.iter().find(|(known, _)| *known == code),
        _ => None,
    };
    let articles: Vec<_> =
        event.article_urls.iter().map(|it| json!({ "idx": it.idx, "url": it.url })).collect();
    json!({
        "success": success,
        "status": status,
        "reason": reason.map(|(_, words)| words),
        "total": event.total_count,
        "filtered": event.filter_count,
        "sent": event.sent_count,
        "errors": event.error_count,
        "copyright": event.copyright_check.as_ref().and_then(|check| check.check_state),
        "articles": articles,
    })
}

/// Gives a job the results that were stored for it.
pub(super) async fn absorb<P: Platform>(
    platform: &P,
    app: &App,
    mut stored: Stored,
) -> Result<Stored, Problem> {
    for _ in 0..ATTEMPTS {
        let mut used = Vec::new();
        for msg_id in stored.job.awaited() {
            let id = msg_id.to_string();
            let Some(record) = records::get(platform, app, Kind::MassResult, &id).await? else { continue };
            let success = record.document.get("success") == Some(&Value::Bool(true));
            if stored.job.finished(msg_id, success, &record.document) {
                used.push(id);
            }
        }
        if used.is_empty() {
            return Ok(stored);
        }
        match store(platform, app, &mut stored).await {
            Ok(()) => {
                for id in used {
                    records::delete(platform, app, Kind::MassResult, &id).await?;
                }
                return Ok(stored);
            }
            Err(problem) if problem.kind == "conflict" => stored = load(platform, app, &stored.id).await?,
            Err(problem) => return Err(problem),
        }
    }
    Ok(stored)
}

/// The results that came, and for parts without one what WeChat says if asked. That it cannot be asked is no reason
/// not to show the job.
pub(super) async fn catch_up<P: Platform>(visit: &Visit<'_, P>, stored: Stored) -> Result<Stored, Problem> {
    let mut stored = absorb(visit.platform, visit.app, stored).await?;
    let mut changed = false;
    for msg_id in stored.job.submitted().into_iter().take(ASKED) {
        let answer = match ask(visit, &mass::status(msg_id)).await {
            Ok(answer) => answer,
            Err(error) => {
                visit.platform.log(&Line::info("mass.not_asked", error));
                break;
            }
        };
        let status = answer.get("msg_status").and_then(Value::as_str).unwrap_or_default();
        let success = match status {
            "SEND_SUCCESS" | "DELETE" => true,
            "SEND_FAIL" => false,
            _ => continue,
        };
        changed |= stored.job.finished(msg_id, success, &json!({ "success": success, "status": status }));
    }
    if changed && let Err(problem) = store(visit.platform, visit.app, &mut stored).await {
        if problem.kind != "conflict" {
            return Err(problem);
        }
        stored = load(visit.platform, visit.app, &stored.id).await?;
    }
    Ok(stored)
}
