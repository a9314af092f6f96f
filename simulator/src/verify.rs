//! Checking a callback URL as the console does when it is saved, and what the console does not check: whether the
//! callback is content with anything that merely looks like WeChat.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html>

use std::sync::Arc;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use wxapi::wechat::message::parse_document;
use wxapi::wechat::signature;

use crate::account::Account;
use crate::http::{self, Answer, Failure, Target};
use crate::ids;
use crate::phone::Bubble;
use crate::push::checks::{Check, is_nothing};
use crate::push::deliver::{self, DELIVERIES, Delivered, LIMIT, Order, Outcome, Way};
use crate::push::envelope::{self, Format, Mode, NoKey, Sealed, Stamp, Tamper};
use crate::push::message::{self, Content, Head};
use crate::query;

/// What is to be checked.
#[derive(Debug)]
pub struct Verification<'a> {
    /// The settings that the callback should have, too.
    pub account: &'a Arc<Account>,
    /// The callback URL.
    pub target: &'a Target,
    /// The mode in which it should be.
    pub mode: Mode,
    /// The notation of messages.
    pub format: Format,
    /// The time, in milliseconds since 1970.
    pub wall_ms: u64,
}

/// One line of the check list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A rule, and whether the callback keeps it.
    Checked(Check),
    /// The name of a rule that would say nothing, because what it builds on failed or is not there.
    Skipped(&'static str),
}

/// What keeps a callback from being checked at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Compat and aes mode need an EncodingAESKey.
    NoKey,
    /// Nothing listens there; what the system says of it.
    Unreachable(String),
}

impl From<NoKey> for Obstacle {
    fn from(_: NoKey) -> Self {
        Self::NoKey
    }
}

/// Runs every check, in the order in which they make sense.
///
/// # Errors
/// [`Obstacle`]: no key for the mode, or nobody who could answer.
pub async fn verify(order: &Verification<'_>) -> Result<Vec<Finding>, Obstacle> {
    let mut findings = order.check_url().await?;
    let (found, good) = order.check_message().await?;
    findings.extend(found);
    for (rule, tamper) in order.attacks() {
        // Whoever does not answer the good message either, as at a wrong URL, refuses nothing.
        let finding = match good {
            Some(good) => order.check_refusal(rule, tamper, good).await?,
            None => Finding::Skipped(rule),
        };
        findings.push(finding);
    }
    Ok(findings)
}

impl Verification<'_> {
    /// The GET: the echostr comes back as it is, any number of times, and not to strangers.
    async fn check_url(&self) -> Result<Vec<Finding>, Obstacle> {
        // Over 2^53 and odd: whoever reads it as a floating-point number gives another one back.
        let echostr = (4_375_120_948_345_356_249 + self.wall_ms % 1_000_000 * 2).to_string();
        let good = self.verification_query(&echostr, false);
        let first = match self.get(&good).await {
            Err(Failure::Refused(why)) => return Err(Obstacle::Unreachable(why)),
            first => first,
        };
        let echoed = |answer: &Answer| answer.status == 200 && answer.text() == echostr;
        let mut findings = vec![checked("echostr", first.as_ref().is_ok_and(echoed), brief(&first))];
        if !first.as_ref().is_ok_and(echoed) {
            findings.extend(["echostr_again", "echostr_forged", "echostr_unsigned"].map(Finding::Skipped));
            return Ok(findings);
        }
        let again = self.get(&good).await;
        let same = again.as_ref().is_ok_and(echoed);
        findings.push(checked(
            "echostr_again",
            same,
            if same { "the same".to_owned() } else { brief(&again) },
        ));
        let strangers = [
            ("echostr_forged", self.verification_query(&echostr, true)),
            ("echostr_unsigned", query::write(&[("echostr", &echostr)])),
        ];
        for (rule, query) in strangers {
            let answer = self.get(&query).await;
            findings.push(checked(rule, keeps(&echostr, &answer), brief(&answer)));
        }
        Ok(findings)
    }

    /// The POST: a good message is answered in time by the rules, and a duplicate of it alike. Also how the good
    /// message was answered, if it was.
    async fn check_message(&self) -> Result<(Vec<Finding>, Option<Outcome>), NoKey> {
        let (openid, xml) = self.message();
        let sealed = envelope::seal(self.account, self.mode, None, &openid, &xml, &self.stamp())?;
        let first = self.deliver(&openid, &xml, sealed.clone(), DELIVERIES).await;
        let good = first.deliveries.last().map(|delivery| delivery.outcome);
        let mut findings: Vec<_> = first.checks.into_iter().map(Finding::Checked).collect();
        if is_reply(&first.shown) {
            let again = self.deliver(&openid, &xml, sealed, DELIVERIES).await.shown;
            let same = first.shown == again;
            let differ = || format!("{}, then {}", look(&first.shown), look(&again));
            findings.push(checked("duplicate", same, if same { "the same".to_owned() } else { differ() }));
        } else {
            findings.push(Finding::Skipped("duplicate"));
        }
        Ok((findings, good.filter(|good| good.settles())))
    }

    /// What must be refused in this mode.
    fn attacks(&self) -> Vec<(&'static str, Tamper)> {
        let mut attacks = vec![
            ("wrong_signature", Tamper::Signature),
            ("unsigned", Tamper::Unsigned),
            ("stale", Tamper::Stale),
        ];
        if self.mode == Mode::Aes {
            attacks.push(("downgrade", Tamper::Downgrade));
        }
        if self.mode != Mode::Plain {
            attacks.push(("other_app_id", Tamper::AppId));
        }
        attacks
    }

    /// A message that WeChat did not send, or not now: it must be refused, where a good one is answered with `good`.
    async fn check_refusal(
        &self,
        rule: &'static str,
        tamper: Tamper,
        good: Outcome,
    ) -> Result<Finding, NoKey> {
        let (openid, xml) = self.message();
        let sealed = envelope::seal(self.account, self.mode, Some(tamper), &openid, &xml, &self.stamp())?;
        let Delivered { deliveries, .. } = self.deliver(&openid, &xml, sealed, 1).await;
        let delivery = deliveries.first();
        let body = delivery.and_then(|delivery| delivery.body.as_deref()).unwrap_or_default();
        let (refused, detail) = match delivery.and_then(|delivery| delivery.status) {
            // Nothing can be told from an empty body if a good message gets no reply either.
            Some(200) if body.is_empty() => (good == Outcome::Reply, "status 200, empty".to_owned()),
            Some(200) if is_nothing(body) => (false, "status 200, accepted without a reply".to_owned()),
            Some(200) => (false, "status 200, with a reply".to_owned()),
            Some(status) => ((400..500).contains(&status), format!("status {status}")),
            None => (false, "no answer".to_owned()),
        };
        Ok(checked(rule, refused, detail))
    }

    fn message(&self) -> (String, String) {
        let openid = ids::openid(&self.account.app_id, "wx-sim verify");
        let head = Head {
            to: self.account.original_id.clone(),
            from: openid.clone(),
            create_time: self.wall_ms / 1000,
            // Any number of 62 bits, the highest of them set.
            msg_id: (u64::from_le_bytes(ids::random_bytes()) >> 3 | 1 << 61).to_string(),
        };
        let text = Content::Text { text: "你好".to_owned(), menu_id: None };
        let document = match self.format {
            Format::Xml => message::write(&head, &text),
            Format::Json => message::write_json(&head, &text),
        };
        (openid, document)
    }

    fn stamp(&self) -> Stamp {
        Stamp::new(self.wall_ms / 1000)
    }

    async fn deliver(&self, openid: &str, document: &str, sealed: Sealed, deliveries: u32) -> Delivered {
        let (target, openid, push) = (self.target.clone(), openid.to_owned(), parse_document(document).ok());
        let order = Order {
            account: Arc::clone(self.account),
            target,
            sealed,
            mode: self.mode,
            openid,
            push,
            deliveries,
            limit: LIMIT,
            way: Way::default(),
        };
        deliver::one_by_one(&order, &|_| ()).await
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

fn checked(rule: &str, ok: bool, detail: impl Into<String>) -> Finding {
    Finding::Checked(Check::new(rule, ok, detail))
}

/// A stranger is answered, but does not get the echostr. A callback that breaks down over them keeps nothing.
fn keeps(echostr: &str, answer: &Result<Answer, Failure>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status < 500 && !answer.text().contains(echostr))
}

fn brief(answer: &Result<Answer, Failure>) -> String {
    match answer {
        Ok(answer) => {
            let text: String = answer.text().chars().take(40).collect();
            format!("status {}: {}", answer.status, text.escape_debug())
        }
        Err(Failure::Timeout) => "no answer in time".to_owned(),
        Err(Failure::Refused(why) | Failure::Cut(why)) => why.clone(),
    }
}

/// Whether the user sees a reply, not WeChat's error line.
fn is_reply(shown: &[Bubble]) -> bool {
    shown.first().is_some_and(|bubble| !matches!(bubble, Bubble::Error { .. }))
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
