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
    fn the_mark_is_found_anywhere() {
        assert!(has_mark(b"sstekguard: x"));
        assert!(!has_mark(b"stekguard stek"));
    }
}
