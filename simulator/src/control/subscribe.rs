//! What a person lets the account send: consents to notifications, and whether template messages arrive. Also the
//! templates of a test's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::send::{self, SendRequest};
use super::{Refused, done, json_response, mini, read};
use crate::ids;
use crate::platform::api::{App, with};
use crate::platform::subscribe::book;
use crate::platform::template::{Receipt, Template, new_id};
use crate::push::message::Event;
use crate::state::Sim;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeOrder {
    #[serde(rename = "as")]
    person: String,
    template_id: String,
    accept: bool,
    /// Of a one-time subscription by a page of the Official Account.
    scene: Option<u64>,
    /// Whether they do it in WeChat's settings.
    #[serde(default)]
    settings: bool,
}

/// `POST /_sim/subscribe`: the person answers a pop-up, or changes their mind in WeChat's settings; the account is told
/// by an event. With a `scene`, they answer the page of a one-time subscription, and the answer is what its address
/// gets.
pub async fn subscribe(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: SubscribeOrder = read(&body)?;
    if let Some(scene) = order.scene {
        return Ok(one_time(&sim, &order, scene));
    }
    let owner = sim.lock().subscriptions.owner(&order.template_id);
    let owner = owner.ok_or_else(|| Refused::bad("no app has a template with this template_id"))?;
    let openid = openid(&sim, &order.person, owner)?;
    {
        let mut state = sim.lock();
        let book = state.subscriptions.of(owner);
        match (order.accept, order.settings) {
            (true, _) => book.accept(&openid, &order.template_id),
            // Whoever closes a pop-up keeps what they agreed to before.
            (false, false) => {}
            (false, true) => book.withdraw(&openid, &order.template_id),
        }
    }
    let report = match send::send(&sim, event(&order, owner)).await {
        Ok(report) => Some(report),
        // Whoever does not listen is not told.
        Err(_) if sim.options.target.is_none() || sim.app(owner).is_none() => None,
        Err(refused) => return Err(refused),
    };
    Ok(json_response(&json!({ "openid": openid, "report": report })))
}

fn one_time(sim: &Sim, order: &SubscribeOrder, scene: u64) -> Response {
    let openid = ids::openid(&sim.account.app_id, &order.person);
    let mut state = sim.lock();
    state.people.meet(&openid, &order.person);
    if order.accept {
        state.subscriptions.of(App::Official).accept_scene(&openid, &order.template_id, scene);
    }
    let action = if order.accept { "confirm" } else { "cancel" };
    json_response(&json!({
        "openid": openid, "template_id": order.template_id, "action": action, "scene": scene
    }))
}

fn openid(sim: &Sim, person: &str, owner: App) -> Result<String, Refused> {
    match owner {
        App::Mini => mini::enter(sim, person),
        App::Official => {
            let openid = ids::openid(&sim.account.app_id, person);
            sim.lock().people.meet(&openid, person);
            Ok(openid)
        }
    }
}

fn event(order: &SubscribeOrder, owner: App) -> SendRequest {
    let status = if order.accept { "accept" } else { "reject" };
    let item = json!({ "TemplateId": order.template_id, "SubscribeStatusString": status });
    let (kind, wrapper, item) = if order.settings {
        ("subscribe_msg_change_event", "SubscribeMsgChangeEvent", item)
    } else {
        ("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", with(item, "PopupScene", 0))
    };
    let fields = BTreeMap::from([(wrapper.to_owned(), json!({ "List": item }))]);
    SendRequest {
        person: Some(order.person.clone()),
        mini: owner == App::Mini,
        event: Some(Event { kind: kind.to_owned(), key: None, fields }),
        ..SendRequest::default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptOrder {
    #[serde(rename = "as")]
    person: String,
    receipt: Receipt,
}

/// `POST /_sim/receipt`: how template messages to a person end from now on.
pub async fn receipt(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let order: ReceiptOrder = read(&body)?;
    let openid = ids::openid(&sim.account.app_id, &order.person);
    sim.lock().templates.set_receipt(openid, order.receipt);
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateOrder {
    kind: Kind,
    template_id: Option<String>,
    title: String,
    content: String,
    #[serde(default)]
    long_term: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Template,
    Subscribe,
    MiniSubscribe,
}

/// `POST /_sim/template`: a template with a content, and an id, of the caller's own, as the real account has it.
pub async fn template(State(sim): State<Arc<Sim>>, body: Bytes) -> Result<Response, Refused> {
    let TemplateOrder { kind, template_id, title, content, long_term } = read(&body)?;
    let id = template_id.filter(|id| !id.is_empty()).unwrap_or_else(new_id);
    let mut state = sim.lock();
    let put = match kind {
        Kind::Template => state.templates.put(Template::own(id.clone(), title, content)).map(drop),
        Kind::Subscribe | Kind::MiniSubscribe => {
            let app = if kind == Kind::Subscribe { App::Official } else { App::Mini };
            let template =
                book::Template { id: id.clone(), title, content, long_term, ..book::Template::default() };
            state.subscriptions.of(app).put(template)
        }
    };
    put.map_err(|error| Refused::bad(format!("there are too many templates: errcode {}", error.0)))?;
    Ok(json_response(&Value::from_iter([("template_id", id)])))
}
