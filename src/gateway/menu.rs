//! The menu: which one is live, and what would change. Pure.

use serde_json::{Map, Value};

use crate::json::{Put, json};
use crate::wechat::api::menu::{Imported, imported, plain};

/// The menu that people see.
#[derive(Debug, Default)]
pub struct Live {
    /// Who made it: `api`, `console` or `none`.
    pub source: &'static str,
    /// `{button: […]}` as it can be published; null if there is none.
    pub menu: Value,
    /// The conditional menus, as WeChat gives them.
    pub conditional: Vec<Value>,
    /// Buttons of the console's that cannot be published.
    pub skipped: Vec<Value>,
}

impl Live {
    /// Of the answer to `menu/get`.
    pub fn of_api(answer: &Value) -> Self {
        let button = plain(answer.pointer("/menu/button"));
        let conditional = answer.get("conditionalmenu").and_then(Value::as_array).into_iter().flatten();
        let conditional = conditional.map(|one| {
            json!({
                "menuid": one.get("menuid").map(id),
                "button": plain(one.get("button")),
                "matchrule": one.get("matchrule"),
            })
        });
        let conditional = conditional.collect();
        Self { source: "api", menu: json!({ "button": button }), conditional, skipped: Vec::new() }
    }

    /// Of the answer to `get_current_selfmenu_info`.
    pub fn of_console(answer: &Value) -> Self {
        let Imported { open, button, skipped } = imported(answer);
        let empty = button.as_array().is_none_or(Vec::is_empty);
        if !open || (empty && skipped.is_empty()) {
            return Self { source: "none", ..Self::default() };
        }
        Self {
            source: "console",
            menu: json!({ "button": plain(Some(&button)) }),
            skipped,
            ..Self::default()
        }
    }
}

/// A menu's number as text: WeChat gives it as a number or a text.
pub fn id(menuid: &Value) -> String {
    menuid.as_str().map_or_else(|| crate::json::text(menuid), str::to_owned)
}

/// One button of a menu.
struct Node<'a> {
    pointer: String,
    /// The index of the button above it, in the list of nodes.
    above: Option<usize>,
    place: usize,
    /// Without those below it.
    content: Map<String, Value>,
    is_parent: bool,
    name: Option<&'a Value>,
}

impl Node<'_> {
    /// All but the name.
    fn action(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.content.iter().filter(|(name, _)| *name != "name")
    }

    fn json(&self) -> Value {
        Value::Object(self.content.clone())
    }
}

fn nodes(menu: &Value) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    collect(menu.get("button"), "/button", None, &mut nodes);
    nodes
}

fn collect<'a>(buttons: Option<&'a Value>, at: &str, above: Option<usize>, nodes: &mut Vec<Node<'a>>) {
    for (place, button) in buttons.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let pointer = format!("{at}/{place}");
        let mut content = button.as_object().cloned().unwrap_or_default();
        let is_parent = content.remove("sub_button").is_some();
        let below = format!("{pointer}/sub_button");
        nodes.push(Node { pointer, above, place, content, is_parent, name: button.get("name") });
        let number = nodes.len() - 1;
        collect(button.get("sub_button"), &below, Some(number), nodes);
    }
}

/// How an old button is found again in the new menu, the surest sign first.
const SIGNS: [fn(&Node<'_>, &Node<'_>) -> bool; 6] = [
    |old, new| old.pointer == new.pointer && old.content == new.content && old.is_parent == new.is_parent,
    |old, new| old.content == new.content && old.is_parent == new.is_parent,
    |old, new| old.name == new.name && old.above.is_some() == new.above.is_some(),
    |old, new| old.name == new.name,
    |old, new| !old.is_parent && !new.is_parent && old.action().eq(new.action()),
    |old, new| old.pointer == new.pointer && old.is_parent == new.is_parent,
];

/// For each new button, the index of the old one that it was.
fn pairs(old: &[Node<'_>], new: &[Node<'_>]) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
    for sign in SIGNS {
        for (index, node) in new.iter().enumerate() {
            if pairs.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let found = old
                .iter()
                .enumerate()
                .position(|(index, old)| !pairs.contains(&Some(index)) && sign(old, node));
            if let Some(pair) = pairs.get_mut(index) {
                *pair = found;
            }
        }
    }
    pairs
}

/// What turns the live menu into the wanted one. `pointer` is into the wanted menu, but of what is removed into the
/// live one; `from` is always into the live one.
pub fn difference(live: &Value, wanted: &Value) -> Vec<Value> {
    let (old, new) = (nodes(live), nodes(wanted));
    let pairs = pairs(&old, &new);
    let mut changes = Vec::new();
    for (index, node) in new.iter().enumerate() {
        let pair = pairs.get(index).copied().flatten();
        let Some(was) = pair.and_then(|pair| old.get(pair)) else {
            changes.push(json!({ "change": "added", "pointer": node.pointer, "button": node.json() }));
            continue;
        };
        let told = |change: &str| json!({ "change": change, "pointer": node.pointer, "from": was.pointer, "name": node.name });
        if is_moved(index, &old, &new, &pairs) {
            changes.push(told("moved"));
        }
        let fields = fields(&was.content, &node.content);
        if !fields.is_empty() {
            let mut change = told("changed");
            if let Some(change) = change.as_object_mut() {
                change.put("fields", Value::Object(fields));
            }
            changes.push(change);
        }
    }
    for (index, was) in old.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            changes.push(json!({ "change": "removed", "pointer": was.pointer, "button": was.json() }));
        }
    }
    changes
}

/// Each field that differs, with both values; null where there is none.
fn fields(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let differ = new.keys().filter(|name| old.get(*name) != new.get(*name));
    let mut fields = Map::new();
    for name in differ.chain(gone) {
        fields.insert(name.clone(), json!({ "from": old.get(name), "to": new.get(name) }));
    }
    fields
}

/// Whether a button went below another one, or its order among those who stayed differs. Of those who changed places
/// with each other, as few as possible count.
fn is_moved(index: usize, old: &[Node<'_>], new: &[Node<'_>], pairs: &[Option<usize>]) -> bool {
    let pair_of = |index: usize| pairs.get(index).copied().flatten();
    // Whether it stayed with the button above it; then its place in the old menu.
    let stayed = |index: usize| {
        let (node, was) = (new.get(index)?, old.get(pair_of(index)?)?);
        let same = match (node.above, was.above) {
            (None, None) => true,
            (Some(above), Some(was)) => pair_of(above) == Some(was),
            _ => false,
        };
        same.then_some(was.place)
    };
    if stayed(index).is_none() {
        return true;
    }
    let above = new.get(index).and_then(|node| node.above);
    let siblings = new.iter().enumerate().filter(|(_, node)| node.above == above);
    let siblings: Vec<(usize, usize)> =
        siblings.filter_map(|(index, _)| Some((index, stayed(index)?))).collect();
    // At most five buttons: every choice of them is tried, and the largest that is in order stays.
    let choices = 0..1_u32 << siblings.len().min(5);
    let chosen = |choice: u32| {
        let siblings = siblings.iter().take(5).enumerate();
        siblings.filter(move |(bit, _)| choice >> bit & 1 == 1).map(|(_, sibling)| *sibling)
    };
    let in_order = choices.filter(|choice| chosen(*choice).map(|(_, place)| place).is_sorted());
    let best = in_order.max_by_key(|choice| choice.count_ones()).unwrap_or_default();
    !chosen(best).any(|(sibling, _)| sibling == index)
}
