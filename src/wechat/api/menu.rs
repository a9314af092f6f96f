//! The menu below the chat: what WeChat lets it be, the calls about it, and what the console made.
//!
//! <https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu>

use serde_json::{Map, Value};

use super::{ApiRequest, Body, Method, post_json};
use crate::json::{Put, json};

/// Buttons of a menu, and buttons below one of them.
pub const BUTTON_LIMITS: [usize; 2] = [3, 5];
/// Bytes of a button's name, at the top and below.
pub const NAME_LIMITS: [usize; 2] = [16, 60];
/// Bytes of a key.
pub const KEY_LIMIT: usize = 128;
/// Bytes of an address.
pub const URL_LIMIT: usize = 1024;
/// Domains outside WeChat to which conditional menus may lead (65316).
/// <https://developers.weixin.qq.com/doc/service/api/custommenu/api_addconditionalmenu>
pub const DOMAIN_LIMIT: usize = 3;

/// There is no menu.
pub const NO_MENU: i64 = 46003;

/// Faults that are told at once.
const MOST_FAULTS: usize = 100;
/// Names of fields, and of types, that are repeated to whoever sent them.
const WORD: usize = 64;

/// Every type, and the fields that it needs; it can have no others.
const TYPES: &[(&str, &[&str])] = &[
    ("click", &["key"]),
    ("view", &["url"]),
    ("miniprogram", &["url", "appid", "pagepath"]),
    ("media_id", &["media_id"]),
    ("article_id", &["article_id"]),
    ("article_view_limited", &["article_id"]),
    ("scancode_push", &["key"]),
    ("scancode_waitmsg", &["key"]),
    ("pic_sysphoto", &["key"]),
    ("pic_photo_or_album", &["key"]),
    ("pic_weixin", &["key"]),
    ("location_select", &["key"]),
];

/// Types that cannot be published, and why.
const NO_TYPES: &[(&str, &str)] = &[
    ("view_limited", "WeChat has withdrawn it; article_view_limited with an article_id does the same"),
    ("news", "only the console makes it; media_id with the same media_id does the same"),
    (
        "text",
        "only the console makes it, because WeChat itself sends the text; a click button whose key a keyword rule answers does the same",
    ),
    ("img", TEMPORARY),
    ("photo", TEMPORARY),
    ("voice", TEMPORARY),
    (
        "video",
        "only the console makes it, and WeChat gives an address for download instead of a media_id; upload the video as material and use media_id",
    ),
];
const TEMPORARY: &str = "only the console makes it, and WeChat gives a temporary media_id that ends after three days; download it, upload it as material and use media_id";

/// What rules of conditional menus can no longer ask for.
const NO_RULES: &[&str] = &["sex", "gender", "country", "province", "city", "region", "language", "group_id"];

/// What is wrong, by JSON pointers (RFC 6901).
#[derive(Debug, Default)]
pub struct Faults(pub Vec<(String, String)>);

impl Faults {
    fn push(&mut self, pointer: &str, detail: impl AsRef<str>) {
        self.note(pointer, detail.as_ref());
    }

    fn note(&mut self, pointer: &str, detail: &str) {
        if self.0.len() < MOST_FAULTS {
            self.0.push((pointer.to_owned(), detail.to_owned()));
        }
    }

    /// Every member that is not one of `known`.
    fn strangers(&mut self, object: &Map<String, Value>, at: &str, known: &[&str], why: &str) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())).take(MOST_FAULTS) {
            self.push(&format!("{at}/{}", step(name)), why);
        }
    }

    /// A text that must be there, of at most `most` bytes.
    fn text<'a>(&mut self, object: &'a Value, at: &str, name: &str, most: usize) -> Option<&'a str> {
        let pointer = [at, "/", name].concat();
        let Some(text) = object.get(name) else {
            self.push(&pointer, "this is missing");
            return None;
        };
        let Some(text) = text.as_str() else {
            self.push(&pointer, "this is no text");
            return None;
        };
        if text.is_empty() {
            self.push(&pointer, "this is empty");
        } else if text.len() > most {
            self.push(&pointer, format!("these are {} bytes of UTF-8, and at most {most} fit", text.len()));
        }
        if text.chars().any(|character| matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}')) {
            self.push(&pointer, "there is a control character in this, such as a line break");
        }
        Some(text)
    }

    fn buttons(&mut self, menu: &Value, at: &str, name: &str, level: usize) {
        let pointer = [at, "/", name].concat();
        let Some(buttons) = menu.get(name).and_then(Value::as_array) else {
            return self.push(&pointer, "here must be a list of buttons");
        };
        let most = BUTTON_LIMITS.get(level).copied().unwrap_or_default();
        if !(1..=most).contains(&buttons.len()) {
            self.push(
                &pointer,
                format!("these are {} buttons, and there must be 1 to {most}", buttons.len()),
            );
        }
        for (index, button) in buttons.iter().take(most).enumerate() {
            self.button(button, &format!("{pointer}/{index}"), level);
        }
    }

    fn button(&mut self, button: &Value, at: &str, level: usize) {
        let Some(members) = button.as_object() else { return self.push(at, "this is no object") };
        self.text(button, at, "name", NAME_LIMITS.get(level).copied().unwrap_or_default());
        let below = button.get("sub_button").and_then(Value::as_array).map(Vec::len);
        match (button.get("sub_button"), below) {
            (None, _) | (Some(_), Some(0)) => self.leaf(members, button, at),
            (Some(_), None) => self.push(&format!("{at}/sub_button"), "this is no list"),
            (Some(_), Some(_)) if level > 0 => {
                self.push(
                    &format!("{at}/sub_button"),
                    "a menu has two levels; nothing can be below this button",
                );
            }
            (Some(_), Some(_)) => {
                let why = "a button with others below it has only a name: a tap opens them";
                self.strangers(members, at, &["name", "sub_button"], why);
                self.buttons(button, at, "sub_button", level + 1);
            }
        }
    }

    /// A button that does something.
    fn leaf(&mut self, members: &Map<String, Value>, button: &Value, at: &str) {
        let Some(kind) = self.text(button, at, "type", usize::MAX) else { return };
        let Some((_, needs)) = TYPES.iter().find(|(name, _)| *name == kind) else {
            let gone = NO_TYPES.iter().find(|(name, _)| *name == kind);
            let why = gone.map_or("WeChat has no buttons of this type", |(_, why)| why);
            return self.push(&format!("{at}/type"), why);
        };
        let known: Vec<&str> = needs.iter().copied().chain(["name", "type", "sub_button"]).collect();
        self.strangers(members, at, &known, &format!("a button of the type {kind} has no such field"));
        for name in *needs {
            let most = match *name {
                "key" => KEY_LIMIT,
                "url" => URL_LIMIT,
                _ => usize::MAX,
            };
            let Some(text) = self.text(button, at, name, most) else { continue };
            let pointer = format!("{at}/{name}");
            if *name == "url" && domain(text).is_none() {
                self.push(&pointer, "this is no address that begins with https:// or http://");
            }
            if *name == "appid" && !text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9')) {
                self.push(&pointer, "an AppID has only a to z and 0 to 9; WeChat wants it in lower case");
            }
        }
    }

    /// Who sees a conditional menu.
    fn rule(&mut self, menu: &Value) {
        const NAMES: [&str; 2] = ["tag_id", "client_platform_type"];
        let Some(rule) = menu.get("matchrule").and_then(Value::as_object) else {
            return self.push("/matchrule", "here must be an object with tag_id or client_platform_type");
        };
        if !NAMES.iter().any(|name| rule.contains_key(*name)) {
            self.push("/matchrule", "it must have tag_id or client_platform_type");
        }
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        for (name, value) in rule.iter().take(MOST_FAULTS) {
            let detail = match name.as_str() {
                "tag_id" if number(value).is_some() => continue,
                "tag_id" => "this is no number of a tag",
                "client_platform_type" if number(value).is_some_and(|kind| matches!(kind, 1..=3)) => continue,
                "client_platform_type" => "it must be 1 (iOS), 2 (Android) or 3 (others)",
                gone if NO_RULES.contains(&gone) => {
                    "WeChat no longer tells menus apart by this; give the people a tag and use tag_id"
                }
                _ => "a rule has no such field",
            };
            self.push(&format!("/matchrule/{}", step(name)), detail);
        }
    }
}

/// A member's name as a step of a pointer.
fn step(name: &str) -> String {
    let short: String = name.chars().take(WORD).collect();
    short.replace('~', "~0").replace('/', "~1")
}

/// The host of an address.
fn domain(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#', ':']).next()?;
    (!host.is_empty() && !url.contains(' ')).then_some(host)
}

/// The domains outside WeChat to which a menu leads.
fn domains<'a>(menu: &'a Value) -> Vec<&'a str> {
    let mut found = Vec::new();
    let list = |value: &'a Value, name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut todo: Vec<&Value> = list(menu, "button").collect();
    while let Some(button) = todo.pop() {
        todo.extend(list(button, "sub_button"));
        let host = button.get("url").and_then(Value::as_str).and_then(domain);
        let outside = |host: &&str| *host != "weixin.qq.com" && !host.ends_with(".weixin.qq.com");
        if let Some(host) = host.filter(outside).filter(|host| !found.contains(host)) {
            found.push(host);
        }
    }
    found
}

/// What WeChat would refuse: nothing, if the menu can be published. A menu with a `matchrule` is a conditional one.
pub fn check(menu: &Value, conditional: bool) -> Faults {
    let mut faults = Faults::default();
    let known: &[&str] = if conditional { &["button", "matchrule"] } else { &["button"] };
    if let Some(members) = menu.as_object() {
        faults.strangers(members, "", known, "a menu has no such field");
    }
    faults.buttons(menu, "", "button", 0);
    if conditional {
        faults.rule(menu);
        let domains = domains(menu).len();
        if domains > DOMAIN_LIMIT {
            let detail = format!(
                "it leads to {domains} domains outside WeChat, and conditional menus may lead to {DOMAIN_LIMIT}"
            );
            faults.push("/button", detail);
        }
    }
    faults
}

/// The list of buttons without what says nothing: empty texts, empty lists, nulls. Two menus that people cannot tell
/// apart are equal then.
pub fn plain(buttons: Option<&Value>) -> Value {
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let one = |button: &Value| {
        // Collecting them would bring a sort, which nothing else here needs, into the bundle.
        let mut members = Map::new();
        for (name, value) in button.as_object().into_iter().flatten().filter(|(_, value)| !nothing(value)) {
            let below = name == "sub_button";
            members.insert(name.clone(), if below { plain(Some(value)) } else { value.clone() });
        }
        Value::Object(members)
    };
    Value::Array(buttons.and_then(Value::as_array).into_iter().flatten().map(one).collect())
}

/// What [`imported`] makes of a menu.
#[derive(Debug)]
pub struct Imported {
    /// Whether people see it.
    pub open: bool,
    /// Buttons that can be published.
    pub button: Value,
    /// The others, each with a pointer into WeChat's answer and why it was left out.
    pub skipped: Vec<Value>,
}

/// The menu that is live, whoever made it, of the answer to [`current`]. Buttons of the console's own types become
/// others where those do the same.
/// <https://developers.weixin.qq.com/doc/service/api/custommenu/api_getcurrentselfmenuinfo>
pub fn imported(answer: &Value) -> Imported {
    let mut skipped = Vec::new();
    let buttons = answer.pointer("/selfmenu_info/button").and_then(Value::as_array);
    let button = each(buttons, "/selfmenu_info/button", &mut skipped);
    let open = answer.get("is_menu_open").and_then(Value::as_u64) != Some(0);
    Imported { open, button: Value::Array(button), skipped }
}

fn each(buttons: Option<&Vec<Value>>, at: &str, skipped: &mut Vec<Value>) -> Vec<Value> {
    let buttons = buttons.into_iter().flatten().enumerate();
    buttons.filter_map(|(index, button)| one(button, &format!("{at}/{index}"), skipped)).collect()
}

fn one(button: &Value, at: &str, skipped: &mut Vec<Value>) -> Option<Value> {
    let name = button.get("name").cloned().unwrap_or_default();
    let below = button.pointer("/sub_button/list").and_then(Value::as_array).filter(|list| !list.is_empty());
    if below.is_some() {
        // If none of them can be made, nor can this one; they are listed already.
        let below = each(below, &format!("{at}/sub_button/list"), skipped);
        return (!below.is_empty()).then(|| json!({ "name": name, "sub_button": below }));
    }
    let kind = button.get("type").and_then(Value::as_str).unwrap_or_default();
    let value = button.get("value").filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    let mut made = Map::new();
    made.put("name", name.clone());
    // An article is permanent material.
    let kind = if kind == "news" && value.is_some() { "media_id" } else { kind };
    made.put("type", json!(kind));
    let reason = match TYPES.iter().find(|(known, _)| *known == kind) {
        None => NO_TYPES
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or("the API has no such type", |(_, why)| why),
        Some((_, needs)) => {
            for need in *needs {
                let own = button.get(*need).or(value.filter(|_| needs.len() == 1));
                made.extend(own.map(|own| ((*need).to_owned(), own.clone())));
            }
            if needs.iter().all(|need| made.contains_key(*need)) {
                return Some(Value::Object(made));
            }
            "WeChat does not say all that is needed to make it again"
        }
    };
    skipped.push(json!({ "pointer": at, "name": name, "type": kind, "reason": reason, "value": value }));
    None
}

fn ask(path: &'static str) -> ApiRequest {
    ApiRequest { method: Method::Get, path, query: Vec::new(), body: Body::Empty }
}

/// Makes this the menu of everybody.
pub fn create(menu: &Value) -> ApiRequest {
    post_json("/cgi-bin/menu/create", menu)
}

/// Asks for the menus that were made by the API. Without one it is refused with [`NO_MENU`].
pub fn get() -> ApiRequest {
    ask("/cgi-bin/menu/get")
}

/// Asks for the menu that is live, whoever made it; its shape is that of [`imported`].
pub fn current() -> ApiRequest {
    ask("/cgi-bin/get_current_selfmenu_info")
}

/// Deletes every menu, also the conditional ones.
pub fn delete() -> ApiRequest {
    ask("/cgi-bin/menu/delete")
}

/// Adds a menu for some; its answer has the `menuid`.
pub fn add_conditional(menu: &Value) -> ApiRequest {
    post_json("/cgi-bin/menu/addconditional", menu)
}

/// Deletes a menu for some.
pub fn delete_conditional(menuid: &str) -> ApiRequest {
    post_json("/cgi-bin/menu/delconditional", &json!({ "menuid": menuid }))
}

/// Asks which menu somebody sees; `user_id` is an openid or a WeChat id.
pub fn try_match(user_id: &str) -> ApiRequest {
    post_json("/cgi-bin/menu/trymatch", &json!({ "user_id": user_id }))
}
