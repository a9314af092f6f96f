//! What is passed on to WeChat nearly as it comes: a table, and the one function that serves it.

mod table;

use serde_json::{Map, Value};

use super::fields::{Field, Rule, faults, refuse};
use super::problem::{Fault, Problem};
use super::routes::Bound;
use super::{Outcome, Visit, ask, no_content, page};
use crate::json::{Put, json};
use crate::login::params::Params;
use crate::platform::Platform;
use crate::wechat::api::{ApiRequest, Body, Method, qrcode};

pub use table::PASSES;

/// One route, and the call of WeChat's API that it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// The HTTP method of the route.
    pub method: &'static str,
    /// The path behind `/admin/`; `:name` stands for a segment that becomes the member `name` of what is asked.
    pub pattern: &'static str,
    /// How WeChat is called. A `Get` has what is asked in its query, a `Post` as JSON.
    pub call: Method,
    /// WeChat's path.
    pub path: &'static str,
    /// Parameters of the route's query that become members of what is asked.
    pub query: &'static [&'static str],
    /// What the members must be.
    pub fields: &'static [Field],
    /// What is special about it.
    pub special: Special,
    /// The status of success; with 204 there is no body.
    pub status: u16,
}

/// What one route does and the others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Nothing.
    None,
    /// What is asked becomes a member of this name, the only one.
    Within(&'static str),
    /// WeChat wants the account's `appid`.
    AppId,
    /// A QR code: its scene is checked, and the answer says where its picture is.
    QrCode,
    /// These members have a default.
    Defaults(&'static [(&'static str, u64)]),
    /// A page of WeChat's from `offset` on: our `limit` is its `count`, and this member, if there is one, is 1.
    Page(&'static str),
}

/// Most entries of a page of WeChat's, and as many as come unless fewer are asked for.
/// <https://developers.weixin.qq.com/doc/service/api/material/permanent/api_batchgetmaterial>
pub const PAGE: u64 = 20;

/// The route of [`PASSES`] with this method and pattern.
pub fn find(method: &str, pattern: &str) -> Option<&'static Pass> {
    PASSES.iter().find(|pass| pass.method == method && pass.pattern == pattern)
}

/// A route of [`PASSES`].
///
/// 1. put what is asked together, of path, query and body, and check it
/// 2. ask WeChat, once
/// 3. answer what WeChat answers, without its `errcode`; pages as all pages are
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, pass: &Pass, bound: Bound<'_>) -> Outcome {
    let asked = asked(visit, pass, bound)?;
    let offset = asked.get("offset").and_then(Value::as_u64).unwrap_or_default();
    let answer = ask(visit, &pass.request(asked)).await?;
    Ok(match pass.special {
        _ if pass.status == 204 => no_content(),
        Special::Page(_) => super::json(pass.status, &paged(&answer, offset)),
        special => super::json(pass.status, &shown(answer, special)),
    })
}

/// What is asked: the body's members, and over them those of path and query.
fn asked<P: Platform>(visit: &Visit<'_, P>, pass: &Pass, bound: Bound<'_>) -> Result<Value, Problem> {
    let request = visit.request;
    let mut asked = if matches!(pass.method, "GET" | "DELETE") || request.body.is_empty() {
        Map::new()
    } else if let Value::Object(body) = super::body(request)? {
        body
    } else {
        Map::new()
    };
    let defaults = match pass.special {
        Special::Defaults(defaults) => defaults,
        Special::Page(_) => &[("offset", 0), ("limit", PAGE)],
        _ => &[],
    };
    asked.extend(defaults.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    let params = Params::parse(request.query.as_bytes());
    for name in pass.query {
        if let Some(value) = params.once(name).map_err(|_| page::twice(name))? {
            asked.put(name, pass.typed(name, value.to_owned()));
        }
    }
    for (name, segment) in &bound {
        let name = *name;
        asked.put(name, pass.typed(name, decoded(segment)));
    }
    if pass.special == Special::AppId {
        asked.put("appid", json!(visit.app.config.app_id));
    }
    let asked = Value::Object(asked);
    let mut found = faults(&asked, pass.fields);
    if pass.special == Special::QrCode {
        found.extend(scene_fault(&asked));
    }
    for (at, _) in &mut found {
        let name = at.strip_prefix('/').unwrap_or_default();
        if pass.query.contains(&name) || bound.iter().any(|(known, _)| *known == name) {
            at.remove(0);
        }
    }
    refuse(found)?;
    Ok(asked)
}

/// A segment of a path without its percent-encoding.
pub fn decoded(segment: &str) -> String {
    let query = format!("v={}", segment.replace('+', "%2B"));
    Params::parse(query.as_bytes()).get("v").unwrap_or_default().to_owned()
}

/// Which scene a code of each kind has.
/// <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode.html>
fn scene_fault(asked: &Value) -> Option<Fault> {
    const NUMBER: &str = "/action_info/scene/scene_id";
    const TEXT: &str = "/action_info/scene/scene_str";
    let scene = |at: &'static str, rule| faults(asked, &[super::fields::must(at, rule)]).pop();
    match asked.get("action_name").and_then(Value::as_str)? {
        "QR_SCENE" => scene(NUMBER, Rule::Number(1, u64::from(u32::MAX))),
        "QR_LIMIT_SCENE" => scene(NUMBER, Rule::Number(1, 100_000)),
        _ => scene(TEXT, Rule::Text(qrcode::SCENE_LIMIT)),
    }
}

impl Pass {
    /// Path and query are text; what must be a number becomes one.
    fn typed(&self, name: &str, value: String) -> Value {
        let is_number = self
            .fields
            .iter()
            .any(|field| field.at.strip_prefix('/') == Some(name) && matches!(field.rule, Rule::Number(..)));
        match value.parse::<u64>() {
            Ok(number) if is_number => json!(number),
            _ => Value::String(value),
        }
    }

    fn request(&self, mut asked: Value) -> ApiRequest {
        if let (Special::Page(always), Value::Object(members)) = (self.special, &mut asked) {
            let count = members.remove("limit").unwrap_or_default();
            members.insert("count".to_owned(), count);
            if !always.is_empty() {
                members.insert(always.to_owned(), json!(1));
            }
        }
        let asked = match self.special {
            Special::Within(name) => json!({ name: asked }),
            _ => asked,
        };
        let (query, body) = match self.call {
            Method::Get => (self.in_query(&asked), Body::Empty),
            Method::Post => (Vec::new(), Body::Json(crate::json::text(&asked))),
        };
        ApiRequest { method: self.call, path: self.path, query, body }
    }

    fn in_query(&self, asked: &Value) -> Vec<(&'static str, String)> {
        let of_path = self.pattern.split('/').filter_map(|part| part.strip_prefix(':'));
        let names = of_path.chain(self.query.iter().copied());
        let text = |value: &Value| value.as_str().map_or_else(|| crate::json::text(value), str::to_owned);
        names.filter_map(|name| Some((name, text(asked.get(name)?)))).collect()
    }
}

/// What WeChat answered, as it is shown.
fn shown(answer: Value, special: Special) -> Value {
    let mut answer = said(answer);
    let ticket = answer.get("ticket").and_then(Value::as_str);
    if let (Special::QrCode, Some(ticket)) = (special, ticket) {
        let picture = json!(qrcode::picture(ticket));
        if let Some(members) = answer.as_object_mut() {
            members.insert("image".to_owned(), picture);
        }
    }
    answer
}

/// A page of WeChat's as all pages are; `next` is the offset of the one after it.
fn paged(answer: &Value, offset: u64) -> Value {
    let items = answer.get("item").and_then(Value::as_array).cloned().unwrap_or_default();
    let total = answer.get("total_count").and_then(Value::as_u64).unwrap_or_default();
    let end = offset + items.len() as u64;
    let next = (!items.is_empty() && end < total).then(|| end.to_string());
    json!({ "items": items, "total": total, "offset": offset, "next": next })
}

/// WeChat's answer without the words that it was a success. Older pages write them with a capital letter.
pub fn said(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "errcode" | "errmsg" | "errCode" | "errMsg"));
    }
    answer
}
