//! The result of an attempt: who takes it, by which way, and what happens where there is none.

use serde_json::json;

use super::world::browser::{Browser, header, json};
use super::world::site::{
    self, BLOG, CALLBACK, SHOP, STATE, VERIFIER, authorize, begin, below, check_turned_away, confirmed,
    finish, legacy, popup, redeem, status, world_of_chat, world_with,
};
use super::world::{ORIGIN, run};

#[test]
fn the_result_of_our_class_is_a_code_for_the_exact_origin() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = begin(&browser, &popup(&[("redirect_uri", CALLBACK)])).await;
        // Not before somebody confirmed.
        assert_eq!(finish(&browser, &page).await.status, 409);
        world.confirm_in_chat(&page.login(), "o-reader").await;
        assert_eq!(status(&browser, &page).await, "confirmed");
        let heard = world.heard(&page.login()).all();
        assert_eq!(heard, [r#"{"status":"scanned"}"#, r#"{"status":"confirmed"}"#]);
        let response = finish(&browser, &page).await;
        assert_eq!((response.status, header(&response, "cache-control")), (200, Some("no-store")));
        let result = json(&response);
        let code = result["message"]["code"].as_str().unwrap().to_owned();
        assert!(code.len() == 64 && code.starts_with(&page.login()));
        assert_eq!(result["origin"], BLOG);
        assert_eq!(
            result["message"],
            json!({ "type": "wxapi-login", "state": STATE, "code": code, "iss": ORIGIN })
        );
        let bounce = result["redirect"].as_str().unwrap();
        assert!(bounce.starts_with(&format!("{CALLBACK}&code={code}&state=")), "{bounce}");
        assert_eq!(result["form"], json!(null));
        assert_eq!(status(&browser, &page).await, "done");
        assert!(!response.body.contains("o-reader"));

        assert_eq!(
            redeem(&world, &code, "another-verifier-of-more-than-forty-three-chars").await.status,
            400
        );
        let tokens = redeem(&world, &code, VERIFIER).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        assert!(json(&tokens)["id_token"].is_string());
    });
}

#[test]
fn the_result_can_be_taken_again_until_it_is_redeemed() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = confirmed(&world, &browser, &popup(&[])).await;
        let codes: Vec<String> = {
            let (first, second) = (finish(&browser, &page).await, finish(&browser, &page).await);
            [first, second].iter().map(|r| json(r)["message"]["code"].as_str().unwrap().to_owned()).collect()
        };
        assert_ne!(codes[0], codes[1]);
        assert_eq!(redeem(&world, &codes[0], VERIFIER).await.status, 400, "the last one counts");
        assert_eq!(redeem(&world, &codes[1], VERIFIER).await.status, 200);
        let late = finish(&browser, &page).await;
        assert_eq!((late.status, json(&late)), (409, json!({ "error": "not_now" })));
        // And not for ever.
        let page = confirmed(&world, &browser, &popup(&[])).await;
        assert_eq!(finish(&browser, &page).await.status, 200);
        world.pass(60_000).await;
        assert_eq!(finish(&browser, &page).await.status, 410);
    });
}

#[test]
fn the_older_class_gets_the_user_id_itself_as_a_text() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let page = confirmed(&world, &browser, &legacy()).await;
        let result = json(&finish(&browser, &page).await);
        assert_eq!(result["origin"], BLOG);
        assert_eq!((&result["redirect"], &result["form"]), (&json!(null), &json!(null)));
        let message: serde_json::Value = serde_json::from_str(result["message"].as_str().unwrap()).unwrap();
        assert_eq!(message["code"], 200);
        let uid = message["data"].as_str().unwrap();
        assert!(uid.len() == 27 && !result.to_string().contains("o-reader"), "{message}");
        assert_eq!(message["id_token"].as_str().unwrap().split('.').count(), 3);
        // The same person again, the same id; another one, another.
        let page = confirmed(&world, &browser, &legacy()).await;
        assert!(finish(&browser, &page).await.body.contains(uid));
        let page = begin(&browser, &legacy()).await;
        world.confirm_in_chat(&page.login(), "o-other").await;
        assert!(!finish(&browser, &page).await.body.contains(uid));
    });
}

#[test]
fn without_a_script_a_form_leads_to_the_website() {
    run(async {
        let world = world_of_chat();
        for old in [false, true] {
            let mut browser = Browser::new(&world);
            browser.old = old;
            let page = confirmed(&world, &browser, &authorize(&[])).await;
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains(&format!("form-action 'self' {SHOP};")), "{policy}");
            let done = browser.post(&below(&page, "finish"), &[]).await;
            assert!(
                done.leaves_to().unwrap().starts_with(&format!("{SHOP}/oidc?code={}", page.login())),
                "{done:?}"
            );
            assert_eq!(done.answer("state").as_deref(), Some(STATE));
            assert_eq!(done.answer("iss").as_deref(), Some(ORIGIN));
            assert_eq!(done.header("referrer-policy"), Some("no-referrer"));
            // Our class, whose opener is out of reach: the bounce.
            let page = confirmed(&world, &browser, &popup(&[("redirect_uri", CALLBACK)])).await;
            let done = browser.post(&below(&page, "finish"), &[]).await;
            assert!(done.leaves_to().unwrap().starts_with(&format!("{CALLBACK}&code=")), "{done:?}");
            // Where only a message would do, the page says what to do.
            let page = confirmed(&world, &browser, &popup(&[])).await;
            let done = browser.post(&below(&page, "finish"), &[]).await;
            assert_eq!((done.response.status, done.login()), (200, page.login()));
        }
    });
}

#[test]
fn a_website_that_wants_a_form_gets_one() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let address = authorize(&[("response_mode", "form_post")]);
        let page = confirmed(&world, &browser, &address).await;
        let form = json(&finish(&browser, &page).await)["form"].clone();
        assert_eq!(form["action"], format!("{SHOP}/oidc"));
        assert_eq!((&form["fields"]["state"], &form["fields"]["iss"]), (&json!(STATE), &json!(ORIGIN)));
        let done = browser.post(&below(&page, "finish"), &[]).await;
        assert_eq!((done.response.status, done.leaves_to()), (200, None));
        for part in [&format!("action=\"{SHOP}/oidc\""), "name=\"code\"", &page.login(), "name=\"iss\""] {
            assert!(done.body().contains(part), "{part} in {done:?}");
        }
        let policy = done.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action 'self' {SHOP};")), "{policy}");
        // Bad news go the same way.
        let page = begin(&browser, &address).await;
        world.deny_in_chat(&page.login(), "o-reader").await;
        let denied = browser.open(&page.url).await;
        let back = format!("/oauth/s/{}?back=form", page.login());
        assert!(denied.body().contains(&back), "{denied:?}");
        let form = browser.open(&back).await;
        assert!(
            form.body().contains("access_denied") && form.body().contains(&format!("{SHOP}/oidc")),
            "{form:?}"
        );
        assert!(!browser.open(&format!("{back}&lang=zh")).await.body().contains("name=\"code\""));
    });
}

#[test]
fn who_says_no_or_nothing_goes_back_with_an_error() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let denied = begin(&browser, &popup(&[("redirect_uri", CALLBACK)])).await;
        assert!(!denied.body().contains("access_denied"), "not while it is open");
        world.deny_in_chat(&denied.login(), "o-reader").await;
        assert_eq!(status(&browser, &denied).await, "denied");
        let expired = begin(&browser, &authorize(&[])).await;
        world.pass(180_000).await;
        assert_eq!(status(&browser, &expired).await, "expired");
        assert_eq!(world.heard(&expired.login()).all(), [r#"{"status":"expired"}"#]);
        for (page, address, again) in
            [(denied, CALLBACK, "/oauth?"), (expired, &format!("{SHOP}/oidc"), "/authorize?")]
        {
            let shown = browser.open(&page.url).await;
            assert_eq!(shown.response.status, 200);
            let text = shown.body().replace("&amp;", "&");
            assert!(
                text.contains(address) && text.contains("error=access_denied") && text.contains("iss="),
                "{text}"
            );
            assert!(text.contains(again), "a link that begins anew: {text}");
            let late = finish(&browser, &page).await;
            assert!(matches!(late.status, 409 | 410), "{late:?}");
            // A form is led to the page that says it.
            let form = browser.post(&below(&page, "finish"), &[]).await;
            assert_eq!((form.response.status, form.login()), (200, page.login()));
        }
    });
}

/// The attacker chooses the challenge and sends the link; the victim opens it and logs in.
#[test]
fn a_login_that_an_attacker_began_goes_to_the_website_alone() {
    run(async {
        let world = world_of_chat();
        let evil = "https://evil.example.com";
        let attacker = "a-verifier-that-the-attacker-has-chosen-himself";
        let link = site::query(
            "/oauth",
            &[
                ("client_id", "blog"),
                ("target", BLOG),
                ("state", "of the attacker"),
                ("challenge", &site::challenge(attacker)),
            ],
        );
        let victim = Browser::new(&world);
        let page = victim.open_from(evil, &link).await;
        world.confirm_in_chat(&page.login(), "o-victim").await;
        // He cannot poll for it, knowing the attempt's name or not.
        let thief = Browser::new(&world);
        begin(&thief, &link).await;
        check_turned_away(&thief.fetch("GET", &below(&page, "status")).await);
        check_turned_away(&finish(&thief, &page).await);
        check_turned_away(&victim.fetch_from(evil, "POST", &below(&page, "finish")).await);
        let guess = format!("{}{}", page.login(), "0".repeat(32));
        assert_eq!(redeem(&world, &guess, attacker).await.status, 400);
        // The message is for the blog's own pages, which asked for no such state.
        let result = json(&finish(&victim, &page).await);
        assert_eq!(
            (&result["origin"], &result["message"]["state"]),
            (&json!(BLOG), &json!("of the attacker"))
        );
        assert_eq!(result["redirect"], json!(null));
        // And a page of the blog's that took it anyway has another verifier.
        let code = result["message"]["code"].as_str().unwrap();
        assert_eq!(redeem(&world, code, VERIFIER).await.status, 400);
    });
}

#[test]
fn whoever_has_no_id_here_is_told_before_a_code_is_issued() {
    run(async {
        // The operator went over to unionids while this person was logging in without one.
        let world = world_with(&[("ACCOUNT_TYPE", "subscription"), ("SUBJECT_SOURCE", "unionid")]);
        let browser = Browser::new(&world);
        let page = confirmed(&world, &browser, &popup(&[("redirect_uri", CALLBACK)])).await;
        assert_eq!(finish(&browser, &page).await.status, 409);
        assert_eq!(status(&browser, &page).await, "denied");
        assert_eq!(world.attempt(&page.login())["stage"], "denied");
        let shown = browser.open(&page.url).await;
        assert!(shown.body().contains("error=access_denied"), "the way back says so too: {shown:?}");
    });
}

#[test]
fn the_page_says_what_the_website_will_learn() {
    run(async {
        let world = world_of_chat();
        let browser = Browser::new(&world);
        let (only_id, also_name) = ("only an account ID", "account ID, name and picture");
        let page = begin(&browser, &popup(&[])).await;
        assert!(page.body().contains(only_id) && !page.body().contains(also_name));
        let page = begin(&browser, &popup(&[("scope", "profile")])).await;
        assert!(page.body().contains(also_name) && !page.body().contains(only_id));
    });
}
