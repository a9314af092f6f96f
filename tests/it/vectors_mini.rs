//! Checkers for what Mini Programs have of their own: open data, its signatures, calls and answers.

use crate::vectors::{Check, Outcome, Vector, same};
use crate::vectors_claims::leaf;
use serde_json::Value;
use wxapi::wechat::api::{ApiRequest, Body, custom, mini};
use wxapi::wechat::{AppId, OpenId, Secret, open_data};

/// Either every member, or a refusal.
pub fn encrypted_data(vector: &Vector) -> Check {
    let file = vector.json();
    let expected = &file["expected"];
    let app_id = AppId::new(leaf(&file["config"]["appid"]));
    let field = |name: &str| leaf(&file[name]);
    let key = Secret::new(field("session_key"));
    let data = open_data::decrypt(&key, &field("encrypted_data"), &field("iv"), &app_id);
    if expected["result"] == "reject" {
        return match data {
            Err(_) => Ok(Outcome::Passed),
            Ok(data) => Err(format!("accepted: {data}")),
        };
    }
    let data = data.map_err(|error| error.to_string())?;
    let plaintext = expected["plaintext"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let wanted = [expected.get("fields").cloned(), plaintext];
    if wanted.iter().all(Option::is_none) {
        return Err("the vector does not say what is in it".to_owned());
    }
    for wanted in wanted.into_iter().flatten() {
        same("data", &data, &wanted)?;
    }
    Ok(Outcome::Passed)
}

/// The signature of `rawData`.
pub fn raw_data(vector: &Vector) -> Check {
    let file = vector.json();
    let (raw, key) = (leaf(&file["raw_data"]), Secret::new(leaf(&file["session_key"])));
    let is_signed = |signature: &Value| open_data::is_signed(&raw, &key, &leaf(signature));
    same("computed", &is_signed(&file["expected"]["computed"]), &true)?;
    same("valid", &Some(is_signed(&file["signature"])), &file["expected"]["valid"].as_bool())?;
    Ok(Outcome::Passed)
}

/// What is signed with the session key.
pub fn session(vector: &Vector) -> Check {
    let file = vector.json();
    let key = Secret::new(leaf(&file["session_key"]));
    let signature = open_data::sign(&key, leaf(&file["post_data"]).as_bytes());
    same("signature", &signature, &leaf(&file["expected"]["signature"]))?;
    Ok(Outcome::Passed)
}

/// The call that has this body, if one is made for it. What would be refused is none of ours.
pub fn request(subtype: &str, body: &Value) -> Option<ApiRequest> {
    let to = OpenId::new(leaf(&body["touser"]));
    match subtype {
        "wxa/business/getuserphonenumber" => {
            let mut request = mini::phone_number(&OpenId::new("o"), &leaf(&body["code"]));
            if body["openid"].is_null() {
                let Body::Json(json) = &request.body else { return None };
                request.body = Body::Json(json.replace(",\"openid\":\"o\"", ""));
            }
            Some(request)
        }
        "wxa/msg_sec_check" if body["version"] == 2 => {
            let place = mini::Place::numbered(body["scene"].as_u64()?)?;
            Some(mini::check_text(&OpenId::new(leaf(&body["openid"])), place, &leaf(&body["content"])))
        }
        "cgi-bin/message/subscribe/send" => mini::notification(&to, body).ok(),
        "wxa/getwxacodeunlimit" => mini::code(body).ok(),
        "cgi-bin/message/custom/business/typing" => {
            let cancel = body["command"] == "CancelTyping";
            let command = if cancel { custom::Typing::CancelTyping } else { custom::Typing::Typing };
            Some(mini::typing(&to, command))
        }
        _ => None,
    }
}

/// What an answer is read as.
pub fn response(vector: &Vector, answer: &Value) -> Result<(), String> {
    let text = answer.to_string();
    let subtype = vector.subtype();
    let is = |name: &str| subtype == name || subtype.replace('_', "/") == name.replace('_', "/");
    if is("sns/jscode2session") || is("wxa/resetusersessionkey") {
        let session = mini::parse_session(&text).map_err(|error| error.to_string())?;
        same("openid", &Some(session.openid.as_str()), &answer["openid"].as_str())?;
        same("session_key", &Some(session.session_key.expose()), &answer["session_key"].as_str())?;
        same("unionid", &session.unionid.as_ref().map(OpenId::as_str), &answer["unionid"].as_str())?;
    }
    if is("wxa/business/getuserphonenumber") {
        let info = &answer["phone_info"];
        let app_id = AppId::new(leaf(&info["watermark"]["appid"]));
        let phone = mini::parse_phone(&text, &app_id).map_err(|error| error.to_string())?;
        same("number", &Some(phone.number.as_str()), &info["phoneNumber"].as_str())?;
        same("pure number", &Some(phone.pure.as_str()), &info["purePhoneNumber"].as_str())?;
        same("country", &phone.country, &leaf(&info["countryCode"]))?;
    }
    if is("wxa/msg_sec_check") && answer.get("result").is_some() {
        let verdict = mini::parse_check(&text).map_err(|error| error.to_string())?;
        let result = &answer["result"];
        same("suggestion", &Some(verdict.suggest.as_str()), &result["suggest"].as_str())?;
        same("label", &verdict.label.to_string(), &leaf(&result["label"]))?;
    }
    Ok(())
}
