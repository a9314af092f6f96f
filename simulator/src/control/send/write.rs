//! Writing the message that a request orders.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wxapi::wechat::message::parse_document;
use wxapi::wechat::xml::{Fields, parse_xml};

use super::request::{FullVoice, SendRequest, Voice};
use crate::control::Refused;
use crate::ids;
use crate::platform::Kind;
use crate::push::envelope::Format;
use crate::push::message::{self, Content, Head};
use crate::state::Sim;

/// Bytes of a plain document: the journal keeps a thousand, several times each.
const LONGEST_DOCUMENT: usize = 2 << 20;
/// The picture of every card: a white pixel as GIF.
const THUMB: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
/// Characters of a name that an order calls somebody by: that of a scenario has its run's number behind it.
const LONGEST_NAME: usize = 100;

/// A message before it is sealed.
pub struct Written {
    /// Who did it.
    pub person: String,
    /// Their openid.
    pub openid: String,
    /// The plain document, XML or JSON.
    pub document: String,
    /// The same, if it can be read.
    pub push: Option<Fields>,
}

/// Writes the document that the request orders.
///
/// # Errors
/// A request that orders nothing, or more than one thing, or what cannot be written.
pub fn write(sim: &Sim, request: &SendRequest) -> Result<Written, Refused> {
    if request.person().chars().count() > LONGEST_NAME {
        return Err(Refused::bad(format!("as has at most {LONGEST_NAME} characters")));
    }
    let written = document(sim, request)?;
    if written.document.len() > LONGEST_DOCUMENT {
        return Err(Refused::bad(format!("a message has at most {LONGEST_DOCUMENT} bytes")));
    }
    Ok(written)
}

fn document(sim: &Sim, request: &SendRequest) -> Result<Written, Refused> {
    if let Some(xml) = &request.xml {
        return if request.kinds() == 1 { raw(sim, request, xml) } else { Err(not_one()) };
    }
    if request.mini && (request.voice.is_some() || request.link.is_some() || request.location.is_some()) {
        return Err(Refused::bad("people send text, image and page to the Mini Program's customer service"));
    }
    let content = content(sim, request)?;
    let person = request.person().to_owned();
    let (openid, to) = addresses(sim, request, &person)?;
    let wall_ms = sim.clock.wall_ms();
    let msg_id = match &request.msg_id {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(Refused::bad("msg_id is a number or a text")),
        None => sim.lock().new_msg_id(wall_ms).to_string(),
    };
    let create_time = request.created.unwrap_or(wall_ms / 1000);
    let head = Head { to, from: openid.clone(), create_time, msg_id };
    let xml = message::write(&head, &content);
    let push = parse_xml(&xml).ok();
    let json = request.mini && request.format.unwrap_or(sim.lock().mini.format) == Format::Json;
    let document = if json { message::write_json(&head, &content) } else { xml };
    Ok(Written { person, openid, document, push })
}

/// The person's openid, and the original id of the app that they use.
fn addresses(sim: &Sim, request: &SendRequest, person: &str) -> Result<(String, String), Refused> {
    if !request.mini {
        return Ok((ids::openid(&sim.account.app_id, person), sim.account.original_id.clone()));
    }
    let mini = sim.account.mini.as_ref().ok_or_else(|| Refused::bad("MINI_APP_ID is not set"))?;
    Ok((ids::mini_openid(&mini.app_id, person), mini.original_id.clone()))
}

/// A document of the test's own: whoever it names has sent it, if it can be read.
fn raw(sim: &Sim, request: &SendRequest, document: &str) -> Result<Written, Refused> {
    let push = parse_document(document).ok();
    let named = push.as_ref().and_then(|push| push.optional("FromUserName"));
    let openid = match (&request.person, named) {
        (None, Some(named)) => named,
        _ => addresses(sim, request, request.person())?.0,
    };
    let person = request.person.clone().unwrap_or_else(|| openid.clone());
    Ok(Written { person, openid, document: document.to_owned(), push })
}

fn not_one() -> Refused {
    Refused::bad("exactly one of text, image, voice, link, location, page, event and xml is to be set")
}

fn content(sim: &Sim, request: &SendRequest) -> Result<Content, Refused> {
    if request.kinds() != 1 {
        return Err(not_one());
    }
    let SendRequest { text, image, voice, link, location, page, event, .. } = request.clone();
    if let Some(page) = page {
        let mini = sim.account.mini.as_ref().filter(|_| request.mini);
        let mini =
            mini.ok_or_else(|| Refused::bad("a page is sent in the Mini Program: mini is to be true"))?;
        let thumb_media_id = sim.lock().media.add(Kind::Image, THUMB.into(), sim.clock.now_ms());
        return Ok(Content::Page { page, app_id: mini.app_id.clone(), thumb_media_id });
    }
    let simple = text
        .map(|text| Content::Text { text, menu_id: request.bizmsgmenuid.clone() })
        .or(link.map(Content::Link))
        .or(location.map(Content::Location))
        .or(event.map(Content::Event));
    match (simple, image, voice) {
        (Some(content), ..) => Ok(content),
        (None, Some(data), _) => {
            let media_id = keep(sim, Kind::Image, &data)?;
            let pic_url = format!("{}/_sim/pic/{media_id}", sim.lock().base_url);
            Ok(Content::Image { media_id, pic_url })
        }
        (None, None, Some(voice)) => {
            let FullVoice { data, format, recognition } = match voice {
                Voice::Bytes(data) => FullVoice { data, format: None, recognition: None },
                Voice::Full(full) => full,
            };
            let format = format.unwrap_or_else(|| "amr".to_owned());
            Ok(Content::Voice { media_id: keep(sim, Kind::Voice, &data)?, format, recognition })
        }
        (None, None, None) => Err(not_one()),
    }
}

fn keep(sim: &Sim, kind: Kind, base64: &str) -> Result<String, Refused> {
    let bytes = STANDARD.decode(base64).map_err(|_| Refused::bad("image and voice are in base64"))?;
    let now_ms = sim.clock.now_ms();
    Ok(sim.lock().media.add(kind, bytes.into(), now_ms))
}
