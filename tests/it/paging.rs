//! Pages: whatever the text, they fit, they join up, and they cut nothing that belongs together.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;
use wxapi::chat::clean::clean;
use wxapi::chat::paging::pages;

/// Pieces that real answers are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[一-龥]{1,40}[。！？]",
        "[a-z ]{1,60}\\. ",
        "https?://[a-z]{3,10}\\.example/[a-z0-9/?&=%#_-]{0,80} ",
        Just("👩‍👩‍👧‍👦🇨🇳👍🏽".to_owned()),
        Just("e\u{301}\u{323}".to_owned()),
        "  [a-z(){};= ]{1,90}\n",
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        "\\PC{0,20}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pages_fit_and_join_to_the_text(text in text(), limit in 60usize..700) {
        let pages = pages(&text, limit);
        prop_assert!(pages.iter().all(|page| page.len() <= limit && !page.is_empty()));
        prop_assert_eq!(pages.concat(), text);
    }

    #[test]
    fn pages_end_between_characters_and_outside_urls(text in text(), limit in 200usize..700) {
        let mut end = 0;
        let boundaries: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        for page in pages(&text, limit) {
            end += page.len();
            prop_assert!(end == text.len() || boundaries.contains(&end), "cut at {}", end);
            for (start, url) in urls(&text) {
                let fits = url <= limit;
                prop_assert!(!fits || end <= start || end >= start + url, "cut the URL at {}", start);
            }
        }
    }

    #[test]
    fn code_lines_that_fit_a_page_stay_whole(text in text(), limit in 120usize..700) {
        let mut end = 0;
        for page in pages(&text, limit) {
            end += page.len();
            let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
            let line = &text[start..];
            let line = &line[..line.find('\n').map_or(line.len(), |at| at + 1)];
            let code = line.starts_with("  ") && line.len() <= limit;
            prop_assert!(!code || end == start || end >= start + line.len(), "cut {:?}", line);
        }
    }

    #[test]
    fn cleaning_never_fails_and_leaves_no_thought(text in "(?s)(<think>|</think>|```|\\*\\*|\\[|\\]\\(|\n|# |.){0,60}") {
        let cleaned = clean(&text);
        prop_assert!(!cleaned.contains("<think>"), "{}", cleaned);
        prop_assert!(!cleaned.contains("\n\n\n"));
    }
}

/// Start and length of every URL, as long as one can be.
fn urls(text: &str) -> Vec<(usize, usize)> {
    let mut urls = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("http").map(|at| at + from) {
        let rest = &text[at..];
        let is_url = rest.starts_with("http://") || rest.starts_with("https://");
        let length = rest
            .grapheme_indices(true)
            .find(|(_, g)| !(g.len() == 1 && g.as_bytes()[0].is_ascii_graphic() && !"<>\"".contains(*g)))
            .map_or(rest.len(), |(at, _)| at);
        if is_url {
            urls.push((at, length));
        }
        from = at + length.max(4);
    }
    urls
}

#[test]
fn a_page_ends_where_a_reader_would_pause() {
    for (text, limit, expected) in [
        ("一。二。三。", 20, vec!["一。二。三。"]),
        ("第一句话。第二句话。第三句", 32, vec!["第一句话。第二句话。", "第三句"]),
        ("one line\nanother line\nthird", 22, vec!["one line\nanother line\n", "third"]),
        ("word word word word", 10, vec!["word word ", "word word"]),
        ("see https://a.example/b now", 24, vec!["see https://a.example/b ", "now"]),
        ("see https://a.example/b now", 20, vec!["see ", "https://a.example/b ", "now"]),
    ] {
        assert_eq!(pages(text, limit), expected, "{text}");
    }
}

#[test]
fn markdown_becomes_plain_text() {
    for (markdown, plain) in [
        ("plain", "plain"),
        ("## Heading", "Heading"),
        ("#hashtag", "#hashtag"),
        ("a * b * c", "a * b * c"),
        ("* item\n  * inner", "· item\n · inner"),
        ("> quoted", "quoted"),
        ("---", "——"),
        ("![](https://p.example/1.png)", "https://p.example/1.png"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("array[0](x)", "array[0](x)"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("```\n\tx\n\n  y\n```\nz", "  \tx\n\n    y\nz"),
        ("thoughts</think>answer", "answer"),
        ("<think>never closed", ""),
        ("<think>a</think>b<think>c</think>d", "bd"),
        ("bell\u{7}", "bell"),
    ] {
        assert_eq!(clean(markdown), plain, "{markdown:?}");
    }
}
