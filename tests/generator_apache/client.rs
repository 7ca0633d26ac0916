//! A client for many short connections, with a client certificate at hand.

use std::cell::RefCell;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslFiletype, SslMethod, SslOptions, SslRef, SslSession,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};

use crate::support::certs;
use crate::support::client::Kind;
use crate::support::session::Issued;

thread_local! {
    /// Sessions that arrived on the connection at hand.
    static ARRIVED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Contexts of one thread.
pub struct Client {
    contexts: Vec<(Kind, bool, SslContext)>,
    nonce: String,
}

/// Whom to ask, and with which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub address: SocketAddr,
    pub sni: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
#[allow(dead_code)]
pub enum Answer {
    /// A connection.
    Met(Met),
    /// Refused with this alert.
    Refused(i32),
    /// Somebody who does not speak TLS.
    Plain,
}

/// A connection.
#[derive(Debug, Clone)]
pub struct Met {
    pub resumed: bool,
    pub issued: Vec<Issued>,
    /// The answer's header `X-Seen`: which vhost, and what it thinks of the client.
    pub seen: String,
    /// HTTP status.
    pub status: u32,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl Client {
    /// A client that takes certificates with this nonce only and shows `dir/client.crt`.
    pub fn new(dir: &Path, nonce: &str) -> Self {
        let mut contexts = Vec::new();
        for kind in [Kind::Id12, Kind::Ticket12, Kind::Tls13] {
            for identified in [true, false] {
                contexts.push((kind, identified, context(kind, identified.then_some(dir))));
            }
        }
        Self {
            contexts,
            nonce: nonce.to_owned(),
        }
    }

    /// One connection.
    ///
    /// # Errors
    /// Nobody there, another server, a broken exchange.
    pub fn ask(
        &self,
        probe: &Probe,
        kind: Kind,
        identified: bool,
        session: Option<&Issued>,
    ) -> Result<Answer, String> {
        let wanted = |entry: &&(Kind, bool, SslContext)| entry.0 == kind && entry.1 == identified;
        let context = &self.contexts.iter().find(wanted).unwrap().2;
        ARRIVED.with_borrow_mut(Vec::clear);
        let mut ssl = Ssl::new(context).unwrap();
        if let Some(name) = &probe.sni {
            ssl.set_hostname(name).unwrap();
        }
        if let Some(session) = session {
            offer(&mut ssl, &SslSession::from_der(&session.der).unwrap());
        }
        let socket = TcpStream::connect_timeout(&probe.address, PATIENCE)
            .map_err(|why| format!("{}: {why}", probe.address))?;
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut stream = SslStream::new(ssl, socket).unwrap();
        if let Err(error) = stream.connect() {
            return refused(&error);
        }
        let shown = stream.ssl().peer_certificate();
        let nonce = shown.and_then(|cert| certs::nonce_of(&cert));
        if nonce.as_ref() != Some(&self.nonce) {
            return Err(format!(
                "another server answers on {}: {nonce:?}",
                probe.address
            ));
        }
        let resumed = stream.ssl().session_reused();
        let response = match exchange(&mut stream, probe.sni.as_deref()) {
            Ok(response) => response,
            // In TLS 1.3 a refusal may come behind the client's last word.
            Err(error) => return refused(&error),
        };
        if response.is_empty() {
            // The server hung up where the client was done already.
            return Ok(Answer::Refused(-1));
        }
        let arrived = ARRIVED.with_borrow_mut(std::mem::take);
        let issued = arrived.into_iter().filter_map(Issued::from_der).collect();
        Ok(Answer::Met(Met {
            resumed,
            issued,
            seen: header(&response),
            status: status(&response),
        }))
    }
}

fn context(kind: Kind, identity: Option<&Path>) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let version = match kind {
        Kind::Tls13 => SslVersion::TLS1_3,
        Kind::Id12 | Kind::Ticket12 => SslVersion::TLS1_2,
    };
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    if kind == Kind::Id12 {
        builder.set_options(SslOptions::NO_TICKET);
    }
    if let Some(dir) = identity {
        builder
            .set_certificate_file(dir.join("client.crt"), SslFiletype::PEM)
            .unwrap();
        builder
            .set_private_key_file(dir.join("client.key"), SslFiletype::PEM)
            .unwrap();
    }
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    builder.set_new_session_callback(|_, session| {
        if let Ok(der) = session.to_der() {
            ARRIVED.with_borrow_mut(|arrived| arrived.push(der));
        }
    });
    builder.build()
}

#[allow(unsafe_code)]
fn offer(ssl: &mut SslRef, session: &SslSession) {
    // SAFETY: the session was decoded a moment ago and belongs to no context; OpenSSL takes its
    // own reference to it.
    unsafe { ssl.set_session(session) }.unwrap();
}

fn exchange(
    stream: &mut SslStream<TcpStream>,
    host: Option<&str>,
) -> Result<Vec<u8>, openssl::ssl::Error> {
    let host = host.unwrap_or("nobody.example");
    let request = format!("GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.ssl_write(request.as_bytes())?;
    let mut response = Vec::new();
    let mut buffer = [0_u8; 2048];
    loop {
        match stream.ssl_read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => response.extend_from_slice(&buffer[..count]),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => break,
            Err(error) => return Err(error),
        }
    }
    // Without this OpenSSL marks the session as not resumable.
    let _ = stream.shutdown();
    let _ = stream.get_mut().flush();
    Ok(response)
}

fn header(response: &[u8]) -> String {
    let text = String::from_utf8_lossy(response);
    let line = text.lines().find_map(|line| line.strip_prefix("X-Seen: "));
    line.unwrap_or_default().trim().to_owned()
}

/// Alerts arrive as SSL_R_... codes of 1000 + the alert's number (RFC 8446 6).
fn refused(error: &openssl::ssl::Error) -> Result<Answer, String> {
    const WRONG_VERSION_NUMBER: i32 = 267;
    const PACKET_LENGTH_TOO_LONG: i32 = 198;
    const HTTP_REQUEST: i32 = 156;
    let stack = error
        .ssl_error()
        .map(|stack| stack.errors().to_vec())
        .unwrap_or_default();
    for entry in &stack {
        match entry.reason_code() {
            alert @ 1000.. => return Ok(Answer::Refused(alert - 1000)),
            WRONG_VERSION_NUMBER | PACKET_LENGTH_TOO_LONG | HTTP_REQUEST => {
                return Ok(Answer::Plain);
            }
            _ => {}
        }
    }
    // A server that aborts a connection may leave without an alert.
    if error.code() == ErrorCode::SYSCALL || error.code() == ErrorCode::SSL {
        return Ok(Answer::Refused(-1));
    }
    Err(format!("the exchange broke: {error}"))
}

fn status(response: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(response);
    let number = text
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok());
    number.unwrap_or(0)
}
