//! A stateless ticket as OpenSSL lays it out: key name, IV, ciphertext, MAC.
//!
//! Takes tickets apart and checks a MAC against a key; decrypts nothing.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{KEY_NAME, TicketKey};

/// The length of a stateful ticket of TLS 1.3: a session id, with nothing in it.
pub const STATEFUL: usize = 32;

const IV: usize = 16;
const MAC: usize = 32;
const BLOCK: usize = 16;

/// A ticket encrypted under a ticket key. RFC 5077 4 with the sizes that OpenSSL, nginx and
/// httpd use: AES-CBC and HMAC-SHA256.
#[derive(Clone, Eq, PartialEq)]
pub struct Ticket {
    bytes: Vec<u8>,
}

impl Ticket {
    /// `None` where the bytes are no such ticket: a stateful one, or of another server's form.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let ciphertext = bytes.len().checked_sub(KEY_NAME + IV + MAC)?;
        let whole = ciphertext > 0 && ciphertext.is_multiple_of(BLOCK);
        whole.then(|| Self {
            bytes: bytes.to_vec(),
        })
    }

    /// The key's name, in clear.
    pub fn key_name(&self) -> &[u8] {
        &self.bytes[..KEY_NAME]
    }

    /// The first block's chaining value.
    pub fn iv(&self) -> &[u8] {
        &self.bytes[KEY_NAME..KEY_NAME + IV]
    }

    /// The encrypted session.
    pub fn ciphertext(&self) -> &[u8] {
        &self.bytes[KEY_NAME + IV..self.signed().len()]
    }

    /// True when this key made the ticket: its MAC is right. The name is not looked at.
    pub fn verifies(&self, key: &TicketKey) -> bool {
        self.verifies_by(key.hmac())
    }

    /// The same with an HMAC key alone, of any length.
    pub fn verifies_by(&self, hmac: &[u8]) -> bool {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(hmac) else {
            return false;
        };
        let given = &self.bytes[self.signed().len()..];
        mac.chain_update(self.signed()).verify_slice(given).is_ok()
    }

    fn signed(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - MAC]
    }
}

/// The name and the size: the rest is a secret of somebody's session.
impl fmt::Debug for Ticket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ticket")
            .field("key_name", &hex(self.key_name()))
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
