//! The settings of the Mini Program.

use super::{KeyNames, Reader, keys};
use crate::wechat::callback::Keys;
use crate::wechat::{AppId, Secret};

/// The Mini Program.
#[derive(Debug)]
pub struct Mini {
    /// `MINI_APP_ID`: another one than the account's.
    pub app_id: AppId,
    /// `MINI_APP_SECRET`.
    pub secret: Secret,
    /// What its message push is authenticated with; `None` closes `/wechat/mini`.
    pub keys: Option<Keys>,
    /// `MSG_SEC_CHECK=on`: WeChat looks at what people say, and at what the model answers.
    pub check_text: bool,
}

const KEYS: KeyNames = KeyNames {
    token: "MINI_TOKEN",
    current: "MINI_ENCODING_AES_KEY",
    previous: "MINI_ENCODING_AES_KEY_PREVIOUS",
    consequence: ", so /wechat/mini refuses every message",
};

/// Reads the settings; `None` if there is no Mini Program, or none that can be used. `account` is `APP_ID`.
pub(super) fn load<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>, account: &str) -> Option<Mini> {
    let (app_id, secret) = (reader.secret("MINI_APP_ID"), reader.secret("MINI_APP_SECRET"));
    let (app_id, secret) = match (app_id, secret) {
        (Some(app_id), Some(secret)) => (app_id, secret),
        (None, None) => {
            for name in [KEYS.token, KEYS.current, "MSG_SEC_CHECK"] {
                if reader.text(name).is_some_and(|value| value != "off") {
                    reader.problem(name, "is of no use without MINI_APP_ID and MINI_APP_SECRET");
                }
            }
            return None;
        }
        (Some(_), None) => {
            reader.problem("MINI_APP_SECRET", "is missing, so the Mini Program's API is off");
            return None;
        }
        (None, Some(_)) => {
            reader.problem("MINI_APP_ID", "is missing, so the Mini Program's API is off");
            return None;
        }
    };
    if app_id == account {
        reader.problem("MINI_APP_ID", "is the account's own APP_ID, so the Mini Program's API is off");
        return None;
    }
    // Without any of them, nothing was to be pushed here.
    let is_pushed = [KEYS.token, KEYS.current, KEYS.previous].iter().any(|name| reader.text(name).is_some());
    let keys = is_pushed.then(|| keys(reader, &KEYS, &app_id)).flatten();
    let check_text = match reader.text("MSG_SEC_CHECK").as_deref() {
        None | Some("off") => false,
        Some("on") => true,
        Some(_) => {
            reader.problem("MSG_SEC_CHECK", "is neither on nor off; it counts as on");
            true
        }
    };
    Some(Mini { app_id: AppId::new(app_id), secret: Secret::new(secret), keys, check_text })
}
