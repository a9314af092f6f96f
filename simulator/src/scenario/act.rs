//! What happens in a step.

use serde_json::Value;

use super::brief::Brief;
use super::format::{Api, Step};
use super::judge::Seen;
use super::run::{Runner, Trouble};
use crate::control::Refused;
use crate::control::click::{self, ClickReport, ClickRequest};
use crate::control::scan;
use crate::control::send::{self, SendRequest};
use crate::control::settings;
use crate::http::Target;
use crate::mini_app::{self, Deed};
use crate::phone::{Bubble, LinkKind};
use crate::platform::api::App;
use crate::platform::{self, owner};
use crate::seed;

impl Runner {
    /// Lets the step's thing happen.
    pub(super) async fn act(&mut self, step: &Step) -> Result<Seen, Trouble> {
        let person = self.person(step);
        if let Some(Brief(request)) = &step.send {
            return self.send(step, &person, request.clone()).await;
        }
        if let Some(Brief(event)) = &step.event {
            let request = SendRequest { event: Some(event.clone()), ..SendRequest::default() };
            return self.send(step, &person, request).await;
        }
        if let Some(deed) = &step.mini {
            return self.in_mini(&person, deed.clone()).await;
        }
        if step.again {
            let last = self.actor(&person).last.clone();
            let last = last.ok_or_else(|| format!("{person} sent nothing before"))?;
            return self.send(step, &person, last).await;
        }
        if let Some(label) = &step.tap {
            return self.tap(step, &person, label).await;
        }
        if let Some(Brief(request)) = &step.click {
            let request = self.click_request(step, &person, request.clone());
            let report = click::click(&self.sim, request).await.map_err(|Refused(_, why)| why)?;
            return Ok(self.clicked(&person, report));
        }
        if let Some(code) = &step.scan {
            return self.scan(step, &person, code).await;
        }
        if let Some(api) = &step.api {
            return self.api(api);
        }
        self.set(step)?;
        Ok(Seen::default())
    }

    async fn send(&mut self, step: &Step, person: &str, mut request: SendRequest) -> Result<Seen, Trouble> {
        let default = self.request.scenario.mode.or(self.request.mode);
        request.person = Some(self.actor(person).name.clone());
        request.mode = request.mode.or(step.mode).or(default);
        request.mini |= step.window;
        let target = self.target(request.app());
        request.target = request.target.or(target);
        if request.xml.is_none() {
            request.created = request.created.or(Some(self.sim.clock.wall_ms() / 1000));
        }
        let report = send::send(&self.sim, request.clone()).await.map_err(|Refused(_, why)| why)?;
        let forged = request.tamper.is_some() || self.sim.lock().network.tamper.is_some();
        if !forged {
            request.msg_id = report.msg_id.clone().map(Value::String).filter(|_| request.xml.is_none());
        }
        let shown = report.shown.clone();
        let actor = self.actor(person);
        let before = std::mem::replace(&mut actor.shown, shown.clone());
        actor.last = Some(request).filter(|_| !forged).or(actor.last.take());
        Ok(Seen { report: Some(report), shown, before, forged, ..Seen::default() })
    }

    /// Does something in the Mini Program.
    async fn in_mini(&mut self, person: &str, deed: Deed) -> Result<Seen, Trouble> {
        let name = self.actor(person).name.clone();
        let done = mini_app::carry_out(&self.sim, &name, deed).await;
        let report = done.map_err(|Refused(_, why)| why)?;
        let shown: Vec<_> = report.reply.iter().map(Bubble::text).collect();
        let before = std::mem::replace(&mut self.actor(person).shown, shown.clone());
        Ok(Seen { mini: Some(report), shown, before, ..Seen::default() })
    }

    /// Where the messages of this run go, if its order says so.
    fn target(&self, app: App) -> Option<String> {
        let target = self.request.target.clone()?;
        match app {
            App::Official => Some(target),
            App::Mini => Some(target.parse::<Target>().ok()?.below("/mini").to_string()),
        }
    }

    /// Taps the newest link or answer with this label that the person has on the screen.
    async fn tap(&mut self, step: &Step, person: &str, label: &str) -> Result<Seen, Trouble> {
        let actor = self.actor(person);
        let (openid, mut screen) = (actor.openid.clone(), actor.shown.clone());
        let pushed =
            self.sim.lock().people.get(&openid).map(|person| person.chat.inbox(0)).unwrap_or_default();
        screen.extend(pushed.into_iter().rev().map(|pushed| pushed.shown));
        let taps: Vec<_> = screen.iter().flat_map(taps).collect();
        let Some(tap) = taps.iter().find(|tap| tap.label == label) else {
            let labels: Vec<_> = taps.iter().map(|tap| tap.label.as_str()).collect();
            return Err(format!("nothing to tap is called {label:?}; there is {labels:?}"));
        };
        if let Some((text, id)) = tap.sends.clone() {
            let request = SendRequest { text: Some(text), bizmsgmenuid: id, ..SendRequest::default() };
            return self.send(step, person, request).await;
        }
        Ok(Seen { open: tap.opens.clone(), mini_program: tap.mini_program.clone(), ..Seen::default() })
    }

    fn click_request(&mut self, step: &Step, person: &str, request: ClickRequest) -> ClickRequest {
        let default = self.request.scenario.mode.or(self.request.mode);
        ClickRequest {
            person: Some(self.actor(person).name.clone()),
            mode: request.mode.or(step.mode).or(default),
            target: request.target.or_else(|| self.request.target.clone()),
            ..request
        }
    }

    fn clicked(&mut self, person: &str, clicked: ClickReport) -> Seen {
        let actor = self.actor(person);
        let reports = clicked.report.iter().chain(&clicked.followed).flat_map(|report| report.shown.clone());
        let shown: Vec<_> = reports.chain(clicked.shown.clone()).collect();
        let before = std::mem::replace(&mut actor.shown, shown.clone());
        let mini_program = clicked.mini_program.as_ref().map(|program| program.appid.clone());
        let ClickReport { report, followed, open, .. } = clicked;
        Seen { report, followed, shown, before, open, mini_program, ..Seen::default() }
    }

    async fn scan(&mut self, step: &Step, person: &str, code: &str) -> Result<Seen, Trouble> {
        let asked = SendRequest { person: Some(self.actor(person).name.clone()), ..SendRequest::default() };
        match scan::event(&self.sim, &asked, code).map_err(|Refused(_, why)| why)? {
            Some(event) => {
                let request = SendRequest { event: Some(event), ..SendRequest::default() };
                self.send(step, person, request).await
            }
            None => Ok(Seen { open: Some(code.trim().to_owned()), ..Seen::default() }),
        }
    }

    fn api(&self, api: &Api) -> Result<Seen, Trouble> {
        let (sim, now_ms) = (&self.sim, self.sim.clock.now_ms());
        let answer = owner::call(&mut sim.lock(), &sim.account, now_ms, &api.path, api.body.as_ref())?;
        platform::post_outbox(sim);
        Ok(Seen { answer: Some(answer), ..Seen::default() })
    }

    /// Changes what all share. At the beginning of a scenario that may be several things.
    fn set(&mut self, step: &Step) -> Result<(), Trouble> {
        let sim = self.sim.clone();
        let refused = |Refused(_, why): Refused| why;
        if let Some(seconds) = step.advance_s {
            settings::advance(&sim, seconds).map_err(refused)?;
        }
        if step.reset {
            sim.reset();
            self.start_anew();
        }
        if step.invalidate_token {
            let now_ms = sim.clock.now_ms();
            let mut state = sim.lock();
            state.tokens.invalidate(now_ms);
            state.mini.tokens.invalidate(now_ms);
        }
        if let Some(kind) = step.account {
            sim.lock().account_type = kind.account_type;
        }
        if let Some(rules) = &step.model {
            sim.lock().model.set_rules(rules.clone());
        }
        if let Some(faults) = &step.faults {
            settings::replace_faults(&sim, faults.clone()).map_err(refused)?;
        }
        if let Some(network) = &step.network {
            settings::replace_network(&sim, network.clone()).map_err(refused)?;
        }
        if let Some(seed) = &step.seed {
            let mut seed = seed.clone();
            seed.people.iter_mut().for_each(|person| person.name = self.own_name(&person.name));
            let now_ms = sim.clock.now_ms();
            seed::plant(&mut sim.lock(), &sim.account, now_ms, &seed)?;
        }
        Ok(())
    }
}

/// Something that can be tapped.
struct Tap {
    label: String,
    /// The text that it sends, and the id that goes with it.
    sends: Option<(String, Option<String>)>,
    opens: Option<String>,
    mini_program: Option<String>,
}

fn taps(bubble: &Bubble) -> Vec<Tap> {
    let sent = |label: &str, text: &str, id: Option<&str>| Tap {
        label: label.to_owned(),
        sends: Some((text.to_owned(), id.map(str::to_owned))),
        opens: None,
        mini_program: None,
    };
    match bubble {
        Bubble::Menu { choices, .. } => {
            choices.iter().map(|choice| sent(&choice.content, &choice.content, Some(&choice.id))).collect()
        }
        Bubble::News { articles } => articles
            .iter()
            .map(|article| Tap {
                label: article.title.clone(),
                sends: None,
                opens: Some(article.url.clone()),
                mini_program: None,
            })
            .collect(),
        other => other
            .links()
            .iter()
            .map(|link| match (&link.send, link.kind) {
                (Some(text), _) => sent(&link.label, text, link.id.as_deref()),
                (None, kind) => Tap {
                    label: link.label.clone(),
                    sends: None,
                    opens: Some(link.href.clone()).filter(|_| kind != LinkKind::MiniProgram),
                    mini_program: Some(link.href.clone()).filter(|_| kind == LinkKind::MiniProgram),
                },
            })
            .collect(),
    }
}
