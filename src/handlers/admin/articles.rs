//! Lists of material, drafts, and what is published: passed on to WeChat nearly as they come, by a table.

use serde_json::{Map, Value};

use super::media::checked;
use super::problem::Problem;
use super::{Outcome, Visit, ask, body, json, no_content, page};
use crate::json::{Put, json};
use crate::login::params::Params;
use crate::platform::Platform;
use crate::wechat::api::{ApiRequest, Body, Method};

/// Most entries of a page of WeChat's.
/// <https://developers.weixin.qq.com/doc/service/api/material/permanent/api_batchgetmaterial>
const MOST: u64 = 20;

/// One route, and the call of WeChat's API that it stands for.
struct Pass {
    /// The HTTP method of the route.
    method: &'static str,
    /// The path behind `/admin/`; `:name` stands for a segment that becomes the member `name` of what is asked.
    pattern: &'static str,
    /// How WeChat is called.
    call: Method,
    /// WeChat's path.
    path: &'static str,
    /// What else is asked.
    takes: Takes,
    /// The status of success; with 204 there is no body.
    status: u16,
}

/// What a route takes besides its path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// The members of the body.
    Body,
    /// `offset` and `limit` of the query, and members that are always so.
    Page(&'static [(&'static str, u64)]),
    /// As [`Takes::Page`] without more, and `type`.
    PageOfType,
    /// A number of the query, with this name, if it is there.
    Number(&'static str),
}

const fn pass(
    method: &'static str,
    pattern: &'static str,
    path: &'static str,
    takes: Takes,
    status: u16,
) -> Pass {
    Pass { method, pattern, call: Method::Post, path, takes, status }
}

const fn get(pattern: &'static str, path: &'static str) -> Pass {
    Pass { method: "GET", pattern, call: Method::Get, path, takes: Takes::Nothing, status: 200 }
}

/// The texts of articles can be a megabyte each; lists come without.
const BRIEF: Takes = Takes::Page(&[("no_content", 1)]);

/// <https://developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add>
const PASSES: &[Pass] = &[
    pass("GET", "material", "/cgi-bin/material/batchget_material", Takes::PageOfType, 200),
    get("material/count", "/cgi-bin/material/get_materialcount"),
    pass("DELETE", "material/:media_id", "/cgi-bin/material/del_material", Takes::Nothing, 204),
    pass("GET", "drafts", "/cgi-bin/draft/batchget", BRIEF, 200),
    pass("POST", "drafts", "/cgi-bin/draft/add", Takes::Body, 201),
    get("drafts/count", "/cgi-bin/draft/count"),
    pass("GET", "drafts/:media_id", "/cgi-bin/draft/get", Takes::Nothing, 200),
    pass("PUT", "drafts/:media_id", "/cgi-bin/draft/update", Takes::Body, 204),
    pass("DELETE", "drafts/:media_id", "/cgi-bin/draft/delete", Takes::Nothing, 204),
    pass("POST", "drafts/:media_id/publish", "/cgi-bin/freepublish/submit", Takes::Nothing, 202),
    pass("GET", "publications", "/cgi-bin/freepublish/batchget", BRIEF, 200),
    pass("GET", "publications/:publish_id", "/cgi-bin/freepublish/get", Takes::Nothing, 200),
    pass("GET", "publications/:article_id/articles", "/cgi-bin/freepublish/getarticle", Takes::Nothing, 200),
    pass("DELETE", "publications/:article_id", "/cgi-bin/freepublish/delete", Takes::Number("index"), 204),
];

/// Methods of these paths that are served elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[("material", "POST"), ("material/:media_id", "GET")];

/// A route of [`PASSES`].
///
/// 1. find the route
/// 2. put what is asked together, of path, query and body
/// 3. ask WeChat
/// 4. answer what WeChat answers, without its `errcode`; pages as all pages are
pub async fn serve<P: Platform>(visit: &Visit<'_, P>, segments: &[&str]) -> Outcome {
    let (pass, mut asked) = find(&visit.request.method, segments)?;
    let offset = take(visit, pass, &mut asked)?;
    let body = match pass.call {
        Method::Get => Body::Empty,
        Method::Post => Body::Json(crate::json::text(&Value::Object(asked))),
    };
    let request = ApiRequest { method: pass.call, path: pass.path, query: Vec::new(), body };
    let answer = ask(visit, &request).await?;
    if pass.status == 204 {
        return Ok(no_content());
    }
    let answer = match pass.takes {
        Takes::Page(_) | Takes::PageOfType => paged(&answer, offset),
        _ => said(answer),
    };
    Ok(json(pass.status, &answer))
}

fn find(method: &str, segments: &[&str]) -> Result<(&'static Pass, Map<String, Value>), Problem> {
    let mut methods = String::new();
    for pass in PASSES {
        let Some(bound) = bind(pass.pattern, segments) else { continue };
        if pass.method == method {
            for value in bound.values() {
                checked(value.as_str().unwrap_or_default())?;
            }
            return Ok((pass, bound));
        }
        let also =
            ELSEWHERE.iter().filter(|(pattern, _)| *pattern == pass.pattern).map(|(_, method)| *method);
        for method in [pass.method].into_iter().chain(also) {
            if methods.contains(method) {
                continue;
            }
            methods.push_str(if methods.is_empty() { "" } else { ", " });
            methods.push_str(method);
        }
    }
    if methods.is_empty() {
        Err(Problem::not_found("route"))
    } else {
        Err(Problem::method_not_allowed(&methods))
    }
}

/// The members that segments stand for, if the path is of this pattern.
fn bind(pattern: &str, segments: &[&str]) -> Option<Map<String, Value>> {
    let mut bound = Map::new();
    let mut rest = segments.iter();
    for part in pattern.split('/') {
        let segment = *rest.next()?;
        match part.strip_prefix(':') {
            Some(name) => bound.put(name, json!(segment)),
            None if part == segment => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(bound)
}

/// Adds what the route takes of query and body; of a page, where it begins.
fn take<P: Platform>(
    visit: &Visit<'_, P>,
    pass: &Pass,
    asked: &mut Map<String, Value>,
) -> Result<u64, Problem> {
    const TYPES: [&str; 4] = ["image", "voice", "video", "news"];
    let params = Params::parse(visit.request.query.as_bytes());
    match pass.takes {
        Takes::Nothing => return Ok(0),
        Takes::Body => {
            if let Value::Object(mut members) = body(visit.request)? {
                // The path says what is meant, whatever the body says.
                members.append(asked);
                *asked = members;
            }
            return Ok(0);
        }
        Takes::Number(name) => {
            let number = page::number(&params, name, 0, u64::from(u32::MAX))?;
            asked.extend(number.map(|number| (name.to_owned(), json!(number))));
            return Ok(0);
        }
        Takes::Page(always) => {
            asked.extend(always.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        }
        Takes::PageOfType => {
            let kind = params.once("type").map_err(|_| page::twice("type"))?;
            let kind = kind.filter(|kind| TYPES.contains(kind)).ok_or_else(|| {
                Problem::invalid("type in the query must be image, voice, video or news")
                    .with("parameter", "type")
            })?;
            asked.put("type", json!(kind));
        }
    }
    let offset = page::number(&params, "offset", 0, u64::from(u32::MAX))?.unwrap_or_default();
    let count = page::number(&params, "limit", 1, MOST)?.unwrap_or(MOST);
    asked.put("offset", json!(offset));
    asked.put("count", json!(count));
    Ok(offset)
}

/// A page of WeChat's as all pages are; `next` is the offset of the one after it.
fn paged(answer: &Value, offset: u64) -> Value {
    let items = answer.get("item").and_then(Value::as_array).cloned().unwrap_or_default();
    let total = answer.get("total_count").and_then(Value::as_u64).unwrap_or_default();
    let end = offset + items.len() as u64;
    let next = (!items.is_empty() && end < total).then(|| end.to_string());
    json!({ "items": items, "total": total, "offset": offset, "next": next })
}

/// WeChat's answer without the words that it was a success.
pub fn said(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| name != "errcode" && name != "errmsg");
    }
    answer
}
