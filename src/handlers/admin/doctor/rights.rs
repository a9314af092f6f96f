//! What the account may do, found by asking, and compared with `ACCOUNT_TYPE`.

use serde_json::{Map, Value};

use super::account::{Said, call_all, request};
use super::{Finding, State};
use crate::gateway::send::SendError;
use crate::handlers::admin::Visit;
use crate::json::{Put, json};
use crate::platform::Platform;

/// The types of accounts, in the order of the columns below.
const TYPES: [&str; 5] = ["subscription", "subscription_verified", "service", "service_verified", "test"];

/// Name, path, query, body, who may.
type Probe =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

/// One harmless question for each family: its name, path, query, body (empty for a `GET`), and who may ask it: `+`
/// yes, `-` no, `?` that depends.
/// <https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html>
const PROBES: [Probe; 12] = [
    ("console_menu", "/cgi-bin/get_current_selfmenu_info", &[], "", "+++++"),
    ("menu", "/cgi-bin/menu/get", &[], "", "-++++"),
    ("users", "/cgi-bin/user/get", &[], "", "-+-++"),
    ("tags", "/cgi-bin/tags/get", &[], "", "-+-++"),
    ("material", "/cgi-bin/material/get_materialcount", &[], "", "?+?+?"),
    ("drafts", "/cgi-bin/draft/count", &[], "", "?+?+?"),
    ("publish", "/cgi-bin/freepublish/batchget", &[], r#"{"offset":0,"count":1,"no_content":1}"#, "?+?+?"),
    ("mass", "/cgi-bin/message/mass/speed/get", &[], "{}", "-+-+-"),
    ("templates", "/cgi-bin/template/get_all_private_template", &[], "", "---++"),
    ("subscribe", "/wxaapi/newtmpl/gettemplate", &[], "", "?+-+?"),
    ("customer_service", "/cgi-bin/customservice/getkflist", &[], "", "-+-++"),
    ("js_sdk", "/cgi-bin/ticket/getticket", &[("type", "jsapi")], "", "+++++"),
];

/// Codes by which WeChat says that the account may, but that there is nothing: no menu, no agents.
const NOTHING_THERE: [i64; 2] = [46003, 65400];

/// Asks all of them.
pub async fn rights<P: Platform>(visit: &Visit<'_, P>) -> Finding {
    let asked = |(_, path, query, body, _): Probe| {
        let body = crate::json::value(body.as_bytes()).ok();
        request(path, query, body.as_ref())
    };
    let said = call_all(visit, PROBES.into_iter().map(asked).collect()).await;
    let answers: Vec<(&str, &str, String)> =
        PROBES.iter().zip(said).map(|((name, .., may), said)| (*name, *may, found(said))).collect();
    let column =
        visit.app.config.login.account_type.and_then(|own| TYPES.iter().position(|known| *known == own));
    compare(&answers, column)
}

/// `ok`, WeChat's code, or `no answer`.
fn found(answer: Said) -> String {
    match answer {
        Some(Ok(_)) => "ok".to_owned(),
        Some(Err(SendError::Refused(error))) if NOTHING_THERE.contains(&error.errcode) => "ok".to_owned(),
        Some(Err(SendError::Refused(error))) => error.errcode.to_string(),
        Some(Err(_)) | None => "no answer".to_owned(),
    }
}

/// Whether an account of the type of this column could have given that answer.
fn fits(may: &str, column: usize, found: &str) -> bool {
    match may.as_bytes().get(column) {
        Some(b'+') => found != "48001",
        Some(b'-') => found != "ok",
        _ => true,
    }
}

fn compare(answers: &[(&str, &str, String)], column: Option<usize>) -> Finding {
    let mut values = Map::new();
    for (name, _, found) in answers {
        values.put(name, json!(found));
    }
    let names = |is_meant: &dyn Fn(&str, &str) -> bool| -> String {
        let those = answers.iter().filter(|(_, may, found)| is_meant(may, found)).map(|(name, ..)| *name);
        those.collect::<Vec<_>>().join(", ")
    };
    let finding = match column {
        Some(column) => {
            let less = names(&|may, found| !fits(may, column, found) && found == "48001");
            let more = names(&|may, found| !fits(may, column, found) && found == "ok");
            against_type(&less, &more)
        }
        None => without_type(answers),
    };
    let strange = names(&|_, found| found != "ok" && found != "48001");
    if finding.state == State::Ok && !strange.is_empty() {
        let fix = "look up the codes at https://developers.weixin.qq.com/doc/oplatform/developers/errCode/";
        return Finding::warn(["neither yes nor 48001: ", &strange].concat(), fix)
            .with(Value::Object(values));
    }
    finding.with(Value::Object(values))
}

fn against_type(less: &str, more: &str) -> Finding {
    let fix = "correct ACCOUNT_TYPE, or look into the console (设置与开发 → 接口权限) for what was taken away or granted";
    match (less.is_empty(), more.is_empty()) {
        (true, true) => Finding::ok("the account may do what ACCOUNT_TYPE says"),
        (false, _) => {
            Finding::warn(["ACCOUNT_TYPE says that it may, WeChat says 48001: ", less].concat(), fix)
        }
        (true, false) => Finding::warn(["it may more than ACCOUNT_TYPE says: ", more].concat(), fix),
    }
}

fn without_type(answers: &[(&str, &str, String)]) -> Finding {
    let could_be = |column: usize| answers.iter().all(|(_, may, found)| fits(may, column, found));
    let types: Vec<&str> =
        TYPES.into_iter().enumerate().filter(|(column, _)| could_be(*column)).map(|(_, name)| name).collect();
    if types.is_empty() {
        return Finding::ok("ACCOUNT_TYPE is not set, and the answers fit none exactly");
    }
    Finding::ok(["ACCOUNT_TYPE is not set; the answers fit ", &types.join(", ")].concat())
}
