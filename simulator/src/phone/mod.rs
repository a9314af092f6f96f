//! How a message looks on the phone.

mod links;
mod passive;
mod pushed;
pub mod transcript;
mod visible;

use serde::{Deserialize, Serialize};

use crate::lang::Lang;
use crate::platform::api::App;

pub use links::{Link, LinkKind};

/// WeChat's own grey line when an account fails to answer.
pub const ERROR_LINE: &str = "该公众号提供的服务出现故障，请稍后再试";

/// The same in the chat with a Mini Program's customer service.
///
/// <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html>
const MINI_ERROR_LINE: &str = "该小程序客服暂时无法提供服务，请稍后再试";

/// One thing on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Bubble {
    /// A text, as the account wrote it, with the links found in it.
    Text {
        /// The text with its `<a>` tags.
        text: String,
        /// Its links, in order.
        links: Vec<Link>,
    },
    /// A picture.
    Image {
        /// The account's media id.
        media_id: String,
    },
    /// A voice message.
    Voice {
        /// The account's media id.
        media_id: String,
    },
    /// A video.
    Video {
        /// The account's media id.
        media_id: String,
        /// Shown under it.
        title: String,
        /// Shown under the title.
        description: String,
    },
    /// A song.
    Music {
        /// Its name.
        title: String,
        /// Usually the singer.
        description: String,
        /// What is played.
        url: String,
    },
    /// A card of articles.
    News {
        /// The articles that the phone shows: surplus ones are dropped silently.
        articles: Vec<Article>,
    },
    /// A question with answers to tap (`msgmenu`, customer messages only).
    Menu {
        /// The question.
        head: String,
        /// The answers: a tap sends the label.
        choices: Vec<Choice>,
        /// Text below the answers.
        tail: String,
    },
    /// A notification made from a template.
    Card {
        /// The template's title.
        title: String,
        /// The template's lines, filled.
        lines: Vec<CardLine>,
        /// The page that a tap opens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The Mini Program that a tap opens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mini_program: Option<MiniProgram>,
    },
    /// The conversation went to the human agents.
    Transfer {
        /// A certain agent, if named.
        agent: Option<String>,
    },
    /// Something that this simulator does not draw.
    Other {
        /// Its `MsgType`.
        msgtype: String,
    },
    /// WeChat's own error line.
    Error {
        /// [`ERROR_LINE`], or that of a Mini Program.
        text: String,
    },
}

/// One article of a news card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its headline.
    pub title: String,
    /// Shown under a single article.
    pub description: String,
    /// Its picture.
    pub pic_url: String,
    /// What a tap opens.
    pub url: String,
}

/// One line of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardLine {
    /// What the value is; empty on a line without a name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A page of a Mini Program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniProgram {
    /// The Mini Program's AppID.
    pub appid: String,
    /// The page with its query; empty for the first one.
    pub pagepath: String,
}

/// One answer of a `msgmenu`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Comes back as `bizmsgmenuid`.
    pub id: String,
    /// What is shown, and sent when tapped.
    pub content: String,
}

impl Bubble {
    /// A text bubble.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let links = links::find(&text);
        Self::Text { text, links }
    }

    /// WeChat's error line, in the chat with the account or with the Mini Program's customer service.
    pub fn error_line(app: App) -> Self {
        let text = match app {
            App::Official => ERROR_LINE,
            App::Mini => MINI_ERROR_LINE,
        };
        Self::Error { text: text.to_owned() }
    }

    /// The bubble as lines of a terminal, links spelled out.
    pub fn readable(&self, lang: Lang) -> String {
        match self {
            Self::Text { text, .. } => links::spell_out(text, lang),
            Self::Image { media_id } => format!("[{}] {media_id}", lang.pick("图片", "image")),
            Self::Voice { media_id } => format!("[{}] {media_id}", lang.pick("语音", "voice")),
            Self::Video { media_id, title, .. } => {
                format!("[{}] {title} {media_id}", lang.pick("视频", "video"))
            }
            Self::Music { title, url, .. } => format!("[{}] {title} {url}", lang.pick("音乐", "music")),
            Self::News { articles } => articles.iter().map(Article::readable).collect::<Vec<_>>().join("\n"),
            Self::Menu { head, choices, tail } => readable_menu(head, choices, tail),
            Self::Card { title, lines, url, mini_program } => {
                let target = mini_program.as_ref().map(MiniProgram::readable).or_else(|| url.clone());
                readable_card(title, lines, target)
            }
            Self::Transfer { agent } => {
                let to = lang.pick("已转人工客服", "handed to a human agent");
                format!("[{to}] {}", agent.as_deref().unwrap_or_default())
            }
            Self::Other { msgtype } => format!("[{msgtype}]"),
            Self::Error { text } => text.clone(),
        }
    }
}

impl Article {
    fn readable(&self) -> String {
        format!("▤ {}\n  {}\n  {}", self.title, self.description, self.url)
    }
}

impl MiniProgram {
    fn readable(&self) -> String {
        format!("{} {}", self.appid, self.pagepath)
    }
}

fn readable_card(title: &str, lines: &[CardLine], target: Option<String>) -> String {
    let line = |line: &CardLine| match line.name.as_str() {
        "" => format!("  {}", line.value),
        name => format!("  {name}  {}", line.value),
    };
    let target = target.map(|target| format!("  → {target}"));
    let lines = std::iter::once(format!("▣ {title}")).chain(lines.iter().map(line)).chain(target);
    lines.collect::<Vec<_>>().join("\n")
}

fn readable_menu(head: &str, choices: &[Choice], tail: &str) -> String {
    let choices = choices.iter().map(|choice| format!("  ▸ {}", choice.content));
    let lines = std::iter::once(head.to_owned()).chain(choices).chain(std::iter::once(tail.to_owned()));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_readable_in_a_terminal() {
        let line = |name: &str, value: &str| CardLine { name: name.to_owned(), value: value.to_owned() };
        let (lines, url) = (vec![line("", "您好"), line("订单", "A1")], Some("https://a.example".to_owned()));
        let card = |mini_program| Bubble::Card {
            title: "订单提醒".to_owned(),
            lines: lines.clone(),
            url: url.clone(),
            mini_program,
        };
        assert_eq!(card(None).readable(Lang::Zh), "▣ 订单提醒\n  您好\n  订单  A1\n  → https://a.example");
        let mini = MiniProgram { appid: "wx1".to_owned(), pagepath: "p?a=1".to_owned() };
        assert!(card(Some(mini)).readable(Lang::Zh).ends_with("\n  → wx1 p?a=1"));
    }
}
