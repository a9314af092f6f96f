//! What an attempt must get from others before a method can be shown.

use crate::handlers::App;
use crate::login::session::Session;
use crate::platform::{Millis, Platform, Unreachable};

/// Digits that no other attempt has now, for `span` from now on; `None` if there are none to be had.
pub async fn reserve_code<P: Platform>(
    _platform: &P,
    _login: &str,
    _span: Millis,
) -> Result<Option<String>, Unreachable> {
    Ok(None)
}

/// A parametric QR code for this attempt: its token, and what is in the picture. `None` if the account cannot have
/// one now; the log says why.
pub async fn make_scene<P: Platform>(
    _platform: &P,
    _app: &App,
    _session: &Session,
) -> Option<(String, String)> {
    None
}

/// provisional
pub async fn admit<P: Platform>(_platform: &P, _app: &App, _address: &str) -> Result<bool, Unreachable> {
    Ok(true)
}

/// provisional
pub async fn take_code<P: Platform>(
    _platform: &P,
    _text: &str,
) -> Result<Option<crate::login::subject::Who>, Unreachable> {
    Ok(None)
}
