//! WeChat's tokens and tickets, as WeChat gives them out and accepts them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::{Millis, Outbound, Platform};

use super::{Answer, World};

/// Ends of tokens, by token, and what goes wrong.
#[derive(Default)]
pub struct Weixin {
    /// What its tokens begin with.
    prefix: &'static str,
    ends: RefCell<BTreeMap<String, Millis>>,
    current: RefCell<String>,
    /// Tokens that are refused although they are given out.
    broken: RefCell<BTreeSet<String>>,
    /// What the next requests for a token are answered with, instead of one.
    pub faults: RefCell<VecDeque<Result<Value, String>>>,
    /// When tokens were asked for, and whether by force.
    pub asked: RefCell<Vec<(Millis, bool)>>,
    /// Requests for tickets, by whether they succeeded.
    pub tickets: RefCell<Vec<bool>>,
    /// All other requests, by whether they succeeded.
    pub others: RefCell<Vec<bool>>,
    /// From now on, every token is refused, and given out again.
    pub refuses_all: Cell<bool>,
}

impl Weixin {
    /// One that `world` speaks to.
    pub fn of(world: &World) -> Rc<Self> {
        let weixin = Rc::new(Self::default());
        let (answering, clock) = (Rc::clone(&weixin), world.clone());
        world.wechat(move |request| answering.answer(request, clock.now()));
        weixin
    }

    /// Two that `world` speaks to: the account's, and that of whoever has the AppID `other` and this secret. The tokens of
    /// the latter begin with `other-`.
    pub fn two(world: &World, other: &'static str, secret: &'static str) -> [Rc<Self>; 2] {
        let both = [Self::default(), Self { prefix: "other-", ..Self::default() }].map(Rc::new);
        let (answering, clock) = (both.clone(), world.clone());
        world.wechat(move |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let is_other = body["appid"] == other || request.url.contains("access_token=other-");
            assert!(
                body["appid"].is_null() || is_other == (body["secret"] == secret),
                "another app's secret"
            );
            answering[usize::from(is_other)].answer(request, clock.now())
        });
        both
    }

    /// How often a token was asked for, and how often by force.
    pub fn fetches(&self) -> (usize, usize) {
        let asked = self.asked.borrow();
        (asked.len(), asked.iter().filter(|(_, force)| *force).count())
    }

    /// The current token stops working, and WeChat knows it.
    pub fn invalidate(&self) {
        let current = self.current.take();
        self.ends.borrow_mut().remove(&current);
    }

    /// The current token stops working, but is still given out.
    pub fn break_current(&self) {
        self.broken.borrow_mut().insert(self.current.borrow().clone());
    }

    pub fn fail_next(&self, errcode: i64, times: usize) {
        let fault = json!({ "errcode": errcode, "errmsg": "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 1-2-3" });
        self.faults.borrow_mut().extend(std::iter::repeat_n(Ok(fault), times));
    }

    fn answer(&self, request: &Outbound, now: Millis) -> Result<Answer, String> {
        let url = &request.url;
        if url.ends_with("/cgi-bin/stable_token") {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let force = body["force_refresh"] == true;
            self.asked.borrow_mut().push((now, force));
            let fault = self.faults.borrow_mut().pop_front();
            let answer = fault.unwrap_or_else(|| Ok(self.stable_token(force, now)))?;
            return Ok(Answer::json(&answer.to_string()));
        }
        let token = url.split("access_token=").nth(1).unwrap_or_default().split('&').next().unwrap();
        let lives = self.ends.borrow().get(token).is_some_and(|end| now < *end)
            && !self.broken.borrow().contains(token)
            && !self.refuses_all.get();
        let is_ticket = url.contains("/ticket/getticket");
        (if is_ticket { &self.tickets } else { &self.others }).borrow_mut().push(lives);
        Ok(Answer::json(&match (lives, is_ticket) {
            (false, _) => r#"{"errcode":40001,"errmsg":"invalid credential rid: 1"}"#.to_owned(),
            (true, true) => {
                let kind = url.split("type=").nth(1).unwrap();
                let number = self.tickets.borrow().len();
                let ticket = format!("{kind}-{number}");
                json!({ "errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": 7200 }).to_string()
            }
            (true, false) => r#"{"errcode":0,"errmsg":"ok"}"#.to_owned(),
        }))
    }

    fn stable_token(&self, force: bool, now: Millis) -> Value {
        let end = self.ends.borrow().get(&*self.current.borrow()).copied().unwrap_or_default();
        if !force && now + 300_000 < end {
            return json!({ "access_token": *self.current.borrow(), "expires_in": (end - now) / 1_000 });
        }
        if force {
            self.invalidate();
        }
        let token = format!("{}token-{}", self.prefix, self.asked.borrow().len());
        self.ends.borrow_mut().insert(token.clone(), now + 7_200_000);
        self.current.replace(token.clone());
        json!({ "access_token": token, "expires_in": 7200 })
    }
}
