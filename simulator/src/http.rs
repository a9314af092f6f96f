//! An HTTP client that tells apart how a request can fail, since WeChat's reaction depends on it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// No answer to a push is larger; a download that never ends stops here.
const MAX_ANSWER: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No connection.
    Refused(String),
    /// The connection broke before the answer was whole.
    Cut(String),
    /// The answer was not whole in time; the connection was closed.
    Timeout,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text; bytes that are not UTF-8 become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An `http` or `https` URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    https: bool,
    host: String,
    port: u16,
    path: String,
    query: Option<String>,
}

/// A text that is no `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError(String);

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not an http:// or https:// URL: {}", self.0)
    }
}

impl std::error::Error for TargetError {}

impl std::str::FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let error = || TargetError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| error())?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(error()),
        };
        let host = uri.host().ok_or_else(error)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let (path, query) = (uri.path().to_owned(), uri.query().map(str::to_owned));
        Ok(Self { https, host, port, path, query })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin(), self.path)?;
        self.query.iter().try_for_each(|query| write!(formatter, "?{query}"))
    }
}

impl Target {
    /// Whether this machine is meant.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The path with the URL's own query and `added` behind it.
    pub fn path_with(&self, added: &str) -> String {
        let query: Vec<_> =
            self.query.as_deref().into_iter().chain(Some(added)).filter(|part| !part.is_empty()).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    /// The same with `added` behind its path.
    pub fn below(&self, added: &str) -> Self {
        let path = format!("{}{added}", self.path.trim_end_matches('/'));
        Self { path, ..self.clone() }
    }

    /// Another path and query at the same server.
    pub fn at(&self, path: &str, query: Option<String>) -> Self {
        Self { path: path.to_owned(), query, ..self.clone() }
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole URL with `added` behind its query.
    pub fn url_with(&self, added: &str) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path_with(added))
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.https { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// `http` or `https`
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host alone, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, said or implied.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Scheme, host and port, as the `Origin` header has them.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// Every address of the host.
    ///
    /// # Errors
    /// When no name server knows it.
    pub async fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        if let Some(own) = own_addresses(&self.host) {
            return Ok(own.to_vec());
        }
        let found = lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }

    /// A connection to its host.
    ///
    /// # Errors
    /// No connection, or the TLS handshake failed.
    pub async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let refused = |error: &dyn fmt::Display| Failure::Refused(error.to_string());
        let stream = match own_addresses(&self.host) {
            Some(own) => TcpStream::connect(own.map(|ip| SocketAddr::new(ip, self.port)).as_slice()).await,
            None => TcpStream::connect((self.host.as_str(), self.port)).await,
        };
        let stream = stream.map_err(|error| refused(&error))?;
        // A push is one small write: waiting for more of it would only add latency.
        let _ = stream.set_nodelay(true);
        if !self.https {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(self.host.clone()).map_err(|error| refused(&error))?;
        let stream = tls().connect(name, stream).await.map_err(|error| refused(&error))?;
        Ok(Box::new(stream))
    }
}

/// Whether a host name or address is this machine's own.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
        |address| address.is_loopback(),
    )
}

/// What names of this machine stand for: a name server could say anything (RFC 6761).
fn own_addresses(host: &str) -> Option<[IpAddr; 2]> {
    let named = is_loopback(host) && host.parse::<IpAddr>().is_err();
    named.then_some([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)])
}

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    // Dropping the set ends the task, and with it the socket.
    _driver: JoinSet<()>,
}

impl Connection {
    /// Connects to the target's host.
    ///
    /// # Errors
    /// [`Failure::Refused`], also when the TLS handshake fails.
    pub async fn open(target: &Target) -> Result<Self, Failure> {
        let stream = TokioIo::new(target.connect().await?);
        let (sender, driver) =
            http1::handshake(stream).await.map_err(|error| Failure::Refused(error.to_string()))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // How the connection ended reaches the request that waits on it.
            let _ = driver.await;
        });
        Ok(Self { sender, _driver: tasks })
    }

    /// Whether another request can be sent.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// [`Failure::Cut`] when the connection breaks or the answer is over a megabyte.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let cut = |error: &dyn fmt::Display| Failure::Cut(error.to_string());
        self.sender.ready().await.map_err(|error| cut(&error))?;
        let response = self.sender.send_request(request).await.map_err(|error| cut(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| cut(&error))?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: pairs(&parts.headers), body })
    }
}

/// An answer whose body is still coming. Dropped, the connection is closed.
#[derive(Debug)]
pub struct Opened {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    body: hyper::body::Incoming,
    _connection: Connection,
}

impl Opened {
    /// The next bytes of the body; nothing at its end.
    ///
    /// # Errors
    /// [`Failure::Cut`]
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Failure::Cut(error.to_string()))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// Sends one request on a connection of its own; resolves when the head of the answer is there.
///
/// # Errors
/// See [`Failure`].
pub async fn open(target: &Target, mut request: Request<Full<Bytes>>) -> Result<Opened, Failure> {
    if let Ok(host) = target.authority().parse() {
        request.headers_mut().insert(HOST, host);
    }
    let mut connection = Connection::open(target).await?;
    let cut = |error: hyper::Error| Failure::Cut(error.to_string());
    let (parts, body) = connection.sender.send_request(request).await.map_err(cut)?.into_parts();
    Ok(Opened {
        status: parts.status.as_u16(),
        headers: pairs(&parts.headers),
        body,
        _connection: connection,
    })
}

fn pairs(headers: &hyper::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// Sends one request on a connection of its own and closes it, at the latest after `limit`.
///
/// # Errors
/// See [`Failure`].
pub async fn send(
    target: &Target,
    mut request: Request<Full<Bytes>>,
    limit: Duration,
) -> Result<Answer, Failure> {
    if let Ok(host) = target.authority().parse() {
        request.headers_mut().insert(HOST, host);
    }
    let exchange = async { Connection::open(target).await?.send(request).await };
    tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Failure::Timeout))
}

/// The system's certificates, so that a developer's own authority counts, too.
fn tls() -> TlsConnector {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    });
    TlsConnector::from(Arc::clone(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target: Target = "https://wx.example.com/wechat?account=1".parse().unwrap();
        assert_eq!(target.path_with("nonce=2"), "/wechat?account=1&nonce=2");
        assert_eq!(target.authority(), "wx.example.com");
        assert!(!target.is_loopback());
        assert_eq!(target.to_string(), "https://wx.example.com/wechat?account=1");
        let target: Target = "http://[::1]:8787".parse().unwrap();
        assert_eq!((target.authority().as_str(), target.path_with("")), ("[::1]:8787", "/".to_owned()));
        for wrong in ["127.0.0.1:8787", "ftp://x/", "/wechat", ""] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_names() {
        for name in ["127.0.0.1", "127.8.9.1", "localhost", "LocalHost", "a.localhost", "::1", "[::1]"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["10.0.0.1", "localhost.example", "127.0.0.1.example", "example", "0.0.0.0", ""] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
