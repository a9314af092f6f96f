//! `POST /_sim/send`: somebody does something, and the target is told as WeChat tells it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wxapi::wechat::xml::{Fields, parse_xml};

use super::{Refused, json_response, mini, read};
use crate::http::Target;
use crate::ids;
use crate::phone::Bubble;
use crate::phone::transcript::{Notice, Sent, What};
use crate::platform::Kind;
use crate::push::checks::Check;
use crate::push::deliver::{DELIVERIES, Delivered, Delivery, LIMIT, Order};
use crate::push::envelope::{self, Mode, Stamp, Tamper};
use crate::push::journey::{self, Journey};
use crate::push::message::{self, Content, Event, Head, Link, Location};
use crate::state::Sim;

/// Most deliveries of one request, one after another or at once.
const MOST_DELIVERIES: u32 = 100;
/// The longest limit of a delivery.
const LONGEST_LIMIT: Duration = Duration::from_secs(120);

/// Bytes of a plain document: the journal keeps a thousand, several times each.
const LONGEST_DOCUMENT: usize = 2 << 20;
/// Characters of a name that an order calls somebody by: that of a scenario has its run's number behind it.
const LONGEST_NAME: usize = 100;

/// Who does what. Exactly one of `text`, `image`, `voice`, `link`, `location`, `event` and `xml` is to be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SendRequest {
    /// The person's name, or an openid. `xiaoming` without it.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Whether it happens in the Mini Program, with its openid and its original id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mini: bool,
    /// How to seal it; `aes` without it if there is a key, else `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The id of the one-tap link that wrote the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bizmsgmenuid: Option<String>,
    /// A picture in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// A recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// A link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// A place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// An event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// A plain document, delivered as it is (sealed by `mode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Most deliveries; 3 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u32>,
    /// Milliseconds of each delivery; 5000 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u64>,
    /// Deliver so many copies at once, instead of one after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// The MsgId, as a number or a text; a new one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_id: Option<Value>,
    /// The CreateTime in seconds; now without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// What an attacker does to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tamper: Option<Tamper>,
    /// The callback URL; the server's own without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A recording: its bytes in base64, or those with more about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Voice {
    /// Just the bytes.
    Bytes(String),
    /// With its format and WeChat's transcript.
    Full(FullVoice),
}

/// A recording with what WeChat says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FullVoice {
    /// The bytes in base64.
    pub data: String,
    /// `amr` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What WeChat's speech recognition understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognition: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendReport {
    /// Who did it.
    #[serde(rename = "as")]
    pub person: String,
    /// Their openid.
    pub openid: String,
    /// The mode used.
    pub mode: Mode,
    /// The message's id; null for events.
    pub msg_id: Option<String>,
    /// Every delivery.
    pub deliveries: Vec<Delivery>,
    /// What the user sees of it.
    pub shown: Vec<Bubble>,
    /// Whether that is WeChat's error line.
    pub error_line: bool,
    /// The rules that apply, and whether they are kept.
    pub checks: Vec<Check>,
}

/// `POST /_sim/send`
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let request = read(&body)?;
    let report = unattended(async move { send(&sim, request).await }).await?;
    Ok(json_response(&report))
}

/// Finishes what was begun even if whoever asked for it goes away, as when a page is loaded anew: WeChat delivers
/// whether or not anybody looks.
///
/// # Errors
/// Those of the work.
pub async fn unattended<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let broken =
        |error: tokio::task::JoinError| Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    tokio::spawn(work).await.map_err(broken)?
}

/// 1. Finds the target. 2. Writes the message. 3. Seals it. 4. Notes what it means for the person. 5. Delivers it.
///
/// # Errors
/// A request that contradicts itself or the settings, or a target on another machine.
pub async fn send(sim: &Sim, request: SendRequest) -> Result<SendReport, Refused> {
    let target = target(sim, &request)?;
    let (mode, deliveries, limit) = limits(sim, &request)?;
    if person(&request).chars().count() > LONGEST_NAME {
        return Err(Refused::bad(format!("as has at most {LONGEST_NAME} characters")));
    }
    let written = write(sim, &request)?;
    if written.xml.len() > LONGEST_DOCUMENT {
        return Err(Refused::bad(format!("a message has at most {LONGEST_DOCUMENT} bytes of XML")));
    }
    let stamp = Stamp::new(sim.clock.wall_ms() / 1000);
    let network = sim.lock().network.clone();
    let tamper = request.tamper.or(network.tamper);
    let sealed = envelope::seal(&sim.account, mode, tamper, &written.openid, &written.xml, &stamp)
        .map_err(|_| Refused::bad("compat and aes mode need ENCODING_AES_KEY"))?;
    // What an order tampers with does not come from the person; the chat is not the Mini Program's.
    let tampered = request.tamper.is_some();
    let line = match (tampered, request.mini) {
        (true, _) => None,
        (false, true) => note_in_mini(sim, &written),
        (false, false) => note(sim, &written, limit),
    };
    let Written { person, openid, push, xml } = written;
    let msg_id = push.as_ref().and_then(|push| push.optional("MsgId"));
    let said = push.as_ref().and_then(|push| push.optional("Content")).unwrap_or_default();
    let what = push.as_ref().map_or_else(|| "?".to_owned(), |push| Sent::from_push(push).in_short());
    let way = journey::way(&network);
    let order = Order { target, sealed, mode, openid: openid.clone(), push, deliveries, limit, way };
    let journey = Journey::new(sim, Arc::new(order), xml, what, line);
    let silenced = sim.lock().people.get(&openid).is_some_and(|person| person.fan.blacklisted);
    let result = if silenced { Delivered::default() } else { journey.run(request.parallel).await };
    if result.shown.iter().any(|bubble| matches!(bubble, Bubble::Transfer { .. })) {
        sim.lock().agents.transferred(&openid, &said, sim.clock.now_ms());
    }
    let error_line = result.shown.iter().any(|bubble| matches!(bubble, Bubble::Error { .. }));
    let (deliveries, shown, checks) = (result.deliveries, result.shown, result.checks);
    let report = SendReport { person, openid, mode, msg_id, deliveries, shown, error_line, checks };
    let mut state = sim.lock();
    // What has no line in the chat was done by nobody, unless it was forged, or said in the Mini Program.
    let done = line.is_some() || tampered || (request.mini && request.event.is_none());
    let recorder = if done { state.recorder.take() } else { None };
    if let Some(mut recorder) = recorder {
        recorder.note(&state.people, &request, &report);
        state.recorder = Some(recorder);
    }
    Ok(report)
}

fn target(sim: &Sim, request: &SendRequest) -> Result<Target, Refused> {
    let target = match &request.target {
        Some(url) => url.parse().map_err(|error| Refused::bad(format!("target: {error}")))?,
        None => sim.options.target.clone().ok_or_else(|| Refused::bad("no target is set"))?,
    };
    if sim.options.permit(&target) {
        return Ok(target);
    }
    Err(Refused::remote(&target))
}

fn limits(sim: &Sim, request: &SendRequest) -> Result<(Mode, u32, Duration), Refused> {
    let mode = request.mode.unwrap_or(sim.lock().mode);
    if mode == Mode::Plain && matches!(request.tamper, Some(Tamper::Downgrade | Tamper::AppId)) {
        return Err(Refused::bad("tamper: downgrade and app_id need compat or aes mode"));
    }
    let deliveries = request.deliveries.unwrap_or(DELIVERIES);
    let limit = request.limit_ms.map_or(LIMIT, Duration::from_millis);
    let counts = [Some(deliveries), request.parallel];
    if counts.into_iter().flatten().any(|count| !(1..=MOST_DELIVERIES).contains(&count)) {
        return Err(Refused::bad(format!("deliveries and parallel are 1 to {MOST_DELIVERIES}")));
    }
    if limit.is_zero() || limit > LONGEST_LIMIT {
        return Err(Refused::bad(format!("limit_ms is 1 to {}", LONGEST_LIMIT.as_millis())));
    }
    Ok((mode, deliveries, limit))
}

/// A message before it is sealed.
struct Written {
    person: String,
    openid: String,
    xml: String,
    push: Option<Fields>,
}

fn write(sim: &Sim, request: &SendRequest) -> Result<Written, Refused> {
    if let Some(xml) = &request.xml {
        return if kinds(request) == 1 { Ok(raw(sim, request, xml)) } else { Err(not_one()) };
    }
    let content = content(sim, request)?;
    let person = person(request);
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
    Ok(Written { person, openid, xml, push })
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
fn raw(sim: &Sim, request: &SendRequest, xml: &str) -> Written {
    let push = parse_xml(xml).ok();
    let named = push.as_ref().and_then(|push| push.optional("FromUserName"));
    let openid = match (&request.person, named) {
        (None, Some(named)) => named,
        _ => ids::openid(&sim.account.app_id, &person(request)),
    };
    let person = request.person.clone().unwrap_or_else(|| openid.clone());
    Written { person, openid, xml: xml.to_owned(), push }
}

/// The name of who does it.
pub fn person(request: &SendRequest) -> String {
    request.person.clone().unwrap_or_else(|| "xiaoming".to_owned())
}

fn kinds(request: &SendRequest) -> usize {
    let set = [
        request.text.is_some(),
        request.image.is_some(),
        request.voice.is_some(),
        request.link.is_some(),
        request.location.is_some(),
        request.event.is_some(),
        request.xml.is_some(),
    ];
    set.into_iter().filter(|set| *set).count()
}

fn not_one() -> Refused {
    Refused::bad("exactly one of text, image, voice, link, location, event and xml is to be set")
}

fn content(sim: &Sim, request: &SendRequest) -> Result<Content, Refused> {
    if kinds(request) != 1 {
        return Err(not_one());
    }
    let SendRequest { text, image, voice, link, location, event, .. } = request.clone();
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

/// The Mini Program has a ledger of its own, and no line in the chat.
fn note_in_mini(sim: &Sim, written: &Written) -> Option<u64> {
    let action = message::mini_action(written.push.as_ref()?)?;
    let now_ms = sim.clock.now_ms();
    if sim.lock().mini.find(&written.openid).is_err() {
        mini::enter(sim, &written.person).ok()?;
    }
    sim.lock().mini.find(&written.openid).ok()?.ledger.open(action, now_ms);
    None
}

/// The ledger of customer messages and the chat follow what people do, before the account hears of it. Returns the
/// line of the chat; there is none for what nobody did, as the result of a mass message.
fn note(sim: &Sim, written: &Written, limit: Duration) -> Option<u64> {
    let push = written.push.as_ref()?;
    if message::is_job_result(push) {
        return None;
    }
    let now_ms = sim.clock.now_ms();
    let mut state = sim.lock();
    let person = state.people.meet(&written.openid, &written.person);
    let followed = person.fan.following;
    if message::is_farewell(push) {
        person.left();
    } else if let Some(action) = message::action(push) {
        person.acted(action, now_ms);
    }
    if let Some(scene) = message::followed_scene(push) {
        person.fan.qr_scene = Some(scene.to_owned());
    }
    if followed != person.fan.following {
        let notice = if followed { Notice::Left } else { Notice::Followed };
        person.transcript.add(&written.openid, now_ms, What::Notice { notice });
    }
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let what = What::Person { sent: Sent::from_push(push), deliveries: Vec::new(), limit_ms };
    Some(person.transcript.add(&written.openid, now_ms, what))
}
