//! The only code that names `worker::`: the fetch entry, the Durable Objects, the AI binding.

mod glue;
mod objects;
mod runtime;

use std::cell::OnceCell;
use std::convert::Infallible;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::{Context, Env, event};

use crate::config::Config;
use crate::handlers::{App, Intake, intake, route};
use crate::log::Line;
use crate::platform::{Opaque, Passage, Peer, Platform, Request, Response, Upload};
use runtime::Runtime;

thread_local! {
    /// What this isolate holds; read from the environment once.
    static APP: OnceCell<Rc<App>> = const { OnceCell::new() };
}

/// A panic's message goes to the log before wasm stops.
#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// The Worker's entry. It cannot fail as far as `worker` is concerned, whose own errors would be 3 kB of the bundle.
#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> Result<web_sys::Response, Infallible> {
    Ok(answer(&request, env.into()).await.unwrap_or_else(|error| {
        web_sys::console::error_1(&glue::reason(&error).into());
        glue::respond(500, "text/plain; charset=utf-8", Vec::new(), "INTERNAL SERVER ERROR")
    }))
}

async fn answer(request: &web_sys::Request, env: JsValue) -> Result<web_sys::Response, JsValue> {
    let runtime = Runtime::new(env);
    let app = app(&runtime);
    let request = read(request, &runtime).await?;
    let runtime = runtime.serving(&request.id);
    let response = route(request, &runtime, &app).await;
    respond(response, &runtime).await
}

/// The isolate's app. The first time, every fault in the configuration is logged.
fn app(runtime: &Runtime) -> Rc<App> {
    APP.with(|cell| {
        let app = cell.get_or_init(|| {
            let app = App::new(Config::load(|name| runtime.setting(name)));
            for problem in &app.config.problems {
                runtime
                    .log(&Line::error("config.problem", format_args!("{} {}", problem.name, problem.text)));
            }
            Rc::new(app)
        });
        Rc::clone(app)
    })
}

async fn read(request: &web_sys::Request, runtime: &Runtime) -> Result<Request, JsValue> {
    let head = glue::head(request);
    let (method, url) = head.split_once(' ').unwrap_or_default();
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    let (origin, path_and_query) = url.split_at(end);
    let path_and_query = path_and_query.split('#').next().unwrap_or_default();
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let (ray, headers, peer) = if path == CALLBACK { Default::default() } else { about(request) };
    let id = if ray.is_empty() { hex::encode(&runtime.random()[..8]) } else { ray };
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, length)| length.parse::<u64>().ok());
    let (mut body, mut upload) = (Vec::new(), None);
    match intake(path) {
        _ if matches!(method, "GET" | "HEAD" | "OPTIONS") => {}
        Intake::Passed(limit) if length.is_none_or(|length| length > limit as u64) => {
            let stream = glue::body_of(request);
            upload = (!stream.is_null()).then(|| Upload { length, body: Opaque(Rc::new(stream)) });
        }
        Intake::Passed(limit) | Intake::Whole(limit) => {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            body = js_sys::Uint8Array::from(glue::read_body(request, limit).await?).to_vec();
        }
    }
    Ok(Request {
        id,
        method: method.to_owned(),
        origin: origin.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        peer,
        body,
        upload,
    })
}

/// WeChat's messages come here. Nobody reads their headers, so they stay on JavaScript's side.
const CALLBACK: &str = "/wechat";

/// Cloudflare's name of the request, the headers that somebody reads, and the peer.
fn about(request: &web_sys::Request) -> (String, Vec<(String, String)>, Peer) {
    let mut flat = glue::about(request).into_iter();
    let mut next = || flat.next().unwrap_or_default();
    let ray = next();
    let peer = Peer { address: next(), country: next(), city: next() };
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
        headers.push((name, value));
    }
    (ray, headers, peer)
}

/// The response; or the WebSocket that the login's object makes of the request.
async fn respond(response: Response, runtime: &Runtime) -> Result<web_sys::Response, JsValue> {
    if let Some(watch) = &response.watch {
        return runtime.watch(watch).await;
    }
    let headers = response.headers.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    Ok(match response.passage {
        Some(Passage { content_type, first, rest }) => {
            let reader = rest.map_or(JsValue::UNDEFINED, |rest| runtime::reader_of(&rest));
            glue::pass_on(response.status, &content_type, headers, &first, &reader)
        }
        None => glue::respond(response.status, response.content_type, headers, &response.body),
    })
}
