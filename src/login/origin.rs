//! Origins and redirect addresses, read strictly: what a browser would not write is refused, not repaired.

/// Characters of a host name. <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
const HOST_LENGTH: usize = 253;
/// Characters between two dots.
const LABEL_LENGTH: usize = 63;
/// Bytes of an address that people are sent to.
const ADDRESS_LENGTH: usize = 1_024;
/// Hosts that never leave the machine, so that nobody on the way can read what is sent there without TLS.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The origin of an `http` or `https` address: `https://host` or `https://host:port`, in lower case and ASCII, with
/// nothing that could be read in two ways. `None` for everything else.
///
/// It is byte for byte what `new URL(address).origin` gives in a browser: that is what makes it safe to compare. So
/// the port is never the scheme's own, a host of numbers is a complete IPv4 address, and the only IPv6 host is
/// `[::1]`. Only the scheme, host and port are looked at; [`is_address`] judges the rest.
/// <https://html.spec.whatwg.org/multipage/browsers.html#concept-origin>
pub fn of(address: &str) -> Option<&str> {
    let (start, own_port) = match address.strip_prefix("https://") {
        Some(_) => ("https://".len(), 443),
        None => ("http://".len(), 80),
    };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some(tail) => ("[::1]", tail),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let fine = is_host(host) && (port.is_empty() || is_port(port, own_port));
    fine.then(|| address.get(..start + end)).flatten()
}

/// The host of an origin, with its port: what people are shown.
pub fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Whether `text` is an origin that a website may have: `https`, or `http` on the machine of its developer.
pub fn is_website(text: &str) -> bool {
    of(text) == Some(text) && is_private(text)
}

/// Whether `text` is an address that people may be sent to: on an origin as [`is_website`] wants it, without a
/// fragment, and with nothing that servers or browsers read in different ways.
/// <https://www.rfc-editor.org/rfc/rfc9700#section-4.1>
pub fn is_address(text: &str) -> bool {
    let Some(origin) = of(text) else { return false };
    let rest = text.get(origin.len()..).unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_graphic() && !br##""#<>\^`{|}"##.contains(&byte);
    is_private(origin)
        && text.len() <= ADDRESS_LENGTH
        && rest.bytes().all(plain)
        && escapes(path)
            .is_some_and(|mut bytes| !bytes.any(|byte| byte < b' ' || b"/\\.\x7f".contains(&byte)))
        && escapes(query).is_some_and(|mut bytes| !bytes.any(|byte| byte < b' ' || byte == 0x7f))
        && !path.split('/').any(|segment| segment == "." || segment == "..")
}

/// What is sent there is read by nobody on the way.
fn is_private(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://") else { return true };
    LOOPBACK.iter().any(|loopback| {
        host.strip_prefix(loopback).is_some_and(|port| port.is_empty() || port.starts_with(':'))
    })
}

/// `:` and a number that a browser would write.
fn is_port(port: &str, own: u16) -> bool {
    let Some(number) = port.strip_prefix(':') else { return false };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    digits && number.parse::<u16>().is_ok_and(|number| number != own)
}

/// A name as DNS has it, or an address as browsers write it.
fn is_host(host: &str) -> bool {
    if host == "[::1]" {
        return true;
    }
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &str| !label.is_empty() && label.len() <= LABEL_LENGTH && label.bytes().all(letter);
    host.len() <= HOST_LENGTH && host.split('.').all(label) && (!ends_in_number(host) || is_ipv4(host))
}

/// Browsers read such a host as an IPv4 address, in many notations: `0x7f.1` is `127.0.0.1`.
/// <https://url.spec.whatwg.org/#ends-in-a-number-checker>
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Four numbers below 256, without leading zeros.
fn is_ipv4(host: &str) -> bool {
    let number = |part: &str| part.parse::<u8>().is_ok_and(|number| number.to_string() == part);
    host.split('.').count() == 4 && host.split('.').all(number)
}

/// The bytes that are percent-encoded; `None` if a percent sign has not two digits after it.
fn escapes(text: &str) -> Option<std::vec::IntoIter<u8>> {
    let bytes = text.split('%').skip(1).map(|rest| {
        let digits = rest.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    });
    Some(bytes.collect::<Option<Vec<u8>>>()?.into_iter())
}
