//! The form that all records share: what is in clear, what is sealed, who signed it. The
//! signature covers every byte in front of it, and nothing but the form is looked at before it
//! is verified. Knows nothing of what a record says. See docs/guides/fleet-format.md.

use super::super::core::KeyId;
use super::codec::{Reader, cut};
use super::record::Refused;
use super::sign::{Pinned, PublicKey, Signer};
use super::{Format, SealError};

/// The longest record of any version, in bytes.
pub const LONGEST: usize = 1024;

/// The newest version that is read.
pub(super) const NEWEST: u8 = 2;
const MAGIC: [u8; 4] = *b"SGKR";
const SIGNATURE: usize = 64;
/// Goes in front of what is signed, so that a signature means nothing anywhere else.
const CONTEXT: &[u8] = b"stekguard fleet record\0";

/// Extensions of which a reader that does not know them refuses the whole record.
const CRITICAL: u16 = 0x8000;
const SOFTWARE: u16 = 1;
const LONGEST_SOFTWARE: usize = 64;

/// What a record is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Kind {
    Head = 1,
    Claim = 2,
    ForFleet = 3,
    ForHost = 4,
    HostKey = 5,
    Report = 6,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Head,
        Self::Claim,
        Self::ForFleet,
        Self::ForHost,
        Self::HostKey,
        Self::Report,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Bytes of the sealed part: nonce or encapsulated key, seed, tag.
    pub(super) const fn sealed(self) -> usize {
        match self {
            Self::ForFleet => 24 + 32 + 16,
            Self::ForHost => 32 + 32 + 16,
            Self::Head | Self::Claim | Self::HostKey | Self::Report => 0,
        }
    }
}

/// What a record tells of its writer, beside what it says.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct About {
    /// The version that it is written in.
    pub version: u8,
    /// The newest version that its writer reads.
    pub reads: u8,
    /// The writer's program, where the version has a place for it.
    pub software: Option<String>,
}

/// What a record tells of its writer. Only the form is checked: call it with a record that was
/// verified.
///
/// # Errors
/// [`Refused`] where the form is not that of a record.
pub fn about(bytes: &[u8]) -> Result<About, Refused> {
    let envelope = Envelope::parse(bytes, NEWEST)?;
    Ok(About {
        version: envelope.version,
        reads: envelope.reads,
        software: extensions(envelope.extensions)?,
    })
}

/// A record, taken apart and not yet believed.
pub(super) struct Envelope<'a> {
    version: u8,
    reads: u8,
    pub(super) kind: Kind,
    signer: KeyId,
    pub(super) body: &'a [u8],
    pub(super) sealed: &'a [u8],
    /// Everything in front of the sealed part.
    pub(super) clear: &'a [u8],
    extensions: &'a [u8],
    signed: &'a [u8],
    signature: [u8; SIGNATURE],
}

impl<'a> Envelope<'a> {
    /// `newest` is the newest version that this reader knows.
    fn parse(bytes: &'a [u8], newest: u8) -> Result<Self, Refused> {
        if bytes.len() > LONGEST {
            return Err(Refused::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        let magic: [u8; 4] = reader.array().ok_or(Refused::Truncated)?;
        if magic != MAGIC {
            return Err(Refused::Malformed);
        }
        let version = reader.u8().ok_or(Refused::Truncated)?;
        if version == 0 || version > newest {
            return Err(Refused::Version);
        }
        Self::rest(bytes, version, reader)
    }

    fn rest(bytes: &'a [u8], version: u8, mut reader: Reader<'a>) -> Result<Self, Refused> {
        let cut_off = Refused::Truncated;
        let reads = reader.u8().ok_or(cut_off)?;
        let kind = reader.u8().ok_or(cut_off)?;
        let kind = Kind::of(kind).ok_or(Refused::Kind)?;
        let signer = KeyId(reader.array().ok_or(cut_off)?);
        let body = reader.u16().ok_or(cut_off)?;
        let sealed = usize::from(reader.u16().ok_or(cut_off)?);
        if reads < version || sealed != kind.sealed() {
            return Err(Refused::Malformed);
        }
        let body = reader.take(usize::from(body)).ok_or(cut_off)?;
        let clear = &bytes[..bytes.len() - reader.len()];
        let sealed = reader.take(sealed).ok_or(cut_off)?;
        let mut extensions: &[u8] = &[];
        if version >= Format::Two as u8 {
            let length = reader.u16().ok_or(cut_off)?;
            extensions = reader.take(usize::from(length)).ok_or(cut_off)?;
        }
        let signed = &bytes[..bytes.len() - reader.len()];
        let signature = reader.array().ok_or(cut_off)?;
        if !reader.is_empty() {
            return Err(Refused::TooLarge);
        }
        Ok(Self {
            version,
            reads,
            kind,
            signer,
            body,
            sealed,
            clear,
            extensions,
            signed,
            signature,
        })
    }

    /// Takes apart and verifies: nothing of the answer is somebody else's.
    pub(super) fn open(bytes: &'a [u8], signers: &Pinned) -> Result<Self, Refused> {
        Self::open_as(bytes, signers, NEWEST)
    }

    fn open_as(bytes: &'a [u8], signers: &Pinned, newest: u8) -> Result<Self, Refused> {
        let envelope = Self::parse(bytes, newest)?;
        let mut known = signers.0.iter().filter(|key| key.id() == envelope.signer);
        let message = message(envelope.signed);
        let first = known.next().ok_or(Refused::UnknownSigner)?;
        let good = |key: &PublicKey| key.verifies(&message, &envelope.signature);
        if !good(first) && !known.any(good) {
            return Err(Refused::Signature);
        }
        extensions(envelope.extensions)?;
        Ok(envelope)
    }
}

/// A record that is being written.
pub(super) struct Draft {
    bytes: Vec<u8>,
    format: Format,
    sealed: usize,
}

impl Draft {
    /// Everything in front of the sealed part: what a seal is bound to.
    pub(super) fn new(kind: Kind, body: &[u8], signer: &Signer) -> Self {
        let format = signer.format();
        let mut bytes = Vec::with_capacity(LONGEST);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[format as u8, NEWEST, kind as u8]);
        bytes.extend_from_slice(&signer.public().id().0);
        for length in [body.len(), kind.sealed()] {
            // No body of ours comes near; a longer one would be refused by every reader.
            let length = u16::try_from(length).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        bytes.extend_from_slice(body);
        Self {
            bytes,
            format,
            sealed: kind.sealed(),
        }
    }

    pub(super) fn clear(&self) -> &[u8] {
        &self.bytes
    }

    /// The record, with what is sealed behind what is in clear.
    pub(super) fn sign(mut self, sealed: &[u8], signer: &Signer) -> Result<Vec<u8>, SealError> {
        if sealed.len() != self.sealed {
            return Err(SealError::Cipher);
        }
        self.bytes.extend_from_slice(sealed);
        if self.format == Format::Two {
            self.put_extensions();
        }
        let signature = signer.sign(&message(&self.bytes))?;
        self.bytes.extend_from_slice(&signature);
        Ok(self.bytes)
    }

    fn put_extensions(&mut self) {
        let software = concat!("stekguard ", env!("CARGO_PKG_VERSION"));
        let software = cut(software, LONGEST_SOFTWARE).as_bytes();
        let length = u16::try_from(software.len()).unwrap_or(u16::MAX);
        for number in [4 + length, SOFTWARE, length] {
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
        self.bytes.extend_from_slice(software);
    }
}

fn message(signed: &[u8]) -> Vec<u8> {
    [CONTEXT, signed].concat()
}

/// Reads extensions: ascending, each once; those that are not known are passed over, unless they
/// are critical. Gives the writer's program.
fn extensions(bytes: &[u8]) -> Result<Option<String>, Refused> {
    let mut reader = Reader::new(bytes);
    let mut software = None;
    let mut before = 0;
    while !reader.is_empty() {
        let number = reader.u16().ok_or(Refused::Malformed)?;
        let length = reader.u16().ok_or(Refused::Malformed)?;
        let value = reader.take(usize::from(length));
        let value = value.ok_or(Refused::Malformed)?;
        if number <= before {
            return Err(Refused::Malformed);
        }
        before = number;
        match number {
            SOFTWARE => software = Some(program(value).ok_or(Refused::Malformed)?),
            CRITICAL.. => return Err(Refused::Version),
            _ => {}
        }
    }
    Ok(software)
}

fn program(value: &[u8]) -> Option<String> {
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let fits = value.len() <= LONGEST_SOFTWARE && value.iter().all(plain);
    String::from_utf8(value.to_vec()).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests;
