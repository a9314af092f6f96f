//! What an attempt must get from others before it can begin, and before a method can be shown.

use std::pin::pin;

use futures_util::future::{Either, select};

use crate::digest::mac;
use crate::gateway::send::SendError;
use crate::handlers::call_object;
use crate::handlers::{App, call_wechat};
use crate::log::Line;
use crate::login::code::{self, Call, DIGITS, MORE_DIGITS, Reply, TYPED_LIFETIME};
use crate::login::id;
use crate::login::session::Session;
use crate::login::subject::Who;
use crate::login::throttle::{Ask, WINDOW};
use crate::login::words::SCENE_PREFIX;
use crate::platform::{Limiter, Millis, Object, Peer, Platform, Unreachable};
use crate::wechat::api::UNREADABLE;
use crate::wechat::api::qrcode::{self, QrCode};

/// So many codes are drawn before it is given up. With the fullest objects that are let be, one draw in a hundred is
/// taken.
const DRAWS: usize = 8;
/// Whoever opened the page waits this long for WeChat to make a code; then another method is shown.
const SCENE_PATIENCE: Millis = 5_000;
/// An account without the right to make codes (48001) is not tried again for this long …
const NO_RIGHT: Millis = 24 * 3_600_000;
/// … and after any other failure for this long.
const PAUSE: Millis = 5 * 60_000;

/// Whether this peer may begin one more attempt (`LOGIN_RATE_LIMIT` in ten minutes). A flood ends at the
/// limiter, before it costs a call of an object.
pub async fn admit<P: Platform>(platform: &P, app: &App, peer: &Peer) -> Result<bool, Unreachable> {
    let name = throttle_name(app, peer);
    if !platform.within_limit(Limiter::Login, &name).await {
        return Ok(false);
    }
    let ask = Ask { most: app.config.login.rate_limit, window: WINDOW };
    call_object(platform, Object::Throttle, &name, &ask).await
}

/// The name of the object that counts for this peer. It does not show the address, nor can it be found by trying all
/// addresses, unless no secret is configured.
fn throttle_name(app: &App, peer: &Peer) -> String {
    let config = &app.config;
    let keys = config.keys.as_ref().map(|keys| &keys.token);
    let secret = config.login.subject_secret.as_ref().or(keys).map_or("", |secret| secret.expose());
    mac(secret, "login/throttle", &peer.network())
}

/// Digits that no other attempt has now, for `span` from now on; `None` if there are none to be had.
pub async fn reserve_code<P: Platform>(
    platform: &P,
    login: &str,
    span: Millis,
) -> Result<Option<String>, Unreachable> {
    let mut length = DIGITS;
    for _ in 0..DRAWS {
        let Some(code) = code::digits(platform.random(), length) else { continue };
        let call = Call::Reserve { code: code.clone(), login: login.to_owned(), span };
        match ask(platform, &code, &call).await? {
            Reply::Done => return Ok(Some(code)),
            Reply::Longer => length = MORE_DIGITS,
            _ => {}
        }
    }
    platform.log(&Line::error("login.no_code", "too many people are logging in at once"));
    Ok(None)
}

/// The attempt that these digits stand for.
pub async fn find_code<P: Platform>(platform: &P, code: &str) -> Result<Option<String>, Unreachable> {
    match ask(platform, code, &Call::Find { code: code.to_owned() }).await? {
        Reply::Login(login) => Ok(Some(login)),
        _ => Ok(None),
    }
}

/// Letters that stand for `who`, for [`TYPED_LIFETIME`]; `None` if there are none to be had.
pub async fn give_code<P: Platform>(platform: &P, who: &Who) -> Result<Option<String>, Unreachable> {
    for _ in 0..DRAWS {
        let Some(code) = code::letters(platform.random()) else { continue };
        let call = Call::Give { code: code.clone(), who: who.clone(), span: TYPED_LIFETIME };
        if ask(platform, &code, &call).await? == Reply::Done {
            return Ok(Some(code));
        }
    }
    platform.log(&Line::error("login.no_code", "too many people are logging in at once"));
    Ok(None)
}

/// Whom the letters that somebody typed stand for; from now on they stand for nobody.
pub async fn take_code<P: Platform>(platform: &P, text: &str) -> Result<Option<Who>, Unreachable> {
    let Some(code) = code::typed(text) else { return Ok(None) };
    match ask(platform, &code, &Call::Take { code: code.clone() }).await? {
        Reply::Person(who) => Ok(Some(who)),
        _ => Ok(None),
    }
}

async fn ask<P: Platform>(platform: &P, code: &str, call: &Call) -> Result<Reply, Unreachable> {
    call_object(platform, Object::Code, &code::shard(code), call).await
}

/// A parametric QR code for this attempt: its token, and what is in the picture. `None` if the account cannot have
/// one now; the log says why.
///
/// After a failure nobody here asks WeChat for a while, so that not every page waits for the same refusal. Each isolate
/// finds that out for itself: an object that knew it for all would cost a call for every page.
pub async fn make_scene<P: Platform>(platform: &P, app: &App, session: &Session) -> Option<(String, String)> {
    if platform.now() < app.no_scenes_until.get() {
        return None;
    }
    let token = id::token(platform.random());
    let scene = format!("{SCENE_PREFIX}{}{token}", session.id);
    let seconds = session.ends.saturating_sub(platform.now()).div_ceil(1_000);
    match create(platform, app, &scene, seconds).await {
        Ok(code) => Some((token, code.url)),
        Err(error) => {
            let pause = match &error {
                SendError::Refused(error) if error.errcode == 48001 => NO_RIGHT,
                _ => PAUSE,
            };
            let reason = format_args!("no parametric QR code for {} min: {error}", pause / 60_000);
            platform.log(&Line::error("login.no_scene", reason));
            app.no_scenes_until.set(platform.now() + pause);
            None
        }
    }
}

async fn create<P: Platform>(
    platform: &P,
    app: &App,
    scene: &str,
    seconds: u64,
) -> Result<QrCode, SendError> {
    let request = qrcode::create_temporary(scene, seconds);
    let sending = pin!(call_wechat(platform, app, &request));
    let answer = match select(sending, pin!(platform.sleep(SCENE_PATIENCE))).await {
        Either::Left((answer, _)) => answer?,
        Either::Right(_) => return Err(SendError::Unknown("it took too long".to_owned())),
    };
    qrcode::parse(std::str::from_utf8(&answer.body).unwrap_or_default()).map_err(|error| {
        match error.errcode {
            UNREADABLE => SendError::Unknown(error.into_words()),
            _ => SendError::Refused(error),
        }
    })
}
