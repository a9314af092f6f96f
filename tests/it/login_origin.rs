//! Origins and redirect addresses: what is read in one way only, and every trick that is not.

use wxapi::login::origin;

#[test]
fn an_origin_is_what_a_browser_would_write() {
    for (address, expected) in [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example/x?y#z", "https://a.example"),
        ("https://a.example?https://b.example", "https://a.example"),
        ("https://a.example#@b.example", "https://a.example"),
        ("https://a.example:8443/x", "https://a.example:8443"),
        ("https://a.example:80", "https://a.example:80"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://localhost:1", "http://localhost:1"),
        ("https://a.example:65535", "https://a.example:65535"),
        ("https://xn--fiq228c.example", "https://xn--fiq228c.example"),
        ("https://a_b.example", "https://a_b.example"),
        ("https://127.0.0.1/x", "https://127.0.0.1"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("http://[::1]", "http://[::1]"),
        ("https://1.example", "https://1.example"),
        ("https://0x1.example", "https://0x1.example"),
    ] {
        assert_eq!(origin::of(address), Some(expected), "{address}");
    }
}

/// Each of these is read by some browser or server as another host than by some other.
const TWO_WAYS: &[&str] = &[
    "",
    "https:",
    "https://",
    "https:///a.example",
    "https:/a.example",
    "https:a.example",
    "//a.example",
    "HTTPS://a.example",
    "Https://a.example",
    "ftp://a.example",
    "javascript://a.example",
    "data:,x",
    "null",
    " https://a.example",
    "\thttps://a.example",
    "https://a.example ",
    "https:// a.example",
    "https://a.example\t.b",
    "https://A.example",
    "https://a.Example",
    "https://ａ.example",
    "https://a。example",
    "https://中文.example",
    "https://a.example.",
    "https://.a.example",
    "https://a..example",
    "https://.",
    "https://user@a.example",
    "https://user:pw@a.example",
    "https://@a.example",
    "https://a.example@b.example",
    "https://a.example:@b.example",
    "https://a.example:443@b.example",
    "https://a.example%40b.example",
    "https://a.example\\@b.example",
    "https://a.example\\.b.example",
    "https:\\\\a.example",
    "https://a.example\\x",
    "https://a.example:",
    "https://a.example:443",
    "http://a.example:80",
    "https://a.example:0",
    "https://a.example:08443",
    "https://a.example:+8443",
    "https://a.example:-1",
    "https://a.example:65536",
    "https://a.example:8443:1",
    "https://a.example:x",
    "https://a.example:８４４３",
    "https://a.example:99999999",
    "https://127.1",
    "https://127.0.0.01",
    "https://0177.0.0.1",
    "https://0x7f.0.0.1.0x1",
    "https://0x7f000001",
    "https://2130706433",
    "https://127.0.0.256",
    "https://127.0.0.1.",
    "https://1.2.3.4.5",
    "https://a.1",
    "https://a.0x",
    "https://a.0x1f",
    "https://[::2]",
    "https://[0:0:0:0:0:0:0:1]",
    "https://[::1",
    "https://::1",
    "https://[::1]x",
    "https://[::1]:",
    "https://[::1]:443",
    "https://[::1]:0",
    "https://[::1]@a.example",
    "https://[::ffff:127.0.0.1]",
    "https://a%2eexample",
    "https://%61.example",
    "https://a.example%00",
    "https://a.example%2f.b.example",
    "https://a.exam\u{ad}ple",
    "https://a.example\u{0}",
    "https://a!b.example",
    "https://*.example",
    "https://a b.example",
    "https://a<b.example",
    "https://a;b.example",
    "https://a,b.example",
    "https://a.example;@b",
    "https://a\u{200b}.example",
];

#[test]
fn what_can_be_read_in_two_ways_has_no_origin() {
    let long = format!("https://{}.example", "a".repeat(64));
    let longer = format!("https://{}example", "abc.".repeat(64));
    for address in TWO_WAYS.iter().copied().chain([long.as_str(), longer.as_str()]) {
        assert_eq!(origin::of(address), None, "{address:?}");
    }
}

#[test]
fn http_is_for_the_machine_of_a_developer() {
    for origin in [
        "https://a.example",
        "http://localhost",
        "http://localhost:3000",
        "http://127.0.0.1:1",
        "http://[::1]",
    ] {
        assert!(origin::is_website(origin), "{origin}");
    }
    for origin in [
        "http://a.example",
        "http://localhost.example",
        "http://127.0.0.2",
        "http://localhost.",
        "http://10.0.0.1",
        "https://a.example/",
        "https://a.example?",
        "http://localhostx:1",
        "http://127.0.0.1.example",
    ] {
        assert!(!origin::is_website(origin), "{origin}");
    }
}

#[test]
fn a_redirect_address_can_be_read_in_one_way_only() {
    for address in [
        "https://a.example",
        "https://a.example/",
        "https://a.example/cb",
        "https://a.example/cb?x=1&y=%2Fz",
        "http://localhost:3000/api/auth/callback/wechat",
        "https://a.example/~x/%E4%B8%AD",
        "https://a.example//x",
        "https://a.example/a:b@c",
        "https://a.example/a.b/..c",
    ] {
        assert!(origin::is_address(address), "{address}");
    }
}

const NO_ADDRESSES: &[&str] = &[
    "http://a.example/cb",
    "https://a.example/#",
    "https://a.example/cb#x",
    "https://a.example/cb?x#y",
    "https://u@a.example/cb",
    "https://a.example./cb",
    "https://A.example/cb",
    "https://a.example:443/cb",
    "https://a.example/\\b.example",
    "https://a.example\\cb",
    "https://a.example/%2fb",
    "https://a.example/%2Fb",
    "https://a.example/%5cb",
    "https://a.example/%2e%2e/b",
    "https://a.example/%2E/b",
    "https://a.example/../b",
    "https://a.example/x/./b",
    "https://a.example/x/..",
    "https://a.example/%",
    "https://a.example/%0",
    "https://a.example/%zz",
    "https://a.example/%00",
    "https://a.example/%0a",
    "https://a.example/?x=%0d%0aset-cookie",
    "https://a.example/%7f",
    "https://a.example/\ncb",
    "https://a.example/\tcb",
    "https://a.example/a b",
    "https://a.example/中",
    "https://a.example/\"",
    "https://a.example/<",
    "https://a.example/{x}",
    "https://a.example/`",
    "https://a.example/|",
    "https://a.example/^",
    "com.example.app:/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
    "/cb",
    "//a.example/cb",
];

#[test]
fn whatever_else_is_no_redirect_address() {
    let long = format!("https://a.example/{}", "x".repeat(1_024));
    for address in NO_ADDRESSES.iter().copied().chain([long.as_str()]) {
        assert!(!origin::is_address(address), "{address:?}");
    }
}
