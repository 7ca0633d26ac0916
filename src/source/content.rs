//! Is it a configuration at all? Says why a text can be none, by its bytes alone.
//!
//! It must not know directives: a text that passes may still be refused by its server.

use crate::syntax::apache;

/// How much of a file is looked at for binary content.
const HEAD: usize = 8192;

/// Statements of one file, ended by `;`, `{`, `}` or a line: the largest file that is read holds
/// 2 million ordinary ones. Each takes a hundred bytes of memory, whatever it says.
const MOST_STATEMENTS: usize = 8 * 1024 * 1024;

/// Words and marks of one file: the largest file holds 17 million where every word is short.
const MOST_PIECES: usize = 24 * 1024 * 1024;

/// Why `text` can be no configuration; `None` where it may be one. Charsets do not matter
/// to the servers, so any bytes above 127 pass.
pub(super) fn objection(text: &[u8]) -> Option<&'static str> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || is_wide(text) {
        return Some("the file is UTF-16; the servers read bytes: save it as UTF-8");
    }
    if is_binary(text) {
        return Some("the file is binary, not a configuration");
    }
    if is_flood(text) {
        return Some(
            "the file holds more than 8388608 statements or 25165824 words and is not read; \
             split it into files that are included",
        );
    }
    if is_template(text) {
        return Some("the file is a template; render it first and give the result");
    }
    None
}

/// True for a text of two bytes a character without a mark in front: every other byte of
/// the beginning is NUL.
fn is_wide(text: &[u8]) -> bool {
    let head = &text[..text.len().min(64)];
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let pairs = head.len() / 2;
    // All of it NUL is no text at all.
    pairs >= 4 && ((zeros(0) == pairs) != (zeros(1) == pairs))
}

/// True for a text that would take memory out of all proportion. Counted only where a file is
/// large enough to hold so much.
fn is_flood(text: &[u8]) -> bool {
    if text.len() < MOST_STATEMENTS {
        return false;
    }
    let (mut marks, mut lines, mut words) = (0_usize, 0_usize, 0_usize);
    let (mut in_word, mut bare) = (false, true);
    for byte in text {
        let mark = matches!(byte, b';' | b'{' | b'}');
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        words += usize::from(!space && !mark && !in_word);
        in_word = !space && !mark;
        marks += usize::from(mark);
        // A line counts where something stands on it.
        lines += usize::from(bare && !space);
        bare = *byte == b'\n' || (bare && space);
    }
    marks > MOST_STATEMENTS || lines > MOST_STATEMENTS || marks + words > MOST_PIECES
}

/// Random bytes hold an eighth control characters; texts hold next to none.
fn is_binary(text: &[u8]) -> bool {
    let head = &text[..text.len().min(HEAD)];
    // As sums of small numbers the compiler counts many bytes at once.
    let odd = |part: &[u8]| {
        part.iter()
            .map(|byte| u8::from(is_control(*byte)))
            .sum::<u8>()
    };
    let odd: usize = head.chunks(128).map(|part| usize::from(odd(part))).sum();
    odd * 20 > head.len()
}

const fn is_control(byte: u8) -> bool {
    let low = byte < 32 && !matches!(byte, 9..=13 | 27);
    low | (byte == 127)
}

/// True where a mark of Jinja, Go, ERB or their like stands outside of comments. Braces
/// alone do not count: a log format may hold `{{"a":1}}`.
pub(super) fn is_template(text: &[u8]) -> bool {
    // Most files hold no such pair at all, and looking for one is fast.
    let suspicious = |at: usize| {
        let pair = (text[at], text.get(at + 1));
        matches!(pair, (b'{', Some(b'{' | b'%' | b'#')) | (b'<', Some(b'%')))
    };
    if !memchr::memchr2_iter(b'{', b'<', text).any(suspicious) {
        return false;
    }
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .map(<[u8]>::trim_ascii_start)
        .any(|line| !line.starts_with(b"#") && has_mark(line))
}

fn has_mark(line: &[u8]) -> bool {
    (0..line.len()).any(|at| {
        let rest = &line[at..];
        match rest {
            [b'{', b'{', inside @ ..] => is_expression(inside),
            [b'{', b'%', b' ' | b'-' | b'+', inside @ ..] => contains(inside, b"%}"),
            [b'{', b'#', b' ' | b'-', inside @ ..] => contains(inside, b"#}"),
            [b'<', b'%', inside @ ..] => contains(inside, b"%>"),
            _ => false,
        }
    })
}

/// ` name`, `- .Values.x`, `$var` up to `}}` on the same line.
fn is_expression(inside: &[u8]) -> bool {
    let inside = inside
        .strip_prefix(b"-")
        .unwrap_or(inside)
        .trim_ascii_start();
    let starts = inside.first().is_some_and(|byte| {
        byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'$' | b'(' | b'/')
    });
    starts && contains(inside, b"}}")
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// The same as httpd reads it: a comment goes on where its line does.
pub(super) fn is_empty_to_httpd(text: &[u8]) -> bool {
    let is_bare = |line: apache::Line| {
        let joined = line.joined(text);
        let shown = joined.bytes.get(joined.trimmed()).unwrap_or_default();
        shown.is_empty() || shown.starts_with(b"#")
    };
    // A line ends at NUL, but what holds any is binary and not empty.
    let binary = || memchr::memchr(0, text).is_some();
    is_empty(text) || (!binary() && apache::lines(text).all(is_bare))
}

/// True for a text of white space and comments only.
pub(super) fn is_empty(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| line.is_empty() || line.starts_with(b"#"))
}

/// What nginx says instead of a dump where its configuration is broken.
pub(super) fn failed_dump(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n')
        .all(|line| line.is_empty() || line.starts_with(b"nginx: "))
        && contains(text, b"nginx: [emerg] ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_of_httpd_goes_on_with_its_line() {
        for (text, expected) in [
            ("# a\n\n \t# b", true),
            ("# goes on \\\n  SSLSessionTickets off\n# a\n", true),
            ("# goes on \\\r\n \\\nSSLSessionCache none", true),
            ("# ends\n  SSLSessionTickets off\n", false),
            (" \\\n# a\nListen 443\n", false),
            ("", true),
            ("\0\0", false),
        ] {
            assert_eq!(is_empty_to_httpd(text.as_bytes()), expected, "{text:?}");
        }
        // nginx's ends with it.
        assert!(!is_empty(b"# goes on \\\nevents {}\n"));
    }

    #[test]
    fn templates_are_told_from_braces() {
        for (text, expected) in [
            ("server_name {{ name }};", true),
            ("server_name \"{{name}}\";", true),
            ("{% if x %}", true),
            ("{{- if .Values.tls }}", true),
            ("listen <%= port %>;", true),
            ("# {{ ansible_managed }}\nserver {}", false),
            ("log_format j '{{\"a\":\"$b\"}}';", false),
            ("root /a${{b;", false),
            ("location ~ ^/[0-9]{2}/ {\n}\n", false),
            ("server {{ }}", false),
        ] {
            assert_eq!(is_template(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn encodings_and_binaries_are_objected_to() {
        let wide: Vec<u8> = "events {}\nhttp {}"
            .bytes()
            .flat_map(|byte| [byte, 0])
            .collect();
        assert!(objection(&wide).is_some());
        assert!(objection(b"\xff\xfee\0").is_some());
        assert!(objection(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03").is_some());
        assert!(objection(b"# caf\xe9\nevents {}\n").is_none());
        assert!(objection(b"# a\0b and more of a comment\nevents {}\n").is_none());
        assert!(objection(b"").is_none());
    }
}
