//! `/wechat/mini`: what people write to the customer service of the Mini Program, as WeChat pushes it. Nobody is answered
//! in the response: WeChat takes no words there, so answers go out as customer-service messages.
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html>

use super::call::{Call, Said};
use crate::chat::count::kind;
use crate::chat::intent;
use crate::config::mini::Mini;
use crate::error::Error;
use crate::handlers::{App, call_object, callback, metrics};
use crate::login::mini as session;
use crate::platform::{Object, Platform, Request, Response};
use crate::wechat::OpenId;
use crate::wechat::callback::{Keys, Query, SUCCESS, open};
use crate::wechat::event::Event;
use crate::wechat::message::{Inbound, Message};

/// `GET /wechat/mini`: the console's check of URL and Token.
pub fn verify(request: &Request, app: &App) -> Result<Response, Error> {
    callback::echo(request, settings(app)?.1)
}

/// `POST /wechat/mini`: a message or an event.
///
/// 1. verify, decrypt, parse
/// 2. the user's own object stores it; should that fail, WeChat delivers it again
/// 3. `success`
pub async fn receive<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    let (mini, keys) = settings(app)?;
    let opened = open(&Query::parse(&request.query), &request.body, keys, platform.now() / 1_000)?;
    match addressee(&opened.inbound) {
        Some(person) => {
            let user = session::user_name(&mini.app_id, person);
            let call = Call::Window { document: opened.xml };
            call_object::<_, _, Said>(platform, Object::MiniUser, &user, &call).await?;
        }
        None => {
            let labels = [("type", kind(&opened.inbound.message)), ("outcome", "acknowledged")];
            metrics::count(platform, app, "wxapi_messages_total", &labels);
        }
    }
    Ok(Response::text(200, SUCCESS))
}

fn settings(app: &App) -> Result<(&Mini, &Keys), Error> {
    let mini = app.config.mini.as_ref();
    mini.and_then(|mini| Some((mini, mini.keys.as_ref()?)))
        .ok_or(Error::NotConfigured("the Mini Program's message push"))
}

/// The user whose chat a message concerns; `None` if it concerns none and `success` is all there is to say. What WeChat
/// adds without notice is somebody's message if it has a number.
pub fn addressee(inbound: &Inbound) -> Option<&OpenId> {
    match &inbound.message {
        Message::Event(Event::UserEnterTempSession { .. }) => Some(&inbound.from),
        Message::Unknown { msg_type } => {
            (inbound.id.is_some() && !msg_type.is_empty()).then_some(&inbound.from)
        }
        Message::Event(event) if !is_about_data(event) => None,
        _ => intent::addressee(inbound),
    }
    .filter(|person| !person.as_str().is_empty())
}

fn is_about_data(event: &Event) -> bool {
    matches!(event, Event::UserAuthorizationRevoke(_) | Event::UserAuthorizationCancellation(_))
}
