//! Seeds, sealed: for all hosts of a fleet under one key (the weaker way: every host can open
//! every record for ever), or for each host under its public key of the day. What stands in
//! clear is bound to the seal, and everything is signed. Decides nothing; see
//! [`super::record`] for what is in clear.

use base64ct::{Base64, Encoding};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::super::KeysError;
use super::super::core::Slot;
use super::super::secret::{fill, scrub_stack};
use super::codec::Reader;
use super::envelope::{Draft, Envelope, Kind};
use super::private::read_private;
use super::record::{Header, HostKey, Refused, host, whole};
use super::seed::Seed;
use super::sign::{Pinned, Places, Signer};
use super::{FleetName, HostName, SealError};

mod recipient;

pub use recipient::{Recipient, RecipientPublic};

const FLEET_KEY: &str = "stekguard-fleet-key:";
const NO_KEY: &str = "a fleet key: `stekguard-fleet-key:` and 44 letters of base64";
const NONCE: usize = 24;
const SEED: usize = 32;
const TAG: usize = 16;

/// The one key under which seeds are sealed for all hosts of a fleet.
pub struct FleetKey(Box<Zeroizing<[u8; 32]>>);

impl FleetKey {
    /// A new one.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    pub fn random() -> Result<Self, KeysError> {
        let mut bytes: Box<Zeroizing<[u8; 32]>> = Box::default();
        fill(&mut **bytes).map_err(KeysError::Random)?;
        Ok(Self(bytes))
    }

    /// Takes the key from `/PATH` or `credential:NAME`.
    ///
    /// # Errors
    /// [`SealError`], which names the place.
    pub fn open(source: &str, places: &Places) -> Result<Self, SealError> {
        let text = read_private(source, places)?;
        Self::parse(&text).ok_or_else(|| SealError::NotAKey {
            place: source.to_owned(),
            wanted: NO_KEY,
        })
    }

    /// Reads `stekguard-fleet-key:` and the base64 of 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix(FLEET_KEY)?;
        let mut bytes = Zeroizing::new([0; 33]);
        let found = Base64::decode(text, &mut *bytes).ok()?;
        let mut out: Box<Zeroizing<[u8; 32]>> = Box::default();
        if found.len() != out.len() {
            return None;
        }
        out.copy_from_slice(found);
        Some(Self(out))
    }

    /// The key as its file has it.
    pub fn text(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new([0; 44]);
        // Of a length that fits.
        let line = Base64::encode(&**self.0, &mut *line).unwrap_or_default();
        let mut text = Zeroizing::new(String::with_capacity(FLEET_KEY.len() + line.len() + 1));
        for part in [FLEET_KEY, line, "\n"] {
            text.push_str(part);
        }
        text
    }

    #[inline(never)]
    fn cipher(&self) -> Box<XChaCha20Poly1305> {
        Box::new(XChaCha20Poly1305::new((&**self.0).into()))
    }
}

/// Seals a seed for everybody who has the fleet's key.
///
/// # Errors
/// [`SealError`].
pub fn seal_for_fleet(
    seed: &Seed,
    key: &FleetKey,
    header: &Header,
    signer: &Signer,
) -> Result<Vec<u8>, SealError> {
    if seed.id() != header.seed {
        return Err(SealError::Seed);
    }
    let mut body = Vec::new();
    header.put(&mut body);
    let draft = Draft::new(Kind::ForFleet, &body, signer);
    let mut sealed = [0; Kind::ForFleet.sealed()];
    let (nonce, rest) = sealed.split_at_mut(NONCE);
    // 24 random bytes never meet twice, and need no count that a crash could lose.
    fill(nonce).map_err(KeysError::Random)?;
    let (text, tag) = rest.split_at_mut(SEED);
    text.copy_from_slice(seed.bytes());
    let done = encrypt(key, nonce, draft.clear(), text);
    scrub_stack();
    tag.copy_from_slice(&done.ok_or(SealError::Cipher)?);
    draft.sign(&sealed, signer)
}

#[inline(never)]
fn encrypt(key: &FleetKey, nonce: &[u8], clear: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
    let nonce = XNonce::try_from(nonce).ok()?;
    let cipher = key.cipher();
    let tag = cipher.encrypt_inout_detached(&nonce, clear, text.into());
    tag.ok().map(Into::into)
}

/// Opens a seed that was sealed for the fleet, if it is of this fleet and slot, and signed by
/// somebody pinned.
///
/// # Errors
/// [`Refused`].
pub fn open_for_fleet(
    bytes: &[u8],
    fleet: &FleetName,
    slot: Slot,
    pinned: &Pinned,
    key: &FleetKey,
) -> Result<(Header, Seed), Refused> {
    let envelope = Envelope::open(bytes, pinned)?;
    if envelope.kind != Kind::ForFleet {
        return Err(Refused::Kind);
    }
    let header = whole(envelope.body, Header::take)?;
    header.check(fleet, slot)?;
    let seed = decrypt(key, envelope.sealed, envelope.clear);
    scrub_stack();
    named(header, seed.ok_or(Refused::Sealed)?)
}

#[inline(never)]
fn decrypt(key: &FleetKey, sealed: &[u8], clear: &[u8]) -> Option<Seed> {
    let mut reader = Reader::new(sealed);
    let nonce = XNonce::from(reader.array::<NONCE>()?);
    let mut seed = Seed::blank();
    seed.bytes_mut().copy_from_slice(reader.take(SEED)?);
    let tag = Tag::from(reader.array::<TAG>()?);
    let cipher = key.cipher();
    let text = seed.bytes_mut().as_mut_slice();
    let opened = cipher.decrypt_inout_detached(&nonce, clear, text.into(), &tag);
    opened.ok().map(|()| seed)
}

/// Seals a seed for one host, under its key of the day.
///
/// # Errors
/// [`SealError`].
pub fn seal_for_host(
    seed: &Seed,
    host: &HostKey,
    header: &Header,
    signer: &Signer,
) -> Result<Vec<u8>, SealError> {
    if seed.id() != header.seed {
        return Err(SealError::Seed);
    }
    if host.fleet != header.fleet {
        return Err(SealError::Fleet {
            host: host.host.to_string(),
            fleet: host.fleet.to_string(),
        });
    }
    let mut body = Vec::new();
    header.put(&mut body);
    super::codec::put_text(&mut body, host.host.as_str());
    body.extend_from_slice(&host.public.id());
    let draft = Draft::new(Kind::ForHost, &body, signer);
    let sealed = host.public.seal(seed, draft.clear());
    scrub_stack();
    let sealed = sealed?.ok_or_else(|| SealError::Recipient(host.host.to_string()))?;
    draft.sign(&sealed, signer)
}

/// Opens a seed that was sealed for this host, if it is of this fleet and slot, and signed by
/// somebody pinned. `keys` are those of today and yesterday.
///
/// # Errors
/// [`Refused`].
pub fn open_for_host(
    bytes: &[u8],
    fleet: &FleetName,
    slot: Slot,
    host: &HostName,
    pinned: &Pinned,
    keys: &[Recipient],
) -> Result<(Header, Seed), Refused> {
    let envelope = Envelope::open(bytes, pinned)?;
    if envelope.kind != Kind::ForHost {
        return Err(Refused::Kind);
    }
    let (header, found, recipient) = whole(envelope.body, addressed)?;
    header.check(fleet, slot)?;
    if found != *host {
        return Err(Refused::Host);
    }
    let mut keys = keys.iter();
    let key = keys.find(|key| key.public().id() == recipient);
    let key = key.ok_or(Refused::Recipient)?;
    let seed = key.open(envelope.sealed, envelope.clear);
    scrub_stack();
    named(header, seed.ok_or(Refused::Sealed)?)
}

fn addressed(reader: &mut Reader<'_>) -> Option<(Header, HostName, [u8; 8])> {
    Some((Header::take(reader)?, host(reader)?, reader.array()?))
}

fn named(header: Header, seed: Seed) -> Result<(Header, Seed), Refused> {
    if seed.id() != header.seed {
        return Err(Refused::Seed);
    }
    Ok((header, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_cipher_gives_the_vector_of_its_draft() {
        let mut key = FleetKey(Box::default());
        key.0.copy_from_slice(&(0x80..=0x9f).collect::<Vec<u8>>());
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let clear = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let mut text = b"Ladies and Gentlemen of the class of '99: If I could offer you only \
            one tip for the future, sunscreen would be it."
            .to_vec();
        let tag = encrypt(&key, &nonce, &clear, &mut text).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(&tag), "c0875924c1c7987947deafd8780acf49");
        assert_eq!(
            hex(&text),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e"
        );
    }

    #[test]
    fn fleet_keys_are_read_as_they_are_written_and_in_no_other_form() {
        let key = FleetKey::random().unwrap();
        let text = key.text();
        assert!(**FleetKey::parse(&text).unwrap().0 == **key.0);
        let line = text.trim_end();
        assert_eq!(line.len(), FLEET_KEY.len() + 44);
        for wrong in [
            "",
            FLEET_KEY,
            &line[FLEET_KEY.len()..],
            &line[..line.len() - 1],
            &format!("{line}AAAA"),
            &format!("{FLEET_KEY}AAAA"),
        ] {
            assert!(FleetKey::parse(wrong).is_none(), "{}", wrong.len());
        }
    }
}
