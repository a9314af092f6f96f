//! What is passed on to WeChat nearly as it comes: a table, and the one function that serves it.

mod table;

use serde_json::{Map, Value};

use super::fields::{Field, Rule, fault, faults, refuse};
use super::problem::{Fault, Problem};
use super::{Outcome, Visit};
use crate::gateway::send::{Answer, send};
use crate::json::{Put, json};
use crate::login::params::Params;
use crate::platform::{Platform, Response};
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
}

/// A route of [`PASSES`].
///
/// 1. find the route
/// 2. put what is asked together, of path, query and body, and check it
/// 3. ask WeChat, once
/// 4. answer what WeChat answers, without its `errcode`
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    let (pass, bound) = find(&visit.request.method, segments)?;
    let asked = asked(visit, pass, bound)?;
    let config = &visit.app.config;
    let answer = send(visit.platform, &config.wechat_api, &config.app_id, &pass.request(asked)).await?;
    pass.response(&answer)
}

/// Segments of a path, by the names that they stand for.
type Bound<'a> = Vec<(&'static str, &'a str)>;

fn find<'a>(method: &str, segments: &'a [&'a str]) -> Result<(&'static Pass, Bound<'a>), Problem> {
    let mut matching =
        PASSES.iter().filter_map(|pass| Some((pass, bind(pass.pattern, segments)?))).peekable();
    if matching.peek().is_none() {
        return Err(Problem::not_found("route"));
    }
    let found = matching.find(|(pass, _)| pass.method == method);
    found.ok_or_else(|| Problem::new(405, "method-not-allowed", "this route has other methods"))
}

/// The segments that stand for names, if the path is of this pattern.
fn bind<'a>(pattern: &'static str, segments: &'a [&'a str]) -> Option<Bound<'a>> {
    let mut bound = Vec::new();
    let mut rest = segments.iter();
    for part in pattern.split('/') {
        let segment = *rest.next()?;
        match part.strip_prefix(':') {
            Some(name) => bound.push((name, segment)),
            None if part == segment => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(bound)
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
    if let Special::Defaults(defaults) = pass.special {
        asked.extend(defaults.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    }
    let params = Params::parse(request.query.as_bytes());
    for name in pass.query {
        let twice = |_| Problem::faults(vec![fault(pointer(name), "comes twice in the query")]);
        if let Some(value) = params.once(name).map_err(twice)? {
            asked.put(name, pass.typed(name, value.to_owned()));
        }
    }
    for (name, segment) in bound {
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
    refuse(found)?;
    Ok(asked)
}

fn pointer(name: &str) -> String {
    format!("/{name}")
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

    fn request(&self, asked: Value) -> ApiRequest {
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

    fn response(&self, answer: &Answer) -> Outcome {
        if self.status == 204 {
            return Ok(Response { status: 204, ..Response::default() });
        }
        let mut answer = said(answer);
        if self.special == Special::QrCode
            && let Some(ticket) = answer.get("ticket").and_then(Value::as_str)
        {
            let picture = qrcode::picture(ticket);
            answer.put("image", json!(picture));
        }
        Ok(super::json(self.status, &Value::Object(answer)))
    }
}

/// WeChat's answer without the words that it was a success. Older pages write them with a capital letter.
pub fn said(answer: &Answer) -> Map<String, Value> {
    let Ok(Value::Object(mut said)) = crate::json::value(&answer.body) else { return Map::new() };
    for word in ["errcode", "errmsg", "errCode", "errMsg"] {
        said.remove(word);
    }
    said
}
