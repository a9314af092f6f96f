//! The account's owner, who may call every API that the account has, without the fuss of getting a token first.

use axum::body::Bytes;
use serde_json::Value;

use super::{ApiReply, ApiRequest, answer};
use crate::account::Account;
use crate::query;
use crate::state::State;

/// Calls an API: `POST` with a body, else `GET`. `path` may have a query. Errors of the platform are answers, too.
///
/// # Errors
/// There is no token to be had, or the answer is no JSON.
pub fn call(
    state: &mut State,
    account: &Account,
    now_ms: u64,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, String> {
    let token = state.tokens.stable(false, now_ms).map_err(|errcode| format!("errcode {}", errcode.0))?;
    let (path, rest) = path.split_once('?').unwrap_or((path, ""));
    let mut query = query::parse(rest);
    query.push(("access_token".to_owned(), token.access_token));
    let request = ApiRequest {
        method: if body.is_some() { "POST" } else { "GET" }.to_owned(),
        path: path.to_owned(),
        query,
        content_type: "application/json".to_owned(),
        body: body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
    };
    match answer(state, account, None, now_ms, &request) {
        ApiReply::Json(answer) => Ok(answer),
        _ => Err(format!("{path} answers no JSON")),
    }
}
