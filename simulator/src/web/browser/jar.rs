//! One person's cookies for one host. The real browser would mix them with everyone else's on this machine, since
//! ports do not separate cookies.

use std::time::UNIX_EPOCH;

/// Cookies that a host may keep, as browsers allow.
const MOST_COOKIES: usize = 180;
/// Bytes of a cookie.
const LONGEST_COOKIE: usize = 4096;

/// Cookies of one host, oldest first.
#[derive(Debug, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    ends_ms: Option<u64>,
}

impl Jar {
    /// Takes a `Set-Cookie` header of the answer for `path`, unless its name promises what it does not keep. Otherwise
    /// `Domain`, `Secure` and `SameSite` change nothing here.
    pub fn set(&mut self, header: &str, path: &str, now_ms: u64) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        if name.is_empty() || name.len() + value.len() > LONGEST_COOKIE {
            return;
        }
        let attributes: Vec<(&str, &str)> =
            parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
        let attribute = |wanted: &str| {
            attributes
                .iter()
                .rfind(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
                .map(|pair| pair.1.trim())
        };
        if !keeps_promise(&name, attribute) {
            return;
        }
        let path =
            attribute("path").filter(|path| path.starts_with('/')).unwrap_or_else(|| folder(path)).to_owned();
        let ends_ms = ends_ms(attribute("max-age"), attribute("expires"), now_ms);
        self.0.retain(|cookie| cookie.name != name || cookie.path != path);
        if ends_ms.is_some_and(|ends| ends <= now_ms) {
            return;
        }
        if self.0.len() == MOST_COOKIES {
            self.0.remove(0);
        }
        self.0.push(Cookie { name, value, path, ends_ms });
    }

    /// The `Cookie` header of a request for `path`; absent without cookies.
    pub fn header(&self, path: &str, now_ms: u64) -> Option<String> {
        let path = path.split('?').next().unwrap_or_default();
        let live = |cookie: &&Cookie| cookie.ends_ms.is_none_or(|ends| now_ms < ends);
        let mut sent: Vec<&Cookie> =
            self.0.iter().filter(live).filter(|cookie| is_below(path, &cookie.path)).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }
}

/// Browsers drop a cookie called `__Host-…` that other hosts could have set, and both kinds without `Secure`.
///
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>
fn keeps_promise<'a>(name: &str, attribute: impl Fn(&str) -> Option<&'a str>) -> bool {
    let name = name.to_ascii_lowercase();
    let secure = attribute("secure").is_some();
    if name.starts_with("__host-") {
        return secure && attribute("path") == Some("/") && attribute("domain").is_none();
    }
    secure || !name.starts_with("__secure-")
}

/// `Max-Age` is stronger than `Expires`; a date that is none ends nothing.
fn ends_ms(max_age: Option<&str>, expires: Option<&str>, now_ms: u64) -> Option<u64> {
    if let Some(seconds) = max_age.and_then(|text| text.parse::<i64>().ok()) {
        let ms = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        return Some(now_ms.saturating_add(ms));
    }
    let date = httpdate::parse_http_date(&expires?.replace('-', " ")).ok()?;
    let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The path of a cookie that does not say one.
fn folder(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    let end = path.rfind('/').unwrap_or(0).max(1);
    path.get(..end).unwrap_or("/")
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn cookies_come_back_where_they_belong() {
        let mut jar = Jar::default();
        jar.set("__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax", "/login", NOW);
        jar.set("b=x=2; path=/m", "/", NOW);
        jar.set("c=3", "/m/t?x=/y", NOW);
        assert_eq!(jar.header("/m/t", NOW).unwrap(), "b=x=2; c=3; __Host-a=1");
        assert_eq!(jar.header("/mx?y=/m/", NOW).unwrap(), "__Host-a=1");
        jar.set("__Host-a=new; secure; Path=/", "/", NOW);
        assert_eq!(jar.header("/", NOW).unwrap(), "__Host-a=new");
        jar.set("nonsense", "/", NOW);
        jar.set("=x", "/", NOW);
        assert_eq!(jar.header("/", NOW).unwrap(), "__Host-a=new");
    }

    #[test]
    fn a_name_that_lies_is_no_cookie() {
        let mut jar = Jar::default();
        for lie in [
            "__Host-a=1; Path=/",
            "__Host-a=1; Secure",
            "__Host-a=1; Secure; Path=/m",
            "__HOST-a=1; Secure; Path=/; Domain=example.com",
            "__Secure-a=1; Path=/",
        ] {
            jar.set(lie, "/", NOW);
            assert_eq!(jar.header("/m", NOW), None, "{lie}");
        }
        jar.set("__Secure-a=1; Path=/m; Secure", "/", NOW);
        assert_eq!(jar.header("/m", NOW).unwrap(), "__Secure-a=1");
    }

    #[test]
    fn cookies_end() {
        let mut jar = Jar::default();
        jar.set("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", NOW);
        assert_eq!(jar.header("/", NOW + 59_999).unwrap(), "a=1");
        assert_eq!(jar.header("/", NOW + 60_000), None);
        jar.set("a=2; Expires=Fri, 15-Jan-2027 08:01:00 GMT", "/", NOW);
        assert_eq!(jar.header("/", NOW + 59_999).unwrap(), "a=2");
        assert_eq!(jar.header("/", NOW + 60_000), None);
        for gone in ["a=; Max-Age=0", "a=; Max-Age=-1", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            jar.set("a=1", "/", NOW);
            jar.set(gone, "/", NOW);
            assert_eq!(jar.header("/", NOW), None, "{gone}");
        }
    }
}
