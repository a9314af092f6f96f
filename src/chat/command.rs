//! What a user can type, or tap, besides a question.

/// The small form of a letter of the scripts that have one and that keyboards of our users have, full-width Latin
/// included; a full-width slash becomes a slash. The table of every script would be 6 kB of the bundle.
/// <https://www.unicode.org/charts/case/>
pub(super) fn lower(letter: char) -> char {
    let distance = match letter {
        '／' => return '/',
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' | 'Ａ'..='Ｚ' => 32,
        'Ѐ'..='Џ' => 80,
        _ => 0,
    };
    char::from_u32(u32::from(letter) + distance).unwrap_or(letter)
}

/// A chat command. Every command has a slash form, a Chinese and an English word; all always work, in any
/// language setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The next unread page or answer.
    Retrieve,
    /// Forget the conversation so far, keep what was not read.
    New,
    /// What can be typed.
    Help,
    /// What is stored and what is running.
    Status,
    /// A summary of the conversation, by the model.
    Summary,
    /// Delete everything stored about me.
    Forget,
}

impl Command {
    /// Reads a typed text as a command. `retrieve` is the account's own word for [`Command::Retrieve`]
    /// (configuration `LLMLastMsg`). Case and surrounding blanks do not matter; a full-width slash, which
    /// Chinese keyboards make, is a slash.
    pub fn parse(text: &str, retrieve: &str) -> Option<Self> {
        let plain = |text: &str| text.trim().chars().map(lower).collect::<String>();
        let word = plain(text);
        if word == plain(retrieve) {
            return Some(Self::Retrieve);
        }
        Some(match word.as_str() {
            "/retrieve" | "继续" | "continue" => Self::Retrieve,
            "/new" | "新对话" | "new chat" => Self::New,
            "/help" | "帮助" | "help" => Self::Help,
            "/status" | "状态" | "status" => Self::Status,
            "/summary" | "总结" | "summary" => Self::Summary,
            "/forget" | "忘记我" | "forget me" => Self::Forget,
            _ => return None,
        })
    }

    /// The word that one-tap links send.
    pub fn word(self, retrieve: &str) -> &str {
        match self {
            Self::Retrieve => retrieve,
            Self::New => "/new",
            Self::Help => "/help",
            Self::Status => "/status",
            Self::Summary => "/summary",
            Self::Forget => "/forget",
        }
    }
}
