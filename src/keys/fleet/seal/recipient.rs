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
const TAG: usize = 16;
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
    let mut out = [0; SEALED];
    let (front, rest) = out.split_at_mut(ENCAPSULATED);
    let (text, end) = rest.split_at_mut(SEED);
    text.copy_from_slice(seed.bytes());
    let Some((encapsulated, tag)) = encrypt(public, (INFO, clear), text, drawn) else {
        text.zeroize();
        return None;
    };
    front.copy_from_slice(&encapsulated);
    end.copy_from_slice(&tag);
    Some(out)
}

/// Encrypts the text where it is. `bound`: the purpose and what is in clear.
fn encrypt(
    public: &RecipientPublic,
    bound: (&[u8], &[u8]),
    text: &mut [u8],
    drawn: &mut Drawn,
) -> Option<([u8; ENCAPSULATED], [u8; TAG])> {
    let public = <Dh as Kem>::PublicKey::from_bytes(&public.0).ok()?;
    let sealed = single_shot_seal_inout_detached_with_rng::<Aead, HkdfSha256, Dh>(
        &OpModeS::Base,
        &public,
        bound.0,
        InOutBuf::from(text),
        bound.1,
        drawn,
    );
    let (encapsulated, tag) = sealed.ok().filter(|_| drawn.was_enough())?;
    Some((encapsulated.to_bytes().into(), tag.to_bytes().into()))
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
        let encapsulated = reader.array()?;
        let mut seed = Seed::blank();
        seed.bytes_mut().copy_from_slice(reader.take(SEED)?);
        let tag = reader.array()?;
        let text = seed.bytes_mut().as_mut_slice();
        self.decrypt((INFO, clear), &encapsulated, text, &tag)?;
        Some(seed)
    }

    /// Decrypts the text where it is.
    fn decrypt(
        &self,
        bound: (&[u8], &[u8]),
        encapsulated: &[u8; ENCAPSULATED],
        text: &mut [u8],
        tag: &[u8; TAG],
    ) -> Option<()> {
        let encapsulated = <Dh as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let tag = AeadTag::<Aead>::from_bytes(tag).ok()?;
        single_shot_open_inout_detached::<Aead, HkdfSha256, Dh>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            bound.0,
            InOutBuf::from(text),
            bound.1,
            &tag,
        )
        .ok()
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

    /// RFC 9180, A.2.1, and A.2.1.1 for the sequence number 0.
    mod rfc {
        pub(super) const PRIVATE: &str =
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
        pub(super) const PUBLIC: &str =
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
        pub(super) const DRAWN: &str =
            "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
        pub(super) const ENCAPSULATED: &str =
            "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
        pub(super) const BOUND: (&[u8], &[u8]) = (b"Ode on a Grecian Urn", b"Count-0");
        pub(super) const TEXT: &[u8] = b"Beauty is truth, truth beauty";
        pub(super) const SEALED: &str =
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b";
        pub(super) const TAG: &str = "60b4db21993c62ce81883d2dd1b51a28";
    }

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        assert_eq!(hex.len(), 2 * N);
        std::array::from_fn(byte)
    }

    #[test]
    fn hpke_opens_the_vector_of_rfc_9180() {
        let recipient = Recipient::of(&bytes(rfc::PRIVATE)).unwrap();
        assert_eq!(recipient.public().0, bytes(rfc::PUBLIC));
        let mut text: [u8; 29] = bytes(rfc::SEALED);
        let (encapsulated, tag) = (bytes(rfc::ENCAPSULATED), bytes(rfc::TAG));
        let opened = recipient.decrypt(rfc::BOUND, &encapsulated, &mut text, &tag);
        assert!(opened.is_some() && text == rfc::TEXT);
    }

    #[test]
    fn hpke_seals_the_vector_of_rfc_9180() {
        let mut drawn = Drawn::new().unwrap();
        drawn.bytes.copy_from_slice(&bytes::<32>(rfc::DRAWN));
        let mut text = rfc::TEXT.to_vec();
        let public = RecipientPublic(bytes(rfc::PUBLIC));
        let (encapsulated, tag) = encrypt(&public, rfc::BOUND, &mut text, &mut drawn).unwrap();
        assert_eq!(encapsulated, bytes(rfc::ENCAPSULATED));
        assert_eq!(
            (text, tag),
            (bytes::<29>(rfc::SEALED).to_vec(), bytes(rfc::TAG))
        );
    }

    /// Points of small order (RFC 7748, 6.1): the secret would be the same for all.
    #[test]
    fn nothing_is_sealed_for_a_key_that_all_share() {
        let seed = Seed::random().unwrap();
        let mut one = [0; 32];
        one[0] = 1;
        for point in [[0; 32], one] {
            assert!(RecipientPublic(point).seal(&seed, b"").unwrap().is_none());
        }
    }

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
