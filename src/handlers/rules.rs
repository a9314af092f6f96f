//! The account's rules in the memory of one isolate.
//!
//! Their home is the account's object; asking it with every message would make all users wait for one object. So an
//! isolate reads them at most every `FRESH_FOR`, and works with what it has if they cannot be read.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use serde_json::Value;

use super::{App, records};
use crate::chat::rule::read::{self, Faults};
use crate::chat::rule::reply::{self, To};
use crate::chat::rule::{Book, RULES, Rule, Subject};
use crate::gateway::record::{Call, Kind, PAGE, Record, Reply};
use crate::log::Line;
use crate::platform::{Millis, Platform, Unreachable};
use crate::wechat::OpenId;
use crate::wechat::message::Inbound;

/// The document with the order of the rules: `{ids}`. No rule has this id.
pub const ORDER: &str = "order";
/// The document with the reply to new followers. No rule has this id.
pub const WELCOME: &str = "welcome";

/// Rules that were read so long ago are read again, milliseconds.
const FRESH_FOR: Millis = 60_000;
/// A message waits for them no longer than this, milliseconds: WeChat hangs up after 5 s.
const PATIENCE: Millis = 1_500;
/// After this long a reading that nobody heard of again is given up, and one that failed is tried again, milliseconds.
const AGAIN: Millis = 5_000;

/// What an isolate knows of the rules.
#[derive(Debug, Default)]
pub struct Shelf {
    book: Rc<Book>,
    /// Until when the book is good, milliseconds.
    good_until: Millis,
    /// Until when nobody else need read them: somebody does, or failed to a moment ago.
    tried_until: Millis,
    /// They were read once.
    read: bool,
    /// Counts the changes made in this isolate: what was read before one of them is old.
    changes: u64,
}

/// The rules as they are known, without asking anybody.
pub fn at_hand(app: &App) -> Rc<Book> {
    Rc::clone(&app.rules.borrow().book)
}

/// The rules, at most a minute old.
///
/// 1. those at hand are good, or there can be none, because nobody can have made any
/// 2. somebody else is reading them right now: the old ones serve, if there are any
/// 3. they are read; if that fails or takes long, the old ones serve on
pub async fn current<P: Platform>(platform: &P, app: &App) -> Rc<Book> {
    let now = platform.now();
    {
        let mut shelf = app.rules.borrow_mut();
        let others_try = now < shelf.tried_until && shelf.read;
        if app.config.admin_token.is_none() || now < shelf.good_until || others_try {
            return Rc::clone(&shelf.book);
        }
        shelf.tried_until = now + AGAIN;
    }
    let reading = pin!(read(platform, app));
    let trouble = match select(reading, pin!(platform.sleep(PATIENCE))).await {
        Either::Left((Ok(()), _)) => return at_hand(app),
        Either::Left((Err(Unreachable(reason)), _)) => reason,
        Either::Right(_) => "it took too long".to_owned(),
    };
    platform.log(&Line::warn("rules.not_read", trouble));
    let mut shelf = app.rules.borrow_mut();
    // Whoever comes next does not wait in vain again.
    shelf.read = true;
    Rc::clone(&shelf.book)
}

async fn read<P: Platform>(platform: &P, app: &App) -> Result<(), Unreachable> {
    let changes = app.rules.borrow().changes;
    let stored = load(platform, app).await?;
    keep(&app.rules, &stored, changes, platform.now());
    Ok(())
}

fn keep(shelf: &RefCell<Shelf>, stored: &Stored, changes: u64, now: Millis) {
    let book = Rc::new(stored.book());
    let mut shelf = shelf.borrow_mut();
    if changes == shelf.changes {
        let good_until = now + FRESH_FOR;
        *shelf = Shelf { book, good_until, tried_until: 0, read: true, changes };
    }
}

/// The rules were changed in this isolate: the next message reads them.
pub fn changed(app: &App) {
    let mut shelf = app.rules.borrow_mut();
    let changes = shelf.changes + 1;
    *shelf = Shelf { book: Rc::clone(&shelf.book), changes, ..Shelf::default() };
}

/// The user of an event that is answered by nobody but a rule.
pub async fn addressee<'a, P: Platform>(inbound: &'a Inbound, platform: &P, app: &App) -> Option<&'a OpenId> {
    let subject = Subject::of(inbound).filter(|_| !inbound.from.as_str().is_empty())?;
    let book = current(platform, app).await;
    book.decide(&subject, platform.now(), false).map(|_| &inbound.from)
}

/// All that is stored about rules.
#[derive(Debug, Default)]
pub struct Stored {
    /// The rules in their order.
    pub rules: Vec<Record>,
    /// Their order, if one was given.
    pub order: Option<Record>,
    /// The reply to new followers, if there is one.
    pub welcome: Option<Record>,
}

impl Stored {
    /// The rules, ready to match. What another release made and this one cannot read is left out.
    pub fn book(&self) -> Book {
        let rule = |record: &Record| {
            let mut faults = Faults::new();
            let rule = read::rule(&record.id, &record.document, &mut faults);
            faults.is_empty().then_some(rule)
        };
        let rules: Vec<Rule> = self.rules.iter().filter_map(rule).collect();
        let welcome = self.welcome.as_ref().map(|record| record.document.clone());
        let welcome = welcome.filter(|welcome| {
            let mut faults = Faults::new();
            reply::check(welcome, "", To::Welcome, &mut faults);
            faults.is_empty()
        });
        Book { rules, welcome }
    }

    /// Puts the rules in their order. Those that it does not name come last, as they were made.
    pub fn sort(&mut self) {
        let ids = self.order.as_ref().and_then(|record| record.document.get("ids")?.as_array());
        let mut sorted = Vec::with_capacity(self.rules.len());
        for id in ids.map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str) {
            if let Some(place) = self.rules.iter().position(|rule| rule.id == id) {
                sorted.push(self.rules.remove(place));
            }
        }
        sorted.append(&mut self.rules);
        self.rules = sorted;
    }
}

/// Reads all that is stored about rules.
pub async fn load<P: Platform>(platform: &P, app: &App) -> Result<Stored, Unreachable> {
    let mut stored = Stored::default();
    let mut after = None;
    // More pages than there can be rules would be somebody else's mistake.
    for _ in 0..=RULES / PAGE as usize + 1 {
        let list =
            Call::List { kind: Kind::Rule, after, limit: PAGE, newest_first: false, filters: Vec::new() };
        let Reply::Records { records, more } = records::ask(platform, app, list).await? else { break };
        after = records.last().map(|record| record.number);
        for record in records {
            match record.id.as_str() {
                ORDER => stored.order = Some(record),
                WELCOME => stored.welcome = Some(record),
                _ => stored.rules.push(record),
            }
        }
        if !more {
            break;
        }
    }
    stored.sort();
    Ok(stored)
}
