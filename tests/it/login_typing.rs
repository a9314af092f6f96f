//! What is typed on the page: the number that the chat told, and the code that it gave.

use serde_json::json;
use wxapi::handlers::login::offer::give_code;
use wxapi::login::Digest;
use wxapi::login::method::Method;
use wxapi::login::session::{Call, Confirmer, Fault};

use super::world::browser::{Browser, Page};
use super::world::site::{self, BLOG, begin, below, confirmed, finish, person, popup, status, world_of_chat};
use super::world::{ORIGIN, run};

#[test]
fn strict_mode_asks_for_the_number_that_the_chat_told() {
    run(async {
        let clients = json!([{ "id": "blog", "origins": [BLOG], "strict": true }]).to_string();
        let settings = [("LOGIN_CLIENTS", clients.as_str()), ("ACCOUNT_TYPE", "subscription")];
        for scripted in [false, true] {
            let world = site::world_with(&settings);
            let browser = Browser::new(&world);
            let page = confirmed(&world, &browser, &popup(&[])).await;
            assert_eq!(status(&browser, &page).await, "number");
            assert_eq!(finish(&browser, &page).await.status, 409);
            let attempt = world.attempt(&page.login());
            let shown = attempt["number"].as_u64().unwrap();
            let choices = attempt["choices"].as_array().unwrap().iter().filter_map(|choice| choice.as_u64());
            let number = choices.into_iter().find(|choice| *choice != shown).unwrap();
            // What the QR code's page shows is no help.
            let wrong = shown.to_string();
            let post = async |number: &str| {
                browser.post(&format!("{}?lang=zh", below(&page, "number")), &[("number", number)]).await
            };
            let back = post(&wrong).await;
            let expected = format!("{ORIGIN}/oauth/s/{}?note=wrong_number&lang=zh", page.login());
            assert_eq!((back.response.status, back.url), (200, expected));
            for nothing in ["", "abc", "999", "-1"] {
                post(nothing).await;
            }
            assert_eq!(
                world.attempt(&page.login())["stage"]["number"]["left"],
                2,
                "what is no number costs no try"
            );
            if scripted {
                post(&format!(" {number} ")).await;
                assert_eq!(status(&browser, &page).await, "confirmed");
                assert_eq!(finish(&browser, &page).await.status, 200);
            } else {
                post(&wrong).await;
                post(&wrong).await;
                assert_eq!(status(&browser, &page).await, "denied");
                post(&number.to_string()).await;
                assert_eq!(status(&browser, &page).await, "denied", "too late");
            }
        }
    });
}

#[test]
fn a_code_of_the_chat_is_typed_on_the_page() {
    run(async {
        let world = site::world_with(&[("ACCOUNT_TYPE", "subscription"), ("LOGIN_METHODS", "code,typed")]);
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[("method", "typed")])).await;
        let type_in =
            async |page: &Page, code: &str| browser.post(&below(page, "typed"), &[("code", code)]).await;
        for left in (1..=4).rev() {
            let back = type_in(&page, "ABCDEFGH").await;
            assert_eq!(back.url, format!("{ORIGIN}/oauth/s/{}?method=typed&note=wrong_code", page.login()));
            assert_eq!(world.attempt(&page.login())["misses"], 5 - left);
        }
        type_in(&page, "  ").await;
        assert_eq!(status(&browser, &page).await, "pending", "nothing costs nothing");
        type_in(&page, "ABCDEFGH").await;
        assert_eq!(status(&browser, &page).await, "denied", "five tries");

        let code = give_code(&world, &person("o-reader")).await.unwrap().unwrap();
        // An attempt that has ended uses up nobody's code, nor does one without this way, nor another browser.
        type_in(&page, &code).await;
        let stranger = Browser::new(&world);
        begin(&stranger, &popup(&[])).await;
        let page = begin(&browser, &popup(&[("method", "typed")])).await;
        let refused = stranger.post(&below(&page, "typed"), &[("code", &code)]).await;
        assert_eq!(refused.response.status, 403);
        type_in(&page, &code.to_lowercase()).await;
        assert_eq!(status(&browser, &page).await, "confirmed");
        let again = begin(&browser, &popup(&[])).await;
        type_in(&again, &code).await;
        assert_eq!(status(&browser, &again).await, "pending", "a code is good for one login");
    });
}

#[test]
fn a_way_that_the_page_does_not_offer_is_no_way_in() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[])).await;
        let code = give_code(&world, &person("o-reader")).await.unwrap().unwrap();
        browser.post(&below(&page, "typed"), &[("code", &code)]).await;
        assert_eq!(status(&browser, &page).await, "pending");
        let who = person("o-reader");
        for by in [Method::Menu, Method::Scene, Method::Typed] {
            let claim = Call::Claim { who: who.clone(), by, token: None };
            assert!(world.ask_login(&page.login(), claim).await.is_err(), "{by:?}");
        }
        let typed = Call::Typed {
            browser: Digest::of(&browser.cookie("__Host-wxl").unwrap()),
            who: Some(who.clone()),
        };
        assert_eq!(world.ask_login(&page.login(), typed).await, Err(Fault::Unavailable));
        let yes = Call::Confirm { by: Confirmer::Person(who), number: None };
        assert!(world.ask_login(&page.login(), yes).await.is_err());
        assert_eq!(status(&browser, &page).await, "pending");
    });
}
