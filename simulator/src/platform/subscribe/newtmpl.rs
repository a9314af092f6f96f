//! Managing the templates of notifications: `/wxaapi/newtmpl/…`, of whichever app calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::book::Template;
use super::library::{self, CATEGORIES, Keyword, LIBRARY, Public};
use crate::platform::api::{Call, number, ok_with, text, with};
use crate::platform::errcode::Errcode;
use crate::platform::template::new_id;
use crate::platform::{ApiReply, done};

/// Titles of one page.
const PAGE: u64 = 30;
/// Characters of `sceneDesc`.
const SCENE: usize = 15;

const TID: Errcode = Errcode(200_014);
const START: Errcode = Errcode(200_016);
const LIMIT: Errcode = Errcode(200_017);
const IDS: Errcode = Errcode(200_018);
const KEYWORDS: Errcode = Errcode(200_020);
const SCENE_DESC: Errcode = Errcode(200_021);

/// `GET /wxaapi/newtmpl/getcategory?access_token=…`
pub fn categories(_: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let categories = CATEGORIES.map(|(id, name)| json!({ "id": id, "name": name }));
    Ok(ok_with(json!({ "data": categories })))
}

/// `GET /wxaapi/newtmpl/getpubtemplatetitles?access_token=…&ids=…&start=0&limit=30`
pub fn titles(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let ids = call.request.parameter("ids").ok_or(IDS)?.split([',', '-']);
    let ids: Option<Vec<u64>> = ids.map(|id| id.trim().parse().ok()).collect();
    let ids = ids.ok_or(IDS)?;
    let count =
        |name, wrong| call.request.parameter(name).and_then(|text| text.parse::<u64>().ok()).ok_or(wrong);
    let start = count("start", START)?;
    let limit = count("limit", LIMIT).and_then(|limit| if limit <= PAGE { Ok(limit) } else { Err(LIMIT) })?;
    let found: Vec<_> = LIBRARY.iter().filter(|public| ids.contains(&public.category)).collect();
    let describe = |public: &&Public| {
        let Public { tid, title, category, .. } = public;
        json!({ "tid": tid, "title": title, "type": kind(public.long_term), "categoryId": category.to_string() })
    };
    let page = found.iter().skip(usize::try_from(start).unwrap_or(usize::MAX));
    let page: Vec<_> = page.take(usize::try_from(limit).unwrap_or_default()).map(describe).collect();
    Ok(ok_with(json!({ "count": found.len(), "data": page })))
}

/// `GET /wxaapi/newtmpl/getpubtemplatekeywords?access_token=…&tid=…`
pub fn keywords(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let tid = call.request.parameter("tid").and_then(|tid| tid.parse().ok());
    let public = tid.and_then(library::find).ok_or(TID)?;
    let describe = |keyword: &Keyword| {
        let Keyword { kid, name, example, rule, .. } = keyword;
        json!({ "kid": kid, "name": name, "example": example, "rule": rule })
    };
    let keywords: Vec<_> = public.keywords.iter().map(describe).collect();
    Ok(ok_with(json!({ "count": keywords.len(), "data": keywords })))
}

/// `POST /wxaapi/newtmpl/addtemplate?access_token=…`
pub fn add(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let public = number(&asked, "tid").and_then(library::find).ok_or(TID)?;
    if text(&asked, "sceneDesc").chars().count() > SCENE {
        return Err(SCENE_DESC);
    }
    let template = make(public, &chosen(public, &asked)?);
    let id = template.id.clone();
    call.state.subscriptions.of(call.app).put(template)?;
    Ok(ok_with(json!({ "priTmplId": id })))
}

/// 2 to 5 different keywords, in the order in which they were asked for.
fn chosen(public: &Public, asked: &Value) -> Result<Vec<&'static Keyword>, Errcode> {
    let kids = asked.get("kidList").and_then(Value::as_array).ok_or(KEYWORDS)?;
    let find = |kid: &Value| public.keywords.iter().find(|keyword| Some(keyword.kid) == kid.as_u64());
    let chosen: Vec<_> = kids.iter().map(find).collect::<Option<_>>().ok_or(KEYWORDS)?;
    let mut different: Vec<_> = chosen.iter().map(|keyword| keyword.kid).collect();
    different.sort_unstable();
    different.dedup();
    if different.len() == chosen.len() && (2..=5).contains(&chosen.len()) {
        Ok(chosen)
    } else {
        Err(KEYWORDS)
    }
}

fn make(public: &Public, keywords: &[&Keyword]) -> Template {
    let lines = |value: &dyn Fn(&Keyword) -> String| -> String {
        keywords.iter().map(|keyword| format!("{}:{}\n", keyword.name, value(keyword))).collect()
    };
    let key = |keyword: &Keyword| format!("{}{}", keyword.rule, keyword.kid);
    let options = keywords.iter().filter(|keyword| !keyword.options.is_empty());
    let options: BTreeMap<_, _> = options.map(|keyword| (key(keyword), keyword.options)).collect();
    Template {
        id: new_id(),
        title: public.title.to_owned(),
        content: lines(&|keyword| format!("{{{{{}.DATA}}}}", key(keyword))),
        example: lines(&|keyword| keyword.example.to_owned()),
        long_term: public.long_term,
        options,
    }
}

/// `POST /wxaapi/newtmpl/deltemplate?access_token=…`
pub fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    call.state.subscriptions.of(call.app).remove(text(&asked, "priTmplId"))?;
    Ok(done())
}

/// `GET /wxaapi/newtmpl/gettemplate?access_token=…`
pub fn list(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let templates: Vec<_> = call.state.subscriptions.of(call.app).templates().iter().map(describe).collect();
    Ok(ok_with(json!({ "data": templates })))
}

fn describe(template: &Template) -> Value {
    let described = json!({
        "priTmplId": template.id,
        "title": template.title,
        "content": template.content,
        "example": template.example,
        "type": kind(template.long_term),
    });
    let options = template.options.iter();
    let options: Vec<_> = options
        .map(|(key, values)| json!({ "enumValueList": values, "keywordCode": format!("{key}.DATA") }))
        .collect();
    if options.is_empty() { described } else { with(described, "keywordEnumValueList", options) }
}

/// 2 for a one-time subscription, 3 for a long-term one.
fn kind(long_term: bool) -> u32 {
    if long_term { 3 } else { 2 }
}
