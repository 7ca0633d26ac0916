//! One connection: the handshake, and an exchange in it that brings every ticket.

use std::io::{Read, Write};
use std::sync::PoisonError;
use std::time::Duration;

use openssl::ssl::SslStream;

use super::context::Noted;
use super::error::{Phase, classified};
use super::wire::{Stop, Wire};
use super::{ClientError, Hello, Manner, Observation, Speech, peer};
use crate::tls::Protocol;

/// How long a silent client listens for tickets.
const MOMENT: Duration = Duration::from_millis(400);
/// Nothing that a probe reads of an answer stands behind this.
const ANSWER: usize = 64 * 1024;
/// EndOfEarlyData is a message of 4 bytes (RFC 8446 4.5), with the inner type and a tag of 16.
/// A client sends it only where the server has taken its early data; nothing else that it
/// sends in a resumed handshake is that short.
const END_OF_EARLY_DATA: usize = 4 + 1 + 16;
const APPLICATION_DATA: u8 = 23;

/// A connection after the handshake.
pub struct Open {
    pub(super) stream: SslStream<Wire>,
    pub(super) noted: Noted,
    pub(super) protocol: Protocol,
    pub(super) sealing: bool,
    speech: Speech,
    greeted: bool,
    host: String,
    status: Option<u16>,
    early: Option<bool>,
    asked: bool,
    mute: bool,
}

impl Open {
    pub(super) fn new(
        stream: SslStream<Wire>,
        noted: Noted,
        hello: &Hello<'_>,
        manner: &Manner,
    ) -> Self {
        let speech = match manner.starttls {
            _ if hello.quiet => Speech::Silent,
            Some(mail) => Speech::Mail(mail),
            None => manner.speech,
        };
        Self {
            stream,
            noted,
            protocol: hello.protocol,
            sealing: hello.sealing,
            speech,
            // After STARTTLS the server has greeted already.
            greeted: manner.starttls.is_some(),
            host: hello.sni.unwrap_or("probe.invalid").to_owned(),
            status: None,
            early: None,
            asked: false,
            mute: false,
        }
    }

    pub(super) fn shake(&mut self, early: bool) -> Result<(), ClientError> {
        let offered = early && self.send_early()?;
        self.stream.get_mut().sent.clear();
        let shaken = self.stream.connect();
        shaken.map_err(|error| self.failed(&error, Phase::Handshake))?;
        if offered {
            let mut sent = self.stream.get_ref().sent.iter();
            let taken = sent.any(|record| {
                record.kind == APPLICATION_DATA && record.length == END_OF_EARLY_DATA
            });
            self.early = Some(taken);
            // What the server has not taken has to be said again.
            self.asked = taken;
        }
        // From here on every record goes out under the traffic key.
        self.stream.get_mut().sent.clear();
        Ok(())
    }

    /// False where OpenSSL would not send any: the session does not allow it.
    fn send_early(&mut self) -> Result<bool, ClientError> {
        let Some(request) = self.request() else {
            return Ok(false);
        };
        match self.stream.write_early_data(request.as_bytes()) {
            Ok(_) => Ok(true),
            Err(error) if self.stream.get_ref().stopped.is_some() => {
                Err(self.failed(&error, Phase::Handshake))
            }
            Err(_) => Ok(false),
        }
    }

    pub(super) fn break_off(mut self) -> Result<bool, ClientError> {
        self.stream.get_mut().spoil_next_record();
        let outcome = self.stream.connect();
        let resumed = self.stream.ssl().session_reused();
        match outcome {
            // Nothing encrypted came: no handshake to break off.
            Ok(()) => Ok(false),
            Err(error) => match self.failed(&error, Phase::Handshake) {
                ClientError::Broken { .. } => {
                    self.settle();
                    Ok(resumed)
                }
                other => Err(other),
            },
        }
    }

    /// True when the session that was offered is resumed.
    pub fn resumed(&self) -> bool {
        self.stream.ssl().session_reused()
    }

    /// Has the server answer once; the connection stays open.
    ///
    /// # Errors
    /// [`ClientError`] where what comes is no TLS, or an alert. That nothing comes is none: a
    /// server without a tongue has shaken hands all the same.
    pub fn ask(&mut self) -> Result<(), ClientError> {
        match self.speech {
            Speech::Silent => self.listen(),
            Speech::Http => {
                self.say()?;
                self.hear(|answer| answer.windows(4).any(|end| end == b"\r\n\r\n"))
            }
            Speech::Mail(_) => {
                if !std::mem::replace(&mut self.greeted, true) {
                    self.hear(|answer| answer.ends_with(b"\n"))?;
                }
                self.say()?;
                self.hear(|answer| answer.ends_with(b"\n"))
            }
        }
    }

    fn request(&self) -> Option<String> {
        match self.speech {
            Speech::Silent => None,
            Speech::Http => Some(format!(
                "HEAD / HTTP/1.1\r\nHost: {}\r\nUser-Agent: stekguard\r\n\r\n",
                self.host
            )),
            Speech::Mail(mail) => Some(mail.harmless().to_owned()),
        }
    }

    fn say(&mut self) -> Result<(), ClientError> {
        if std::mem::replace(&mut self.asked, false) {
            return Ok(());
        }
        let Some(request) = self.request() else {
            return Ok(());
        };
        match self.stream.ssl_write(request.as_bytes()) {
            Ok(_) => Ok(()),
            // It may have said before why it does not listen.
            Err(_) if self.stream.get_ref().stopped == Some(Stop::Reset) => Ok(()),
            Err(error) => Err(self.failed(&error, Phase::After)),
        }
    }

    /// Reads until it is enough, or the server has nothing more to say.
    fn hear(&mut self, enough: impl Fn(&[u8]) -> bool) -> Result<(), ClientError> {
        let mut answer = Vec::new();
        let mut bytes = [0; 4096];
        while answer.len() < ANSWER && !enough(&answer) {
            match self.stream.ssl_read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => answer.extend_from_slice(&bytes[..count]),
                Err(error) if error.code() == openssl::ssl::ErrorCode::ZERO_RETURN => break,
                Err(error) => match self.failed(&error, Phase::After) {
                    ClientError::Closed { .. } => break,
                    // A server that answers nothing, while TLS itself is fine.
                    ClientError::Late { .. } if answer.is_empty() => {
                        self.mute = self.speech != Speech::Silent;
                        break;
                    }
                    other => return Err(other),
                },
            }
        }
        self.status = status(&answer).or(self.status);
        Ok(())
    }

    fn listen(&mut self) -> Result<(), ClientError> {
        let deadline = self.stream.get_mut().hurry(MOMENT);
        let heard = self.hear(|_| false);
        self.stream.get_mut().calm(deadline);
        match heard {
            Err(ClientError::Late { .. }) => Ok(()),
            heard => heard,
        }
    }

    pub(super) fn failed(&self, error: &openssl::ssl::Error, phase: Phase) -> ClientError {
        classified(error, self.stream.get_ref(), phase)
    }

    pub(super) fn observed(&self) -> Observation {
        let ssl = self.stream.ssl();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let alpn = ssl.selected_alpn_protocol();
        Observation {
            resumed: ssl.session_reused(),
            sessions: std::mem::take(&mut noted.sessions),
            status: self.status,
            mute: self.mute,
            early: self.early,
            peer: peer::peer(ssl),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
            cipher: ssl.current_cipher().map(|cipher| cipher.name()),
        }
    }

    /// Waits until the server has dealt with what was sent last: it closes.
    pub(super) fn settle(&mut self) {
        let wire = self.stream.get_mut();
        // A server that is gone has dealt with it.
        let _ = wire.flush();
        wire.drain(MOMENT);
        wire.finish();
        let mut rest = [0; 64];
        let _ = wire.read(&mut rest);
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/")?;
    let word = line.split(|byte| *byte == b' ').nth(1)?;
    std::str::from_utf8(word.get(..3)?).ok()?.parse().ok()
}
