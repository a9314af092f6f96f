//! Files: temporary media, material, and pictures inside articles. Neither way is a file read here: it is passed on.

use serde_json::Value;

use super::problem::Problem;
use super::{Outcome, Visit, json, page, passing};
use crate::gateway::record::{Call, Kind, Record, Reply};
use crate::gateway::send::{self, Found, SendError};
use crate::handlers::{metrics, records};
use crate::json::{Put, json};
use crate::log::Line;
use crate::login::params::Params;
use crate::platform::{Opaque, Passage, Platform, Response, Unreachable, Upload};
use crate::wechat::api::media::{self, ARTICLE_IMAGE_LIMIT, FORM_ROOM, LIFETIME, UPLOAD_LIMITS};
use crate::wechat::api::{ApiRequest, Reaction};

/// Characters of the name that somebody gives an upload.
const NAME: usize = 128;

/// A route of the files.
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    match (visit.request.method.as_str(), segments) {
        ("GET", ["media"]) => ours(visit).await,
        ("POST", ["media"]) => temporary(visit).await,
        ("GET", ["media", id]) => download(visit, &media::get(checked(id)?)).await,
        ("POST", ["material"]) => {
            let (kind, limit) = kind(visit)?;
            let request = media::upload("/cgi-bin/material/add_material", Some(kind));
            let answer = upload(visit, &request, limit).await?;
            Ok(json(201, &passing::said(answer)))
        }
        ("GET", ["material", id]) => download(visit, &media::material(checked(id)?)).await,
        ("POST", ["articles", "images"]) => {
            let request = media::upload("/cgi-bin/media/uploadimg", None);
            let answer = upload(visit, &request, ARTICLE_IMAGE_LIMIT).await?;
            Ok(json(201, &passing::said(answer)))
        }
        _ => Err(Problem::not_found("route")),
    }
}

/// An id as WeChat makes them.
fn checked(id: &str) -> Result<&str, Problem> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=256).contains(&id.len()) && id.bytes().all(fine);
    if fits { Ok(id) } else { Err(Problem::not_found("id; WeChat's have only A-Z a-z 0-9 - _")) }
}

/// The type of an upload, and its limit.
fn kind<P: Platform>(visit: &Visit<'_, P>) -> Result<(&'static str, u64), Problem> {
    let params = Params::parse(visit.request.query.as_bytes());
    let asked = params.once("type").map_err(|_| page::twice("type"))?;
    let found = UPLOAD_LIMITS.iter().find(|(name, _)| Some(*name) == asked).copied();
    found.ok_or_else(|| Problem::fault("type", "must be one of: image, voice, video, thumb"))
}

/// Passes a form with a file on.
///
/// 1. look at what can be seen without reading it: that it is a form, and how long
/// 2. pass it on
/// 3. if the access token was refused, it has been replaced: the form must come again
async fn upload<P: Platform>(
    visit: &Visit<'_, P>,
    request: &ApiRequest,
    limit: u64,
) -> Result<Value, Problem> {
    let (content_type, form) = form(visit, limit)?;
    let config = &visit.app.config;
    let (base, name) = (config.wechat_api.as_str(), config.app_id.as_str());
    let outcome = Box::pin(send::upload(visit.platform, base, name, request, content_type, form)).await;
    metrics::count_call(visit.platform, visit.app, &outcome);
    match outcome {
        Err(SendError::Refused(error)) if error.reaction() == Reaction::RefreshToken => {
            let detail = "the access token had to be replaced, and nothing was done; send the same again";
            Err(Problem::new(503, "unavailable", detail).with("retry_after", 1))
        }
        outcome => Ok(outcome?),
    }
}

fn form<'a, P: Platform>(visit: &Visit<'a, P>, limit: u64) -> Result<(&'a str, Upload), Problem> {
    let request = visit.request;
    let content_type = request.header("content-type").unwrap_or_default();
    let lower = content_type.to_ascii_lowercase();
    if !lower.starts_with("multipart/form-data") || !lower.contains("boundary=") {
        let detail = "send a form (multipart/form-data) whose field media is the file";
        return Err(Problem::new(415, "malformed", detail));
    }
    let Some(form) = request.upload.clone() else {
        return Err(Problem::new(400, "malformed", "the form is empty"));
    };
    let Some(length) = form.length else {
        let detail = "WeChat wants to know the length beforehand: send a Content-Length, not chunks";
        return Err(Problem::new(411, "malformed", detail));
    };
    if length > limit + FORM_ROOM {
        let detail = format!("a file of this type has at most {limit} bytes");
        return Err(Problem::new(413, "too-large", detail).with("limit", limit));
    }
    Ok((content_type, form))
}

/// `POST media`: uploads, and remembers what was uploaded for as long as it lives.
async fn temporary<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let (kind, limit) = kind(visit)?;
    let params = Params::parse(visit.request.query.as_bytes());
    let name = params.once("name").map_err(|_| page::twice("name"))?;
    if name.is_some_and(|name| name.chars().count() > NAME) {
        return Err(Problem::fault("name", "must be a text; most characters: 128"));
    }
    let answer = upload(visit, &media::upload("/cgi-bin/media/upload", Some(kind)), limit).await?;
    let Some((id, created)) = media::uploaded(&answer) else {
        return Err(SendError::Unknown("the answer has no media_id".to_owned()).into());
    };
    let created = created.unwrap_or(visit.platform.now() / 1_000);
    let created = created.saturating_mul(1_000);
    let document = json!({
        "type": kind,
        "name": name,
        "created": created,
        "expires": created.saturating_add(LIFETIME),
    });
    let stored = records::put(visit.platform, visit.app, Kind::Media, id, None, document.clone()).await;
    if let Err(Unreachable(reason)) = stored {
        // It is there all the same, and whoever uploaded it must learn its id.
        visit.platform.log(&Line::warn("media.not_recorded", reason));
    }
    Ok(json(201, &described(id, &document, 0)))
}

fn described(id: &str, document: &Value, now: u64) -> Value {
    let expires = document.get("expires").and_then(Value::as_u64).unwrap_or_default();
    let mut media = document.as_object().cloned().unwrap_or_default();
    media.put("media_id", json!(id));
    media.put("expired", json!(expires <= now));
    Value::Object(media)
}

/// `GET media`: what was uploaded here, the newest first.
async fn ours<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let asked = page::asked(visit.request)?;
    let call = Call::List {
        kind: Kind::Media,
        after: asked.after,
        limit: asked.limit,
        newest_first: true,
        filters: Vec::new(),
    };
    let Reply::Records { records, more } = records::ask(visit.platform, visit.app, call).await? else {
        return Ok(json(200, &page::answer(&[], false, &|_| Value::Null)));
    };
    let now = visit.platform.now();
    let one = |record: &Record| described(&record.id, &record.document, now);
    Ok(json(200, &page::answer(&records, more, &one)))
}

/// Passes a file of WeChat's on; what has no file, a video's address or articles, is JSON.
async fn download<P: Platform>(visit: &Visit<'_, P>, request: &ApiRequest) -> Outcome {
    let config = &visit.app.config;
    let (base, name) = (config.wechat_api.as_str(), config.app_id.as_str());
    let outcome = Box::pin(send::download(visit.platform, base, name, request)).await;
    metrics::count_call(visit.platform, visit.app, &outcome);
    match outcome? {
        Found::Json(answer) => Ok(json(200, &passing::said(answer))),
        Found::File { content_type, disposition, first, rest } => {
            let rest = Some(Opaque(std::rc::Rc::new(rest)));
            let response = Response {
                status: 200,
                passage: Some(Box::new(Passage { content_type, first, rest })),
                ..Response::default()
            };
            let named = !disposition.is_empty();
            Ok(if named { response.with("content-disposition", disposition) } else { response })
        }
    }
}
