//! The only code that names `worker::`: the fetch entry, the Durable Objects, the AI binding.

mod glue;
mod objects;
mod runtime;

use std::cell::OnceCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use worker::{Context, Env, event};

use crate::config::Config;
use crate::handlers::{App, route};
use crate::log::Line;
use crate::platform::{Platform, Request, Response};
use crate::wechat::callback::BODY_LIMIT;
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

/// The Worker's entry.
#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> Result<web_sys::Response, worker::Error> {
    let runtime = Runtime::new(env.into());
    let app = app(&runtime);
    let response = route(read(&request).await?, &runtime, &app).await;
    Ok(respond(&response))
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

async fn read(request: &web_sys::Request) -> Result<Request, JsValue> {
    let head = glue::head(request);
    let (method, url) = head.split_once(' ').unwrap_or_default();
    let path_and_query = url.splitn(4, '/').nth(3).unwrap_or_default();
    let path_and_query = path_and_query.split('#').next().unwrap_or_default();
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let body = if method == "POST" {
        let limit = u32::try_from(BODY_LIMIT).unwrap_or(u32::MAX);
        js_sys::Uint8Array::from(glue::read_body(request, limit).await?).to_vec()
    } else {
        Vec::new()
    };
    Ok(Request { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), body })
}

fn respond(response: &Response) -> web_sys::Response {
    glue::respond(response.status, response.content_type, &response.body)
}
