//! Reads what a client may know of a session out of OpenSSL's own encoding of it
//! (`SSL_SESSION_ASN1` in ssl/ssl_asn1.c): the ticket and its lifetime hint, which the openssl
//! crate does not expose.

/// A session as the server handed it out.
#[derive(Debug, Clone)]
pub struct Issued {
    /// OpenSSL's encoding, from which every attempt to resume starts afresh: OpenSSL marks a
    /// session object of TLS 1.3 as spent after one use.
    pub der: Vec<u8>,
    /// The session id; with a ticket in TLS 1.2 the client invents it.
    pub id: Vec<u8>,
    /// The ticket; empty where the server sent none.
    pub ticket: Vec<u8>,
    /// The ticket's lifetime hint in seconds; 0 where the encoding leaves it out.
    pub hint: u64,
}

const OCTET_STRING: u8 = 0x04;
const LIFETIME_HINT: u8 = 0xa9;
const TICKET: u8 = 0xaa;

impl Issued {
    /// `None` where the encoding is not what OpenSSL 1.1.1 and 3 write.
    pub fn from_der(der: Vec<u8>) -> Option<Self> {
        let (_, mut fields, _) = element(&der)?;
        let mut octets = Vec::new();
        let mut ticket = Vec::new();
        let mut hint = 0;
        while !fields.is_empty() {
            let (tag, body, rest) = element(fields)?;
            fields = rest;
            match tag {
                OCTET_STRING => octets.push(body.to_vec()),
                LIFETIME_HINT => hint = number(element(body)?.1),
                TICKET => ticket = element(body)?.1.to_vec(),
                _ => {}
            }
        }
        // Cipher, session id, master key stand in this order, untagged.
        let id = octets.get(1)?.clone();
        Some(Self {
            der,
            id,
            ticket,
            hint,
        })
    }
}

/// Tag, body and what follows of the first element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (usize::try_from(number(digits)).ok()?, rest)
        }
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, &byte| (sum << 8) | u64::from(byte))
}
