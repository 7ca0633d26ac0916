//! The 32 bytes that the key files of a slot come from, on every host the same. Kept in a buffer
//! that is wiped; nothing here can print or copy them.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::KeysError;
use super::super::core::{KeyId, Slot};
use super::super::secret::{Secret, fill, hkdf, scrub_stack};
use super::sign::first_eight;
use crate::tls::Layout;

/// A slot's secret, from which hosts derive their key files.
pub struct Seed(Box<Zeroizing<[u8; 32]>>);

impl Seed {
    /// A new one out of the system's random bytes.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    pub fn random() -> Result<Self, KeysError> {
        let mut seed = Self::blank();
        fill(seed.bytes_mut()).map_err(KeysError::Random)?;
        Ok(seed)
    }

    /// What tells seeds apart, and does not help to find one.
    pub fn id(&self) -> KeyId {
        let id = id(&self.0);
        scrub_stack();
        id
    }

    /// The key file of a host: HKDF-SHA256 over the seed, with its layout, the host's scope and
    /// the slot.
    // The agent's, which comes next.
    #[allow(dead_code)]
    pub(in crate::keys) fn secret(
        &self,
        layout: Layout,
        scope: &str,
        slot: Slot,
    ) -> Result<Secret, KeysError> {
        let bytes = hkdf(b"", &**self.0, &info(layout, scope, slot), layout.bytes());
        scrub_stack();
        Secret::of(layout, bytes).ok_or_else(Secret::none)
    }

    pub(super) fn blank() -> Self {
        Self(Box::default())
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

#[inline(never)]
fn id(seed: &[u8; 32]) -> KeyId {
    let mut digest = Sha256::new();
    digest.update(b"stekguard seed 1");
    digest.update(seed);
    let digest = Zeroizing::new(<[u8; 32]>::from(digest.finalize()));
    KeyId(first_eight(&digest))
}

/// Every part has a length of its own or says it: no two meanings give the same bytes.
fn info(layout: Layout, scope: &str, slot: Slot) -> Vec<u8> {
    let layout: &[u8] = match layout {
        Layout::Nginx80 => b"nginx80",
        Layout::Nginx48 => b"nginx48",
        Layout::Apache48 => b"apache48",
    };
    let mut out = b"stekguard ticket key 1".to_vec();
    for part in [layout, scope.as_bytes()] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&slot.generation.to_be_bytes());
    out.extend_from_slice(&slot.epoch.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_a_scope_and_layout_derive_the_same_file_and_others_another() {
        let (one, mut two) = (Seed::random().unwrap(), Seed::blank());
        two.bytes_mut().copy_from_slice(one.bytes());
        assert_eq!(one.id(), two.id());
        let slot = |generation, epoch| Slot { generation, epoch };
        let secret = |seed: &Seed, layout, scope, slot| seed.secret(layout, scope, slot).unwrap();
        for layout in Layout::ALL {
            let key = secret(&one, layout, "default", slot(1, 5));
            let same = secret(&two, layout, "default", slot(1, 5));
            assert!(*key.bytes == *same.bytes && key.bytes.len() == layout.bytes());
            let others = [
                secret(&one, layout, "default", slot(2, 5)),
                secret(&one, layout, "default", slot(1, 6)),
                secret(&one, layout, "defaul", slot(1, 5)),
                secret(&Seed::random().unwrap(), layout, "default", slot(1, 5)),
            ];
            assert!(others.iter().all(|other| other.id != key.id));
        }
        // The two layouts of 48 bytes share no byte either.
        let nginx = secret(&one, Layout::Nginx48, "default", slot(1, 5));
        let apache = secret(&one, Layout::Apache48, "default", slot(1, 5));
        assert!(nginx.bytes[..16] != apache.bytes[..16]);
    }
    /// Written by another program; see testdata/fleet/.
    #[test]
    fn key_files_are_those_that_the_page_says() {
        let vectors = include_str!("../../../testdata/fleet/vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let bytes = |value: &serde_json::Value| -> Vec<u8> {
            let hex = value.as_str().unwrap().as_bytes();
            let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16);
            hex.chunks(2).map(|pair| byte(pair).unwrap()).collect()
        };
        let mut seed = Seed::blank();
        let wanted = &vectors["seed"];
        seed.bytes_mut().copy_from_slice(&bytes(&wanted["bytes"]));
        assert_eq!(seed.id().to_string(), wanted["id"].as_str().unwrap());
        let slot = Slot {
            generation: u32::try_from(vectors["generation"].as_u64().unwrap()).unwrap(),
            epoch: vectors["epoch"].as_u64().unwrap(),
        };
        let files = vectors["key_files"].as_array().unwrap();
        assert_eq!(files.len(), 6);
        for file in files {
            let layout = match file["layout"].as_str().unwrap() {
                "nginx80" => Layout::Nginx80,
                "nginx48" => Layout::Nginx48,
                _ => Layout::Apache48,
            };
            let scope = file["scope"].as_str().unwrap();
            let secret = seed.secret(layout, scope, slot).unwrap();
            assert!(*secret.bytes == bytes(&file["file"]), "{layout:?} {scope}");
        }
    }
}
