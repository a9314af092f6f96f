//! How the pages look: one sheet each, as WeChat shows them, drawn by ourselves.

use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::avatar;
use super::html::{Html, html};
use super::visit::Visit;
use crate::lang::Lang;
use crate::state::State;

/// No `form-action`: what follows an answer is a redirect to the app, and from there anywhere. WeChat's script shows
/// the QR code in a frame of the website, so this machine may frame it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
                      connect-src 'self'; base-uri 'none'; \
                      frame-ancestors 'self' http://127.0.0.1:* http://localhost:*";
/// So many people can be picked; others by their name.
const MOST_PEOPLE: usize = 50;
/// Who is met first when there is nobody yet: whom the command line takes, too.
const FIRST_NAME: &str = "xiaoming";

/// A page with a title, which is not repeated in the body, and the body.
pub fn page(lang: Lang, title: &str, body: &Html) -> Response {
    let markup = html!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/web/style.css\"></head><body><main>{}\
         <p class=\"hint middle\">{}</p></main></body></html>",
        lang.pick("zh-CN", "en"),
        title,
        body,
        lang.pick("wx-sim 模拟的页面，不是微信", "A page simulated by wx-sim, not WeChat"),
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, markup.into_string()).into_response()
}

/// A page that only says something, under a mark as `!`.
pub fn notice(lang: Lang, mark: &str, title: &str, text: &str, hint: &str) -> Response {
    let body = html!(
        "<div class=\"middle\"><div class=\"mark\" aria-hidden=\"true\">{}</div><h1>{}</h1><p>{}</p>\
         <p class=\"hint\">{}</p></div>",
        mark,
        title,
        text,
        hint
    );
    page(lang, title, &body)
}

/// A page that asks, with a form that is answered by `allow` or `refuse`.
#[derive(Debug)]
pub struct Question<'a> {
    /// Who asks: the AppID.
    pub app_id: &'a str,
    /// What it is about.
    pub title: &'a str,
    /// More about it.
    pub text: &'a str,
    /// What stands between the text and the form.
    pub above: Option<Html>,
    /// Words on the buttons: yes, and no, if one can say no.
    pub buttons: (&'a str, Option<&'a str>),
    /// Whether the last answer named nobody.
    pub again: bool,
}

impl Question<'_> {
    /// The page, with a choice of people unless it is known who looks.
    pub fn show(&self, visit: &Visit, state: &State) -> Response {
        let lang = visit.lang;
        let (yes, no) = self.buttons;
        let refuse =
            no.map(|no| html!("<button type=\"submit\" name=\"answer\" value=\"refuse\">{}</button>", no));
        let body = html!(
            "<p class=\"app\"><img alt=\"\" src=\"{}\">{}</p><h1>{}</h1><p class=\"quiet\">{}</p>{}\
             <form method=\"post\" action=\"?{}\">{}\
             <button class=\"first\" type=\"submit\" name=\"answer\" value=\"allow\">{}</button>{}</form>",
            avatar::path(self.app_id),
            self.app_id,
            self.title,
            self.text,
            self.above,
            visit.raw_query,
            self.who(visit, state),
            yes,
            refuse
        );
        let mut response = page(lang, self.title, &body);
        if self.again {
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
        response
    }

    fn who(&self, visit: &Visit, state: &State) -> Html {
        let lang = visit.lang;
        if let Some(openid) = &visit.known {
            let nickname = state.people.get(openid).map(|person| person.nickname.as_str());
            let picture = avatar::path(openid);
            let name = nickname.unwrap_or(openid);
            return html!("<p class=\"person\"><img alt=\"\" src=\"{}\"><span>{}</span></p>", picture, name);
        }
        let mut people: Vec<_> = state.people.iter().collect();
        people.sort_by_key(|(_, person)| person.number);
        people.truncate(MOST_PEOPLE);
        let nobody = people.is_empty();
        let choices: Html = people
            .into_iter()
            .enumerate()
            .map(|(index, (openid, person))| choice(openid, &person.nickname, index == 0))
            .collect();
        let alert = lang.pick(
            "请选择一个人，或填写新名字（不超过 32 个字）",
            "Pick somebody, or write a new name of at most 32 characters",
        );
        let alert = self.again.then(|| html!("<p class=\"alert\" role=\"alert\">{}</p>", alert));
        html!(
            "{}<fieldset><legend>{}</legend>{}{}</fieldset>",
            alert,
            lang.pick("这部手机是谁的？", "Whose phone is this?"),
            choices,
            somebody_new(lang, nobody)
        )
    }
}

fn choice(openid: &str, nickname: &str, first: bool) -> Html {
    html!(
        "<label class=\"person\"><input type=\"radio\" name=\"as\" value=\"{}\"{}><img alt=\"\" src=\"{}\">\
         <span>{}</span></label>",
        openid,
        first.then(|| html!(" checked")),
        avatar::path(openid),
        nickname
    )
}

fn somebody_new(lang: Lang, only: bool) -> Html {
    html!(
        "<div class=\"person\"><input type=\"radio\" name=\"as\" value=\"new\" id=\"new\"{}>\
         <label for=\"new\">{}</label><input type=\"text\" name=\"name\" maxlength=\"32\" autocomplete=\"off\" \
         aria-label=\"{}\" value=\"{}\"></div>",
        only.then(|| html!(" checked")),
        lang.pick("新的人", "Someone new"),
        lang.pick("新的人的名字", "Name of someone new"),
        if only { FIRST_NAME } else { "" }
    )
}
