//! WeChat's API for the Mini Program: logins, tokens, and whatever a test says besides.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use wxapi::platform::Outbound;

use super::mini::{session_of, settings};
use super::{Answer, World};

/// What was asked, but for logins and tokens, and what goes wrong.
#[derive(Default)]
pub struct Api {
    /// Path and body of each call that WeChat took.
    pub calls: RefCell<Vec<(String, Value)>>,
    /// Tokens given out; the last one works.
    pub tokens: Cell<usize>,
    /// The last token has died, too.
    pub dead: Cell<bool>,
    /// Nobody answers, but to logins.
    pub down: Cell<bool>,
}

impl Api {
    /// Bodies of the calls of a path.
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        let calls = self.calls.borrow();
        calls.iter().filter(|(known, _)| known == path).map(|(_, body)| body.clone()).collect()
    }

    fn answer(&self, request: &Outbound) -> Option<Result<Answer, String>> {
        if let Some(session) = session_of(&request.url) {
            return Some(Ok(session));
        }
        if self.down.get() {
            return Some(Err("connection reset".to_owned()));
        }
        if request.url.ends_with("/cgi-bin/stable_token") {
            self.tokens.set(self.tokens.get() + 1);
            self.dead.set(false);
            let token = format!("token-{}", self.tokens.get());
            return Some(Ok(Answer::json(&json!({ "access_token": token, "expires_in": 7200 }).to_string())));
        }
        let token = format!("access_token=token-{}", self.tokens.get());
        let refused = self.dead.get() || !request.url.ends_with(&token);
        refused.then(|| Ok(no(40001)))
    }
}

/// WeChat says no.
pub fn no(errcode: i64) -> Answer {
    Answer::json(&json!({ "errcode": errcode, "errmsg": "no rid: 6560-1-2" }).to_string())
}

/// A world with a Mini Program, in which WeChat answers what `answer` says to a path and a body.
pub fn world(
    others: &[(&str, &str)],
    answer: impl Fn(&str, &Value) -> Result<Answer, String> + 'static,
) -> (World, Rc<Api>) {
    let world = World::new(&settings(others));
    let api = Rc::new(Api::default());
    let shared = Rc::clone(&api);
    world.wechat(move |request| {
        if let Some(answer) = shared.answer(request) {
            return answer;
        }
        let path = request.url.split_once("weixin.qq.com").unwrap().1.split('?').next().unwrap().to_owned();
        let body = serde_json::from_slice(&request.body).unwrap();
        let answer = answer(&path, &body);
        shared.calls.borrow_mut().push((path, body));
        answer
    });
    (world, api)
}
