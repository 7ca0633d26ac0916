//! A TLS client that shows what resumption is made of: which session it offers, which arrive,
//! whether one was resumed, and how the connection ends.
//!
//! Opens sockets, each with one deadline for all that happens on it. Decides nothing, tries
//! nothing again, and acts on no session but those that it was given.

mod context;
mod ending;
mod error;
mod framing;
mod offer;
mod open;
mod peer;
mod resolve;
mod seal;
mod speech;
mod wire;

use std::net::SocketAddr;

use openssl::ssl::SslStream;

use super::{Protocol, Session};
use context::{Contexts, Way};
use wire::Wire;

pub use super::{Mail, Manner, Speech};
pub use ending::Ending;
pub use error::{ClientError, Phase};
pub use open::Open;
pub use peer::Peer;
pub use resolve::{first_that_answers, resolve};

/// What a client says in one handshake.
#[derive(Copy, Clone, Debug)]
pub struct Hello<'a> {
    /// The one version that it speaks.
    pub protocol: Protocol,
    /// The name that it asks for; `None` sends none.
    pub sni: Option<&'a str>,
    /// Offers the ticket extension (TLS 1.2), or takes stateless tickets (TLS 1.3).
    pub tickets: bool,
    /// The session that it offers.
    pub session: Option<&'a Session>,
    /// Sends the request as early data, where the session allows that.
    pub early: bool,
    /// Says nothing inside TLS, whatever the manner is: the server is known not to answer.
    pub quiet: bool,
    /// Speaks AES-GCM alone, so that [`Ending::FatalCloseNotify`] can be made.
    pub sealing: bool,
}

impl<'a> Hello<'a> {
    /// A first visit that offers tickets.
    pub fn new(protocol: Protocol, sni: Option<&'a str>) -> Self {
        Self {
            protocol,
            sni,
            tickets: true,
            session: None,
            early: false,
            quiet: false,
            sealing: false,
        }
    }

    /// The same visit, with a session to resume.
    #[must_use]
    pub fn with(self, session: &'a Session) -> Self {
        Self {
            session: Some(session),
            ..self
        }
    }
}

/// What one connection showed.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The session that was offered was resumed.
    pub resumed: bool,
    /// Sessions that arrived: with their tickets raw, key names and lifetime hints.
    pub sessions: Vec<Session>,
    /// The number of an HTTP status line.
    pub status: Option<u16>,
    /// Something was asked and nothing came in time.
    pub mute: bool,
    /// Early data was sent, and this is whether the server took it.
    pub early: Option<bool>,
    /// The server's certificate; none in a resumed handshake of some servers.
    pub peer: Option<Peer>,
    /// The protocol agreed on by ALPN.
    pub alpn: Option<String>,
    /// The cipher suite as OpenSSL names it.
    pub cipher: Option<&'static str>,
}

/// A client; may be used by several threads at once.
pub struct Client {
    manner: Manner,
    contexts: Contexts,
}

impl Client {
    /// A client of this manner.
    ///
    /// # Errors
    /// [`ClientError::Client`] where OpenSSL gives out.
    pub fn new(manner: Manner) -> Result<Self, ClientError> {
        Ok(Self {
            contexts: Contexts::new(manner.clone())?,
            manner,
        })
    }

    /// Connects, has one answer, so that all tickets have arrived, and ends politely.
    ///
    /// # Errors
    /// [`ClientError`] says what failed, in the handshake or after it.
    pub fn visit(
        &self,
        address: SocketAddr,
        hello: &Hello<'_>,
    ) -> Result<Observation, ClientError> {
        let mut open = self.open(address, hello)?;
        open.ask()?;
        Ok(open.end(Ending::CloseNotify))
    }

    /// Connects and shakes hands; what is said and how it ends is the caller's.
    ///
    /// # Errors
    /// [`ClientError`] says what failed.
    pub fn open(&self, address: SocketAddr, hello: &Hello<'_>) -> Result<Open, ClientError> {
        let mut open = self.unshaken(address, hello)?;
        open.shake(hello.early)?;
        Ok(open)
    }

    /// Offers a session of TLS 1.3 and breaks the handshake off by a fatal alert as soon as the
    /// server has answered. True where the server had agreed to resume.
    ///
    /// # Errors
    /// [`ClientError`] where it did not come that far.
    pub fn break_off(&self, address: SocketAddr, hello: &Hello<'_>) -> Result<bool, ClientError> {
        self.unshaken(address, hello)?.break_off()
    }

    /// Connected, greeted in clear, and ready for the handshake.
    fn unshaken(&self, address: SocketAddr, hello: &Hello<'_>) -> Result<Open, ClientError> {
        let way = Way {
            protocol: hello.protocol,
            tickets: hello.tickets,
            sealing: hello.sealing,
        };
        let (mut ssl, noted) = self.contexts.ssl(way)?;
        if let Some(name) = hello.sni {
            ssl.set_hostname(name).map_err(ClientError::client)?;
        }
        if let Some(session) = hello.session {
            offer::offer(&mut ssl, session.der()).map_err(ClientError::client)?;
        }
        let mut wire = Wire::connect(address, self.manner.patience).map_err(|why| {
            let late = matches!(
                why.kind(),
                std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock
            );
            let why = if late {
                "no answer in time".to_owned()
            } else {
                why.to_string()
            };
            ClientError::Connect { why }
        })?;
        if self.manner.proxy {
            speech::proxy_line(&mut wire)?;
        }
        if let Some(mail) = self.manner.starttls {
            speech::start_tls(&mut wire, mail)?;
        }
        wire.forget();
        let stream = SslStream::new(ssl, wire).map_err(ClientError::client)?;
        Ok(Open::new(stream, noted, hello, &self.manner))
    }
}
