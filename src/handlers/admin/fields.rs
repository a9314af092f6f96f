//! What the members of a body must be, as data: obvious mistakes are found here, all at once, before WeChat is asked.

use serde_json::Value;

use super::problem::{Fault, Problem};

/// What a member must be.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// A text that is not empty, of at most so many characters.
    Text(usize),
    /// A text that is not empty, of at most so many bytes.
    Bytes(usize),
    /// A text, perhaps empty, of at most so many characters.
    Note(usize),
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A list of texts, none of them empty: at least and at most so many.
    Texts(usize, usize),
    /// A list of whole numbers: at least and at most so many.
    Numbers(usize, usize),
    /// An object with at least one member.
    Object,
    /// A list with at least one entry.
    List,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
}

/// A member.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// A JSON pointer to it.
    pub at: &'static str,
    /// What it must be.
    pub rule: Rule,
    /// It must be there.
    pub must: bool,
}

/// A member that must be there.
pub const fn must(at: &'static str, rule: Rule) -> Field {
    Field { at, rule, must: true }
}

/// A member that may be there.
pub const fn may(at: &'static str, rule: Rule) -> Field {
    Field { at, rule, must: false }
}

/// Everything that is wrong with `value`.
pub fn faults(value: &Value, fields: &[Field]) -> Vec<Fault> {
    fields.iter().filter_map(|field| Some(fault(field.at, wrong(value.pointer(field.at), field)?))).collect()
}

/// `faults` as a problem, if there are any.
pub fn refuse(faults: Vec<Fault>) -> Result<(), Problem> {
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(faults)) }
}

/// One fault.
pub fn fault(at: impl AsRef<str>, detail: impl AsRef<str>) -> Fault {
    (at.as_ref().to_owned(), detail.as_ref().to_owned())
}

fn wrong(found: Option<&Value>, field: &Field) -> Option<String> {
    match found {
        None if field.must => Some("is missing".to_owned()),
        None => None,
        Some(value) => (!field.rule.allows(value)).then(|| field.rule.words()),
    }
}

impl Rule {
    fn allows(self, value: &Value) -> bool {
        let text = value.as_str();
        let list = value.as_array();
        match self {
            Self::Text(most) => text.is_some_and(|text| (1..=most).contains(&text.chars().count())),
            Self::Bytes(most) => text.is_some_and(|text| (1..=most).contains(&text.len())),
            Self::Note(most) => text.is_some_and(|text| text.chars().count() <= most),
            Self::Number(least, most) => {
                value.as_u64().is_some_and(|number| (least..=most).contains(&number))
            }
            Self::Texts(least, most) => list.is_some_and(|list| {
                let filled = |item: &Value| item.as_str().is_some_and(|text| !text.is_empty());
                (least..=most).contains(&list.len()) && list.iter().all(filled)
            }),
            Self::Numbers(least, most) => list
                .is_some_and(|list| (least..=most).contains(&list.len()) && list.iter().all(Value::is_u64)),
            Self::Object => value.as_object().is_some_and(|object| !object.is_empty()),
            Self::List => list.is_some_and(|list| !list.is_empty()),
            Self::Choice(choices) => text.is_some_and(|text| choices.contains(&text)),
            Self::Switch => value.is_boolean(),
        }
    }

    /// What it must be, in words.
    fn words(self) -> String {
        let (what, least, most) = match self {
            Self::Text(most) => ("must be a text that is not empty; most characters: ", None, most as u64),
            Self::Bytes(most) => ("must be a text that is not empty; most bytes: ", None, most as u64),
            Self::Note(most) => ("must be a text; most characters: ", None, most as u64),
            Self::Number(least, most) => ("must be a whole number between ", Some(least), most),
            Self::Texts(least, most) => {
                ("must be a list of texts; how many: between ", Some(least as u64), most as u64)
            }
            Self::Numbers(least, most) => {
                ("must be a list of whole numbers; how many: between ", Some(least as u64), most as u64)
            }
            Self::Object => return "must be an object that is not empty".to_owned(),
            Self::List => return "must be a list that is not empty".to_owned(),
            Self::Choice(choices) => return format!("must be one of: {}", choices.join(", ")),
            Self::Switch => return "must be true or false".to_owned(),
        };
        match least {
            Some(least) => format!("{what}{least} and {most}"),
            None => format!("{what}{most}"),
        }
    }
}
