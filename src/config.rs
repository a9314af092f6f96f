//! Typed configuration: read once, every problem reported at once, a feature with a faulty setting is off.

pub mod login;
pub mod mini;

use std::borrow::Cow;

use crate::chat::text::Texts;
use crate::chat::turn::Rules;
use crate::gateway::client::{self, Client};
use crate::lang::Lang;
use crate::wechat::callback::Keys;
use crate::wechat::crypto::EncodingAesKey;
use crate::wechat::{AppId, Secret};

/// Values in `.dev.vars.example` begin with this; a secret that still does is not set.
const EXAMPLE: &str = "replace-me";
/// The default of `AI_MODEL`.
/// <https://developers.cloudflare.com/workers-ai/models/llama-3.3-70b-instruct-fp8-fast/>
const MODEL: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
/// The default of `AI_VISION_MODEL` with the `AI` binding.
/// <https://developers.cloudflare.com/workers-ai/models/llama-4-scout-17b-16e-instruct/>
const VISION_MODEL: &str = "@cf/meta/llama-4-scout-17b-16e-instruct";
/// The default of `AI_SPEECH_MODEL` with the `AI` binding.
/// <https://developers.cloudflare.com/workers-ai/models/whisper-large-v3-turbo/>
const SPEECH_MODEL: &str = "@cf/openai/whisper-large-v3-turbo";
const SYSTEM_PROMPT: &str =
    "你是一个微信公众号的智能助手。用用户的语言回答，简洁、准确、友好；不用 Markdown；不知道就直说。";
/// A random text of this many characters cannot be guessed.
const ADMIN_TOKEN_LENGTH: usize = 24;
const WECHAT_API: &str = "https://api.weixin.qq.com";

/// Everything that was configured.
#[derive(Debug)]
pub struct Config {
    /// What the callback authenticates messages with; `None` closes it.
    pub keys: Option<Keys>,
    /// What access tokens are fetched with; `None` switches off what needs one.
    pub account: Option<Account>,
    /// The Mini Program; `None` switches its API off.
    pub mini: Option<mini::Mini>,
    /// `APP_ID`, or empty: names the objects of this account.
    pub app_id: String,
    /// The language models.
    pub model: Model,
    /// How conversations go.
    pub rules: Rules,
    /// `WECHAT_API_BASE` without a slash at its end.
    pub wechat_api: String,
    /// Login to websites.
    pub login: login::Login,
    /// `ADMIN_TOKEN`; `None` closes `/admin` and `/metrics`.
    pub admin_token: Option<Secret>,
    /// The programs that use the account through this Worker.
    pub api_clients: Vec<Client>,
    /// `MASS_PER_HOUR`, `MASS_PER_DAY`: most messages to many.
    pub mass: MassLimits,
    /// What is wrong or missing, in words for the operator.
    pub problems: Vec<Problem>,
}

/// How often something may be sent to many: a rail against mistakes, beside WeChat's own limits.
#[derive(Clone, Copy, Debug)]
pub struct MassLimits {
    /// Within an hour.
    pub per_hour: u64,
    /// Within 24 hours.
    pub per_day: u64,
}

/// The account's credentials.
#[derive(Debug)]
pub struct Account {
    /// `APP_ID`.
    pub app_id: AppId,
    /// `APP_SECRET`.
    pub secret: Secret,
}

/// Which models answer, and where they are.
#[derive(Debug)]
pub struct Model {
    /// `AI_MODEL`: asked in this order.
    pub chain: Vec<String>,
    /// The OpenAI-compatible endpoint; `None` means the `AI` binding.
    pub endpoint: Option<Endpoint>,
    /// Looks at pictures; `None` if no model can.
    pub vision: Option<String>,
    /// Hears voice messages; `None` if no model can.
    pub speech: Option<String>,
    /// `SYSTEM_PROMPT`.
    pub system_prompt: String,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// `AI_BASE_URL` without a slash at its end; `/chat/completions` follows it.
    pub base_url: String,
    /// `AI_API_KEY`.
    pub key: Option<Secret>,
}

/// One fault in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting.
    pub name: &'static str,
    /// What is wrong with it and what follows from that.
    pub text: Cow<'static, str>,
}

/// A setting that is there but cannot be used.
struct Faulty;

/// Reads settings and collects what is wrong with them.
struct Reader<F> {
    lookup: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// A setting that is there and not blank.
    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A secret. One that still has its example value counts as missing.
    fn secret(&mut self, name: &'static str) -> Option<String> {
        let value = self.text(name)?;
        if value.starts_with(EXAMPLE) {
            self.problem(name, "still has its example value, so it counts as missing");
            return None;
        }
        Some(value)
    }

    /// A whole number within bounds, or its default.
    fn number(&mut self, name: &'static str, default: u64, least: u64, most: u64) -> u64 {
        let Some(value) = self.text(name) else { return default };
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.problem(name, "is not a whole number within its bounds; the default is used");
                default
            }
        }
    }

    /// The base of an address. `Err`: set, but faulty; what depends on it is off rather than somewhere else.
    fn base(&mut self, name: &'static str, consequence: &'static str) -> Result<Option<String>, Faulty> {
        let Some(value) = self.text(name) else { return Ok(None) };
        if !(value.starts_with("https://") || value.starts_with("http://")) {
            self.problem(name, consequence);
            return Err(Faulty);
        }
        Ok(Some(value.trim_end_matches('/').to_owned()))
    }

    fn problem(&mut self, name: &'static str, text: impl Into<Cow<'static, str>>) {
        self.problems.push(Problem { name, text: text.into() });
    }
}

impl Config {
    /// Reads the configuration. `lookup` gives the value of a variable or secret.
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let mut reader = Reader { lookup, problems: Vec::new() };
        let app_id = reader.secret("APP_ID").unwrap_or_default();
        let keys = keys(&mut reader, &KEYS, &app_id);
        let account = match reader.secret("APP_SECRET") {
            Some(secret) if !app_id.is_empty() => {
                Some(Account { app_id: AppId::new(app_id.as_str()), secret: Secret::new(secret) })
            }
            Some(_) => {
                reader.problem("APP_ID", "is missing, so APP_SECRET cannot be used");
                None
            }
            None => None,
        };
        let wechat_api =
            reader.base("WECHAT_API_BASE", "is no http or https address, so WeChat's API is not called");
        let account = account.filter(|_| wechat_api.is_ok());
        let mini = mini::load(&mut reader, &app_id).filter(|_| wechat_api.is_ok());
        let wechat_api = wechat_api.ok().flatten().unwrap_or_else(|| WECHAT_API.to_owned());
        let model = model(&mut reader);
        let rules = rules(&mut reader, account.is_some());
        let login = login::load(&mut reader, keys.as_ref(), account.is_some());
        let admin_token = admin_token(&mut reader);
        let api_clients = api_clients(&mut reader);
        let mass = MassLimits {
            per_hour: reader.number("MASS_PER_HOUR", 1, 1, 100),
            per_day: reader.number("MASS_PER_DAY", 4, 1, 100),
        };
        let problems = reader.problems;
        Self {
            keys,
            account,
            mini,
            app_id,
            model,
            rules,
            wechat_api,
            login,
            admin_token,
            api_clients,
            mass,
            problems,
        }
    }

    /// What the access token of the Mini Program `app_id` is fetched with; that of the account, if it is empty.
    pub fn credentials(&self, app_id: &str) -> Option<(&AppId, &Secret)> {
        if app_id.is_empty() {
            return self.account.as_ref().map(|Account { app_id, secret }| (app_id, secret));
        }
        let mini = self.mini.as_ref().filter(|mini| mini.app_id.as_str() == app_id);
        mini.map(|mini| (&mini.app_id, &mini.secret))
    }
}

/// A token that is short could be guessed.
fn admin_token<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Option<Secret> {
    let token = reader.secret("ADMIN_TOKEN")?;
    if token.len() < ADMIN_TOKEN_LENGTH {
        reader.problem("ADMIN_TOKEN", "is shorter than 24 characters, so /admin and /metrics are closed");
        return None;
    }
    Some(Secret::new(token))
}

fn api_clients<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Vec<Client> {
    let Some(text) = reader.text("API_CLIENTS") else { return Vec::new() };
    let (clients, problems) = client::parse(&text);
    for problem in problems {
        reader.problem("API_CLIENTS", problem);
    }
    clients
}

/// What the settings of a callback are called, and what follows if one of them cannot be used.
struct KeyNames {
    token: &'static str,
    current: &'static str,
    previous: &'static str,
    consequence: &'static str,
}

const KEYS: KeyNames = KeyNames {
    token: "WECHAT_TOKEN",
    current: "ENCODING_AES_KEY",
    previous: "ENCODING_AES_KEY_PREVIOUS",
    consequence: ", so /wechat refuses every message",
};

/// A callback's keys. A faulty AES key closes the callback: reading on in plain mode would be a downgrade.
fn keys<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    names: &KeyNames,
    app_id: &str,
) -> Option<Keys> {
    let consequence = names.consequence;
    let Some(token) = reader.secret(names.token) else {
        reader.problem(names.token, ["is missing", consequence].concat());
        return None;
    };
    let current = aes_key(reader, names.current, consequence)?;
    let previous = aes_key(reader, names.previous, consequence)?;
    if current.is_some() && app_id.is_empty() {
        reader.problem("APP_ID", ["is missing, but secure mode needs it", consequence].concat());
        return None;
    }
    let app_id = (!app_id.is_empty()).then(|| AppId::new(app_id));
    Some(Keys { token: Secret::new(token), app_id, current, previous })
}

/// `Some(None)`: not set. `None`: set, but faulty.
fn aes_key<F: Fn(&str) -> Option<String>>(
    reader: &mut Reader<F>,
    name: &'static str,
    consequence: &str,
) -> Option<Option<EncodingAesKey>> {
    match reader.text(name).map(|value| EncodingAesKey::parse(&value)) {
        None => Some(None),
        Some(Ok(key)) => Some(Some(key)),
        Some(Err(_)) => {
            let fault = ["is not an EncodingAESKey (43 letters and digits)", consequence];
            reader.problem(name, fault.concat());
            None
        }
    }
}

fn model<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>) -> Model {
    let key = reader.secret("AI_API_KEY").map(Secret::new);
    let system_prompt = reader.text("SYSTEM_PROMPT").unwrap_or_else(|| SYSTEM_PROMPT.to_owned());
    let Ok(base_url) = reader.base("AI_BASE_URL", "is no http or https address, so no model is asked") else {
        return Model { chain: Vec::new(), endpoint: None, vision: None, speech: None, system_prompt };
    };
    let endpoint = base_url.map(|base_url| Endpoint { base_url, key });
    let chain = reader.text("AI_MODEL").unwrap_or_else(|| MODEL.to_owned());
    if endpoint.is_some() && chain.starts_with("@cf/") {
        reader.problem(
            "AI_MODEL",
            "names a model of Workers AI, but AI_BASE_URL is set: name one that it serves",
        );
    }
    let chain = chain.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let binding_default = |name: &str| endpoint.is_none().then(|| name.to_owned());
    Model {
        chain,
        vision: reader.text("AI_VISION_MODEL").or_else(|| binding_default(VISION_MODEL)),
        speech: reader.text("AI_SPEECH_MODEL").or_else(|| binding_default(SPEECH_MODEL)),
        system_prompt,
        endpoint,
    }
}

fn rules<F: Fn(&str) -> Option<String>>(reader: &mut Reader<F>, has_account: bool) -> Rules {
    let lang = match reader.text("LANG").as_deref() {
        Some(lang) if lang.to_ascii_lowercase().starts_with("en") => Lang::En,
        _ => Lang::Zh,
    };
    let mut retrieve = reader.text("LLMLastMsg").unwrap_or_else(|| "/retrieve".to_owned());
    if retrieve.chars().count() > 32 {
        reader.problem("LLMLastMsg", "is longer than 32 characters; /retrieve is used");
        retrieve = "/retrieve".to_owned();
    }
    let push = match reader.text("DELIVERY").as_deref() {
        None | Some("passive") => false,
        Some("push") if has_account => true,
        Some("push") => {
            reader.problem("DELIVERY", "push needs APP_ID and APP_SECRET; passive is used");
            false
        }
        Some(_) => {
            reader.problem("DELIVERY", "is neither passive nor push; passive is used");
            false
        }
    };
    Rules {
        texts: Texts { lang, retrieve, typed: false },
        timeout: reader.number("SESSION_TIMEOUT", 300, 60, 86_400) * 1_000,
        rate_limit: usize::try_from(reader.number("RATE_LIMIT", 20, 1, 1_000)).unwrap_or(20),
        push,
    }
}
