//! Where pushes come from and go to.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::http::Target;
use crate::platform::ApiReply;
use crate::platform::api::{Call, text, with};
use crate::platform::errcode::Errcode;

const NO_URL: Errcode = Errcode(40201);
const ACTION: Errcode = Errcode(40202);
const OPERATOR: Errcode = Errcode(40203);

/// Patience with a name server, and with each address.
const PATIENCE: Duration = Duration::from_secs(5);

/// A look at the callback that is to be taken when the state is free again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    target: Target,
    dns: bool,
    ping: bool,
    operator: String,
}

/// `POST /cgi-bin/callback/check?access_token=…`
pub fn check(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (dns, ping) = match text(&asked, "action") {
        "dns" => (true, false),
        "ping" => (false, true),
        "all" => (true, true),
        _ => return Err(ACTION),
    };
    let operator = match text(&asked, "check_operator") {
        "DEFAULT" => "CAP",
        operator @ ("CHINANET" | "UNICOM" | "CAP") => operator,
        _ => return Err(OPERATOR),
    };
    let target = call.target.cloned().ok_or(NO_URL)?;
    Ok(ApiReply::Probe(Probe { target, dns, ping, operator: operator.to_owned() }))
}

impl Probe {
    /// Resolves the callback's name, and connects to each address: a program without rights cannot send the `ping`
    /// that WeChat sends.
    pub async fn run(&self) -> Value {
        let addresses = timeout(PATIENCE, self.target.addresses()).await.ok().and_then(Result::ok);
        let addresses: BTreeSet<_> = addresses.unwrap_or_default().into_iter().collect();
        let mut found = json!({});
        if self.dns {
            let entry = |address: &IpAddr| json!({ "ip": address, "real_operator": "OTHER" });
            found = with(found, "dns", addresses.iter().map(entry).collect::<Vec<_>>());
        }
        if self.ping {
            let mut entries = Vec::new();
            for address in addresses {
                entries.push(self.ping(address).await);
            }
            found = with(found, "ping", entries);
        }
        found
    }

    async fn ping(&self, address: IpAddr) -> Value {
        let begin = Instant::now();
        let connected = timeout(PATIENCE, TcpStream::connect((address, self.target.port()))).await;
        let loss = if matches!(connected, Ok(Ok(_))) { "0%" } else { "100%" };
        let time = format!("{:.3}ms", begin.elapsed().as_secs_f64() * 1000.0);
        json!({ "ip": address, "from_operator": self.operator, "package_loss": loss, "time": time })
    }
}

/// `GET /cgi-bin/getcallbackip?access_token=…` and `GET /cgi-bin/get_api_domain_ip?access_token=…`: this machine.
pub fn addresses(_: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    Ok(ApiReply::Json(json!({ "ip_list": ["127.0.0.1", "127.0.0.0/8"] })))
}
