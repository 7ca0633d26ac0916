//! Comments that speak to stekguard: `# stekguard: ignore[rule] reason`.
//!
//! Reads one comment. Which statement it is about, and whether a rule has that name, is for
//! others.

use memchr::memmem;

/// What a comment says.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Remark {
    /// Findings that are accepted.
    Ignore {
        /// Names of rules, as written; at least one.
        rules: Vec<String>,
        /// Why; not empty.
        reason: String,
    },
    /// The blocks around the file, as written: `http,server`.
    Context(String),
    /// Meant for stekguard and not understood: one sentence why.
    Malformed(String),
}

/// The words that begin it.
const MARK: &[u8] = b"stekguard:";

/// True where a text may hold such a comment at all.
pub fn has_mark(text: &[u8]) -> bool {
    memmem::find(text, MARK).is_some()
}

/// Reads a comment, `#` included; `None` for one that is for people only.
pub fn remark(comment: &[u8]) -> Option<Remark> {
    // httpd: a backslash at the line's end makes the next line part of the comment.
    let line = comment.split(|byte| *byte == b'\n').next()?;
    let hashes = line.iter().take_while(|byte| **byte == b'#').count();
    let text = line.get(hashes..)?.trim_ascii().strip_prefix(MARK)?;
    let text = String::from_utf8_lossy(text.trim_ascii()).into_owned();
    Some(parse(&text))
}

/// The first such comment that stands within a text of one's own, as in the arguments of a
/// directive, with the place of its first `#`.
pub fn within(text: &[u8]) -> Option<(usize, Remark)> {
    // From the mark backwards: hashes can be many.
    memmem::find_iter(text, MARK).find_map(|mark| {
        let blank = |byte: &u8| byte.is_ascii_whitespace() && *byte != b'\n';
        let before = text.get(..mark)?;
        let behind = before.iter().rposition(|byte| !blank(byte))?;
        let hashes = before.get(..=behind)?.iter().rev();
        let count = hashes.take_while(|byte| **byte == b'#').count();
        let at = (behind + 1).checked_sub(count).filter(|_| count > 0)?;
        Some((at, remark(text.get(at..)?)?))
    })
}

fn parse(text: &str) -> Remark {
    let malformed = |why: &str| Remark::Malformed(why.to_owned());
    let end = text.find(|c: char| !c.is_ascii_lowercase());
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    match word {
        "context" => {
            let context = rest.trim();
            match context.is_empty() {
                true => malformed("it names no context, such as `http,server`"),
                false => Remark::Context(context.to_owned()),
            }
        }
        "ignore" => ignore(rest),
        _ => malformed("it is neither `ignore[RULE] REASON` nor `context BLOCKS`"),
    }
}

fn ignore(rest: &str) -> Remark {
    let malformed = |why: &str| Remark::Malformed(why.to_owned());
    let Some((list, reason)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) else {
        return malformed("`ignore` names its rules in brackets: `ignore[RULE] REASON`");
    };
    let rules: Vec<String> = list.split(',').map(|it| it.trim().to_owned()).collect();
    if rules.iter().any(String::is_empty) {
        return malformed("a rule's name is missing in the brackets");
    }
    // `ignore[x]: reason` and `ignore[x] -- reason` are read too.
    let reason = reason.trim_start_matches([':', '-', ' ', '\t']).trim();
    if reason.is_empty() {
        return malformed("the reason is missing behind the brackets");
    }
    Remark::Ignore {
        rules,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_read_or_refused_with_a_reason() {
        let ignore = |rules: &[&str], reason: &str| {
            Some(Remark::Ignore {
                rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
                reason: reason.to_owned(),
            })
        };
        for (comment, expected) in [
            (
                "# stekguard: ignore[a-b] old clients",
                ignore(&["a-b"], "old clients"),
            ),
            (
                "##stekguard:ignore[a, b]: why # not",
                ignore(&["a", "b"], "why # not"),
            ),
            ("# stekguard: ignore[a] -- why\r", ignore(&["a"], "why")),
            (
                "# stekguard: context http,server",
                Some(Remark::Context("http,server".into())),
            ),
            ("# stekguard is a tool", None),
            ("# a stekguard: ignore[a] b", None),
            ("#", None),
        ] {
            assert_eq!(remark(comment.as_bytes()), expected, "{comment}");
        }
        for comment in [
            "# stekguard:",
            "# stekguard: ignore",
            "# stekguard: ignore a why",
            "# stekguard: ignore[a]",
            "# stekguard: ignore[a] :",
            "# stekguard: ignore[] why",
            "# stekguard: ignore[a,] why",
            "# stekguard: ignore[a why",
            "# stekguard: ignroe[a] why",
            "# stekguard: IGNORE[a] why",
            "# stekguard: context ",
        ] {
            let read = remark(comment.as_bytes());
            assert!(
                matches!(read, Some(Remark::Malformed(_))),
                "{comment}: {read:?}"
            );
        }
        assert!(matches!(
            remark(b"# stekguard: ignore[\xff] a"),
            Some(Remark::Ignore { .. })
        ));
    }

    #[test]
    fn a_comment_within_arguments_is_found_at_its_first_hash() {
        let why = "why".to_owned();
        let rules = vec!["a".to_owned()];
        let said = || Remark::Ignore {
            rules: rules.clone(),
            reason: why.clone(),
        };
        for (text, at) in [
            ("off # stekguard: ignore[a] why", 4),
            ("off ##\t stekguard: ignore[a] why\nnext", 4),
            ("# b # stekguard: ignore[a] why", 4),
            ("stekguard: #stekguard: ignore[a] why", 11),
        ] {
            assert_eq!(within(text.as_bytes()), Some((at, said())), "{text}");
        }
        for text in ["off stekguard: ignore[a] why", "#\nstekguard: x", "# a", ""] {
            assert_eq!(within(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_mark_is_found_anywhere() {
        assert!(has_mark(b"sstekguard: x"));
        assert!(!has_mark(b"stekguard stek"));
    }
}
