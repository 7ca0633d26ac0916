//! One record of the client's own making, under the keys of its own connection: an alert that
//! OpenSSL would not send. AES-GCM only. RFC 5246 6.3 and RFC 5288 for TLS 1.2, RFC 8446 5.2
//! and 7.3 for TLS 1.3.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use openssl::symm::{Cipher, encrypt_aead};
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::super::Protocol;

const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
const TAG: usize = 16;
const NONCE: usize = 12;

/// What the keys of a connection are made from.
pub(super) struct Material {
    pub protocol: Protocol,
    /// The suite's hash is SHA-384 and its key AES-256; else SHA-256 and AES-128.
    pub wide: bool,
    /// TLS 1.2: the master secret. TLS 1.3: the client's application traffic secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// TLS 1.2: server random, then client random.
    pub randoms: Vec<u8>,
}

/// The alert as the client's record number `sequence` under these keys, header included.
pub(super) fn alert(
    material: &Material,
    sequence: u64,
    level: u8,
    description: u8,
) -> Option<Vec<u8>> {
    let size = if material.wide { 32 } else { 16 };
    let cipher = if material.wide {
        Cipher::aes_256_gcm()
    } else {
        Cipher::aes_128_gcm()
    };
    let body = [level, description];
    match material.protocol {
        Protocol::Tls12 => {
            // Two keys, then two implicit parts of nonces; the client's come first.
            let block = prf(material, 2 * size + 8)?;
            let (key, salt) = (&block[..size], &block[2 * size..2 * size + 4]);
            let explicit = sequence.to_be_bytes();
            let nonce = [salt, &explicit].concat();
            let about = [&explicit[..], &[ALERT, 3, 3, 0, 2]].concat();
            let (sealed, tag) = seal(cipher, key, &nonce, &about, &body)?;
            let length = explicit.len() + sealed.len() + TAG;
            let header = [ALERT, 3, 3, 0, u8::try_from(length).ok()?];
            Some([&header[..], &explicit, &sealed, &tag].concat())
        }
        Protocol::Tls13 => {
            let key = expanded(material, "key", size)?;
            let mut nonce = expanded(material, "iv", NONCE)?;
            for (byte, digit) in nonce[NONCE - 8..].iter_mut().zip(sequence.to_be_bytes()) {
                *byte ^= digit;
            }
            let inner = [level, description, ALERT];
            let length = u8::try_from(inner.len() + TAG).ok()?;
            let header = [APPLICATION_DATA, 3, 3, 0, length];
            let (sealed, tag) = seal(cipher, &key, &nonce, &header, &inner)?;
            Some([&header[..], &sealed, &tag].concat())
        }
    }
}

fn seal(
    cipher: Cipher,
    key: &[u8],
    nonce: &[u8],
    about: &[u8],
    body: &[u8],
) -> Option<(Vec<u8>, [u8; TAG])> {
    let mut tag = [0; TAG];
    let sealed = encrypt_aead(cipher, key, Some(nonce), about, body, &mut tag).ok()?;
    Some((sealed, tag))
}

/// RFC 5246 5: P_hash over "key expansion".
fn prf(material: &Material, length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let seed = [&b"key expansion"[..], &material.randoms].concat();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 64));
    let mut link = seed.clone();
    while out.len() < length {
        link = mac(material, &[&link])?;
        let part = Zeroizing::new(mac(material, &[&link, &seed])?);
        out.extend_from_slice(&part);
    }
    out.truncate(length);
    Some(out)
}

/// RFC 8446 7.1: HKDF-Expand-Label with an empty context; one block is enough.
fn expanded(material: &Material, label: &str, length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let label = format!("tls13 {label}");
    let info = [
        &[
            0,
            u8::try_from(length).ok()?,
            u8::try_from(label.len()).ok()?,
        ],
        label.as_bytes(),
        &[0],
    ]
    .concat();
    let mut block = Zeroizing::new(mac(material, &[&info, &[1]])?);
    block.truncate(length);
    Some(block)
}

fn mac(material: &Material, parts: &[&[u8]]) -> Option<Vec<u8>> {
    if material.wide {
        hashed::<Sha384>(&material.secret, parts)
    } else {
        hashed::<Sha256>(&material.secret, parts)
    }
}

fn hashed<D: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>>
where
    Hmac<D>: KeyInit + Mac,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}
