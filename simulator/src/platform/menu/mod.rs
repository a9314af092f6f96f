//! The menu below the chat.
//!
//! - `button`: the buttons, as WeChat's JSON has them.
//! - `check`: the limits of what may be made.
//! - `rule`: who sees a conditional menu.
//!
//! <https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html>

mod button;
mod check;
mod rule;

use serde::Serialize;
use serde_json::{Value, json};

use super::account_type::Right;
use super::api::{Api, Call, list, number, text};
use super::errcode::Errcode;
use super::{ApiReply, done, escapes};
use crate::people::Person;
use crate::state::State;

pub use button::Button;
use rule::Rule;

/// The family's APIs.
pub const APIS: &[Api] = &[
    Api::post("/cgi-bin/menu/create", Right::Menu, create).daily(1000),
    Api::get("/cgi-bin/menu/get", Right::Menu, get).daily(10_000),
    Api::get("/cgi-bin/menu/delete", Right::Menu, delete).daily(1000),
    Api::get("/cgi-bin/get_current_selfmenu_info", Right::Basic, console_menu).daily(10_000),
    Api::post("/cgi-bin/menu/addconditional", Right::Menu, add_conditional).daily(2000),
    Api::post("/cgi-bin/menu/delconditional", Right::Menu, delete_conditional).daily(2000),
    Api::post("/cgi-bin/menu/trymatch", Right::Menu, try_match).daily(20_000),
];

const ESCAPED: Errcode = Errcode(40033);
const NO_MENU: Errcode = Errcode(46003);
const NO_SUCH_CONDITIONAL: Errcode = Errcode(65301);
const NO_SUCH_USER: Errcode = Errcode(65302);
const NO_DEFAULT: Errcode = Errcode(65303);
const CONDITIONAL_EMPTY: Errcode = Errcode(65307);
const TOO_MANY_DOMAINS: Errcode = Errcode(65316);

/// Numbers of menus begin here.
const FIRST_ID: u64 = 400_000_000;
/// Most domains to which all conditional menus together lead.
const MOST_DOMAINS: usize = 3;

/// One menu.
#[derive(Debug, Clone, Serialize)]
pub struct Menu {
    /// Its buttons, 1 to 3.
    pub button: Vec<Button>,
    /// Its number: `MenuId` in the events of its buttons.
    pub menuid: u64,
}

/// A menu for some of the followers.
#[derive(Debug, Serialize)]
struct Conditional {
    #[serde(flatten)]
    menu: Menu,
    matchrule: Rule,
}

/// The menu of everyone, and those of some, the newest last.
#[derive(Debug, Default)]
pub struct Menus {
    default: Option<Menu>,
    conditional: Vec<Conditional>,
    made: u64,
}

impl Menu {
    /// The button at an index path: `[i]`, or `[i, j]` in a sub-menu.
    pub fn button_at(&self, path: &[usize]) -> Option<&Button> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.button.get(*first)?, |button, index| button.sub_button.get(*index))
    }
}

impl Menus {
    /// The newest conditional menu that is meant for this person, or else the default one; nobody knows a stranger.
    fn seen_by(&self, person: Option<&Person>) -> Option<&Menu> {
        let meant = |menu: &&Conditional| person.is_some_and(|person| menu.matchrule.matches(person));
        let conditional = self.conditional.iter().rev().find(meant).map(|conditional| &conditional.menu);
        conditional.or(self.default.as_ref())
    }

    fn new_menu(&mut self, button: Vec<Button>) -> Menu {
        self.made += 1;
        Menu { button, menuid: FIRST_ID + self.made }
    }

    fn domains_with(&self, button: &[Button]) -> usize {
        let menus = self.conditional.iter().map(|conditional| conditional.menu.button.as_slice());
        let mut domains: Vec<&str> = menus.chain([button]).flatten().flat_map(Button::domains).collect();
        domains.sort_unstable();
        domains.dedup();
        domains.len()
    }
}

/// The menu that somebody sees now; absent while the account has none.
pub fn menu_for<'a>(state: &'a State, openid: &str) -> Option<&'a Menu> {
    state.menus.seen_by(state.people.get(openid))
}

/// The body; WeChat looks for escapes before it reads it.
fn read(call: &Call<'_>) -> Result<Value, Errcode> {
    if escapes::found(&call.request.body) {
        return Err(ESCAPED);
    }
    call.json()
}

/// `POST /cgi-bin/menu/create?access_token=…`
fn create(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = read(call)?;
    let button = check::buttons(&asked, call.state)?;
    let menus = &mut call.state.menus;
    menus.default = Some(menus.new_menu(button));
    Ok(done())
}

/// `GET /cgi-bin/menu/get?access_token=…`: `menuid` is only there beside conditional menus.
fn get(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let menus = &call.state.menus;
    let default = menus.default.as_ref().ok_or(NO_MENU)?;
    if menus.conditional.is_empty() {
        return Ok(ApiReply::Json(json!({ "menu": { "button": default.button } })));
    }
    let conditional: Vec<&Conditional> = menus.conditional.iter().rev().collect();
    Ok(ApiReply::Json(json!({ "menu": default, "conditionalmenu": conditional })))
}

/// `GET /cgi-bin/menu/delete?access_token=…`: every menu, also the conditional ones.
fn delete(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    call.state.menus.default = None;
    call.state.menus.conditional.clear();
    Ok(done())
}

/// `GET /cgi-bin/get_current_selfmenu_info?access_token=…`
fn console_menu(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let default = call.state.menus.default.as_ref();
    let button = default.map(|menu| menu.button.iter().map(Button::in_console).collect::<Vec<_>>());
    Ok(ApiReply::Json(json!({
        "is_menu_open": u8::from(default.is_some()),
        "selfmenu_info": { "button": button.unwrap_or_default() },
    })))
}

/// `POST /cgi-bin/menu/addconditional?access_token=…`
fn add_conditional(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = read(call)?;
    if call.state.menus.default.is_none() {
        return Err(NO_DEFAULT);
    }
    if list(&asked, "button").is_empty() {
        return Err(CONDITIONAL_EMPTY);
    }
    let button = check::buttons(&asked, call.state)?;
    let matchrule = Rule::read(asked.get("matchrule").unwrap_or(&Value::Null))?;
    let menus = &mut call.state.menus;
    if menus.domains_with(&button) > MOST_DOMAINS {
        return Err(TOO_MANY_DOMAINS);
    }
    let menu = menus.new_menu(button);
    let menuid = menu.menuid.to_string();
    menus.conditional.push(Conditional { menu, matchrule });
    Ok(ApiReply::Json(json!({ "menuid": menuid })))
}

/// `POST /cgi-bin/menu/delconditional?access_token=…`
fn delete_conditional(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let id = number(&call.json()?, "menuid");
    let conditional = &mut call.state.menus.conditional;
    let index = conditional.iter().position(|one| Some(one.menu.menuid) == id).ok_or(NO_SUCH_CONDITIONAL)?;
    conditional.remove(index);
    Ok(done())
}

/// `POST /cgi-bin/menu/trymatch?access_token=…`: `user_id` is an openid, or a WeChat id: here, the person's name.
fn try_match(call: &mut Call<'_>) -> Result<ApiReply, Errcode> {
    let asked = call.json()?;
    let user_id = text(&asked, "user_id");
    let mut people = call.state.people.followers();
    let (openid, _) =
        people.find(|(openid, person)| *openid == user_id || person.name == user_id).ok_or(NO_SUCH_USER)?;
    let menu = menu_for(call.state, openid).ok_or(NO_MENU)?;
    Ok(ApiReply::Json(json!({ "button": menu.button })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Action;
    use crate::people::PhoneSystem;

    fn menus() -> Menus {
        let mut menus = Menus::default();
        let named = |name: &str| vec![Button { name: name.to_owned(), ..Button::default() }];
        menus.default = Some(menus.new_menu(named("everyone")));
        for (name, rule) in [
            ("tagged", json!({ "tag_id": "101" })),
            ("android", json!({ "client_platform_type": 2 })),
            ("both", json!({ "tag_id": 102, "client_platform_type": "1" })),
        ] {
            let menu = menus.new_menu(named(name));
            menus.conditional.push(Conditional { menu, matchrule: Rule::read(&rule).unwrap() });
        }
        menus
    }

    #[test]
    fn the_newest_menu_that_matches_wins() {
        let menus = menus();
        let sees = |tags: &[u32], phone| {
            let mut person = Person { phone_system: phone, ..Person::default() };
            person.acted(Action::Follow, 0);
            person.fan.tags = tags.to_vec();
            menus.seen_by(Some(&person)).unwrap().button[0].name.as_str()
        };
        assert_eq!(sees(&[], PhoneSystem::Ios), "everyone");
        assert_eq!(sees(&[101], PhoneSystem::Ios), "tagged");
        assert_eq!(sees(&[101], PhoneSystem::Android), "android");
        assert_eq!(sees(&[101, 102], PhoneSystem::Ios), "both");
        assert_eq!(sees(&[102], PhoneSystem::Other), "everyone");
        assert_eq!(menus.seen_by(None).unwrap().button[0].name, "everyone", "a stranger");
        assert!(Menus::default().seen_by(None).is_none());
    }

    #[test]
    fn a_button_is_found_by_its_path() {
        let named = |name: &str| Button { name: name.to_owned(), ..Button::default() };
        let parent = Button { sub_button: vec![named("b0"), named("b1")], ..named("b") };
        let menu = Menu { button: vec![named("a"), parent], menuid: 1 };
        let name = |path: &[usize]| menu.button_at(path).map(|button| button.name.as_str());
        assert_eq!((name(&[0]), name(&[1]), name(&[1, 1])), (Some("a"), Some("b"), Some("b1")));
        for nothing in [&[][..], &[2], &[0, 0], &[1, 2], &[1, 1, 0]] {
            assert_eq!(name(nothing), None, "{nothing:?}");
        }
    }
}
