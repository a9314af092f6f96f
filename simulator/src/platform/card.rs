//! The content of message templates: lines with places such as `订单：{{order.DATA}}`, and the card that comes of them.

use serde_json::Value;

use super::api::text;
use super::errcode::Errcode;
use crate::phone::{Bubble, CardLine, MiniProgram};

/// A field of the message is missing, empty, or not as its kind wants it.
pub const FIELD: Errcode = Errcode(47003);

/// The names of the places, in order.
pub fn keys(content: &str) -> Vec<&str> {
    content.split("{{").skip(1).filter_map(|rest| rest.split_once(".DATA}}").map(|(key, _)| key)).collect()
}

/// What stands in a place: a text, or a number as its text; empty without any.
pub fn value(data: &Value, key: &str) -> String {
    match data.get(key).and_then(|field| field.get("value")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The card that a phone shows: the template filled with the message's data.
pub fn bubble(title: &str, content: &str, message: &Value) -> Bubble {
    let data = message.get("data").unwrap_or(&Value::Null);
    with_lines(title, content.lines().map(|line| fill(line, data)), message)
}

/// A card of these lines, without empty ones. A Mini Program goes before a page.
pub fn with_lines(title: &str, lines: impl Iterator<Item = CardLine>, message: &Value) -> Bubble {
    let mini_program = message.get("miniprogram").map(|mini| MiniProgram {
        appid: text(mini, "appid").to_owned(),
        pagepath: text(mini, "pagepath").to_owned(),
    });
    let mini_program = mini_program.filter(|mini| !mini.appid.is_empty());
    let url = Some(text(message, "url")).filter(|url| !url.is_empty() && mini_program.is_none());
    Bubble::Card {
        title: title.to_owned(),
        lines: lines.filter(|line| !line.value.is_empty()).collect(),
        url: url.map(str::to_owned),
        mini_program,
    }
}

/// Before the first place is the name of the line, the rest is its value.
fn fill(line: &str, data: &Value) -> CardLine {
    let Some((name, rest)) = line.split_once("{{") else {
        return CardLine { name: String::new(), value: line.trim().to_owned() };
    };
    let mut value = String::new();
    for (n, part) in format!("{{{{{rest}").split("{{").enumerate() {
        match part.split_once(".DATA}}") {
            Some((key, after)) if n > 0 => value = value + &self::value(data, key) + after,
            _ => value.push_str(part),
        }
    }
    let name = name.trim().trim_end_matches([':', '：']).trim_end();
    CardLine { name: name.to_owned(), value: value.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_filled() {
        let content =
            "{{first.DATA}}\n订单：{{order.DATA}}\n共 {{n.DATA}} 件，{{sum.DATA}}元\n{{remark.DATA}}";
        assert_eq!(keys(content), ["first", "order", "n", "sum", "remark"]);
        let message = json!({
            "url": "https://a.example",
            "data": { "first": { "value": "您好" }, "order": { "value": "A1" }, "n": { "value": 2 }, "sum": { "value": "9.9" } }
        });
        let Bubble::Card { lines, url, mini_program, .. } = bubble("提醒", content, &message) else {
            panic!("a card")
        };
        let lines: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.value.as_str())).collect();
        assert_eq!(lines, [("", "您好"), ("订单", "A1"), ("共", "2 件，9.9元")]);
        assert_eq!((url.as_deref(), mini_program), (Some("https://a.example"), None));
    }

    #[test]
    fn a_mini_program_goes_before_a_page() {
        let message =
            json!({ "url": "https://a.example", "miniprogram": { "appid": "wx1", "pagepath": "index" } });
        let Bubble::Card { url, mini_program, .. } = bubble("提醒", "好", &message) else {
            panic!("a card")
        };
        assert_eq!((url, mini_program.unwrap().appid), (None, "wx1".to_owned()));
    }
}
