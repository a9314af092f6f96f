//! How a person can show who they are.

use serde::{Deserialize, Serialize};

use super::agent::Device;

/// One way. The names are those of `LOGIN_METHODS`, of `method` in `LOGIN_CLIENTS` and of the page's `?method=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The page shows six digits; the person sends them to the account and confirms. Works for every account.
    Code,
    /// The page itself is open in WeChat: web authorization.
    Wechat,
    /// The page shows a QR code of ours; the phone opens it in WeChat, is authorized there, and confirms.
    Qr,
    /// The page shows a parametric QR code of the account; scanning it opens the chat.
    Scene,
    /// The Open Platform's login for websites.
    Open,
    /// The page shows our QR code; the person scans it by a button of the account's menu (`scancode_waitmsg`).
    Menu,
    /// The account gives a code in the chat, and the person types it on the page.
    Typed,
    /// GitHub, under the same kind of user id.
    Github,
}

impl Method {
    /// Every method, in the order in which the page offers them.
    pub const ALL: [Self; 8] =
        [Self::Wechat, Self::Qr, Self::Scene, Self::Code, Self::Open, Self::Menu, Self::Typed, Self::Github];

    /// Its name in addresses and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Wechat => "wechat",
            Self::Qr => "qr",
            Self::Scene => "scene",
            Self::Open => "open",
            Self::Menu => "menu",
            Self::Typed => "typed",
            Self::Github => "github",
        }
    }

    /// Where another's login page sends people back to: the last part of `/oauth/…`. `None` if it needs no such page.
    /// A phone that scanned comes back to where a page that is open in WeChat does: it is the same web authorization.
    pub fn comes_back_to(self) -> Option<&'static str> {
        match self {
            Self::Wechat | Self::Qr => Some("wechat"),
            Self::Open => Some("open"),
            Self::Github => Some("github"),
            Self::Code | Self::Scene | Self::Menu | Self::Typed => None,
        }
    }

    /// The method of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// What the account can do, and what the operator wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Messages reach us, in a form that may log in.
    pub chat: bool,
    /// Web authorization: `ACCOUNT_TYPE` says so and there is an AppSecret.
    pub oauth: bool,
    /// Parametric QR codes: the same accounts have them.
    pub scene: bool,
    /// A website application at the Open Platform.
    pub open: bool,
    /// A GitHub application.
    pub github: bool,
    /// `LOGIN_METHODS`: what the operator allows.
    pub allowed: Vec<Method>,
}

/// The methods that a page offers, the best first; empty if there is none.
///
/// | device | in this order, as far as the account can and the operator allows |
/// |---|---|
/// | desktop | qr, open, scene, code, menu, typed, github |
/// | phone | code, qr, scene, menu, typed, github |
/// | in WeChat | wechat, code, scene, typed, github |
///
/// A phone that cannot look at its own screen takes a QR code from its album; the Open Platform's page and a menu in
/// WeChat itself offer no such way. A client that has `pinned` a method gets that one only, where `wechat` and `qr`
/// are the same web authorization, seen from inside and outside of WeChat. What was `asked` for comes first, if it is
/// among the rest.
pub fn offered(
    abilities: &Abilities,
    device: Device,
    pinned: Option<Method>,
    asked: Option<Method>,
) -> Vec<Method> {
    use Method::{Code, Github, Menu, Open, Qr, Scene, Typed, Wechat};
    let order: &[Method] = match device {
        Device::Desktop => &[Qr, Open, Scene, Code, Menu, Typed, Github],
        Device::Phone => &[Code, Qr, Scene, Menu, Typed, Github],
        Device::Wechat => &[Wechat, Code, Scene, Typed, Github],
    };
    let pinned = pinned.map(|pinned| match (pinned, device) {
        (Qr, Device::Wechat) => Wechat,
        (Wechat, Device::Desktop | Device::Phone) => Qr,
        (other, _) => other,
    });
    let mut methods: Vec<Method> = order
        .iter()
        .copied()
        .filter(|method| abilities.can(*method) && pinned.is_none_or(|pinned| pinned == *method))
        .collect();
    // The rest stays in its order.
    if let Some(place) = methods.iter().position(|method| Some(*method) == asked) {
        let asked = methods.remove(place);
        methods.insert(0, asked);
    }
    methods
}

impl Abilities {
    /// The account can do it, and the operator allows it.
    pub fn can(&self, method: Method) -> bool {
        let able = match method {
            Method::Code | Method::Menu | Method::Typed => self.chat,
            Method::Wechat | Method::Qr => self.oauth,
            // That somebody scanned is told by a message.
            Method::Scene => self.scene && self.chat,
            Method::Open => self.open,
            Method::Github => self.github,
        };
        able && self.allowed.contains(&method)
    }
}
