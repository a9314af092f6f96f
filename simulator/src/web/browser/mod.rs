//! The browser inside a phone. A page cannot show another one in a frame with another `User-Agent`, so each person
//! gets a door to each origin: a reverse proxy on a port of its own, through which the origin sees WeChat's browser
//! with this person's cookies.

mod headers;
mod jar;
mod proxy;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{COOKIE, USER_AGENT};
use tokio::task::AbortHandle;

use crate::http::{self, Target};
use crate::ids;
use crate::state::{Sim, State};
use jar::Jar;
use proxy::Door;

/// Doors that are open at the same time; the oldest closes for another one.
const MOST_DOORS: usize = 64;
/// How long the first of two requests of a callback may take.
const PREFETCH_LIMIT: Duration = Duration::from_secs(5);

/// Why an address cannot be opened, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed(pub String);

/// The doors that are open, and everyone's cookies.
#[derive(Debug, Default)]
pub struct Browsers {
    doors: VecDeque<Open>,
    /// By openid and host: as in every browser, ports share their cookies.
    jars: BTreeMap<(String, String), Jar>,
}

#[derive(Debug)]
struct Open {
    door: Arc<Door>,
    task: AbortHandle,
}

/// Its connections close with it.
impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Browsers {
    /// Whose phone sends this token.
    pub fn whose(&self, token: &str) -> Option<String> {
        self.doors.iter().find(|open| open.door.token == token).map(|open| open.door.openid.clone())
    }

    /// In whose phone this page is.
    pub fn behind(&self, page: &str) -> Option<String> {
        let page: Target = page.parse().ok()?;
        self.doors
            .iter()
            .find(|open| open.door.outside() == page.origin())
            .map(|open| open.door.openid.clone())
    }

    /// What a page in somebody's phone calls itself outside of it, origin or address.
    fn real_address(&self, openid: &str, address: &str) -> Option<String> {
        self.doors.iter().filter(|open| open.door.openid == openid).find_map(|open| {
            let rest = address.strip_prefix(&open.door.outside())?;
            let whole = rest.is_empty() || rest.starts_with('/');
            whole.then(|| format!("{}{rest}", open.door.origin.origin()))
        })
    }

    /// The `Cookie` header of a person's request to a host; absent without cookies.
    fn cookies(&self, openid: &str, host: &str, path: &str, now_ms: u64) -> Option<String> {
        self.jars.get(&(openid.to_owned(), host.to_owned()))?.header(path, now_ms)
    }

    /// Closes the doors of somebody who is gone, and drops their cookies.
    pub fn forget(&mut self, openid: &str) {
        self.doors.retain(|open| open.door.openid != openid);
        self.jars.retain(|(owner, _), _| owner != openid);
    }

    /// The person's cookies for a host.
    fn jar(&mut self, openid: &str, host: &str) -> &mut Jar {
        self.jars.entry((openid.to_owned(), host.to_owned())).or_default()
    }

    /// The port of the person's door to an origin; it opens if it is not.
    fn door(&mut self, sim: &Arc<Sim>, openid: &str, origin: &Target, language: &str) -> io::Result<u16> {
        let same = |open: &&Open| open.door.openid == openid && open.door.origin.origin() == origin.origin();
        if let Some(open) = self.doors.iter().find(same) {
            return Ok(open.door.port);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let door = Arc::new(Door {
            sim: Arc::downgrade(sim),
            openid: openid.to_owned(),
            origin: origin.clone(),
            port,
            token: ids::media_id(),
            agent: agent(language),
        });
        let task = tokio::spawn(proxy::serve(listener, Arc::clone(&door))).abort_handle();
        if self.doors.len() == MOST_DOORS {
            self.doors.pop_front();
        }
        self.doors.push_back(Open { door, task });
        Ok(port)
    }
}

/// The address by which the person's phone shows `url`.
///
/// # Errors
/// No URL of the web, another machine that nobody confirmed, or no port is free.
pub fn enter(sim: &Arc<Sim>, state: &mut State, openid: &str, url: &str) -> Result<String, Closed> {
    let url = at_home(url, &state.base_url);
    let origin: Target = url.parse().map_err(|error: http::TargetError| Closed(error.to_string()))?;
    if !sim.options.permit(&origin) {
        let why = "only pages of this machine are opened, and those of a target that --allow-remote lets in";
        return Err(Closed(why.to_owned()));
    }
    let language = state.people.get(openid).map_or("zh_CN", |person| &person.language).to_owned();
    let port = state
        .web
        .browsers
        .door(sim, openid, &origin, &language)
        .map_err(|error| Closed(format!("no port on 127.0.0.1: {error}")))?;
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.find(['/', '?', '#']).and_then(|start| rest.get(start..)).unwrap_or_default();
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Ok(format!("http://127.0.0.1:{port}{slash}{rest}"))
}

/// The pages that WeChat itself shows are the simulator's.
fn at_home(url: &str, base_url: &str) -> String {
    let wechat = [("open.weixin.qq.com", "/connect/"), ("mp.weixin.qq.com", "/mp/subscribemsg")];
    for (host, path) in wechat {
        let rest =
            ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme)?.strip_prefix(host));
        if let Some(rest) = rest.filter(|rest| rest.starts_with(path)) {
            return format!("{base_url}{rest}");
        }
    }
    url.to_owned()
}

/// Requests a page once, as WeChat's client does with some callbacks before it shows them; with the cookies of the
/// person whose phone it is. What comes back, nobody looks at.
pub async fn prefetch(sim: &Sim, openid: Option<&str>, url: &str) {
    let Ok(target) = url.parse::<Target>() else { return };
    if !sim.options.permit(&target) {
        return;
    }
    let path = target.path_with("");
    let cookies = openid
        .and_then(|openid| sim.lock().web.browsers.cookies(openid, target.host(), &path, sim.clock.now_ms()));
    let request = Request::get(path).header(USER_AGENT, agent("zh_CN"));
    let request = cookies.into_iter().fold(request, |request, cookies| request.header(COOKIE, cookies));
    if let Ok(request) = request.body(Full::<Bytes>::default()) {
        let _ = http::send(&target, request, PREFETCH_LIMIT).await;
    }
}

/// What WeChat's browser on a phone calls itself.
fn agent(language: &str) -> String {
    format!(
        "Mozilla/5.0 (Linux; Android 14; wx-sim Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
         Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20240404 MMWEBID/1 \
         MicroMessenger/8.0.50.2701(0x28003255) WeChat/arm64 Weixin NetType/WIFI Language/{language} ABI/arm64"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechats_own_pages_are_the_simulators() {
        let base = "http://127.0.0.1:8788";
        let authorize = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=1#wechat_redirect";
        assert_eq!(
            at_home(authorize, base),
            "http://127.0.0.1:8788/connect/oauth2/authorize?appid=1#wechat_redirect"
        );
        assert_eq!(
            at_home("https://mp.weixin.qq.com/mp/subscribemsg?a=1", base),
            format!("{base}/mp/subscribemsg?a=1")
        );
        for other in ["https://mp.weixin.qq.com/s/abc", "https://open.weixin.qq.com.evil.example/connect/"] {
            assert_eq!(at_home(other, base), other);
        }
    }
}
