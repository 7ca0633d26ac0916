//! Bytes of a configuration as text that is safe on a terminal.
//!
//! Control bytes, bytes that are no UTF-8 and characters that reorder or hide text are
//! shown as escapes; everything else stays.

use std::fmt::Write as _;
use std::path::Path;

use crate::text::deceives;

/// Characters of a name or value that are shown in a table or a list.
const LONGEST: usize = 120;

/// Text for one line: line ends become escapes too.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_text(&mut out, text);
    out
}

/// Text of several lines: the same, but line ends stay.
pub fn lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// A JSON document that says the same and is safe to be shown: characters of its strings that a
/// terminal acts on, or that hide or reorder others, are written as JSON's own escapes.
pub fn json(text: String) -> String {
    let odd = |character: char| character.is_control() && character != '\n' || deceives(character);
    let Some(first) = text.find(odd) else {
        return text;
    };
    let mut out = String::with_capacity(text.len() + 64);
    out.push_str(&text[..first]);
    let mut units = [0; 2];
    for character in text[first..].chars() {
        if !odd(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// Text for one line that stands beside others: a very long one is cut.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line(&text[..end])),
        None => line(text),
    }
}

/// A path for people.
pub fn path(path: &Path) -> String {
    bytes(path.as_os_str().as_encoded_bytes())
}

/// Bytes for one line.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_text(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            push_byte(&mut out, *byte);
        }
    }
    out
}

/// Appends text for one line.
fn push_text(out: &mut String, text: &str) {
    // Nearly all of it is printable ASCII, which needs no look at single characters.
    let plain = text.bytes().take_while(|byte| matches!(byte, b' '..=b'~'));
    let (plain, rest) = text.split_at(plain.count());
    out.push_str(plain);
    for character in rest.chars() {
        push_char(out, character);
    }
}

/// Appends a byte that is no text.
fn push_byte(out: &mut String, byte: u8) {
    // Writing to a String does not fail.
    let _ = write!(out, "\\x{byte:02x}");
}

/// Appends a character or its escape. TAB stays: snippets expand it.
fn push_char(out: &mut String, character: char) {
    match character {
        '\t' => out.push('\t'),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        _ if character.is_ascii_control() => push_byte(out, character as u8),
        _ if character.is_control() || deceives(character) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        }
        _ => out.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_the_same() {
        let odd = "a\u{7f}\u{9b}\u{202e}\u{e0041}é\u{1f600}\"\\\n";
        let text = serde_json::to_string(odd).unwrap();
        let safe = json(text);
        assert_eq!(safe, r#""a\u007f\u009b\u202e\udb40\udc41é😀\"\\\n""#);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), odd);
        assert_eq!(json("[\n\"é\"\n]\n".to_owned()), "[\n\"é\"\n]\n");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(short(&"é".repeat(120)), "é".repeat(120));
        assert_eq!(short(&"é".repeat(121)), format!("{}…", "é".repeat(120)));
    }

    #[test]
    fn nothing_reaches_the_terminal_that_moves_the_cursor() {
        assert_eq!(
            bytes(b"caf\xe9 \x1b[31m\r\n\0\x7f"),
            "caf\\xe9 \\x1b[31m\\r\\n\\x00\\x7f"
        );
        assert_eq!(line("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
        assert_eq!(line("größe\t东"), "größe\t东");
    }
}
