//! Checkers for documents: pushes, replies, and what must be refused.

use crate::vectors::{Check, Outcome, Vector, same};
use crate::vectors_claims::{self, leaf};
use base64::Engine;
use serde_json::Value;
use std::collections::BTreeMap;
use wxapi::wechat::callback::{self, Keys, Query};
use wxapi::wechat::message::{Inbound, Message, parse_document};
use wxapi::wechat::reply::{Article, Reply};
use wxapi::wechat::xml::{Fields, find_encrypt, parse_xml};
use wxapi::wechat::{OpenId, OriginalId, Secret};

/// A plain message or event: the tree, the typed fields, and the signature where the vector has a token.
pub fn message(vector: &Vector) -> Check {
    let document = vector.text()?;
    let fields = parse_document(document).map_err(|error| error.to_string())?;
    same_tree(&fields, &vector.expected()["fields"])?;
    let inbound = Inbound::from_fields(&fields).map_err(|error| error.to_string())?;
    vectors_claims::check(&inbound, vector.expected(), vector.complete)?;
    if let Some(token) = vector.inputs()["token"].as_str() {
        open_plain(vector, token, &inbound)?;
    }
    Ok(Outcome::Passed)
}

fn open_plain(vector: &Vector, token: &str, inbound: &Inbound) -> Result<(), String> {
    let raw = raw_query(vector.inputs());
    let query = Query::parse(&raw);
    let now = query.timestamp.parse().map_err(|_| "the vector's timestamp is no number")?;
    let keys = Keys { token: Secret::new(token), app_id: None, current: None, previous: None };
    let opened = callback::open(&query, vector.bytes(), &keys, now).map_err(|refusal| refusal.to_string())?;
    same("opened", &opened.inbound, inbound)
}

/// Must be refused, or be nothing that we would act on.
pub fn malformed(vector: &Vector) -> Check {
    let result = vector.expected()["result"].as_str().ok_or("the vector has no result")?;
    let inbound = vector.text().and_then(|text| Inbound::parse(text).map_err(|error| error.to_string()));
    let unknown = matches!(&inbound, Ok(inbound) if matches!(inbound.message, Message::Unknown { .. }));
    let fits = match result {
        _ if result.starts_with("reject") => inbound.is_err(),
        _ if result.contains("no processing") => inbound.is_err() || unknown,
        _ if result.contains("treat as unknown") => unknown,
        other => return Err(format!("no way to check the result {other:?}")),
    };
    if fits { Ok(Outcome::Passed) } else { Err(format!("expected {result:?}, found {inbound:?}")) }
}

/// XML or JSON is told by the first character, and both give the same tree.
pub fn format_sniff(vector: &Vector) -> Check {
    let document = vector.text()?;
    let format = if document.trim_start().starts_with('{') { "json" } else { "xml" };
    same("format", &Some(format), &vector.expected()["format"].as_str())?;
    same_tree(&parse_document(document).map_err(|error| error.to_string())?, &vector.expected()["fields"])?;
    Ok(Outcome::Passed)
}

pub fn probe(vector: &Vector) -> Check {
    match Inbound::parse(vector.text()?).map_err(|error| error.to_string())?.message {
        Message::Probe { action } if action == "CheckContainerPath" => Ok(Outcome::Passed),
        other => Err(format!("not a probe: {other:?}")),
    }
}

pub fn component(vector: &Vector) -> Check {
    let fields = parse_document(vector.text()?).map_err(|error| error.to_string())?;
    same_tree(&fields, &vector.expected()["fields"])?;
    let expected = vector.expected()["fields"]["InfoType"].as_str().ok_or("the vector has no InfoType")?;
    match Inbound::from_fields(&fields).map_err(|error| error.to_string())?.message {
        Message::Component { info_type } => same("InfoType", &info_type.as_str(), &expected)?,
        other => return Err(format!("not a component event: {other:?}")),
    }
    Ok(Outcome::Passed)
}

/// A genuine body without its key: the plain copy is readable, and `Encrypt` is found before parsing.
pub fn compat_envelope(vector: &Vector) -> Check {
    message(vector)?;
    let expected = vector.expected();
    let encrypt = find_encrypt(vector.bytes()).ok_or("no Encrypt found")?;
    same("Encrypt", &Some(encrypt), &expected["fields"]["Encrypt"].as_str())?;
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(encrypt).map_err(|error| error.to_string())?;
    same("bytes of ciphertext", &Some(bytes.len() as u64), &expected["cipher_bytes"].as_u64())?;
    let raw = raw_query(vector.inputs());
    let query = Query::parse(&raw);
    for (name, found) in
        [("signature", &query.signature), ("msg_signature", &query.msg_signature), ("openid", &query.openid)]
    {
        same(name, &found.as_ref(), &vector.inputs()[name].as_str().unwrap_or_default())?;
    }
    Ok(Outcome::Passed)
}

/// Retries repeat the query; where the trace has bodies, they have one identity.
pub fn trace(vector: &Vector) -> Check {
    let trace = vector.json();
    let requests = trace["requests"].as_array().ok_or("the trace has no requests")?;
    let raw: Vec<String> = requests.iter().map(|request| raw_query(&request["query"])).collect();
    let mut queries = raw.iter().map(|raw| Query::parse(raw));
    let first = queries.next().ok_or("the trace is empty")?;
    let repeated = queries.all(|query| query == first);
    same("same query", &Some(repeated), &vector.expected()["same_query_on_retry"].as_bool())?;
    let keys: Result<Vec<String>, String> = requests
        .iter()
        .filter_map(|request| request["body"].as_str())
        .map(|body| Inbound::parse(body).map(|inbound| inbound.key()).map_err(|error| error.to_string()))
        .collect();
    let duplicates = keys?.windows(2).all(|pair| pair[0] == pair[1]);
    same("duplicates", &Some(duplicates), &vector.expected()["all_but_first_are_duplicates"].as_bool())?;
    Ok(Outcome::Passed)
}

/// Builds the reply that the vector describes and compares the fields of both documents.
pub fn passive_reply(vector: &Vector) -> Check {
    let expected = &vector.expected()["fields"];
    same_tree(&parse_xml(vector.text()?).map_err(|error| error.to_string())?, expected)?;
    let created = leaf(&expected["CreateTime"]).parse().map_err(|_| "CreateTime is no number")?;
    let to = OpenId::new(leaf(&expected["ToUserName"]));
    let from = OriginalId::new(leaf(&expected["FromUserName"]));
    let xml = reply(expected)?.to_xml(&to, &from, created).map_err(|error| error.to_string())?;
    same_tree(&parse_xml(&xml).map_err(|error| error.to_string())?, expected)?;
    Ok(Outcome::Passed)
}

fn reply(fields: &Value) -> Result<Reply, String> {
    let optional = |value: &Value| value.as_str().map(str::to_owned);
    Ok(match leaf(&fields["MsgType"]).as_str() {
        "text" => Reply::Text { content: leaf(&fields["Content"]) },
        "image" => Reply::Image { media_id: leaf(&fields["Image"]["MediaId"]) },
        "voice" => Reply::Voice { media_id: leaf(&fields["Voice"]["MediaId"]) },
        "video" => Reply::Video {
            media_id: leaf(&fields["Video"]["MediaId"]),
            title: optional(&fields["Video"]["Title"]),
            description: optional(&fields["Video"]["Description"]),
        },
        "music" => Reply::Music {
            title: optional(&fields["Music"]["Title"]),
            description: optional(&fields["Music"]["Description"]),
            music_url: optional(&fields["Music"]["MusicUrl"]),
            hq_music_url: optional(&fields["Music"]["HQMusicUrl"]),
            thumb_media_id: leaf(&fields["Music"]["ThumbMediaId"]),
        },
        "news" => Reply::News(many(&fields["Articles"]["item"]).into_iter().map(article).collect()),
        "transfer_customer_service" => {
            Reply::TransferCustomerService { kf_account: optional(&fields["TransInfo"]["KfAccount"]) }
        }
        other => return Err(format!("there is no reply of the type {other}")),
    })
}

fn article(item: &Value) -> Article {
    Article {
        title: leaf(&item["Title"]),
        description: leaf(&item["Description"]),
        pic_url: leaf(&item["PicUrl"]),
        url: leaf(&item["Url"]),
    }
}

/// Across vectors: retries of one group are one message, and what is marked distinct is.
pub fn identities(vectors: &[Vector]) -> Vec<String> {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for vector in vectors {
        let plain =
            vector.expected()["plaintext"].as_str().or_else(|| vector.text().ok()).unwrap_or_default();
        if let Ok(inbound) = Inbound::parse(plain) {
            seen.insert(vector.id(), inbound.key());
        }
    }
    let mut failures = Vec::new();
    for vector in vectors {
        let retries: Vec<&Vector> = vectors.iter().filter(|other| is_retry(vector, other)).collect();
        if retries.iter().any(|other| seen.get(other.id()) != seen.get(vector.id())) {
            failures.push(format!("{}: retries of one message have different keys", vector.id()));
        }
        for other in many(&vector.expected()["distinct_from"]).into_iter().filter_map(Value::as_str) {
            let (key, other) = (seen.get(vector.id()), seen.get(other));
            if key.is_none() || key == other {
                failures.push(format!("{}: shares its key with another message", vector.id()));
            }
        }
    }
    failures
}

fn is_retry(vector: &Vector, other: &Vector) -> bool {
    let message = |vector: &Vector| vector.expected()["normalized"]["msg_id"].as_str().map(str::to_owned);
    let one_group = vector.group().is_some() && vector.group() == other.group();
    one_group && message(vector).is_some() && message(vector) == message(other)
}

/// The whole tree against a parse by Python; the text beside child elements is left out, as it is there.
pub fn same_tree(fields: &Fields, expected: &Value) -> Result<(), String> {
    let Some(members) = expected.as_object() else {
        return same(fields.name(), &fields.text(), &leaf(expected).trim());
    };
    for (name, value) in members {
        let found: Vec<&Fields> = fields.children(name).collect();
        let values = many(value);
        same(&format!("number of {name}"), &found.len(), &values.len())?;
        for (found, value) in found.iter().zip(values) {
            same_tree(found, value)?;
        }
    }
    let unexpected = fields.all().iter().find(|child| !members.contains_key(child.name()));
    unexpected.map_or(Ok(()), |child| Err(format!("unexpected element {}", child.name())))
}

/// A value that is a list or stands for a list of one.
pub fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().collect(),
        other => vec![other],
    }
}

/// The query string of an object of parameters.
pub fn raw_query(parameters: &Value) -> String {
    let pairs = parameters.as_object().into_iter().flatten();
    let encode =
        |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace(' ', "+");
    let pairs = pairs.filter_map(|(name, value)| Some(format!("{name}={}", encode(value.as_str()?))));
    pairs.collect::<Vec<_>>().join("&")
}
