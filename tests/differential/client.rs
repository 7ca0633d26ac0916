//! A client for many short connections: contexts made once a thread, a client certificate at
//! hand, http and stream.

use std::cell::RefCell;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions, SslRef,
    SslSession, SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};

use crate::support::certs;
use crate::support::client::Kind;
use crate::support::session::Issued;

thread_local! {
    /// Sessions that arrived on the connection at hand.
    static ARRIVED: RefCell<Vec<(Vec<u8>, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Contexts of one thread.
pub struct Client {
    contexts: Vec<(Kind, bool, SslContext)>,
    nonce: String,
}

/// Whom to ask and how.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub address: SocketAddr,
    pub sni: Option<&'a str>,
    pub kind: Kind,
    /// http; stream speaks first.
    pub http: bool,
    /// With a client certificate.
    pub identified: bool,
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// A connection.
    Met(Met),
    /// The handshake was refused with this alert; 0 for none.
    Refused(i32),
}

/// A connection.
#[derive(Debug)]
pub struct Met {
    pub resumed: bool,
    pub issued: Vec<Issued>,
    /// Of the last session issued: early data that it would take.
    pub early: u32,
    /// The status line's number; 200 for stream.
    pub status: u32,
    /// The body.
    pub text: String,
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
    /// What is no refusal: nobody there, another server, a broken exchange.
    pub fn ask(&self, ask: Ask<'_>, session: Option<&Issued>) -> Result<Answer, String> {
        let wanted = |(kind, identified, _): &&(Kind, bool, SslContext)| {
            *kind == ask.kind && *identified == ask.identified
        };
        let context = &self.contexts.iter().find(wanted).unwrap().2;
        ARRIVED.with_borrow_mut(Vec::clear);
        let mut ssl = Ssl::new(context).unwrap();
        if let Some(name) = ask.sni {
            ssl.set_hostname(name).unwrap();
        }
        if let Some(session) = session {
            offer(&mut ssl, &SslSession::from_der(&session.der).unwrap());
        }
        let socket = TcpStream::connect_timeout(&ask.address, PATIENCE)
            .map_err(|why| format!("{}: {why}", ask.address))?;
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut stream = SslStream::new(ssl, socket).unwrap();
        if let Err(error) = stream.connect() {
            return refused(&error);
        }
        let shown = stream.ssl().peer_certificate();
        let seen = shown.and_then(|cert| certs::nonce_of(&cert));
        if seen.as_ref() != Some(&self.nonce) {
            return Err(format!(
                "another server answers on {}: {seen:?}",
                ask.address
            ));
        }
        let resumed = stream.ssl().session_reused();
        let response = match exchange(&mut stream, ask) {
            Ok(response) => response,
            // In TLS 1.3 a refusal may come behind the client's last word.
            Err(error) => return refused(&error),
        };
        let arrived = ARRIVED.with_borrow_mut(std::mem::take);
        let early = arrived.last().map_or(0, |(_, early)| *early);
        let issued = arrived
            .into_iter()
            .filter_map(|(der, _)| Issued::from_der(der))
            .collect();
        let (status, text) = parts(&response, ask.http);
        Ok(Answer::Met(Met {
            resumed,
            issued,
            early,
            status,
            text,
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
        identify(&mut builder, dir);
    }
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    builder.set_new_session_callback(|_, session| {
        let early = session.max_early_data();
        if let Ok(der) = session.to_der() {
            ARRIVED.with_borrow_mut(|arrived| arrived.push((der, early)));
        }
    });
    builder.build()
}

fn identify(builder: &mut SslContextBuilder, dir: &Path) {
    builder
        .set_certificate_file(dir.join("client.crt"), SslFiletype::PEM)
        .unwrap();
    builder
        .set_private_key_file(dir.join("client.key"), SslFiletype::PEM)
        .unwrap();
}

#[allow(unsafe_code)]
fn offer(ssl: &mut SslRef, session: &SslSession) {
    // SAFETY: the session was decoded a moment ago and belongs to no context; OpenSSL takes its
    // own reference to it.
    unsafe { ssl.set_session(session) }.unwrap();
}

fn exchange(
    stream: &mut SslStream<TcpStream>,
    ask: Ask<'_>,
) -> Result<Vec<u8>, openssl::ssl::Error> {
    if ask.http {
        let host = ask.sni.unwrap_or("none.test");
        let request = format!("GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.ssl_write(request.as_bytes())?;
    }
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
    Ok(response)
}

fn parts(response: &[u8], http: bool) -> (u32, String) {
    let text = String::from_utf8_lossy(response).into_owned();
    if !http {
        return (200, text);
    }
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok());
    let body = text
        .split_once("\r\n\r\n")
        .map_or("", |(_, body)| body)
        .to_owned();
    (status.unwrap_or(0), body)
}

/// Alerts arrive as SSL_R_... codes of 1000 + the alert's number (RFC 8446 6).
fn refused(error: &openssl::ssl::Error) -> Result<Answer, String> {
    let stack = error
        .ssl_error()
        .map(|stack| stack.errors().to_vec())
        .unwrap_or_default();
    let alert = stack
        .iter()
        .map(|entry| entry.reason_code() - 1000)
        .find(|alert| *alert >= 0);
    match alert {
        Some(alert) => Ok(Answer::Refused(alert)),
        None => Err(format!("the exchange broke: {error}")),
    }
}

/// A connection that only says whether somebody listens.
pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_ok()
}
