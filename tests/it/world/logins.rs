//! The objects of a login in the world, and who watches them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use wxapi::handlers::login::code_object::CodeObject;
use wxapi::handlers::login::key_object::KeyObject;
use wxapi::handlers::login::login_object::LoginObject;
use wxapi::handlers::login::throttle_object::ThrottleObject;
use wxapi::handlers::metrics::MetricsObject;
use wxapi::platform::{Algorithm, KeyPair, Object, Unreachable, Watchers};

use super::{Disk, World, keys};

/// What the watchers of one login heard.
#[derive(Clone, Default)]
pub struct Heard(Rc<RefCell<Vec<String>>>);

impl Heard {
    pub fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Watchers for Heard {
    fn tell(&self, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }
}

type Named<T> = RefCell<HashMap<String, Rc<T>>>;

#[derive(Default)]
pub struct Logins {
    logins: Named<LoginObject<World, Disk, Heard>>,
    codes: Named<CodeObject<World, Disk>>,
    throttles: Named<ThrottleObject<World, Disk>>,
    keys: Named<KeyObject<World, Disk>>,
    heard: RefCell<HashMap<String, Heard>>,
    flooded: Cell<bool>,
    /// Whom the limiter at the edge has counted.
    limited: RefCell<Vec<String>>,
    made: Cell<usize>,
    /// Calls of all objects so far.
    called: RefCell<Vec<Object>>,
    /// A class that cannot be reached; and whether that is said, or nothing comes back.
    cut_off: Cell<Option<(Object, bool)>>,
}

impl Logins {
    /// Every object dies; what watchers heard stays.
    pub fn clear(&self) {
        self.logins.borrow_mut().clear();
        self.codes.borrow_mut().clear();
        self.throttles.borrow_mut().clear();
        self.keys.borrow_mut().clear();
    }

    /// The limiter at the edge counts `key`; whether it refuses it.
    pub fn is_flooded(&self, key: &str) -> bool {
        self.limited.borrow_mut().push(key.to_owned());
        self.flooded.get()
    }

    pub fn make_key(&self, algorithm: Algorithm) -> KeyPair {
        let number = self.made.get();
        self.made.set(number + 1);
        keys::make(algorithm, number)
    }
}

/// Where an object's disk is.
fn disk_name(object: Object, name: &str) -> String {
    format!("{object:?} {name}")
}

impl World {
    /// From now on the limiter at the edge refuses everybody.
    pub fn flood(&self) {
        self.0.logins.flooded.set(true);
    }

    /// Whom the limiter at the edge has counted so far.
    pub fn limited(&self) -> Vec<String> {
        self.0.logins.limited.borrow().clone()
    }

    /// The classes of the objects that were called with JSON so far, one for each call.
    pub fn object_calls(&self) -> Vec<Object> {
        self.0.logins.called.borrow().clone()
    }

    /// From now on no object of this class can be called; whoever calls is told so, or waits for ever.
    pub fn cut_off(&self, object: Option<(Object, bool)>) {
        self.0.logins.cut_off.set(object);
    }

    /// What the watchers of a login heard.
    pub fn heard(&self, login: &str) -> Heard {
        self.0.logins.heard.borrow_mut().entry(login.to_owned()).or_default().clone()
    }

    /// The storage of an object of the login.
    pub fn disk_behind(&self, object: Object, name: &str) -> Disk {
        self.disk_of(&disk_name(object, name))
    }

    /// The object of one login, as `edge` has it.
    pub fn login_object(&self, name: &str) -> Rc<LoginObject<World, Disk, Heard>> {
        if let Some(login) = self.0.logins.logins.borrow().get(name) {
            return Rc::clone(login);
        }
        let disk = self.disk_behind(Object::Login, name);
        let login = LoginObject::new(self.clone(), disk, self.heard(name), Rc::clone(&self.0.app)).unwrap();
        self.0.logins.logins.borrow_mut().insert(name.to_owned(), Rc::clone(&login));
        login
    }

    pub async fn call_object(&self, object: Object, name: &str, body: &str) -> Result<String, Unreachable> {
        let disk = || self.disk_behind(object, name);
        let logins = &self.0.logins;
        logins.called.borrow_mut().push(object);
        match logins.cut_off.get().filter(|(class, _)| *class == object) {
            Some((_, true)) => return Err(Unreachable("cut off".to_owned())),
            Some((_, false)) => return std::future::pending().await,
            None => {}
        }
        match object {
            // Boxed, because such an object calls others.
            Object::Login => Box::pin(self.login_object(name).call(body)).await,
            Object::Code => {
                named(&logins.codes, name, || CodeObject::new(self.clone(), disk()).unwrap()).call(body)
            }
            Object::Throttle => {
                named(&logins.throttles, name, || ThrottleObject::new(self.clone(), disk()).unwrap())
                    .call(body)
            }
            Object::Key => {
                named(&logins.keys, name, || KeyObject::new(self.clone(), disk()).unwrap()).call(body).await
            }
            // Boxed, because such an object calls others.
            Object::Account => {
                self.0.account_calls.set(self.0.account_calls.get() + 1);
                if self.0.account_silent.get() {
                    return std::future::pending().await;
                }
                Box::pin(self.account(name).call(body)).await
            }
            Object::Metrics => MetricsObject::new(disk()).unwrap().call(body),
            Object::MiniUser => Box::pin(self.call_mini_user(name, body)).await,
            Object::Session => self.user(name).call(body),
        }
    }

    /// Rings the alarm of an object of the login; `false` if the disk is nobody's of them.
    pub fn login_alarm(&self, disk: &str) -> bool {
        let Some((object, name)) = disk.split_once(' ') else { return false };
        let logins = &self.0.logins;
        match object {
            "Login" => self.login_object(name).alarm().unwrap(),
            "Code" => {
                let storage = self.disk_of(disk);
                named(&logins.codes, name, || CodeObject::new(self.clone(), storage).unwrap())
                    .alarm()
                    .unwrap();
            }
            "Throttle" => {
                let storage = self.disk_of(disk);
                let new = || ThrottleObject::new(self.clone(), storage).unwrap();
                named(&logins.throttles, name, new).alarm().unwrap();
            }
            "MiniUser" => self.mini_user(name).alarm().unwrap(),
            _ => return false,
        }
        true
    }
}

fn named<T>(all: &Named<T>, name: &str, new: impl FnOnce() -> T) -> Rc<T> {
    Rc::clone(all.borrow_mut().entry(name.to_owned()).or_insert_with(|| Rc::new(new())))
}
