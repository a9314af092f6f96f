//! What a push means: for the person's chat, and for what the app may send them.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html>

use wxapi::wechat::xml::Fields;

use crate::ledger::Action;

/// Which window for messages a push opens, if any.
pub fn action(push: &Fields) -> Option<Action> {
    if push.get("MsgType") != Some("event") {
        return Some(Action::Message);
    }
    match push.get("Event").unwrap_or_default().to_ascii_lowercase().as_str() {
        "subscribe" => Some(Action::Follow),
        "scan" => Some(Action::Scan),
        "click" | "scancode_push" | "scancode_waitmsg" => Some(Action::Menu),
        _ => None,
    }
}

/// The same for what happens in a Mini Program.
pub fn mini_action(push: &Fields) -> Option<Action> {
    match push.get("Event") {
        None => Some(Action::Message),
        Some(event) => event.eq_ignore_ascii_case("user_enter_tempsession").then_some(Action::Enter),
    }
}

/// The scene of the QR code by which somebody came to follow the account, if they did.
pub fn followed_scene(push: &Fields) -> Option<&str> {
    let follows =
        is_event(push) && push.get("Event").is_some_and(|event| event.eq_ignore_ascii_case("subscribe"));
    push.get("EventKey").filter(|_| follows)?.strip_prefix("qrscene_")
}

/// Whether the push says that the person left.
pub fn is_farewell(push: &Fields) -> bool {
    is_event(push) && push.get("Event").is_some_and(|event| event.eq_ignore_ascii_case("unsubscribe"))
}

/// Whether the push tells how a job of the account ended, what a check found, or which agent took a conversation: the
/// person did nothing.
pub fn is_job_result(push: &Fields) -> bool {
    let name = push.get("Event").unwrap_or_default().to_ascii_lowercase();
    is_event(push)
        && (name.ends_with("jobfinish")
            || name == "wxa_media_check"
            || name == "subscribe_msg_sent_event"
            || name.starts_with("kf_"))
}

/// Whether the push is an event.
pub fn is_event(push: &Fields) -> bool {
    push.get("MsgType") == Some("event")
}

/// Whether nobody looks at the chat when this event happens: neither a reply nor an error line is shown.
pub fn is_unseen(push: &Fields) -> bool {
    let name = push.get("Event").unwrap_or_default().to_ascii_lowercase();
    let unseen = ["unsubscribe", "location", "view", "view_miniprogram"];
    let told = ["subscribe_msg_", "kf_"].iter().any(|family| name.starts_with(family));
    is_event(push) && (unseen.contains(&name.as_str()) || told || is_job_result(push))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wxapi::wechat::xml::parse_xml;

    fn event(kind: &str, key: &str) -> Fields {
        let xml = "<MsgType>event</MsgType>";
        parse_xml(&format!("<xml>{xml}<Event>{kind}</Event><EventKey>{key}</EventKey></xml>")).unwrap()
    }

    fn text() -> Fields {
        parse_xml("<xml><MsgType>text</MsgType><Content>x</Content></xml>").unwrap()
    }

    #[test]
    fn who_followed_by_a_code_has_its_scene() {
        assert_eq!(followed_scene(&event("subscribe", "qrscene_42")), Some("42"));
        assert_eq!(followed_scene(&event("SCAN", "qrscene_42")), None);
        assert_eq!(
            followed_scene(&event("subscribe", "qrscene_qrscene_42")),
            Some("qrscene_42"),
            "one prefix goes"
        );
    }

    #[test]
    fn what_opens_a_window_and_what_nobody_sees() {
        assert_eq!(action(&text()), Some(Action::Message));
        assert_eq!(action(&event("subscribe", "")), Some(Action::Follow));
        assert_eq!(action(&event("VIEW", "https://a.example")), None);
        assert_eq!(mini_action(&text()), Some(Action::Message));
        assert_eq!(mini_action(&event("user_enter_tempsession", "")), Some(Action::Enter));
        assert_eq!(mini_action(&event("wxa_media_check", "")), None);
        assert!(is_farewell(&event("unsubscribe", "")) && is_unseen(&event("unsubscribe", "")));
        assert!(is_unseen(&event("TEMPLATESENDJOBFINISH", "")) && !is_unseen(&event("CLICK", "a")));
    }
}
