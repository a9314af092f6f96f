//! Characters as people count them: what Unicode says, and another implementation of it.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;
use wxapi::grapheme::graphemes;

fn same(text: &str) {
    let ours: Vec<(usize, &str)> = graphemes(text).collect();
    let theirs: Vec<(usize, &str)> = text.grapheme_indices(true).collect();
    assert_eq!(ours, theirs, "{text:?}");
}

/// One code point of each class: what the rules can tell apart they tell apart between these.
const SAMPLES: [char; 19] = [
    'a',
    '\r',
    '\n',
    '\u{200b}',
    '\u{301}',
    '\u{94d}',
    '\u{200c}',
    '\u{200d}',
    '\u{903}',
    '\u{600}',
    '👩',
    '\u{1f3fd}',
    'क',
    '🇨',
    '\u{1100}',
    '\u{1160}',
    '\u{11a8}',
    '가',
    '각',
];

#[test]
fn every_sequence_of_four_classes_is_cut_as_others_cut_it() {
    let mut text = String::new();
    for index in 0..SAMPLES.len().pow(4) {
        text.clear();
        text.extend((0..4).map(|place| SAMPLES[index / SAMPLES.len().pow(place) % SAMPLES.len()]));
        same(&text);
    }
}

#[test]
fn every_code_point_is_of_the_class_that_others_give_it() {
    // Beside these it shows its class: what extends, begins, joins, is a flag, Hangul or a conjunct.
    for code_point in ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{ffff}').chain('\u{1f000}'..='\u{1ffff}') {
        same(&format!(
            "a{code_point}\u{301}क{code_point}\u{94d}{code_point}क👩{code_point}\u{200d}{code_point}👩🇨{code_point}🇨\
             \u{1100}{code_point}\u{1160}{code_point}\u{11a8}"
        ));
    }
    // No pictographs, flags or Hangul.
    for code_point in ('\u{10000}'..='\u{1efff}').chain('\u{e0000}'..='\u{e0fff}') {
        same(&format!("क{code_point}क\u{94d}{code_point}क{code_point}\u{301}"));
    }
    // Ideographs, and what is not assigned.
    for code_point in ('\u{3400}'..='\u{9fff}').chain('\u{20000}'..=char::MAX) {
        same(&format!("{code_point}\u{301}"));
    }
}

proptest! {
    #[test]
    fn texts_are_cut_as_others_cut_them(picks in prop::collection::vec(prop_oneof![
        prop::sample::select(SAMPLES.to_vec()), any::<char>()
    ], 0..30)) {
        same(&picks.into_iter().collect::<String>());
    }
}
