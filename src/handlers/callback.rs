//! `/wechat`: WeChat's own calls.

use super::admin::{mass, people};
use super::{App, login, metrics, rules};
use crate::chat::count::kind;
use crate::chat::intent::{addressee, forgets};
use crate::error::Error;
use crate::platform::{Delivery, Millis, Platform, Request, Response, Verdict};
use crate::wechat::callback::{self, Envelope, Keys, Query, SUCCESS};
use crate::wechat::event::Event;
use crate::wechat::message::Message;

/// WeChat hangs up after 5 s. A delivery that shall run out is held open this long, counted from its arrival.
const HOLD: Millis = 10_000;
/// A message that logs somebody in is at most this old, or this far in the future, seconds.
const LOGIN_FRESH_FOR: u64 = 300;

/// `GET /wechat`: the console's check of URL and Token. Answers the raw `echostr`, as often as asked.
/// <https://developers.weixin.qq.com/doc/service/guide/dev/push/>
pub fn verify(request: &Request, app: &App) -> Result<Response, Error> {
    echo(request, keys(app)?)
}

/// The same, with these keys.
pub(super) fn echo(request: &Request, keys: &Keys) -> Result<Response, Error> {
    let echo = callback::verify_url(&Query::parse(&request.query), keys)?;
    // The signature does not cover it, so a browser must not take it for anything but text.
    Ok(Response::text(200, echo).with("x-content-type-options", "nosniff"))
}

/// `POST /wechat`: a message or an event.
///
/// 1. verify, decrypt, parse
/// 2. what the account's records are about reaches them before it is acknowledged
/// 3. let the user's own object decide
/// 4. encrypt and sign the reply, or let the delivery run out
pub async fn receive<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    let arrived = platform.now();
    let keys = keys(app)?;
    let query = Query::parse(&request.query);
    let opened = callback::open(&query, &request.body, keys, arrived / 1_000)?;

    if app.config.account.is_some() {
        if let Message::Event(Event::MassSendJobFinish(event)) = &opened.inbound.message {
            mass::result::heard(platform, app, event).await?;
        }
        if forgets(&opened.inbound, &app.config.rules.texts) {
            people::forget(platform, app, &opened.inbound).await?;
        }
    }
    let login = || login::chat::addressee(&app.config, &opened.inbound);
    let user = match addressee(&opened.inbound).or_else(login) {
        None => rules::addressee(&opened.inbound, platform, app).await,
        user => user,
    };
    let Some(user) = user else {
        let labels = [("type", kind(&opened.inbound.message)), ("outcome", "acknowledged")];
        metrics::count(platform, app, "wxapi_messages_total", &labels);
        return Ok(Response::text(200, SUCCESS));
    };
    let name = format!("{}:{}", app.config.app_id, user.as_str());
    let may_log_in = may_log_in(app, &opened.envelope, &query, arrived);
    let delivery = Delivery { arrived, document: opened.xml, may_log_in };
    let verdict = platform.deliver(&name, &delivery).await?;

    match verdict {
        Verdict::Reply(reply) => {
            let sealed = callback::seal(
                &reply,
                &opened.envelope,
                keys,
                &query.nonce,
                platform.now() / 1_000,
                platform.random(),
            );
            Ok(xml(sealed))
        }
        Verdict::RunOut => {
            platform.sleep((arrived + HOLD).saturating_sub(platform.now())).await;
            Ok(Response::text(503, "still thinking"))
        }
    }
}

/// Whether the sender is beyond doubt. In plain mode the signature does not cover the message, so whoever saw one
/// could write any other.
fn may_log_in(app: &App, envelope: &Envelope, query: &Query<'_>, arrived: Millis) -> bool {
    let covered = matches!(envelope, Envelope::Encrypted { .. }) || app.config.login.plain_mode;
    let timestamp = query.timestamp.parse::<u64>();
    covered && timestamp.is_ok_and(|timestamp| timestamp.abs_diff(arrived / 1_000) <= LOGIN_FRESH_FOR)
}

fn keys(app: &App) -> Result<&Keys, Error> {
    app.config.keys.as_ref().ok_or(Error::NotConfigured("the callback's keys"))
}

fn xml(body: String) -> Response {
    Response::new(200, "application/xml; charset=utf-8", body)
}
