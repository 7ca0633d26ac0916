//! Who signs, and whom one believes: Ed25519 (RFC 8032), verified strictly. A private key stays
//! in a buffer that is wiped; nothing here can print one. Opens no file; see
//! [`super::private`].

use std::fmt;
use std::path::PathBuf;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::core::KeyId;
use super::super::secret::{fill, scrub_stack};
use super::private::read_private;
use super::{Format, SealError};

mod agent;
mod pem;

use agent::Agent;

const PUBLIC: &str = "ed25519:";
const AGENT: &str = "agent:";
/// In front of a private key that is not in PEM.
const OWN: &str = "stekguard-signing-key:";
const NO_KEY: &str = "an Ed25519 private key, as `openssl genpkey -algorithm ed25519` writes it";

/// A public key that signatures are verified with. Keys that verify more than their owner's
/// signatures (of small order, or in a form that is not the shortest) cannot be made.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: KeyId,
}

impl PublicKey {
    /// Reads `ed25519:` and the base64 of 32 bytes.
    ///
    /// # Errors
    /// [`SealError::PublicKey`].
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let mut bytes = [0; 33];
        text.strip_prefix(PUBLIC)
            .and_then(|rest| Base64::decode(rest, &mut bytes).ok())
            .and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok())
            .and_then(Self::of)
            .ok_or_else(|| SealError::PublicKey(text.chars().take(80).collect()))
    }

    /// `None` where the bytes are no key that is safe to verify with.
    pub fn of(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        let shortest = key.to_edwards().compress().0 == *bytes;
        (shortest && !key.is_weak()).then(|| Self::from(key))
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// What stands for the key in a record.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl From<VerifyingKey> for PublicKey {
    fn from(key: VerifyingKey) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"stekguard signer 1");
        digest.update(key.as_bytes());
        let id = KeyId(first_eight(&digest.finalize().into()));
        Self { key, id }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{PUBLIC}{}",
            Base64::encode_string(self.key.as_bytes())
        )
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The keys whose signatures are believed.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Pinned(pub Vec<PublicKey>);

/// Where private keys may be beside files; what the environment says, which only the command
/// line reads.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// systemd's folder of credentials: `$CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
    /// The socket of the ssh-agent: `$SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
}

/// A private key, or somebody who has one.
pub struct Signer {
    hand: Hand,
    public: PublicKey,
    format: Format,
}

enum Hand {
    /// On the heap: a key that is moved would leave copies behind. Wiped when dropped.
    Own(Box<SigningKey>),
    Agent(Agent),
}

impl Signer {
    /// A new key.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(&mut *bytes).map_err(super::super::KeysError::Random)?;
        Ok(Self::of(&bytes))
    }

    /// Takes the key from where the words say: `/PATH`, `credential:NAME`, or
    /// `agent:ed25519:BASE64` for the key of an ssh-agent, which stays there.
    ///
    /// # Errors
    /// [`SealError`], which names the place.
    pub fn open(source: &str, places: &Places) -> Result<Self, SealError> {
        if let Some(key) = source.strip_prefix(AGENT) {
            return Self::of_agent(PublicKey::parse(key)?, places);
        }
        let text = read_private(source, places)?;
        Self::parse(&text).ok_or_else(|| SealError::NotAKey {
            place: source.to_owned(),
            wanted: NO_KEY,
        })
    }

    fn of_agent(public: PublicKey, places: &Places) -> Result<Self, SealError> {
        let nowhere = || SealError::Agent("SSH_AUTH_SOCK names no socket".to_owned());
        let socket = places.agent.as_ref().ok_or_else(nowhere)?;
        let agent = Agent::find(socket, &public)?;
        Ok(Self {
            hand: Hand::Agent(agent),
            public,
            format: Format::default(),
        })
    }

    /// Reads PEM (PKCS#8) or `stekguard-signing-key:` and the base64 of 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = match text.trim().strip_prefix(OWN) {
            Some(rest) => pem::secret(rest)?,
            None => pem::parse(text)?,
        };
        Some(Self::of(&bytes))
    }

    /// The key as PEM (PKCS#8), which OpenSSL reads; `None` for one that an agent holds.
    pub fn pem(&self) -> Option<Zeroizing<String>> {
        let Hand::Own(key) = &self.hand else {
            return None;
        };
        let text = pem::print(key.as_bytes());
        scrub_stack();
        Some(text)
    }

    /// The same key, writing records of a version. As it is opened it writes
    /// [`Format::default`].
    #[must_use]
    pub fn writing(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The version that records are written in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], SealError> {
        match &self.hand {
            Hand::Own(key) => {
                let signature = key.sign(message).to_bytes();
                scrub_stack();
                Ok(signature)
            }
            Hand::Agent(agent) => {
                let signature = agent.sign(message)?;
                // Whatever answers at a socket is not believed.
                match self.public.verifies(message, &signature) {
                    true => Ok(signature),
                    false => Err(SealError::Agent("its signature is wrong".to_owned())),
                }
            }
        }
    }

    fn of(bytes: &[u8; 32]) -> Self {
        let key = boxed(bytes);
        scrub_stack();
        let public = PublicKey::from(key.verifying_key());
        Self {
            hand: Hand::Own(key),
            public,
            format: Format::default(),
        }
    }
}

#[inline(never)]
fn boxed(bytes: &[u8; 32]) -> Box<SigningKey> {
    Box::new(SigningKey::from_bytes(bytes))
}

/// The part of a digest that stands for what it was made of.
pub(super) fn first_eight(digest: &[u8; 32]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&digest[..8]);
    out
}

#[cfg(test)]
mod tests;
