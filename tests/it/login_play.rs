//! The people of a login by another's page: a website, a computer, a phone, and a WeChat that knows who they are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use wxapi::config::Config;
use wxapi::config::login::{Application, Github};
use wxapi::handlers::login::call_login;
use wxapi::lang::Lang;
use wxapi::login::Digest;
use wxapi::login::client::Client;
use wxapi::login::method::Method;
use wxapi::login::page::{self, Frame, PhoneResult};
use wxapi::login::session::{Answer as Answered, Call, Fault, Opening, Reply, Status, View};
use wxapi::platform::{Object, Outbound, Platform, Response};
use wxapi::wechat::{AppId, Secret};

use crate::world::browser::{self, Browser};
use crate::world::{Answer, ORIGIN, World, site};

pub const APP_SECRET: &str = "app-s3cret";
pub const OPEN_SECRET: &str = "open-s3cret";
pub const GITHUB_SECRET: &str = "github-s3cret";
pub const CLIENT_SECRET: &str = "a-secret-of-a-website-with-32-chars";
pub const OPENID: &str = "oAbCdEfGhIjKlMnOpQrStUvWxYz0";
pub const UNIONID: &str = "uAbCdEfGhIjKlMnOpQrStUvWxYz0";
/// All codes begin so, which shows them in a log.
pub const CODE: &str = "081Kq4Ga1";
pub use crate::world::browser::{CHROME, WECHAT};
pub use crate::world::site::BLOG as SITE;

pub const WECOM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 wxwork/4.1.30 MicroMessenger/7.0.1 Language/zh";

fn client() -> Client {
    let secret = Some(Digest::of(CLIENT_SECRET));
    Client { name: "A Blog".to_owned(), secret, ..site::client("blog", SITE) }
}

fn configure(config: &mut Config) {
    let login = &mut config.login;
    login.clients = vec![client()];
    login.subject_secret = Some(Secret::new("a-secret-for-the-ids-with-32-chars"));
    login.wechat_open = "https://open.weixin.qq.com".to_owned();
    login.account_name = Some("An Account".to_owned());
    login.open = Some(Application { app_id: AppId::new("wxopen"), secret: Secret::new(OPEN_SECRET) });
    login.github = Some(Github {
        client_id: "Iv1.abc".to_owned(),
        secret: Secret::new(GITHUB_SECRET),
        web: "https://github.com".to_owned(),
        api: "https://api.github.com".to_owned(),
    });
}

/// A world where everybody is known.
pub fn world() -> World {
    world_with(|_| {})
}

pub fn world_with(change: impl FnOnce(&mut Config)) -> World {
    let settings = [("APP_ID", "wxaccount"), ("APP_SECRET", APP_SECRET)];
    let world = World::with(&settings, |config| {
        configure(config);
        change(config);
    });
    plays(&world, |path, _| Ok(kindly(path)));
    world
}

/// What a WeChat and a GitHub answer that know everybody.
pub fn kindly(path: &str) -> String {
    match path {
        "/sns/oauth2/access_token" => format!(
            r#"{{"access_token":"user-token","expires_in":7200,"refresh_token":"user-refresh","openid":"{OPENID}","scope":"snsapi_base"}}"#
        ),
        "/sns/userinfo" => format!(
            r#"{{"openid":"{OPENID}","nickname":" 小\n明 ","sex":0,"headimgurl":"https://thirdwx.qlogo.cn/1","unionid":"{UNIONID}"}}"#
        ),
        "/login/oauth/access_token" => {
            r#"{"access_token":"gho_token","scope":"","token_type":"bearer"}"#.to_owned()
        }
        "/user" => {
            r#"{"login":"octocat","id":583231,"name":"The Octocat","avatar_url":"https://avatars.example/1"}"#
                .to_owned()
        }
        other => panic!("nobody should ask {other}"),
    }
}

/// Sets what they answer.
pub fn plays(world: &World, play: impl Fn(&str, usize) -> Result<String, String> + 'static) {
    let calls: RefCell<BTreeMap<String, usize>> = RefCell::default();
    world.wechat(move |request| {
        let path = path_of(request);
        let mut calls = calls.borrow_mut();
        let number = calls.entry(path.clone()).or_default();
        *number += 1;
        play(&path, *number).map(|body| match body.strip_prefix("status ") {
            Some(status) => Answer { status: status.parse().unwrap(), ..Answer::json("<html>oops</html>") },
            None => Answer::json(&body),
        })
    });
}

fn path_of(request: &Outbound) -> String {
    let (_, rest) = request.url.split_once("://").unwrap();
    let path = rest.get(rest.find('/').unwrap()..).unwrap();
    path.split('?').next().unwrap().to_owned()
}

/// The requests to this path.
pub fn asked(world: &World, path: &str) -> Vec<Outbound> {
    world.api_calls().into_iter().filter(|call| path_of(call) == path).collect()
}

/// Somebody's browser that follows no redirect by itself, and says of its requests what a test wants.
pub struct Visitor {
    pub browser: Browser,
    /// `Sec-Fetch-Site` of the next visit; nothing for an old browser.
    pub site: Cell<&'static str>,
    /// Further headers.
    pub headers: RefCell<Vec<(&'static str, String)>>,
}

impl Visitor {
    pub fn new(world: &World, user_agent: &'static str) -> Self {
        let mut browser = Browser::new(world);
        browser.user_agent = user_agent;
        Self { browser, site: Cell::new("none"), headers: RefCell::default() }
    }

    /// A computer that has the browser's cookie already.
    pub fn computer(world: &World, user_agent: &'static str) -> Self {
        let visitor = Self::new(world, user_agent);
        visitor.browser.set_cookie("__Host-wxl", &hex::encode(world.random()));
        visitor
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.browser.cookie(name)
    }

    pub fn handle(&self) -> Digest {
        Digest::of(&self.cookie("__Host-wxl").unwrap())
    }

    pub async fn get(&self, address: &str) -> Response {
        self.send("GET", address, "").await
    }

    /// A page of ours leads here.
    pub async fn follow(&self, address: &str) -> Response {
        let before = self.site.replace("same-origin");
        let response = self.get(address).await;
        self.site.set(before);
        response
    }

    /// The form of a page of ours is sent.
    pub async fn submit(&self, address: &str, fields: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let before = self.site.replace("same-origin");
        self.headers.borrow_mut().push(("origin", "null".to_owned()));
        let response = self.send("POST", address, &body).await;
        self.headers.borrow_mut().pop();
        self.site.set(before);
        response
    }

    pub async fn send(&self, method: &str, address: &str, body: &str) -> Response {
        let mut request = self.browser.visit(address.strip_prefix(ORIGIN).unwrap_or(address));
        request.method = method.to_owned();
        request.body = body.as_bytes().to_vec();
        request.headers.retain(|(name, _)| !name.starts_with("sec-fetch-"));
        let mut further = self.headers.borrow().clone();
        if !self.site.get().is_empty() {
            further.push(("sec-fetch-site", self.site.get().to_owned()));
        }
        request.headers.extend(further.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.browser.send(request).await
    }
}

pub fn header(response: &Response, name: &str) -> String {
    browser::header(response, name).unwrap_or_default().to_owned()
}

/// Where a redirect leads.
#[track_caller]
pub fn location(response: &Response) -> String {
    assert_eq!(response.status, 303, "{}", response.body);
    header(response, "location")
}

/// A parameter of an address.
#[track_caller]
pub fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1.split('#').next().unwrap();
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    found.next().unwrap_or_else(|| panic!("no {name} in {address}")).1.into_owned()
}

/// Where WeChat or another sends somebody back to, who was sent to `address`.
pub fn back(address: &str, code: &str) -> String {
    format!("{}?code={code}&state={}", parameter(address, "redirect_uri"), parameter(address, "state"))
}

/// The value of the hidden field.
#[track_caller]
pub fn csrf(page: &Response) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let (_, rest) = page.body.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

/// The page tells this, in English.
#[track_caller]
pub fn check_told(response: &Response, result: PhoneResult) {
    let frame = Frame { lang: Lang::En, theme: None, host: "h", account_name: None };
    let expected = page::result(&frame, None, result, None);
    assert_eq!(heading(&response.body), heading(&expected), "{result:?}");
}

fn heading(page: &str) -> &str {
    page.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>")).expect("a heading").0
}

/// Numbers that can be chosen.
pub fn choices(page: &Response) -> usize {
    page.body.matches("name=\"number\" value=").count()
}

/// One attempt, begun by `browser`.
pub struct Attempt {
    pub world: World,
    pub id: String,
    browser: Digest,
}

pub async fn begin(world: &World, browser: &Visitor, methods: &[Method]) -> Attempt {
    begin_with(world, browser, methods, |_| {}).await
}

pub async fn begin_with(
    world: &World,
    browser: &Visitor,
    methods: &[Method],
    change: impl FnOnce(&mut Opening),
) -> Attempt {
    let id = hex::encode(world.random());
    let mut opening = site::opening(&id, browser.handle(), methods);
    change(&mut opening);
    call_login(world, &id, &Call::Open(Box::new(opening))).await.unwrap().unwrap();
    Attempt { world: world.clone(), id, browser: browser.handle() }
}

impl Attempt {
    pub async fn call(&self, call: Call) -> Result<Reply, Fault> {
        call_login(&self.world, &self.id, &call).await.unwrap()
    }

    pub async fn view(&self) -> View {
        let call = Call::Show { browser: self.browser.clone(), method: Some(Method::Qr), lang: None };
        match self.call(call).await {
            Ok(Reply::View(view, _)) => *view,
            other => panic!("{other:?}"),
        }
    }

    pub async fn status(&self) -> Status {
        self.view().await.status
    }

    pub async fn number(&self) -> String {
        self.view().await.number.unwrap().to_string()
    }

    /// What the QR code says, as a path.
    pub async fn scanned(&self) -> String {
        format!("/m/{}{}", self.id, self.view().await.token.unwrap())
    }

    /// The browser takes the result: who answered, and how.
    pub async fn finish(&self) -> Answered {
        let call = Call::Finish { browser: self.browser.clone(), code: Digest::of("c") };
        match self.call(call).await {
            Ok(Reply::Finished(finished)) => finished.answer,
            other => panic!("{other:?}"),
        }
    }

    pub fn confirm(&self) -> String {
        format!("/oauth/confirm/{}", self.id)
    }

    /// What is stored of it.
    pub fn stored(&self) -> Option<String> {
        self.world.disk_behind(Object::Login, &self.id).document()
    }
}

/// A phone scans and comes back from WeChat; what it sees.
pub async fn scan_and_return(attempt: &Attempt, phone: &Visitor, code: &str) -> Response {
    let gone = phone.get(&attempt.scanned().await).await;
    phone.get(&back(&location(&gone), code)).await
}

/// The phone picks the right number.
pub async fn agree(attempt: &Attempt, phone: &Visitor) -> Response {
    let page = phone.get(&attempt.confirm()).await;
    let number = attempt.number().await;
    phone.submit(&attempt.confirm(), &[("csrf", &csrf(&page)), ("number", &number)]).await
}

/// Nothing that nobody may see is in the log.
#[track_caller]
pub fn check_log(world: &World) {
    let log = format!("{:?}", world.log());
    let hidden = [
        APP_SECRET,
        OPEN_SECRET,
        GITHUB_SECRET,
        CLIENT_SECRET,
        OPENID,
        UNIONID,
        CODE,
        "user-token",
        "user-refresh",
        "gho_token",
        "583231",
        "octocat",
    ];
    for secret in hidden {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
