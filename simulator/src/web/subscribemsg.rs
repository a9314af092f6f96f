//! `/mp/subscribemsg`: the person allows one message, which `/cgi-bin/message/template/subscribe` sends.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html>

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::response::Response;

use super::page::Question;
use super::redirect;
use super::visit::Visit;
use super::wrong::Wrong;
use crate::account::Account;
use crate::platform::account_type::Right;
use crate::platform::api::App;
use crate::query;
use crate::state::{Sim, State};

/// The highest `scene`.
const HIGHEST_SCENE: u32 = 10_000;
/// Bytes of `reserved`.
const RESERVED_LIMIT: usize = 128;

/// What a link asks for.
#[derive(Debug)]
struct Ask {
    scene: u32,
    template_id: String,
    redirect_url: String,
    reserved: Option<String>,
}

impl Ask {
    fn read(visit: &Visit, account: &Account, state: &State) -> Result<Self, Wrong> {
        let wanted = |name| visit.parameter(name).ok_or(Wrong::Parameter(name));
        if wanted("action")? != "get_confirm" {
            return Err(Wrong::Parameter("action"));
        }
        if wanted("appid")? != account.app_id {
            return Err(Wrong::AppId);
        }
        let scene = wanted("scene")?.parse().ok().filter(|scene| *scene <= HIGHEST_SCENE);
        let scene = scene.ok_or(Wrong::Parameter("scene"))?;
        let template_id = wanted("template_id")?.to_owned();
        let redirect_url = wanted("redirect_url")?.to_owned();
        let reserved = query::get(&visit.query, "reserved").map(str::to_owned);
        if reserved.as_ref().is_some_and(|reserved| reserved.len() > RESERVED_LIMIT) {
            return Err(Wrong::Parameter("reserved"));
        }
        if !state.account_type.has(Right::Template) {
            return Err(Wrong::NoPermission);
        }
        if !redirect::is_allowed(&redirect_url, &state.web.settings.domains) {
            return Err(Wrong::Domain);
        }
        Ok(Self { scene, template_id, redirect_url, reserved })
    }

    /// Where the person goes; only who says yes is named.
    fn back(&self, openid: Option<&str>) -> String {
        let scene = self.scene.to_string();
        let mut added: Vec<(&str, &str)> = openid.map(|openid| ("openid", openid)).into_iter().collect();
        let action = if openid.is_some() { "confirm" } else { "cancel" };
        added.extend([("template_id", self.template_id.as_str()), ("action", action), ("scene", &scene)]);
        added.extend(self.reserved.as_deref().map(|reserved| ("reserved", reserved)));
        redirect::with(&self.redirect_url, &added)
    }
}

/// `GET`: asks.
pub async fn show(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let state = sim.lock();
    match Ask::read(&visit, &sim.account, &state) {
        Err(wrong) => wrong.show(visit.lang),
        Ok(_) => question(&visit, &sim.account, &state, false),
    }
}

/// `POST`: the answer.
pub async fn answer(Extract(sim): Extract<Arc<Sim>>, visit: Visit) -> Response {
    let mut state = sim.lock();
    let ask = match Ask::read(&visit, &sim.account, &state) {
        Err(wrong) => return wrong.show(visit.lang),
        Ok(ask) => ask,
    };
    if !visit.allows() {
        return redirect::to(&ask.back(None));
    }
    match visit.picked(&mut state, &sim.account.app_id) {
        None => question(&visit, &sim.account, &state, true),
        Some(openid) => {
            let url = ask.back(Some(&openid));
            let book = state.subscriptions.of(App::Official);
            book.accept_scene(&openid, &ask.template_id, ask.scene.into());
            redirect::to(&url)
        }
    }
}

fn question(visit: &Visit, account: &Account, state: &State, again: bool) -> Response {
    let lang = visit.lang;
    let title = lang.pick("允许发送一条消息？", "Allow one message?");
    let text =
        lang.pick("同意后，这个账号可以给你发一条消息。", "The account may then send you one message.");
    let buttons = (lang.pick("允许", "Allow"), Some(lang.pick("取消", "Cancel")));
    Question { app_id: &account.app_id, title, text, above: None, buttons, again }.show(visit, state)
}
