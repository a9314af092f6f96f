//! What a page has to know of the request for it, and who is looking.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{ACCEPT_LANGUAGE, REFERER};
use axum::http::{HeaderMap, Method, StatusCode, header::HeaderName};
use axum::response::{IntoResponse, Response};

use super::redirect;
use crate::ids;
use crate::lang::Lang;
use crate::query;
use crate::state::{Sim, State};

/// By this header, a phone's proxy says whose phone it is.
pub const PHONE: HeaderName = HeaderName::from_static("wxsim-phone");
/// Characters of a name that somebody new may have.
const LONGEST_NAME: usize = 32;

/// One request for a page.
#[derive(Debug)]
pub struct Visit {
    /// In which language it answers.
    pub lang: Lang,
    /// The query as it came.
    pub raw_query: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The fields of the form that was sent.
    pub form: Vec<(String, String)>,
    /// The openid of the person whose phone it is.
    pub known: Option<String>,
}

impl FromRequest<Arc<Sim>> for Visit {
    type Rejection = Response;

    /// A page that was opened by a link inside a phone comes from there, but not through its proxy: it is sent there.
    async fn from_request(request: Request, sim: &Arc<Sim>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let body = Bytes::from_request(request, sim).await.map_err(IntoResponse::into_response)?;
        let raw_query = uri.query().unwrap_or_default().to_owned();
        let query = query::parse(&raw_query);
        let mut state = sim.lock();
        let known = text(&headers, &PHONE).and_then(|token| state.web.browsers.whose(token));
        if known.is_none()
            && method == Method::GET
            && let Some(openid) = text(&headers, &REFERER).and_then(|page| state.web.browsers.behind(page))
        {
            let here = format!("{}{uri}", state.base_url);
            let door = super::browser::enter(sim, &mut state, &openid, &here)
                .map_err(|why| (StatusCode::INTERNAL_SERVER_ERROR, format!("{}\n", why.0)).into_response())?;
            return Err(redirect::to(&door));
        }
        let lang = language(query::get(&query, "lang"), text(&headers, &ACCEPT_LANGUAGE));
        let form = query::parse(&String::from_utf8_lossy(&body));
        Ok(Self { lang, raw_query, query, form, known })
    }
}

impl Visit {
    /// A parameter of the query that is there and not empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        query::get(&self.query, name).filter(|value| !value.is_empty())
    }

    /// Whether the form says yes.
    pub fn allows(&self) -> bool {
        query::get(&self.form, "answer") == Some("allow")
    }

    /// The openid of whose answer the form is: the phone's owner, or who was picked, and is met if new. Absent if the
    /// name of somebody new is none.
    pub fn picked(&self, state: &mut State, app_id: &str) -> Option<String> {
        if self.known.is_some() {
            return self.known.clone();
        }
        let field = |name| query::get(&self.form, name).unwrap_or_default().trim();
        let chosen = field("as");
        if state.people.get(chosen).is_some() {
            return Some(chosen.to_owned());
        }
        let name = field("name");
        let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        if chosen != "new" || !fits || name.chars().any(char::is_control) {
            return None;
        }
        let openid = ids::openid(app_id, name);
        state.people.meet(&openid, name);
        Some(openid)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The parameter decides if it names one of the two, then the first language of the browser; WeChat is Chinese.
fn language(parameter: Option<&str>, accepted: Option<&str>) -> Lang {
    let known = |tag: &str| {
        let tag = tag.trim().to_ascii_lowercase();
        if tag.starts_with("zh") || tag == "cn" {
            Some(Lang::Zh)
        } else {
            tag.starts_with("en").then_some(Lang::En)
        }
    };
    let of_browser = |accepted: &str| accepted.split(',').find_map(known).unwrap_or(Lang::En);
    parameter.and_then(known).or_else(|| accepted.map(of_browser)).unwrap_or(Lang::Zh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_page() {
        assert_eq!(language(Some("cn"), Some("en")), Lang::Zh);
        assert_eq!(language(Some("en"), Some("zh-CN")), Lang::En);
        assert_eq!(language(Some("fr"), Some("de, zh-TW;q=0.9, en;q=0.8")), Lang::Zh);
        assert_eq!(language(None, Some("de")), Lang::En);
        assert_eq!(language(None, None), Lang::Zh);
    }
}
