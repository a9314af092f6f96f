//! Where a character ends, as a person counts them: an emoji of seven code points is one, and so is a letter with its
//! accents.
//!
//! They are the extended grapheme clusters of Unicode 17, <https://www.unicode.org/reports/tr29/>. The tests compare with
//! the crate `unicode-segmentation`, whose tables alone are 9 kB of compressed bundle.

use std::cell::OnceCell;

/// The characters of `text`, and where each begins, in bytes.
pub fn graphemes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let (at, character) = (start, rest.get(..first_end(rest))?);
        start += character.len();
        Some((at, character))
    })
}

/// Where the first character of `text` ends.
fn first_end(text: &str) -> usize {
    let mut sequence =
        Sequence { last: Class::Control, pictograph: false, conjunct: Conjunct::None, flags: 0 };
    for (at, code_point) in text.char_indices() {
        let class = class(code_point);
        if at > 0 && sequence.ends_before(class) {
            return at;
        }
        sequence.add(class);
    }
    text.len()
}

/// What a code point is to its neighbours.
/// <https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Break_Property_Values>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Other,
    CarriageReturn,
    LineFeed,
    Control,
    Extend,
    /// One of `Extend`, of which a conjunct (GB9c) is made.
    Linker,
    /// One of `Extend`, in no conjunct.
    NonJoiner,
    Joiner,
    SpacingMark,
    Prepend,
    Pictograph,
    Consonant,
    Regional,
    /// Hangul, by what it begins and ends with: leading consonant, vowel, trailing consonant.
    L,
    V,
    T,
    Lv,
    Lvt,
}

/// How far the end of a sequence is a conjunct of an Indic script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conjunct {
    None,
    Consonant,
    Linked,
}

/// What counts of the code points of a character that were read.
struct Sequence {
    last: Class,
    /// They end in a pictograph with what extends it, and if it is there, a joiner.
    pictograph: bool,
    conjunct: Conjunct,
    /// They end in so many regional indicators.
    flags: usize,
}

impl Sequence {
    /// The rules, in their order. <https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundary_Rules>
    fn ends_before(&self, next: Class) -> bool {
        use Class::{CarriageReturn, Control, LineFeed};
        let joined = match (self.last, next) {
            (CarriageReturn, LineFeed) => true,
            (CarriageReturn | LineFeed | Control, _) | (_, CarriageReturn | LineFeed | Control) => false,
            (Class::L, Class::L | Class::V | Class::Lv | Class::Lvt)
            | (Class::V | Class::Lv, Class::V | Class::T)
            | (Class::T | Class::Lvt, Class::T) => true,
            (_, Class::Extend | Class::Linker | Class::NonJoiner | Class::Joiner | Class::SpacingMark) => {
                true
            }
            (Class::Prepend, _) => true,
            (_, Class::Consonant) => self.conjunct == Conjunct::Linked,
            (Class::Joiner, Class::Pictograph) => self.pictograph,
            (Class::Regional, Class::Regional) => self.flags % 2 == 1,
            _ => false,
        };
        !joined
    }

    fn add(&mut self, next: Class) {
        let extends = matches!(next, Class::Extend | Class::Linker | Class::NonJoiner | Class::Joiner);
        // After a joiner, only a pictograph goes on.
        let begun = self.pictograph && extends && self.last != Class::Joiner;
        self.pictograph = begun || next == Class::Pictograph;
        self.conjunct = match (next, self.conjunct) {
            (Class::Consonant, _) => Conjunct::Consonant,
            (Class::Linker, Conjunct::Consonant) => Conjunct::Linked,
            (Class::Extend | Class::Linker | Class::Joiner, conjunct) => conjunct,
            _ => Conjunct::None,
        };
        self.flags = if next == Class::Regional { self.flags + 1 } else { 0 };
        self.last = next;
    }
}

fn class(code_point: char) -> Class {
    match code_point {
        ' '..='~' | '\u{4e00}'..='\u{9fff}' => Class::Other,
        '\r' => Class::CarriageReturn,
        '\n' => Class::LineFeed,
        '\0'..='\u{9f}' => Class::Control,
        '\u{200c}' => Class::NonJoiner,
        '\u{200d}' => Class::Joiner,
        '\u{1f1e6}'..='\u{1f1ff}' => Class::Regional,
        '\u{1100}'..='\u{115f}' | '\u{a960}'..='\u{a97c}' => Class::L,
        '\u{1160}'..='\u{11a7}' | '\u{d7b0}'..='\u{d7c6}' | '\u{16d63}' | '\u{16d67}'..='\u{16d6a}' => {
            Class::V
        }
        '\u{11a8}'..='\u{11ff}' | '\u{d7cb}'..='\u{d7fb}' => Class::T,
        // Each of the pairs of L and V comes alone, then with each of the 27 T.
        '\u{ac00}'..='\u{d7a3}' if (u32::from(code_point) - 0xac00) % 28 == 0 => Class::Lv,
        '\u{ac00}'..='\u{d7a3}' => Class::Lvt,
        _ => RANGES.with(|ranges| in_range(ranges.get_or_init(read_ranges), code_point.into())),
    }
}

/// First and last code point, in ascending order.
type Range = (u32, u32, Class);

thread_local! {
    static RANGES: OnceCell<Vec<Range>> = const { OnceCell::new() };
}

fn in_range(ranges: &[Range], code_point: u32) -> Class {
    let after = ranges.partition_point(|(first, ..)| *first <= code_point);
    let range = after.checked_sub(1).and_then(|at| ranges.get(at));
    range.filter(|(_, last, _)| code_point <= *last).map_or(Class::Other, |(.., class)| *class)
}

fn read_ranges() -> Vec<Range> {
    let number = |digits| u32::from_str_radix(digits, 16).unwrap_or_default();
    let mut before = 0;
    let ranges = OTHERS.split(' ').filter_map(|range| {
        let (at, letter) = range.char_indices().find(|(_, letter)| letter.is_ascii_uppercase())?;
        let class = match letter {
            'X' => Class::Extend,
            'K' => Class::Linker,
            'S' => Class::SpacingMark,
            'P' => Class::Pictograph,
            'C' => Class::Consonant,
            'R' => Class::Prepend,
            _ => Class::Control,
        };
        let first = before + number(range.get(..at)?);
        before = first + number(range.get(at + 1..)?);
        Some((first, before, class))
    });
    ranges.collect()
}

/// What has a class and is not in [`class`]: how far the first code point of a range is from the last one of the range
/// before, the initial of the class (`X` for Extend, `K` for Linker, `R` for Prepend, `O` for Control), and how many follow
/// the first; in hexadecimal, none being nothing.
/// <https://www.unicode.org/Public/17.0.0/ucd/auxiliary/GraphemeBreakProperty.txt>,
/// <https://www.unicode.org/Public/17.0.0/ucd/emoji/emoji-data.txt>, Indic_Conjunct_Break in
/// <https://www.unicode.org/Public/17.0.0/ucd/DerivedCoreProperties.txt>
const OTHERS: &str = "\
    a9P 4O 1P 252X6f 114X6 108X2c 2X 2X1 2X1 2X 39R5 bXa 2O 2fX14 11X 66X6 1R 2X5 3X1 2X3 22R 2X 1fX1a 5cXa 3bX8 aX \
    19X3 2X8 2X2 2X4 2cX2 35R1 6X8 2bX17 1R 1X1f 1S 12C24 1X 1S 1X 2S2 1X7 1S3 1K 1S1 2X6 1C7 3X1 15C7 2X 1S1 12C13 \
    2C6 2C 4C3 3X 2X 1S1 1X3 3S1 3S1 1K aX 5C1 2C 3X1 dC1 dX 3X1 1S 39X 2S2 1X1 5X1 3X2 4X 1fX1 4X cX1 1S 12C13 2C6 \
    2C1 2C4 3X 2S2 1X4 2X1 1S 2S1 1K 15X1 16C 1X5 2X 1S1 12C13 2C6 2C1 2C4 3X 2X1 1S 1X3 3S1 3S1 1K 8X2 5C1 2C 3X1 \
    eC 11X 3cX 1S 1X 1S1 4S2 2S2 1X aX 29X 1S2 1X 11C13 2Cf 3X 2X2 1S3 2X2 2X2 1K 8X1 2C2 8X1 1eX 1S1 39X 2S 1X1 1S \
    1X 1S1 2X2 2X3 8X1 cX1 10S dX1 1S1 12C25 1X1 2X 1S1 1X3 2S2 2S2 1K 1R 9X bX1 1eX 1S1 47X 5X 1S1 1X2 2X 2S6 1X \
    13S1 3eX 2S 1X6 dX7 63X 2S 1X8 cX6 4aX1 1cX 2X 2X 5S1 32Xd 1S 1X4 2X1 6Xa 2X23 aX 3aC2a 3X3 1S 1X5 2K 1X 1S1 1X1 \
    1C 11C5 1S1 1X1 1C3 1X2 1C 4C1 8C2 1X3 1Cc 1X 2S 1X1 7X 1C fX 2c0X2 3b3X3 1dX2 1eX1 1fX1 dC33 1X1 1S 1X6 1S7 1X \
    1S1 1X8 1K 1X aX 2eX2 1O 1X 76X1 23X 77X2 1S3 1X1 1S2 5S1 1X 1S5 1X2 dcX1 1S1 1X 5C34 1S 1X 1S 1X6 2K 2X 3X7 1S5 \
    1X9 3X 31X2d 3Xb 15X3 1S 7C1 7C20 1X9 1S3 1X1 1K 1C7 1fX8 dX1 1S 1C1d 1S 1X3 1S1 1X2 1K 1X1 1C1 cC2 29X 1S 1X1 \
    1S2 1X 1S 1X4 31S7 1X7 1S1 1X1 99X2 2Xc 1S 1X6 5X 7X 3S 1X1 c7X3f 20cO 3O1 19O6 eP dP 17Of 61X20 32P 17P 5bP5 \
    10P1 170P1 dP a7P 1aPa 5P2 c8P e8P1 bP aP 3bP3 2P4 aP 3P 3P1 3P 5P 3P 2P1 3P 4P 4P1 9P2 6P 2P 6Pb cP1 3P 2P1 2P \
    13P 3P1 13P5 2P 2P1 4P1 6P 3P1 5P1 cP1 6P1 3P 6P1 2P 2P1 15P1 6P5 2P3 3P 5P 3P 3P5 2P 3P 2P 2P 7P 4P 7P bP1 10P \
    3P 5P 2P 5P2 2P cP1 31P2 aP fP fP 175P1 1d0P2 14P1 34P 5P 19aX2 8eX 61X1f 22bX5 1P dP 5cX1 1fdP 2P 73d6X3 2X9 \
    21X1 51X1 111X 4X 5X 18S1 1X1 1S 5X 54S1 33Sf 1X1 1bX11 eX 27X7 1aXa 1S 1X 2dX2 1S 6C2 4C23 1X 1S1 1X3 1S1 1X1 \
    1S1 1K 20C4 1X 2C8 bC4 2bX5 1S1 1X1 1S1 1X1 dX 9X 1S 13Cf 2C2 7C 2X 2C1 31X 2X2 3X1 6X1 2X 1fCa 1S 1X1 1S1 6S 1K \
    caC1a 9S1 1X 1S1 1X 1S1 2S 1X 4f31X 2e2Xf 11Xf d0O 9fX1 51Ob 202X e3X 96X4 686C 1X2 2X1 6X3 1C3 2C2 2C1c 3X2 5K \
    a6X1 23eX3 42X4 13eX1 4eX5 47Xa 32X3 7bS 1X 1S 36Xe 2aX 3X1 bX2 1S 2eS2 1X3 1S1 1X1 3R 5X bR 33X2 1C23 1X4 1S \
    1X5 1K 1X 10C 1S1 1C 2cX dX1 1S 31S2 1X8 1S 1X 2R1 6X3 2S 1X 5dS2 1X2 1S1 1X3 7X 3X 9eX 1S2 1X7 16X1 1S1 38X1 2X \
    1S 1X 1S3 3S1 3S1 1X aX bS1 3X6 4X4 cC9 2C 3C 2C25 3X 1S1 1X5 2X 3X 2X2 1S 2S1 1X1 1K 1R 1X fX1 53S2 1X7 1S1 1X2 \
    1S 1X 18X 52X 1S1 1X5 1S 1X 1S1 1X 1S 1X1 1S 1X1 ecX 1S1 1X3 3S3 1X1 1S 1X1 1cX1 53S2 1X7 1S1 1X 1S 1X1 6bX 1S \
    1X 1S1 1X7 66X 1S 1X 3X3 1S 1X4 101S2 1X8 1S 1X1 c6C6 3C 3C7 2C1 2C17 1X 1S4 2S1 3X2 1K 1R 1S 1R 1S 1X 8eS2 1X3 \
    3X1 1S3 1X 4S 1cC 1X9 1C27 1X5 1S 2X3 9K 9C 1X5 1S1 1X2 1C27 1R5 1Xc 1S 1X 1K c7X 1S 1X2 1S 1X 1S c8S 1X6 2X5 1S \
    1X 53X15 2S 1X6 1S 1X1 1S 1X1 7bX5 4X 2X1 2X6 1R 1X 43S4 2X1 2S1 1X 1S 1X 15cX1 1S1 aX1 1R 1S 1Cc 2C21 1S1 1X4 \
    4S1 1X1 1K 18X 14d6Of 1X 7Xe 2cc9Xb 1S2 1X2 9c1X4 3cX6 419X 2S36 8X3 52X cX1 4cacX1 2O3 125dX2d 3X16 21fX4 4X5 \
    1O7 1X7 3X6 1fX3 95X2 7bcX36 5X31 9X fX 17X4 2Xe 551X6 2X10 3X6 2X1 2X4 65X a1X6 178X 3eX3 1fdX3 ffX1 f4X 3X 8X1 \
    6X 1dbX6 6eX6 6baP 28P3 65Pb 10P1 10P fP1 26P9 71P1 dP1 fP 3P9 14P37 1cPe bP 15P 3P8 2P3 aP16 7Pbb 3P6f 3P1 2P2 \
    3P52 3P2 2P3 1X4 1Pfd 2P3e cP5 2P17 8P1 3P7 dP 3P3 3P 5P1 eP1 3P 9P1 aP 6P2 dP2 9P2 3P 2P 5P 7P 4P 7P55 31P45 \
    6P7 3P10 4P 2P5 3Pc dbP25 dP3 39P7 bP5 29P7 1fP1 dP3 3Pd aP26 dP2e 2P9 2Pb8 59P7 fP91 101P3fd c0003O1f 1X5f 1O7f \
    1Xef 1Oe0f";
