//! One person's chat with one app: what it shows, what the app may still send, and what it sent on its own.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::Ledger;
use crate::phone::Bubble;
use crate::phone::transcript::{How, Transcript, What};

/// Pushed messages kept in each chat.
const INBOX: usize = 1000;

/// A message that came by `custom/send`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pushed {
    /// Number within the chat's inbox, from 1.
    pub n: u64,
    /// When it came: simulated milliseconds since 1970.
    pub at_ms: u64,
    /// How it looks on the phone.
    pub shown: Bubble,
    /// The request's JSON.
    pub body: Value,
}

/// A person's chat with the account, or with the customer service of its Mini Program.
#[derive(Debug, Default)]
pub struct Chat {
    /// Whose it is: their openid of this app.
    pub openid: String,
    /// Its lines.
    pub transcript: Transcript,
    /// What the app may still send.
    pub ledger: Ledger,
    inbox: VecDeque<Pushed>,
    pushed: u64,
}

impl Chat {
    /// An empty one.
    pub fn of(openid: &str) -> Self {
        Self { openid: openid.to_owned(), ..Self::default() }
    }

    /// Something happens in it: a new line, whose id is returned.
    pub fn add(&mut self, now_ms: u64, what: What) -> u64 {
        self.transcript.add(&self.openid, now_ms, what)
    }

    /// A customer-service message arrives; it ends "typing".
    pub fn receive(&mut self, shown: Bubble, body: Value, now_ms: u64) {
        let after_ms = self.transcript.last_sent_ms().map(|sent| now_ms.saturating_sub(sent));
        self.receive_as(How::Custom { after_ms }, shown, body, now_ms);
    }

    /// A message arrives that answers no delivery.
    pub fn receive_as(&mut self, how: How, shown: Bubble, body: Value, now_ms: u64) {
        self.ledger.cancel_typing();
        self.add(now_ms, What::Account { shown: shown.clone(), how });
        self.pushed += 1;
        if self.inbox.len() == INBOX {
            self.inbox.pop_front();
        }
        self.inbox.push_back(Pushed { n: self.pushed, at_ms: now_ms, shown, body });
    }

    /// Pushed messages with a number over `after`, in order.
    pub fn inbox(&self, after: u64) -> Vec<Pushed> {
        self.inbox.iter().filter(|pushed| pushed.n > after).cloned().collect()
    }

    /// The number of the newest pushed message; 0 without one.
    pub fn newest(&self) -> u64 {
        self.pushed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Action;

    #[test]
    fn a_message_ends_typing() {
        let mut chat = Chat::of("o1");
        chat.ledger.open(Action::Message, 0);
        chat.ledger.start_typing(0).unwrap();
        chat.receive(Bubble::text("你好"), Value::Null, 1);
        assert!(!chat.ledger.is_typing(2));
        assert_eq!((chat.newest(), chat.inbox(0).len(), chat.inbox(1).len()), (1, 1, 0));
    }
}
