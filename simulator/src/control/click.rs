//! `POST /_sim/click`: somebody taps a button of the menu below the chat.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Custom_Menu_Push_Events.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::send::{SendReport, SendRequest, send, unattended};
use super::{Refused, json_response, read};
use crate::ids;
use crate::phone::Bubble;
use crate::platform::menu::{self, Menu, menu_for};
use crate::push::envelope::Mode;
use crate::push::message::{Event, Location};
use crate::state::Sim;

/// A picture of one pixel, for those who choose none.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// Which button: its places in the menu, or a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Button {
    /// Its places, counted from 0: `[1]`, or `[1, 0]` for the first one of the second one's sub-menu.
    Places(Vec<usize>),
    /// Its name, its key, or its places counted from 1: `2`, `2.1`.
    Named(String),
}

/// Who taps what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClickRequest {
    /// The person's name, or an openid. `xiaoming` without it.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The button.
    pub button: Button,
    /// For a button that scans: what the code says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_result: Option<String>,
    /// For a button that sends a picture: the picture in base64; one pixel without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// For a button that sends a place: the place; Tian'anmen without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// How to seal what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The callback URL; the server's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What came of a tap.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClickReport {
    /// What came of the event, if the button sends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<SendReport>,
    /// What came of the picture or the place that followed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<SendReport>,
    /// What the phone shows by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Bubble>,
    /// The page that opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// The Mini Program that opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini_program: Option<MiniProgram>,
}

/// A Mini Program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniProgram {
    /// Its AppID.
    pub appid: String,
    /// The page in it.
    pub pagepath: String,
}

/// `POST /_sim/click`
pub async fn handle(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let request = read(&body)?;
    let report = unattended(async move { click(&sim, request).await }).await?;
    Ok(json_response(&report))
}

/// Taps a button: the account hears of it as its type wants.
///
/// # Errors
/// There is no such button, or what it sends cannot be sent.
pub async fn click(sim: &Sim, request: ClickRequest) -> Result<ClickReport, Refused> {
    let person = request.person.clone().unwrap_or_else(|| "xiaoming".to_owned());
    let openid = ids::openid(&sim.account.app_id, &person);
    let (button, menu_id) = find(sim, &openid, &request.button)?;
    let tap = Tap { sim, person, request, menu_id };
    let key = button.key.as_deref().unwrap_or_default();
    let none = String::new;
    match button.kind.as_deref().unwrap_or_default() {
        "click" => tap.event("CLICK", key, BTreeMap::new()).await,
        "view" => {
            let url = button.url.unwrap_or_else(none);
            let report = tap.event("VIEW", &url, tap.of_menu()).await?;
            Ok(ClickReport { open: Some(url), ..report })
        }
        "miniprogram" => {
            let (appid, pagepath) = (button.appid.unwrap_or_else(none), button.pagepath.unwrap_or_else(none));
            let report = tap.event("view_miniprogram", &pagepath, tap.of_menu()).await?;
            Ok(ClickReport { mini_program: Some(MiniProgram { appid, pagepath }), ..report })
        }
        kind @ ("scancode_push" | "scancode_waitmsg") => tap.scan(kind, key).await,
        kind @ ("pic_sysphoto" | "pic_photo_or_album" | "pic_weixin") => tap.picture(kind, key).await,
        kind @ "location_select" => tap.place(kind, key).await,
        _ => Ok(shown_by_itself(sim, &button)),
    }
}

/// The button that is meant, and its menu's number.
fn find(sim: &Sim, openid: &str, wanted: &Button) -> Result<(menu::Button, u64), Refused> {
    let state = sim.lock();
    let menu = menu_for(&state, openid).ok_or_else(|| Refused::bad("the account has no menu"))?;
    let found = match wanted {
        Button::Places(places) => menu.button_at(places),
        Button::Named(name) => named(menu, name),
    };
    let Some(button) = found else {
        let names: Vec<_> =
            leaves(menu).into_iter().map(|(place, button)| format!("{place} {}", button.name)).collect();
        return Err(Refused::bad(format!("no such button; there is {}", names.join(", "))));
    };
    if button.kind.is_none() {
        return Err(Refused::bad(format!("{} only opens its sub-menu", button.name)));
    }
    Ok((button.clone(), menu.menuid))
}

/// By name, then by key, then by places counted from 1.
fn named<'a>(menu: &'a Menu, name: &str) -> Option<&'a menu::Button> {
    let all = leaves(menu);
    let by = |fits: &dyn Fn(&str, &menu::Button) -> bool| {
        all.iter().find(|(place, button)| fits(place, button)).map(|(_, button)| *button)
    };
    by(&|_, button| button.name == name)
        .or_else(|| by(&|_, button| button.key.as_deref() == Some(name)))
        .or_else(|| by(&|place, _| place == name))
}

/// The buttons that do something, with their places counted from 1.
fn leaves(menu: &Menu) -> Vec<(String, &menu::Button)> {
    let top = menu.button.iter().enumerate();
    top.flat_map(|(i, button)| {
        let below = button.sub_button.iter().enumerate();
        let below = below.map(move |(j, below)| (format!("{}.{}", i + 1, j + 1), below));
        let itself = button.kind.is_some().then(|| ((i + 1).to_string(), button));
        itself.into_iter().chain(below)
    })
    .collect()
}

/// A tap on a button that tells the account.
struct Tap<'a> {
    sim: &'a Sim,
    person: String,
    request: ClickRequest,
    menu_id: u64,
}

impl Tap<'_> {
    async fn event(
        &self,
        kind: &str,
        key: &str,
        fields: BTreeMap<String, Value>,
    ) -> Result<ClickReport, Refused> {
        let event = Event { kind: kind.to_owned(), key: Some(key.to_owned()), fields };
        let report = self.send(SendRequest { event: Some(event), ..SendRequest::default() }).await?;
        Ok(ClickReport { report: Some(report), ..ClickReport::default() })
    }

    async fn send(&self, request: SendRequest) -> Result<SendReport, Refused> {
        let ClickRequest { mode, target, .. } = self.request.clone();
        send(self.sim, SendRequest { person: Some(self.person.clone()), mode, target, ..request }).await
    }

    fn of_menu(&self) -> BTreeMap<String, Value> {
        BTreeMap::from([("MenuId".to_owned(), json!(self.menu_id.to_string()))])
    }

    /// `scancode_push` also shows what was scanned; a page opens.
    async fn scan(&self, kind: &str, key: &str) -> Result<ClickReport, Refused> {
        let result = self
            .request
            .scan_result
            .clone()
            .ok_or_else(|| Refused::bad("scan_result: what does the code say?"))?;
        let info = json!({ "ScanType": "qrcode", "ScanResult": result });
        let report = self.event(kind, key, one("ScanCodeInfo", info)).await?;
        let page = result.starts_with("http://") || result.starts_with("https://");
        Ok(ClickReport { open: Some(result).filter(|_| page && kind == "scancode_push"), ..report })
    }

    /// The event tells the picture's digest; the picture itself follows as a message.
    async fn picture(&self, kind: &str, key: &str) -> Result<ClickReport, Refused> {
        let image = self.request.image.clone().unwrap_or_else(|| PIXEL.to_owned());
        let bytes = STANDARD.decode(&image).map_err(|_| Refused::bad("image is in base64"))?;
        let digest: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let info = json!({ "Count": 1, "PicList": { "item": { "PicMd5Sum": digest } } });
        let report = self.event(kind, key, one("SendPicsInfo", info)).await?;
        let followed = self.send(SendRequest { image: Some(image), ..SendRequest::default() }).await?;
        Ok(ClickReport { followed: Some(followed), ..report })
    }

    /// The event tells the place as texts; the place follows as a message.
    async fn place(&self, kind: &str, key: &str) -> Result<ClickReport, Refused> {
        let place = self.request.location.clone().unwrap_or_else(tiananmen);
        let info = json!({
            "Location_X": place.lat.to_string(), "Location_Y": place.lon.to_string(),
            "Scale": "15", "Label": place.label, "Poiname": "",
        });
        let report = self.event(kind, key, one("SendLocationInfo", info)).await?;
        let followed = self.send(SendRequest { location: Some(place), ..SendRequest::default() }).await?;
        Ok(ClickReport { followed: Some(followed), ..report })
    }
}

fn one(name: &str, value: Value) -> BTreeMap<String, Value> {
    BTreeMap::from([(name.to_owned(), value)])
}

fn tiananmen() -> Location {
    Location { lat: 39.9087, lon: 116.3975, label: "北京市东城区天安门广场".to_owned() }
}

/// The phone shows material by itself, and the account hears nothing of it.
fn shown_by_itself(sim: &Sim, button: &menu::Button) -> ClickReport {
    let state = sim.lock();
    let published = button.article_id.as_deref().and_then(|id| state.drafts.published(id));
    if button.kind.as_deref() == Some("article_view_limited") {
        let open = published.map(|news| news.page(&state.base_url, 0));
        return ClickReport { open, ..ClickReport::default() };
    }
    let media_id = button.media_id.as_deref();
    let news = published.or_else(|| media_id.and_then(|id| state.drafts.news(id)));
    let card = news.map(|news| news.card(&state.base_url));
    let shown = card.or_else(|| media_id.and_then(|id| state.materials.bubble(id)));
    ClickReport { shown: shown.into_iter().collect(), ..ClickReport::default() }
}
