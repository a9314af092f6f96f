//! The simulated people, and what they were sent.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chat::Chat;
use crate::ids;
use crate::ledger::{Action, Ledger};
use crate::platform::errcode::{self, Errcode};

/// The system of a person's phone, which conditional menus can ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhoneSystem {
    /// An iPhone.
    #[default]
    Ios,
    /// Android.
    Android,
    /// Neither.
    Other,
}

/// Who follows the account, and what the account noted about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fan {
    /// Whether they follow it now.
    pub following: bool,
    /// When they began to, in seconds since 1970.
    pub since_s: u64,
    /// Whether they found it by a QR code, and with which scene: a number is also its text.
    pub qr_scene: Option<String>,
    /// The account's remark.
    pub remark: String,
    /// The ids of their tags.
    pub tags: Vec<u32>,
    /// Whether they are on the blacklist.
    pub blacklisted: bool,
}

/// One simulated person.
#[derive(Debug, Default)]
pub struct Person {
    /// The name by which orders call them; from it their openid is made.
    pub name: String,
    /// What they call themselves.
    pub nickname: String,
    /// Their language, as `zh_CN`.
    pub language: String,
    /// Their id in the Open Platform account, if this account is bound to one.
    pub unionid: Option<String>,
    /// The one that a seed gave them.
    pub given_unionid: Option<String>,
    /// Their phone number with its country code, as `+86 13800000000`.
    pub phone: Option<String>,
    /// The system of their phone.
    pub phone_system: PhoneSystem,
    /// Their part as a follower.
    pub fan: Fan,
    /// Their openid.
    pub openid: String,
    /// The how manieth they were whom the account met.
    pub number: usize,
    /// Their chat with the account.
    pub chat: Chat,
}

impl Person {
    /// The person did something that opens, or reopens, a window for messages to them. Whoever writes, follows, or
    /// taps the menu is a follower.
    pub fn acted(&mut self, action: Action, now_ms: u64) {
        if !self.fan.following {
            self.fan.following = true;
            self.fan.since_s = now_ms / 1000;
        }
        self.chat.ledger.open(action, now_ms);
    }

    /// The person left: every window closes, and the account loses its notes about them.
    pub fn left(&mut self) {
        self.fan = Fan { blacklisted: self.fan.blacklisted, ..Fan::default() };
        self.chat.ledger = Ledger::default();
    }
}

/// Everyone who ever had to do with the account, by openid.
#[derive(Debug, Default)]
pub struct People {
    by_openid: BTreeMap<String, Person>,
    met: usize,
    open_app: Option<String>,
    bound: bool,
}

impl People {
    /// Nobody yet. Whoever comes has a unionid if the account and another app, by whose AppID it is known, are `bound` to
    /// one Open Platform account.
    pub fn new(open_app: Option<String>, bound: bool) -> Self {
        Self { open_app, bound, ..Self::default() }
    }

    /// Whether people have unionids.
    pub fn are_bound(&self) -> bool {
        self.bound && self.open_app.is_some()
    }

    /// Binds the apps to one Open Platform account, or parts them; whether there is anything to bind.
    pub fn bind(&mut self, bound: bool) -> bool {
        self.bound = bound;
        for person in self.by_openid.values_mut() {
            let made = self.open_app.as_ref().map(|app_id| ids::unionid(app_id, &person.name));
            person.unionid = person.given_unionid.clone().or(made).filter(|_| bound);
        }
        self.open_app.is_some()
    }

    /// The person with this openid, met now, under this name, if not before.
    pub fn meet(&mut self, openid: &str, name: &str) -> &mut Person {
        let Self { by_openid, met, open_app, bound } = self;
        by_openid.entry(openid.to_owned()).or_insert_with(|| {
            *met += 1;
            Person {
                openid: openid.to_owned(),
                chat: Chat::of(openid),
                name: name.to_owned(),
                nickname: name.to_owned(),
                language: "zh_CN".to_owned(),
                unionid: open_app.as_ref().filter(|_| *bound).map(|app_id| ids::unionid(app_id, name)),
                number: *met,
                ..Person::default()
            }
        })
    }

    /// The person with this openid.
    ///
    /// # Errors
    /// 40003 if nobody has it.
    pub fn find(&mut self, openid: &str) -> Result<&mut Person, Errcode> {
        self.by_openid.get_mut(openid).ok_or(errcode::OPENID)
    }

    /// The person with this openid, if anybody has it.
    pub fn get(&self, openid: &str) -> Option<&Person> {
        self.by_openid.get(openid)
    }

    /// Everyone with their openid, in the order of openids, as the platform lists followers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Person)> {
        self.by_openid.iter().map(|(openid, person)| (openid.as_str(), person))
    }

    /// Everyone with their openid, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Person)> {
        self.by_openid.iter_mut().map(|(openid, person)| (openid.as_str(), person))
    }

    /// Everyone, in the order in which the account met them.
    pub fn in_order(&self) -> Vec<&Person> {
        let mut people: Vec<_> = self.by_openid.values().collect();
        people.sort_by_key(|person| person.number);
        people
    }

    /// Followers, in the order of openids.
    pub fn followers(&self) -> impl Iterator<Item = (&str, &Person)> {
        self.iter().filter(|(_, person)| person.fan.following)
    }

    /// Forgets somebody; whether there was anybody to forget.
    pub fn forget(&mut self, openid: &str) -> bool {
        self.by_openid.remove(openid).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_cannot_be_reached() {
        let mut person = Person::default();
        person.acted(Action::Follow, 0);
        person.left();
        assert_eq!(person.chat.ledger.take(1), Err(errcode::WINDOW_CLOSED));
    }
}
