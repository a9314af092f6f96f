//! `POST /token`: a website redeems the code.
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{form, private, problem, shared};
use crate::error::Error;
use crate::handlers::App;
use crate::handlers::login::call_login;
use crate::handlers::login::issue::{self, NotIssued};
use crate::json::json;
use crate::log::Line;
use crate::login::Digest;
use crate::login::client::{self, Client};
use crate::login::id;
use crate::login::params::Params;
use crate::login::session::{Call, Fault, Finished, Reply};
use crate::login::token::LIFETIME;
use crate::platform::{Platform, Request, Response, Unreachable};

/// Every parameter that counts.
const KNOWN: [&str; 6] =
    ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"];

/// Why there is no token, with what the log may know beyond the answer.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
enum Refused {
    /// `invalid_request`
    Request(&'static str),
    /// `invalid_client`
    Client {
        /// What the log learns.
        why: &'static str,
        /// The client used the `Authorization` header, so it is told in a header.
        by_header: bool,
    },
    /// `unsupported_grant_type`
    GrantType,
    /// `invalid_grant`
    Grant(&'static str),
}

impl Refused {
    /// Status, `error` and `error_description`, and what the log learns.
    fn told(&self) -> (u16, &'static str, &'static str, &'static str) {
        const GRANT_TYPE: &str = "grant_type must be authorization_code";
        match self {
            Self::Request(why) => (400, "invalid_request", why, why),
            Self::Client { why, .. } => (401, "invalid_client", "client authentication failed", why),
            Self::GrantType => (400, "unsupported_grant_type", GRANT_TYPE, GRANT_TYPE),
            Self::Grant(why) => (400, "invalid_grant", "the code is of no use", why),
        }
    }
}

/// Why the request went no further.
enum Stopped {
    /// The client is told.
    Refused(Refused),
    /// Nothing of it is the client's fault.
    Failed(Error),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Unreachable> for Stopped {
    fn from(reason: Unreachable) -> Self {
        Self::Failed(reason.into())
    }
}

/// `POST /token`
///
/// 1. the form is read; what comes twice is refused
/// 2. the client says who it is, and proves it if it has a secret
/// 3. the attempt's object redeems the code: once, for this client, with the verifier that fits
/// 4. the tokens are signed
pub async fn token<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Error> {
    shared(request, app, async {
        let refused = match redeem(request, platform, app).await {
            Ok(response) => return Ok(response),
            Err(Stopped::Failed(error)) => return Err(error),
            Err(Stopped::Refused(refused)) => refused,
        };
        let (status, error, description, why) = refused.told();
        platform.log(&Line::warn("login.token_refused", format_args!("{error}: {why}")));
        let response = problem(status, error, description);
        Ok(match refused {
            Refused::Client { by_header: true, .. } => {
                response.with("www-authenticate", "Basic realm=\"token\"")
            }
            _ => response,
        })
    })
    .await
}

async fn redeem<P: Platform>(request: &Request, platform: &P, app: &App) -> Result<Response, Stopped> {
    let form = form(request).ok_or(Refused::Request("the body must be a form"))?;
    form.check(&KNOWN).map_err(|_| Refused::Request("a parameter came twice"))?;
    let client = authenticate(request, &form, app)?;
    match form.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => return Err(Refused::GrantType.into()),
        None => return Err(Refused::Request("grant_type is missing").into()),
    }
    let code = form.get("code").ok_or(Refused::Request("code is missing"))?;
    let (login, grant) = grant(platform, client, code, &form).await?;
    let login =
        issue::Login { issuer: &request.origin, id: login, request: &grant.request, answer: &grant.answer };
    let issued = match issue::tokens(platform, app, login, true).await {
        Ok(issued) => issued,
        Err(NotIssued::Keys(reason)) => return Err(reason.into()),
        Err(NotIssued::NoClient | NotIssued::NoSubject(_)) => {
            return Err(Refused::Grant("the person has no id here").into());
        }
    };
    Ok(private(
        200,
        &json!({
            "access_token": issued.signed.access_token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "id_token": issued.signed.id_token,
            "scope": issued.scope,
        }),
    ))
}

/// Asks the attempt that the code names.
async fn grant<'a, P: Platform>(
    platform: &P,
    client: &Client,
    code: &'a str,
    form: &Params,
) -> Result<(&'a str, Finished), Stopped> {
    let (login, _) = id::split(code, id::DIGITS).ok_or(Refused::Grant("this is no code"))?;
    let call = Call::Redeem {
        code: Digest::of(code),
        client: client.id.clone(),
        redirect_uri: form.get("redirect_uri").map(str::to_owned),
        verifier: form.get("code_verifier").map(str::to_owned),
    };
    match call_login(platform, login, &call).await? {
        Ok(Reply::Finished(grant)) => Ok((login, *grant)),
        Err(Fault::Gone) => Err(Refused::Grant("the attempt has ended").into()),
        _ => Err(Refused::Grant("used, ended, or not this client's, address or verifier").into()),
    }
}

/// Who the client is. It proves it in one way only; a website that can keep no secret proves nothing here, and its
/// code is bound to it by PKCE.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-2.3>
fn authenticate<'a>(request: &Request, form: &Params, app: &'a App) -> Result<&'a Client, Refused> {
    let clients = &app.config.login.clients;
    let by_header = request.header("authorization").is_some();
    let refuse = |why| Refused::Client { why, by_header };
    if !by_header {
        let client = match form.get("client_id") {
            Some(id) => client::by_id(clients, id).ok_or(refuse("there is no such client"))?,
            // A page that began without an id, as the class of earlier projects does, is known by its origin here too.
            None => request
                .header("origin")
                .and_then(|origin| client::by_origin(clients, origin))
                .ok_or(refuse("client_id is missing"))?,
        };
        let proven = match form.get("client_secret") {
            Some(secret) => client.knows(secret),
            None => client.secret.is_none(),
        };
        return if proven { Ok(client) } else { Err(refuse("the secret is wrong or missing")) };
    }
    if form.get("client_secret").is_some() {
        return Err(Refused::Request("the client authenticates in two ways"));
    }
    let (id, secret) = basic(request).ok_or(refuse("the Authorization header cannot be read"))?;
    if form.get("client_id").is_some_and(|other| other != decoded(&id)) {
        return Err(Refused::Request("client_id is not that of the Authorization header"));
    }
    let client = client::by_id(clients, &decoded(&id)).ok_or(refuse("there is no such client"))?;
    let proven = match secret.as_str() {
        // Some programs send the header for a client without a secret too.
        "" => client.secret.is_none(),
        // Some forget to encode the secret. Both readings are as hard to guess.
        secret => client.knows(&decoded(secret)) || client.knows(secret),
    };
    if proven { Ok(client) } else { Err(refuse("the secret is wrong or missing")) }
}

/// Id and secret of a header, as they were written.
/// <https://www.rfc-editor.org/rfc/rfc7617>
fn basic(request: &Request) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(request.credentials("basic")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Both were encoded like values of a form before they were put together.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1>
fn decoded(text: &str) -> String {
    Params::parse(format!("_={text}").as_bytes()).get("_").unwrap_or_default().to_owned()
}
