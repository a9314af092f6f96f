//! The part of a login that happens in the chat: what one user's object does with a word or a scan.

use std::cell::RefCell;
use std::rc::Rc;

use super::{call_login, offer, write};
use crate::chat::rule::reply;
use crate::config::Config;
use crate::handlers::{App, ask_unionid, rules};
use crate::log::Line;
use crate::login::client::{self, Client};
use crate::login::code::{TYPED_LIFETIME, halves};
use crate::login::desk::{Desk, Given, Pending};
use crate::login::method::Method;
use crate::login::origin;
use crate::login::session::{Call, Claimed, Confirmer, Fault, Reply};
use crate::login::subject::Who;
use crate::login::text::{Site, Texts};
use crate::login::words::{self, By, Scanned, Word};
use crate::platform::{Millis, Platform, Storage, Unreachable};
use crate::wechat::message::{Inbound, Message};
use crate::wechat::reply::{Reply as Passive, TEXT_LIMIT};
use crate::wechat::{AppId, OpenId};

/// What `inbound` means to a login; `None` if nothing, and always where no website may log people in.
pub fn word(config: &Config, inbound: &Inbound) -> Option<Word> {
    if !config.login.is_on() {
        return None;
    }
    let allowed = |method: Method| config.login.abilities.allowed.contains(&method);
    words::of(inbound).filter(|word| match word {
        Word::Code(_) | Word::Bare(_) => allowed(Method::Code),
        Word::Scanned(scanned) => allowed(method_of(scanned.by)),
        Word::How => allowed(Method::Code) || allowed(Method::Typed),
        Word::Yes(_) | Word::Number(_) | Word::No | Word::Out => true,
    })
}

/// The user whose login an event concerns.
pub fn addressee<'a>(config: &Config, inbound: &'a Inbound) -> Option<&'a OpenId> {
    let event = matches!(inbound.message, Message::Event(_));
    let ours = event && !inbound.from.as_str().is_empty() && word(config, inbound).is_some();
    ours.then_some(&inbound.from)
}

fn method_of(by: By) -> Method {
    match by {
        By::Scene => Method::Scene,
        By::Menu => Method::Menu,
    }
}

/// What is said to a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// This.
    Text(String),
    /// Nothing.
    Nothing,
    /// It was no word of ours after all.
    NotOurs,
}

/// The logins of one user, beside their conversation.
pub struct Chat<P: Platform, S: Storage> {
    platform: P,
    storage: S,
    app: Rc<App>,
    /// What was stored; `None` until somebody needs it. Most messages need it not.
    desk: RefCell<Option<Desk>>,
}

impl<P: Platform, S: Storage> Chat<P, S> {
    /// Nothing is read yet.
    pub fn new(platform: P, storage: S, app: Rc<App>) -> Self {
        Self { platform, storage, app, desk: RefCell::default() }
    }

    /// Answers a word of `user`'s. `may_log_in`: nobody else can have sent it.
    ///
    /// 1. a word that means nothing now is left to the conversation
    /// 2. a message that anybody may have sent is refused
    /// 3. it is carried out at the attempt's object; what came of it is remembered and put into words
    pub async fn answer(&self, word: Word, user: &OpenId, may_log_in: bool) -> Result<Said, Unreachable> {
        let desk = self.read()?;
        let pending = desk.pending.as_ref();
        let ours = match &word {
            Word::Bare(_) => may_log_in && desk.listens(),
            Word::Yes(_) | Word::No => pending.is_some(),
            Word::Number(_) => pending.is_some_and(|pending| pending.choices.is_some()),
            Word::Out => desk.last.is_some() || pending.is_some(),
            Word::Code(_) | Word::Scanned(_) | Word::How => true,
        };
        if !ours {
            return Ok(Said::NotOurs);
        }
        let follows = matches!(&word, Word::Scanned(scanned) if scanned.follows);
        let said = if may_log_in { self.carry_out(word, user, desk).await? } else { self.refuse() };
        Ok(match said {
            // Whoever has just begun to follow is asked first, and welcomed below.
            Said::Text(text) if follows => Said::Text(self.with_welcome(text)),
            said => said,
        })
    }

    /// The account's own welcome stands below, if it is a text and there is room for it.
    fn with_welcome(&self, text: String) -> String {
        let book = rules::at_hand(&self.app);
        let own = book.welcome.as_ref().and_then(reply::of);
        let welcome = match own {
            Some(Passive::Text { content }) => content,
            Some(_) => return text,
            None => self.app.config.rules.texts.welcome(),
        };
        let both = format!("{text}\n\n{welcome}");
        if both.len() > TEXT_LIMIT { text } else { both }
    }

    async fn carry_out(&self, word: Word, user: &OpenId, desk: Desk) -> Result<Said, Unreachable> {
        match (word, desk.pending) {
            (Word::Code(code), _) => self.code(&code, user, Said::Nothing).await,
            (Word::Bare(code), _) => self.code(&code, user, Said::NotOurs).await,
            (Word::Scanned(scanned), _) => {
                let Scanned { by, login, token, .. } = scanned;
                self.claim(login, user, method_of(by), Some(token)).await
            }
            (Word::How, _) => self.how(user, desk.given).await,
            (Word::Yes(number), Some(pending)) => self.confirm(pending, number).await,
            (Word::Number(number), Some(pending)) => self.confirm(pending, Some(number)).await,
            (Word::No, Some(pending)) => self.deny(pending).await,
            (Word::Out, Some(pending)) if desk.last.is_none() => self.deny(pending).await,
            (Word::Out, _) => self.revoke().await,
            (Word::Yes(_) | Word::Number(_) | Word::No, None) => Ok(Said::NotOurs),
        }
    }

    fn refuse(&self) -> Said {
        let texts = self.texts();
        let encrypted = self.app.config.keys.as_ref().is_some_and(|keys| keys.current.is_some());
        let (reason, text) = if encrypted || self.app.config.login.plain_mode {
            ("its timestamp is more than 5 minutes away", texts.stale())
        } else {
            let reason = "it came in plain mode: set ENCODING_AES_KEY, or LOGIN_IN_PLAIN_MODE for a test";
            (reason, texts.not_encrypted())
        };
        self.platform.log(&Line::warn("login.message_refused", reason));
        Said::Text(text)
    }

    /// The digits of a page. What is nobody's is answered `otherwise` once nobody listens any more.
    async fn code(&self, code: &str, user: &OpenId, otherwise: Said) -> Result<Said, Unreachable> {
        if !self.read()?.listens() {
            return Ok(otherwise);
        }
        if let Some(login) = offer::find_code(&self.platform, code).await? {
            return self.claim(login, user, Method::Code, None).await;
        }
        let last = self.change(Desk::missed)?;
        Ok(match otherwise {
            Said::NotOurs => Said::NotOurs,
            _ if last => Said::Text(self.texts().too_many_misses()),
            _ => Said::Text(self.texts().unknown_code()),
        })
    }

    /// They show who they are to an attempt, and are asked whether they mean it.
    async fn claim(
        &self,
        login: String,
        user: &OpenId,
        by: Method,
        token: Option<String>,
    ) -> Result<Said, Unreachable> {
        let texts = self.texts();
        let Some(who) = self.who(user).await else { return Ok(Said::Text(texts.unavailable())) };
        let call = Call::Claim { who: who.clone(), by, token };
        let Claimed { client, place, number, choices, strict } =
            match call_login(&self.platform, &login, &call).await? {
                Ok(Reply::Claimed(claimed)) => claimed,
                Err(Fault::Gone | Fault::Stale) => return Ok(Said::Text(texts.expired())),
                Err(Fault::Taken) => {
                    // Two people with one code: one of them may have guessed it.
                    self.change(Desk::missed)?;
                    return Ok(Said::Text(texts.taken()));
                }
                _ => return Ok(Said::Text(texts.over())),
            };
        let shown = (choices.is_none() && !strict).then_some(number);
        let text = texts.confirm(&self.site(&client), &place, choices, shown);
        let question = Pending { login, client, who, number, choices, strict, ends: 0 };
        self.change(|desk, now| desk.ask(question, now))?;
        Ok(Said::Text(text))
    }

    async fn confirm(&self, pending: Pending, number: Option<u8>) -> Result<Said, Unreachable> {
        let texts = self.texts();
        if number.is_none() && pending.choices.is_some() {
            // A yes without a number would be a wrong number to the attempt.
            return Ok(Said::Text(texts.question(pending.choices)));
        }
        let call = Call::Confirm { by: Confirmer::Person(pending.who.clone()), number };
        let answer = call_login(&self.platform, &pending.login, &call).await?;
        let (site, again) = (self.site(&pending.client), self.read()?.has_confirmed(&pending));
        let text = match answer {
            Ok(_) if pending.strict => texts.type_number(&site, pending.number),
            Ok(_) => texts.confirmed(&site),
            // By now the website has what it asked for.
            Err(_) if again => texts.confirmed(&site),
            Err(Fault::Wrong { .. }) => texts.wrong_number(),
            Err(Fault::Gone) => texts.expired(),
            Err(_) => texts.over(),
        };
        self.change(|desk, now| if answer.is_ok() { desk.confirmed(now) } else { desk.answered(now) })?;
        Ok(Said::Text(text))
    }

    async fn deny(&self, pending: Pending) -> Result<Said, Unreachable> {
        let call = Call::Deny { by: Confirmer::Person(pending.who.clone()) };
        let answer = call_login(&self.platform, &pending.login, &call).await?;
        let too_late = answer.is_err() && self.read()?.has_confirmed(&pending);
        self.change(|desk, now| {
            desk.answered(now);
            desk.last.take_if(|last| !too_late && last.login == pending.login);
        })?;
        let texts = self.texts();
        Ok(Said::Text(match too_late {
            true => texts.too_late_to_cancel(&self.site(&pending.client)),
            false => texts.cancelled(),
        }))
    }

    async fn revoke(&self) -> Result<Said, Unreachable> {
        let Some(last) = self.read()?.last else { return Ok(Said::NotOurs) };
        let call = Call::Revoke { who: last.who };
        let answer = call_login(&self.platform, &last.login, &call).await?;
        self.change(Desk::revoked)?;
        let (texts, site) = (self.texts(), self.site(&last.client));
        Ok(Said::Text(match answer {
            Err(Fault::Gone) => texts.too_late_to_revoke(&site),
            // A fault says that nobody is logged in by it, because it was denied or taken back before.
            _ => texts.revoked(&site),
        }))
    }

    /// `登录` alone: letters to type on the page, in place of those that were given last; or how it works.
    async fn how(&self, user: &OpenId, given: Option<Given>) -> Result<Said, Unreachable> {
        let texts = self.texts();
        if !self.app.config.login.abilities.allowed.contains(&Method::Typed) {
            return Ok(Said::Text(texts.how()));
        }
        let Some(who) = self.who(user).await else { return Ok(Said::Text(texts.unavailable())) };
        if let Some(given) = given {
            offer::take_code(&self.platform, &given.code).await?;
        }
        let Some(code) = offer::give_code(&self.platform, &who).await? else {
            return Ok(Said::Text(texts.unavailable()));
        };
        let text = texts.given(&halves(&code));
        self.change(|desk, now| desk.given = Some(Given { code, ends: now + TYPED_LIFETIME }))?;
        Ok(Said::Text(text))
    }

    /// Who the user is to websites. Messages do not tell a unionid, so it is asked for where people are known by it.
    async fn who(&self, user: &OpenId) -> Option<Who> {
        let config = &self.app.config;
        let unionid = if config.login.by_unionid { Some(self.unionid(user).await?) } else { None };
        Some(Who::Wechat { app_id: AppId::new(config.app_id.as_str()), openid: user.clone(), unionid })
    }

    async fn unionid(&self, user: &OpenId) -> Option<OpenId> {
        let reason = match ask_unionid(&self.platform, &self.app, user).await {
            Ok(Some(unionid)) => return Some(unionid),
            Ok(None) => "WeChat tells none: the account is not bound to an Open Platform owner".to_owned(),
            Err(error) => error.to_string(),
        };
        self.platform.log(&Line::error("login.no_unionid", reason));
        None
    }

    fn texts(&self) -> Texts {
        Texts { lang: self.app.config.rules.texts.lang }
    }

    fn site(&self, client: &str) -> Site {
        let known = client::by_id(&self.app.config.login.clients, client);
        known.map_or_else(|| Site { name: client.to_owned(), host: String::new() }, site_of)
    }

    /// Deletes what says something about the user; the letters that they were given stand for nobody any more.
    pub fn forget(&self) -> Result<(), Unreachable> {
        let given = self.read()?.given;
        self.change(|desk, _| desk.forget())?;
        if let Some(Given { code, .. }) = given {
            let platform = self.platform.clone();
            self.platform.spawn(async move {
                // Should it fail, they end within minutes.
                let _ = offer::take_code(&platform, &code).await;
            });
        }
        Ok(())
    }

    /// Whether nothing is left that is worth a row in the storage. What is too old is deleted.
    pub fn is_empty(&self) -> Result<bool, Unreachable> {
        if !self.app.config.login.is_on() {
            return Ok(true);
        }
        self.change(|desk, _| desk.is_empty())
    }

    /// When the alarm should ring for what was read or written in this life, milliseconds.
    pub fn ends(&self) -> Option<Millis> {
        self.desk.borrow().as_ref().and_then(Desk::ends)
    }

    fn read(&self) -> Result<Desk, Unreachable> {
        let mut desk = self.stored()?;
        desk.expire(self.platform.now());
        Ok(desk)
    }

    fn stored(&self) -> Result<Desk, Unreachable> {
        if let Some(desk) = &*self.desk.borrow() {
            return Ok(desk.clone());
        }
        let desk: Desk = super::read(&self.platform, &self.storage, "desk.unreadable")?.unwrap_or_default();
        self.desk.replace(Some(desk.clone()));
        Ok(desk)
    }

    /// One change, stored. What cannot be stored did not happen.
    fn change<T>(&self, step: impl FnOnce(&mut Desk, Millis) -> T) -> Result<T, Unreachable> {
        let now = self.platform.now();
        let before = self.stored()?;
        let mut next = before.clone();
        next.expire(now);
        let result = step(&mut next, now);
        if next != before {
            if next.is_empty() {
                self.storage.delete()?;
            } else {
                self.storage.save(&write(&next)?)?;
            }
            self.desk.replace(Some(next));
        }
        Ok(result)
    }
}

/// A website as people read it: the name and the address that were registered, not what a request says.
fn site_of(client: &Client) -> Site {
    let addresses = client.origins.iter().chain(&client.redirect_uris);
    let origin = addresses.filter_map(|address| origin::of(address)).next();
    Site { name: client.name.clone(), host: origin.map(origin::host).unwrap_or_default().to_owned() }
}
