//! Tables, and other ways to show JSON to people.

use clap::Args;
use serde_json::Value;

use super::Wx;
use super::stop::{Ending, Stop};
use super::voice::{Voice, tame};
use crate::lang::Lang;
use crate::query;

/// What is longer is cut off, columns.
const WIDEST: usize = 44;

/// One column of a table: its title in Chinese and English, a JSON pointer into the entry, and what is there.
#[derive(Debug, Clone, Copy)]
pub struct Column(pub &'static str, pub &'static str, pub &'static str, pub Kind);

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name that is typed again: never cut off.
    Id,
    /// Any text or number.
    Text,
    /// A time in milliseconds.
    Millis,
    /// A time in seconds.
    Seconds,
}

/// Which part of a list.
#[derive(Debug, Args)]
pub struct Part {
    /// Most entries, up to 200
    #[arg(long)]
    limit: Option<u16>,
    /// Only those after this: the `next` of the part before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Part {
    /// With other parameters, as a query.
    pub fn query(&self, others: &[(&str, Option<&str>)]) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let own = [("limit", limit.as_deref()), ("after", self.after.as_deref())];
        with_query("", own.iter().chain(others).copied())
    }
}

/// A path with those parameters that are given.
pub fn with_query<'a>(path: &str, pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let given: Vec<_> = pairs.filter_map(|(name, value)| Some((name, value?))).collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", query::write(&given)) }
}

/// Asks for a list of the API, and shows it; `more` is the command for its next part.
pub async fn list(wx: &Wx, path: &str, more: &str, columns: &[Column]) -> Result<Ending, Stop> {
    show(wx, &wx.api.get(path).await?, more, columns);
    Ok(Ending::Good)
}

/// Shows a list of the API.
pub fn show(wx: &Wx, answer: &Value, more: &str, columns: &[Column]) {
    wx.voice.answer(answer, || {
        let items = answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut shown = table(wx.voice, columns, items);
        let next = text(answer, "/next");
        if !next.is_empty() {
            let words = wx.voice.lang.pick("还有更多", "there is more");
            shown += &wx.voice.paint.dim(&format!("\n{words}: {more} {next}"));
        }
        shown
    });
}

/// Entries below each other.
pub fn table(voice: Voice, columns: &[Column], items: &[Value]) -> String {
    if items.is_empty() {
        return voice.paint.dim(voice.lang.pick("（没有）", "(none)"));
    }
    let title = |column: &Column| voice.lang.pick(column.0, column.1).to_owned();
    let mut rows = vec![columns.iter().map(title).collect::<Vec<_>>()];
    rows.extend(items.iter().map(|item| columns.iter().map(|column| cell(column, item)).collect()));
    let lines = aligned(&rows);
    let mut lines = lines.into_iter();
    let head = lines.next().map(|line| voice.paint.dim(&line));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// Rows whose cells begin below each other.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let padded = cells.map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn cell(column: &Column, item: &Value) -> String {
    let number = || item.pointer(column.2).and_then(Value::as_u64);
    match column.3 {
        Kind::Id => text(item, column.2),
        Kind::Text => clipped(&text(item, column.2)),
        Kind::Millis => number().map(|millis| time(millis / 1_000)).unwrap_or_default(),
        Kind::Seconds => number().map(time).unwrap_or_default(),
    }
}

/// The text or number at a pointer, and nothing for `null`; the rest as JSON.
pub fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => tame(text),
        Some(other) => tame(&other.to_string()),
    }
}

fn clipped(text: &str) -> String {
    if width(text) <= WIDEST {
        return text.to_owned();
    }
    let mut shown = String::new();
    for character in text.chars() {
        if width(&shown) + 2 >= WIDEST {
            break;
        }
        shown.push(character);
    }
    shown + "…"
}

/// Whatever there is, a line for each value; names of members inside others have dots.
pub fn facts(value: &Value) -> String {
    let mut rows = Vec::new();
    gather("", value, &mut rows);
    aligned(&rows).join("\n")
}

fn gather(name: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    let below = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(inner, value)| gather(&below(inner), value, rows));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(index, item)| gather(&below(&index.to_string()), item, rows));
        }
        Value::Null => {}
        value => rows.push(vec![tame(name), text(value, "")]),
    }
}

/// A time in seconds since 1970, in UTC.
/// After Howard Hinnant's `civil_from_days`, in which years begin in March.
pub fn time(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) =
        if month < 10 { (era * 400 + year, month + 3) } else { (era * 400 + year + 1, month - 9) };
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year}-{month:02}-{date:02} {hour:02}:{minute:02}Z")
}

/// Columns of a text on a terminal: Chinese characters take two, marks on others none.
/// <https://www.unicode.org/reports/tr11/>
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// "3 people", "3 人".
pub fn people(lang: Lang, heads: u64) -> String {
    match lang {
        Lang::Zh => format!("{heads} 人"),
        Lang::En if heads == 1 => "1 person".to_owned(),
        Lang::En => format!("{heads} people"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Paint;
    use serde_json::json;

    #[test]
    fn cells_begin_below_each_other() {
        let plain = Paint::new(false);
        let voice = Voice { lang: Lang::En, json: false, paint: plain, alarm: plain, lively: false };
        let columns = [
            Column("名称", "name", "/name", Kind::Text),
            Column("编号", "id", "/inner/id", Kind::Id),
            Column("时间", "at", "/at", Kind::Millis),
        ];
        let items = [
            json!({ "name": "小明", "inner": { "id": 7 }, "at": 1_700_000_000_000_u64 }),
            json!({ "name": "Bob", "inner": { "id": "x".repeat(60) }, "at": null }),
        ];
        let shown = table(voice, &columns, &items);
        let lines: Vec<&str> = shown.lines().collect();
        let at = 6 + 60 + 2;
        assert_eq!(lines[0], format!("name  id{}at", " ".repeat(at - 8)));
        assert_eq!(lines[1], format!("小明  7{}2023-11-14 22:13Z", " ".repeat(at - 7)));
        assert_eq!(lines[2], format!("Bob   {}", "x".repeat(60)));
        assert_eq!(table(voice, &columns, &[]), "(none)");
    }

    #[test]
    fn long_texts_are_cut_off() {
        assert_eq!(clipped(&"字".repeat(22)), "字".repeat(22));
        let cut = clipped(&"字".repeat(23));
        assert!(cut.ends_with('…') && width(&cut) <= WIDEST, "{cut}");
    }

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01 00:00Z");
        assert_eq!(time(951_782_400), "2000-02-29 00:00Z");
        assert_eq!(time(1_798_761_599), "2026-12-31 23:59Z");
        assert_eq!(time(4_107_542_399), "2100-02-28 23:59Z");
    }

    #[test]
    fn facts_have_names_with_dots() {
        let value = json!({ "a": { "b": 1, "c": null }, "list": [{ "x": "y" }], "texts": ["p", "q"] });
        assert_eq!(facts(&value), "a.b       1\nlist.0.x  y\ntexts     [\"p\",\"q\"]");
    }
}
