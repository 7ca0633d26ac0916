//! nginx's sentences about a token that it cannot take.
//!
//! Looks at one token and the byte behind it; must not change how the file is read on.

use crate::syntax::TokenKind;
use crate::syntax::nginx::lexer::is_space;
use crate::syntax::nginx::limits::exhausted;
use crate::text::Span;

/// What is wrong with the byte at `offset` directly behind a closing quote, where only white
/// space, `;`, `{` and `)` are read on.
pub(super) fn behind_quote(text: &[u8], offset: u32) -> Option<String> {
    let byte = text.get(offset as usize).copied()?;
    if is_space(byte) || matches!(byte, b';' | b'{' | b')') {
        return None;
    }
    Some(format!("unexpected \"{}\"", printable(&[byte])))
}

/// What is wrong with a token that does not fit the server's buffer.
pub(super) fn too_long(text: &[u8], kind: TokenKind, span: Span) -> Option<String> {
    let in_quotes = matches!(kind, TokenKind::Quoted | TokenKind::Invalid);
    let start = span.start as usize + usize::from(in_quotes);
    let end = span.end as usize;
    let spaced = text.get(end).copied().is_some_and(is_space);
    let last = match kind {
        TokenKind::Comment | TokenKind::Invalid => end,
        TokenKind::Word | TokenKind::Quoted => end + usize::from(spaced),
        _ => return None,
    };
    let full = exhausted(start, last, text.len())?;
    // The closing quote is a quoted word's last byte: once that is read, the server has
    // forgotten that the word was quoted.
    let inside = in_quotes && (kind == TokenKind::Invalid || full < end);
    if inside {
        let quote = text
            .get(span.start as usize)
            .copied()
            .map_or('"', char::from);
        return Some(format!(
            "too long parameter, probably missing terminating \"{quote}\" character"
        ));
    }
    let head = text.get(start..start + 10).unwrap_or_default();
    Some(format!(
        "too long parameter \"{}...\" started",
        printable(head)
    ))
}

/// Bytes for a sentence: printable ASCII as it is, the rest as `\xNN`, so that no file can
/// steer a terminal.
fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}
