//! Requests made beforehand, and how to tell whether an answer is right.

use axum::body::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use wxapi::wechat::xml::parse_xml;

use super::{Kind, Plan};
use crate::ids;
use crate::push::checks::judge;
use crate::push::envelope::{NoKey, Stamp, seal};
use crate::push::message::{self, Content, Event, Head};
use crate::verify::verification_query;

/// A request, and what its answer must hold.
pub struct Shot {
    /// The request, ready to be sent.
    pub request: Request<Full<Bytes>>,
    /// The echostr, or the question's marker.
    pub expected: String,
    /// Who asks.
    pub openid: String,
}

/// The requests numbered from `first`; their ids are never the same in two runs that start at different times.
///
/// # Errors
/// [`NoKey`] in compat and aes mode without an EncodingAESKey.
pub fn make(plan: &Plan, first: u64, count: u64, wall_ms: u64) -> Result<Vec<Shot>, NoKey> {
    (first..first + count).map(|number| shot(plan, number, wall_ms)).collect()
}

fn shot(plan: &Plan, number: u64, wall_ms: u64) -> Result<Shot, NoKey> {
    let stamp = Stamp::new(wall_ms / 1000);
    // Over 2^53, so that whoever reads it as a floating-point number is found out.
    let id = wall_ms * 10_000 + number;
    let openid = ids::openid(&plan.account.app_id, &format!("load-{}", number % plan.users));
    if plan.kind == Kind::Verify {
        let expected = id.to_string();
        let query = verification_query(&plan.account, &stamp, &expected, false);
        return Ok(Shot { request: request(plan, Method::GET, &query, String::new()), expected, openid });
    }
    let expected = format!("m{id}x");
    let head = Head {
        to: plan.account.original_id.clone(),
        from: openid.clone(),
        create_time: stamp.timestamp,
        msg_id: id.to_string(),
    };
    let xml = message::write(&head, &content(plan.kind, &expected));
    let sealed = seal(&plan.account, plan.mode, None, &openid, &xml, &stamp)?;
    Ok(Shot { request: request(plan, Method::POST, &sealed.query, sealed.body), expected, openid })
}

fn content(kind: Kind, marker: &str) -> Content {
    if kind == Kind::Text {
        return Content::Text { text: format!("请介绍一下你自己 {marker}"), menu_id: None };
    }
    let key = Some(format!("https://example.com/{marker}"));
    Content::Event(Event { kind: "view".to_owned(), key, ..Event::default() })
}

fn request(plan: &Plan, method: Method, query: &str, body: String) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = method;
    *request.uri_mut() = plan.target.path_with(query).parse().unwrap_or_default();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(host) = plan.target.authority().parse() {
        request.headers_mut().insert(HOST, host);
    }
    request
}

/// Whether a body with status 200 is the right answer.
pub fn is_right(plan: &Plan, expected: &str, openid: &str, body: &str) -> bool {
    match plan.kind {
        Kind::Verify => body == expected,
        Kind::Event => !body.is_empty(),
        Kind::Text => {
            let plain = judge(&plan.account, plan.mode, openid, body).plain;
            let reply = plain.and_then(|plain| parse_xml(&plain).ok());
            reply.is_some_and(|reply| {
                reply.get("ToUserName") == Some(openid)
                    && reply.get("Content").is_some_and(|content| content.contains(expected))
            })
        }
    }
}
