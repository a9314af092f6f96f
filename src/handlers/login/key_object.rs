//! The keys that sign tokens: one object makes them, keeps them, and alone has their private halves.

use std::cell::RefCell;

use futures_channel::oneshot;
use serde::Serialize;

use super::{understand, write};
use crate::log::Line;
use crate::login::keys::{Call, Key, Ring, Signed, Unsigned};
use crate::login::token::{self, Kind};
use crate::platform::{Algorithm, Platform, Storage, Unreachable};

/// One object in memory.
pub struct KeyObject<P: Platform, S: Storage> {
    platform: P,
    storage: S,
    ring: RefCell<Ring>,
    /// Those who wait for the key that is being made; `None` if none is.
    waiting: RefCell<Option<Vec<oneshot::Sender<()>>>>,
}

/// A key is being made. However that ends, whoever waits goes on.
struct Making<'a>(&'a RefCell<Option<Vec<oneshot::Sender<()>>>>);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.take();
    }
}

impl<P: Platform, S: Storage> KeyObject<P, S> {
    /// The object, with what it stored. Keys that cannot be read are set aside: with new ones people can log in again,
    /// and only tokens that live anyway for half an hour are lost.
    pub fn new(platform: P, storage: S) -> Result<Self, Unreachable> {
        let ring = match storage.load()? {
            None => Ring::default(),
            Some(json) => match crate::json::from_str(&json) {
                Ok(ring) => ring,
                Err(_) => {
                    storage.set_aside(&json)?;
                    platform.log(&Line::error("keys.unreadable", "set aside; new ones are made"));
                    Ring::default()
                }
            },
        };
        Ok(Self { platform, storage, ring: RefCell::new(ring), waiting: RefCell::default() })
    }

    /// A [`Call`] as JSON; the answer is JSON.
    pub async fn call(&self, call: &str) -> Result<String, Unreachable> {
        match understand(call, "a call to the object with the keys")? {
            Call::Shown { algorithms } => {
                for algorithm in algorithms {
                    self.prepare(algorithm).await?;
                }
                write(&self.ring.borrow().shown())
            }
            Call::Sign(unsigned) => write(&self.sign(*unsigned).await?),
        }
    }

    /// Both tokens of one login: the ID token names the access token, so that comes first.
    async fn sign(&self, unsigned: Unsigned) -> Result<Signed, Unreachable> {
        let Unsigned { algorithm, mut id, access } = unsigned;
        self.prepare(algorithm).await?;
        let key = self.ring.borrow().signer(algorithm, self.platform.now()).cloned();
        let key = key.ok_or_else(|| Unreachable("there is no key to sign by".to_owned()))?;
        let access_token = match access {
            Some(claims) => Some(self.token(Kind::Access, &key, &claims).await?),
            None => None,
        };
        id.at_hash = access_token.as_deref().map(token::at_hash);
        Ok(Signed { id_token: self.token(Kind::Id, &key, &id).await?, access_token })
    }

    async fn token<T: Serialize>(&self, kind: Kind, key: &Key, claims: &T) -> Result<String, Unreachable> {
        let input = token::signing_input(kind, key.algorithm, &key.kid, &crate::json::of(claims));
        let signature = self.platform.sign(key.algorithm, &key.private, input.as_bytes()).await?;
        Ok(token::signed(&input, &signature))
    }

    /// Does what is due, so that afterwards there is a key that signs.
    ///
    /// 1. old keys are dropped
    /// 2. whoever comes while a key is made waits, and looks again
    /// 3. otherwise a key is made and stored; without it the old one goes on signing
    async fn prepare(&self, algorithm: Algorithm) -> Result<(), Unreachable> {
        let now = self.platform.now();
        let mut ring = self.ring.borrow().clone();
        if ring.clean(now)
            && let Err(Unreachable(reason)) = self.keep(ring)
        {
            self.platform.log(&Line::warn("keys.not_dropped", reason));
        }
        while self.ring.borrow().due(algorithm, now).is_some() {
            let Some(made) = self.join() else {
                let outcome = self.make(algorithm, now).await;
                if let Err(Unreachable(reason)) = &outcome {
                    self.platform.log(&Line::error("keys.not_made", reason));
                }
                let signs = self.ring.borrow().signer(algorithm, now).is_some();
                return if signs { Ok(()) } else { outcome };
            };
            // It ends in an error when the maker is done, whatever came of it.
            let _ = made.await;
        }
        Ok(())
    }

    /// Joins those who wait for a key; `None` if nobody makes one, and the caller shall.
    fn join(&self) -> Option<oneshot::Receiver<()>> {
        let mut waiting = self.waiting.borrow_mut();
        let all = waiting.as_mut()?;
        let (sender, made) = oneshot::channel();
        all.push(sender);
        Some(made)
    }

    async fn make(&self, algorithm: Algorithm, now: u64) -> Result<(), Unreachable> {
        *self.waiting.borrow_mut() = Some(Vec::new());
        let _making = Making(&self.waiting);
        let pair = self.platform.make_key(algorithm).await?;
        let mut ring = self.ring.borrow().clone();
        let begins = ring.due(algorithm, now).unwrap_or(now);
        ring.add(algorithm, pair, begins).ok_or_else(|| Unreachable("this is no key".to_owned()))?;
        self.keep(ring)
    }

    /// A key that is not stored signs nothing: nobody could verify it after the object's life.
    fn keep(&self, ring: Ring) -> Result<(), Unreachable> {
        self.storage.save(&write(&ring)?)?;
        *self.ring.borrow_mut() = ring;
        Ok(())
    }
}
