//! Whoever manages the account.

use serde_json::Value;
use wxapi::platform::{Millis, Opaque, Pace, Passage, Pieces, Request, Response, Upload};

use super::runtime::Body;
use super::{ORIGIN, World};

/// The `ADMIN_TOKEN` of [`settings`].
pub const TOKEN: &str = "an-admin-token-that-is-long";
pub const APP_ID: &str = "wx0123456789abcdef";

/// The settings of an account that can be managed.
pub fn settings() -> Vec<(&'static str, &'static str)> {
    vec![("APP_ID", APP_ID), ("APP_SECRET", "the-account\u{2019}s-secret"), ("ADMIN_TOKEN", TOKEN)]
}

impl World {
    /// From now on the account's object answers nobody; or it does again.
    pub fn account_falls_silent(&self, silent: bool) {
        self.0.account_silent.set(silent);
    }

    /// How often it was asked about what is stored.
    pub fn account_calls(&self) -> usize {
        self.0.account_calls.get()
    }

    /// From now on, clocks elsewhere are behind this one.
    pub fn skew_clocks(&self, by: Millis) {
        self.0.skew.set(by);
    }

    pub(super) fn skew(&self) -> Millis {
        self.0.skew.get()
    }

    /// From now on, the deployment lacks these bindings.
    pub fn lose_bindings(&self, names: &[&'static str]) {
        self.0.missing.borrow_mut().extend(names);
    }

    pub(super) fn lacks(&self, name: &str) -> bool {
        self.0.missing.borrow().contains(&name)
    }

    /// Any storage, by one of [`World::disks`].
    pub fn disk_named(&self, name: &str) -> super::Disk {
        self.disk_of(name)
    }

    /// Everything that was counted, as Prometheus reads it.
    pub async fn metrics(&self) -> String {
        let response = self.send(admin_request("GET", "/metrics", b"")).await;
        assert_eq!(response.status, 200);
        response.body
    }

    /// A request to the management API, with the token; the status and the JSON that came back.
    pub async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let response = self.send(admin_request(method, path, body.as_bytes())).await;
        let json = serde_json::from_str(&response.body).unwrap_or(Value::Null);
        (response.status, json)
    }
}

/// A request to the management API, with the token. `path` may have a query.
pub fn admin_request(method: &str, path: &str, body: &[u8]) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request {
        id: "request-1".to_owned(),
        method: method.to_owned(),
        origin: ORIGIN.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {TOKEN}")),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.to_vec(),
        ..Request::default()
    }
}

/// An upload of these bytes, as `edge` passes it on.
pub fn upload(bytes: &[u8]) -> Upload {
    Upload { length: Some(bytes.len() as u64), body: Opaque(std::rc::Rc::new(bytes.to_vec())) }
}

/// The bytes of an [`upload`].
pub fn uploaded(upload: &Upload) -> Vec<u8> {
    upload.body.0.downcast_ref::<Vec<u8>>().unwrap().clone()
}

/// All that a response says, also if it is somebody else's and passed on.
pub async fn whole(response: Response) -> Vec<u8> {
    let Some(passage) = response.passage else { return response.body.into_bytes() };
    let Passage { first, rest, .. } = *passage;
    let mut all = first;
    if let Some(rest) = rest {
        let mut body = std::rc::Rc::downcast::<Body>(rest.0).ok().and_then(std::rc::Rc::into_inner).unwrap();
        while let Some(piece) = body.next(Pace::Calm).await {
            all.extend(piece.unwrap());
        }
    }
    all
}
