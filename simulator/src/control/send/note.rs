//! What a message means for the person who sent it, before the account hears of it.

use std::time::Duration;

use super::request::SendRequest;
use super::write::Written;
use crate::control::mini;
use crate::phone::transcript::{Notice, Sent, What};
use crate::push::meaning;
use crate::state::Sim;
use wxapi::wechat::xml::Fields;

/// Notes it and returns its line of the chat, if it has one: what an order tampers with does not come from the person.
pub fn note(sim: &Sim, request: &SendRequest, written: &Written, limit: Duration) -> Option<u64> {
    match (request.tamper, request.mini) {
        (Some(_), _) => None,
        (None, true) => in_window(sim, written, limit),
        (None, false) => in_chat(sim, written, limit),
    }
}

/// The chat with the Mini Program's customer service, which has a ledger of its own. Other events of the Mini Program
/// have no line in it.
fn in_window(sim: &Sim, written: &Written, limit: Duration) -> Option<u64> {
    let push = written.push.as_ref()?;
    let action = meaning::mini_action(push)?;
    let now_ms = sim.clock.now_ms();
    if sim.lock().mini.find(&written.openid).is_err() {
        mini::enter(sim, &written.person).ok()?;
    }
    let mut state = sim.lock();
    let window = &mut state.mini.find(&written.openid).ok()?.window;
    window.ledger.open(action, now_ms);
    Some(window.add(now_ms, said(push, limit)))
}

fn said(push: &Fields, limit: Duration) -> What {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    What::Person { sent: Sent::from_push(push), deliveries: Vec::new(), limit_ms }
}

/// The ledger of customer messages and the chat follow what people do, before the account hears of it. Returns the
/// line of the chat; there is none for what nobody did, as the result of a mass message.
fn in_chat(sim: &Sim, written: &Written, limit: Duration) -> Option<u64> {
    let push = written.push.as_ref()?;
    if meaning::is_job_result(push) {
        return None;
    }
    let now_ms = sim.clock.now_ms();
    let mut state = sim.lock();
    let person = state.people.meet(&written.openid, &written.person);
    let followed = person.fan.following;
    if meaning::is_farewell(push) {
        person.left();
    } else if let Some(action) = meaning::action(push) {
        person.acted(action, now_ms);
    }
    if let Some(scene) = meaning::followed_scene(push) {
        person.fan.qr_scene = Some(scene.to_owned());
    }
    if followed != person.fan.following {
        let notice = if followed { Notice::Left } else { Notice::Followed };
        person.chat.add(now_ms, What::Notice { notice });
    }
    Some(person.chat.add(now_ms, said(push, limit)))
}
