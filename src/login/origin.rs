//! Origins and redirect addresses, read strictly: what a browser would not write is refused, not repaired.

/// The origin of an `http` or `https` address: `https://host` or `https://host:port`, in lower case and ASCII, with
/// nothing that could be read in two ways. `None` for everything else.
/// <https://html.spec.whatwg.org/multipage/browsers.html#concept-origin>
pub fn of(address: &str) -> Option<&str> {
    let start = ["https://", "http://"].into_iter().find(|scheme| address.starts_with(scheme))?.len();
    let rest = address.get(start..)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, port) = match rest.get(..end)?.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest.get(..end)?, None),
    };
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let number = |port: &str| {
        !port.starts_with('0')
            && port.len() <= 5
            && port.parse::<u16>().is_ok_and(|port| port != 80 && port != 443)
    };
    let fine = host.split('.').all(label) && port.is_none_or(number);
    fine.then(|| address.get(..start + end)).flatten()
}
