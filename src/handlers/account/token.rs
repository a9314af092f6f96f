//! The access token and the tickets of the account, each fetched once for all who ask.

use std::pin::Pin;

use super::AccountObject;
use crate::gateway::send::{self, LARGEST_JSON, SendError, collect, outbound};
use crate::gateway::token::{Answer, Call, Lent, Loan, TokenFailure};
use crate::handlers::metrics;
use crate::log::Line;
use crate::platform::{Millis, Platform, Storage, Tables, Unreachable};
use crate::wechat::api::{ApiError, UNREADABLE, ticket, token};
use crate::wechat::{AppId, Secret};

/// What may work in a second is tried again after these times: to fetch a token twice does no harm …
const PAUSES: [Millis; 2] = [1_000, 2_000];
/// … but not once this has passed: somebody waits.
const PATIENCE: Millis = 5_000;

/// A token or ticket, and the seconds that it stays valid.
type Issued = Result<(String, u64), TokenFailure>;
/// What a token is fetched with.
type Credentials<'a> = (&'a AppId, &'a Secret);

impl<P: Platform, S: Storage + Tables> AccountObject<P, S> {
    /// The access token; `stale` is one that WeChat just refused.
    pub async fn token(&self, stale: Option<&str>) -> Result<String, TokenFailure> {
        self.note_asked();
        self.lend(Loan::Access, stale, None).await.map(|lent| lent.text)
    }

    /// Answers a [`Call`].
    pub(super) async fn token_call(&self, call: Call) -> String {
        let answer = match call {
            Call::Report => {
                let report = self.state.borrow().report(self.platform.now());
                return crate::json::text(&report);
            }
            Call::Borrow(loan) => {
                self.note_asked();
                self.lend(loan, None, None).await
            }
            Call::Refresh { force } => self.lend(Loan::Access, None, Some(force)).await,
        };
        serde_json::to_string(&answer).unwrap_or_default()
    }

    /// When the token has to be renewed without being asked for.
    pub(super) fn token_wakes(&self) -> Option<Millis> {
        let state = self.state.borrow();
        self.app.config.credentials(&state.of)?;
        state.wakes()
    }

    /// Renews the token. What goes wrong is logged and stored; the alarm rings again.
    pub(super) async fn renew_token(&self) {
        let _ = self.lend(Loan::Access, None, None).await;
    }

    /// Lends one.
    ///
    /// 1. one that lives, and is not the stale one, is given out; so is a refusal of a short while ago
    /// 2. whoever comes during a fetch waits for it
    /// 3. otherwise one is fetched, stored, and given to all who wait
    ///
    /// `refresh` leaves out the first step; `Some(true)`: by force. Boxed, because who fetches a ticket needs a token.
    fn lend<'a>(
        &'a self,
        loan: Loan,
        stale: Option<&'a str>,
        refresh: Option<bool>,
    ) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
        Box::pin(async move {
            let [access, jsapi, wx_card] = &self.flights;
            let flight = match loan {
                Loan::Access => access,
                Loan::Jsapi => jsapi,
                Loan::WxCard => wx_card,
            };
            loop {
                let known = self.state.borrow().held(loan).known(stale, self.platform.now());
                if let Some(known) = known.filter(|_| refresh.is_none()) {
                    return known;
                }
                let waiting = match flight.board() {
                    Ok(lead) => {
                        let answer = self.settle(loan, stale, refresh).await;
                        lead.land(&answer);
                        return answer;
                    }
                    Err(waiting) => waiting,
                };
                match waiting.await {
                    // Fetched for somebody who did not know that WeChat refuses it.
                    Ok(Ok(lent)) if stale == Some(lent.text.as_str()) => {}
                    // Not what was ordered.
                    Ok(_) if refresh == Some(true) => {}
                    Ok(answer) => return answer,
                    // Whoever fetched it went away.
                    Err(_) => {}
                }
            }
        })
    }

    /// Fetches one, stores what came of it, and says so in the log and the counters.
    async fn settle(&self, loan: Loan, stale: Option<&str>, refresh: Option<bool>) -> Answer {
        let issued = match loan {
            Loan::Access => self.fetch_token(stale, refresh == Some(true)).await,
            Loan::Jsapi | Loan::WxCard => self.fetch_ticket(loan).await,
        };
        let now = self.platform.now();
        if let Err(failure) = &issued
            && *failure != TokenFailure::TooOften
        {
            let reason = format!("{}: {failure} {}", loan.name(), failure.advice().unwrap_or_default());
            let is_mini = !self.state.borrow().of.is_empty();
            let reason = if is_mini { of_mini(&reason) } else { reason };
            self.platform.log(&Line::error("token.failed", reason.trim_end()));
        }
        let answer = {
            let mut state = self.state.borrow_mut();
            let held = state.held_mut(loan);
            match issued {
                Ok((text, seconds)) => {
                    held.fetched(&text, seconds, stale, now);
                    Ok(Lent { text, expires: held.expires })
                }
                // Nothing was asked of WeChat.
                Err(failure @ (TokenFailure::NotConfigured | TokenFailure::TooOften)) => return Err(failure),
                Err(failure) => {
                    held.failed(failure.clone(), now);
                    // The one before may live for five more minutes; but whoever ordered a new one wants to know.
                    held.last(stale, now).filter(|_| refresh.is_none()).ok_or(failure)
                }
            }
        };
        self.store();
        if let Err(Unreachable(reason)) = self.set_alarm() {
            self.platform.log(&Line::warn("token.no_alarm", reason));
        }
        answer
    }

    /// The access token from WeChat, by force if `stale` is what it gives out.
    async fn fetch_token(&self, stale: Option<&str>, force: bool) -> Issued {
        let of = self.state.borrow().of.clone();
        let account = self.app.config.credentials(&of).ok_or(TokenFailure::NotConfigured)?;
        if force {
            return if self.may_force() {
                self.ask_token(account, true).await
            } else {
                Err(TokenFailure::TooOften)
            };
        }
        let issued = self.ask_token(account, false).await?;
        if stale == Some(issued.0.as_str()) && self.may_force() {
            return self.ask_token(account, true).await;
        }
        Ok(issued)
    }

    /// Asks WeChat for the token. What may have passed in a second is tried again, unless it is forced: those are few.
    async fn ask_token(&self, account: Credentials<'_>, force: bool) -> Issued {
        let begun = self.platform.now();
        let mut pauses = PAUSES.into_iter();
        loop {
            let outcome = self.ask_token_once(account, force).await;
            let passing = outcome.as_ref().is_err_and(TokenFailure::is_passing);
            let again = passing && !force && self.platform.now() < begun + PATIENCE;
            if let Some(pause) = pauses.next().filter(|_| again) {
                self.platform.sleep(pause).await;
                continue;
            }
            let name = match &outcome {
                Ok(_) if force => "forced",
                Ok(_) => "fetched",
                Err(TokenFailure::Unreachable(_)) => "unreachable",
                Err(_) => "refused",
            };
            metrics::count(&self.platform, &self.app, "wxapi_token_refreshes_total", &[("outcome", name)]);
            return outcome;
        }
    }

    async fn ask_token_once(&self, (app_id, secret): Credentials<'_>, force: bool) -> Issued {
        let request = token::stable_token(app_id, secret, force);
        let request = outbound(&self.app.config.wechat_api, &request, None);
        let unreachable = |Unreachable(reason)| TokenFailure::Unreachable(reason);
        let inflow = self.platform.fetch(request).await.map_err(unreachable)?;
        let answer = collect(inflow, LARGEST_JSON).await.map_err(unreachable)?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let issued = token::parse(text).map_err(refused)?;
        Ok((issued.access_token.expose().to_owned(), issued.expires_in))
    }

    /// A ticket from WeChat, and one more try if it refuses the token.
    async fn fetch_ticket(&self, loan: Loan) -> Issued {
        let request = ticket::get(loan.name());
        let base = &self.app.config.wechat_api;
        let Lent { text: token, .. } = self.lend(Loan::Access, None, None).await?;
        let mut outcome = send::once(&self.platform, base, &request, &token, 0).await;
        if send::refused_token(&outcome) {
            let Lent { text: token, .. } = self.lend(Loan::Access, Some(&token), None).await?;
            outcome = send::once(&self.platform, base, &request, &token, 0).await;
        }
        metrics::count_call(&self.platform, &self.app, &outcome);
        let answer = outcome.map_err(|error| match error {
            SendError::Token(failure) => failure,
            SendError::Unknown(reason) => TokenFailure::Unreachable(reason),
            SendError::Refused(error) => refused(error),
        })?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let issued = ticket::parse(text).map_err(refused)?;
        Ok((issued.ticket.expose().to_owned(), issued.expires_in))
    }

    /// Whether a token may be forced now. It counts once it is stored: a crash must not make room for more.
    fn may_force(&self) -> bool {
        self.state.borrow_mut().may_force(self.platform.now()) && self.store()
    }

    /// Somebody uses the account.
    fn note_asked(&self) {
        let noted = self.state.borrow_mut().note_asked(self.platform.now());
        if noted && self.store() {
            // A token that nobody had asked for in a day is renewed again.
            let _ = self.set_alarm();
        }
    }

    fn store(&self) -> bool {
        let json = serde_json::to_string(&*self.state.borrow()).unwrap_or_default();
        let stored = self.storage.save(&json);
        if let Err(Unreachable(reason)) = &stored {
            self.platform.log(&Line::warn("token.not_stored", reason));
        }
        stored.is_ok()
    }
}

/// The same words about the Mini Program and its settings.
pub fn of_mini(words: &str) -> String {
    ["Mini Program: ", &words.replace("APP_", "MINI_APP_")].concat()
}

/// What WeChat's answer to the request for a token means; an answer without sense is none.
fn refused(error: ApiError) -> TokenFailure {
    match error.errcode {
        UNREADABLE => TokenFailure::Unreachable(error.into_words()),
        _ => TokenFailure::Refused(error),
    }
}
