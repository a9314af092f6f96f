//! One file per URL family, and this table.

pub mod account;
pub mod ask;
pub mod callback;
pub mod conversation;
pub mod login;
pub mod senses;

use std::cell::{Cell, RefCell};

use crate::chat::cache::AnswerCache;
use crate::config::Config;
use crate::error::Error;
use crate::log::Line;
use crate::platform::{Millis, Platform, Request, Response};

/// What one isolate holds: its configuration, and what it need not ask for twice.
#[derive(Debug)]
pub struct App {
    /// The configuration, read once.
    pub config: Config,
    /// Recent answers to context-free questions.
    pub answers: RefCell<AnswerCache>,
    /// Until when WeChat is not asked for parametric QR codes, because it refused one.
    pub no_scenes_until: Cell<Millis>,
    /// The public keys of the login, and when they were fetched.
    pub keys: RefCell<Option<(Millis, serde_json::Value)>>,
}

impl App {
    /// An isolate with this configuration.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            answers: RefCell::default(),
            no_scenes_until: Cell::default(),
            keys: RefCell::default(),
        }
    }
}

/// Every route.
pub async fn route<P: Platform>(request: Request, platform: &P, app: &App) -> Response {
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let outcome = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["wechat"]) => callback::verify(&request, app),
        ("POST", ["wechat"]) => callback::receive(&request, platform, app).await,
        (_, ["wechat"]) => Err(Error::MethodNotAllowed),
        (_, others) => login::route(&request, others, platform, app).await.unwrap_or(Err(Error::NotFound)),
    };
    outcome.unwrap_or_else(|error| {
        if !matches!(error, Error::NotFound | Error::MethodNotAllowed) {
            platform.log(&Line::warn("request.refused", &error));
        }
        error.response()
    })
}
