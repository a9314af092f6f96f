//! The links that a text message may hold: pages, Mini Programs, and one-tap answers.
//!
//! <https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage>

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::lang::Lang;

/// The scheme of a link that, tapped, sends a text.
const MENU: &str = "weixin://bizmsgmenu?";

/// What a tap does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Opens a page.
    Page,
    /// Sends [`Link::send`] as the user's text.
    Menu,
    /// Opens a Mini Program.
    MiniProgram,
}

/// One `<a>` of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the user sees.
    pub label: String,
    /// The link's target.
    pub href: String,
    /// What a tap does.
    pub kind: LinkKind,
    /// For a menu link: the text that a tap sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<String>,
    /// For a menu link: comes back as `bizmsgmenuid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Every link of a text, in order. What is not a whole `<a …>…</a>` stays text, as on the phone.
pub fn find(text: &str) -> Vec<Link> {
    pieces(text).into_iter().filter_map(Piece::link).collect()
}

/// The text with each link spelled out: its label, then what a tap does.
pub fn spell_out(text: &str, lang: Lang) -> String {
    let spelled = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Link(link) => match link.send {
            Some(send) => format!("{} ⟦{} {send}⟧", link.label, lang.pick("点按发送", "tap sends")),
            None => format!("{} ⟦{}⟧", link.label, link.href),
        },
    });
    spelled.collect()
}

/// The text with each link replaced by its label.
pub fn labels(text: &str) -> String {
    let words = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Link(link) => link.label,
    });
    words.collect()
}

enum Piece<'a> {
    Text(&'a str),
    Link(Link),
}

impl Piece<'_> {
    fn link(self) -> Option<Link> {
        match self {
            Self::Link(link) => Some(link),
            Self::Text(_) => None,
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, link, after)) = next_link(rest) {
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Link(link));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The first whole link: the text before it, itself, the text after it.
fn next_link(text: &str) -> Option<(&str, Link, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("<a ")?;
        let (before, tag) = text.split_at_checked(start)?;
        if let Some((link, after)) = read_link(tag) {
            return Some((before, link, after));
        }
        from = start + 1;
    }
}

fn read_link(tag: &str) -> Option<(Link, &str)> {
    let (attributes, inside) = tag.strip_prefix("<a ")?.split_once('>')?;
    let (label, after) = inside.split_once("</a>")?;
    let href = attribute(attributes, "href")?;
    Some((describe(label, href, attributes), after))
}

fn describe(label: &str, href: &str, attributes: &str) -> Link {
    let menu = href.strip_prefix(MENU);
    let kind = match menu {
        Some(_) => LinkKind::Menu,
        None if attribute(attributes, "data-miniprogram-appid").is_some() => LinkKind::MiniProgram,
        None => LinkKind::Page,
    };
    Link {
        label: label.to_owned(),
        href: href.to_owned(),
        kind,
        send: menu.and_then(|query| parameter(query, "msgmenucontent")),
        id: menu.and_then(|query| parameter(query, "msgmenuid")),
    }
}

/// The value of an attribute in double quotes: WeChat accepts no others.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let start = attributes.find(&format!("{name}=\""))? + name.len() + 2;
    attributes.get(start..)?.split_once('"').map(|(value, _)| value)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(key, _)| *key == name)?.1;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_tap_link_sends_its_decoded_content() {
        let text = "还在想。<a href=\"weixin://bizmsgmenu?msgmenucontent=%E7%BB%A7%E7%BB%AD&msgmenuid=1\">看答案</a>！";
        let [link] = find(text).try_into().unwrap();
        assert_eq!((link.label.as_str(), link.kind), ("看答案", LinkKind::Menu));
        assert_eq!((link.send.as_deref(), link.id.as_deref()), (Some("继续"), Some("1")));
        assert_eq!(spell_out(text, Lang::Zh), "还在想。看答案 ⟦点按发送 继续⟧！");
    }

    #[test]
    fn pages_and_mini_programs_are_told_apart() {
        let text = "<a href=\"https://a.example/?x=1\">页</a><a href=\"https://b.example\" data-miniprogram-appid=\"wx1\" data-miniprogram-path=\"p\">程</a>";
        let kinds: Vec<_> = find(text).into_iter().map(|link| link.kind).collect();
        assert_eq!(kinds, [LinkKind::Page, LinkKind::MiniProgram]);
    }

    #[test]
    fn what_is_not_a_link_stays_text() {
        for text in ["a < b", "<a href='x'>y</a>", "<a href=\"x\">y", "<abbr>z</abbr>", "<a "] {
            assert_eq!(find(text), [], "{text}");
            assert_eq!(spell_out(text, Lang::En), text);
        }
        assert_eq!(find("<a <a href=\"u\">v</a>").len(), 1);
    }
}
