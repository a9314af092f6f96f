//! The limits of a menu: each has a code of its own, and most another one for buttons below others.

use serde_json::Value;

use super::button::Button;
use crate::platform::api::{list, text};
use crate::platform::draft::ARTICLE_ID;
use crate::platform::errcode::{self, Errcode};
use crate::platform::upload::Kind;
use crate::state::State;

const BUTTON_COUNT: Errcode = Errcode(40016);
const SUB_BUTTON_COUNT: Errcode = Errcode(40023);

/// Most buttons, and most buttons below one.
const MOST_BUTTONS: usize = 3;
const MOST_SUB_BUTTONS: usize = 5;
/// Bytes of a key and of a URL.
const KEY_BYTES: usize = 128;
const URL_BYTES: usize = 1024;

/// What differs between the two levels.
struct Level {
    name_bytes: usize,
    kind: Errcode,
    name: Errcode,
    key: Errcode,
    url: Errcode,
    domain: Errcode,
}

const TOP: Level = Level {
    name_bytes: 16,
    kind: Errcode(40017),
    name: Errcode(40018),
    key: Errcode(40019),
    url: Errcode(40020),
    domain: Errcode(40055),
};
const SUB: Level = Level {
    name_bytes: 60,
    kind: Errcode(40024),
    name: Errcode(40025),
    key: Errcode(40026),
    url: Errcode(40027),
    domain: Errcode(40054),
};

/// The buttons of a request.
///
/// # Errors
/// 40007, 40013, 40016 to 40020, 40023 to 40027, 40054, 40055, 40159, 53600.
pub fn buttons(asked: &Value, state: &State) -> Result<Vec<Button>, Errcode> {
    let wanted = list(asked, "button");
    if !(1..=MOST_BUTTONS).contains(&wanted.len()) {
        return Err(BUTTON_COUNT);
    }
    wanted.iter().map(|button| top(button, state)).collect()
}

fn top(asked: &Value, state: &State) -> Result<Button, Errcode> {
    let below = list(asked, "sub_button");
    match below.len() {
        0 => return leaf(asked, &TOP, state),
        1..=MOST_SUB_BUTTONS => {}
        _ => return Err(SUB_BUTTON_COUNT),
    }
    let name = sized(text(asked, "name"), TOP.name_bytes, TOP.name)?.to_owned();
    let sub_button = below.iter().map(|button| sub(button, state)).collect::<Result<_, _>>()?;
    Ok(Button { name, sub_button, ..Button::default() })
}

fn sub(asked: &Value, state: &State) -> Result<Button, Errcode> {
    if list(asked, "sub_button").is_empty() { leaf(asked, &SUB, state) } else { Err(SUB_BUTTON_COUNT) }
}

/// A button that does something, with the members that its type needs.
fn leaf(asked: &Value, level: &Level, state: &State) -> Result<Button, Errcode> {
    let name = sized(text(asked, "name"), level.name_bytes, level.name)?.to_owned();
    let kind = text(asked, "type");
    let mut button = Button { kind: Some(kind.to_owned()), name, ..Button::default() };
    match kind {
        "click" | "scancode_push" | "scancode_waitmsg" | "pic_sysphoto" | "pic_photo_or_album"
        | "pic_weixin" | "location_select" => {
            button.key = Some(sized(text(asked, "key"), KEY_BYTES, level.key)?.to_owned());
        }
        "view" => button.url = Some(url(asked, level)?),
        "miniprogram" => {
            button.url = Some(url(asked, level)?);
            button.appid = Some(sized(text(asked, "appid"), usize::MAX, errcode::APP_ID)?.to_owned());
            button.pagepath = Some(sized(text(asked, "pagepath"), URL_BYTES, errcode::PATH)?.to_owned());
        }
        "media_id" => button.media_id = Some(media(asked, state)?),
        "article_id" | "article_view_limited" => button.article_id = Some(article(asked, state)?),
        _ => return Err(level.kind),
    }
    Ok(button)
}

/// A text that is there, and not too long.
fn sized(text: &str, most: usize, otherwise: Errcode) -> Result<&str, Errcode> {
    if (1..=most).contains(&text.len()) { Ok(text) } else { Err(otherwise) }
}

fn url(asked: &Value, level: &Level) -> Result<String, Errcode> {
    let url = sized(text(asked, "url"), URL_BYTES, level.url)?;
    let absolute = url.starts_with("https://") || url.starts_with("http://");
    if absolute { Ok(url.to_owned()) } else { Err(level.domain) }
}

fn media(asked: &Value, state: &State) -> Result<String, Errcode> {
    let id = text(asked, "media_id");
    let file = state.materials.has(id, &[Kind::Image, Kind::Voice, Kind::Video]);
    if file || state.drafts.news(id).is_some() { Ok(id.to_owned()) } else { Err(errcode::MEDIA_ID) }
}

fn article(asked: &Value, state: &State) -> Result<String, Errcode> {
    let id = text(asked, "article_id");
    if state.drafts.published(id).is_some() { Ok(id.to_owned()) } else { Err(ARTICLE_ID) }
}
