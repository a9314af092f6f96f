//! An answer that is shown while it is written: whatever the pieces, the changes make the cleaned answer, and nothing
//! is shown that would have to be taken back.

use proptest::prelude::*;
use wxapi::chat::clean::{Cleaner, clean};
use wxapi::chat::live::{Change, Live, bounded};
use wxapi::chat::model::ANSWER_LIMIT;
use wxapi::chat::text::Texts;
use wxapi::lang::Lang;

fn texts() -> Texts {
    Texts { lang: Lang::En, retrieve: String::new(), typed: false }
}

/// What somebody sees who applies the changes.
#[derive(Default)]
struct Reader {
    text: String,
    replaced: usize,
}

impl Reader {
    fn apply(&mut self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::More(more)) => {
                assert!(!more.is_empty());
                self.text.push_str(&more);
            }
            Some(Change::Anew(text)) => {
                self.text = text;
                self.replaced += 1;
            }
        }
    }
}

/// The output up to each cut, as a model that writes on has written it by then.
fn growing<'a>(output: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut ends: Vec<usize> =
        cuts.iter().map(|cut| output.floor_char_boundary(cut % (output.len() + 1))).collect();
    ends.sort_unstable();
    ends.push(output.len());
    ends.into_iter().map(|end| &output[..end]).collect()
}

/// Everything that is shown on the way, for output that comes character by character, and at the end.
fn watch(output: &str) -> Vec<String> {
    let (mut live, mut reader, mut seen) = (Live::default(), Reader::default(), Vec::new());
    let mut see = |text: &String| {
        if seen.last() != Some(text) {
            seen.push(text.clone());
        }
    };
    for (at, character) in output.char_indices() {
        reader.apply(live.feed(&output[..at + character.len_utf8()]));
        see(&reader.text);
    }
    reader.apply(live.settle(&clean(output)));
    see(&reader.text);
    seen
}

/// Pieces that real answers are made of, and what could be mistaken for them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[一-龥]{1,12}[。！？]",
        4 => "[a-z ]{1,20}[.!,] ",
        6 => prop::sample::select(vec![
            "**", "*", "`", "```\n", "```rust\nlet x = 1;\n```\n", "\n", "\n\n", "\r\n", "# ", "## ", "#", "> ", "- ",
            "  * ", "+ ", "1. ", "---", "***", "___", "| a | b |\n|---|---|\n", "!", "[", "](", ")", "]", ":", "<",
            "[a](https://a.example/b)", "![a **b**](https://a.example/c.png)", "[[1]](https://a.example)", "[x]",
            "[https://a.example](https://a.example)", "<thi", "<think>", "</thin", "<b>", "<think>hm\n# **so**</think>",
            "👩‍👩‍👧‍👦", "🇨🇳", "e\u{301}", "\u{7}", "\u{ffff}", " ", "  ", "\t", "_a_", "\u{3000}", "$$x^2$$", "\\[ x \\]",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

fn output() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_changes_make_the_cleaned_answer(
        output in output(),
        lone in prop::option::weighted(0.2, any::<usize>()),
        cuts in prop::collection::vec(any::<usize>(), 0..60),
    ) {
        let mut output = output;
        if let Some(at) = lone {
            output.insert_str(output.floor_char_boundary(at % (output.len() + 1)), "</think>");
        }
        let closed = output.contains("</think>") && is_lone(&output);
        let whole = bounded(&clean(&output), &texts());
        let (mut live, mut reader) = (Live::default(), Reader::default());
        for output in growing(&output, &cuts) {
            reader.apply(live.feed(output));
            prop_assert_eq!(live.shown(), &reader.text);
            prop_assert!(closed || whole.starts_with(&reader.text), "{:?} of {:?}", reader.text, whole);
        }
        reader.apply(live.settle(&whole));
        prop_assert_eq!(&reader.text, &whole);
        prop_assert_eq!(live.place(), (u32::try_from(reader.replaced).unwrap(), whole.len()));
        prop_assert!(closed || reader.replaced == 0);
    }

    #[test]
    fn cleaning_does_not_depend_on_the_pieces(
        output in "(</?think>|```|\\*|!?\\[|\\]\\(|a:|\\)|\n|# |- |`|<|中|.){0,50}",
        cuts in prop::collection::vec(any::<usize>(), 0..60),
    ) {
        let (mut cleaner, mut cleaned, mut read) = (Cleaner::default(), String::new(), 0);
        for output in growing(&output, &cuts) {
            cleaner.feed(&output[read..], &mut cleaned);
            read = output.len();
        }
        cleaner.finish(&mut cleaned);
        prop_assert_eq!(cleaned, clean(&output));
    }

    #[test]
    fn prose_is_shown_at_once(words in prop::collection::vec("[一-龥a-zA-Z0-9，。,.?：:;|=()]{1,8} ?", 1..40)) {
        let (mut live, mut output) = (Live::default(), String::new());
        for word in words {
            output.push_str(&word);
            live.feed(&output);
            prop_assert_eq!(live.shown(), output.trim_end());
        }
    }

    #[test]
    fn whoever_saw_a_part_gets_the_rest(
        output in output(), cut in any::<usize>(), edition in 0u32..3, seen in 0usize..600,
    ) {
        let mut live = Live::default();
        live.feed(growing(&output, &[cut])[0]);
        let place = live.place();
        let mut reader = Reader { text: live.shown().to_owned(), replaced: 0 };
        live.feed(&output);
        reader.apply(live.since(place));
        prop_assert_eq!(&reader.text, live.shown());
        // Any other place counts if it is between two characters of this edition.
        let known = live.shown().get(..seen).filter(|_| edition == live.place().0);
        let mut reader = Reader { text: known.unwrap_or("something else").to_owned(), replaced: 0 };
        reader.apply(live.since((edition, seen)));
        prop_assert_eq!(&reader.text, live.shown());
        prop_assert_eq!(reader.replaced == 0, known.is_some());
    }

    #[test]
    fn nothing_panics(outputs in prop::collection::vec("(?s)(</?think>|[\\[\\]()!*`#<>\n-]|.){0,40}", 0..6), bytes in any::<usize>()) {
        // Output that does not go on where it was is no output of a model, and must do no harm either.
        let mut live = Live::default();
        for output in &outputs {
            live.feed(output);
            live.since((0, bytes % 50));
            if bytes % 3 == 0 {
                live.restart();
            }
        }
        live.settle(outputs.last().map_or("", String::as_str));
        live.feed("more");
    }
}

/// Whether a `</think>` stands outside of every thought.
fn is_lone(output: &str) -> bool {
    let mut rest = output;
    loop {
        let open = rest.find("<think>").unwrap_or(usize::MAX);
        match rest.find("</think>") {
            None => return false,
            Some(close) if close < open => return true,
            Some(_) => {
                let thought = &rest[open..];
                let Some(close) = thought.find("</think>") else { return false };
                rest = &thought[close + "</think>".len()..];
            }
        }
    }
}

#[test]
fn marks_are_never_half_shown() {
    for (output, seen) in [
        ("a **b** c", vec!["a", "a b", "a b c"]),
        ("2*3", vec!["2", "2*3"]),
        ("2 * 3", vec!["2", "2 *", "2 * 3"]),
        ("# Hi", vec!["", "H", "Hi"]),
        ("#tag", vec!["", "#t", "#ta", "#tag"]),
        ("- 好", vec!["", "· 好"]),
        ("-5", vec!["", "-5"]),
        ("  * x", vec!["", " · x"]),
        ("> q", vec!["", "q"]),
        ("---\nx", vec!["", "——", "——\nx"]),
        ("a\n\n\n- b", vec!["a", "a\n\n· b"]),
        ("```sh\nls\n```\nok", vec!["", "  l", "  ls", "  ls\no", "  ls\nok"]),
        ("`x` y", vec!["", "x", "x y"]),
        ("见[甲](b:c)。", vec!["见", "见甲 b:c", "见甲 b:c 。"]),
        ("!![甲](b:c)", vec!["", "!", "!甲 b:c"]),
        ("[1] x", vec!["", "[1]", "[1] x"]),
        ("[[1]](b:c)", vec!["", "[", "[1] b:c"]),
        ("好！", vec!["好", "好！"]),
        ("Hi!", vec!["H", "Hi", "Hi!"]),
        ("a<b", vec!["a", "a<b"]),
        ("a <thin", vec!["a", "a <thin"]),
        ("<think>hm</think>\n\nok", vec!["", "o", "ok"]),
        ("a<think>hm</think>b", vec!["a", "ab"]),
        ("hm</think>ok", vec!["h", "hm", "o", "ok"]),
        ("👩‍👩‍👧", vec!["👩", "👩\u{200d}", "👩\u{200d}👩", "👩\u{200d}👩\u{200d}", "👩‍👩‍👧"]),
    ] {
        assert_eq!(watch(output), seen, "{output}");
    }
}

#[test]
fn links_are_told_from_brackets() {
    let long = "长".repeat(200);
    for (markdown, plain) in [
        ("[`code`](https://a.example)", "code https://a.example"),
        ("[**b**](https://a.example) c", "b https://a.example  c"),
        ("[[1]](https://a.example)", "[1] https://a.example"),
        ("[see] also](https://a.example)", "[see] also](https://a.example)"),
        (&format!("[{long}](https://a.example)"), &format!("[{long}](https://a.example)")),
    ] {
        assert_eq!(clean(markdown), plain, "{markdown}");
    }
    // A bracket that nobody closes does not hold the answer up for long.
    let mut live = Live::default();
    live.feed(&format!("[{long}"));
    assert_eq!(live.shown(), format!("[{long}"));
}

#[test]
fn a_thought_that_was_shown_is_replaced_by_the_answer() {
    let mut live = Live::default();
    assert_eq!(live.feed("Let me see"), Some(Change::More("Let me see".to_owned())));
    assert_eq!(live.place(), (0, 10));
    assert_eq!(live.feed("Let me see</think>"), None, "until there is something better");
    assert_eq!(live.shown(), "Let me see");
    assert_eq!(live.feed("Let me see</think>\n\n4"), Some(Change::Anew("4".to_owned())));
    assert_eq!(live.feed("Let me see</think>\n\n42"), Some(Change::More("2".to_owned())));
    assert_eq!((live.shown(), live.place()), ("42", (1, 2)));
    assert_eq!(live.since((0, 2)), Some(Change::Anew("42".to_owned())));
    assert_eq!(live.since((1, 1)), Some(Change::More("2".to_owned())));
    assert_eq!(live.since((1, 2)), None);
    assert_eq!(live.settle("42"), None);
}

#[test]
fn a_new_attempt_replaces_what_was_shown() {
    let mut live = Live::default();
    live.restart();
    assert_eq!(live.feed("The"), Some(Change::More("The".to_owned())), "nothing was shown before");
    live.restart();
    assert_eq!(live.feed("<think>"), None);
    assert_eq!(live.feed("<think>a</think>这"), Some(Change::Anew("这".to_owned())));
    assert_eq!(live.since((1, 1)), Some(Change::Anew("这".to_owned())), "no character is cut");
    live.restart();
    assert_eq!(live.settle("这是"), Some(Change::More("是".to_owned())), "it was right after all");
    assert_eq!(live.settle("Sorry"), Some(Change::Anew("Sorry".to_owned())));
    assert_eq!(live.feed("more"), None, "settled is settled");
}

/// Quadratic work would take minutes here.
#[test]
fn an_answer_without_an_end_is_cut_where_it_will_be_kept() {
    for unit in ["一", "ab一c", "x [一 ", "-"] {
        let output = unit.repeat(4 * ANSWER_LIMIT / unit.len());
        let (mut live, mut reader) = (Live::default(), Reader::default());
        for (at, character) in output.char_indices() {
            reader.apply(live.feed(&output[..at + character.len_utf8()]));
        }
        let whole = bounded(&clean(&output), &texts());
        assert!(reader.text.len() <= ANSWER_LIMIT && whole.starts_with(&reader.text), "{unit}");
        assert!(unit == "-" || reader.text.len() > ANSWER_LIMIT - 4, "{unit}: {}", reader.text.len());
        assert!(unit == "-" || whole.ends_with("the rest is left out.)"));
        reader.apply(live.settle(&whole));
        assert_eq!((&reader.text, reader.replaced), (&whole, 0));
    }
}
