//! What an app may still send to somebody: so many customer-service messages after each thing that they did.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html>

use crate::platform::errcode::{self, Errcode};

/// "Typing" may be shown this long after the user's last message.
const TYPING_WITHIN_MS: u64 = 30_000;
/// "Typing" is shown for so long.
const TYPING_MS: u64 = 15_000;

/// What a person did that lets the account write to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Sent a message.
    Message,
    /// Tapped a menu button that sends an event.
    Menu,
    /// Followed the account.
    Follow,
    /// Scanned a QR code of the account.
    Scan,
    /// Opened the chat with the Mini Program's customer service.
    Enter,
}

impl Action {
    /// How many messages the action allows, and for how many milliseconds.
    fn allows(self) -> (u32, u64) {
        match self {
            Self::Message => (5, 48 * 3_600_000),
            Self::Menu | Self::Follow | Self::Scan => (3, 60_000),
            Self::Enter => (2, 60_000),
        }
    }
}

/// The windows for messages to one person, and "typing".
#[derive(Debug, Default)]
pub struct Ledger {
    wrote_ms: Option<u64>,
    typing_until_ms: u64,
    allowances: Vec<Allowance>,
}

#[derive(Debug)]
struct Allowance {
    action: Action,
    until_ms: u64,
    left: u32,
}

impl Ledger {
    /// The person did something that opens, or reopens, a window.
    pub fn open(&mut self, action: Action, now_ms: u64) {
        if action == Action::Message {
            self.wrote_ms = Some(now_ms);
        }
        let (left, lasts_ms) = action.allows();
        self.allowances.retain(|allowance| allowance.action != action);
        self.allowances.push(Allowance { action, until_ms: now_ms + lasts_ms, left });
    }

    /// Takes one message from the window that ends first.
    ///
    /// # Errors
    /// 45015 with no open window, 45047 when the open ones are used up.
    pub fn take(&mut self, now_ms: u64) -> Result<(), Errcode> {
        self.allowances.retain(|allowance| now_ms < allowance.until_ms);
        if self.allowances.is_empty() {
            return Err(errcode::WINDOW_CLOSED);
        }
        let usable = self.allowances.iter_mut().filter(|allowance| allowance.left > 0);
        let next = usable.min_by_key(|allowance| allowance.until_ms).ok_or(errcode::COUNT_USED)?;
        next.left -= 1;
        Ok(())
    }

    /// Messages that may still be sent now.
    pub fn allowance(&self, now_ms: u64) -> u32 {
        self.allowances
            .iter()
            .filter(|allowance| now_ms < allowance.until_ms)
            .map(|allowance| allowance.left)
            .sum()
    }

    /// Starts "typing" on the person's phone.
    ///
    /// # Errors
    /// 45080 when they did not write within 30 s, 45081 while it is shown.
    pub fn start_typing(&mut self, now_ms: u64) -> Result<(), Errcode> {
        if self.wrote_ms.is_none_or(|wrote| now_ms > wrote + TYPING_WITHIN_MS) {
            return Err(errcode::TYPING_TOO_LATE);
        }
        if self.is_typing(now_ms) {
            return Err(errcode::TYPING_ALREADY);
        }
        self.typing_until_ms = now_ms + TYPING_MS;
        Ok(())
    }

    /// Ends "typing".
    pub fn cancel_typing(&mut self) {
        self.typing_until_ms = 0;
    }

    /// Whether the phone shows "typing".
    pub fn is_typing(&self, now_ms: u64) -> bool {
        now_ms < self.typing_until_ms
    }

    /// When the phone stops to show "typing"; 0 if it does not.
    pub fn typing_until_ms(&self, now_ms: u64) -> u64 {
        if self.is_typing(now_ms) { self.typing_until_ms } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn after(action: Action) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.open(action, 0);
        ledger
    }

    #[test]
    fn a_message_allows_five_answers_within_48_hours() {
        assert_eq!(Ledger::default().take(0), Err(errcode::WINDOW_CLOSED), "never wrote");
        let mut ledger = after(Action::Message);
        for _ in 0..4 {
            assert_eq!(ledger.take(HOUR), Ok(()));
        }
        assert_eq!(ledger.allowance(HOUR), 1);
        assert_eq!(ledger.take(48 * HOUR - 1), Ok(()));
        assert_eq!(ledger.take(48 * HOUR - 1), Err(errcode::COUNT_USED));
        assert_eq!(ledger.take(48 * HOUR), Err(errcode::WINDOW_CLOSED));
    }

    #[test]
    fn what_else_people_do_allows_fewer_for_a_minute() {
        for (action, count) in [(Action::Menu, 3), (Action::Follow, 3), (Action::Scan, 3), (Action::Enter, 2)]
        {
            let ledger = after(action);
            assert_eq!((ledger.allowance(59_999), ledger.allowance(60_000)), (count, 0), "{action:?}");
        }
    }

    #[test]
    fn each_message_starts_the_ledger_anew() {
        let mut ledger = after(Action::Message);
        ledger.take(0).unwrap();
        ledger.open(Action::Message, HOUR);
        assert_eq!(ledger.allowance(HOUR), 5);
        assert_eq!(ledger.allowance(49 * HOUR - 1), 5);
    }

    #[test]
    fn the_window_that_ends_first_is_used_first() {
        let mut ledger = after(Action::Message);
        ledger.open(Action::Menu, 0);
        for _ in 0..3 {
            ledger.take(0).unwrap();
        }
        assert_eq!(ledger.allowance(61_000), 5, "the three of the menu tap went first");
    }

    #[test]
    fn typing_needs_a_fresh_message_and_lasts_15_seconds() {
        assert_eq!(Ledger::default().start_typing(0), Err(errcode::TYPING_TOO_LATE));
        let mut ledger = after(Action::Message);
        assert_eq!(ledger.start_typing(10_000), Ok(()));
        assert_eq!(ledger.start_typing(24_999), Err(errcode::TYPING_ALREADY));
        assert_eq!(ledger.start_typing(25_000), Ok(()));
        assert_eq!(ledger.start_typing(30_001), Err(errcode::TYPING_TOO_LATE));
        ledger.open(Action::Message, 50_000);
        ledger.start_typing(50_000).unwrap();
        ledger.cancel_typing();
        assert!(!ledger.is_typing(50_002));
    }
}
