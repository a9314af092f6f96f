//! The codes that were made.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::ids;
use crate::platform::errcode::{self, Errcode};

/// Permanent codes of an account.
const PERMANENT: usize = 100_000;
/// Temporary codes kept, expired ones too, so that a scan of one can be told what it is; the oldest go first.
const KEPT: usize = 10_000;

/// What a code says, and the account hears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Scene {
    /// A number.
    Number(u32),
    /// Words.
    Text(String),
}

impl fmt::Display for Scene {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// What its picture is had for.
    pub ticket: String,
    /// What is in the picture.
    pub url: String,
    /// What the account hears.
    pub scene: Scene,
    /// When it expires: simulated milliseconds since 1970. Never without it.
    #[serde(rename = "expires_ms")]
    pub until_ms: Option<u64>,
}

impl Code {
    /// A code that lives so many seconds, or for ever.
    fn new(scene: Scene, life_s: Option<u64>, now_ms: u64) -> Self {
        let url = format!("http://weixin.qq.com/q/{}", URL_SAFE_NO_PAD.encode(ids::random_bytes::<15>()));
        let ticket = ticket(&url, life_s.unwrap_or(0), now_ms / 1000);
        Self { ticket, url, scene, until_ms: life_s.map(|life_s| now_ms + life_s * 1000) }
    }

    /// Whether it can still be scanned.
    pub fn is_live(&self, now_ms: u64) -> bool {
        self.until_ms.is_none_or(|until_ms| now_ms < until_ms)
    }
}

/// A ticket as WeChat's: in base64 with `+`, `/` and `=`, so that nobody forgets to escape it in a URL. It has the
/// code's URL in it, when it was made and how long it lives.
fn ticket(url: &str, life_s: u64, now_s: u64) -> String {
    let low = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default().to_le_bytes();
    let mut bytes = vec![0x81];
    bytes.extend(ids::random_bytes::<4>());
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 1, u8::try_from(url.len() + 1).unwrap_or(u8::MAX)]);
    bytes.extend(url.as_bytes());
    bytes.extend([0, 2, 4]);
    bytes.extend(low(now_s));
    bytes.extend([3, 4]);
    bytes.extend(low(life_s));
    STANDARD.encode(bytes)
}

/// Every code of the account, and its short keys.
#[derive(Debug, Default)]
pub struct QrCodes {
    permanent: BTreeMap<Scene, Code>,
    temporary: VecDeque<Code>,
    /// Short keys.
    pub short_keys: super::ShortKeys,
}

impl QrCodes {
    /// A code for ever: the same one for the same scene.
    ///
    /// # Errors
    /// 45029 when the account has 100 000 of them.
    pub fn add_permanent(&mut self, scene: Scene, now_ms: u64) -> Result<&Code, Errcode> {
        if self.permanent.len() >= PERMANENT && !self.permanent.contains_key(&scene) {
            return Err(errcode::TOO_MANY_CODES);
        }
        Ok(self.permanent.entry(scene.clone()).or_insert_with(|| Code::new(scene, None, now_ms)))
    }

    /// A new code for so many seconds.
    pub fn add_temporary(&mut self, scene: Scene, life_s: u64, now_ms: u64) -> Code {
        if self.temporary.len() == KEPT {
            self.temporary.pop_front();
        }
        let code = Code::new(scene, Some(life_s), now_ms);
        self.temporary.push_back(code.clone());
        code
    }

    /// Temporary ones first, the newest before the others.
    fn all(&self) -> impl Iterator<Item = &Code> {
        self.temporary.iter().rev().chain(self.permanent.values())
    }

    /// Those that can be scanned now.
    pub fn live(&self, now_ms: u64) -> impl Iterator<Item = &Code> {
        self.all().filter(move |code| code.is_live(now_ms))
    }

    /// The code of a ticket.
    pub fn by_ticket(&self, ticket: &str) -> Option<&Code> {
        self.all().find(|code| code.ticket == ticket)
    }

    /// The code with this URL in it.
    pub fn by_url(&self, url: &str) -> Option<&Code> {
        self.all().find(|code| code.url == url)
    }

    /// The newest code of a scene.
    pub fn by_scene(&self, scene: &str) -> Option<&Code> {
        self.all().find(|code| code.scene.to_string() == scene)
    }

    /// A scene as `qr_scene` and `qr_scene_str` have it: what no code of words says is a number if it looks like one.
    pub fn number_or_text<'a>(&self, scene: &'a str) -> (u32, &'a str) {
        let words = matches!(self.by_scene(scene), Some(Code { scene: Scene::Text(_), .. }));
        match scene.parse() {
            Ok(number) if !words => (number, ""),
            _ => (0, scene),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_code_is_made_once_and_100_000_of_them() {
        let mut codes = QrCodes::default();
        let first = codes.add_permanent(Scene::Number(1), 0).unwrap().clone();
        assert_eq!(codes.add_permanent(Scene::Number(1), 1), Ok(&first));
        for number in 2..=100_000 {
            codes.add_permanent(Scene::Number(number), 0).unwrap();
        }
        assert_eq!(codes.add_permanent(Scene::Text("1".to_owned()), 0), Err(errcode::TOO_MANY_CODES));
        assert_eq!(codes.add_permanent(Scene::Number(1), 1), Ok(&first));
        assert!(first.is_live(u64::MAX));
    }

    #[test]
    fn the_newest_code_of_a_scene_is_meant() {
        let mut codes = QrCodes::default();
        let old = codes.add_temporary(Scene::Number(7), 60, 0);
        let new = codes.add_temporary(Scene::Number(7), 60, 30_000);
        assert_eq!(codes.by_scene("7"), Some(&new));
        assert_eq!((codes.by_ticket(&old.ticket), codes.by_url(&old.url)), (Some(&old), Some(&old)));
        assert_eq!(codes.live(59_999).count(), 2);
        assert_eq!(codes.live(60_000).collect::<Vec<_>>(), [&new]);
    }

    #[test]
    fn a_scene_is_a_number_unless_its_code_has_words() {
        let mut codes = QrCodes::default();
        assert_eq!(codes.number_or_text("42"), (42, ""));
        assert_eq!(codes.number_or_text("lg_1"), (0, "lg_1"));
        codes.add_temporary(Scene::Text("42".to_owned()), 60, 0);
        assert_eq!(codes.number_or_text("42"), (0, "42"));
    }

    #[test]
    fn a_ticket_has_its_url_in_it() {
        let code = Code::new(Scene::Number(1), Some(1800), 1_408_003_431_000);
        let bytes = STANDARD.decode(&code.ticket).unwrap();
        assert!(bytes.windows(code.url.len()).any(|window| window == code.url.as_bytes()));
        assert!(code.ticket.starts_with('g') && bytes.ends_with(&[3, 4, 0x08, 0x07, 0, 0]));
    }
}
