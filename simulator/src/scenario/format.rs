//! How a scenario is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::brief::{Brief, FromText};
use super::expect::Expect;
use crate::control::click::{Button, ClickRequest};
use crate::control::send::SendRequest;
use crate::mini_app::Deed;
use crate::model::Rule;
use crate::network::Network;
use crate::platform::{AccountType, Fault};
use crate::push::envelope::Mode;
use crate::push::message::Event;
use crate::seed::Seed;

/// What people do with an account, step by step, and what must come of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Where the schema is, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the scenario shows, in a few words.
    pub name: String,
    /// More about it, for whoever reads the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who acts unless a step says otherwise: `xiaoming` without it. Each run has its own people of these names.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How messages are sealed unless a step says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Run it while no other scenario runs. What changes things that all share does so in any case: `account`,
    /// `model`, `faults`, `network`, `seed`, and the steps `advance_s`, `reset` and `invalidate_token`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub alone: bool,
    /// What the account is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Kind>,
    /// What is there before the first step, added to what the server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// How the model behaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Vec<Rule>>,
    /// What goes wrong with calls of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// What happens to messages on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What happens, in order. The first step that fails ends the scenario.
    pub steps: Vec<Step>,
}

/// What the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
}

/// One step: at most one thing that happens, and what must come of it. Without anything that happens, it waits for
/// what it expects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// What the step is about, for reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who acts.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How the message is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether it happens in the chat with the Mini Program's customer service: `send`, `event`, `again`, and what is
    /// expected of `inbox`, `typing` and `allowance`.
    #[serde(skip_serializing_if = "is_false")]
    pub window: bool,
    /// Sends a message: a text, or the body of `POST /_sim/send`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Brief<SendRequest>>,
    /// Lets an event happen: its name, or `{type, key, fields}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Brief<Event>>,
    /// Does something in the Mini Program: `"login"`, `{"say": TEXT}`, and what else `POST /_sim/mini/do` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini: Option<Deed>,
    /// Delivers this person's last message once more, with the same MsgId and CreateTime.
    #[serde(skip_serializing_if = "is_false")]
    pub again: bool,
    /// Taps a link, or an answer of a menu message, by its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tap: Option<String>,
    /// Taps a menu button: its name, its key, its places counted from 1 (`2.1`), or the body of `POST /_sim/click`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click: Option<Brief<ClickRequest>>,
    /// Scans a QR code: its text, a ticket, or a scene.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<String>,
    /// Calls the platform as the account's owner would, to prepare something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// Lets so many seconds of simulated time pass at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advance_s: Option<u64>,
    /// Forgets everything, and returns to the server's seed.
    #[serde(skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Makes the current access tokens invalid.
    #[serde(skip_serializing_if = "is_false")]
    pub invalidate_token: bool,
    /// Sets what the account is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Kind>,
    /// Sets how the model behaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Vec<Rule>>,
    /// Sets what goes wrong with calls of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// Sets what happens to messages on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Adds people, a menu, and more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// What must come of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// How many seconds to wait for what comes later (`inbox`, `calls`, `model_calls`, `typing`): 10 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_s: Option<u64>,
    /// Repeats the step until it holds, for so many seconds at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_s: Option<u64>,
    /// Keeps parts of what came, for later steps: there, `${name}` stands for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub save: BTreeMap<String, Brief<Capture>>,
}

/// A call of the platform. The access token is added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its path, as `/cgi-bin/menu/create`, with a query if it needs one.
    pub path: String,
    /// The JSON that is sent; without it, the call is a GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// What to keep: as a text, a regular expression over the text that is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Capture {
    /// A regular expression over the text that is shown; its first group is kept, or the whole match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Where a link with this label leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A JSON pointer into what came: the report of `POST /_sim/send`, or the answer to `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl FromText for Capture {
    fn from_text(text: String) -> Self {
        Self { matches: Some(text), ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        self.matches.as_deref().filter(|_| self.link.is_none() && self.at.is_none())
    }
}

impl FromText for SendRequest {
    fn from_text(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        let text = self.text.as_ref()?;
        let plain = *self == Self::from_text(text.clone());
        Some(text.as_str()).filter(|_| plain)
    }
}

impl FromText for ClickRequest {
    fn from_text(name: String) -> Self {
        let button = Button::Named(name);
        Self {
            button,
            person: None,
            scan_result: None,
            image: None,
            location: None,
            mode: None,
            target: None,
        }
    }

    fn to_text(&self) -> Option<&str> {
        let Button::Named(name) = &self.button else { return None };
        Some(name.as_str()).filter(|name| *self == Self::from_text((*name).to_owned()))
    }
}

impl FromText for Event {
    fn from_text(kind: String) -> Self {
        Self { kind, ..Self::default() }
    }

    fn to_text(&self) -> Option<&str> {
        Some(self.kind.as_str()).filter(|_| self.key.is_none() && self.fields.is_empty())
    }
}

impl Scenario {
    /// Whether it changes what all scenarios of a server share.
    pub fn is_alone(&self) -> bool {
        let shared = self.account.is_some()
            || self.seed.is_some()
            || self.model.is_some()
            || self.faults.is_some()
            || self.network.is_some();
        self.alone || shared || self.steps.iter().any(Step::changes_what_is_shared)
    }

    /// Everybody who acts in it.
    pub fn people(&self) -> Vec<&str> {
        let steps = self.steps.iter().flat_map(|step| {
            let sender = step.send.as_ref().and_then(|send| send.0.person.as_deref());
            [step.person.as_deref(), sender].into_iter().flatten()
        });
        let mut people: Vec<_> = std::iter::once(self.default_person()).chain(steps).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Who acts in a step that names nobody.
    pub fn default_person(&self) -> &str {
        self.person.as_deref().unwrap_or("xiaoming")
    }
}

impl Step {
    fn changes_what_is_shared(&self) -> bool {
        self.advance_s.is_some()
            || self.reset
            || self.invalidate_token
            || self.account.is_some()
            || self.model.is_some()
            || self.faults.is_some()
            || self.network.is_some()
            || self.seed.is_some()
    }

    /// Whether it happens in the chat with the Mini Program's customer service.
    pub fn is_in_window(&self) -> bool {
        self.window || self.send.as_ref().is_some_and(|send| send.0.mini)
    }

    /// The things that it lets happen, by name.
    pub fn actions(&self) -> Vec<&'static str> {
        let all = [
            ("send", self.send.is_some()),
            ("event", self.event.is_some()),
            ("mini", self.mini.is_some()),
            ("again", self.again),
            ("tap", self.tap.is_some()),
            ("click", self.click.is_some()),
            ("scan", self.scan.is_some()),
            ("api", self.api.is_some()),
            ("advance_s", self.advance_s.is_some()),
            ("reset", self.reset),
            ("invalidate_token", self.invalidate_token),
            ("account", self.account.is_some()),
            ("model", self.model.is_some()),
            ("faults", self.faults.is_some()),
            ("network", self.network.is_some()),
            ("seed", self.seed.is_some()),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}
