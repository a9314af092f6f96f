//! What is stored about the account, as its object is asked for it: documents with a kind, an id and a version.
//!
//! Whoever changes a document says which version they read; if somebody else was faster, nothing is stored and they
//! are told. So the rules of menus, broadcasts and so on live with those who know them, and two requests at once cannot
//! undo each other's work.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::Millis;

/// Most documents of one page.
pub const PAGE: u32 = 200;
/// Most ids of one page.
pub const IDS: u32 = 10_000;

/// What a document is about. Its name is stored; `docs/storage.md` describes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A menu that was published; the id is its number in the history.
    Menu,
    /// A keyword rule.
    Rule,
    /// What was prepared for many, or sent.
    Mass,
    /// A list of openids that a part of it is for.
    MassPeople,
    /// When something was sent to many; one document.
    MassRail,
    /// A result that came before its job knew of it; the id is the `msg_id`.
    MassResult,
    /// A temporary medium that was uploaded here; the id is its `media_id`.
    Media,
    /// A follower; the id is the openid.
    Person,
    /// Somebody whose unionid is known, here and in the Mini Program; the id is made of it.
    Kin,
    /// What `/admin/doctor` writes, reads and deletes at once.
    Doctor,
}

impl Kind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Menu => "menu",
            Self::Rule => "rule",
            Self::Mass => "mass",
            Self::MassPeople => "mass_people",
            Self::MassRail => "mass_rail",
            Self::MassResult => "mass_result",
            Self::Media => "media",
            Self::Person => "person",
            Self::Kin => "kin",
            Self::Doctor => "doctor",
        }
    }
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts up; pages follow it.
    pub number: u64,
    /// Unique within its kind.
    pub id: String,
    /// Counts its changes, from 1.
    pub version: u64,
    /// When it was stored last.
    pub at: Millis,
    /// The document, an object.
    pub document: Value,
}

/// Which documents are meant: those whose `field` is, or as a list holds, `value`; `null` means that it is not there.
/// Of a list of values, one must fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// A field of the document; letters and `_`.
    pub field: String,
    /// A text, a number, `null`, or a list of these.
    pub value: Value,
}

/// What the object can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// One document. Answer: [`Reply::Records`] with it, or with none.
    Get {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// A page of documents. Answer: [`Reply::Records`].
    List {
        /// Their kind.
        kind: Kind,
        /// The number of the last one of the page before; `None` for the first page.
        after: Option<u64>,
        /// Most documents, at most [`PAGE`].
        limit: u32,
        /// The newest first.
        newest_first: bool,
        /// All of these must hold.
        filters: Vec<Filter>,
    },
    /// How many there are. Answer: [`Reply::Count`].
    Count {
        /// Their kind.
        kind: Kind,
        /// All of these must hold.
        filters: Vec<Filter>,
    },
    /// The ids of documents, in the order of their numbers. Answer: [`Reply::Ids`].
    Ids {
        /// Their kind.
        kind: Kind,
        /// The number of the last one of the page before.
        after: Option<u64>,
        /// Most ids, at most [`IDS`].
        limit: u32,
        /// All of these must hold.
        filters: Vec<Filter>,
    },
    /// Stores a document. Answer: [`Reply::Stored`] or [`Reply::Conflict`].
    Put {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
        /// The version that this one replaces; 0: there must be none yet; `None`: whatever there is.
        version: Option<u64>,
        /// The document.
        document: Value,
    },
    /// Stores many documents in one turn, whatever there is. Answer: [`Reply::Count`].
    PutAll {
        /// Their kind.
        kind: Kind,
        /// Their ids and documents, at most [`PAGE`].
        documents: Vec<(String, Value)>,
    },
    /// Changes many documents in one turn, each as a merge patch does, and makes those that are not there.
    /// Answer: [`Reply::Count`]. <https://www.rfc-editor.org/rfc/rfc7396>
    MergeAll {
        /// Their kind.
        kind: Kind,
        /// Their ids and what to change, at most [`PAGE`].
        documents: Vec<(String, Value)>,
    },
    /// Deletes what was not stored since. Answer: [`Reply::Count`].
    DeleteOlder {
        /// Their kind.
        kind: Kind,
        /// Whatever was stored last before this.
        before: Millis,
        /// All of these must hold.
        #[serde(default)]
        filters: Vec<Filter>,
    },
    /// Deletes a document. Answer: [`Reply::Count`], 1 or 0.
    Delete {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
}

/// What the object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Documents, and whether there are more after them.
    Records {
        /// The documents.
        records: Vec<Record>,
        /// There are more.
        more: bool,
    },
    /// Ids, and the number of the last if there are more after them.
    Ids {
        /// The ids.
        ids: Vec<String>,
        /// Where the next page begins.
        next: Option<u64>,
    },
    /// A number.
    Count(u64),
    /// The document has this version now.
    Stored(u64),
    /// Somebody else changed it meanwhile; nothing was stored.
    Conflict,
}
