//! WeChat's API through this Worker: the client's token is exchanged for the account's, and everything else passes as it
//! is.

use serde_json::Value;

use super::said::{Said, limited, not_begun, passage, refused, unknown};
use super::{App, client_of};
use crate::digest::base64url;
use crate::gateway::calls::{Access, Rule, access, path_of};
use crate::gateway::client::{Client, Scope};
use crate::gateway::desk::{Begin, Call, End, Keep, Kept, Key, Opening};
use crate::gateway::proxy::{
    Judged, KEPT, LARGEST_UPLOAD, PAUSES, fingerprint, judge, passes, raw_utf8, replaced, with_token,
};
use crate::gateway::send::{Opened, open};
use crate::handlers::{call_object, metrics};
use crate::log::Line;
use crate::platform::{Limiter, Millis, Object, Outbound, Platform, Request, Response, Unreachable};
use crate::wechat::api::{ApiError, Reaction, UNREADABLE, reaction};

/// WeChat answers within this time or not at all.
const TIMEOUT: Millis = 15_000;
/// A file of 10 MB takes this long over a slow line.
const LONG_TIMEOUT: Millis = 100_000;
/// The longest `Idempotency-Key`.
const KEY_LENGTH: usize = 255;

/// One call on its way.
struct Passing<'a, P: Platform> {
    request: &'a Request,
    platform: &'a P,
    app: &'a App,
    method: &'static str,
    path: &'a str,
    rule: Rule,
    body: Vec<u8>,
}

/// What became of a call.
struct Ending<B> {
    answer: Option<Opened<B>>,
    judged: Judged,
    retried: u8,
    /// WeChat refuses the account's token. `Some(true)`: it has a new one, but the body is gone.
    renewed: Option<bool>,
    /// The account's tokens that were sent, which nobody shall see.
    tokens: Vec<String>,
}

/// Passes a call on.
///
/// 1. what needs a secret stays here, and what a person's own token opens needs no client
/// 2. the client is known, and the request can be sent
/// 3. the account's object opens the call: limit, scope, key, entry, token
/// 4. it is sent, again with a new token if WeChat refuses the old one, and again after a pause if that does no harm
/// 5. the object is told what became of it; before the answer leaves if that can be asked for again
pub async fn forward<P: Platform>(request: &Request, segments: &[&str], platform: &P, app: &App) -> Response {
    let path = path_of(segments);
    let (client, said) = match path.as_deref().map(access) {
        None => ("", refused(request, 40066, "invalid url", "malformed")),
        Some(Access::Secret) => {
            let words = "api unauthorized: it needs a secret, and this gateway lends none";
            ("", refused(request, 48001, words, "forbidden"))
        }
        Some(Access::Open) => ("", person(request, path.as_deref().unwrap_or_default(), platform, app).await),
        Some(Access::Scoped(rule)) => match client_of(request, app, platform.now()) {
            Err(error) => ("", refused(request, error.errcode, &error.errmsg, "unauthorized")),
            Ok(client) => {
                let path = path.as_deref().unwrap_or_default();
                (client.id.as_str(), of_client(request, path, rule, client, platform, app).await)
            }
        },
    };
    let Said(response, outcome) = said;
    metrics::count(platform, app, "wxapi_proxy_calls_total", &[("client", client), ("outcome", outcome)]);
    if outcome != "ok" {
        let path = path.as_deref().unwrap_or_default();
        platform.log(&Line::warn("proxy.not_ok", format_args!("{client} {path} {outcome}")));
    }
    response
        .with("x-request-id", request.id.clone())
        // Whatever a relay sends, it is no page of this origin.
        .with("content-security-policy", "sandbox; default-src 'none'")
}

/// A call with a person's own token, which tells WeChat all that it wants to know. Nobody here knows who makes it, so
/// what counts is the address.
async fn person<P: Platform>(request: &Request, path: &str, platform: &P, app: &App) -> Said {
    if request.method != "GET" {
        return refused(request, 43001, "require GET method", "malformed");
    }
    if app.config.api_clients.is_empty() {
        return refused(request, 48001, "api unauthorized: no API_CLIENTS are set", "forbidden");
    }
    if !platform.within_limit(Limiter::Login, &format!("sns:{}", request.peer.network())).await {
        return limited(request, 60);
    }
    let url = format!("{}{path}?{}", app.config.wechat_api, request.query);
    let outbound = Outbound {
        method: "GET",
        url,
        headers: Vec::new(),
        body: Vec::new(),
        upload: None,
        timeout: TIMEOUT,
    };
    match open(platform, outbound).await {
        Ok(answer) => match judge(answer.status, &answer.first, answer.rest.is_none()) {
            Judged::Unknown(_) => refused(request, -1, "system error: no answer from WeChat", "unknown"),
            Judged::Refused(_) => Said(passage(answer), "refused"),
            Judged::Done => Said(passage(answer), "ok"),
        },
        Err(_) => refused(request, -1, "system error: no answer from WeChat", "unknown"),
    }
}

async fn of_client<P: Platform>(
    request: &Request,
    path: &str,
    rule: Rule,
    client: &Client,
    platform: &P,
    app: &App,
) -> Said {
    let checked = check(request, path, rule, platform, app).and_then(|call| Ok((key(&call)?, call)));
    let (key, mut call) = match checked {
        Ok(checked) => checked,
        Err((status, errcode, words)) => {
            let Said(response, outcome) = refused(request, errcode, words, "malformed");
            return Said(Response { status, ..response }, outcome);
        }
    };
    let keyed = key.is_some();
    let begin = Begin {
        request: request.id.clone(),
        client: client.id.clone(),
        per_minute: client.per_minute,
        method: call.method.to_owned(),
        path: path.to_owned(),
        scope: crate::json::of(&rule.scope),
        permitted: client.may(rule.scope),
        key,
    };
    let began = platform.now();
    let opening = call_object(platform, Object::Account, &app.config.app_id, &Call::Begin(begin)).await;
    let (number, token) = match opening {
        Ok(Opening::Begun { number, token }) => (number, token),
        Ok(other) => return not_begun(request, other),
        Err(Unreachable(reason)) => {
            platform.log(&Line::error("proxy.no_desk", reason));
            return refused(request, -1, "system error: not sent", "unavailable");
        }
    };
    let ending = call.exchange(token).await;
    let ms = platform.now() - began;
    call.finish(ending, number, ms, keyed).await
}

/// What cannot be sent: an HTTP status, WeChat's code, its words.
type Fault = (u16, i64, &'static str);

/// What can be sent at all.
fn check<'a, P: Platform>(
    request: &'a Request,
    path: &'a str,
    rule: Rule,
    platform: &'a P,
    app: &'a App,
) -> Result<Passing<'a, P>, Fault> {
    let method = match request.method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        _ => return Err((405, 43002, "require GET or POST method")),
    };
    match request.upload.as_ref().map(|upload| upload.length) {
        Some(None) => return Err((411, 44002, "a long body needs a Content-Length")),
        Some(Some(length)) if length > LARGEST_UPLOAD => return Err((413, 40006, "invalid file size")),
        _ => {}
    }
    Ok(Passing { request, platform, app, method, path, rule, body: raw_utf8(request.body.clone()) })
}

/// The client's name for the call. What only reads needs none, so a `GET` has none.
fn key<P: Platform>(call: &Passing<'_, P>) -> Result<Option<Key>, Fault> {
    let Some(name) = call.request.header("idempotency-key").filter(|_| call.method == "POST") else {
        return Ok(None);
    };
    if !(1..=KEY_LENGTH).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err((200, 40035, "invalid Idempotency-Key: 1 to 255 visible characters of ASCII"));
    }
    let length = call.request.upload.as_ref().and_then(|upload| upload.length).unwrap_or_default();
    let content_type = call.request.header("content-type").unwrap_or_default();
    let query = &call.request.query;
    let digest = fingerprint(call.method, call.path, query, content_type, &call.body, length);
    Ok(Some(Key { name: name.to_owned(), digest: digest.as_str().to_owned() }))
}

impl<P: Platform> Passing<'_, P> {
    /// Sends the call, as often as it may be.
    async fn exchange(&mut self, token: String) -> Ending<P::Body> {
        let upload = self.request.upload.is_some();
        let mut ending = Ending {
            answer: None,
            judged: Judged::Done,
            retried: 0,
            renewed: None,
            tokens: vec![token.clone()],
        };
        let (mut token, mut pauses) = (token, PAUSES.iter().filter(|_| self.rule.repeatable && !upload));
        loop {
            (ending.answer, ending.judged) = self.once(&token).await;
            match &ending.judged {
                Judged::Refused(error) if reaction(error.errcode) == Reaction::RefreshToken => {
                    let again = ending.tokens.len() > 1;
                    ending.renewed = Some(false);
                    let fresh = self.platform.access_token(&self.app.config.app_id, Some(&token)).await;
                    let Some(fresh) = fresh.ok().filter(|fresh| *fresh != token && !again) else {
                        return ending;
                    };
                    token.clone_from(&fresh);
                    ending.tokens.push(fresh);
                    ending.renewed = Some(true);
                    if upload {
                        return ending;
                    }
                    ending.renewed = None;
                }
                Judged::Unknown(_) => match pauses.next() {
                    Some(pause) => self.platform.sleep(*pause).await,
                    None => return ending,
                },
                _ => return ending,
            }
            ending.retried += 1;
        }
    }

    async fn once(&self, token: &str) -> (Option<Opened<P::Body>>, Judged) {
        let url =
            format!("{}{}?{}", self.app.config.wechat_api, self.path, with_token(&self.request.query, token));
        let upload = self.request.upload.clone();
        let headers = self.request.header("content-type").map(|kind| ("content-type", kind.to_owned()));
        let headers = headers.filter(|_| self.method == "POST").into_iter().collect();
        let long = upload.is_some() || matches!(self.rule.scope, Scope::Media | Scope::Read);
        let timeout = if long { LONG_TIMEOUT } else { TIMEOUT };
        let body = self.body.clone();
        match open(self.platform, Outbound { method: self.method, url, headers, body, upload, timeout }).await
        {
            Ok(answer) => {
                let judged = judge(answer.status, &answer.first, answer.rest.is_none());
                (Some(answer), judged)
            }
            Err(reason) => (None, Judged::Unknown(ApiError::new(UNREADABLE, reason))),
        }
    }

    /// Notes what became of a call, and says it to the client.
    async fn finish(&self, ending: Ending<P::Body>, number: u64, ms: Millis, keyed: bool) -> Said {
        let Ending { answer, judged, retried, renewed, tokens } = ending;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let (outcome, error) = match &judged {
            Judged::Done => ("ok", None),
            Judged::Refused(error) => ("refused", Some(error)),
            Judged::Unknown(error) => ("unknown", Some(error)),
        };
        let errcode = error.map_or(Some(0), |error| Some(error.errcode)).filter(|code| *code != UNREADABLE);
        self.tell(outcome, errcode, error);
        let answer = answer.map(|answer| without(answer, &tokens));
        let keep = match (&judged, &answer) {
            (Judged::Unknown(_), _) | (_, None) => Keep::Unknown,
            (Judged::Refused(error), _) if passes(error.errcode) => Keep::Nothing,
            (_, Some(answer)) if answer.rest.is_none() && answer.first.len() <= KEPT => Keep::Answer(Kept {
                status: answer.status,
                content_type: answer.content_type.clone(),
                body: base64url(&answer.first),
            }),
            _ => Keep::Done,
        };
        let rid = error.and_then(ApiError::rid).map(str::to_owned);
        let keep = keyed.then_some(keep);
        let end = End { number, status, errcode, rid, ms, retried, outcome: outcome.to_owned(), keep };
        let noting = note(self.platform.clone(), self.app.config.app_id.clone(), end);
        if keyed {
            noting.await;
        } else {
            self.platform.spawn(noting);
        }
        let response = match (answer, &judged, renewed) {
            // An SDK fetches its token anew and comes again, this time with success.
            (_, _, Some(true)) if self.request.upload.is_some() => {
                refused(self.request, 42001, "access_token expired", outcome).0
            }
            // Its own token is fine, and another one would not help: it must not fetch one again and again.
            (_, _, Some(_)) => {
                refused(self.request, -1, "system error: WeChat refuses the account's access token", outcome)
                    .0
            }
            (Some(answer), Judged::Done | Judged::Refused(_), None) => passage(answer),
            _ => unknown(self.request, errcode.unwrap_or(-1), self.rule.repeatable),
        };
        Said(response, outcome)
    }

    fn tell(&self, outcome: &str, errcode: Option<i64>, error: Option<&ApiError>) {
        let code = errcode.map_or_else(|| "none".to_owned(), |code| code.to_string());
        metrics::count(self.platform, self.app, "wxapi_api_calls_total", &[("errcode", &code)]);
        if let Some(error) = error {
            let line =
                Line::warn("proxy.wechat", format_args!("{} {outcome} {code} {}", self.path, rid_of(error)));
            self.platform.log(&line);
        }
    }
}

/// WeChat's name of the request, or, where there was no answer, why: words of the runtime's.
fn rid_of(error: &ApiError) -> &str {
    if error.errcode == UNREADABLE { &error.errmsg } else { error.rid().unwrap_or_default() }
}

async fn note<P: Platform>(platform: P, name: String, end: End) {
    let noted: Result<Value, _> = call_object(&platform, Object::Account, &name, &Call::End(end)).await;
    if let Err(Unreachable(reason)) = noted {
        platform.log(&Line::warn("proxy.not_noted", reason));
    }
}

/// The answer without the account's tokens, should WeChat or a relay repeat one.
fn without<B>(mut answer: Opened<B>, tokens: &[String]) -> Opened<B> {
    for token in tokens {
        answer.first = replaced(&answer.first, token.as_bytes(), b"***");
    }
    answer
}
