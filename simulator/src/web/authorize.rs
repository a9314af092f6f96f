//! `/connect/oauth2/authorize`: web OAuth inside WeChat.
//!
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth>

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::response::Response;

use super::grants::{App, Consent, Scope};
use super::page::{Question, notice};
use super::visit::Visit;
use super::wrong::Wrong;
use super::{browser, redirect};
use crate::account::Account;
use crate::ids;
use crate::lang::Lang;
use crate::platform::account_type::{AccountType, Right};
use crate::query;
use crate::state::{Sim, State};

/// WeChat compares the link with a pattern: these come first, in this order.
const ORDER: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];
/// Bytes of `state`.
const STATE_LIMIT: usize = 128;

/// What a link asks for.
#[derive(Debug)]
struct Ask {
    redirect_uri: String,
    scope: Scope,
    state: String,
    snapshot: bool,
}

impl Ask {
    fn read(visit: &Visit, account: &Account, state: &State) -> Result<Self, Wrong> {
        let appid = visit.parameter("appid").ok_or(Wrong::NoAppId)?;
        let redirect_uri = visit.parameter("redirect_uri").ok_or(Wrong::NoRedirect)?;
        let scope = visit.parameter("scope").ok_or(Wrong::NoScope)?;
        let returned = query::get(&visit.query, "state").unwrap_or_default();
        let code = visit.parameter("response_type") == Some("code");
        if !code || !is_in_order(&visit.query) || returned.len() > STATE_LIMIT {
            return Err(Wrong::Form);
        }
        if account.open_app.as_ref().is_some_and(|open| open.app_id == appid) {
            return Err(Wrong::WebsiteAppId);
        }
        if appid != account.app_id {
            return Err(Wrong::AppId);
        }
        let scope = match scope {
            "snsapi_base" => Scope::Base,
            "snsapi_userinfo" => Scope::UserInfo,
            _ => return Err(Wrong::NoPermission),
        };
        if !state.account_type.has(Right::Oauth) {
            return Err(Wrong::NoPermission);
        }
        if !redirect::is_allowed(redirect_uri, &state.web.settings.domains) {
            return Err(Wrong::Domain);
        }
        let says = |name| visit.parameter(name) == Some("true");
        let forced = says("forceSnapShot") || state.web.settings.snapshot && !says("forcePopup");
        let snapshot = forced && scope == Scope::UserInfo;
        Ok(Self { redirect_uri: redirect_uri.to_owned(), scope, state: returned.to_owned(), snapshot })
    }

    /// Whether the person is asked first.
    fn asks(&self, visit: &Visit) -> bool {
        !self.snapshot && (self.scope == Scope::UserInfo || visit.known.is_none())
    }
}

/// The named ones first and once, `state` if it is there; what follows, WeChat does not look at.
fn is_in_order(query: &[(String, String)]) -> bool {
    let names: Vec<&str> = query.iter().map(|pair| pair.0.as_str()).collect();
    let named = names.iter().filter(|name| ORDER.contains(name)).count();
    (ORDER.len() - 1..=ORDER.len()).contains(&named)
        && names.iter().zip(ORDER).take(named).all(|(name, wanted)| *name == wanted)
}

/// `GET`: goes on silently, or asks.
pub async fn show(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let ask = {
        let state = sim.lock();
        match Ask::read(&visit, &sim.account, &state) {
            Err(wrong) => return wrong.show(visit.lang),
            Ok(ask) if ask.asks(&visit) => return question(&visit, &sim.account, &state, &ask, false),
            Ok(ask) => ask,
        }
    };
    go_on(&sim, &visit, &ask, visit.known.clone()).await
}

/// `POST`: the answer to the question.
pub async fn answer(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let (ask, openid) = {
        let mut state = sim.lock();
        let ask = match Ask::read(&visit, &sim.account, &state) {
            Err(wrong) => return wrong.show(visit.lang),
            Ok(ask) => ask,
        };
        if !visit.allows() {
            return refused(visit.lang);
        }
        match visit.picked(&mut state, &sim.account.app_id) {
            Some(openid) => (ask, openid),
            None => return question(&visit, &sim.account, &state, &ask, true),
        }
    };
    go_on(&sim, &visit, &ask, Some(openid)).await
}

fn question(visit: &Visit, account: &Account, state: &State, ask: &Ask, again: bool) -> Response {
    let lang = visit.lang;
    let silent = ask.scope == Scope::Base;
    let (title, text) = if silent {
        let text = lang.pick("在微信里，这一步没有页面。", "Inside WeChat, nobody sees this step.");
        (lang.pick("谁打开了这个页面？", "Who opened this page?"), text)
    } else {
        let text = lang.pick("你的昵称和头像", "Your nickname and picture");
        (lang.pick("申请获取你的信息", "This account asks for your information"), text)
    };
    let yes = if silent { lang.pick("继续", "Continue") } else { lang.pick("允许", "Allow") };
    let no = (!silent).then(|| lang.pick("拒绝", "Refuse"));
    let question = Question { app_id: &account.app_id, title, text, above: None, buttons: (yes, no), again };
    question.show(visit, state)
}

/// WeChat closes the page: the app never learns of it.
fn refused(lang: Lang) -> Response {
    let title = lang.pick("你拒绝了", "You refused");
    let text = lang.pick(
        "微信会在这里关掉页面，网站不会收到通知。",
        "WeChat closes the page here, and the site hears nothing.",
    );
    notice(lang, "×", title, text, "")
}

/// Back to the app with a code. `person` is absent for the virtual user of a snapshot only.
async fn go_on(sim: &Arc<Sim>, visit: &Visit, ask: &Ask, person: Option<String>) -> Response {
    let url = {
        let mut state = sim.lock();
        let follows = |openid: &String| state.people.get(openid).is_some_and(|found| found.fan.following);
        if state.account_type == AccountType::Test && !person.as_ref().is_some_and(follows) {
            return Wrong::MustFollow.show(visit.lang);
        }
        let consent = consent(sim, ask, person);
        let code = state.web.grants.code(consent, sim.clock.now_ms());
        redirect::with(&ask.redirect_uri, &[("code", &code), ("state", &ask.state)])
    };
    if sim.lock().web.settings.duplicate_callback {
        browser::prefetch(sim, visit.known.as_deref(), &url).await;
    }
    redirect::to(&url)
}

fn consent(sim: &Sim, ask: &Ask, person: Option<String>) -> Consent {
    let app_id = &sim.account.app_id;
    let (openid, person) = match person {
        Some(openid) if !ask.snapshot => (openid.clone(), Some(openid)),
        looker => (ids::openid(app_id, &format!("snapshot {}", looker.unwrap_or_default())), None),
    };
    Consent { app: App::Account, scope: ask.scope, openid, person }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_parameters_is_wechats() {
        for (query, right) in [
            ("appid=a&redirect_uri=b&response_type=c&scope=d&state=e", true),
            ("appid=a&redirect_uri=b&response_type=c&scope=d", true),
            ("appid=a&redirect_uri=b&response_type=c&scope=d&state=e&forcePopup=true", true),
            ("appid=a&redirect_uri=b&response_type=c&scope=d&connect_redirect=1", true),
            ("redirect_uri=b&appid=a&response_type=c&scope=d&state=e", false),
            ("appid=a&redirect_uri=b&response_type=c&state=e&scope=d", false),
            ("x=1&appid=a&redirect_uri=b&response_type=c&scope=d", false),
            ("appid=a&redirect_uri=b&response_type=c&scope=d&x=1&state=e", false),
            ("appid=a&redirect_uri=b&response_type=c&scope=d&state=e&state=f", false),
            ("appid=a&redirect_uri=b&scope=d&state=e", false),
        ] {
            assert_eq!(is_in_order(&query::parse(query)), right, "{query}");
        }
    }
}
