//! The only code that names `worker::`: the fetch entry, the Durable Objects, the AI binding.

use worker::{Context, Env, Request, Response, Result, event};

/// The Worker's entry.
#[event(fetch)]
async fn fetch(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    Response::ok("hello")
}
