//! What is there at the beginning: people, a menu, tags, codes, rules.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::ids;
use crate::model::Rule;
use crate::network::Network;
use crate::people::PhoneSystem;
use crate::platform::{AccountType, Fault, owner};
use crate::push::envelope::Mode;
use crate::state::State;

/// A state to start from. What it does not name is as without it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Where the schema is, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the account is, and how messages are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<SeedAccount>,
    /// Tags, by their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<SeedPerson>,
    /// The menu, as `/cgi-bin/menu/create` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub menu: Option<Value>,
    /// Menus for some, as `/cgi-bin/menu/addconditional` takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditional_menus: Vec<Value>,
    /// The console's automatic replies, as `/cgi-bin/get_current_autoreply_info` gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_replies: Option<Value>,
    /// QR codes, as `/cgi-bin/qrcode/create` takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qr_codes: Vec<Value>,
    /// Message templates, as `/cgi-bin/template/api_add_template` takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Value>,
    /// Any other calls of the platform, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api: Vec<SeedCall>,
    /// How the model behaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Vec<Rule>>,
    /// What goes wrong with calls of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// What happens to messages on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

/// What the account is, and how messages are sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SeedAccount {
    /// Its type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub account_type: Option<AccountType>,
    /// How messages are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether the account and its Mini Program, or its website, belong to one Open Platform account, so that people
    /// have unionids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<bool>,
}

/// Somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SeedPerson {
    /// The name by which orders call them; it decides their openid.
    pub name: String,
    /// What they call themselves: their name without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Whether they follow the account.
    #[serde(default)]
    pub following: bool,
    /// Their language: `zh_CN` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The system of their phone.
    #[serde(default)]
    pub phone_system: PhoneSystem,
    /// Their id in the Open Platform account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unionid: Option<String>,
    /// Their phone number with its country code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The account's remark about them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Their tags, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether they are on the blacklist.
    #[serde(default)]
    pub blacklisted: bool,
}

/// A call of the platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SeedCall {
    /// Its path, as `/cgi-bin/draft/add`.
    pub path: String,
    /// The JSON that is sent.
    pub body: Value,
}

impl Seed {
    /// The people that a server has that was given no seed.
    pub fn cast() -> Self {
        let person = |name: &str, nickname: &str, following, language: &str| SeedPerson {
            name: name.to_owned(),
            nickname: Some(nickname.to_owned()),
            following,
            language: Some(language.to_owned()),
            ..SeedPerson::default()
        };
        let people = vec![
            person("xiaoming", "小明", true, "zh_CN"),
            person("ahua", "阿花", false, "zh_CN"),
            person("bob", "Bob", true, "en"),
        ];
        Self { people, ..Self::default() }
    }
}

/// Adds a seed to what is there.
///
/// # Errors
/// The platform refuses something of it; says what and why. What came before it stays.
pub fn plant(state: &mut State, account: &Account, now_ms: u64, seed: &Seed) -> Result<(), String> {
    let chosen = seed.account.unwrap_or_default();
    if chosen.mode.is_some_and(|mode| mode != Mode::Plain) && account.aes_key.is_none() {
        return Err("account.mode: compat and aes mode need ENCODING_AES_KEY".to_owned());
    }
    state.mode = chosen.mode.unwrap_or(state.mode);
    if let Some(bound) = chosen.bound {
        state.people.bind(bound);
    }
    let account_type = chosen.account_type.unwrap_or(state.account_type);
    // What this kind of account may not do by an API, its owner has done in the console.
    state.account_type = AccountType::Service;
    let planted = plant_things(state, account, now_ms, seed);
    state.account_type = account_type;
    planted?;
    if let Some(replies) = &seed.auto_replies {
        let read = serde_json::from_value(replies.clone());
        state.auto_replies = read.map_err(|error| format!("auto_replies: {error}"))?;
    }
    if let Some(rules) = &seed.model {
        state.model.set_rules(rules.clone());
    }
    if let Some(faults) = &seed.faults {
        state.faults.set(faults.clone());
    }
    if let Some(network) = &seed.network {
        state.network = network.clone();
    }
    Ok(())
}

/// Everything for which the platform has an API goes through that API.
fn plant_things(state: &mut State, account: &Account, now_ms: u64, seed: &Seed) -> Result<(), String> {
    let tags = seed.tags.iter().map(|name| json!({ "tag": { "name": name } }));
    let lists = [
        ("tags", "/cgi-bin/tags/create", tags.collect()),
        ("menu", "/cgi-bin/menu/create", seed.menu.iter().cloned().collect()),
        ("conditional_menus", "/cgi-bin/menu/addconditional", seed.conditional_menus.clone()),
        ("qr_codes", "/cgi-bin/qrcode/create", seed.qr_codes.clone()),
        ("templates", "/cgi-bin/template/api_add_template", seed.templates.clone()),
    ];
    let calls =
        lists.iter().flat_map(|(name, path, bodies)| bodies.iter().map(move |body| (*name, *path, body)));
    let others = seed.api.iter().map(|call| ("api", call.path.as_str(), &call.body));
    for (name, path, body) in calls.chain(others) {
        let answer = owner::call(state, account, now_ms, path, Some(body))?;
        let errcode = answer.get("errcode").and_then(Value::as_i64).unwrap_or_default();
        if errcode != 0 {
            return Err(format!("{name}: {path} {body} answers {answer}"));
        }
    }
    let known = known_tags(state, account, now_ms, seed)?;
    seed.people.iter().try_for_each(|person| plant_person(state, account, now_ms, person, &known))
}

/// Names and ids of the account's tags, if anybody has one.
fn known_tags(
    state: &mut State,
    account: &Account,
    now_ms: u64,
    seed: &Seed,
) -> Result<Vec<(String, u32)>, String> {
    if seed.people.iter().all(|person| person.tags.is_empty()) {
        return Ok(Vec::new());
    }
    let answer = owner::call(state, account, now_ms, "/cgi-bin/tags/get", None)?;
    let tags = answer.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read = |tag: &Value| {
        let id = tag.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok())?;
        Some((tag.get("name")?.as_str()?.to_owned(), id))
    };
    Ok(tags.iter().filter_map(read).collect())
}

fn plant_person(
    state: &mut State,
    account: &Account,
    now_ms: u64,
    seed: &SeedPerson,
    known: &[(String, u32)],
) -> Result<(), String> {
    let id = |name: &String| {
        let tag = known.iter().find(|tag| tag.0 == *name);
        tag.map(|tag| tag.1)
            .ok_or_else(|| format!("people: {} has the tag {name}, which tags does not name", seed.name))
    };
    let tags = seed.tags.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let openid = ids::openid(&account.app_id, &seed.name);
    let person = state.people.meet(&openid, &seed.name);
    person.nickname = seed.nickname.clone().unwrap_or_else(|| seed.name.clone());
    person.phone_system = seed.phone_system;
    if seed.unionid.is_some() {
        person.unionid.clone_from(&seed.unionid);
        person.given_unionid.clone_from(&seed.unionid);
    }
    person.phone.clone_from(&seed.phone);
    if let Some(language) = &seed.language {
        person.language.clone_from(language);
    }
    let fan = &mut person.fan;
    fan.following = seed.following;
    fan.since_s = if seed.following { now_ms / 1000 } else { 0 };
    fan.remark.clone_from(&seed.remark);
    fan.tags = tags;
    fan.blacklisted = seed.blacklisted;
    Ok(())
}
