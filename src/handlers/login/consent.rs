//! The last question, on the phone: log in to this website, on that computer?

use super::call_login;
use super::frame::{frame, lang};
use super::handle;
use super::headers;
use super::phone::{Ending, refused, show, window};
use crate::digest::mac;
use crate::error::Error;
use crate::handlers::App;
use crate::log::Line;
use crate::login::Digest;
use crate::login::client::{self, Client};
use crate::login::id::is_login_id;
use crate::login::method::Method;
use crate::login::origin;
use crate::login::page::{self, ConfirmPage, PhoneResult};
use crate::login::params::Params;
use crate::login::session::{Call, Confirmer, Consent, Fault, Reply, Status};
use crate::platform::{Millis, Platform, Request, Response};
use crate::wechat::Secret;

/// China's time, which WeChat uses everywhere: eight hours ahead of UTC, all year round, minutes.
const BEIJING: Millis = 8 * 60;

/// What the form of the page says.
struct Form {
    csrf: String,
    no: bool,
    yes: bool,
    number: Option<u8>,
}

impl Form {
    /// The fields: `csrf`, `answer` (`yes` or `no`) and `number`, which is a yes by itself.
    fn read(body: &[u8]) -> Self {
        let params = Params::parse(body);
        let field = |name| params.get(name).map(str::trim).unwrap_or_default();
        let answer = field("answer");
        let number = field("number").parse().ok();
        let csrf = field("csrf").to_owned();
        Self { csrf, no: answer == "no", yes: answer == "yes" || number.is_some(), number }
    }
}

/// `GET /oauth/confirm/<login>`: the question; or what became of it.
pub async fn ask<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
) -> Result<Response, Error> {
    if !is_login_id(login) {
        return Err(Error::NotFound);
    }
    let Some(phone) = handle::phone(request) else {
        return Ok(refused(request, platform, app, Method::Qr, Fault::NotYours));
    };
    let asked = call_login(platform, login, &Call::Consent { phone: phone.clone() }).await?;
    respond(request, platform, app, login, &phone, asked).await
}

/// `POST /oauth/confirm/<login>`: the answer.
///
/// 1. only from our page, with the cookie, and with what only that page knew
/// 2. no ends the attempt
/// 3. a yes without the number that is needed is asked again; a wrong number ends the attempt
/// 4. say where to look now; where phone and browser are the same, go there
pub async fn answer<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
) -> Result<Response, Error> {
    if !is_login_id(login) {
        return Err(Error::NotFound);
    }
    let form = Form::read(&request.body);
    let Some(phone) = handle::phone(request) else {
        return Ok(refused(request, platform, app, Method::Qr, Fault::NotYours));
    };
    if !headers::is_ours(request) || !Secret::new(csrf(&phone, login)).matches(&form.csrf) {
        platform.log(&Line::warn("login.refused", "the answer was not given on our page"));
        return Ok(show(request, app, Ending::new(403, PhoneResult::NotYours)));
    }
    let by = Confirmer::Phone(phone.clone());
    if form.no {
        let denied = call_login(platform, login, &Call::Deny { by }).await?;
        return Ok(match denied {
            Ok(_) => show(request, app, Ending::new(200, PhoneResult::Denied)),
            Err(fault) => refused(request, platform, app, Method::Qr, fault),
        });
    }
    let asked = call_login(platform, login, &Call::Consent { phone: phone.clone() }).await?;
    let Ok(Reply::Consent { consent, .. }) = &asked else {
        return respond(request, platform, app, login, &phone, asked).await;
    };
    let complete = form.yes && (form.number.is_some() || consent.choices.is_none());
    if consent.status != Status::Scanned || !complete {
        return respond(request, platform, app, login, &phone, asked).await;
    }
    // Where no number is needed, none can be wrong.
    let number = form.number.filter(|_| consent.choices.is_some());
    match call_login(platform, login, &Call::Confirm { by, number }).await? {
        Ok(_) => finished(request, platform, app, login, consent).await,
        Err(fault) => Ok(refused(request, platform, app, consent.by, fault)),
    }
}

/// The page for what the attempt says.
async fn respond<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    phone: &Digest,
    asked: Result<Reply, Fault>,
) -> Result<Response, Error> {
    let (consent, site, began) = match asked {
        Ok(Reply::Consent { consent, site, began }) => (consent, site, began),
        Ok(_) => return Ok(refused(request, platform, app, Method::Qr, Fault::NotNow)),
        Err(fault) => return Ok(refused(request, platform, app, Method::Qr, fault)),
    };
    let Some(client) = client_of(app, &consent) else {
        return Ok(refused(request, platform, app, consent.by, Fault::Gone));
    };
    match consent.status {
        Status::Scanned => {}
        Status::Number | Status::Confirmed | Status::Done => {
            return finished(request, platform, app, login, &consent).await;
        }
        Status::Denied => {
            let ending = Ending::new(200, PhoneResult::Denied).by(consent.by).at(&client.name);
            return Ok(show(request, app, ending));
        }
        Status::Pending | Status::Expired => {
            return Ok(show(request, app, Ending::fault(Fault::Gone).by(consent.by).at(&client.name)));
        }
    }
    let site = site.as_deref().or(client.origins.first().map(String::as_str)).unwrap_or_default();
    let html = page::confirm(&ConfirmPage {
        frame: frame(request, app, lang(request, app)),
        client,
        site_host: origin::host(site),
        consent: &consent,
        login,
        csrf: &csrf(phone, login),
        when: &clock(began),
        type_number: consent.choices.is_some() && is_elsewhere(request, &consent),
    });
    Ok(headers::page(request, 200, html, window(request, Some(consent.by)), &[]))
}

/// It is confirmed. The browser that began goes back to its page, which takes the result; a phone has done its part.
async fn finished<P: Platform>(
    request: &Request,
    platform: &P,
    app: &App,
    login: &str,
    consent: &Consent,
) -> Result<Response, Error> {
    if let Some(browser) = handle::browser(request)
        && call_login(platform, login, &Call::Status { browser }).await?.is_ok()
    {
        let next = Response::see_other(format!("/oauth/s/{login}"));
        return Ok(headers::private(request, next));
    }
    let ending = Ending::new(200, PhoneResult::Done).by(consent.by);
    Ok(match client_of(app, consent) {
        Some(client) => show(request, app, ending.at(&client.name)),
        None => show(request, app, ending),
    })
}

fn client_of<'a>(app: &'a App, consent: &Consent) -> Option<&'a Client> {
    client::by_id(&app.config.login.clients, &consent.client)
}

/// What only the page knew that this phone was shown for this attempt. Nothing is stored for it.
fn csrf(phone: &Digest, login: &str) -> String {
    mac(phone.as_str(), "login/confirm", login)
}

/// Whether phone and browser are known to be in different countries. Then nobody may just tap on: whoever was sent a
/// picture of the QR code does not see the number.
fn is_elsewhere(request: &Request, consent: &Consent) -> bool {
    let (phone, browser) = (&request.peer.country, &consent.place.country);
    !phone.is_empty() && !browser.is_empty() && phone != browser
}

/// `16:20` in China.
fn clock(time: Millis) -> String {
    let minutes = time / 60_000 + BEIJING;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}
