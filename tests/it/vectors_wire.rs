//! Checkers for what goes over the wire: ciphertexts, signatures, calls of the API and their answers.

use crate::vectors::{Check, Outcome, Vector, same};
use crate::vectors_admin;
use crate::vectors_claims::{self, leaf};
use crate::vectors_inbound::{raw_query, same_tree};
use crate::vectors_mini;
use crate::vectors_proxy;
use serde_json::{Value, json};
use wxapi::gateway::menu::{Live, difference};
use wxapi::wechat::api::menu::plain;
use wxapi::wechat::api::{self, ApiRequest, Body, Reaction, custom, media, ticket, token};
use wxapi::wechat::callback::{self, Envelope, Format, Keys, Opened, Query, Refusal, WhichKey};
use wxapi::wechat::crypto::EncodingAesKey;
use wxapi::wechat::message::{Inbound, parse_document};
use wxapi::wechat::xml::parse_xml;
use wxapi::wechat::{AppId, OpenId, Secret, signature};

fn keys(config: &Value) -> Result<Keys, String> {
    let key = |name: &str| config[name].as_str().map(EncodingAesKey::parse).transpose();
    let app_id = config["appid"].as_str().or_else(|| config["component_appid"].as_str());
    Ok(Keys {
        token: Secret::new(config["token"].as_str().unwrap_or_default()),
        app_id: app_id.map(AppId::new),
        current: key("encoding_aes_key").map_err(|error| error.to_string())?,
        previous: previous_key(config)
            .map(EncodingAesKey::parse)
            .transpose()
            .map_err(|error| error.to_string())?,
    })
}

/// Whatever the vector's author called it.
fn previous_key(config: &Value) -> Option<&str> {
    let mut members = config.as_object()?.iter();
    members.find(|(name, _)| name.contains("prev") || name.contains("old"))?.1.as_str()
}

/// An encrypted push, opened by the same door as in production where the vector has a query.
pub fn push(vector: &Vector) -> Check {
    let file = vector.json();
    let keys = keys(&file["config"])?;
    let body = file["body"].as_str().ok_or("the vector has no body")?;
    if file["body_format"] == "base64" {
        return bare_ciphertext(vector, &keys, body);
    }
    let opened = open(&file, body, &keys);
    if file["expected"]["result"] == "reject" {
        let status = file["expected"]["status"].as_u64().unwrap_or(403);
        return match opened {
            Err(refusal) => same("status", &u64::from(refusal.status()), &status).map(|()| Outcome::Passed),
            Ok(_) => Err("accepted".to_owned()),
        };
    }
    let opened = opened.map_err(|refusal| refusal.to_string())?;
    envelope(&file, &keys, body, &opened)?;
    plaintext(vector, &opened.xml, &opened.inbound)
}

fn open(file: &Value, body: &str, keys: &Keys) -> Result<Opened, Refusal> {
    let raw = raw_query(&file["query"]);
    let query = Query::parse(&raw);
    let now = query.timestamp.parse().unwrap_or_default();
    callback::open(&query, body.as_bytes(), keys, now)
}

fn envelope(file: &Value, keys: &Keys, body: &str, opened: &Opened) -> Result<(), String> {
    let expected = &file["expected"];
    let Envelope::Encrypted { key, id, format } = &opened.envelope else {
        return Err("opened as a plain message".to_owned());
    };
    same("trailing id", &Some(id.as_str()), &expected["trailing_id"].as_str())?;
    let json = if *format == Format::Json { "json" } else { "xml" };
    same("format", &Some(json), &file["body_format"].as_str())?;
    let key = if *key == WhichKey::Current { &keys.current } else { &keys.previous };
    let encrypt = parse_document(body).map_err(|error| error.to_string())?.owned("Encrypt");
    decrypted(key.as_ref().ok_or("no key")?, &encrypt, expected)
}

fn decrypted(key: &EncodingAesKey, encrypt: &str, expected: &Value) -> Result<(), String> {
    let decrypted = key.decrypt(encrypt).map_err(|error| error.to_string())?;
    same("random", &Some(hex::encode(decrypted.random).as_str()), &expected["random16_hex"].as_str())?;
    same("length", &Some(decrypted.message.len() as u64), &expected["msg_len"].as_u64())?;
    same("id", &Some(decrypted.id.as_str()), &expected["trailing_id"].as_str())?;
    same(
        "encrypted again",
        &key.encrypt(decrypted.random, &decrypted.message, &decrypted.id).as_str(),
        &encrypt,
    )
}

fn bare_ciphertext(vector: &Vector, keys: &Keys, body: &str) -> Check {
    let key = keys.current.as_ref().ok_or("no key")?;
    decrypted(key, body, vector.expected())?;
    let message = key.decrypt(body).map_err(|error| error.to_string())?.message;
    plaintext(vector, &message, &Inbound::parse(&message).map_err(|error| error.to_string())?)
}

fn plaintext(vector: &Vector, document: &str, inbound: &Inbound) -> Check {
    same("plaintext", &Some(document), &vector.expected()["plaintext"].as_str())?;
    let fields = parse_document(document).map_err(|error| error.to_string())?;
    same_tree(&fields, &vector.expected()["fields"])?;
    vectors_claims::check(inbound, vector.expected(), vector.complete)?;
    Ok(Outcome::Passed)
}

/// The ciphertext byte for byte, then the whole envelope.
pub fn sealed_reply(vector: &Vector) -> Check {
    let file = vector.json();
    let (keys, expected) = (keys(&file["config"])?, &file["expected"]);
    let random = leaf(&file["random16"]).into_bytes().try_into().map_err(|_| "random16 is not 16 bytes")?;
    let (plain, id) = (leaf(&file["plaintext"]), leaf(&file["config"]["appid"]));
    let encrypt = keys.current.as_ref().ok_or("no key")?.encrypt(random, &plain, &id);
    same("ciphertext", &Some(encrypt.as_str()), &expected["encrypt"].as_str())?;
    let (Some(msg_signature), Ok(now)) =
        (expected["msg_signature"].as_str(), leaf(&file["timestamp"]).parse::<u64>())
    else {
        return Ok(Outcome::Passed);
    };
    let nonce = leaf(&file["nonce"]);
    let format = if file["reply_format"] == "json" { Format::Json } else { Format::Xml };
    let envelope = Envelope::Encrypted { key: WhichKey::Current, id: AppId::new(id), format };
    let sealed = callback::seal(&plain, &envelope, &keys, &nonce, now, random);
    let (fields, timestamp) = match format {
        Format::Json => (serde_json::from_str(&sealed).map_err(|error| error.to_string())?, json!(now)),
        Format::Xml => (xml_value(&sealed)?, json!(now.to_string())),
    };
    let wanted =
        json!({"Encrypt": encrypt, "MsgSignature": msg_signature, "TimeStamp": timestamp, "Nonce": nonce});
    same::<Value>("envelope", &fields, &wanted)?;
    if let envelope @ Value::Object(_) = &expected["envelope"] {
        same("published envelope", &fields, envelope)?;
    }
    Ok(Outcome::Passed)
}

fn xml_value(document: &str) -> Result<Value, String> {
    let fields = parse_xml(document).map_err(|error| error.to_string())?;
    Ok(fields.all().iter().map(|field| (field.name().to_owned(), json!(field.text()))).collect())
}

/// WeChat Work's check of a URL. We do not answer it, but the signature and the cipher are the same.
pub fn encrypted_echostr(vector: &Vector) -> Check {
    let file = vector.json();
    let (keys, query) = (keys(&file["config"])?, &file["query"]);
    let encrypt = leaf(&query["echostr"]);
    let (timestamp, nonce) = (leaf(&query["timestamp"]), leaf(&query["nonce"]));
    let parts = [keys.token.expose(), &timestamp, &nonce, &encrypt];
    let valid = signature::verify(&parts, &leaf(&query["msg_signature"]));
    same("valid", &Some(valid), &file["expected"]["valid"].as_bool())?;
    let echostr =
        keys.current.as_ref().ok_or("no key")?.decrypt(&encrypt).map_err(|error| error.to_string())?;
    same("echostr", &echostr.message, &leaf(&file["expected"]["response_body"]))?;
    Ok(Outcome::Passed)
}

pub fn signature(vector: &Vector) -> Check {
    let file = vector.json();
    let expected = &file["expected"];
    if let Some(parts) = file["parts"].as_array() {
        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
        let sha1 = leaf(&expected["sha1_sorted_concat"]);
        same("signature", &signature::sign(&parts), &sha1)?;
        return same("verified", &signature::verify(&parts, &sha1), &true).map(|()| Outcome::Passed);
    }
    let keys = keys(&file["config"])?;
    let raw = raw_query(&file["query"]);
    let query = Query::parse(&raw);
    let parts = [keys.token.expose(), &query.timestamp, &query.nonce];
    same("computed", &signature::sign(&parts), &leaf(&expected["computed_signature"]))?;
    let valid = expected["valid"].as_bool();
    same("valid", &Some(signature::verify(&parts, &query.signature)), &valid)?;
    if !query.echostr.is_empty() {
        let answer = callback::verify_url(&query, &keys).ok();
        same("answer", &answer.as_deref(), &expected["response_body"].as_str())?;
    }
    Ok(Outcome::Passed)
}

/// What a page signs for the JS-SDK: SHA-1 of one text.
pub fn jssdk(vector: &Vector) -> Check {
    let file = vector.json();
    let signature = leaf(&file["expected"]["signature"]);
    same("of text", &signature::sign(&[&leaf(&file["expected"]["string1"])]), &signature)?;
    let field = |name: &str| leaf(&file[name]);
    let timestamp = field("timestamp").parse().map_err(|_| "no timestamp")?;
    let signed = ticket::sign(&field("jsapi_ticket"), &field("noncestr"), timestamp, &field("url"));
    same("signature", &signed, &signature)?;
    Ok(Outcome::Passed)
}

/// The code, the diagnostics in the text, and the class of reaction.
pub fn api_error(vector: &Vector) -> Check {
    let error = api::check(vector.text()?).err().ok_or("read as success")?;
    same("errcode", &Some(error.errcode), &vector.expected()["errcode"].as_i64().or(body_code(vector)))?;
    same("has a rid", &error.rid().is_some(), &error.errmsg.contains("rid: "))?;
    same("has an address", &error.whitelist_ip().is_some(), &(error.errcode == 40164))?;
    if let Some(ip) = vector.expected()["ip"].as_str() {
        same("address", &error.whitelist_ip(), &Some(ip))?;
    }
    match vector.expected()["reaction"].as_str() {
        Some(text) if fits(error.reaction(), text) => Ok(Outcome::Passed),
        Some(text) => Err(format!("{:?} is not {text:?}", error.reaction())),
        None => Ok(Outcome::Passed),
    }
}

fn body_code(vector: &Vector) -> Option<i64> {
    vector.expected()["body"]["errcode"].as_i64()
}

/// Reactions are described in words; the first word that is there decides which class is meant.
fn fits(reaction: Reaction, text: &str) -> bool {
    type Class = fn(Reaction) -> bool;
    let classes: [(&str, Class); 15] = [
        ("refresh token", |reaction| reaction == Reaction::RefreshToken),
        ("restart login", |reaction| reaction == Reaction::RestartLogin),
        ("re-authorise", |reaction| reaction == Reaction::Reauthorize),
        // A login without its code is a bug of the page that began it; to the user it is a login to begin anew.
        ("caller bug", |reaction| matches!(reaction, Reaction::RestartLogin | Reaction::FixRequest)),
        ("configuration", |reaction| reaction == Reaction::Configuration),
        ("IP", |reaction| reaction == Reaction::AllowIp),
        ("midnight", |reaction| reaction == Reaction::StopForToday),
        ("administrator", |reaction| matches!(reaction, Reaction::AwaitAdministrator { .. })),
        ("back-off", |reaction| reaction == Reaction::BackOff),
        ("fix", |reaction| reaction == Reaction::FixRequest),
        ("harmless", |reaction| reaction == Reaction::Harmless),
        ("block", |reaction| reaction == Reaction::Block),
        ("wait", |reaction| matches!(reaction, Reaction::Wait { .. })),
        ("unknown", |reaction| reaction == Reaction::Unknown),
        ("do not retry", |reaction| matches!(reaction, Reaction::Drop | Reaction::FixRequest)),
    ];
    match classes.iter().find(|(word, _)| text.contains(word)) {
        Some((_, class)) => class(reaction),
        None => reaction != Reaction::Unknown,
    }
}

/// The calls that `wechat/api` makes; the others are those of other programs.
pub fn api_request(vector: &Vector) -> Check {
    let body = &vector.expected()["body"];
    let Some(request) =
        request(vector.subtype(), body).or_else(|| vectors_mini::request(vector.subtype(), body))
    else {
        return vectors_admin::request(vector, endpoint(vector))
            .unwrap_or_else(|| vectors_proxy::request(vector, endpoint(vector)));
    };
    let Body::Json(found) = &request.body else { return Err("the call has no JSON body".to_owned()) };
    let mut found: Value = serde_json::from_str(found).map_err(|error| error.to_string())?;
    if body.get("force_refresh").is_none() && found["force_refresh"] == false {
        found.as_object_mut().ok_or("no object")?.remove("force_refresh");
    }
    same("body", &found, body)?;
    same("path", &request.path.trim_start_matches('/'), &endpoint(vector))?;
    Ok(Outcome::Passed)
}

fn request(subtype: &str, body: &Value) -> Option<ApiRequest> {
    let to = OpenId::new(leaf(&body["touser"]));
    if subtype == "cgi-bin/stable_token" {
        let force_refresh = body["force_refresh"] == true;
        let (app_id, secret) = (AppId::new(leaf(&body["appid"])), Secret::new(leaf(&body["secret"])));
        Some(token::stable_token(&app_id, &secret, force_refresh))
    } else if body["msgtype"] == "text" {
        Some(custom::send_text(&to, &leaf(&body["text"]["content"])))
    } else if subtype == "cgi-bin/message/custom/typing" {
        let cancel = body["command"] == "CancelTyping";
        Some(custom::typing(&to, if cancel { custom::Typing::CancelTyping } else { custom::Typing::Typing }))
    } else {
        None
    }
}

fn endpoint(vector: &Vector) -> &str {
    let endpoint = vector.expected()["endpoint"].as_str().unwrap_or_default();
    endpoint.split_whitespace().last().unwrap_or_default().trim_start_matches('/')
}

pub fn api_response(vector: &Vector) -> Check {
    let text = vector.text()?;
    let answer = api::check(text);
    let is_error = vector.expected()["is_error"].as_bool().unwrap_or(false);
    same("is an error", &answer.is_err(), &is_error)?;
    if let (Ok(answer), body @ Value::Object(_)) = (&answer, &vector.expected()["body"]) {
        same("body", answer, body)?;
        vectors_admin::response(vector, answer)?;
        vectors_mini::response(vector, answer)?;
    }
    if let Some(seconds) = vector.expected()["expires_in_seconds"].as_u64() {
        let parsed = token::parse(text).map_err(|error| error.to_string())?;
        same("expires_in", &parsed.expires_in, &seconds)?;
        let expected = Secret::new(leaf(&vector.expected()["access_token"]));
        same("access_token", &parsed.access_token, &expected)?;
    }
    if let Ok(answer) = &answer {
        menus(answer)?;
        if vector.subtype().ends_with("media_upload") || vector.subtype().ends_with("media/upload") {
            let expected = (answer["media_id"].as_str().unwrap_or_default(), answer["created_at"].as_u64());
            same("upload", &media::uploaded(answer), &Some(expected))?;
        }
    }
    Ok(Outcome::Passed)
}

/// The answer to `menu/get`: every button is there with all that it does, and so is every conditional menu.
fn menus(answer: &Value) -> Result<(), String> {
    let Some(menu @ Value::Object(_)) = answer.get("menu") else { return Ok(()) };
    let live = Live::of_api(answer);
    same("names", &names(&live.menu), &names(menu))?;
    same("changes", &difference(&live.menu, &json!({ "button": plain(menu.get("button")) })), &Vec::new())?;
    let conditional = answer["conditionalmenu"].as_array().cloned().unwrap_or_default();
    same("conditional menus", &live.conditional.len(), &conditional.len())?;
    for (found, given) in live.conditional.iter().zip(&conditional) {
        same("names", &names(found), &names(given))?;
        same("rule", &found["matchrule"], &given["matchrule"])?;
        same("menuid", &found["menuid"], &json!(leaf(&given["menuid"])))?;
    }
    Ok(())
}

fn names(menu: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let lists = [&menu["button"], &menu["sub_button"]];
    for button in lists.into_iter().filter_map(Value::as_array).flatten() {
        names.push(leaf(&button["name"]));
        names.extend(names_below(button));
    }
    names
}

fn names_below(button: &Value) -> Vec<String> {
    names(&json!({ "sub_button": button["sub_button"] }))
}
