//! Codes: how they are drawn, how many may be guessed, and what is stored of them.

use std::collections::HashMap;

use wxapi::handlers::login::offer;
use wxapi::lang::Lang;
use wxapi::login::code::{self, CROWD, Call, MOST, Reply, Shard};
use wxapi::login::desk::Desk;
use wxapi::login::method::Method;
use wxapi::login::session::{LIFETIME, Place, Status};
use wxapi::login::text::{Site, Texts};
use wxapi::login::throttle::{Ask, Throttle};
use wxapi::platform::{Object, Platform};
use wxapi::wechat::reply::TEXT_LIMIT;

use crate::login_stage::{LOGIN, open, open_with_code, say, show, stage, status};
use crate::world::{USER, World, run};

#[test]
fn every_digit_comes_from_equally_many_bytes() {
    // Every pair of first bytes: each pair of digits must come equally often, so must the case of a byte thrown away.
    let mut pairs: HashMap<String, u32> = HashMap::new();
    for (first, second) in (0..=255).flat_map(|first| (0..=255).map(move |second| (first, second))) {
        let mut random = [0; 16];
        random[..2].copy_from_slice(&[first, second]);
        let digits = code::digits(random, 6).unwrap();
        assert_eq!(digits.len(), 6);
        if first < 250 && second < 250 {
            *pairs.entry(digits[..2].to_owned()).or_default() += 1;
        }
    }
    assert_eq!(pairs.len(), 100);
    assert!(pairs.values().all(|count| *count == 625), "25 bytes for each digit");
    for place in 0..6 {
        let mut counts = [0; 10];
        for byte in 0..250 {
            let mut random = [7; 16];
            random[place] = byte;
            let digit = code::digits(random, 6).unwrap().as_bytes()[place] - b'0';
            counts[usize::from(digit)] += 1;
        }
        assert_eq!(counts, [25; 10]);
    }
    assert_eq!(code::digits([250; 16], 6), None, "nothing can be made of these");
    assert_eq!(
        code::digits([255, 250, 251, 252, 253, 254, 255, 250, 0, 1, 2, 3, 4, 5, 6, 7], 6).unwrap(),
        "012345"
    );
    assert_eq!(code::digits([249; 16], 8).unwrap(), "99999999");
}

#[test]
fn every_letter_comes_from_equally_many_bytes() {
    let mut counts: HashMap<u8, u32> = HashMap::new();
    for byte in 0..240 {
        let mut random = [0; 16];
        random[7] = byte;
        *counts.entry(code::letters(random).unwrap().as_bytes()[7]).or_default() += 1;
    }
    assert_eq!(counts.len(), 20);
    assert!(counts.values().all(|count| *count == 12));
    assert_eq!(code::letters([240; 16]), None);
    assert_eq!(code::typed(" bcdf-ghjk "), Some("BCDFGHJK".to_owned()));
    assert_eq!(code::typed("BCDFGHJA"), None);
    assert_eq!(code::halves("BCDFGHJK"), "BCDF-GHJK");
}

#[test]
fn drawn_codes_spread_over_all_codes_and_all_objects() {
    let world = World::new(&[]);
    let (mut tens, mut shards) = (HashMap::<String, i32>::new(), HashMap::<String, i32>::new());
    for _ in 0..20_000 {
        let code = code::digits(world.random(), 6).unwrap();
        *tens.entry(code[2..4].to_owned()).or_default() += 1;
        *shards.entry(code::shard(&code)).or_default() += 1;
    }
    // Six standard deviations of the binomial distribution: 14.1 of 200, 34.2 of 1250. The draws are fixed.
    assert_eq!((tens.len(), shards.len()), (100, 16));
    assert!(tens.values().all(|count| (count - 200).abs() < 85), "{tens:?}");
    assert!(shards.values().all(|count| (count - 1_250).abs() < 206), "{shards:?}");
}

fn reserve(shard: &mut Shard, code: &str, now: u64) -> Reply {
    shard.answer(Call::Reserve { code: code.to_owned(), login: LOGIN.to_owned(), span: 180_000 }, now)
}

fn find(shard: &mut Shard, code: &str, now: u64) -> Reply {
    shard.answer(Call::Find { code: code.to_owned() }, now)
}

#[test]
fn a_code_is_one_attempts_until_it_ends_and_known_a_while_longer() {
    let mut shard = Shard::default();
    assert_eq!(reserve(&mut shard, "482913", 0), Reply::Done);
    assert_eq!(reserve(&mut shard, "482913", 179_999), Reply::Taken);
    assert_eq!(find(&mut shard, "482913", 180_000), Reply::Login(LOGIN.to_owned()), "late");
    assert_eq!(reserve(&mut shard, "482913", 180_000), Reply::Done, "but no longer taken");
    assert_eq!(find(&mut shard, "482913", 539_999), Reply::Login(LOGIN.to_owned()));
    assert_eq!(find(&mut shard, "482913", 540_000), Reply::Nothing);
    let take = Call::Take { code: "482913".to_owned() };
    reserve(&mut shard, "482913", 540_000);
    assert_eq!(shard.answer(take, 540_000), Reply::Nothing, "digits are not typed on the page");
}

#[test]
fn one_object_is_bounded_in_size() {
    let mut shard = Shard::default();
    let crowd = (0..).map(|number| format!("{number:06}"));
    for code in crowd.take(CROWD) {
        assert_eq!(reserve(&mut shard, &code, 0), Reply::Done);
    }
    assert_eq!(reserve(&mut shard, "999999", 0), Reply::Longer, "a guess would hit too often");
    for number in CROWD..MOST {
        assert_eq!(reserve(&mut shard, &format!("{number:08}"), 0), Reply::Done);
    }
    assert_eq!(reserve(&mut shard, "99999999", 0), Reply::Taken, "full");
    for number in 0..100 {
        find(&mut shard, &format!("9{number:05}"), 0);
    }
    let json = serde_json::to_string(&shard).unwrap();
    assert!(json.len() < 120_000, "{} bytes; a row has room for 2 MB", json.len());
    assert_eq!(reserve(&mut shard, "99999999", 180_000), Reply::Done, "what has ended makes room");
    shard.expire(539_999);
    assert_eq!(shard.codes.len(), 1);
    shard.expire(540_000);
    assert!(shard.is_empty());
}

#[test]
fn a_flood_of_guesses_makes_codes_longer_for_a_minute() {
    run(async {
        let world = stage(|_| {});
        for number in 0..16 * 5 * 4 {
            let guess = format!("{number:06}");
            assert_eq!(offer::find_code(&world, &guess).await, Ok(None));
        }
        let code = open_with_code(&world, LOGIN).await;
        assert_eq!(code.len(), 8);
        assert!(say(&world, USER, &code).await.contains("You are logging in"));
        world.pass(60_000).await;
        assert_eq!(open_with_code(&world, LOGIN).await.len(), 6);
    });
}

#[test]
fn a_few_mistakes_make_no_flood() {
    run(async {
        let world = stage(|_| {});
        for number in 0..16 {
            let guess =
                (0..).map(|n| format!("{n:06}")).find(|guess| code::shard(guess) == number.to_string());
            for _ in 0..4 {
                offer::find_code(&world, guess.as_ref().unwrap()).await.unwrap();
            }
        }
        assert_eq!(open_with_code(&world, LOGIN).await.len(), 6);
    });
}

#[test]
fn many_pages_at_once_have_different_codes() {
    run(async {
        let world = stage(|_| {});
        let mut seen = HashMap::new();
        for number in 0..300 {
            let login = format!("{number:032x}");
            let code = open_with_code(&world, &login).await;
            assert_eq!(offer::find_code(&world, &code).await, Ok(Some(login.clone())));
            assert_eq!(seen.insert(code, login), None);
        }
    });
}

#[test]
fn digits_are_given_to_nobody_else_while_a_scan_keeps_their_page_open() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        let stored = world.disk_behind(Object::Code, &code::shard(&code)).document().unwrap();
        let shard: Shard = serde_json::from_str(&stored).unwrap();
        let ends = shard.codes.iter().find(|entry| entry.code == code).map(|entry| entry.ends);
        assert_eq!(ends, Some(world.now() + 2 * LIFETIME), "as long as an attempt can be open");
    });
}

#[test]
fn objects_that_die_keep_their_codes_and_clean_up() {
    run(async {
        let world = stage(|_| {});
        let code = open_with_code(&world, LOGIN).await;
        let disk = world.disk_behind(Object::Code, &code::shard(&code));
        world.crash();
        assert_eq!(offer::find_code(&world, &code).await, Ok(Some(LOGIN.to_owned())));
        world.pass(100_000).await;
        offer::find_code(&world, "000000").await.unwrap();
        world.pass(900_000).await;
        for shard in 0..16 {
            let disk = world.disk_behind(Object::Code, &shard.to_string());
            assert_eq!((disk.document(), disk.alarm()), (None, None));
        }
        disk.put("from another release");
        world.crash();
        assert_eq!(open_with_code(&world, LOGIN).await.len(), 6, "what cannot be read stops nobody");
    });
}

#[test]
fn what_is_stored_and_said_between_objects_has_these_shapes() {
    let who = r#"{"wechat":{"app_id":"wx1","openid":"o1"}}"#;
    let shard = format!(
        r#"{{"codes":[{{"code":"482913","holder":{{"login":"{LOGIN}"}},"ends":1700000180000}},{{"code":"BCDFGHJK","holder":{{"person":{who}}},"ends":1700000300000}}],"misses":[1700000000000]}}"#
    );
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Shard>(&shard).unwrap()).unwrap(), shard);
    assert_eq!(serde_json::from_str::<Shard>("{}").unwrap(), Shard::default());
    let desk = format!(
        r#"{{"pending":{{"login":"{LOGIN}","client":"blog","who":{who},"number":47,"choices":[12,47,83],"strict":false,"ends":1700000180000}},"last":{{"login":"{LOGIN}","client":"blog","who":{who},"ends":1700001860000}},"given":{{"code":"BCDFGHJK","ends":1700000300000}},"misses":[1700000000000]}}"#
    );
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Desk>(&desk).unwrap()).unwrap(), desk);
    assert_eq!(serde_json::from_str::<Desk>("{}").unwrap(), Desk::default());
    let throttle = r#"{"times":[1700000000000],"ends":1700000600000}"#;
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Throttle>(throttle).unwrap()).unwrap(),
        throttle
    );
    let ask = r#"{"most":20,"window":600000}"#;
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Ask>(ask).unwrap()).unwrap(), ask);
    for call in [
        format!(r#"{{"reserve":{{"code":"482913","login":"{LOGIN}","span":180000}}}}"#),
        r#"{"find":{"code":"482913"}}"#.to_owned(),
        format!(r#"{{"give":{{"code":"BCDFGHJK","who":{who},"span":300000}}}}"#),
        r#"{"take":{"code":"BCDFGHJK"}}"#.to_owned(),
    ] {
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Call>(&call).unwrap()).unwrap(), call);
    }
    for reply in [
        r#""done""#.to_owned(),
        r#""taken""#.to_owned(),
        r#""longer""#.to_owned(),
        r#""nothing""#.to_owned(),
        format!(r#"{{"login":"{LOGIN}"}}"#),
        format!(r#"{{"person":{who}}}"#),
    ] {
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Reply>(&reply).unwrap()).unwrap(), reply);
    }
}

#[test]
fn nothing_that_is_said_is_too_long_or_has_markup_from_outside() {
    let long = "<a href=\"https://evil.example\">名".repeat(40);
    let site = Site { name: long.clone(), host: long.clone() };
    let place = Place { country: long.clone(), city: long.clone(), browser: long.clone(), system: long };
    for lang in [Lang::Zh, Lang::En] {
        let texts = Texts { lang };
        for choices in [None, Some([12, 47, 83])] {
            let text = texts.confirm(&site, &place, choices, Some(47));
            // A new follower's welcome comes below it.
            assert!(text.len() + 400 <= TEXT_LIMIT, "{} bytes", text.len());
            assert!(!text.contains("<a href=\"https"), "{text}");
        }
        let unknown =
            texts.confirm(&Site { name: "X".to_owned(), host: String::new() }, &Place::default(), None, None);
        assert_eq!(unknown.matches(lang.pick("未知", "unknown")).count(), 2, "{unknown}");
    }
}

#[test]
fn a_chinese_account_speaks_chinese() {
    run(async {
        let world = crate::login_stage::stage_with(&[("LANG", "zh")], |_| {});
        let code = open_with_code(&world, LOGIN).await;
        let asked = say(&world, USER, &code).await;
        assert!(asked.contains("您正在登录 My Blog（blog.example.com）"), "{asked}");
        let done = say(&world, USER, "确认").await;
        assert!(done.contains("您刚刚登录了") && done.contains("如果不是您本人操作，请回复"), "{done}");
        assert_eq!(status(&world, LOGIN).await, Status::Confirmed);
        open(&world, &"a".repeat(32), true).await;
        assert!(show(&world, &"a".repeat(32), Method::Code).await.code.is_some());
    });
}
