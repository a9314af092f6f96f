//! Which Worker is meant, and who asks.

use std::fs;

use clap::Args;
use hyper::header::HeaderValue;

use super::api::Api;
use super::stop::Stop;
use crate::account::parse_vars;
use crate::http::Target;
use crate::lang::Lang;

/// Where `npm run dev` has its Worker.
const DEV: &str = "http://127.0.0.1:8787";
/// The file that wrangler reads, too.
const VARS: &str = ".dev.vars";
const TOKEN: &str = "ADMIN_TOKEN";

#[derive(Debug, Args)]
pub struct Site {
    /// Your Worker [default: that of the variable WX_URL, else http://127.0.0.1:8787]
    #[arg(long, global = true, value_name = "URL")]
    url: Option<Target>,
    /// Let the ADMIN_TOKEN travel unencrypted to another machine
    #[arg(long, global = true)]
    allow_http: bool,
}

impl Site {
    /// The API, with the token that belongs to it.
    pub fn api(self, lang: Lang) -> Result<Api, Stop> {
        let variable = |name: &str| std::env::var(name).ok();
        let target = target(self.url, variable("WX_URL"), self.allow_http, lang)?;
        let file =
            if target.is_loopback() { fs::read_to_string(VARS).unwrap_or_default() } else { String::new() };
        let token = token(variable(TOKEN), &file).ok_or_else(|| Stop::Usage(no_token(&target, lang)))?;
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            let words = lang.pick(
                "ADMIN_TOKEN 含有换行等不能发送的字符",
                "ADMIN_TOKEN has characters that cannot be sent",
            );
            Stop::Usage(words.to_owned())
        })?;
        header.set_sensitive(true);
        Ok(Api::new(target, header, lang))
    }
}

/// The Worker that is meant, if the token may travel there.
fn target(
    given: Option<Target>,
    variable: Option<String>,
    allow_http: bool,
    lang: Lang,
) -> Result<Target, Stop> {
    let text = variable.filter(|text| !text.is_empty()).unwrap_or_else(|| DEV.to_owned());
    let target = match given {
        Some(target) => target,
        None => text.parse().map_err(|error| Stop::Usage(format!("WX_URL: {error}")))?,
    };
    if target.path_with("") != "/" {
        let words = lang.pick("只需要协议、主机和端口", "only scheme, host and port are wanted");
        return Err(Stop::Usage(format!("{target}: {words}: {}", target.origin())));
    }
    if target.scheme() == "http" && !target.is_loopback() && !allow_http {
        let words = lang.pick(
            "不是 https，ADMIN_TOKEN 会被沿途看到；确实需要时加 --allow-http",
            "is not https, so that anybody on the way could read the ADMIN_TOKEN: --allow-http if you mean it",
        );
        return Err(Stop::Usage(format!("{target} {words}")));
    }
    Ok(target)
}

/// The token of the environment, else of the file.
fn token(variable: Option<String>, file: &str) -> Option<String> {
    let in_file = || parse_vars(file).into_iter().rev().find(|pair| pair.0 == TOKEN).map(|pair| pair.1);
    variable.filter(|token| !token.is_empty()).or_else(in_file).filter(|token| !token.is_empty())
}

fn no_token(target: &Target, lang: Lang) -> String {
    let words = if target.is_loopback() {
        lang.pick(
            "没有 ADMIN_TOKEN：写进 .dev.vars 或环境变量（至少 24 个字符），并重启 Worker",
            "ADMIN_TOKEN is not set: put it into .dev.vars here, or into the environment (24 characters or more)",
        )
    } else {
        lang.pick(
            "没有 ADMIN_TOKEN：请放进环境变量（.dev.vars 只用于本机的 Worker）",
            "ADMIN_TOKEN is not set: put it into the environment (.dev.vars is only for a Worker on this machine)",
        )
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: Option<&str>, variable: Option<&str>, allow: bool) -> Option<String> {
        let url = url.map(|url| url.parse().unwrap());
        target(url, variable.map(str::to_owned), allow, Lang::En).ok().map(|target| target.origin())
    }

    #[test]
    fn the_token_travels_encrypted_or_on_this_machine() {
        assert_eq!(chosen(None, None, false).as_deref(), Some(DEV));
        assert_eq!(
            chosen(None, Some("https://wx.example.com"), false).as_deref(),
            Some("https://wx.example.com")
        );
        assert_eq!(
            chosen(Some("http://[::1]:1"), Some("nonsense"), false).as_deref(),
            Some("http://[::1]:1")
        );
        assert_eq!(chosen(Some("http://wx.example.com/"), None, false), None);
        assert_eq!(chosen(Some("http://10.0.0.1"), None, true).as_deref(), Some("http://10.0.0.1"));
        assert_eq!(chosen(None, Some("wx.example.com"), false), None);
        assert_eq!(chosen(Some("https://wx.example.com/admin"), None, false), None);
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let file = "APP_ID=wx1\nADMIN_TOKEN=\"from the file\" # mine\n";
        assert_eq!(token(Some("given".to_owned()), file).as_deref(), Some("given"));
        assert_eq!(token(Some(String::new()), file).as_deref(), Some("from the file"));
        assert_eq!(token(None, "ADMIN_TOKEN=\n"), None);
        assert_eq!(token(None, ""), None);
    }
}
