//! Bytes that nobody wrote: a text cut, spliced, repeated, filled with what readers stumble over.

use proptest::prelude::*;

/// One change. Places are taken modulo the length, so that each fits every text.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    pub what: usize,
    pub place: u32,
    pub length: u32,
    pub way: u32,
}

/// What mutations do, in the order of their numbers.
pub const KINDS: [&str; 12] = [
    "truncated",
    "cut out",
    "repeated",
    "spliced",
    "random bytes",
    "a bit flipped",
    "CRLF",
    "byte order mark",
    "NUL",
    "invalid UTF-8",
    "nested",
    "no final line end",
];

/// Bytes that mean something, alone or half.
const PIECES: [&[u8]; 30] = [
    b"\\",
    b"\\\n",
    b"\\\r\n",
    b"\"",
    b"'",
    b"{",
    b"}",
    b";",
    b"#",
    b"$",
    b"${",
    b"<",
    b">",
    b"</",
    b"<If",
    b"</If>\n",
    b"<Macro a $b>\n",
    b"</Macro>\n",
    b"Use a\n",
    b"\r",
    b"\n",
    b"\x0b",
    b"\x0c",
    b"\x1b[0m",
    b"\xff",
    b"\xc3",
    b"\xef\xbb",
    b"content_by_lua_block {",
    b"[==[",
    b"--",
];
/// Deeper than either reader goes.
const DEPTH: usize = 1500;

/// Up to so many changes.
pub fn mutations(most: usize) -> impl Strategy<Value = Vec<Mutation>> {
    let one = (0..KINDS.len(), any::<u32>(), 0..400_u32, any::<u32>());
    let one = one.prop_map(|(what, place, length, way)| Mutation {
        what,
        place,
        length,
        way,
    });
    proptest::collection::vec(one, 0..=most)
}

impl Mutation {
    /// The text so changed; `other` is what is spliced in.
    pub fn applied(&self, text: &[u8], other: &[u8]) -> Vec<u8> {
        let at = self.place as usize % (text.len() + 1);
        let end = (at + self.length as usize).min(text.len());
        let inserted = |bytes: &[u8]| [&text[..at], bytes, &text[at..]].concat();
        match KINDS[self.what] {
            "truncated" => text[..at].to_vec(),
            "cut out" => [&text[..at], &text[end..]].concat(),
            "repeated" => inserted(&text[at..end]),
            "spliced" => {
                let from = self.way as usize % (other.len() + 1);
                let to = (from + self.length as usize).min(other.len());
                inserted(&other[from..to])
            }
            "random bytes" => match self.way % 3 {
                0 => inserted(PIECES[self.length as usize % PIECES.len()]),
                1 => inserted(&self.way.to_le_bytes()),
                _ => inserted(&PIECES[self.length as usize % PIECES.len()].repeat(9)),
            },
            "a bit flipped" => {
                let mut text = text.to_vec();
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << (self.way % 8);
                }
                text
            }
            "CRLF" => {
                let crlf = |byte: &u8| match byte {
                    b'\n' => vec![b'\r', b'\n'],
                    byte => vec![*byte],
                };
                text.iter().flat_map(crlf).collect()
            }
            "byte order mark" => [b"\xef\xbb\xbf", text].concat(),
            "NUL" => inserted(&vec![0; 1 + self.way as usize % 3]),
            "invalid UTF-8" => inserted(&[0xc0, 0x80 | self.way as u8, 0xed, 0xa0, 0x80]),
            "nested" => {
                let mark: &[u8] = match self.way % 4 {
                    0 => b"a {",
                    1 => b"{",
                    2 => b"<A>\n",
                    _ => b"<IfModule !x>\n",
                };
                inserted(&mark.repeat(1 + self.length as usize * DEPTH / 400))
            }
            _ => text.trim_ascii_end().to_vec(),
        }
    }
}
