//! `wx menu`

use std::fs::OpenOptions;
use std::io::Write;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::Wx;
use super::ask::{can_answer, go_on};
use super::columns::{Column, Kind, Part, aligned, list, text};
use super::document::Document;
use super::problem::fault;
use super::stop::{Ending, Stop};
use super::voice::{Voice, tame};

const MENU: &str = "/admin/menu";

#[derive(Debug, Subcommand)]
pub enum Menu {
    /// The menu that people see now
    Show,
    /// Check a menu, without publishing it
    Validate {
        /// JSON as menu/create takes it; - for standard input
        file: String,
    },
    /// How a menu differs from the one that people see now
    Diff {
        /// JSON as menu/create takes it; - for standard input
        file: String,
    },
    /// Publish a menu, after showing what changes
    Push {
        /// JSON as menu/create takes it; - for standard input
        file: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// What was published before
    History(Part),
    /// Publish a menu of the history again, after showing what changes
    Rollback {
        /// Its number
        number: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take the menu away
    Delete {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Write the menu that is there now, also one that the console made, as a file
    Import {
        /// A new file; without it, standard output
        file: Option<String>,
    },
}

const HISTORY: &[Column] = &[
    Column("编号", "number", "/number", Kind::Id),
    Column("时间", "at", "/at", Kind::Millis),
    Column("状态", "state", "/state", Kind::Text),
    Column("恢复自", "rollback of", "/rollback_of", Kind::Text),
    Column("按钮", "buttons", "/names", Kind::Text),
];

impl Menu {
    pub async fn run(self, wx: &Wx) -> Result<Ending, Stop> {
        match self {
            Self::Show => {
                let live = wx.api.get(MENU).await?;
                wx.voice.answer(&live, || shown(wx.voice, &live));
                Ok(Ending::Good)
            }
            Self::Validate { file } => validate(wx, &Document::read(&file)?).await,
            Self::Diff { file } => {
                let document = Document::read(&file)?;
                let diff = diff(wx, &document.text).await.map_err(|stop| in_file(stop, &document))?;
                wx.voice.answer(&diff, || changes(wx.voice, &diff));
                Ok(Ending::Good)
            }
            Self::Push { file, yes } => push(wx, &file, yes).await,
            Self::History(part) => history(wx, part).await,
            Self::Rollback { number, yes } => rollback(wx, number, yes).await,
            Self::Delete { yes } => delete(wx, yes).await,
            Self::Import { file } => import(wx, file).await,
        }
    }
}

/// The problem is with this file.
pub fn in_file(stop: Stop, document: &Document) -> Stop {
    match stop {
        Stop::Problem(mut problem) => {
            problem.about(document, "");
            Stop::Problem(problem)
        }
        other => other,
    }
}

async fn validate(wx: &Wx, document: &Document) -> Result<Ending, Stop> {
    let answer = wx.api.post("/admin/menu/validate", Some(document.text.clone())).await;
    let answer = answer.map_err(|stop| in_file(stop, document))?;
    let valid = answer.get("valid") == Some(&Value::Bool(true));
    if wx.voice.json {
        wx.voice.document(&answer);
    } else if valid {
        wx.voice.say(&wx.voice.done(wx.voice.lang.pick("可以发布", "it can be published")));
    } else {
        for error in answer.get("errors").and_then(Value::as_array).into_iter().flatten() {
            wx.voice.alert(&fault(wx.voice, error, Some((document, ""))));
        }
    }
    Ok(if valid { Ending::Good } else { Ending::Bad })
}

async fn diff(wx: &Wx, menu: &str) -> Result<Value, Stop> {
    wx.api.post("/admin/menu/diff", Some(menu.to_owned())).await
}

/// 1. what changes is shown. 2. Somebody says yes. 3. It is published.
async fn push(wx: &Wx, file: &str, yes: bool) -> Result<Ending, Stop> {
    can_answer(wx, file, yes)?;
    let document = Document::read(file)?;
    let diff = diff(wx, &document.text).await.map_err(|stop| in_file(stop, &document))?;
    if same(&diff) {
        wx.voice.answer(&diff, || changes(wx.voice, &diff));
        return Ok(Ending::Good);
    }
    wx.voice.say(&changes(wx.voice, &diff));
    go_on(wx, wx.voice.lang.pick("发布这个菜单吗？", "Publish it?"), yes)?;
    let published = wx.api.ask(Method::PUT, MENU, Some(document.text.clone())).await;
    published_words(wx, &published.map_err(|stop| in_file(stop, &document))?);
    Ok(Ending::Good)
}

async fn rollback(wx: &Wx, number: u64, yes: bool) -> Result<Ending, Stop> {
    let path = format!("/admin/menu/history/{number}");
    let entry = wx.api.get(&path).await?;
    let menu = entry.get("menu").cloned().unwrap_or_default();
    wx.voice.say(&changes(wx.voice, &diff(wx, &menu.to_string()).await?));
    go_on(wx, wx.voice.lang.pick("恢复这个菜单吗？", "Publish it again?"), yes)?;
    published_words(wx, &wx.api.post(&format!("{path}/rollback"), None).await?);
    Ok(Ending::Good)
}

fn published_words(wx: &Wx, answer: &Value) {
    wx.voice.answer(answer, || {
        let number = text(answer, "/history");
        let words = wx.voice.lang.pick("已发布，记录编号", "published; its number in the history is");
        wx.voice.done(&format!("{words} {number}"))
    });
}

async fn history(wx: &Wx, part: Part) -> Result<Ending, Stop> {
    let path = format!("/admin/menu/history{}", part.query(&[]));
    if wx.voice.json {
        return list(wx, &path, "wx menu history --after", HISTORY).await;
    }
    let mut answer = wx.api.get(&path).await?;
    for entry in answer.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        let names: Vec<String> = buttons(&entry["menu"]).map(|button| text(button, "/name")).collect();
        entry["names"] = json!(names.join(" · "));
    }
    super::columns::show(wx, &answer, "wx menu history --after", HISTORY);
    Ok(Ending::Good)
}

async fn delete(wx: &Wx, yes: bool) -> Result<Ending, Stop> {
    let question = wx
        .voice
        .lang
        .pick("删除菜单（包括个性化菜单）吗？", "Take the menu away, and those for some with it?");
    go_on(wx, question, yes)?;
    let answer = wx.api.ask(Method::DELETE, MENU, None).await?;
    wx.voice.answer(&answer, || wx.voice.done(wx.voice.lang.pick("菜单已删除", "there is no menu any more")));
    Ok(Ending::Good)
}

/// Never over a file that is there.
async fn import(wx: &Wx, file: Option<String>) -> Result<Ending, Stop> {
    let answer = wx.api.post("/admin/menu/import", None).await?;
    let menu = answer.get("menu").filter(|menu| !menu.is_null());
    let Some(menu) = menu else {
        wx.voice.answer(&answer, || wx.voice.lang.pick("还没有菜单", "there is no menu").to_owned());
        return Ok(Ending::Good);
    };
    let written = format!("{menu:#}\n");
    match &file {
        Some(file) => {
            let opened = OpenOptions::new().write(true).create_new(true).open(file);
            let done = opened.and_then(|mut opened| opened.write_all(written.as_bytes()));
            done.map_err(|error| Stop::Usage(format!("{file}: {error}")))?;
            wx.voice.answer(&answer, || wx.voice.done(file));
        }
        None if wx.voice.json => wx.voice.document(&answer),
        None => wx.voice.say(written.trim_end()),
    }
    for button in answer.get("skipped").and_then(Value::as_array).into_iter().flatten() {
        let (name, kind, reason) = (text(button, "/name"), text(button, "/type"), text(button, "/reason"));
        wx.voice.alert(&format!("! {name} ({kind}): {reason}"));
    }
    let menu =
        Document { name: file.unwrap_or_else(|| "menu".to_owned()), value: menu.clone(), text: written };
    for error in answer.get("errors").and_then(Value::as_array).into_iter().flatten() {
        wx.voice.alert(&fault(wx.voice, error, Some((&menu, ""))));
    }
    Ok(Ending::Good)
}

fn same(diff: &Value) -> bool {
    diff.get("same") == Some(&Value::Bool(true))
}

fn buttons(menu: &Value) -> impl Iterator<Item = &Value> {
    menu.get("button").or_else(|| menu.get("sub_button")).and_then(Value::as_array).into_iter().flatten()
}

/// What people see, as a tree.
fn shown(voice: Voice, live: &Value) -> String {
    let menu = live.get("menu").unwrap_or(&Value::Null);
    if menu.is_null() {
        return voice.paint.dim(voice.lang.pick("（没有菜单）", "(no menu)"));
    }
    let source = match text(live, "/source").as_str() {
        "console" => voice.lang.pick("在公众平台后台设置", "made by the console"),
        _ => voice.lang.pick("由接口设置", "made by the API"),
    };
    let mut lines = vec![voice.paint.dim(source)];
    lines.extend(tree(menu));
    for other in live.get("conditional").and_then(Value::as_array).into_iter().flatten() {
        let words = voice.lang.pick("个性化菜单", "for some");
        let (id, rule) = (text(other, "/menuid"), text(other, "/matchrule"));
        lines.push(voice.paint.dim(&format!("{words} {id} {rule}")));
        lines.extend(tree(other));
    }
    lines.join("\n")
}

fn tree(menu: &Value) -> Vec<String> {
    let mut rows = Vec::new();
    for button in buttons(menu) {
        rows.push(row("", button));
        rows.extend(buttons(button).map(|below| row("  ", below)));
    }
    aligned(&rows)
}

fn row(indent: &str, button: &Value) -> Vec<String> {
    let names = ["/key", "/url", "/appid", "/pagepath", "/media_id", "/article_id"];
    let does = names.iter().map(|name| text(button, name)).filter(|text| !text.is_empty());
    let does = does.collect::<Vec<_>>().join(" ");
    vec![format!("{indent}{}", text(button, "/name")), text(button, "/type"), does]
}

/// What differs from the menu that people see.
fn changes(voice: Voice, diff: &Value) -> String {
    if same(diff) {
        return voice.done(voice.lang.pick("没有变化", "nothing changes"));
    }
    let all = diff.get("changes").and_then(Value::as_array).into_iter().flatten();
    all.flat_map(|change| change_lines(voice, change)).collect::<Vec<_>>().join("\n")
}

fn change_lines(voice: Voice, change: &Value) -> Vec<String> {
    let paint = voice.paint;
    let (pointer, from) = (text(change, "/pointer"), text(change, "/from"));
    let named = ["/name", "/button/name"].into_iter().map(|at| text(change, at));
    let name = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let place = paint.dim(&pointer);
    match text(change, "/change").as_str() {
        "added" => vec![format!("{} {place}", paint.green(&format!("+ {name}  {}", action(change))))],
        "removed" => vec![format!("{} {place}", paint.red(&format!("- {name}  {}", action(change))))],
        "moved" => vec![format!("↕ {name}  {} → {pointer}", paint.dim(&from))],
        _ => {
            let mut lines = vec![format!("~ {name}  {place}")];
            for (field, values) in change.get("fields").and_then(Value::as_object).into_iter().flatten() {
                let (from, to) = (text(values, "/from"), text(values, "/to"));
                let field = tame(field);
                lines.push(format!("    {field}: {} → {}", paint.red(&from), paint.green(&to)));
            }
            lines
        }
    }
}

fn action(change: &Value) -> String {
    let button = change.get("button").unwrap_or(&Value::Null);
    row("", button).into_iter().skip(1).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Paint;
    use crate::lang::Lang;

    fn voice() -> Voice {
        let plain = Paint::new(false);
        Voice { lang: Lang::En, json: false, paint: plain, alarm: plain, lively: false }
    }

    #[test]
    fn a_menu_is_a_tree() {
        let live = json!({ "source": "api", "conditional": [{ "menuid": "7", "matchrule": { "tag_id": "2" }, "button": [] }], "menu": { "button": [
            { "type": "click", "name": "帮助", "key": "/help" },
            { "name": "更多", "sub_button": [{ "type": "view", "name": "网站", "url": "https://e" }] },
        ] } });
        let expected = "made by the API\n帮助    click  /help\n更多\n  网站  view   https://e\nfor some 7 {\"tag_id\":\"2\"}";
        assert_eq!(shown(voice(), &live), expected);
        assert_eq!(shown(voice(), &json!({ "source": "none", "menu": null })), "(no menu)");
    }

    #[test]
    fn changes_say_what_comes_and_goes() {
        let diff = json!({ "same": false, "changes": [
            { "change": "added", "pointer": "/button/0", "button": { "type": "click", "name": "A", "key": "k" } },
            { "change": "removed", "pointer": "/button/1", "name": "B", "button": { "name": "B" } },
            { "change": "moved", "pointer": "/button/1", "from": "/button/0", "name": "C" },
            { "change": "changed", "pointer": "/button/2", "from": "/button/2", "name": "D", "fields": { "key": { "from": "x", "to": null } } },
        ] });
        let expected = "+ A  click k /button/0\n- B   /button/1\n↕ C  /button/0 → /button/1\n~ D  /button/2\n    key: x → ";
        assert_eq!(changes(voice(), &diff), expected);
    }
}
