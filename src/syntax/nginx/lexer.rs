//! One nginx token from the front of the remaining bytes.
//!
//! Every token kind is told by its first byte, so this is one `match` and a scan; it must
//! not know about statements (a `}` is a `}` here, wherever it stands).

use nom::bytes::complete::{take, take_till, take_while};
use nom::{IResult, Parser};

use crate::syntax::TokenKind;

/// The lexer cannot fail: every byte begins some token. Only the end of input says no.
pub(super) type Lexed<'text> = IResult<&'text [u8], TokenKind, ()>;

/// Reads the token at the front of `input`.
///
/// A quoted word without its closing quote is [`TokenKind::Invalid`] and reaches to the end:
/// the server never gets to store it.
pub(super) fn token(input: &[u8]) -> Lexed<'_> {
    match input.first() {
        None => Err(nom::Err::Error(())),
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            take_while(is_space).map(|_| TokenKind::Space).parse(input)
        }
        Some(b';') => take(1usize).map(|_| TokenKind::Semicolon).parse(input),
        Some(b'{') => take(1usize).map(|_| TokenKind::Open).parse(input),
        Some(b'}') => take(1usize).map(|_| TokenKind::Close).parse(input),
        Some(b'#') => take_till(|byte| byte == b'\n')
            .map(|_| TokenKind::Comment)
            .parse(input),
        Some(quote @ (b'"' | b'\'')) => quoted(input, *quote),
        Some(_) => Ok((bare(input), TokenKind::Word)),
    }
}

/// The four bytes that nginx takes for white space; form feed and friends are letters.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Skips to behind the closing quote. A backslash hides the next byte, LF included.
fn quoted(input: &[u8], quote: u8) -> Lexed<'_> {
    let mut rest = input.get(1..).unwrap_or_default();
    loop {
        let (found, _) = take_till(|byte| byte == quote || byte == b'\\')(rest)?;
        match found {
            [] => return Ok((found, TokenKind::Invalid)),
            [b'\\', _, behind @ ..] => rest = behind,
            [b'\\'] => return Ok((&found[1..], TokenKind::Invalid)),
            [_, behind @ ..] => return Ok((behind, TokenKind::Quoted)),
        }
    }
}

/// What a byte does inside a word without quotes.
#[derive(Copy, Clone, Eq, PartialEq)]
enum Within {
    Plain,
    End,
    Backslash,
    Dollar,
}

const WITHIN: [Within; 256] = {
    let mut table = [Within::Plain; 256];
    table[b' ' as usize] = Within::End;
    table[b'\t' as usize] = Within::End;
    table[b'\r' as usize] = Within::End;
    table[b'\n' as usize] = Within::End;
    table[b';' as usize] = Within::End;
    table[b'{' as usize] = Within::End;
    table[b'\\' as usize] = Within::Backslash;
    table[b'$' as usize] = Within::Dollar;
    table
};

/// Skips a word without quotes; gives what is left behind it.
///
/// `#`, `}` and quotes have no meaning past the first byte; `{` has none directly behind
/// `$` (`${name}`), and any number of them there.
fn bare(input: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(byte) = input.get(at) {
        match WITHIN[*byte as usize] {
            Within::Plain => at += 1,
            Within::End => break,
            Within::Backslash => at += 2,
            Within::Dollar => {
                at += 1;
                while input.get(at) == Some(&b'{') {
                    at += 1;
                }
            }
        }
    }
    input.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> (TokenKind, String) {
        let (rest, kind) = token(text.as_bytes()).unwrap();
        (kind, text[..text.len() - rest.len()].to_string())
    }

    #[test]
    fn tokens_end_where_the_server_ends_them() {
        for (text, kind, expected) in [
            ("a#b c", TokenKind::Word, "a#b"),
            ("a}b;", TokenKind::Word, "a}b"),
            ("\\#b ", TokenKind::Word, "\\#b"),
            ("a\\ b c", TokenKind::Word, "a\\ b"),
            ("a\\;b;", TokenKind::Word, "a\\;b"),
            ("a\"b c", TokenKind::Word, "a\"b"),
            ("${a}b{", TokenKind::Word, "${a}b"),
            ("${{b c", TokenKind::Word, "${{b"),
            ("a${b;c}", TokenKind::Word, "a${b"),
            ("$\\{a{", TokenKind::Word, "$\\{a"),
            ("\\${a", TokenKind::Word, "\\$"),
            ("a\u{b}\u{c}b ", TokenKind::Word, "a\u{b}\u{c}b"),
            (") x", TokenKind::Word, ")"),
            ("\"a b\\\"c\"d", TokenKind::Quoted, "\"a b\\\"c\""),
            ("'a\"\n'", TokenKind::Quoted, "'a\"\n'"),
            ("'a\\", TokenKind::Invalid, "'a\\"),
            ("\"abc;", TokenKind::Invalid, "\"abc;"),
            ("# a\\\nb", TokenKind::Comment, "# a\\"),
            ("# a\rb\n", TokenKind::Comment, "# a\rb"),
            (" \t\r\n;", TokenKind::Space, " \t\r\n"),
            ("a\\", TokenKind::Word, "a\\"),
        ] {
            assert_eq!(first(text), (kind, expected.to_string()), "{text:?}");
        }
    }
}
