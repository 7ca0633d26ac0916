//! Ticket keys that everybody knows: those that a study of 2023 found in use on the Internet
//! and tried against servers (Hebrok et al., "We Really Need to Talk About Session Tickets",
//! USENIX Security 2023), in the layouts of nginx and of httpd.
//!
//! Only tickets of the probe's own sessions are tried, and only the MAC and the first block:
//! whether the key is one of the list. Nothing is decrypted further or kept.

use serde::Serialize;

use crate::tls::Ticket;

/// Which well-known key made a ticket.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Weakness {
    /// The part that is known: `hmac` (tickets can be forged as soon as the other is known
    /// too), `aes` (sessions can be read), or `both`.
    pub part: &'static str,
    /// What it looks like, of both parts the HMAC's: `all bytes 00`, `bytes counting up from
    /// 00`, ...
    pub pattern: String,
    /// The part's length in bytes; of an HMAC key without the zeros at its end, which make no
    /// other key.
    pub bytes: usize,
}

/// Key lengths of the layouts: 16 and 32 bytes. A random key of OpenSSL has 32.
const WIDTHS: [usize; 2] = [16, 32];

/// The weak key that made a ticket; `None` where none of the list did.
pub fn weakness(ticket: &Ticket) -> Option<Weakness> {
    let forged = tried(|key| ticket.verifies_by(key));
    let opened = by_cipher(ticket);
    let part = match (&forged, &opened) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "hmac",
        _ => "aes",
    };
    let (pattern, bytes) = forged.or(opened)?;
    Some(Weakness {
        part,
        pattern: pattern.said(),
        bytes,
    })
}

/// The first key of the list that fits, with its length.
fn tried(fits: impl Fn(&[u8]) -> bool) -> Option<(Pattern, usize)> {
    let mut key = [0; 32];
    for width in WIDTHS {
        for pattern in patterns() {
            pattern.fill(&mut key[..width]);
            if fits(&key[..width]) {
                return Some((pattern, width));
            }
        }
    }
    None
}

/// The same by the cipher's key: a server may have left one half out.
#[cfg(feature = "tls")]
fn by_cipher(ticket: &Ticket) -> Option<(Pattern, usize)> {
    tried(|key| opens(ticket, key))
}

#[cfg(not(feature = "tls"))]
fn by_cipher(_: &Ticket) -> Option<(Pattern, usize)> {
    None
}

/// True when what comes out is padded as CBC pads, and begins as OpenSSL's encoding of a
/// session does: a sequence whose length fits, then the integer 1.
#[cfg(feature = "tls")]
fn opens(ticket: &Ticket, key: &[u8]) -> bool {
    use openssl::symm::{Cipher, decrypt};
    let cipher = match key.len() {
        16 => Cipher::aes_128_cbc(),
        _ => Cipher::aes_256_cbc(),
    };
    let opened = decrypt(cipher, key, Some(ticket.iv()), ticket.ciphertext());
    let opened = opened.map(zeroize::Zeroizing::new);
    let Ok(session) = opened else {
        return false;
    };
    let (length, body) = match &session[..] {
        [0x30, 0x81, length, body @ ..] => (usize::from(*length), body),
        [0x30, 0x82, high, low, body @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), body)
        }
        _ => return false,
    };
    length == body.len() && body.starts_with(&[0x02, 0x01, 0x01])
}

/// A way of making up a key.
#[derive(Copy, Clone)]
enum Pattern {
    /// One byte again and again.
    All(u8),
    /// Counting up from a byte.
    Up(u8),
    /// Counting down from a byte.
    Down(u8),
    /// A text again and again.
    Text(&'static str),
}

/// Texts that people type where a key is wanted.
const TEXTS: [&str; 8] = [
    "0123456789abcdef",
    "0123456789ABCDEF",
    "1234567890",
    "12345678",
    "abcdefghijklmnopqrstuvwxyz",
    "deadbeef",
    "password",
    "changeme",
];

fn patterns() -> impl Iterator<Item = Pattern> {
    let bytes = || 0..=u8::MAX;
    bytes()
        .map(Pattern::All)
        .chain(bytes().map(Pattern::Up))
        .chain(bytes().map(Pattern::Down))
        .chain(TEXTS.map(Pattern::Text))
}

impl Pattern {
    fn fill(self, key: &mut [u8]) {
        for (index, byte) in key.iter_mut().enumerate() {
            // Keys are shorter than 256 bytes.
            let step = index as u8;
            *byte = match self {
                Self::All(value) => value,
                Self::Up(first) => first.wrapping_add(step),
                Self::Down(first) => first.wrapping_sub(step),
                Self::Text(text) => text.as_bytes()[index % text.len()],
            };
        }
    }

    fn said(self) -> String {
        match self {
            Self::All(value) => format!("all bytes {value:02x}"),
            Self::Up(first) => format!("bytes counting up from {first:02x}"),
            Self::Down(first) => format!("bytes counting down from {first:02x}"),
            Self::Text(text) => format!("the text {text}"),
        }
    }
}
