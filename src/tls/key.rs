//! A ticket key and the layouts of its file, in nginx and in httpd.
//!
//! The bytes are wiped when the key is dropped. There is no way to print, log or serialize a
//! key: what may be shown is its [`TicketKey::id`], a digest, and the name that stands in clear
//! in every ticket.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::TlsError;

/// Bytes of the name in front of every stateless ticket.
pub const KEY_NAME: usize = 16;

const SHORT: usize = 16;
const LONG: usize = 32;
/// Bytes of the digest that an id shows.
const ID: usize = 8;

/// How a key lies in its file. Sources: nginx `ngx_ssl_session_ticket_keys`, httpd
/// `ssl_init_ticket_key`.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Layout {
    /// nginx, 80 bytes: name 16, HMAC 32, AES-256 32.
    Nginx80,
    /// nginx, 48 bytes: name 16, AES-128 16, HMAC 16.
    Nginx48,
    /// httpd, 48 bytes: name 16, HMAC 16, AES-128 16.
    Apache48,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 3] = [Self::Nginx80, Self::Nginx48, Self::Apache48];

    /// How many bytes a file has.
    pub const fn bytes(self) -> usize {
        KEY_NAME + 2 * self.width()
    }

    const fn width(self) -> usize {
        match self {
            Self::Nginx80 => LONG,
            Self::Nginx48 | Self::Apache48 => SHORT,
        }
    }
}

/// A session ticket encryption key: a name, a key for HMAC-SHA256 and one for AES-CBC of the
/// same width.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TicketKey {
    name: [u8; KEY_NAME],
    /// The first `width` bytes count.
    hmac: [u8; LONG],
    /// The first `width` bytes count.
    aes: [u8; LONG],
    width: usize,
}

impl TicketKey {
    /// Reads a key file. httpd reads the first 48 bytes of a longer file; whoever means that
    /// cuts it first.
    ///
    /// # Errors
    /// [`TlsError::KeyLength`] where the file has not exactly the layout's length.
    pub fn from_file_bytes(layout: Layout, bytes: &[u8]) -> Result<Self, TlsError> {
        let wrong = TlsError::KeyLength {
            wanted: layout.bytes(),
            length: bytes.len(),
        };
        if bytes.len() != layout.bytes() {
            return Err(wrong);
        }
        let (name, secrets) = bytes.split_at(KEY_NAME);
        let (first, second) = secrets.split_at(layout.width());
        let (hmac, aes) = match layout {
            Layout::Nginx80 | Layout::Apache48 => (first, second),
            Layout::Nginx48 => (second, first),
        };
        let mut key = Self {
            name: [0; KEY_NAME],
            hmac: [0; LONG],
            aes: [0; LONG],
            width: layout.width(),
        };
        key.name.copy_from_slice(name);
        key.hmac[..key.width].copy_from_slice(hmac);
        key.aes[..key.width].copy_from_slice(aes);
        Ok(key)
    }

    /// The file's bytes, wiped when dropped.
    ///
    /// # Errors
    /// [`TlsError::KeyWidth`] where the key is of another width than the layout.
    pub fn to_file_bytes(&self, layout: Layout) -> Result<Zeroizing<Vec<u8>>, TlsError> {
        if self.width != layout.width() {
            return Err(TlsError::KeyWidth {
                aes: self.width * 8,
                wanted: layout.bytes(),
            });
        }
        let (first, second) = match layout {
            Layout::Nginx80 | Layout::Apache48 => (self.hmac(), self.aes()),
            Layout::Nginx48 => (self.aes(), self.hmac()),
        };
        // Of the final length at once: growing would leave a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(layout.bytes()));
        bytes.extend_from_slice(&self.name);
        bytes.extend_from_slice(first);
        bytes.extend_from_slice(second);
        Ok(bytes)
    }

    /// The name, which every ticket shows to everybody.
    pub fn name(&self) -> &[u8; KEY_NAME] {
        &self.name
    }

    /// What tells keys apart in a report: 16 hex digits of a SHA-256 over name, HMAC and AES
    /// key, in this order whatever the file's layout was.
    pub fn id(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.name);
        digest.update(self.hmac());
        digest.update(self.aes());
        let digest = Zeroizing::new(<[u8; 32]>::from(digest.finalize()));
        super::ticket::hex(&digest[..ID])
    }

    pub(super) fn hmac(&self) -> &[u8] {
        &self.hmac[..self.width]
    }

    pub(super) fn aes(&self) -> &[u8] {
        &self.aes[..self.width]
    }
}

/// In constant time for keys of one width: how long it takes says nothing about the bytes.
impl PartialEq for TicketKey {
    fn eq(&self, other: &Self) -> bool {
        let differs = |a: &[u8], b: &[u8]| a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
        let sum = differs(&self.name, &other.name)
            | differs(&self.hmac, &other.hmac)
            | differs(&self.aes, &other.aes);
        self.width == other.width && std::hint::black_box(sum) == 0
    }
}

impl Eq for TicketKey {}
