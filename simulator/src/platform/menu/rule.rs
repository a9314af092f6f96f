//! Who sees a conditional menu.
//!
//! <https://developers.weixin.qq.com/doc/service/api/custommenu/api_addconditionalmenu>

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::people::{Person, PhoneSystem};
use crate::platform::api::number;
use crate::platform::errcode::{self, Errcode};

const RULE_EMPTY: Errcode = Errcode(65304);
const RULE_PRIVATE: Errcode = Errcode(65320);

/// What a rule can no longer ask for.
const PRIVATE: [&str; 5] = ["sex", "country", "province", "city", "language"];

/// What somebody must be: everything that is named.
#[derive(Debug, Serialize)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "digits")]
    tag_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "digits")]
    client_platform_type: Option<u64>,
}

impl Rule {
    /// Reads the `matchrule` of a request.
    ///
    /// # Errors
    /// 65304 for one that names nothing, 65320 for one that names something private, 40035 for what is no number or
    /// no platform.
    pub fn read(asked: &Value) -> Result<Self, Errcode> {
        if PRIVATE.iter().any(|name| is_filled(asked, name)) {
            return Err(RULE_PRIVATE);
        }
        let tag_id = member(asked, "tag_id")?;
        let client_platform_type = member(asked, "client_platform_type")?;
        if client_platform_type.is_some_and(|platform| !(1..=3).contains(&platform)) {
            return Err(errcode::INVALID);
        }
        if tag_id.is_none() && client_platform_type.is_none() {
            return Err(RULE_EMPTY);
        }
        Ok(Self { tag_id, client_platform_type })
    }

    /// Whether it means this person.
    pub fn matches(&self, person: &Person) -> bool {
        let platform = match person.phone_system {
            PhoneSystem::Ios => 1,
            PhoneSystem::Android => 2,
            PhoneSystem::Other => 3,
        };
        self.tag_id.is_none_or(|tag| person.fan.tags.iter().any(|own| u64::from(*own) == tag))
            && self.client_platform_type.is_none_or(|wanted| wanted == platform)
    }
}

fn is_filled(asked: &Value, name: &str) -> bool {
    !matches!(asked.get(name), None | Some(Value::Null))
        && asked.get(name).and_then(Value::as_str) != Some("")
}

fn member(asked: &Value, name: &str) -> Result<Option<u64>, Errcode> {
    if is_filled(asked, name) { number(asked, name).ok_or(errcode::INVALID).map(Some) } else { Ok(None) }
}

/// WeChat gives the numbers of a rule as texts.
fn digits<S: Serializer>(number: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&number.map(|number| number.to_string()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_names_a_tag_or_a_platform_and_nothing_private() {
        let code = |rule: Value| Rule::read(&rule).map(|rule| serde_json::to_value(rule).unwrap());
        assert_eq!(code(json!({ "tag_id": 100, "sex": "" })), Ok(json!({ "tag_id": "100" })));
        assert_eq!(code(json!({ "client_platform_type": "3" })), Ok(json!({ "client_platform_type": "3" })));
        assert_eq!(code(json!({ "client_platform_type": 4 })), Err(errcode::INVALID));
        assert_eq!(code(json!({ "tag_id": "vip" })), Err(errcode::INVALID));
        assert_eq!(code(json!({ "tag_id": "", "group_id": 2 })), Err(RULE_EMPTY));
        assert_eq!(code(Value::Null), Err(RULE_EMPTY));
        assert_eq!(code(json!({ "tag_id": 100, "language": "en" })), Err(RULE_PRIVATE));
    }
}
