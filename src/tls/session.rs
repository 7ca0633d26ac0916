//! A client's session as OpenSSL encodes it: PEM of `openssl s_client -sess_out`, or DER.
//!
//! Reads the fields that OpenSSL's interface hides, the ticket above all. The encoding holds
//! the session's secret, so it is wiped when dropped and never shown.

use std::fmt;

use zeroize::Zeroizing;

use super::{KEY_NAME, STATEFUL, Ticket, TlsError};

/// A version of the protocol.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Protocol {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Protocol {
    /// `1.2` or `1.3`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// A session, with what its encoding says. OpenSSL marks a session object of TLS 1.3 as spent
/// after one use; the encoding can be offered again and again.
#[derive(Clone)]
pub struct Session {
    der: Zeroizing<Vec<u8>>,
    fields: Fields,
}

/// What is read out of the encoding.
#[derive(Clone, Default)]
struct Fields {
    protocol: u64,
    id: Vec<u8>,
    ticket: Vec<u8>,
    hint: u64,
    timeout: u64,
    early_data: u64,
    name: Option<String>,
}

/// Tags of `SSL_SESSION_ASN1` in OpenSSL's ssl/ssl_asn1.c.
mod tag {
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OCTETS: u8 = 0x04;
    pub(super) const TIMEOUT: u8 = 0xa2;
    pub(super) const HOST_NAME: u8 = 0xa6;
    pub(super) const LIFETIME_HINT: u8 = 0xa9;
    pub(super) const TICKET: u8 = 0xaa;
    pub(super) const MAX_EARLY_DATA: u8 = 0xaf;
}

const TLS12: u64 = 0x0303;
const TLS13: u64 = 0x0304;
const PEM_BEGIN: &str = "-----BEGIN SSL SESSION PARAMETERS-----";
const PEM_END: &str = "-----END SSL SESSION PARAMETERS-----";
/// Nothing that OpenSSL writes comes near; a certificate chain is not part of it.
const LARGEST: usize = 1 << 20;

impl Session {
    /// Reads PEM, or DER where the bytes are no PEM. Text before and after the PEM is skipped.
    ///
    /// # Errors
    /// [`TlsError::Session`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlsError> {
        if bytes.len() > LARGEST {
            return Err(wrong("larger than any session"));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(PEM_BEGIN) => Self::from_der(&unarmoured(text)?),
            Ok(text) if text.contains("-----BEGIN") => {
                Err(wrong("a PEM file, but not of a session"))
            }
            _ => Self::from_der(bytes),
        }
    }

    /// Reads OpenSSL's DER.
    ///
    /// # Errors
    /// [`TlsError::Session`] says what is wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, TlsError> {
        Ok(Self {
            fields: fields(der)?,
            der: Zeroizing::new(der.to_vec()),
        })
    }

    /// OpenSSL's DER, which holds the session's secret.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The version it was made with.
    pub fn protocol(&self) -> Protocol {
        match self.fields.protocol {
            TLS13 => Protocol::Tls13,
            _ => Protocol::Tls12,
        }
    }

    /// The session id. With a ticket the client has invented it.
    pub fn id(&self) -> &[u8] {
        &self.fields.id
    }

    /// The ticket; empty where the server sent none.
    pub fn ticket(&self) -> &[u8] {
        &self.fields.ticket
    }

    /// The ticket taken apart; `None` where there is none or it is stateful.
    pub fn stateless(&self) -> Option<Ticket> {
        Ticket::parse(self.ticket())
    }

    /// True when the ticket is a session id of the server's cache.
    pub fn is_stateful(&self) -> bool {
        self.ticket().len() == STATEFUL
    }

    /// The name in front of a ticket under a key, whatever form the rest has.
    pub fn key_name(&self) -> Option<&[u8]> {
        let named = self.ticket().len() > STATEFUL.max(KEY_NAME);
        named.then(|| &self.ticket()[..KEY_NAME])
    }

    /// The lifetime in seconds as the server said it with the ticket; 0: none said.
    pub fn hint(&self) -> u64 {
        self.fields.hint
    }

    /// How long this client's library would keep it, in seconds.
    pub fn timeout(&self) -> u64 {
        self.fields.timeout
    }

    /// How many bytes of early data the server would take with it.
    pub fn early_data(&self) -> u64 {
        self.fields.early_data
    }

    /// The name that the client asked for when it was made.
    pub fn name(&self) -> Option<&str> {
        self.fields.name.as_deref()
    }
}

/// What is not secret.
impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session")
            .field("protocol", &self.protocol())
            .field("ticket_bytes", &self.ticket().len())
            .field("hint", &self.hint())
            .finish_non_exhaustive()
    }
}

fn fields(der: &[u8]) -> Result<Fields, TlsError> {
    let (first, mut rest, behind) = element(der)?;
    if first != tag::SEQUENCE || !behind.is_empty() {
        return Err(wrong("not one DER sequence"));
    }
    let mut fields = Fields::default();
    let (mut integers, mut octets) = (0, 0);
    while !rest.is_empty() {
        let (tag, body, behind) = element(rest)?;
        rest = behind;
        match tag {
            tag::INTEGER => {
                // The encoding's own version comes first, the protocol's next.
                if integers == 1 {
                    fields.protocol = number(body)?;
                }
                integers += 1;
            }
            tag::OCTETS => {
                // Cipher, session id, secret.
                if octets == 1 {
                    fields.id = body.to_vec();
                }
                octets += 1;
            }
            tag::TIMEOUT => fields.timeout = number(element(body)?.1)?,
            tag::HOST_NAME => {
                let name = element(body)?.1;
                fields.name = Some(String::from_utf8_lossy(name).into_owned());
            }
            tag::LIFETIME_HINT => fields.hint = number(element(body)?.1)?,
            tag::TICKET => fields.ticket = element(body)?.1.to_vec(),
            tag::MAX_EARLY_DATA => fields.early_data = number(element(body)?.1)?,
            _ => {}
        }
    }
    if octets < 3 {
        return Err(wrong("fields are missing"));
    }
    match fields.protocol {
        TLS12 | TLS13 => Ok(fields),
        _ => Err(wrong("neither of TLS 1.2 nor of TLS 1.3")),
    }
}

/// Tag, body and what follows of the first element.
fn element(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), TlsError> {
    let short = || wrong("cut off");
    let (&tag, rest) = bytes.split_first().ok_or_else(short)?;
    let (&first, rest) = rest.split_first().ok_or_else(short)?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let digits = usize::from(first & 0x7f);
            let (digits, rest) = rest.split_at_checked(digits).ok_or_else(short)?;
            let length = usize::try_from(number(digits)?).map_err(|_| short())?;
            (length, rest)
        }
    };
    let (body, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((tag, body, rest))
}

/// An unsigned number of at most eight bytes, with or without a leading zero.
fn number(bytes: &[u8]) -> Result<u64, TlsError> {
    if bytes.len() > size_of::<u64>() + 1 {
        return Err(wrong("a number that is too large"));
    }
    let digits = bytes.iter();
    Ok(digits.fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte)))
}

fn unarmoured(text: &str) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let (_, body) = text.split_once(PEM_BEGIN).ok_or(wrong("no PEM"))?;
    let (body, _) = body
        .split_once(PEM_END)
        .ok_or(wrong("its last line is missing"))?;
    let mut out = Zeroizing::new(Vec::with_capacity(body.len()));
    let (mut bits, mut held) = (0_u32, 0);
    let characters = body.bytes().filter(|byte| !byte.is_ascii_whitespace());
    for character in characters.take_while(|byte| *byte != b'=') {
        bits = (bits << 6) | u32::from(sextet(character)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Ok(out)
}

fn sextet(character: u8) -> Result<u8, TlsError> {
    match character {
        b'A'..=b'Z' => Ok(character - b'A'),
        b'a'..=b'z' => Ok(character - b'a' + 26),
        b'0'..=b'9' => Ok(character - b'0' + 52),
        b'+' => Ok(62),
        b'/' => Ok(63),
        _ => Err(wrong("not base64")),
    }
}

const fn wrong(why: &'static str) -> TlsError {
    TlsError::Session { why }
}
