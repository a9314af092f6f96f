//! Every sentence that a user can read, in Chinese and English.
//!
//! `link(label, command)` makes a one-tap link: tapping it sends the command as a message. Typed words always
//! work too; `/help` lists them.

use super::command::Command;
use crate::lang::Lang;
use crate::wechat::reply::menu_link;

/// The texts of one account: its language and its word for fetching answers.
#[derive(Clone, Debug)]
pub struct Texts {
    /// Language of every sentence.
    pub lang: Lang,
    /// The word that fetches a delayed answer (configuration `LLMLastMsg`).
    pub retrieve: String,
    /// There are no one-tap links where they are read: the words to be typed stand there instead.
    pub typed: bool,
}

/// What `/status` tells.
#[derive(Debug)]
pub struct Status {
    /// Questions that the model is working on.
    pub running: usize,
    /// Answers with pages that were not read.
    pub unread: usize,
    /// Turns that the model remembers.
    pub turns: usize,
    /// Minutes of silence after which the conversation is forgotten.
    pub timeout_minutes: u64,
    /// Questions left in this minute.
    pub left: usize,
}

impl Texts {
    fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn link(&self, zh: &str, en: &str, command: Command) -> String {
        let (label, word) = (self.pick(zh, en), command.word(&self.retrieve));
        if self.typed { [label, self.pick("：", ": "), word].concat() } else { menu_link(label, word) }
    }

    /// The third delivery ran out: the answer will wait.
    pub fn still_thinking(&self) -> String {
        let link = self.link("点此查看回答", "Tap for the answer", Command::Retrieve);
        match self.lang {
            Lang::Zh => format!("这个问题需要多想一会儿。\n{link}（或稍后发送 {}）", self.retrieve),
            Lang::En => format!("This one takes a moment.\n{link} (or send {} later)", self.retrieve),
        }
    }

    /// Asked for an answer that is not there yet.
    pub fn still_working(&self, seconds: u64) -> String {
        let link = self.link("再看看", "Check again", Command::Retrieve);
        match self.lang {
            Lang::Zh => format!("还在思考，已用 {seconds} 秒。\n{link}"),
            Lang::En => format!("Still working, {seconds} s so far.\n{link}"),
        }
    }

    /// Nothing is waiting and nothing was answered.
    pub fn nothing_pending(&self) -> String {
        self.pick("没有待查看的回答。", "No pending messages found").to_owned()
    }

    /// Below a page that is not the last one.
    pub fn next_page(&self, page: usize, of: usize) -> String {
        format!("\n\n({page}/{of}) {}", self.link("继续", "Continue", Command::Retrieve))
    }

    /// Below an answer, when another one is waiting.
    pub fn also_waiting(&self) -> String {
        format!("\n\n{}", self.link("还有未读的回答", "Another answer is waiting", Command::Retrieve))
    }

    /// `/new` was done.
    pub fn new_conversation(&self) -> String {
        self.pick("好，我们重新开始。", "All right, a fresh start.").to_owned()
    }

    /// `/forget` was done.
    pub fn forgotten(&self) -> String {
        self.pick("你的数据已全部删除。", "Everything stored about you is deleted.").to_owned()
    }

    /// `/help`.
    pub fn help(&self) -> String {
        let mut text = match self.typed {
            false => self.pick(
                "直接发消息给我就行：文字、语音、图片、链接都可以。",
                "Just write to me: text, voice, pictures and links.",
            ),
            true => {
                self.pick("直接发消息给我就行：文字、图片都可以。", "Just write to me: text and pictures.")
            }
        }
        .to_owned();
        text.push('\n');
        for (zh, en, command) in [
            ("查看回答", "Fetch an answer", Command::Retrieve),
            ("新对话", "New conversation", Command::New),
            ("总结", "Summary", Command::Summary),
            ("状态", "Status", Command::Status),
            ("忘记我", "Forget me", Command::Forget),
        ] {
            text.push('\n');
            text.push_str(&self.link(zh, en, command));
            if !self.typed {
                text.push(' ');
                text.push_str(command.word(&self.retrieve));
            }
        }
        text
    }

    /// Sent to a new follower.
    pub fn welcome(&self) -> String {
        let link = self.link("看看我能做什么", "See what I can do", Command::Help);
        match self.lang {
            Lang::Zh => format!("你好，欢迎关注！有问题直接发给我。\n{link}"),
            Lang::En => format!("Hello, and welcome! Just ask me anything.\n{link}"),
        }
    }

    /// Said to somebody who comes to the customer service.
    pub fn greeting(&self) -> String {
        let link = self.link("看看我能做什么", "See what I can do", Command::Help);
        [self.pick("你好！有问题直接发给我。\n", "Hello! Just ask me anything.\n"), &link].concat()
    }

    /// `/status`.
    pub fn status(&self, status: &Status) -> String {
        let Status { running, unread, turns, timeout_minutes, left } = status;
        match self.lang {
            Lang::Zh => format!(
                "正在思考：{running}\n未读回答：{unread}\n记得的对话：{turns} 轮\n安静 {timeout_minutes} 分钟后忘记\n这一分钟还可提问：{left}"
            ),
            Lang::En => format!(
                "Working on: {running}\nUnread answers: {unread}\nTurns remembered: {turns}\nForgotten after {timeout_minutes} quiet minutes\nQuestions left this minute: {left}"
            ),
        }
    }

    /// `/summary` with nothing to summarise.
    pub fn nothing_to_summarise(&self) -> String {
        self.pick("我们还没有聊过什么。", "We have not talked about anything yet.").to_owned()
    }

    /// More questions in a minute than allowed.
    pub fn slow_down(&self, seconds: u64) -> String {
        match self.lang {
            Lang::Zh => format!("问得有点快，请 {seconds} 秒后再问。"),
            Lang::En => format!("That was a bit fast. Please ask again in {seconds} s."),
        }
    }

    /// More questions at once than allowed.
    pub fn too_many_at_once(&self) -> String {
        let link = self.link("看看好了没有", "See if they are ready", Command::Retrieve);
        match self.lang {
            Lang::Zh => format!("你前面的问题我还在想，先等等它们吧。\n{link}"),
            Lang::En => format!("I am still working on your earlier questions.\n{link}"),
        }
    }

    /// Too many answers wait unread.
    pub fn read_first(&self, count: usize) -> String {
        let link = self.link("先看看它们", "Read them first", Command::Retrieve);
        match self.lang {
            Lang::Zh => format!("还有 {count} 条回答你没看。\n{link}"),
            Lang::En => format!("{count} answers are waiting for you.\n{link}"),
        }
    }

    /// The model could not be reached, whatever was tried.
    pub fn model_failed(&self) -> String {
        self.pick(
            "抱歉，这个问题暂时没能回答。请过一会儿再问一次。",
            "Sorry, I could not answer this just now. Please ask again in a while.",
        )
        .to_owned()
    }

    /// WeChat takes a question, or its answer, for a risk.
    pub fn not_allowed(&self) -> String {
        self.pick(
            "抱歉，这个话题我不方便讨论，换个问题试试吧。",
            "Sorry, this is nothing I can talk about. Please ask me something else.",
        )
        .to_owned()
    }

    /// An answer was longer than what is kept.
    pub fn cut_short(&self) -> &str {
        self.pick("\n（回答太长，后面省略了）", "\n(The answer was too long; the rest is left out.)")
    }

    /// A voice message that cannot be turned into text.
    pub fn cannot_hear(&self) -> String {
        self.pick(
            "抱歉，这条语音我没能听懂。请用文字再说一次。",
            "Sorry, I could not make out this voice message. Please type it.",
        )
        .to_owned()
    }

    /// A picture that cannot be looked at.
    pub fn cannot_see(&self) -> String {
        self.pick(
            "抱歉，这张图片我没能看到。请用文字描述一下。",
            "Sorry, I could not look at this picture. Please describe it in words.",
        )
        .to_owned()
    }

    /// Videos, files and whatever else has no answer of its own.
    pub fn cannot_open(&self) -> String {
        self.pick(
            "我还看不了这类消息，请用文字告诉我。",
            "I cannot open this kind of message yet. Please tell me in words.",
        )
        .to_owned()
    }

    /// A location was noted.
    pub fn location_noted(&self, label: &str) -> String {
        match self.lang {
            Lang::Zh => format!("收到你的位置：{label}。想知道什么？"),
            Lang::En => format!("Got your location: {label}. What would you like to know?"),
        }
    }

    /// How a sent picture stands in the history.
    pub fn picture(&self) -> &str {
        self.pick("[图片]", "[picture]")
    }

    /// How a voice message stands there before it was heard.
    pub fn voice(&self) -> &str {
        self.pick("[语音]", "[voice message]")
    }

    /// How a sent location stands in the history.
    pub fn location(&self, label: &str, latitude: &str, longitude: &str) -> String {
        match self.lang {
            Lang::Zh => format!("[我的位置] {label} ({latitude}, {longitude})"),
            Lang::En => format!("[my location] {label} ({latitude}, {longitude})"),
        }
    }
}
