//! What the bytes of a named file say: how random a key looks, and which certificate comes first.
//!
//! A key's bytes go in and a class of them comes out; nothing here keeps or shows one.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

use super::Entropy;
use crate::catalog::Server;

/// Where the name of an nginx key begins and its secret parts follow; httpd's is the same.
const KEY_NAME: usize = 16;

/// What a server reads of a key's file at most: nginx takes files of 48 or 80 bytes
/// (`ngx_ssl_session_ticket_keys`), httpd the first 48 of any (`ssl_init_ticket_key`).
const fn longest_key(server: Server) -> usize {
    match server {
        Server::Nginx => 80,
        Server::Apache => 48,
    }
}

/// A class of the secret parts, which follow the key's name, of what a server reads.
pub(super) fn entropy(server: Server, bytes: &[u8]) -> Entropy {
    let bytes = &bytes[..bytes.len().min(longest_key(server))];
    let secret = match bytes.get(KEY_NAME..) {
        Some(secret) if !secret.is_empty() => secret,
        _ => bytes,
    };
    if secret.iter().all(|byte| *byte == 0) {
        return Entropy::Zero;
    }
    // Which bytes there are would be half of a key: they are counted and not collected.
    let other = |(at, byte)| !secret.iter().take(at).any(|before| before == byte);
    let distinct = secret.iter().enumerate().filter(|it| other(*it));
    // Of 32 random bytes fewer than 16 different ones come up in less than one of 10^12.
    let enough = (secret.len() / 2).min(16);
    let few = distinct.take(enough).count() < enough;
    let step = |pair: &[u8]| match pair {
        [left, right] => right.wrapping_sub(*left),
        _ => 0,
    };
    let mut steps = secret.windows(2).map(step);
    let counted = steps
        .next()
        .is_some_and(|first| steps.all(|step| step == first));
    let repeated = (1..=secret.len() / 2).any(|period| {
        secret
            .iter()
            .zip(secret.iter().skip(period))
            .all(|(a, b)| a == b)
    });
    if few || counted || repeated {
        return Entropy::Low;
    }
    if secret
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
    {
        return Entropy::Text;
    }
    Entropy::Fine
}

/// The first certificate of a PEM file, whatever stands around it and however it is wrapped.
pub(super) fn first_certificate(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once("CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    // Of a damaged file this may be its private key: room for all of it at once, and wiped.
    let mut bare = Zeroizing::new(String::with_capacity(body.len()));
    bare.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let body = bare;
    (!body.is_empty()).then(|| digest(body.as_bytes()))
}

/// Tells files apart that nobody forged.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_classed_by_their_secret_parts() {
        let name = *b"a name in front!";
        let entropy = |bytes: &[u8]| super::entropy(Server::Nginx, bytes);
        let key = |secret: &[u8]| [&name[..], secret].concat();
        let scattered: Vec<u8> = (0..64_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert_eq!(entropy(&key(&[0; 32])), Entropy::Zero);
        assert_eq!(entropy(&[0; 48]), Entropy::Zero);
        assert_eq!(entropy(&[]), Entropy::Zero);
        assert_eq!(entropy(&key(&[7; 32])), Entropy::Low);
        assert_eq!(entropy(&key(&b"secret!!".repeat(4))), Entropy::Low);
        assert_eq!(entropy(&key(&(1..33).collect::<Vec<u8>>())), Entropy::Low);
        let text = b"Correct horse, battery staple! 17";
        assert_eq!(entropy(&key(text)), Entropy::Text);
        assert_eq!(entropy(&key(&scattered)), Entropy::Fine);
        assert_eq!(entropy(&key(&scattered[..32])), Entropy::Fine);
        // Of a large file, all periods of which would be tried, only what a server reads counts.
        let mut large = key(&vec![b'a'; 16 << 20]);
        large.extend(b"b");
        assert_eq!(entropy(&large), Entropy::Low);
        let behind = key(&[&[0; 32][..], &scattered].concat());
        assert_eq!(super::entropy(Server::Apache, &behind), Entropy::Zero);
        assert_eq!(entropy(&behind), Entropy::Fine);
    }

    #[test]
    fn a_certificate_is_the_same_in_a_chain_and_alone() {
        let alone = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        let chain = format!(
            "subject=x\r\n{}{}",
            alone.replace('\n', "\r\n"),
            alone.replace('A', "C")
        );
        let other = alone.replace('B', "C");
        let of = |text: &str| first_certificate(text.as_bytes());
        assert!(of(alone).is_some());
        assert_eq!(of(alone), of(&chain));
        assert_ne!(of(alone), of(&other));
        assert_eq!(of("no certificate"), None);
    }
}
