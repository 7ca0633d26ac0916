//! One TLS connection: a handshake, a request, and the sessions that came with it. Judges nothing.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::ssl::{
    Ssl, SslContext, SslFiletype, SslMethod, SslOptions, SslRef, SslSession, SslSessionCacheMode,
    SslStream, SslVerifyMode, SslVersion,
};

use super::certs::{self, Pair};
use super::session::Issued;
use super::{mail, quic};

/// What the client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TLS 1.2 without the ticket extension: sessions by id.
    Id12,
    /// TLS 1.2 with the ticket extension.
    Ticket12,
    /// TLS 1.3.
    Tls13,
}

/// Where to connect, by which name, and the nonce that the answer must carry.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// Server name; `None` sends no SNI.
    pub sni: Option<String>,
    pub nonce: String,
}

impl Target {
    /// Another endpoint of the same server; an empty name sends no SNI.
    pub fn at(&self, address: SocketAddr, name: &str) -> Self {
        let sni = (!name.is_empty()).then(|| name.to_owned());
        Self {
            address,
            sni,
            nonce: self.nonce.clone(),
        }
    }
}

/// How a client behaves: who it is and what it speaks inside.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The certificate that it shows when asked.
    pub identity: Option<Pair>,
    pub speech: Speech,
    /// The host that an HTTP request names, where it is not the name of the handshake.
    pub host: Option<String>,
}

/// What is spoken inside TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speech {
    #[default]
    Http,
    Mail(mail::Protocol),
    /// In clear until the client asks for TLS.
    StartTls(mail::Protocol),
    /// HTTP/3, with TLS inside QUIC.
    Quic,
}

/// What one connection showed.
#[derive(Debug)]
pub struct Connection {
    pub resumed: bool,
    pub issued: Vec<Issued>,
    /// The session as it stands at the end: in TLS 1.2 a renewed ticket shows only here.
    pub session: Option<Issued>,
    /// The whole answer, an HTTP response with its headers.
    pub response: String,
}

impl Connection {
    /// The number in an HTTP status line.
    pub fn status(&self) -> Option<u16> {
        self.response.split(' ').nth(1)?.parse().ok()
    }
}

/// Why there was no connection.
#[derive(Debug)]
pub enum Failure {
    /// The server does not speak this version.
    Version,
    /// The server knows no such name (`unrecognized_name`).
    Name,
    /// Any other failure of the handshake or of the exchange.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => out.write_str("protocol version refused"),
            Self::Name => out.write_str("name refused"),
            Self::Other(why) => out.write_str(why),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, offering `session` if there is one, sends a request and reads the whole answer:
/// tickets of TLS 1.3 arrive after the handshake.
pub fn connect(
    target: &Target,
    kind: Kind,
    session: Option<&Issued>,
) -> Result<Connection, Failure> {
    connect_as(&Manner::default(), target, kind, session)
}

/// The same, in another manner than that of an anonymous HTTP client.
pub fn connect_as(
    manner: &Manner,
    target: &Target,
    kind: Kind,
    session: Option<&Issued>,
) -> Result<Connection, Failure> {
    if manner.speech == Speech::Quic {
        return quic::connect(target, kind, session);
    }
    let issued = Arc::new(Mutex::new(Vec::new()));
    let context = context(manner, kind, &issued);
    let mut ssl = Ssl::new(&context).map_err(other)?;
    if let Some(name) = &target.sni {
        ssl.set_hostname(name).map_err(other)?;
    }
    if let Some(session) = session {
        let session = SslSession::from_der(&session.der).map_err(other)?;
        offer(&mut ssl, &session).map_err(other)?;
    }

    let socket = TcpStream::connect_timeout(&target.address, PATIENCE).map_err(other)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(other)?;
    socket.set_write_timeout(Some(PATIENCE)).map_err(other)?;
    socket.set_nodelay(true).map_err(other)?;
    if let Speech::StartTls(protocol) = manner.speech {
        mail::ask_for_tls(&socket, protocol).map_err(other)?;
    }
    let mut stream = SslStream::new(ssl, socket).map_err(other)?;
    stream.connect().map_err(refused)?;

    let seen = stream
        .ssl()
        .peer_certificate()
        .and_then(|cert| certs::nonce_of(&cert));
    if seen.as_ref() != Some(&target.nonce) {
        return Err(Failure::Other(format!(
            "another server answers on {}: nonce {seen:?}, ours is {}",
            target.address, target.nonce
        )));
    }
    let resumed = stream.ssl().session_reused();
    let named = manner.host.as_deref().or(target.sni.as_deref());
    let host = named.unwrap_or("none.test");
    let response = exchange(&mut stream, manner.speech, host)?;
    let session = stream
        .ssl()
        .session()
        .and_then(|session| session.to_der().ok());
    let session = session.and_then(Issued::from_der);
    let ders = std::mem::take(&mut *issued.lock().map_err(other)?);
    let issued = ders
        .into_iter()
        .map(|der| Issued::from_der(der).ok_or_else(|| other("unreadable session encoding")))
        .collect::<Result<_, _>>()?;
    Ok(Connection {
        resumed,
        issued,
        session,
        response,
    })
}

fn context(manner: &Manner, kind: Kind, issued: &Arc<Mutex<Vec<Vec<u8>>>>) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    if let Some(Pair { cert, key }) = &manner.identity {
        let pem = SslFiletype::PEM;
        builder.set_certificate_file(cert, pem).unwrap();
        builder.set_private_key_file(key, pem).unwrap();
    }
    let version = if kind == Kind::Tls13 {
        SslVersion::TLS1_3
    } else {
        SslVersion::TLS1_2
    };
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    if kind == Kind::Id12 {
        builder.set_options(SslOptions::NO_TICKET);
    }
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let issued = Arc::clone(issued);
    builder.set_new_session_callback(move |_, session| {
        if let (Ok(der), Ok(mut list)) = (session.to_der(), issued.lock()) {
            list.push(der);
        }
    });
    builder.build()
}

/// The one unsafe line of the tests.
#[allow(unsafe_code)]
pub fn offer(ssl: &mut SslRef, session: &SslSession) -> Result<(), openssl::error::ErrorStack> {
    // SAFETY: the session was decoded a moment ago and belongs to no context; OpenSSL takes its
    // own reference to it.
    unsafe { ssl.set_session(session) }
}

fn exchange(
    stream: &mut SslStream<TcpStream>,
    speech: Speech,
    host: &str,
) -> Result<String, Failure> {
    let request = match speech {
        Speech::Http | Speech::Quic => {
            format!("GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        }
        Speech::Mail(protocol) | Speech::StartTls(protocol) => protocol.goodbye().to_owned(),
    };
    let mut response = Vec::new();
    if let Speech::Mail(_) = speech {
        // A mail server that is spoken to before it spoke may never look.
        let mut greeting = BufReader::with_capacity(1, &mut *stream);
        greeting.read_until(b'\n', &mut response).map_err(other)?;
    }
    stream.write_all(request.as_bytes()).map_err(other)?;
    stream.read_to_end(&mut response).map_err(other)?;
    // Without this OpenSSL marks the session as not resumable.
    let _ = stream.shutdown();
    Ok(String::from_utf8_lossy(&response).into_owned())
}

fn refused(error: openssl::ssl::Error) -> Failure {
    let Some(stack) = error.ssl_error() else {
        return other(error);
    };
    // Alerts arrive as SSL_R_... codes of 1000 + the alert's number (RFC 8446 6).
    for entry in stack.errors() {
        match entry.reason_code() {
            1070 => return Failure::Version,
            1112 => return Failure::Name,
            _ => {}
        }
    }
    other(error)
}

fn other(error: impl fmt::Display) -> Failure {
    Failure::Other(error.to_string())
}
