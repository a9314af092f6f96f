//! Short keys for long data.
//!
//! <https://developers.weixin.qq.com/doc/service/api/qrcode/shorten/api_genshortkey>

use std::collections::VecDeque;

use serde_json::json;

use crate::ids;
use crate::platform::ApiReply;
use crate::platform::api::{Call, number, ok_with, text};
use crate::platform::errcode::Errcode;

const ARGUMENT: Errcode = Errcode(47003);
const DATA_LENGTH: Errcode = Errcode(9_410_010);
const LIFE: Errcode = Errcode(9_410_011);
const KEY: Errcode = Errcode(9_410_012);

/// Bytes of the data.
const DATA_BYTES: usize = 4096;
/// Seconds that a key lives at most, and if nobody says how long: 30 days.
const LONGEST_LIFE_S: u64 = 2_592_000;
/// Keys kept; the oldest go first.
const KEPT: usize = 10_000;

#[derive(Debug)]
struct ShortKey {
    key: String,
    data: String,
    created_s: u64,
    until_s: u64,
}

/// The short keys that were made.
#[derive(Debug, Default)]
pub struct ShortKeys {
    keys: VecDeque<ShortKey>,
}

/// `POST /cgi-bin/shorten/gen?access_token=…`
pub fn generate(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let data = text(&asked, "long_data").to_owned();
    match data.len() {
        0 => return Err(ARGUMENT),
        1..=DATA_BYTES => {}
        _ => return Err(DATA_LENGTH),
    }
    let life_s = match asked.get("expire_seconds") {
        None => LONGEST_LIFE_S,
        Some(_) => {
            number(&asked, "expire_seconds").filter(|life| (1..=LONGEST_LIFE_S).contains(life)).ok_or(LIFE)?
        }
    };
    let created_s = call.now_ms / 1000;
    let key = ids::base62::<15>();
    let answer = json!({ "errcode": 0, "errmsg": "ok", "short_key": key });
    let keys = &mut call.state.qr_codes.short_keys.keys;
    if keys.len() == KEPT {
        keys.pop_front();
    }
    keys.push_back(ShortKey { key, data, created_s, until_s: created_s + life_s });
    Ok(ApiReply::Json(answer))
}

/// `POST /cgi-bin/shorten/fetch?access_token=…`
pub fn fetch(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let wanted = text(&asked, "short_key");
    if wanted.is_empty() {
        return Err(ARGUMENT);
    }
    let now_s = call.now_ms / 1000;
    let mut keys = call.state.qr_codes.short_keys.keys.iter();
    let found = keys.find(|short| short.key == wanted && now_s < short.until_s).ok_or(KEY)?;
    Ok(ok_with(json!({
        "long_data": found.data,
        "create_time": found.created_s,
        "expire_seconds": found.until_s - now_s,
    })))
}
