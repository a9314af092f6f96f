//! `GET /_sim/watch`: everything that a page shows, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::people::PersonView;
use super::verify::TargetCheck;
use crate::chat::Chat;
use crate::journal::Exchange;
use crate::mini_app::{Message, Panel};
use crate::network::Network;
use crate::people::Person;
use crate::phone::transcript::Line;
use crate::platform::api::App;
use crate::platform::menu::{Button, menu_for};
use crate::platform::qrcode::Code;
use crate::platform::{AccountType, Fault};
use crate::push::envelope::{Format, Mode};
use crate::state::{Sim, State as Everything};

/// Codes that are shown to be scanned; the others can be had at `/_sim/codes`.
const CODES: usize = 100;
/// Looking at everything holds up everybody else: after it, a watch rests so many times as long.
const REST: u32 = 4;
/// Lines in one message: a page keeps no more.
const LINES: usize = 5000;

/// One message: all that changed since the one before.
#[derive(Serialize)]
struct Update<'a> {
    reset: bool,
    now_ms: u64,
    view: Option<&'a View>,
    lines: Vec<&'a Line>,
    panels: Vec<&'a Panel>,
    messages: Vec<&'a Message>,
    exchanges: Vec<&'a Exchange>,
}

/// What is shown beside chats and requests; whole whenever any of it changes.
#[derive(PartialEq, Serialize)]
struct View {
    version: &'static str,
    base_url: String,
    target: Option<String>,
    target_check: Option<TargetCheck>,
    account: AccountView,
    mini: Option<MiniView>,
    mode: Mode,
    people: Vec<Shown>,
    network: Network,
    faults: Vec<Fault>,
    codes: Vec<Code>,
    advanced_ms: u64,
    recording: Option<Recording>,
}

#[derive(PartialEq, Serialize)]
struct Recording {
    steps: usize,
}

#[derive(PartialEq, Serialize)]
struct AccountView {
    #[serde(rename = "type")]
    account_type: AccountType,
    app_id: String,
    original_id: String,
    has_key: bool,
    has_secret: bool,
    /// Whether people have unionids.
    bound: bool,
}

#[derive(PartialEq, Serialize)]
struct MiniView {
    app_id: String,
    original_id: String,
    target: Option<String>,
    target_check: Option<TargetCheck>,
    has_token: bool,
    has_key: bool,
    mode: Mode,
    format: Format,
}

#[derive(PartialEq, Serialize)]
struct Shown {
    #[serde(flatten)]
    person: PersonView,
    menu: Option<Vec<Button>>,
}

/// What one page knows.
struct Watcher {
    sim: Arc<Sim>,
    changes: Receiver<()>,
    /// The last change that it was told of; absent before the first message.
    known: Option<u64>,
    epoch: u64,
    view: Option<View>,
    /// How long not to look, after looking took its time.
    rest: Duration,
}

/// `GET /_sim/watch`
pub async fn handle(State(sim): State<Arc<Sim>>) -> Response {
    let changes = sim.changes();
    let watcher = Watcher { sim, changes, known: None, epoch: 0, view: None, rest: Duration::ZERO };
    let updates = stream::unfold(watcher, |mut watcher| async move {
        let message = watcher.next().await?;
        Some((Ok::<_, Infallible>(message), watcher))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(updates)).into_response()
}

impl Watcher {
    /// The next message, when there is something to tell.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            tokio::time::sleep(std::mem::take(&mut self.rest)).await;
            self.changes.mark_unchanged();
            let begun = Instant::now();
            let message = self.news();
            self.rest = begun.elapsed() * REST;
            if message.is_some() {
                return message;
            }
            self.changes.changed().await.ok()?;
        }
    }

    fn news(&mut self) -> Option<Bytes> {
        let (now_ms, wall_ms) = (self.sim.clock.now_ms(), self.sim.clock.wall_ms());
        let state = self.sim.lock();
        let known = self.known.filter(|_| self.epoch == state.epoch);
        let (reset, known) = (known.is_none(), known.unwrap_or_default());
        let view = view(&self.sim, &state, now_ms);
        let changed = reset || self.view.as_ref() != Some(&view);
        let exchanges: Vec<_> = state.journal.since(known).collect();
        let mut lines: Vec<_> = chats(&state).flat_map(|chat| chat.transcript.since(known)).collect();
        lines.sort_by_key(|line| line.id);
        let old = lines.len().saturating_sub(LINES);
        lines.drain(..old);
        let (panels, messages) = state.panels.since(known);
        let nothing_else = lines.is_empty() && panels.is_empty() && messages.is_empty();
        if !changed && exchanges.is_empty() && nothing_else {
            return None;
        }
        let newest = chats(&state).map(|chat| chat.transcript.revision).max();
        let newest = newest.unwrap_or_default().max(state.panels.revision());
        self.known = Some(state.journal.revision.max(newest).max(known));
        self.epoch = state.epoch;
        let update = Update {
            reset,
            now_ms: wall_ms,
            view: changed.then_some(&view),
            lines,
            panels,
            messages,
            exchanges,
        };
        let message = serde_json::to_string(&update).ok()?;
        drop(state);
        self.view = Some(view);
        Some(Bytes::from(format!("data: {message}\n\n")))
    }
}

/// Everybody's chats with the account and with the Mini Program's customer service.
fn chats(state: &Everything) -> impl Iterator<Item = &Chat> {
    let windows = state.mini.users().map(|(_, user)| &user.window);
    state.people.iter().map(|(_, person)| &person.chat).chain(windows)
}

fn view(sim: &Sim, state: &Everything, now_ms: u64) -> View {
    let person = |person: &Person| Shown {
        person: PersonView::of(sim, state, person, now_ms),
        menu: menu_for(state, &person.openid).map(|menu| menu.button.clone()),
    };
    View {
        version: env!("CARGO_PKG_VERSION"),
        base_url: state.base_url.clone(),
        target: sim.options.target.as_ref().map(ToString::to_string),
        target_check: state.target_check.clone(),
        account: AccountView {
            account_type: state.account_type,
            app_id: sim.account.app_id.clone(),
            original_id: sim.account.original_id.clone(),
            has_key: sim.account.aes_key.is_some(),
            has_secret: sim.account.app_secret.is_some(),
            bound: state.people.are_bound(),
        },
        mini: sim.account.mini.as_ref().map(|mini| MiniView {
            app_id: mini.app_id.clone(),
            original_id: mini.original_id.clone(),
            target: sim.options.target_of(App::Mini).map(|target| target.to_string()),
            target_check: state.mini.target_check.clone(),
            has_token: mini.token.is_some(),
            has_key: mini.aes_key.is_some(),
            mode: state.mini.mode,
            format: state.mini.format,
        }),
        mode: state.mode,
        people: state.people.in_order().into_iter().map(person).collect(),
        network: state.network.clone(),
        faults: state.faults.pending().to_vec(),
        codes: state.qr_codes.live(now_ms).take(CODES).cloned().collect(),
        advanced_ms: sim.clock.advanced_ms(),
        recording: state.recorder.as_ref().map(|recorder| Recording { steps: recorder.steps() }),
    }
}
