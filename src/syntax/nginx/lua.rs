//! Where the body of a `*_by_lua_block` ends.
//!
//! lua-nginx-module counts braces and skips Lua's comments and strings with a table of
//! patterns (`util/gen-lexer-c`) that are searched for, not anchored. Must not know more of
//! Lua than that: a quote without its partner on the line is an ordinary byte.

/// How a Lua body ended.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum LuaEnd {
    /// The offset of the closing `}`.
    Closed(usize),
    /// The file ended first; the offset of the last `{` that was counted, 0 for the block's.
    Unclosed(Option<usize>),
    /// A long bracket of this level, opened at this offset, never closes.
    LongBracket {
        /// Where it begins.
        at: usize,
        /// Number of `=` in it.
        level: usize,
    },
}

/// Finds the `}` that closes a body; `text` begins behind the `{`.
pub(super) fn body_end(text: &[u8]) -> LuaEnd {
    let mut level = 1usize;
    let mut last_open = None;
    let mut strings = Strings::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' => {
                level += 1;
                last_open = Some(at);
                at += 1;
            }
            b'}' => {
                level -= 1;
                if level == 0 {
                    return LuaEnd::Closed(at);
                }
                at += 1;
            }
            b'"' | b'\'' => at = strings.skip(text, at),
            b'-' if text.get(at + 1) == Some(&b'-') => match comment(text, at) {
                Ok(end) => at = end,
                Err(unclosed) => return unclosed,
            },
            b'[' => match long_bracket(text, at, at) {
                None => at += 1,
                Some(Ok(end)) => at = end,
                Some(Err(unclosed)) => return unclosed,
            },
            _ => at += 1,
        }
    }
    LuaEnd::Unclosed(last_open)
}

/// The end of the comment that begins at `at`: a long one, else up to the line's end.
fn comment(text: &[u8], at: usize) -> Result<usize, LuaEnd> {
    if let Some(end) = long_bracket(text, at + 2, at) {
        return end;
    }
    let rest = text.get(at..).unwrap_or_default();
    Ok(rest
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |line| at + line))
}

/// `[==[ ... ]==]` at `at`: the offset behind it; `None` where no bracket opens.
fn long_bracket(text: &[u8], at: usize, start: usize) -> Option<Result<usize, LuaEnd>> {
    let rest = text.get(at..)?.strip_prefix(b"[")?;
    let level = rest.iter().take_while(|byte| **byte == b'=').count();
    if rest.get(level) != Some(&b'[') {
        return None;
    }
    let closing: Vec<u8> = [b"]".as_slice(), &b"=".repeat(level), b"]"].concat();
    let body = at + level + 2;
    let found = find(text.get(body..).unwrap_or_default(), &closing);
    Some(match found {
        Some(offset) => Ok(body + offset + closing.len()),
        None => Err(LuaEnd::LongBracket { at: start, level }),
    })
}

/// First occurrence of `]=*]` in linear time: a mismatch leaves only the last `]` to retry.
fn find(text: &[u8], closing: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|byte| *byte == b']')?;
        let equals = text
            .get(at + 1..)?
            .iter()
            .take_while(|byte| **byte == b'=')
            .count();
        let end = at + 1 + equals;
        if equals + 2 == closing.len() && text.get(end) == Some(&b']') {
            return Some(at);
        }
        at = end;
    }
}

/// Strings on one line. Remembers up to where a kind of quote is known to have no partner:
/// any such quote below that offset is the second half of an escape, so the search that
/// failed would fail again, and the whole scan stays linear.
#[derive(Default)]
struct Strings {
    double_hopeless: usize,
    single_hopeless: usize,
}

impl Strings {
    /// The offset behind the string at `at`, or behind the lone quote.
    fn skip(&mut self, text: &[u8], at: usize) -> usize {
        let Some(quote) = text.get(at).copied() else {
            return at + 1;
        };
        let hopeless = if quote == b'"' {
            &mut self.double_hopeless
        } else {
            &mut self.single_hopeless
        };
        if at < *hopeless {
            return at + 1;
        }
        let mut end = at + 1;
        loop {
            match (text.get(end), text.get(end + 1)) {
                (Some(byte), _) if *byte == quote => return end + 1,
                (Some(b'\\'), Some(next)) if *next != b'\n' => end += 2,
                (None | Some(b'\n' | b'\\'), _) => {
                    *hopeless = end;
                    return at + 1;
                }
                _ => end += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_comments_and_strings_do_not_count() {
        for (text, end) in [
            ("}", 0),
            (" local t = { {} } }", 18),
            ("'}' }", 4),
            ("\"\\\"}\" }", 6),
            ("-- }\n}", 5),
            ("--[[ }\n ]] }", 11),
            ("--[=[ } ]] ]=] }", 15),
            ("[[ } ]] }", 8),
            ("[==[ ]=] } ]==] }", 16),
            ("it's }", 5),
            ("'a\\\n}", 4),
            ("--[=x }\n}", 8),
            ("a[b[1]] }", 8),
        ] {
            assert_eq!(body_end(text.as_bytes()), LuaEnd::Closed(end), "{text:?}");
        }
        assert_eq!(body_end(b" { \n"), LuaEnd::Unclosed(Some(1)));
        assert_eq!(body_end(b"[=[ }"), LuaEnd::LongBracket { at: 0, level: 1 });
    }

    #[test]
    fn lone_escaped_quotes_stay_linear() {
        let text = b"\"\\".repeat(1 << 20);
        assert_eq!(body_end(&text), LuaEnd::Unclosed(None));
    }
}
