//! Another program of the account's, which speaks to the Worker as if it were WeChat.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wxapi::platform::{Outbound, Request, Response};

use super::{Answer, ORIGIN, World, admin};

/// Every client's secret.
const SECRET: &str = "a-client\u{2019}s-secret";

/// A world with these clients: ids and scopes. WeChat gives out the tokens `real-1`, `real-2`, …, and `answer` is what it
/// says to everything else.
pub fn world_with(
    clients: &[(&str, &[&str])],
    answer: impl Fn(&Outbound) -> Result<Answer, String> + 'static,
) -> World {
    let secret = hex::encode(Sha256::digest(SECRET));
    let entry = |(id, scopes): &(&str, &[&str])| json!({ "id": id, "secret_sha256": secret, "scopes": scopes, "per_minute": 100 });
    let clients = Value::Array(clients.iter().map(entry).collect()).to_string();
    let mut settings = admin::settings();
    settings.push(("API_CLIENTS", clients.as_str()));
    let world = World::new(&settings);
    let tokens = std::cell::Cell::new(0);
    world.wechat(move |request| {
        if !request.url.contains("/cgi-bin/stable_token") {
            return answer(request);
        }
        tokens.set(tokens.get() + 1);
        Ok(Answer::json(
            &json!({ "access_token": format!("real-{}", tokens.get()), "expires_in": 7200 }).to_string(),
        ))
    });
    world
}

/// WeChat says yes.
pub fn yes() -> Result<Answer, String> {
    Ok(Answer::json(r#"{"errcode":0,"errmsg":"ok"}"#))
}

/// WeChat says no.
pub fn no(errcode: i64) -> Result<Answer, String> {
    Ok(Answer::json(&json!({ "errcode": errcode, "errmsg": "no rid: 1-2-3" }).to_string()))
}

impl World {
    /// The token that a client gets.
    pub async fn client_token(&self, id: &str) -> String {
        let query = format!("grant_type=client_credential&appid={id}&secret={}", encoded(SECRET));
        let answer = self.request("GET", "/cgi-bin/token", &query, "").await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A request of a client's. `path` may have a query, to which its token is added.
    pub async fn client_request(&self, id: &str, method: &str, path: &str, body: &[u8]) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let token = self.client_token(id).await;
        let query = if query.is_empty() { String::new() } else { format!("&{query}") };
        Request {
            id: "request-1".to_owned(),
            method: method.to_owned(),
            origin: ORIGIN.to_owned(),
            path: path.to_owned(),
            query: format!("access_token={token}{query}"),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_vec(),
            ..Request::default()
        }
    }

    /// What WeChat's API says to a client.
    pub async fn client(&self, id: &str, method: &str, path: &str, body: &str) -> Value {
        let request = self.client_request(id, method, path, body.as_bytes()).await;
        said(self.send(request).await).await
    }

    /// The same, with an `Idempotency-Key`.
    pub async fn client_once(&self, id: &str, key: &str, path: &str, body: &str) -> (Value, bool) {
        let mut request = self.client_request(id, "POST", path, body.as_bytes()).await;
        request.headers.push(("idempotency-key".to_owned(), key.to_owned()));
        let response = self.send(request).await;
        let replayed =
            response.headers.iter().any(|(name, value)| *name == "idempotent-replayed" && value == "true");
        (said(response).await, replayed)
    }

    /// The calls that reached WeChat, but for tokens.
    pub fn passed_on(&self) -> Vec<Outbound> {
        self.api_calls().into_iter().filter(|call| !call.url.contains("/cgi-bin/stable_token")).collect()
    }

    /// What the audit has of each call: `client method path outcome`, the newest first.
    pub async fn audited(&self) -> Vec<String> {
        let (status, page) = self.admin("GET", "/admin/audit", None).await;
        assert_eq!(status, 200, "{page}");
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let line =
            |entry: &Value| ["client", "method", "path", "outcome"].map(|name| text(entry, name)).join(" ");
        page["items"].as_array().unwrap().iter().map(line).collect()
    }
}

/// The JSON of an answer.
pub async fn said(response: Response) -> Value {
    let bytes = admin::whole(response).await;
    serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&bytes)))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
