//! The Mini Program that belongs to the account: login, phone numbers, content checks, codes.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/>

pub mod check;
mod code;
pub mod custom;
mod link;
pub mod open_data;
pub mod session;

use std::collections::BTreeMap;

use super::account_type::Right;
use super::api::Api;
use super::custom::typing;
use super::errcode::{self, Errcode};
use super::openapi::Clears;
use super::quota::Quotas;
use super::token::Tokens;
use crate::chat::Chat;
use crate::control::verify::TargetCheck;
use crate::ids;
use crate::push::envelope::{Format, Mode};
use session::{Codes, Session};

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::get("/sns/jscode2session", Right::Basic, session::jscode2session).without_token(),
    Api::get("/wxa/checksession", Right::Basic, session::check).for_mini(),
    Api::get("/wxa/resetusersessionkey", Right::Basic, session::reset).for_mini(),
    Api::post("/wxa/business/getuserphonenumber", Right::Basic, session::phone_number).for_mini(),
    Api::post("/wxa/msg_sec_check", Right::Basic, check::text_check).for_mini().daily(2_000_000),
    Api::post("/wxa/media_check_async", Right::Basic, check::media_check).for_mini().daily(200_000),
    Api::post("/cgi-bin/message/custom/business/typing", Right::Basic, typing).for_mini(),
    Api::post("/wxa/getwxacodeunlimit", Right::Basic, code::unlimited).for_mini(),
    Api::post("/wxa/getwxacode", Right::Basic, code::limited).for_mini(),
    Api::post("/cgi-bin/wxaapp/createwxaqrcode", Right::Basic, code::qr_code).for_mini(),
    Api::post("/wxa/generate_urllink", Right::Basic, link::url_link).for_mini().daily(500_000),
    Api::post("/wxa/generatescheme", Right::Basic, link::scheme).for_mini().daily(500_000),
    Api::post("/wxa/genwxashortlink", Right::Basic, link::short_link).for_mini().daily(1_000_000),
];

/// The page is not one of the Mini Program's.
pub const PAGE: Errcode = Errcode(41030);

/// What the family remembers.
#[derive(Debug)]
pub struct Mini {
    /// How messages to its customer service are sealed unless an order says otherwise.
    pub mode: Mode,
    /// Their notation unless an order says otherwise.
    pub format: Format,
    /// How its callback answered the last check of its URL.
    pub target_check: Option<TargetCheck>,
    /// The access tokens given out.
    pub tokens: Tokens,
    /// How often each API was called today.
    pub quotas: Quotas,
    /// How often those were cleared.
    pub clears: Clears,
    /// The released version's pages, as `pages/index/index`; without a list, there is every page.
    pub pages: Option<Vec<String>>,
    users: BTreeMap<String, User>,
    codes: Codes,
    codes_made: u32,
}

/// Somebody who used the Mini Program.
#[derive(Debug)]
pub struct User {
    /// The same person's openid in the Official Account.
    pub official: String,
    /// When they were last there.
    pub seen_ms: u64,
    /// Their chat with its customer service.
    pub window: Chat,
    session: Option<Session>,
}

impl Mini {
    /// One that nobody used yet.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            format: Format::default(),
            target_check: None,
            tokens: Tokens::default(),
            quotas: Quotas::default(),
            clears: Clears::default(),
            pages: None,
            users: BTreeMap::new(),
            codes: Codes::default(),
            codes_made: 0,
        }
    }

    /// The user with this openid.
    ///
    /// # Errors
    /// 40003 if nobody has it.
    pub fn find(&mut self, openid: &str) -> Result<&mut User, Errcode> {
        self.users.get_mut(openid).ok_or(errcode::OPENID)
    }

    /// The user with this openid, if anybody has it.
    pub fn get(&self, openid: &str) -> Option<&User> {
        self.users.get(openid)
    }

    /// Everybody who used it, with their openid.
    pub fn users(&self) -> impl Iterator<Item = (&str, &User)> {
        self.users.iter().map(|(openid, user)| (openid.as_str(), user))
    }

    /// Forgets whoever has this openid in the Official Account; their openids here.
    pub fn forget(&mut self, official: &str) -> Vec<String> {
        let gone = self.users.iter().filter(|(_, user)| user.official == official);
        let gone: Vec<_> = gone.map(|(openid, _)| openid.clone()).collect();
        gone.iter().for_each(|openid| drop(self.users.remove(openid)));
        gone
    }

    /// The person opens the Mini Program, for the first time if they never did.
    pub fn enter(&mut self, openid: &str, official: &str, now_ms: u64) -> &mut User {
        let official = || official.to_owned();
        let user = self.users.entry(openid.to_owned());
        let user = user.or_insert_with(|| User {
            official: official(),
            seen_ms: now_ms,
            window: Chat::of(openid),
            session: None,
        });
        user.seen_ms = now_ms;
        user
    }

    /// Whether there is such a page; `path` may have a query.
    ///
    /// # Errors
    /// 41030 if not.
    pub fn check_page(&self, path: &str) -> Result<(), Errcode> {
        let page = path.split_once('?').map_or(path, |parts| parts.0);
        let exists = self.pages.as_ref().is_none_or(|pages| pages.iter().any(|known| known == page));
        if exists && !page.starts_with('/') { Ok(()) } else { Err(PAGE) }
    }
}

/// Bytes as lower-case hex.
fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random name of `length` letters, digits and signs that are safe in URLs.
fn random_name(length: usize) -> String {
    ids::media_id().chars().filter(char::is_ascii_alphanumeric).take(length).collect()
}
