//! The pages of articles, as readers see them: `GET /s/{id}[?idx=N]`.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::platform::draft::Article;
use crate::platform::media;
use crate::query;
use crate::state::Sim;

/// Whatever HTML the account wrote runs no script, loads nothing but pictures, and has an origin of its own.
const POLICY: &str = "sandbox allow-popups; default-src 'none'; img-src * data:; style-src 'unsafe-inline'";

const STYLE: &str = "body{max-width:42em;margin:0 auto;padding:1.5em 1em 3em;font:17px/1.6 system-ui,sans-serif;\
color:#191919;background:#fff}h1{font-size:1.3em;line-height:1.4;margin:0 0 .6em}.by{color:#767676;font-size:15px;\
margin:0 0 1.5em}img{max-width:100%;height:auto}";

/// Serves one article: of something published, or of a draft, as a preview.
pub async fn handle(
    State(sim): State<Arc<Sim>>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let pairs = query::parse(&raw.unwrap_or_default());
    let number = query::get(&pairs, "idx").map_or(Some(1), |text| text.parse().ok());
    let index = number.and_then(|number: usize| number.checked_sub(1));
    let state = sim.lock();
    let article = index.and_then(|index| state.drafts.article(&id, index));
    let (status, page) = match article {
        Some(article) => (StatusCode::OK, page(article, &state.base_url)),
        None => (StatusCode::NOT_FOUND, frame("该内容已被发布者删除", "<p>该内容已被发布者删除</p>")),
    };
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, page).into_response()
}

fn page(article: &Article, base_url: &str) -> String {
    let Article { title, author, content, content_source_url, .. } = article;
    let mut body = format!("<h1>{}</h1><p class=\"by\">{}</p>", escape(title), escape(author));
    // Writing to a text cannot fail.
    for id in article.images() {
        let _ = write!(body, "<p><img src=\"{}\" alt=\"\"></p>", escape(&media::url(base_url, id)));
    }
    let _ = match article.article_type.as_str() {
        "newspic" => write!(body, "<p>{}</p>", escape(content)),
        _ => write!(body, "<div>{content}</div>"),
    };
    if content_source_url.starts_with("http://") || content_source_url.starts_with("https://") {
        let href = escape(content_source_url);
        let _ = write!(body, "<p><a href=\"{href}\" target=\"_blank\" rel=\"noopener\">阅读原文</a></p>");
    }
    frame(title, &body)
}

fn frame(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style><main>{body}</main></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
