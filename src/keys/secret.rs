//! The bytes of keys: made, derived and told apart. They live in buffers that are wiped, and
//! the stack that worked on them is overwritten; nothing here can print them.

use std::hint::black_box;
use std::io;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::KeysError;
use super::core::KeyId;
use crate::tls::{Layout, TicketKey};

/// More than anything that works on keys here uses: digests of a few hundred bytes.
const STACK: usize = 32 * 1024;

/// A key as it lies in its file, with its id. Wiped when dropped.
pub(super) struct Secret {
    pub(super) id: KeyId,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// A new key out of the system's random bytes.
    pub(super) fn random(layout: Layout) -> Result<Self, KeysError> {
        let mut bytes = Zeroizing::new(vec![0; layout.bytes()]);
        fill(&mut bytes).map_err(KeysError::Random)?;
        Self::of(layout, bytes).ok_or_else(Self::none)
    }

    /// The key that follows from this one for a slot: HKDF-SHA256 (RFC 5869) over the file's
    /// bytes. Hosts that share a key derive the same one; the way back is closed.
    pub(super) fn next(&self, layout: Layout, epoch: u64) -> Result<Self, KeysError> {
        let bytes = derive(&self.bytes, epoch, layout.bytes());
        black_box(derive(decoy(layout), epoch, layout.bytes()));
        scrub_stack();
        Self::of(layout, bytes).ok_or_else(Self::none)
    }

    /// `None` where the bytes are no key of this layout.
    pub(super) fn of(layout: Layout, bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let found = id(layout, &bytes);
        black_box(id(layout, decoy(layout)));
        scrub_stack();
        Some(Self { id: found?, bytes })
    }

    /// What is said where bytes are no key of a layout.
    pub(super) fn none() -> KeysError {
        KeysError::Random(io::ErrorKind::UnexpectedEof.into())
    }

    /// The key as the TLS room takes it, on the heap.
    pub(super) fn key(&self, layout: Layout) -> Option<Box<TicketKey>> {
        let key = boxed(layout, &self.bytes);
        black_box(boxed(layout, decoy(layout)));
        scrub_stack();
        key
    }
}

/// Bytes of no key. The work on a key is done once more with these: what it left in registers
/// and on the stack, by whatever instructions the digests and copies are made of, is then theirs.
fn decoy(layout: Layout) -> &'static [u8] {
    const BYTES: &[u8; 80] = &[0x5a; 80];
    &BYTES[..layout.bytes().min(BYTES.len())]
}

/// Keys that are none, one of each width, for work on a key that is done elsewhere.
#[cfg(feature = "tls")]
pub(super) fn decoys() -> impl Iterator<Item = Box<TicketKey>> {
    let layouts = [Layout::Nginx48, Layout::Nginx80];
    layouts
        .into_iter()
        .filter_map(|layout| boxed(layout, decoy(layout)))
}

#[inline(never)]
fn boxed(layout: Layout, bytes: &[u8]) -> Option<Box<TicketKey>> {
    TicketKey::from_file_bytes(layout, bytes).ok().map(Box::new)
}

#[inline(never)]
fn id(layout: Layout, bytes: &[u8]) -> Option<KeyId> {
    let key = boxed(layout, bytes)?;
    KeyId::parse(&key.id())
}

#[inline(never)]
fn derive(key: &[u8], epoch: u64, length: usize) -> Zeroizing<Vec<u8>> {
    let mut info = b"stekguard ticket key ratchet 1 ".to_vec();
    info.extend_from_slice(&epoch.to_be_bytes());
    hkdf(b"", key, &info, length)
}

/// HKDF-SHA256 (RFC 5869). `length` is at most 255 digests, which no key file comes near; a
/// longer one is empty, and so no key of any layout.
#[inline(never)]
pub(super) fn hkdf(salt: &[u8], key: &[u8], info: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0; length]);
    let expanded = Hkdf::<Sha256>::new(Some(salt), key).expand(info, &mut out);
    if expanded.is_err() {
        out.clear();
    }
    out
}

#[cfg(target_os = "linux")]
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        match rustix::rand::getrandom(&mut bytes[filled..], flags) {
            Ok(got) => filled += got,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn fill(_: &mut [u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Overwrites the stack below the caller, where digests and moved values left copies, and the
/// wide registers that copying went through: a thread that starts, or a symbol that is looked
/// up, would put these into memory again.
#[inline(never)]
pub(super) fn scrub_stack() {
    let mut stack = [0xaa_u8; STACK];
    black_box(&mut stack);
    let (from, to) = stack.split_at_mut(STACK / 2);
    // The lengths in which parts of keys are copied, and one that takes many registers.
    for length in black_box([16, 32, 48, 64, 80, 256]) {
        to[..length].copy_from_slice(&from[..length]);
        black_box(&mut *to);
    }
    let moved: [u8; 128] = black_box([0x55; 128]);
    black_box(&moved);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_gives_the_vectors_of_rfc_5869() {
        // A.1 and A.3.
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let salt: Vec<u8> = (0..=0x0c).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(&hkdf(&salt, &[0x0b; 22], &info, 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        assert_eq!(
            hex(&hkdf(b"", &[0x0b; 22], b"", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    #[test]
    fn hosts_that_share_a_key_derive_the_same_ones() {
        for layout in Layout::ALL {
            let one = Secret::random(layout).unwrap();
            let two = Secret::of(layout, one.bytes.clone()).unwrap();
            assert_eq!(one.id, two.id);
            let (next, same) = (one.next(layout, 5).unwrap(), two.next(layout, 5).unwrap());
            assert!(*next.bytes == *same.bytes && next.id == same.id);
            assert!(next.id != one.id && next.id != one.next(layout, 6).unwrap().id);
        }
    }
}
