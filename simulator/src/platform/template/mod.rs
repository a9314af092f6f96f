//! Template messages: the account's industries and templates, and sending.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html>

mod industry;
mod library;
mod send;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, list, number, ok_with, text};
use super::errcode::Errcode;
use super::quota::month;
use super::{ApiReply, done};
use crate::ids;

pub use self::send::Receipt;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/template/api_set_industry", Right::Template, set_industry),
    Api::get("/cgi-bin/template/get_industry", Right::Template, get_industry),
    Api::post("/cgi-bin/template/api_add_template", Right::Template, add),
    Api::get("/cgi-bin/template/get_all_private_template", Right::Template, get_all),
    Api::post("/cgi-bin/template/del_private_template", Right::Template, delete),
    Api::post("/cgi-bin/message/template/send", Right::Template, send::send).daily(100_000),
    Api::post("/cgi-bin/message/template/subscribe", Right::Template, send::subscribe).daily(100_000),
];

/// Templates of one account.
const MOST: usize = 25;

/// No such template.
pub const TEMPLATE_ID: Errcode = Errcode(40037);
const INDUSTRY_ID: Errcode = Errcode(40102);
const INDUSTRY_TOO_OFTEN: Errcode = Errcode(43100);
const TOO_MANY: Errcode = Errcode(45026);

/// One of the account's templates.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// The headline of its cards.
    pub title: String,
    /// Lines with places such as `{{order.DATA}}`.
    pub content: String,
    example: String,
    industry: Option<u64>,
}

impl Template {
    /// A template that is not from the library.
    pub fn own(id: String, title: String, content: String) -> Self {
        Self { id, title, content, ..Self::default() }
    }
}

/// What the family remembers.
#[derive(Debug, Default)]
pub struct Templates {
    templates: Vec<Template>,
    industries: Option<(u64, u64)>,
    changed_ms: Option<u64>,
    sent: send::Sent,
    receipts: BTreeMap<String, Receipt>,
}

impl Templates {
    /// Adds a template, or replaces the one with its id; its id.
    ///
    /// # Errors
    /// 45026 when there are 25 already.
    pub fn put(&mut self, mut template: Template) -> Result<String, Errcode> {
        if template.id.is_empty() {
            template.id = new_id();
        }
        let id = template.id.clone();
        let full = self.templates.len() == MOST;
        match self.templates.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = template,
            None if full => return Err(TOO_MANY),
            None => self.templates.push(template),
        }
        Ok(id)
    }

    /// The template with this id.
    ///
    /// # Errors
    /// 40037 if there is none.
    pub fn find(&self, id: &str) -> Result<&Template, Errcode> {
        self.templates.iter().find(|template| template.id == id).ok_or(TEMPLATE_ID)
    }

    /// Decides how messages to somebody end from now on.
    pub fn set_receipt(&mut self, openid: String, receipt: Receipt) {
        self.receipts.insert(openid, receipt);
    }
}

/// A new template id: 43 characters, as WeChat's have.
pub fn new_id() -> String {
    ids::media_id().chars().take(43).collect()
}

/// `POST /cgi-bin/template/api_set_industry?access_token=…`, once a month.
fn set_industry(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let industry = |name| number(&asked, name).filter(|id| industry::find(*id).is_some()).ok_or(INDUSTRY_ID);
    let industries = (industry("industry_id1")?, industry("industry_id2")?);
    let Call { state, now_ms, .. } = call;
    if state.templates.changed_ms.is_some_and(|changed| month(changed) == month(*now_ms)) {
        return Err(INDUSTRY_TOO_OFTEN);
    }
    state.templates.changed_ms = Some(*now_ms);
    state.templates.industries = Some(industries);
    Ok(done())
}

/// `GET /cgi-bin/template/get_industry?access_token=…`
fn get_industry(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let industries = call.state.templates.industries;
    let describe = |id: Option<u64>| {
        let (first, second) = id.and_then(industry::find).unwrap_or_default();
        json!({ "first_class": first, "second_class": second })
    };
    Ok(ApiReply::Json(json!({
        "primary_industry": describe(industries.map(|both| both.0)),
        "secondary_industry": describe(industries.map(|both| both.1)),
    })))
}

/// `POST /cgi-bin/template/api_add_template?access_token=…`
fn add(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let keywords: Vec<_> = list(&asked, "keyword_name_list").iter().filter_map(Value::as_str).collect();
    let template = library::make(text(&asked, "template_id_short"), &keywords)?;
    let id = call.state.templates.put(template)?;
    Ok(ok_with(json!({ "template_id": id })))
}

/// `GET /cgi-bin/template/get_all_private_template?access_token=…`
fn get_all(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let describe = |template: &Template| {
        let (first, second) = template.industry.and_then(industry::find).unwrap_or_default();
        json!({
            "template_id": template.id,
            "title": template.title,
            "primary_industry": first,
            "deputy_industry": second,
            "content": template.content,
            "example": template.example,
        })
    };
    let templates: Vec<_> = call.state.templates.templates.iter().map(describe).collect();
    Ok(ApiReply::Json(json!({ "template_list": templates })))
}

/// `POST /cgi-bin/template/del_private_template?access_token=…`
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = call.state.templates.find(text(&asked, "template_id"))?.id.clone();
    call.state.templates.templates.retain(|template| template.id != id);
    Ok(done())
}
