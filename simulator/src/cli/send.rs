//! `wx-sim send` and `wx-sim event`: one push, and what the user sees of it.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::confirm::confirmed_hosts;
use super::dev::TARGET;
use super::vars::Vars;
use super::{Ending, Trouble, Voice, report};
use crate::control::Inbox;
use crate::control::click::ClickReport;
use crate::control::send::{self, FullVoice, SendReport, SendRequest};
use crate::http::Target;
use crate::push::checks::Check;
use crate::push::deliver::{self, Outcome};
use crate::push::envelope::Mode;
use crate::push::message::{self, Link, Location};
use crate::query;
use crate::state::Options;

/// How a push is delivered.
#[derive(Debug, Args)]
pub struct Delivery {
    /// Who does it: any name, always the same openid
    #[arg(long = "as", value_name = "NAME", default_value = "xiaoming")]
    pub person: String,
    /// Encryption, as chosen in the console [default: aes with ENCODING_AES_KEY, else plain]
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Your callback URL [default: that of the running `wx-sim dev`, else http://127.0.0.1:8787/wechat]
    #[arg(long, value_name = "URL")]
    pub target: Option<Target>,
    /// Wait so many seconds for the next customer-service message
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u32,
    /// The port of a running `wx-sim dev`; 0: do all by itself [default: 8788 if one runs there, else 0]
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    vars: Vars,
    /// Let the message go to another machine, after you have typed its name (a running `wx-sim dev` has its own flag)
    #[arg(long)]
    allow_remote: bool,
}

/// What is sent: a text, or one of the others.
#[derive(Debug, Args)]
#[group(id = "kind", required = true, multiple = false, args = ["text", "image", "voice", "link", "location"])]
pub struct Send {
    /// The text
    text: Option<String>,
    /// A picture
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// A recording
    #[arg(long, value_name = "FILE")]
    voice: Option<PathBuf>,
    /// What WeChat's speech recognition understood of the recording
    #[arg(long, value_name = "TEXT", requires = "voice")]
    recognition: Option<String>,
    /// A link
    #[arg(long, num_args = 3, value_names = ["TITLE", "DESCRIPTION", "URL"])]
    link: Option<Vec<String>>,
    /// A place
    #[arg(long, value_name = "LAT,LON,LABEL", value_parser = parse_location, allow_hyphen_values = true)]
    location: Option<Location>,
    #[command(flatten)]
    delivery: Delivery,
}

/// What happens.
#[derive(Debug, Args)]
pub struct Event {
    /// subscribe, unsubscribe, click, scan, view, or any other event by its own name
    kind: String,
    /// The menu key (click), the scene (scan; for subscribe: of the code that led here), or the URL (view)
    key: Option<String>,
    #[command(flatten)]
    delivery: Delivery,
}

impl Send {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        let request = SendRequest {
            text: self.text,
            image: self.image.as_deref().map(base64_of).transpose()?,
            voice: self.voice.as_deref().map(|file| recording(file, self.recognition.clone())).transpose()?,
            link: self.link.and_then(link),
            location: self.location,
            ..SendRequest::default()
        };
        self.delivery.run(request, voice).await
    }
}

impl Event {
    pub async fn run(self, voice: Voice) -> Result<Ending, Trouble> {
        if ["click", "scan", "view"].contains(&self.kind.as_str()) && self.key.is_none() {
            return Err(Trouble(format!("{}: what? wx-sim event {0} KEY", self.kind)));
        }
        let event = message::Event { kind: self.kind, key: self.key, ..message::Event::default() };
        self.delivery.run(SendRequest { event: Some(event), ..SendRequest::default() }, voice).await
    }
}

impl Delivery {
    /// 1. Finds a server. 2. Lets it deliver. 3. Says what the user sees. 4. Waits for what is pushed later.
    pub async fn run(self, request: SendRequest, voice: Voice) -> Result<Ending, Trouble> {
        let mini = request.mini;
        let (client, before) = self.begin(mini).await?;
        let request = SendRequest {
            person: Some(self.person.clone()),
            mode: self.mode,
            target: self.target.as_ref().map(ToString::to_string),
            ..request
        };
        report::sending(voice, &self.person, &request, self.mode.unwrap_or(client.mode));
        let sent: SendReport = client.post("/_sim/send", &request).await?;
        report::sent(voice, &sent);
        if self.target.is_some() && !client.is_alone() && turned_away(&sent) {
            report::sealed_elsewhere(voice);
        }
        self.wait(&client, &before, mini, voice).await?;
        ending(&sent, client.is_alone())
    }

    /// The same for what is no message at first: a tap, a scan. `what` says it in words.
    pub async fn tap(
        &self,
        path: &str,
        request: &impl Serialize,
        what: &str,
        voice: Voice,
    ) -> Result<Ending, Trouble> {
        let (client, before) = self.begin(false).await?;
        report::doing(voice, &self.person, what, self.mode.unwrap_or(client.mode));
        let tapped: ClickReport = client.post(path, request).await?;
        report::tapped(voice, &tapped);
        self.show(&client, &tapped, voice).await;
        self.wait(&client, &before, false, voice).await?;
        let reports = tapped.report.iter().chain(&tapped.followed);
        let endings: Vec<_> =
            reports.map(|sent| ending(sent, client.is_alone())).collect::<Result<_, _>>()?;
        if endings.contains(&Ending::Bad) { Ok(Ending::Bad) } else { Ok(Ending::Good) }
    }

    /// Where the page that opened can be seen as the phone shows it, if it is one that the phone can show.
    async fn show(&self, client: &Client, tapped: &ClickReport, voice: Voice) {
        let Some(url) = tapped.open.as_ref().filter(|_| !client.is_alone()) else { return };
        let page = client.post::<Value>("/_sim/browser", &json!({ "as": self.person, "url": url })).await;
        if let Ok(page) = page {
            report::in_phone(voice, page.get("url").and_then(Value::as_str).unwrap_or_default());
        }
    }

    async fn begin(&self, mini: bool) -> Result<(Client, Inbox), Trouble> {
        let options = || {
            let default: Target = TARGET.parse()?;
            let target = self.target.as_ref().unwrap_or(&default);
            let confirmed_hosts = confirmed_hosts(target, self.allow_remote)?;
            Ok(Options { target: Some(default), confirmed_hosts, ..Options::default() })
        };
        let client = Client::find_or_start(self.port, &self.vars, options).await?;
        let before = client.get(&inbox_path(&self.person, mini, u64::MAX, 0)).await?;
        Ok((client, before))
    }

    async fn wait(&self, client: &Client, before: &Inbox, mini: bool, voice: Voice) -> Result<(), Trouble> {
        let wait_ms = u64::from(self.wait) * 1000;
        let after: Inbox = client.get(&inbox_path(&self.person, mini, before.newest, wait_ms)).await?;
        report::pushed(voice, &after, self.wait);
        Ok(())
    }
}

/// Whether the callback seems to know another Token than the one that signed.
fn turned_away(sent: &SendReport) -> bool {
    sent.deliveries.iter().all(|delivery| matches!(delivery.status, Some(401 | 403)))
}

fn ending(sent: &SendReport, alone: bool) -> Result<Ending, Trouble> {
    let refused = |delivery: &deliver::Delivery| delivery.outcome == Outcome::Refused;
    if let Some(last) = sent.deliveries.last().filter(|_| sent.deliveries.iter().all(refused)) {
        let why = last.error.as_deref().unwrap_or_default();
        let hint = if alone { " (is `npm run dev`, or your backend, running?)" } else { "" };
        return Err(Trouble(format!("no connection: {why}{hint}")));
    }
    let kept = |check: &Check| check.ok;
    if !sent.error_line && sent.checks.iter().all(kept) { Ok(Ending::Good) } else { Ok(Ending::Bad) }
}

fn inbox_path(person: &str, mini: bool, after: u64, wait_ms: u64) -> String {
    let (after, wait_ms) = (after.to_string(), wait_ms.to_string());
    format!(
        "/_sim/inbox?{}",
        query::write(&[
            ("as", person),
            ("mini", if mini { "true" } else { "false" }),
            ("after", &after),
            ("wait_ms", &wait_ms)
        ])
    )
}

fn recording(file: &Path, recognition: Option<String>) -> Result<send::Voice, Trouble> {
    let format = file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    Ok(send::Voice::Full(FullVoice { data: base64_of(file)?, format, recognition }))
}

pub fn base64_of(file: &Path) -> Result<String, Trouble> {
    let bytes = fs::read(file).map_err(|error| Trouble(format!("{}: {error}", file.display())))?;
    Ok(STANDARD.encode(bytes))
}

fn link(values: Vec<String>) -> Option<Link> {
    let [title, description, url] = values.try_into().ok()?;
    Some(Link { title, description, url })
}

pub fn parse_location(text: &str) -> Result<Location, String> {
    let mut parts = text.splitn(3, ',');
    let mut degrees = || parts.next()?.trim().parse::<f64>().ok().filter(|degrees| degrees.is_finite());
    let (Some(lat), Some(lon)) = (degrees(), degrees()) else {
        return Err("a place is LAT,LON,LABEL, as 39.9,116.4,天安门".to_owned());
    };
    Ok(Location { lat, lon, label: parts.next().unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let label = "天安门, 北京".to_owned();
        assert_eq!(
            parse_location("39.9,-116.4,天安门, 北京"),
            Ok(Location { lat: 39.9, lon: -116.4, label })
        );
        assert!(parse_location("39.9").is_err() && parse_location("a,b,c").is_err());
        assert!(parse_location("NaN,1,x").is_err());
    }
}
