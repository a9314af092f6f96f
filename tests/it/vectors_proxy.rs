//! Calls that only other programs make: each reaches WeChat through the proxy as it was written.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;
use wxapi::gateway::calls;

use crate::vectors::{Check, Outcome, Vector};
use crate::world::client::{world_with, yes};
use crate::world::run;

/// The body arrives at the same path, and says the same without escapes.
pub fn request(vector: &Vector, endpoint: &str) -> Check {
    let path = format!("/{}", endpoint.trim_start_matches('/'));
    if !calls::is_known(&path) {
        return Err(format!("{path} has no row in the table of calls"));
    }
    let outcome = Rc::new(RefCell::new(Err("nothing was sent".to_owned())));
    let (told, body) = (Rc::clone(&outcome), vector.expected()["body"].clone());
    run(async move {
        let world = world_with(&[("judge", &["everything"])], |_| yes());
        let said = world.client("judge", "POST", &path, &body.to_string()).await;
        let sent = world.passed_on();
        let [sent] = sent.as_slice() else {
            *told.borrow_mut() = Err(format!("{} calls were sent: {said}", sent.len()));
            return;
        };
        let text = String::from_utf8_lossy(&sent.body).into_owned();
        let same = serde_json::from_str::<Value>(&text).ok().as_ref() == Some(&body);
        let fine = same && !text.contains("\\u") && sent.url.contains(&format!("{path}?"));
        *told.borrow_mut() = if fine { Ok(Outcome::Passed) } else { Err(format!("{}: {text}", sent.url)) };
    });
    Rc::into_inner(outcome).map_or(Err("unfinished".to_owned()), RefCell::into_inner)
}
