//! One attempt to log in, step by step: what each handle may do at each stage, and nothing else.

use sha2::{Digest as _, Sha256};
use wxapi::lang::Lang;
use wxapi::login::method::Method;
use wxapi::login::request::{AuthRequest, ResultBy};
use wxapi::login::session::{
    ANSWER_TIME, Come, Confirmer, Failure, Fault, KEPT_FOR, LIFETIME, Opening, Place, Session, Status,
    TOKEN_LIFETIME,
};
use wxapi::login::subject::{Identity, Who};
use wxapi::login::{Digest, base64url};
use wxapi::wechat::{AppId, OpenId};

use crate::world::site::{BLOG as SITE, VERIFIER};

pub const NOW: u64 = 1_700_000_000_000;

pub fn handle(name: &str) -> Digest {
    Digest::of(name)
}

pub fn person(openid: &str) -> Who {
    Who::Wechat { app_id: AppId::new("wx1"), openid: OpenId::new(openid), unionid: None }
}

pub fn identity(openid: &str) -> Identity {
    Identity { who: person(openid), name: None, picture: None }
}

pub fn request(result: ResultBy) -> AuthRequest {
    AuthRequest {
        client: "blog".to_owned(),
        challenge: (!matches!(result, ResultBy::Legacy { .. }))
            .then(|| base64url(&Sha256::digest(VERIFIER.as_bytes()))),
        redirect_uri: matches!(result, ResultBy::Redirect { .. }).then(|| format!("{SITE}/callback")),
        result,
        state: Some("their-state".to_owned()),
        nonce: None,
        profile: false,
        again: "/oauth?client_id=blog".to_owned(),
    }
}

fn opening(result: ResultBy, strict: bool) -> Opening {
    Opening {
        id: "0".repeat(32),
        request: request(result),
        browser: handle("browser"),
        place: Place::default(),
        methods: vec![Method::Qr, Method::Code, Method::Open],
        strict,
        lang: Lang::Zh,
    }
}

pub fn shown() -> Session {
    let message = ResultBy::Message { origin: SITE.to_owned() };
    Session::open(opening(message, false), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], NOW)
}

pub fn by_redirect() -> Session {
    let mut session = shown();
    session.request = request(ResultBy::Redirect { form_post: false });
    session
}

fn strict() -> Session {
    Session { strict: true, ..shown() }
}

/// A phone has scanned, and is on its way to WeChat.
fn departed() -> Session {
    let mut session = shown();
    session.refresh_token([9; 16], NOW);
    let token = session.tokens[0].text.clone();
    session.scan(&token, &handle("phone"), NOW).unwrap();
    session.depart(Method::Qr, None, &handle("phone"), &handle("state"), NOW).unwrap();
    session
}

/// The phone has come back and is known.
fn identified() -> Session {
    let mut session = departed();
    let come = session.arrive(Method::Qr, &handle("phone"), &handle("state"), &handle("code"), NOW);
    assert_eq!(come, Ok(Come::Use));
    session.arrived(&handle("state"), Ok(identity("o-1")), NOW);
    session
}

fn claimed(mut session: Session) -> Session {
    session.claim(person("o-1"), Method::Code, None, NOW).unwrap();
    session
}

pub fn confirmed() -> Session {
    let mut session = claimed(shown());
    session.confirm(&Confirmer::Person(person("o-1")), None, NOW).unwrap();
    session
}

pub fn issued(mut session: Session) -> Session {
    session.claim(person("o-1"), Method::Code, None, NOW).unwrap();
    session.confirm(&Confirmer::Person(person("o-1")), None, NOW).unwrap();
    session.finish(&handle("browser"), &handle("result"), NOW).unwrap();
    session
}

fn phone() -> Confirmer {
    Confirmer::Phone(handle("phone"))
}

#[test]
fn the_whole_way_by_qr_code() {
    let mut session = identified();
    assert_eq!(session.status(NOW), Status::Scanned);
    let consent = session.consent(&handle("phone"), NOW).unwrap();
    assert!(consent.choices.unwrap().contains(&session.number));
    session.confirm(&phone(), Some(session.number), NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Confirmed);
    let finished = session.finish(&handle("browser"), &handle("result"), NOW).unwrap();
    assert_eq!((finished.answer.identity, finished.answer.by), (identity("o-1"), Method::Qr));
    let grant = session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW).unwrap();
    assert_eq!(grant.answer.identity, identity("o-1"));
    assert_eq!(session.status(NOW), Status::Done);
}

#[test]
fn the_whole_way_by_a_code_in_the_chat() {
    let mut session = confirmed();
    session.finish(&handle("browser"), &handle("result"), NOW).unwrap();
    assert!(session.redeem(&handle("result"), "blog", None, Some(VERIFIER), NOW).is_ok());
}

#[test]
fn the_handles_are_never_interchangeable() {
    let mut session = identified();
    let token = handle(&session.tokens[0].text);
    for wrong in [handle("phone"), token.clone(), handle("other")] {
        assert_eq!(session.check_browser(&wrong), Err(Fault::NotYours));
        assert_eq!(session.finish(&wrong, &handle("result"), NOW), Err(Fault::NotYours));
        assert_eq!(session.typed_number(&wrong, 1, NOW), Err(Fault::NotYours));
        assert_eq!(session.typed(&wrong, Some(person("o-1")), NOW), Err(Fault::NotYours));
    }
    for wrong in [handle("browser"), token, handle("other")] {
        let by = Confirmer::Phone(wrong.clone());
        assert_eq!(session.consent(&wrong, NOW), Err(Fault::NotYours));
        assert_eq!(session.confirm(&by, Some(session.number), NOW), Err(Fault::NotYours));
        assert_eq!(session.deny(&by), Err(Fault::NotYours));
    }
    // Who scanned does not confirm in the chat, be it the same person.
    let chat = Confirmer::Person(person("o-1"));
    assert_eq!(session.confirm(&chat, Some(session.number), NOW), Err(Fault::NotYours));
    assert_eq!(session.status(NOW), Status::Scanned);
}

#[test]
fn a_second_phone_and_an_old_picture_are_refused() {
    let mut session = shown();
    session.refresh_token([9; 16], NOW);
    let token = session.tokens[0].text.clone();
    assert_eq!(session.scan("0".repeat(24).as_str(), &handle("phone"), NOW), Err(Fault::Stale));
    assert_eq!(session.clone().scan(&token, &handle("phone"), NOW + TOKEN_LIFETIME), Err(Fault::Stale));
    session.scan(&token, &handle("phone"), NOW).unwrap();
    assert_eq!(session.scan(&token, &handle("phone"), NOW), Ok(()), "the same phone may come again");
    assert_eq!(session.scan(&token, &handle("thief"), NOW), Err(Fault::Taken));
    assert_eq!(
        session.depart(Method::Qr, None, &handle("thief"), &handle("state"), NOW),
        Err(Fault::NotYours)
    );
}

#[test]
fn qr_tokens_rotate_and_the_last_one_stays_good_for_a_while() {
    let mut session = shown();
    session.refresh_token([1; 16], NOW);
    session.refresh_token([2; 16], NOW + 1);
    assert_eq!(session.tokens.len(), 1, "a fresh one is used again");
    session.refresh_token([3; 16], NOW + 56_000);
    let [old, new] = [session.tokens[0].text.clone(), session.tokens[1].text.clone()];
    assert!(session.clone().scan(&old, &handle("phone"), NOW + 59_999).is_ok());
    assert!(session.clone().scan(&new, &handle("phone"), NOW + 61_000).is_ok());
    assert_eq!(session.scan(&old, &handle("phone"), NOW + 61_000), Err(Fault::Stale));
}

#[test]
fn a_parametric_code_is_claimed_by_its_own_token_only() {
    let mut session = shown();
    session.refresh_token([1; 16], NOW);
    session.show_scene("5c".repeat(12), "http://weixin.qq.com/q/x".to_owned());
    let (qr, scene) = (session.tokens[0].text.clone(), "5c".repeat(12));
    assert_eq!(session.claim(person("o-1"), Method::Scene, Some(&qr), NOW), Err(Fault::Stale));
    assert_eq!(session.claim(person("o-1"), Method::Menu, Some(&scene), NOW), Err(Fault::Stale));
    assert_eq!(session.claim(person("o-1"), Method::Scene, None, NOW), Err(Fault::Stale));
    assert_eq!(session.claim(person("o-1"), Method::Menu, None, NOW), Err(Fault::Stale));
    assert_eq!(session.scan(&scene, &handle("phone"), NOW), Err(Fault::Stale));
    let claimed = session.claim(person("o-1"), Method::Scene, Some(&scene), NOW).unwrap();
    assert!(claimed.choices.unwrap().contains(&claimed.number), "who scanned has to choose the number");
    let by = Confirmer::Person(person("o-1"));
    assert_eq!(session.clone().confirm(&by, None, NOW), Err(Fault::Wrong { left: 0 }));
    session.confirm(&by, Some(claimed.number), NOW).unwrap();
}

#[test]
fn whoever_comes_back_needs_the_phone_the_state_and_the_first_code() {
    let phone = handle("phone");
    let (state, code) = (handle("state"), handle("code"));
    let mut session = departed();
    assert_eq!(session.arrive(Method::Qr, &handle("browser"), &state, &code, NOW), Err(Fault::NotYours));
    assert_eq!(session.arrive(Method::Qr, &phone, &handle("attacker's"), &code, NOW), Err(Fault::State));
    assert_eq!(session.arrive(Method::Open, &phone, &state, &code, NOW), Err(Fault::State));
    assert_eq!(session.arrive(Method::Qr, &phone, &state, &code, NOW), Ok(Come::Use));
    assert_eq!(session.arrive(Method::Qr, &phone, &state, &code, NOW), Ok(Come::Wait));
    assert_eq!(session.arrive(Method::Qr, &phone, &state, &handle("another"), NOW), Err(Fault::State));
    session.arrived(&state, Ok(identity("o-1")), NOW);
    assert_eq!(session.arrive(Method::Qr, &phone, &state, &code, NOW), Ok(Come::Known(None)));
}

#[test]
fn a_failed_journey_can_begin_anew_and_the_old_one_is_void() {
    let mut session = departed();
    let (phone, state, code) = (handle("phone"), handle("state"), handle("code"));
    session.arrive(Method::Qr, &phone, &state, &code, NOW).unwrap();
    session.arrived(&state, Err(Failure::Restart), NOW);
    let known = session.arrive(Method::Qr, &phone, &state, &code, NOW);
    assert_eq!(known, Ok(Come::Known(Some(Failure::Restart))), "the same code is never tried again");
    session.depart(Method::Qr, None, &phone, &handle("second"), NOW).unwrap();
    assert_eq!(session.arrive(Method::Qr, &phone, &state, &code, NOW), Err(Fault::State));
    session.arrive(Method::Qr, &phone, &handle("second"), &handle("code 2"), NOW).unwrap();
    session.arrived(&state, Ok(identity("o-late")), NOW);
    assert_eq!(session.status(NOW), Status::Scanned);
    assert!(session.answer().is_none(), "what comes of the first way is void");
    session.arrived(&handle("second"), Ok(identity("o-1")), NOW);
    assert_eq!(session.answer().unwrap().identity, identity("o-1"));
}

#[test]
fn the_browser_itself_may_go_and_is_then_the_phone() {
    let mut session = shown();
    let (browser, here) = (handle("browser"), handle("this device"));
    let wrong = handle("another browser");
    let state = handle("state");
    assert_eq!(session.depart(Method::Open, Some(&wrong), &here, &state, NOW), Err(Fault::NotYours));
    session.depart(Method::Open, Some(&browser), &here, &state, NOW).unwrap();
    session.arrive(Method::Open, &here, &state, &handle("code"), NOW).unwrap();
    session.arrived(&state, Ok(identity("o-1")), NOW);
    assert_eq!(session.consent(&here, NOW).unwrap().choices, None, "one device, nothing to compare");
    session.confirm(&Confirmer::Phone(here), None, NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Confirmed);
    assert_eq!(session.depart(Method::Open, Some(&browser), &wrong, &state, NOW), Err(Fault::NotNow));
}

#[test]
fn only_the_right_number_confirms_and_a_wrong_one_ends_it() {
    let session = identified();
    let wrong = session.choices.into_iter().find(|choice| *choice != session.number).unwrap();
    for number in [None, Some(wrong), Some(0)] {
        let mut session = session.clone();
        assert_eq!(session.confirm(&phone(), number, NOW), Err(Fault::Wrong { left: 0 }));
        assert_eq!(session.status(NOW), Status::Denied);
        assert_eq!(session.confirm(&phone(), Some(session.number), NOW), Err(Fault::NotNow));
        assert_eq!(session.finish(&handle("browser"), &handle("result"), NOW), Err(Fault::NotNow));
    }
}

#[test]
fn nobody_else_in_the_chat_confirms_or_takes_over() {
    let mut session = claimed(shown());
    let other = Confirmer::Person(person("o-2"));
    assert_eq!(session.claim(person("o-2"), Method::Code, None, NOW), Err(Fault::Taken));
    assert_eq!(session.confirm(&other, None, NOW), Err(Fault::NotYours));
    assert_eq!(session.deny(&other), Err(Fault::NotYours));
    assert_eq!(session.confirm(&phone(), None, NOW), Err(Fault::NotYours));
    assert!(session.claim(person("o-1"), Method::Code, None, NOW).is_ok(), "WeChat delivers twice");
    session.confirm(&Confirmer::Person(person("o-1")), None, NOW).unwrap();
    session.confirm(&Confirmer::Person(person("o-1")), None, NOW).unwrap();
}

#[test]
fn a_denied_attempt_stays_denied() {
    let mut session = claimed(shown());
    let by = Confirmer::Person(person("o-1"));
    session.deny(&by).unwrap();
    assert_eq!(session.status(NOW), Status::Denied);
    assert!(session.confirm(&by, None, NOW).is_err());
    assert_eq!(session.claim(person("o-1"), Method::Code, None, NOW), Err(Fault::NotNow));
    assert_eq!(session.finish(&handle("browser"), &handle("result"), NOW), Err(Fault::NotNow));
}

#[test]
fn in_strict_mode_the_number_of_the_chat_is_typed_in_the_browser() {
    let mut session = strict();
    assert_eq!(session.view(Method::Code, NOW).number, None, "the page does not show it");
    let told = session.claim(person("o-1"), Method::Code, None, NOW).unwrap();
    assert_ne!(session.view(Method::Qr, NOW).number, Some(told.number), "nor as that of the QR code");
    session.confirm(&Confirmer::Person(person("o-1")), None, NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Number);
    assert_eq!(session.finish(&handle("browser"), &handle("result"), NOW), Err(Fault::NotNow));
    let wrong = if told.number == 10 { 11 } else { 10 };
    assert_eq!(session.typed_number(&handle("browser"), wrong, NOW), Err(Fault::Wrong { left: 2 }));
    let mut guessed = session.clone();
    session.typed_number(&handle("browser"), told.number, NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Confirmed);
    guessed.typed_number(&handle("browser"), wrong, NOW).unwrap_err();
    assert_eq!(guessed.typed_number(&handle("browser"), wrong, NOW), Err(Fault::Wrong { left: 0 }));
    assert_eq!(guessed.status(NOW), Status::Denied);
}

#[test]
fn five_wrong_codes_on_the_page_end_it() {
    let mut session = shown();
    for left in (0..5).rev() {
        assert_eq!(session.typed(&handle("browser"), None, NOW), Err(Fault::Wrong { left }));
    }
    assert_eq!(session.status(NOW), Status::Denied);
    assert_eq!(session.typed(&handle("browser"), Some(person("o-1")), NOW), Err(Fault::NotNow));
    let mut session = shown();
    session.typed(&handle("browser"), Some(person("o-1")), NOW).unwrap();
    assert_eq!(session.status(NOW), Status::Confirmed);
}

#[test]
fn every_stage_ends_in_time() {
    let late = NOW + LIFETIME;
    let mut session = shown();
    assert_eq!(session.status(late), Status::Expired);
    assert_eq!(session.claim(person("o-1"), Method::Code, None, late), Err(Fault::Gone));
    assert_eq!(session.typed(&handle("browser"), Some(person("o-1")), late), Err(Fault::Gone));
    let mut session = identified();
    assert_eq!(session.confirm(&phone(), Some(session.number), late), Err(Fault::Gone));
    assert_eq!(confirmed().finish(&handle("browser"), &handle("result"), late), Err(Fault::Gone));
    // Whoever begins late has time to end it, but not for ever.
    let mut session = shown();
    session.claim(person("o-1"), Method::Code, None, late - 1).unwrap();
    assert_eq!(session.ends, late - 1 + ANSWER_TIME);
    let mut session = departed();
    for _ in 0..20 {
        let at = session.ends - 1;
        session.depart(Method::Qr, None, &handle("phone"), &handle("again"), at).unwrap();
    }
    assert_eq!(session.ends, NOW + 2 * LIFETIME);
}

#[test]
fn alarms_ring_when_the_page_ends_and_when_everything_is_deleted() {
    let session = shown();
    assert_eq!(session.next_alarm(NOW), NOW + LIFETIME);
    assert_eq!(session.next_alarm(NOW + LIFETIME), NOW + KEPT_FOR);
    assert_eq!(issued(shown()).next_alarm(NOW), NOW + KEPT_FOR);
}

#[test]
fn the_numbers_are_of_two_digits_different_and_evenly_drawn() {
    let mut drawn = [0_u32; 100];
    let mut places = [0_u32; 3];
    for seed in 0..20_000_u32 {
        let random: [u8; 16] = Sha256::digest(seed.to_be_bytes())[..16].try_into().unwrap();
        let message = ResultBy::Message { origin: SITE.to_owned() };
        let session = Session::open(opening(message, false), random, NOW);
        let [a, b, c] = session.choices;
        assert!(a != b && b != c && a != c, "{:?}", session.choices);
        assert!(session.choices.iter().all(|number| (10..=99).contains(number)));
        drawn[usize::from(session.number)] += 1;
        places[session.choices.iter().position(|choice| *choice == session.number).unwrap()] += 1;
    }
    // 222 expected of each, with a deviation of 15.
    assert!(drawn[10..].iter().all(|times| (140..310).contains(times)), "{drawn:?}");
    assert!(places.iter().all(|times| (6_300..7_030).contains(times)), "{places:?}");
}
