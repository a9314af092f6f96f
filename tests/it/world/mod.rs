//! A world for host tests: a clock that jumps, storage that survives a crash, a model and a WeChat that do
//! as told, and a WeChat client that delivers up to three times.

pub mod admin;
pub mod browser;
pub mod client;
mod keys;
mod logins;
pub mod mini;
pub mod mini_api;
mod runtime;
pub mod site;
pub mod weixin;
pub mod window;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;
use wxapi::config::Config;
use wxapi::handlers::account::AccountObject;
use wxapi::handlers::conversation::UserObject;
use wxapi::handlers::mini::user_object::MiniUserObject;
use wxapi::handlers::{App, route};
use wxapi::log::Line;
use wxapi::platform::{Millis, Outbound, Platform, Request, Response};
use wxapi::wechat::signature::sign;
use wxapi::wechat::xml::parse_xml;

use logins::Logins;
pub use runtime::{Body, Disk};

/// Where the Worker is.
pub const ORIGIN: &str = "https://wx.example.com";
/// When the world begins.
pub const DAWN: Millis = 1_700_000_000_000;
pub const TOKEN: &str = "a-token";
/// The user of most tests.
pub const USER: &str = "o-user";
pub const ACCOUNT: &str = "gh_account";

/// What the model does with one call.
#[derive(Clone, Debug)]
pub struct ModelTurn {
    pub delay: Millis,
    pub outcome: Result<String, String>,
}

type Model = Box<dyn Fn(&ModelCall) -> ModelTurn>;
type WeChat = Box<dyn Fn(&Outbound) -> Result<Answer, String>>;

/// A call that the model got.
#[derive(Clone, Debug)]
pub struct ModelCall {
    pub model: String,
    /// The messages as JSON.
    pub inputs: serde_json::Value,
    /// The number of the call, from 1.
    pub number: usize,
}

impl ModelCall {
    /// What the user said last.
    pub fn question(&self) -> String {
        let messages = self.inputs["messages"].as_array().cloned().unwrap_or_default();
        messages.last().and_then(|last| last["content"].as_str()).unwrap_or_default().to_owned()
    }

    pub fn is_compaction(&self) -> bool {
        self.inputs["messages"][0]["content"].as_str().is_some_and(|system| system.starts_with("Condense"))
    }
}

/// A response of WeChat's or of an endpoint's.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(body: &str) -> Self {
        Self { status: 200, content_type: "application/json", body: body.as_bytes().to_vec() }
    }
}

/// Everything outside the Worker.
#[derive(Clone)]
pub struct World(Rc<Inner>);

struct Inner {
    dawn: Instant,
    app: Rc<App>,
    users: RefCell<HashMap<String, Rc<UserObject<World, Disk>>>>,
    accounts: RefCell<HashMap<String, Rc<AccountObject<World, Disk>>>>,
    logins: Logins,
    minis: RefCell<HashMap<String, Rc<MiniUserObject<World, Disk>>>>,
    disks: RefCell<HashMap<String, Disk>>,
    tasks: RefCell<Vec<AbortHandle>>,
    model: RefCell<Model>,
    /// How long each piece of the model's answer takes.
    model_pause: Cell<Millis>,
    wechat: RefCell<WeChat>,
    model_calls: RefCell<Vec<ModelCall>>,
    api_calls: RefCell<Vec<Outbound>>,
    log: RefCell<Vec<Line>>,
    network: Cell<Millis>,
    message: Cell<u64>,
    random: Cell<u64>,
    account_calls: Cell<usize>,
    account_silent: Cell<bool>,
    /// How much later it is here than elsewhere.
    skew: Cell<Millis>,
    /// Bindings that the deployment has not.
    missing: RefCell<Vec<&'static str>>,
}

/// How one message went, as its user saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Deliveries that WeChat made.
    pub deliveries: u8,
    /// The text of the reply; empty if `success`; `None` if WeChat showed its error line.
    pub text: Option<String>,
}

impl World {
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, |_| {})
    }

    /// A world with these settings, and what `adjust` makes of them.
    pub fn with(settings: &[(&str, &str)], adjust: impl FnOnce(&mut Config)) -> Self {
        let mut all: HashMap<String, String> = [("WECHAT_TOKEN", TOKEN), ("LANG", "en")]
            .iter()
            .chain(settings)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.retain(|_, value| !value.is_empty());
        let mut config = Config::load(|name| all.get(name).cloned());
        adjust(&mut config);
        let app = Rc::new(App::new(config));
        Self(Rc::new(Inner {
            dawn: Instant::now(),
            app,
            users: RefCell::default(),
            accounts: RefCell::default(),
            logins: Logins::default(),
            minis: RefCell::default(),
            disks: RefCell::default(),
            tasks: RefCell::default(),
            model: RefCell::new(Box::new(|call| answers(0, &format!("Answer to {}", call.question())))),
            model_pause: Cell::default(),
            wechat: RefCell::new(Box::new(|_| Err("no WeChat here".to_owned()))),
            model_calls: RefCell::default(),
            api_calls: RefCell::default(),
            log: RefCell::default(),
            network: Cell::default(),
            message: Cell::new(1),
            random: Cell::default(),
            account_calls: Cell::default(),
            account_silent: Cell::default(),
            skew: Cell::default(),
            missing: RefCell::default(),
        }))
    }

    /// Sets what the model does.
    pub fn model(&self, model: impl Fn(&ModelCall) -> ModelTurn + 'static) {
        *self.0.model.borrow_mut() = Box::new(model);
    }

    /// Sets how long each piece of the model's answer takes from now on.
    pub fn model_pause(&self, pause: Millis) {
        self.0.model_pause.set(pause);
    }

    /// Sets what WeChat's API, and every other address, answers.
    pub fn wechat(&self, wechat: impl Fn(&Outbound) -> Result<Answer, String> + 'static) {
        *self.0.wechat.borrow_mut() = Box::new(wechat);
    }

    /// Sets how long every request to others takes.
    pub fn network(&self, delay: Millis) {
        self.0.network.set(delay);
    }

    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The calls the model got for users' questions.
    pub fn model_calls(&self) -> Vec<ModelCall> {
        self.0.model_calls.borrow().iter().filter(|call| !call.is_compaction()).cloned().collect()
    }

    /// The calls that WeChat's API got.
    pub fn api_calls(&self) -> Vec<Outbound> {
        self.0.api_calls.borrow().clone()
    }

    pub fn log(&self) -> Vec<Line> {
        self.0.log.borrow().clone()
    }

    pub fn disk(&self, user: &str) -> Disk {
        self.disk_of(&format!("{}:{user}", self.app().config.app_id))
    }

    /// The names of all disks.
    pub fn disks(&self) -> Vec<String> {
        self.0.disks.borrow().keys().cloned().collect()
    }

    fn disk_of(&self, name: &str) -> Disk {
        self.0.disks.borrow_mut().entry(name.to_owned()).or_default().clone()
    }

    /// Kills every object at once; only storage is left.
    pub fn crash(&self) {
        for task in self.0.tasks.borrow_mut().drain(..) {
            task.abort();
        }
        self.0.users.borrow_mut().clear();
        self.0.logins.clear();
        self.0.minis.borrow_mut().clear();
        self.0.accounts.borrow_mut().clear();
    }

    /// In half a second, nothing can be stored for a second.
    pub async fn fill_disk_for_a_second(&self, user: &str) {
        let disk = self.disk(user);
        self.pass(500).await;
        disk.set_full(true);
        self.pass(1_000).await;
        disk.set_full(false);
    }

    /// Lets time pass, ringing every alarm when it is due.
    pub async fn pass(&self, span: Millis) {
        let end = self.now() + span;
        loop {
            let due: Option<(String, Millis)> = {
                let disks = self.0.disks.borrow();
                let alarms = disks.iter().filter_map(|(name, disk)| Some((name.clone(), disk.alarm()?)));
                alarms.min_by_key(|(_, at)| *at).filter(|(_, at)| *at <= end)
            };
            let Some((name, at)) = due else { break };
            tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.now()))).await;
            self.disk_of(&name).alarm_rings();
            if let Some(account) = name.strip_prefix("account ") {
                self.account_known_as(account, "").alarm().await.unwrap();
            } else if !self.login_alarm(&name) {
                self.user(&name).alarm().unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(end.saturating_sub(self.now()))).await;
    }

    /// The storage of the account's object.
    pub fn account_disk(&self) -> Disk {
        self.disk_of(&format!("account {}", self.app().config.app_id))
    }

    /// The object of an account, as `edge` has it.
    pub fn account(&self, name: &str) -> Rc<AccountObject<World, Disk>> {
        self.account_known_as(name, name)
    }

    /// The same; if it has to come to life first, the runtime calls it `known`: nothing, if an alarm does not tell.
    fn account_known_as(&self, name: &str, known: &str) -> Rc<AccountObject<World, Disk>> {
        let disk = self.disk_of(&format!("account {name}"));
        let new = || Rc::new(AccountObject::new(self.clone(), disk, Rc::clone(&self.0.app), known));
        Rc::clone(self.0.accounts.borrow_mut().entry(name.to_owned()).or_insert_with(new))
    }

    fn user(&self, name: &str) -> Rc<UserObject<World, Disk>> {
        if let Some(user) = self.0.users.borrow().get(name) {
            return Rc::clone(user);
        }
        let disk = self.disk_of(name);
        let logins = disk.beside("login");
        let user = UserObject::new(self.clone(), disk, logins, Rc::clone(&self.0.app)).unwrap();
        self.0.users.borrow_mut().insert(name.to_owned(), Rc::clone(&user));
        user
    }

    /// A text message, as XML, with a number of its own.
    pub fn text(&self, user: &str, content: &str) -> String {
        self.message(user, &format!("<MsgType>text</MsgType><Content><![CDATA[{content}]]></Content>"))
    }

    /// A message with these elements.
    pub fn message(&self, user: &str, elements: &str) -> String {
        let id = self.0.message.get();
        self.0.message.set(id + 1);
        let created = self.now() / 1_000;
        format!(
            "<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>{user}</FromUserName><CreateTime>{created}</CreateTime>{elements}<MsgId>{id}</MsgId></xml>"
        )
    }

    /// One delivery, signed as WeChat signs it in plain mode.
    pub async fn deliver_once(&self, document: &str) -> Response {
        let timestamp = (self.now() / 1_000).to_string();
        let signature = sign(&[TOKEN, &timestamp, "nonce"]);
        self.request(
            "POST",
            "wechat",
            &format!("signature={signature}&timestamp={timestamp}&nonce=nonce"),
            document,
        )
        .await
    }

    pub async fn request(&self, method: &str, path: &str, query: &str, body: &str) -> Response {
        self.send(Request {
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        })
        .await
    }

    /// Any request, as `edge` reads it.
    pub async fn send(&self, request: Request) -> Response {
        route(request, self, self.app()).await
    }

    /// Delivers a message as WeChat does: hang up after five seconds, at most three deliveries.
    pub async fn deliver(&self, document: &str) -> Seen {
        for delivery in 1..=3 {
            let attempt = tokio::time::timeout(Duration::from_secs(5), self.deliver_once(document)).await;
            if let Ok(response) = attempt
                && response.status == 200
            {
                return Seen { deliveries: delivery, text: Some(reply_text(&response.body)) };
            }
        }
        Seen { deliveries: 3, text: None }
    }

    /// A user types something; what they see.
    pub async fn say(&self, user: &str, content: &str) -> Seen {
        self.deliver(&self.text(user, content)).await
    }
}

/// The text that a reply shows; empty for `success`.
pub fn reply_text(body: &str) -> String {
    if body == "success" {
        return String::new();
    }
    let reply = parse_xml(body).expect("a reply that WeChat can read");
    assert_eq!(reply.get("FromUserName"), Some(ACCOUNT));
    let text = reply.get("Content").expect("a text reply").to_owned();
    assert!(!text.is_empty() && text.len() <= 2048, "WeChat shows an error for {} bytes", text.len());
    text
}

/// A model turn that answers after `delay`.
pub fn answers(delay: Millis, text: &str) -> ModelTurn {
    ModelTurn { delay, outcome: Ok(text.to_owned()) }
}

/// A world whose model repeats the question after `delay`.
pub fn slow_model(delay: u64) -> World {
    let world = World::new(&[]);
    world.model(move |call| answers(delay, &format!("Answer to {}", call.question())));
    world
}

/// [`USER`] types `text` and sees `expected` on that delivery.
pub async fn see(world: &World, text: &str, deliveries: u8, expected: &str) {
    let seen = world.say(USER, text).await;
    let shown = seen.text.clone().unwrap_or_else(|| panic!("{text}: WeChat showed its error line"));
    assert!(shown.contains(expected), "{text}: expected {expected:?} in {shown:?}");
    assert_eq!(seen.deliveries, deliveries, "{text}: {shown}");
}

/// Runs a test in a world where waiting takes no time.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.unwrap(), test);
}
