//! What the simulated model says.

use serde_json::{Value, json};

use super::question::{Kind, Question};
use super::rules::Rule;

/// Characters of one piece of a stream.
const PIECE: usize = 8;
/// The longest answer: no rule needs more, and it is built in memory.
const LONGEST: usize = 200_000;

/// The whole answer to a question under a rule. The default one repeats the question, so that a test can tell whose
/// answer it is.
pub fn compose(question: &Question, rule: &Rule) -> String {
    if question.kind == Kind::Transcription {
        return rule.reply.clone().unwrap_or_else(|| format!("模拟语音识别：收到 {}", question.text));
    }
    let words = Words::of(&question.text);
    let mut text = rule.reply.clone().unwrap_or_else(|| words.greeting(question));
    if rule.markdown {
        text = words.marked_up(&text);
    }
    if let Some(length) = rule.length {
        text = stretch(text, length.min(LONGEST), words);
    }
    if rule.think { format!("<think>\n{}\n</think>\n\n{text}", words.thought()) } else { text }
}

/// The answer in the pieces of a stream.
pub fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(PIECE).map(|piece| piece.iter().collect()).collect()
}

/// What the answer cost, in the words that both protocols use.
pub fn usage(question: &Question, answer: &str) -> Value {
    let (prompt, completion) = (tokens(&question.messages.to_string()), tokens(answer));
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}

/// Something like the number of tokens: four bytes each.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// Numbered sentences up to exactly `length` characters, so that a reader sees at once which part is missing.
fn stretch(mut text: String, length: usize, words: Words) -> String {
    let end = words.end();
    let mut count = text.chars().count();
    for number in 1_u32.. {
        if count >= length {
            break;
        }
        let sentence = words.sentence(number);
        count += sentence.chars().count();
        text.push_str(&sentence);
    }
    if count == length {
        return text;
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    (kept + end).chars().take(length).collect()
}

/// The language of the question, and the sentences in it.
#[derive(Clone, Copy)]
enum Words {
    Chinese,
    English,
}

impl Words {
    fn of(text: &str) -> Self {
        let chinese = |character: char| ('\u{3400}'..='\u{9fff}').contains(&character);
        if text.is_empty() || text.chars().any(chinese) { Self::Chinese } else { Self::English }
    }

    fn greeting(self, question: &Question) -> String {
        let mut text = match self {
            Self::Chinese => format!("你好！我是 wx-sim 的模拟模型。你说的是：{}", question.text),
            Self::English => format!("Hello! I am wx-sim's simulated model. You said: {}", question.text),
        };
        for picture in &question.pictures {
            text.push_str(match self {
                Self::Chinese => "\n我收到了图片：",
                Self::English => "\nI got a picture: ",
            });
            text.push_str(picture);
        }
        text
    }

    fn marked_up(self, text: &str) -> String {
        let (heading, note) = match self {
            Self::Chinese => ("回答", "注意"),
            Self::English => ("Answer", "Note"),
        };
        format!(
            "## {heading}\n\n{text}\n\n- **{note}**: *1*\n- `code`\n\n```rust\nlet one = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[{note}](https://example.com/a_b_c)\n"
        )
    }

    fn thought(self) -> &'static str {
        match self {
            Self::Chinese => "这是模型的思考，用户不该看到。",
            Self::English => "These are the model's thoughts, which no user should see.",
        }
    }

    fn sentence(self, number: u32) -> String {
        match self {
            Self::Chinese => format!("这是第{number}句。"),
            Self::English => format!(" This is sentence {number}."),
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Chinese => "【完】",
            Self::English => " [end]",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Question {
        Question::chat("m", &json!({ "messages": [{ "role": "user", "content": text }] }))
    }

    #[test]
    fn the_default_answer_holds_the_question_in_its_language() {
        assert_eq!(
            compose(&ask("天气？"), &Rule::default()),
            "你好！我是 wx-sim 的模拟模型。你说的是：天气？"
        );
        assert!(compose(&ask("Weather?"), &Rule::default()).ends_with("You said: Weather?"));
    }

    #[test]
    fn length_is_exact() {
        for text in ["你好", "hello"] {
            for length in [0, 1, 2, 40, 41, 500, 5000] {
                let rule = Rule { length: Some(length), ..Rule::default() };
                assert_eq!(compose(&ask(text), &rule).chars().count(), length, "{text} {length}");
            }
        }
        let rule = Rule { length: Some(500), ..Rule::default() };
        let long = compose(&ask("你好"), &rule);
        assert!(long.contains("你说的是：你好") && long.contains("这是第40句。"), "{long}");
    }

    #[test]
    fn thoughts_and_markdown_surround_the_answer() {
        let rule = Rule { think: true, markdown: true, ..Rule::default() };
        let text = compose(&ask("你好"), &rule);
        assert!(text.starts_with("<think>\n") && text.contains("\n</think>\n\n## "), "{text}");
        assert!(text.contains("你说的是：你好") && text.contains("```rust"), "{text}");
    }

    #[test]
    fn pieces_give_the_text_back() {
        let text = "一二三四五六七八九十👨‍👩‍👧‍👦end";
        assert_eq!(pieces(text).concat(), text);
        assert_eq!(pieces(text).first().map(String::as_str), Some("一二三四五六七八"));
        assert!(pieces("").is_empty());
    }
}
