//! Users: lists, info, remarks, migrated openids.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html>

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, list, ok_with, text, with, with_optional};
use super::errcode::{self, Errcode};
use super::qrcode::QrCodes;
use super::{ApiReply, done};
use crate::ids;
use crate::people::{People, Person};

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::get("/cgi-bin/user/get", Right::Users, get).daily(500),
    Api::get("/cgi-bin/user/info", Right::Users, info).daily(5_000_000),
    Api::post("/cgi-bin/user/info/batchget", Right::Users, batch_get),
    Api::post("/cgi-bin/user/info/updateremark", Right::Users, update_remark),
    Api::post("/cgi-bin/changeopenid", Right::Users, change_openid),
];

/// A list of openids that is empty, or too long for this API.
pub const OPENID_LIST: Errcode = Errcode(40032);
/// An openid of another account.
const FOREIGN_OPENID: Errcode = Errcode(49003);
/// The person left the account.
const UNSUBSCRIBED: Errcode = Errcode(50005);
const REMARK: Errcode = Errcode(40092);
const OLD_APP_ID: Errcode = Errcode(63178);
const NO_OPENIDS: Errcode = Errcode(63182);

/// Openids on a page of followers.
pub const PAGE: usize = 10_000;
/// People of one `batchget`.
const BATCH: usize = 100;
/// Characters of a remark.
const REMARK_LENGTH: usize = 30;
/// Openids of one `changeopenid`.
const MIGRATED: usize = 100;

/// `GET /cgi-bin/user/get?access_token=…&next_openid=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let followers: Vec<_> = call.state.people.followers().map(|(openid, _)| openid).collect();
    let after = call.request.parameter("next_openid").unwrap_or_default();
    Ok(ApiReply::Json(with(page(&followers, after, PAGE)?, "total", followers.len())))
}

/// The openids behind `after`, at most `size` of them, as every list of openids is paged. Without any, `data` is
/// missing.
///
/// # Errors
/// 40003 if `after` is not in the list.
pub fn page(openids: &[&str], after: &str, size: usize) -> Result<Value, Errcode> {
    let start = if after.is_empty() {
        0
    } else {
        openids.iter().position(|openid| *openid == after).ok_or(errcode::OPENID)? + 1
    };
    let page: Vec<_> = openids.iter().skip(start).take(size).collect();
    let answer = json!({ "count": page.len(), "next_openid": page.last().copied().unwrap_or(&"") });
    Ok(if page.is_empty() { answer } else { with(answer, "data", json!({ "openid": page })) })
}

/// `GET /cgi-bin/user/info?access_token=…&openid=…&lang=zh_CN`; `lang` chose the words of fields that are gone.
fn info(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let openid = call.request.parameter("openid").ok_or(errcode::OPENID_MISSING)?;
    let person = call.state.people.get(openid).ok_or(errcode::OPENID)?;
    Ok(ApiReply::Json(describe(openid, person, &call.state.qr_codes)))
}

/// `POST /cgi-bin/user/info/batchget?access_token=…`
fn batch_get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let openids = list(&asked, "user_list");
    if !(1..=BATCH).contains(&openids.len()) {
        return Err(OPENID_LIST);
    }
    let describe = |entry: &Value| {
        let openid = text(entry, "openid");
        let person = call.state.people.get(openid).ok_or(errcode::OPENID)?;
        Ok(describe(openid, person, &call.state.qr_codes))
    };
    let people: Vec<_> = openids.iter().map(describe).collect::<Result<_, Errcode>>()?;
    Ok(ApiReply::Json(json!({ "user_info_list": people })))
}

/// What the platform tells about somebody: since December 2021 neither name nor picture, sex or region.
fn describe(openid: &str, person: &Person, codes: &QrCodes) -> Value {
    let fan = &person.fan;
    let about = if fan.following {
        let found_by = if fan.qr_scene.is_some() { "ADD_SCENE_QR_CODE" } else { "ADD_SCENE_SEARCH" };
        let (number, text) = fan.qr_scene.as_deref().map_or((0, ""), |scene| codes.number_or_text(scene));
        json!({
            "subscribe": 1,
            "openid": openid,
            "language": person.language,
            "subscribe_time": fan.since_s,
            "remark": fan.remark,
            "groupid": group(person),
            "tagid_list": fan.tags,
            "subscribe_scene": found_by,
            "qr_scene": number,
            "qr_scene_str": text,
        })
    } else {
        json!({ "subscribe": 0, "openid": openid })
    };
    with_optional(about, "unionid", person.unionid.as_deref())
}

/// The group that a person would be in, had groups not become tags: 0 without one, 1 the blacklist.
fn group(person: &Person) -> u32 {
    if person.fan.blacklisted { 1 } else { person.fan.tags.first().copied().unwrap_or(0) }
}

/// `POST /cgi-bin/user/info/updateremark?access_token=…`
fn update_remark(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let person = call.state.people.find(text(&asked, "openid"))?;
    if !person.fan.following {
        return Err(errcode::NOT_FOLLOWING);
    }
    let remark = text(&asked, "remark");
    if remark.chars().count() > REMARK_LENGTH {
        return Err(REMARK);
    }
    remark.clone_into(&mut person.fan.remark);
    Ok(done())
}

/// `POST /cgi-bin/changeopenid?access_token=…`: everybody has moved here from every other account, with the openid
/// that the simulated account of that AppID would have given them.
fn change_openid(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let from = text(&asked, "from_appid");
    if from.is_empty() || from == call.account.app_id {
        return Err(OLD_APP_ID);
    }
    let old = list(&asked, "openid_list");
    match old.len() {
        0 => return Err(NO_OPENIDS),
        1..=MIGRATED => {}
        _ => return Err(OPENID_LIST),
    }
    let people = &call.state.people;
    let results: Vec<_> =
        old.iter().map(|old| migrated(people, from, old.as_str().unwrap_or_default())).collect();
    Ok(ok_with(json!({ "result_list": results })))
}

fn migrated(people: &People, from: &str, old: &str) -> Value {
    match people.iter().find(|(_, person)| ids::openid(from, &person.name) == old) {
        Some((new, _)) => json!({ "ori_openid": old, "new_openid": new, "err_msg": "ok" }),
        None => json!({ "ori_openid": old, "err_msg": "ori_openid error" }),
    }
}

/// Checks a list of openids that an API takes together: all of them, or none.
///
/// # Errors
/// 40032 if it is empty or over `most`, 40003 for what is no openid, 49003 for one of another account, 50005 for
/// somebody who left, if `following` is asked for.
pub fn together<'a>(
    people: &People,
    asked: &'a Value,
    most: usize,
    following: bool,
) -> Result<Vec<&'a str>, Errcode> {
    let openids = list(asked, "openid_list");
    if !(1..=most).contains(&openids.len()) {
        return Err(OPENID_LIST);
    }
    let check = |openid: &'a Value| {
        let openid = openid.as_str().filter(|openid| ids::is_openid(openid)).ok_or(errcode::OPENID)?;
        let person = people.get(openid).ok_or(FOREIGN_OPENID)?;
        if following && !person.fan.following { Err(UNSUBSCRIBED) } else { Ok(openid) }
    };
    openids.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_page_by_page_until_nothing_is_left() {
        let openids = ["a", "b", "c"];
        let first = page(&openids, "", 2).unwrap();
        assert_eq!(first, json!({ "count": 2, "data": { "openid": ["a", "b"] }, "next_openid": "b" }));
        let second = page(&openids, "b", 2).unwrap();
        assert_eq!(second, json!({ "count": 1, "data": { "openid": ["c"] }, "next_openid": "c" }));
        assert_eq!(page(&openids, "c", 2).unwrap(), json!({ "count": 0, "next_openid": "" }));
        assert_eq!(page(&openids, "d", 2), Err(errcode::OPENID));
        assert_eq!(page(&[], "", 2).unwrap(), json!({ "count": 0, "next_openid": "" }));
    }
}
