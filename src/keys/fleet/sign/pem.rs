//! An Ed25519 private key as PEM (PKCS#8, RFC 8410). Of that form there is one encoding, a fixed
//! row of bytes in front of the key, so this needs no reader of ASN.1, and every buffer that the
//! key goes through is ours and wiped. Files that carry the public key too are refused.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// SEQUENCE { version 0, SEQUENCE { 1.3.101.112 }, OCTET STRING { OCTET STRING { 32 bytes } } }.
const FRONT: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const DER: usize = FRONT.len() + 32;

/// The 32 bytes, on the heap.
type Bytes = Box<Zeroizing<[u8; 32]>>;

/// Reads PEM; `None` for every other form.
pub(super) fn parse(text: &str) -> Option<Bytes> {
    let inner = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let mut der = Zeroizing::new([0; DER]);
    let found = Base64::decode(inner.trim(), &mut *der).ok()?;
    let secret = found.strip_prefix(&FRONT)?;
    copy(secret)
}

/// Reads the base64 of 32 bytes.
pub(super) fn secret(text: &str) -> Option<Bytes> {
    let mut bytes = Zeroizing::new([0; 33]);
    copy(Base64::decode(text.trim(), &mut *bytes).ok()?)
}

fn copy(bytes: &[u8]) -> Option<Bytes> {
    let mut out: Bytes = Box::default();
    if bytes.len() != out.len() {
        return None;
    }
    out.copy_from_slice(bytes);
    Some(out)
}

/// Writes PEM.
pub(super) fn print(secret: &[u8; 32]) -> Zeroizing<String> {
    let mut der = Zeroizing::new([0; DER]);
    der[..FRONT.len()].copy_from_slice(&FRONT);
    der[FRONT.len()..].copy_from_slice(secret);
    let mut line = Zeroizing::new([0; DER / 3 * 4]);
    // Of a length that fits.
    let line = Base64::encode(&*der, &mut *line).unwrap_or_default();
    // Of the final length at once: growing would leave a copy behind.
    let mut text = String::with_capacity(BEGIN.len() + line.len() + END.len() + 3);
    for part in [BEGIN, "\n", line, "\n", END, "\n"] {
        text.push_str(part);
    }
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.3.
    const RFC: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn the_key_of_rfc_8410_is_read_and_written() {
        let secret = parse(RFC).unwrap();
        assert_eq!((secret[0], secret[31]), (0xd4, 0x42));
        assert_eq!(print(&secret).as_str(), RFC);
        assert!(parse(&RFC.replace('\n', "\r\n")).is_some());
    }

    #[test]
    fn no_other_form_is_read() {
        let (first, last) = ("MC4CAQAwBQYDK2VwBCIE", "dVhC");
        for (from, to) in [
            (first, "MC4CAQAwBQYDK2VuBCIE"),
            (last, "dVhCAAAA"),
            (last, ""),
            (last, "dVh="),
            ("PRIVATE", "ENCRYPTED PRIVATE"),
            ("BEGIN", "BEGIN BEGIN"),
            (BEGIN, ""),
            (END, ""),
        ] {
            assert!(parse(&RFC.replace(from, to)).is_none(), "{to}");
        }
        for text in [
            "",
            BEGIN,
            "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
