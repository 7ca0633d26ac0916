//! Follows the records of a TLS stream as bytes pass by. Decrypts nothing, keeps no bytes.

const HEADER: usize = 5;

/// A record as its header says it.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) struct Record {
    /// RFC 8446 5.1: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application_data.
    pub kind: u8,
    /// Bytes after the header.
    pub length: usize,
}

/// Where in a stream of records the next byte stands.
#[derive(Clone, Default, Debug)]
pub(super) struct Framing {
    header: [u8; HEADER],
    have: usize,
    left: usize,
}

impl Framing {
    /// Passes bytes of one direction; gives each record that ends in them, with the position
    /// of its last byte.
    pub(super) fn pass(&mut self, bytes: &[u8], mut ended: impl FnMut(Record, usize)) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.have < HEADER {
                self.header[self.have] = *byte;
                self.have += 1;
                if self.have == HEADER {
                    self.left = self.record().length;
                }
            } else {
                self.left = self.left.saturating_sub(1);
            }
            if self.have == HEADER && self.left == 0 {
                ended(self.record(), at);
                self.have = 0;
            }
        }
    }

    fn record(&self) -> Record {
        let [kind, _, _, high, low] = self.header;
        Record {
            kind,
            length: usize::from(u16::from_be_bytes([high, low])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_seen_however_the_bytes_arrive() {
        let stream = [
            &[22, 3, 1, 0, 2, 9, 9][..],
            &[20, 3, 3, 0, 1, 1],
            &[23, 3, 3, 0, 0],
        ]
        .concat();
        for size in 1..=stream.len() {
            let mut framing = Framing::default();
            let mut seen = Vec::new();
            for (index, chunk) in stream.chunks(size).enumerate() {
                framing.pass(chunk, |record, at| {
                    seen.push((record.kind, record.length, index * size + at));
                });
            }
            assert_eq!(seen, [(22, 2, 6), (20, 1, 12), (23, 0, 17)], "{size}");
        }
    }
}
