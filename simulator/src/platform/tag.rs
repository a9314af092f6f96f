//! Tags and the blacklist.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html>

use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, number, text, with};
use super::errcode::{self, Errcode};
use super::user::{PAGE, page, together};
use super::{ApiReply, done};
use crate::people::People;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/tags/create", Right::Users, create),
    Api::get("/cgi-bin/tags/get", Right::Users, get),
    Api::post("/cgi-bin/tags/update", Right::Users, update),
    Api::post("/cgi-bin/tags/delete", Right::Users, delete),
    Api::post("/cgi-bin/tags/members/batchtagging", Right::Users, batch_tag),
    Api::post("/cgi-bin/tags/members/batchuntagging", Right::Users, batch_untag),
    Api::post("/cgi-bin/tags/getidlist", Right::Users, id_list),
    Api::either("/cgi-bin/user/tag/get", Right::Users, members),
    Api::post("/cgi-bin/tags/members/getblacklist", Right::Users, blacklist),
    Api::post("/cgi-bin/tags/members/batchblacklist", Right::Users, batch_blacklist),
    Api::post("/cgi-bin/tags/members/batchunblacklist", Right::Users, batch_unblacklist),
];

const TOO_MANY_TAGS: Errcode = Errcode(45056);
const TOO_MANY_FANS: Errcode = Errcode(45057);
const SYSTEM_TAG: Errcode = Errcode(45058);
const TAGGED_TOO_MUCH: Errcode = Errcode(45059);
const NAME: Errcode = Errcode(45157);
const NAME_LENGTH: Errcode = Errcode(45158);

/// 星标组, the one system tag that people can have. 0 (ungrouped) and 1 (the blacklist) are reserved, too.
const STARRED: u32 = 2;
/// The account's own tags are numbered from here.
const FIRST: u32 = 100;
/// Tags of an account.
const TAGS: usize = 100;
/// Tags of a person.
const TAGS_EACH: usize = 20;
/// Characters of a name.
const NAME_CHARACTERS: usize = 30;
/// People tagged or untagged at once.
const BATCH: usize = 50;
/// A tag with more people cannot be deleted.
const DELETABLE: usize = 100_000;
/// People who come to, or leave, the blacklist at once.
const BLACKLISTED_AT_ONCE: usize = 20;
/// Openids on a page of the blacklist, as the current page says; older ones say 10 000.
///
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_getblacklist>
const BLACKLIST_PAGE: usize = 1000;

#[derive(Debug)]
struct Tag {
    id: u32,
    name: String,
}

/// The account's tags.
#[derive(Debug)]
pub struct Tags {
    tags: Vec<Tag>,
    next: u32,
}

impl Default for Tags {
    fn default() -> Self {
        Self { tags: vec![Tag { id: STARRED, name: "星标组".to_owned() }], next: FIRST }
    }
}

impl Tags {
    /// Whether there is a tag with this id.
    pub fn contains(&self, id: u32) -> bool {
        self.tags.iter().any(|tag| tag.id == id)
    }

    fn add(&mut self, name: &str) -> Result<u32, Errcode> {
        self.check_name(name, None)?;
        if self.tags.iter().filter(|tag| tag.id >= FIRST).count() >= TAGS {
            return Err(TOO_MANY_TAGS);
        }
        let id = self.next;
        self.next += 1;
        self.tags.push(Tag { id, name: name.to_owned() });
        Ok(id)
    }

    fn rename(&mut self, id: u32, name: &str) -> Result<(), Errcode> {
        self.check_own(id)?;
        self.check_name(name, Some(id))?;
        if let Some(tag) = self.tags.iter_mut().find(|tag| tag.id == id) {
            name.clone_into(&mut tag.name);
        }
        Ok(())
    }

    fn remove(&mut self, id: u32, fans: usize) -> Result<(), Errcode> {
        self.check_own(id)?;
        if fans > DELETABLE {
            return Err(TOO_MANY_FANS);
        }
        self.tags.retain(|tag| tag.id != id);
        Ok(())
    }

    fn check_own(&self, id: u32) -> Result<(), Errcode> {
        match id {
            0..=STARRED => Err(SYSTEM_TAG),
            _ if self.contains(id) => Ok(()),
            _ => Err(errcode::TAG_ID),
        }
    }

    fn check_name(&self, name: &str, own: Option<u32>) -> Result<(), Errcode> {
        let taken = self.tags.iter().any(|tag| tag.name == name && Some(tag.id) != own);
        if name.trim().is_empty() || taken {
            return Err(NAME);
        }
        if name.chars().count() > NAME_CHARACTERS { Err(NAME_LENGTH) } else { Ok(()) }
    }
}

/// `POST /cgi-bin/tags/create?access_token=…`
fn create(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let name = asked.get("tag").map_or("", |tag| text(tag, "name"));
    let id = call.state.tags.add(name)?;
    Ok(ApiReply::Json(json!({ "tag": { "id": id, "name": name } })))
}

/// `GET /cgi-bin/tags/get?access_token=…`
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let people = &call.state.people;
    let describe =
        |tag: &Tag| json!({ "id": tag.id, "name": tag.name, "count": tagged(people, tag.id).len() });
    let tags: Vec<_> = call.state.tags.tags.iter().map(describe).collect();
    Ok(ApiReply::Json(json!({ "tags": tags })))
}

/// `POST /cgi-bin/tags/update?access_token=…`
fn update(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let tag = asked.get("tag").unwrap_or(&Value::Null);
    call.state.tags.rename(id(tag, "id")?, text(tag, "name"))?;
    Ok(done())
}

/// `POST /cgi-bin/tags/delete?access_token=…`
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = id(asked.get("tag").unwrap_or(&Value::Null), "id")?;
    let fans = tagged(&call.state.people, id).len();
    call.state.tags.remove(id, fans)?;
    for (_, person) in call.state.people.iter_mut() {
        person.fan.tags.retain(|tag| *tag != id);
    }
    Ok(done())
}

/// `POST /cgi-bin/tags/members/batchtagging?access_token=…`
fn batch_tag(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (id, openids) = batch(call, &asked)?;
    let people = &mut call.state.people;
    let full = |openid: &&str| {
        let tags = people.get(openid).map_or(&[][..], |person| &person.fan.tags);
        tags.len() >= TAGS_EACH && !tags.contains(&id)
    };
    if openids.iter().any(full) {
        return Err(TAGGED_TOO_MUCH);
    }
    for openid in openids {
        let tags = &mut people.find(openid)?.fan.tags;
        if !tags.contains(&id) {
            tags.push(id);
        }
    }
    Ok(done())
}

/// `POST /cgi-bin/tags/members/batchuntagging?access_token=…`
fn batch_untag(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let (id, openids) = batch(call, &asked)?;
    for openid in openids {
        call.state.people.find(openid)?.fan.tags.retain(|tag| *tag != id);
    }
    Ok(done())
}

/// The tag and the people that both of them name.
fn batch<'a>(call: &Call<'_>, asked: &'a Value) -> Result<(u32, Vec<&'a str>), Errcode> {
    let openids = together(&call.state.people, asked, BATCH, true)?;
    let id = id(asked, "tagid")?;
    if call.state.tags.contains(id) { Ok((id, openids)) } else { Err(errcode::TAG_ID) }
}

/// `POST /cgi-bin/tags/getidlist?access_token=…`
fn id_list(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let person = call.state.people.find(text(&asked, "openid"))?;
    Ok(ApiReply::Json(json!({ "tagid_list": person.fan.tags })))
}

/// `POST /cgi-bin/user/tag/get?access_token=…`; WeChat's page calls it a GET with a body.
fn members(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let id = id(&asked, "tagid")?;
    if !call.state.tags.contains(id) {
        return Err(errcode::TAG_ID);
    }
    page(&tagged(&call.state.people, id), text(&asked, "next_openid"), PAGE).map(ApiReply::Json)
}

/// `POST /cgi-bin/tags/members/getblacklist?access_token=…`
fn blacklist(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let people = call.state.people.iter().filter(|(_, person)| person.fan.blacklisted);
    let openids: Vec<_> = people.map(|(openid, _)| openid).collect();
    let page = page(&openids, text(&asked, "begin_openid"), BLACKLIST_PAGE)?;
    Ok(ApiReply::Json(with(page, "total", openids.len())))
}

/// `POST /cgi-bin/tags/members/batchblacklist?access_token=…`
fn batch_blacklist(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    set_blacklisted(call, true)
}

/// `POST /cgi-bin/tags/members/batchunblacklist?access_token=…`
fn batch_unblacklist(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    set_blacklisted(call, false)
}

fn set_blacklisted(call: &mut Call<'_>, blacklisted: bool) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    for openid in together(&call.state.people, &asked, BLACKLISTED_AT_ONCE, false)? {
        call.state.people.find(openid)?.fan.blacklisted = blacklisted;
    }
    Ok(done())
}

/// A tag's id; what is no number is no tag's.
fn id(value: &Value, name: &str) -> Result<u32, Errcode> {
    number(value, name).and_then(|id| u32::try_from(id).ok()).ok_or(errcode::TAG_ID)
}

/// The followers with this tag.
fn tagged(people: &People, id: u32) -> Vec<&str> {
    let fans = people.followers().filter(|(_, person)| person.fan.tags.contains(&id));
    fans.map(|(openid, _)| openid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_hundred_tags_of_its_own() {
        let mut tags = Tags::default();
        let ids: Vec<_> = (0..100).map(|n| tags.add(&format!("标签{n}")).unwrap()).collect();
        assert_eq!((ids.first(), ids.last()), (Some(&100), Some(&199)));
        assert_eq!(tags.add("一个更多"), Err(TOO_MANY_TAGS));
        tags.remove(150, 100_000).unwrap();
        assert_eq!(tags.add("一个更多"), Ok(200), "ids are not used again");
    }

    #[test]
    fn each_wrong_name_and_id_has_its_code() {
        let mut tags = Tags::default();
        let id = tags.add("广东").unwrap();
        for (name, code) in [("", NAME), (" ", NAME), ("广东", NAME), ("星标组", NAME)] {
            assert_eq!(tags.add(name), Err(code), "{name}");
        }
        assert_eq!(tags.add(&"长".repeat(31)), Err(NAME_LENGTH));
        assert!(tags.add(&"长".repeat(30)).is_ok());
        assert_eq!(tags.rename(id, "广东"), Ok(()), "its own name is not taken");
        assert_eq!(tags.rename(id, "星标组"), Err(NAME));
        for system in 0..=2 {
            assert_eq!(tags.rename(system, "新"), Err(SYSTEM_TAG));
            assert_eq!(tags.remove(system, 0), Err(SYSTEM_TAG));
        }
        assert_eq!(tags.rename(99, "新"), Err(errcode::TAG_ID));
        assert_eq!(tags.remove(id, 100_001), Err(TOO_MANY_FANS));
    }
}
