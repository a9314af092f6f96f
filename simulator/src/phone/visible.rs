//! What a message says to whoever looks at the phone.

use super::{Article, Bubble, Link, links};

impl Bubble {
    /// The text that can be read on the screen, links by their labels; empty for pictures and sounds.
    pub fn visible(&self) -> String {
        let lines = |lines: &[&str]| {
            let filled: Vec<_> = lines.iter().copied().filter(|line| !line.is_empty()).collect();
            filled.join("\n")
        };
        match self {
            Self::Text { text, .. } => links::labels(text),
            Self::Video { title, description, .. } | Self::Music { title, description, .. } => {
                lines(&[title, description])
            }
            Self::News { articles } => {
                let articles: Vec<_> = articles
                    .iter()
                    .map(|Article { title, description, .. }| lines(&[title, description]))
                    .collect();
                articles.join("\n")
            }
            Self::Menu { head, choices, tail } => {
                let choices: Vec<_> = choices.iter().map(|choice| choice.content.as_str()).collect();
                lines(&[head, &choices.join("\n"), tail])
            }
            Self::Error { text } => text.clone(),
            _ => String::new(),
        }
    }

    /// The links that can be tapped in it.
    pub fn links(&self) -> &[Link] {
        match self {
            Self::Text { links, .. } => links,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Choice;

    #[test]
    fn what_is_read_has_labels_and_no_tags() {
        let text =
            Bubble::text("还在想。<a href=\"weixin://bizmsgmenu?msgmenucontent=x&msgmenuid=1\">看答案</a>！");
        assert_eq!(text.visible(), "还在想。看答案！");
        assert_eq!(text.links().len(), 1);
        let choice = |content: &str| Choice { id: "1".to_owned(), content: content.to_owned() };
        let menu = Bubble::Menu {
            head: "好吗？".to_owned(),
            choices: vec![choice("好"), choice("不好")],
            tail: String::new(),
        };
        assert_eq!(menu.visible(), "好吗？\n好\n不好");
        assert_eq!(Bubble::Image { media_id: "m".to_owned() }.visible(), "");
    }
}
