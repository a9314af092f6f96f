//! What lists of materials, drafts and articles have in common.

use serde_json::{Value, json};

use super::ApiReply;
use super::api::{number, text};
use super::errcode::{self, Errcode};

/// Most entries of one answer.
const MOST: u64 = 20;

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    offset: usize,
    count: usize,
}

impl Page {
    /// Reads `offset` and `count`.
    ///
    /// # Errors
    /// 40097 unless `count` is 1 to 20.
    pub fn read(asked: &Value) -> Result<Self, Errcode> {
        let count =
            number(asked, "count").filter(|count| (1..=MOST).contains(count)).ok_or(errcode::ARGUMENTS)?;
        let read = |number: u64| usize::try_from(number).map_err(|_| errcode::ARGUMENTS);
        Ok(Self { offset: read(number(asked, "offset").unwrap_or_default())?, count: read(count)? })
    }

    /// The answer with this part of all entries, the newest first; `all` is in the order in which they came.
    pub fn answer<T>(self, all: &[T], describe: impl Fn(&T) -> Value) -> ApiReply {
        let item: Vec<Value> = all.iter().rev().skip(self.offset).take(self.count).map(describe).collect();
        ApiReply::Json(json!({ "total_count": all.len(), "item_count": item.len(), "item": item }))
    }
}

/// The `media_id` of a request.
///
/// # Errors
/// 41006 without one.
pub fn media_id(asked: &Value) -> Result<&str, Errcode> {
    Some(text(asked, "media_id")).filter(|id| !id.is_empty()).ok_or(errcode::MEDIA_ID_MISSING)
}
