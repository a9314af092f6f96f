//! The JS-SDK's ticket, and that of cards.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html>

use std::collections::BTreeMap;

use serde_json::json;

use super::ApiReply;
use super::account_type::Right;
use super::api::{Api, Call, ok_with};
use super::errcode::{self, Errcode};
use crate::ids;

/// The family's APIs.
pub const APIS: &[Api] = &[Api::get("/cgi-bin/ticket/getticket", Right::JsSdk, get)];

/// What tickets there are.
const KINDS: [&str; 2] = ["jsapi", "wx_card"];
/// Milliseconds that a ticket lives.
const LIFETIME_MS: u64 = 7_200_000;

#[derive(Debug, Clone)]
struct Ticket {
    value: String,
    until_ms: u64,
}

/// The tickets that live, by kind.
#[derive(Debug, Default)]
pub struct Tickets {
    live: BTreeMap<&'static str, Ticket>,
}

impl Tickets {
    /// The ticket of this kind and the seconds that it still lives: the same one until its time is over.
    fn current(&mut self, kind: &'static str, now_ms: u64) -> (&str, u64) {
        let new = || Ticket { value: ids::ticket(), until_ms: now_ms + LIFETIME_MS };
        let ticket = self.live.entry(kind).or_insert_with(new);
        // With less than a second left, nobody could use it.
        if ticket.until_ms < now_ms + 1000 {
            *ticket = new();
        }
        (&ticket.value, (ticket.until_ms - now_ms) / 1000)
    }
}

/// `GET /cgi-bin/ticket/getticket?access_token=…&type=jsapi`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.request.parameter("type");
    let kind = KINDS.into_iter().find(|kind| Some(*kind) == asked).ok_or(errcode::ARGUMENTS)?;
    let (ticket, expires_in) = call.state.tickets.current(kind, call.now_ms);
    Ok(ok_with(json!({ "ticket": ticket, "expires_in": expires_in })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_lives_two_hours() {
        let mut tickets = Tickets::default();
        let (first, lives) = tickets.current("jsapi", 0);
        let first = first.to_owned();
        assert_eq!((first.len(), lives), (86, 7200));
        assert_ne!(tickets.current("wx_card", 0).0, first);
        assert_eq!(tickets.current("jsapi", LIFETIME_MS - 1000), (first.as_str(), 1));
        let (renewed, lives) = tickets.current("jsapi", LIFETIME_MS);
        assert!(renewed != first && lives == 7200);
    }
}
