//! Hearing voice messages and looking at pictures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{App, ask, call_wechat};
use crate::chat::model::{self, ModelError};
use crate::chat::prompt::{self, ChatMessage};
use crate::config::Endpoint;
use crate::gateway::send::{Answer, LARGEST, SendError, collect};
use crate::log::Line;
use crate::platform::{AiError, Inflow, Outbound, Platform, Unreachable};
use crate::wechat::api::media;

/// Pictures that WeChat passes on are at most 10 MB; vision models take less.
const LARGEST_PICTURE: usize = 5 * 1024 * 1024;
/// A picture or a voice message is fetched within this time, milliseconds.
const FETCH_TIMEOUT: u64 = 15_000;
/// Where WeChat keeps pictures that people sent.
const PICTURE_HOSTS: [&str; 2] = [".qpic.cn", ".qlogo.cn"];

/// The words of a voice message. `None`: this account, or these models, cannot hear it; the log says why.
pub async fn hear<P: Platform>(platform: &P, app: &App, media_id: &str, format: &str) -> Option<String> {
    let name = app.config.model.speech.as_deref()?;
    let request = media::get(media_id);
    let voice = match call_wechat(platform, app, &request).await {
        Ok(voice) => voice.body,
        Err(SendError::Token(_)) if app.config.account.is_none() => return None,
        Err(error) => {
            platform.log(&Line::warn("voice.not_fetched", error));
            return None;
        }
    };
    let heard = match &app.config.model.endpoint {
        Some(endpoint) => transcribe(platform, endpoint, name, &voice, format).await,
        None => whisper(platform, name, &voice).await,
    };
    match heard {
        Ok(Answer { body, .. }) => model::heard(&body),
        Err(error) => {
            platform.log(&Line::warn("voice.not_heard", error));
            None
        }
    }
}

async fn whisper<P: Platform>(platform: &P, name: &str, voice: &[u8]) -> Result<Answer, ModelError> {
    let inputs = model::whisper_inputs(STANDARD.encode(voice));
    let body = platform
        .run_ai(name, inputs, model::LONGEST)
        .await
        .map_err(|AiError(message)| ModelError::of_binding(&message))?;
    let (content_type, disposition, date) = Default::default();
    collect(Inflow { status: 200, content_type, disposition, date, body }, LARGEST)
        .await
        .map_err(ask::unreachable)
}

/// `POST …/audio/transcriptions`.
/// <https://platform.openai.com/docs/api-reference/audio/createTranscription>
async fn transcribe<P: Platform>(
    platform: &P,
    endpoint: &Endpoint,
    name: &str,
    voice: &[u8],
    format: &str,
) -> Result<Answer, ModelError> {
    let boundary = hex::encode(platform.random());
    // Only letters and digits of what WeChat calls the format may become part of a file name.
    let extension: String = format.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut form = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{name}\r\n--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"voice.{extension}\"\r\ncontent-type: audio/{extension}\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(voice);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let request = ask::request(endpoint, "/audio/transcriptions", content_type, form);
    let inflow = platform.fetch(request).await.map_err(ask::unreachable)?;
    if inflow.status != 200 {
        return Err(ModelError::Status(inflow.status));
    }
    collect(inflow, LARGEST).await.map_err(ask::unreachable)
}

/// What to ask a vision model about a picture. `None`: it cannot be fetched, or no model can see.
pub async fn picture<P: Platform>(platform: &P, app: &App, url: &str) -> Option<Vec<ChatMessage>> {
    app.config.model.vision.as_ref()?;
    match fetch_picture(platform, app, url).await {
        Ok(data_url) => {
            Some(prompt::picture(&app.config.model.system_prompt, app.config.rules.texts.lang, data_url))
        }
        Err(Unreachable(reason)) => {
            platform.log(&Line::warn("picture.not_fetched", reason));
            None
        }
    }
}

async fn fetch_picture<P: Platform>(platform: &P, app: &App, url: &str) -> Result<String, Unreachable> {
    if !is_wechat_picture(url, &app.config.wechat_api) {
        return Err(Unreachable("the picture is not at WeChat".to_owned()));
    }
    let request = Outbound {
        method: "GET",
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        upload: None,
        timeout: FETCH_TIMEOUT,
    };
    let inflow = platform.fetch(request).await?;
    if inflow.status != 200 {
        return Err(Unreachable(format!("status {}", inflow.status)));
    }
    let Answer { body, .. } = collect(inflow, LARGEST_PICTURE).await?;
    let kind = picture_type(&body).ok_or_else(|| Unreachable("it is no picture".to_owned()))?;
    Ok(format!("data:{kind};base64,{}", STANDARD.encode(&body)))
}

/// Whether `url` is on a host of WeChat's, or on the one that stands in for WeChat's API. In plain mode the
/// body of a message is not signed, so the address could be anybody's.
fn is_wechat_picture(url: &str, wechat_api: &str) -> bool {
    let Some(at) = host(url) else { return false };
    host(wechat_api).is_some_and(|api| api == at) || PICTURE_HOSTS.iter().any(|known| at.ends_with(known))
}

/// Host and port of an address. `None` for anything unusual: `fetch` reads `\` as `/`, so what looks like a part
/// of the host here might not be one there.
fn host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':');
    authority.chars().all(usual).then_some(authority)
}

/// The media type of a picture, by its first bytes: servers of pictures are not exact about it.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
