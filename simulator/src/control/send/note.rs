//! What a message means for the person who sent it, before the account hears of it.

use std::time::Duration;

use super::request::SendRequest;
use super::write::Written;
use crate::control::mini;
use crate::phone::transcript::{Notice, Sent, What};
use crate::push::message;
use crate::state::Sim;

/// Notes it and returns its line of the chat, if it has one: what an order tampers with does not come from the person,
/// and the chat is not the Mini Program's.
pub fn note(sim: &Sim, request: &SendRequest, written: &Written, limit: Duration) -> Option<u64> {
    match (request.tamper, request.mini) {
        (Some(_), _) => None,
        (None, true) => in_mini(sim, written),
        (None, false) => in_chat(sim, written, limit),
    }
}

/// The Mini Program has a ledger of its own, and no line in the chat.
fn in_mini(sim: &Sim, written: &Written) -> Option<u64> {
    let action = message::mini_action(written.push.as_ref()?)?;
    let now_ms = sim.clock.now_ms();
    if sim.lock().mini.find(&written.openid).is_err() {
        mini::enter(sim, &written.person).ok()?;
    }
    sim.lock().mini.find(&written.openid).ok()?.ledger.open(action, now_ms);
    None
}

/// The ledger of customer messages and the chat follow what people do, before the account hears of it. Returns the
/// line of the chat; there is none for what nobody did, as the result of a mass message.
fn in_chat(sim: &Sim, written: &Written, limit: Duration) -> Option<u64> {
    let push = written.push.as_ref()?;
    if message::is_job_result(push) {
        return None;
    }
    let now_ms = sim.clock.now_ms();
    let mut state = sim.lock();
    let person = state.people.meet(&written.openid, &written.person);
    let followed = person.fan.following;
    if message::is_farewell(push) {
        person.left();
    } else if let Some(action) = message::action(push) {
        person.acted(action, now_ms);
    }
    if let Some(scene) = message::followed_scene(push) {
        person.fan.qr_scene = Some(scene.to_owned());
    }
    if followed != person.fan.following {
        let notice = if followed { Notice::Left } else { Notice::Followed };
        person.transcript.add(&written.openid, now_ms, What::Notice { notice });
    }
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let what = What::Person { sent: Sent::from_push(push), deliveries: Vec::new(), limit_ms };
    Some(person.transcript.add(&written.openid, now_ms, what))
}
