//! The table of WeChat's APIs.

use wxapi::gateway::calls::{Access, access, is_known, path_of};
use wxapi::gateway::client::Scope;

const MANUAL: &str = include_str!("../../docs/wx-sim-api.md");

/// Every API that wx-sim plays, as its manual has them; another test holds that to the simulator's own table.
fn played() -> Vec<String> {
    let begin = MANUAL.find("## The stand-in for `api.weixin.qq.com`").unwrap();
    let end = MANUAL.find("### The browser in the phone").unwrap();
    let rows = MANUAL[begin..end].lines().filter(|line| line.starts_with("| `") || line.starts_with("| …"));
    let mut found = Vec::new();
    for row in rows {
        let (mut folder, mut is_api) = (String::new(), false);
        for span in row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2) {
            let (method, path) = span.split_once(' ').unwrap_or(("", span));
            let path = path.split('?').next().unwrap();
            is_api |= matches!(method, "GET" | "POST");
            if folder.is_empty() {
                path.rsplit_once('/').map_or("", |parts| parts.0).clone_into(&mut folder);
            }
            if is_api {
                found.push(if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") });
            }
        }
    }
    found
}

#[test]
fn every_api_that_wx_sim_plays_has_a_row() {
    let all = played();
    assert!(all.len() > 100, "{all:?}");
    for path in all {
        assert!(is_known(&path), "no row for {path}");
    }
}

fn check(path: &str, scope: Scope, repeatable: bool) {
    let Access::Scoped(rule) = access(path) else { panic!("{path}: {:?}", access(path)) };
    assert_eq!((rule.scope, rule.repeatable), (scope, repeatable), "{path}");
}

#[test]
fn what_the_apis_need() {
    check("/cgi-bin/menu/get", Scope::Read, true);
    check("/cgi-bin/menu/create", Scope::Menu, true);
    check("/cgi-bin/menu/addconditional", Scope::Menu, false);
    check("/cgi-bin/message/custom/send", Scope::Message, false);
    check("/cgi-bin/message/template/send", Scope::Message, false);
    check("/cgi-bin/message/mass/sendall", Scope::Mass, false);
    check("/cgi-bin/message/mass/get", Scope::Mass, true);
    check("/cgi-bin/media/upload", Scope::Media, false);
    check("/cgi-bin/freepublish/submit", Scope::Media, false);
    check("/cgi-bin/user/info", Scope::User, true);
    check("/customservice/msgrecord/getmsglist", Scope::User, true);
    check("/datacube/getarticlesummary", Scope::User, true);
    check("/cgi-bin/clear_quota", Scope::Everything, false);
    check("/cgi-bin/menu", Scope::Everything, false);
    check("/cgi-bin/menu/get/more", Scope::Everything, false);
    check("/cgi-bin/unheard/of", Scope::Everything, false);
    for secret in
        ["/cgi-bin/token", "/cgi-bin/stable_token", "/cgi-bin/clear_quota/v2", "/sns/jscode2session"]
    {
        assert_eq!(access(secret), Access::Secret, "{secret}");
    }
    assert_eq!(access("/sns/userinfo"), Access::Open);
}

#[test]
fn paths_are_those_of_wechat_or_none() {
    let path = |text: &str| path_of(&text.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>());
    assert_eq!(path("/v1//cgi-bin/menu/get/").as_deref(), Some("/cgi-bin/menu/get"));
    assert_eq!(path("/cgi-bin/material/upload").as_deref(), Some("/cgi-bin/material/add_material"));
    for wrong in [
        "/cgi-bin/../sns/x",
        "/cgi-bin/%2e%2e/x",
        "/cgi-bin/a%2fb",
        "/cgi-bin/a;b",
        "/cgi-bin/菜单",
        "/cgi-bin/.x",
    ] {
        assert_eq!(path(wrong), None, "{wrong}");
    }
}
