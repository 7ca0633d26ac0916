//! A host's key pair of the day, and what is sealed for it: HPKE (RFC 9180), base mode, X25519,
//! HKDF-SHA256, ChaCha20-Poly1305, one message. The private half is never written anywhere.

use std::convert::Infallible;

use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open_inout_detached,
    single_shot_seal_inout_detached_with_rng,
};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::super::super::KeysError;
use super::super::super::secret::{fill, scrub_stack};
use super::super::codec::Reader;
use super::super::envelope::Kind;
use super::super::seed::Seed;
use super::super::sign::first_eight;
use super::SEED;

type Dh = X25519HkdfSha256;
type Aead = ChaCha20Poly1305;

const INFO: &[u8] = b"stekguard seal 1";
const ENCAPSULATED: usize = 32;
const SEALED: usize = Kind::ForHost.sealed();

/// A host's public key of the day.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct RecipientPublic(pub [u8; 32]);

impl RecipientPublic {
    /// What stands for the key in a record.
    pub(in super::super) fn id(&self) -> [u8; 8] {
        let mut digest = Sha256::new();
        digest.update(b"stekguard recipient 1");
        digest.update(self.0);
        first_eight(&digest.finalize().into())
    }

    /// Encapsulated key, ciphertext and tag; `None` where the key is none that one can seal for.
    pub(super) fn seal(
        &self,
        seed: &Seed,
        clear: &[u8],
    ) -> Result<Option<[u8; SEALED]>, KeysError> {
        let mut drawn = Drawn::new()?;
        Ok(seal(self, seed, clear, &mut drawn))
    }
}

#[inline(never)]
fn seal(
    public: &RecipientPublic,
    seed: &Seed,
    clear: &[u8],
    drawn: &mut Drawn,
) -> Option<[u8; SEALED]> {
    let public = <Dh as Kem>::PublicKey::from_bytes(&public.0).ok()?;
    let mut out = [0; SEALED];
    let (front, rest) = out.split_at_mut(ENCAPSULATED);
    let (text, end) = rest.split_at_mut(SEED);
    text.copy_from_slice(seed.bytes());
    let sealed = single_shot_seal_inout_detached_with_rng::<Aead, HkdfSha256, Dh>(
        &OpModeS::Base,
        &public,
        INFO,
        InOutBuf::from(&mut *text),
        clear,
        drawn,
    );
    let (Ok((encapsulated, tag)), true) = (sealed, drawn.was_enough()) else {
        text.zeroize();
        return None;
    };
    front.copy_from_slice(&encapsulated.to_bytes());
    end.copy_from_slice(&tag.to_bytes());
    Some(out)
}

/// A host's key pair of the day. The private half is in memory alone, and wiped when dropped.
pub struct Recipient {
    private: Box<<Dh as Kem>::PrivateKey>,
    public: RecipientPublic,
}

impl Recipient {
    /// A new pair.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    pub fn random() -> Result<Self, KeysError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(&mut *bytes).map_err(KeysError::Random)?;
        Self::of(&bytes).ok_or_else(|| KeysError::Random(std::io::ErrorKind::InvalidData.into()))
    }

    /// The pair of a private key; the caller wipes the bytes. For known answers: a key that is
    /// kept would rebuild what rotation removes.
    pub fn of(bytes: &[u8; 32]) -> Option<Self> {
        let pair = pair(bytes);
        scrub_stack();
        pair
    }

    /// The public half.
    pub fn public(&self) -> RecipientPublic {
        self.public
    }

    #[inline(never)]
    pub(super) fn open(&self, sealed: &[u8], clear: &[u8]) -> Option<Seed> {
        let mut reader = Reader::new(sealed);
        let encapsulated = reader.take(ENCAPSULATED)?;
        let encapsulated = <Dh as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let mut seed = Seed::blank();
        seed.bytes_mut().copy_from_slice(reader.take(SEED)?);
        let tag = AeadTag::<Aead>::from_bytes(reader.take(16)?).ok()?;
        single_shot_open_inout_detached::<Aead, HkdfSha256, Dh>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            INFO,
            InOutBuf::from(seed.bytes_mut().as_mut_slice()),
            clear,
            &tag,
        )
        .ok()?;
        Some(seed)
    }
}

#[inline(never)]
fn pair(bytes: &[u8; 32]) -> Option<Recipient> {
    let private = Box::new(<Dh as Kem>::PrivateKey::from_bytes(bytes).ok()?);
    let public = RecipientPublic(<Dh as Kem>::sk_to_pk(&private).to_bytes().into());
    Some(Recipient { private, public })
}

/// Random bytes that were drawn before: the system can refuse them, and HPKE has no way to say
/// so. HPKE takes 32 of them; what is asked for beyond is all zeros, and remembered, so that
/// nothing is ever sealed with it.
struct Drawn {
    bytes: Box<Zeroizing<[u8; 32]>>,
    used: usize,
}

impl Drawn {
    fn new() -> Result<Self, KeysError> {
        let mut bytes: Box<Zeroizing<[u8; 32]>> = Box::default();
        fill(&mut **bytes).map_err(KeysError::Random)?;
        Ok(Self { bytes, used: 0 })
    }

    fn was_enough(&self) -> bool {
        self.used <= self.bytes.len()
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_be_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_be_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used.saturating_add(out.len());
        match self.bytes.get(self.used..end) {
            Some(bytes) => out.copy_from_slice(bytes),
            None => out.fill(0),
        }
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_drawn_is_noticed() {
        let mut drawn = Drawn::new().unwrap();
        let mut out = [0; 32];
        drawn.try_fill_bytes(&mut out).unwrap();
        assert!(drawn.was_enough() && out != [0; 32]);
        assert_eq!(drawn.try_next_u32(), Ok(0));
        assert!(!drawn.was_enough());
    }
}
