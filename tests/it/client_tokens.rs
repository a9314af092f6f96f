//! The tokens that other programs get, and what is no such token.

use wxapi::gateway::client::{by_token, parse};
use wxapi::wechat::Secret;

const NOW: u64 = 1_700_000_000_000;

/// Two clients; the id of one begins like a token of the other.
fn clients(secret: &str) -> Vec<wxapi::gateway::client::Client> {
    let digest = wxapi::digest::Digest::of(secret);
    let entry =
        |id: &str| format!(r#"{{"id":"{id}","secret_sha256":"{}","scopes":["read"]}}"#, digest.as_str());
    let (clients, faults) = parse(&format!("[{},{}]", entry("shop"), entry("shop.1700007200")));
    assert!(faults.is_empty());
    clients
}

#[test]
fn a_token_is_good_for_its_client_until_it_ends() {
    let (clients, account) = (clients("s"), Secret::new("account"));
    for client in &clients {
        let token = client.token(&account, NOW, [7; 16]);
        assert!(token.starts_with(&format!("{}.1700007200.0707070707070707.", client.id)), "{token}");
        assert!(token.len() <= 512);
        let opened = |now| by_token(&clients, &account, &token, now).map(|client| client.id.clone());
        assert_eq!(opened(NOW), Ok(client.id.clone()));
        assert_eq!(opened(NOW + 7_199_999), Ok(client.id.clone()));
        assert_eq!(opened(NOW + 7_200_000).unwrap_err().errcode, 42001);
    }
}

#[test]
fn a_token_that_was_changed_in_any_place_is_none() {
    let (clients, account) = (clients("s"), Secret::new("account"));
    let token = clients[0].token(&account, NOW, [7; 16]);
    let code = |token: &str| by_token(&clients, &account, token, NOW).err().map(|error| error.errcode);
    assert_eq!(code(&token), None);
    assert_eq!(code(""), Some(41001));
    for at in 0..token.len() {
        for other in ["0", "x", ".", ""] {
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(changed == token || code(&changed) == Some(40001), "{changed}");
        }
    }
    for garbage in ["shop", "...", "shop.1700007200.0707070707070707.", "nobody.1.2.3", "令牌.1.2.3"] {
        assert_eq!(code(garbage), Some(40001), "{garbage}");
    }
}

#[test]
fn a_changed_secret_ends_all_tokens() {
    let account = Secret::new("account");
    let token = clients("s")[0].token(&account, NOW, [7; 16]);
    let code = |clients: Vec<_>, account: &str| {
        by_token(&clients, &Secret::new(account), &token, NOW).err().unwrap().errcode
    };
    assert_eq!(code(clients("another"), "account"), 40001);
    assert_eq!(code(clients("s"), "another"), 40001);
    assert_eq!(code(vec![], "account"), 40001);
}
