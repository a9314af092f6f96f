//! Who somebody is, by the code that another's login page gave.

use crate::handlers::App;
use crate::login::method::Method;
use crate::login::session::Failure;
use crate::login::subject::Identity;
use crate::platform::Platform;

/// Uses a code, once.
pub async fn identify<P: Platform>(
    _platform: &P,
    _app: &App,
    _from: Method,
    _code: &str,
    _redirect_uri: &str,
) -> Result<Identity, Failure> {
    Err(Failure::Down)
}
