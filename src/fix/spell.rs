//! What both servers' spellings share: words with spaces between them, and a value in quotes.
//!
//! Which values take quotes, and which cannot be spelled at all, is each server's own.

/// Spells a value, in this quote where there is one; `None` where the server could not read it
/// back.
pub(super) type Spell = fn(&[u8], Option<u8>) -> Option<Vec<u8>>;

/// Words with a space between them; `None` where one of them cannot be spelled.
pub(super) fn words(words: &[String], spell: Spell) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend(spell(word.as_bytes(), None)?);
    }
    Some(line)
}

/// A value as it is, or within quotes: this one, or `"` where it needs any. The quote itself and
/// every backslash get a backslash, which both servers take away again.
pub(super) fn quoted(value: &[u8], quote: Option<u8>, needs_quotes: fn(&[u8]) -> bool) -> Vec<u8> {
    let quote = quote.or_else(|| needs_quotes(value).then_some(b'"'));
    let Some(quote) = quote else {
        return value.to_vec();
    };
    let mut spelled = vec![quote];
    for byte in value {
        if *byte == quote || *byte == b'\\' {
            spelled.push(b'\\');
        }
        spelled.push(*byte);
    }
    spelled.push(quote);
    spelled
}
