//! Checking a callback URL as the console does when it is saved, and what the console does not check: whether the
//! callback is content with anything that merely looks like WeChat.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html>

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use wxapi::wechat::signature;
use wxapi::wechat::xml::parse_xml;

use crate::account::Account;
use crate::http::{self, Answer, Failure, Target};
use crate::ids;
use crate::phone::Bubble;
use crate::push::checks::Check;
use crate::push::deliver::{self, DELIVERIES, Delivered, LIMIT, Order, Outcome};
use crate::push::envelope::{self, Mode, NoKey, Sealed, Stamp, Tamper};
use crate::push::message::{self, Content, Head};
use crate::query;

/// What is to be checked.
#[derive(Debug)]
pub struct Verification<'a> {
    /// The settings that the callback should have, too.
    pub account: &'a Account,
    /// The callback URL.
    pub target: &'a Target,
    /// The mode in which it should be.
    pub mode: Mode,
    /// The time, in milliseconds since 1970.
    pub wall_ms: u64,
}

/// Runs every check, in the order in which they make sense.
///
/// # Errors
/// [`NoKey`] in compat and aes mode without an EncodingAESKey.
pub async fn verify(order: &Verification<'_>) -> Result<Vec<Check>, NoKey> {
    let mut checks = order.check_url().await;
    // Nothing listens there: the rest would only say so again.
    if checks.iter().any(|check| check.rule == "reachable") {
        return Ok(checks);
    }
    checks.extend(order.check_message().await?);
    let plain =
        [("wrong_signature", Some(Tamper::Signature)), ("unsigned", None), ("stale", Some(Tamper::Stale))];
    for (rule, tamper) in plain {
        checks.push(order.check_refusal(rule, tamper).await?);
    }
    if order.mode == Mode::Aes {
        checks.push(order.check_refusal("downgrade", Some(Tamper::Downgrade)).await?);
    }
    if order.mode != Mode::Plain {
        checks.push(order.check_refusal("other_app_id", Some(Tamper::AppId)).await?);
    }
    Ok(checks)
}

impl Verification<'_> {
    /// The GET: the echostr comes back as it is, any number of times, and not to strangers.
    async fn check_url(&self) -> Vec<Check> {
        // Over 2^53 and odd: whoever reads it as a floating-point number gives another one back.
        let echostr = (4_375_120_948_345_356_249 + self.wall_ms % 1_000_000 * 2).to_string();
        let good = self.verification_query(&echostr, false);
        let first = match self.get(&good).await {
            Ok(answer) => answer,
            Err(Failure::Refused(why)) => return vec![Check::new("reachable", false, why)],
            Err(failure) => return vec![Check::new("echostr", false, format!("{failure:?}"))],
        };
        let again = self.get(&good).await.is_ok_and(|again| again.status == 200 && again.body == first.body);
        let forged = self.get(&self.verification_query(&echostr, true)).await;
        let bare = self.get(&query::write(&[("echostr", &echostr)])).await;
        vec![
            Check::new("echostr", first.status == 200 && first.text() == echostr, brief(&first)),
            Check::new("echostr_again", again, if again { "the same" } else { "something else" }),
            keeps("echostr_forged", &echostr, forged),
            keeps("echostr_unsigned", &echostr, bare),
        ]
    }

    /// The POST: a good message is answered in time by the rules, and a duplicate of it alike.
    async fn check_message(&self) -> Result<Vec<Check>, NoKey> {
        let (openid, xml) = self.message(1);
        let sealed = envelope::seal(self.account, self.mode, None, &openid, &xml, &self.stamp())?;
        let first = self.deliver(&openid, &xml, sealed.clone(), DELIVERIES).await;
        let again = self.deliver(&openid, &xml, sealed, DELIVERIES).await;
        let mut checks = first.checks;
        let detail = format!("{}, then {}", look(&first.shown), look(&again.shown));
        checks.push(Check::new("duplicate", first.shown == again.shown, detail));
        Ok(checks)
    }

    /// A message that WeChat did not send, or not now: it must not be answered.
    async fn check_refusal(&self, rule: &str, tamper: Option<Tamper>) -> Result<Check, NoKey> {
        let number = rule.len() as u64 + 1;
        let (openid, xml) = self.message(number);
        let mut sealed = envelope::seal(self.account, self.mode, tamper, &openid, &xml, &self.stamp())?;
        if tamper.is_none() {
            sealed.query = query::write(&[("openid", &openid)]);
        }
        let Delivered { deliveries, .. } = self.deliver(&openid, &xml, sealed, 1).await;
        let outcome = deliveries.first().map_or(Outcome::Refused, |delivery| delivery.outcome);
        let status = deliveries.first().and_then(|delivery| delivery.status);
        let refused = matches!(outcome, Outcome::Status | Outcome::Success | Outcome::Cut);
        let detail = match status {
            Some(status) if refused => format!("status {status}, no reply"),
            Some(status) => format!("status {status}, with a reply"),
            None => format!("{outcome:?}").to_lowercase(),
        };
        Ok(Check::new(rule, refused, detail))
    }

    fn message(&self, number: u64) -> (String, String) {
        let openid = ids::openid(&self.account.app_id, "wx-sim verify");
        let head = Head {
            to: self.account.original_id.clone(),
            from: openid.clone(),
            create_time: self.wall_ms / 1000,
            msg_id: (self.wall_ms * 10_000 + number).to_string(),
        };
        let xml = message::write(&head, &Content::Text { text: "你好".to_owned(), menu_id: None });
        (openid, xml)
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(self.wall_ms / 1000)
    }

    async fn deliver(&self, openid: &str, xml: &str, sealed: Sealed, deliveries: u32) -> Delivered {
        let (target, openid, push) = (self.target.clone(), openid.to_owned(), parse_xml(xml).ok());
        let order = Order { target, sealed, mode: self.mode, openid, push, deliveries, limit: LIMIT };
        deliver::one_by_one(self.account, &order).await
    }

    fn verification_query(&self, echostr: &str, forged: bool) -> String {
        let stamp = self.stamp();
        verification_query(self.account, &stamp, echostr, forged)
    }

    async fn get(&self, query: &str) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = self.target.path_with(query).parse().unwrap_or_default();
        http::send(self.target, request, LIMIT).await
    }
}

/// The query of the console's GET.
pub fn verification_query(account: &Account, stamp: &Stamp, echostr: &str, forged: bool) -> String {
    let timestamp = stamp.timestamp.to_string();
    let token = if forged { "another token" } else { &account.token };
    let signature = signature::sign(&[token, &timestamp, &stamp.nonce]);
    query::write(&[
        ("signature", &signature),
        ("echostr", echostr),
        ("timestamp", &timestamp),
        ("nonce", &stamp.nonce),
    ])
}

/// A stranger does not get the echostr, whatever else they get.
fn keeps(rule: &str, echostr: &str, answer: Result<Answer, Failure>) -> Check {
    match answer {
        Ok(answer) => Check::new(rule, !answer.text().contains(echostr), brief(&answer)),
        Err(failure) => Check::new(rule, failure != Failure::Timeout, format!("{failure:?}")),
    }
}

fn brief(answer: &Answer) -> String {
    let text: String = answer.text().chars().take(40).collect();
    format!("status {}: {}", answer.status, text.escape_debug())
}

fn look(shown: &[Bubble]) -> String {
    shown.first().map_or_else(
        || "nothing".to_owned(),
        |bubble| {
            let text = bubble.readable(crate::lang::Lang::En).replace('\n', " ");
            text.chars().take(24).collect()
        },
    )
}
