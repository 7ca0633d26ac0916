//! Where two versions of a line differ.

/// A line in three parts.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub(super) struct Side<'a> {
    pub(super) before: &'a str,
    pub(super) changed: &'a str,
    pub(super) after: &'a str,
}

/// Both lines without what they begin and end with alike; a line without a partner is
/// changed as a whole. Words are not cut.
pub(super) fn differing<'a>(old: Option<&'a str>, new: Option<&'a str>) -> (Side<'a>, Side<'a>) {
    let (Some(old), Some(new)) = (old, new) else {
        let whole = |line: Option<&'a str>| Side {
            changed: line.unwrap_or_default(),
            ..Side::default()
        };
        return (whole(old), whole(new));
    };
    let start = common(old.char_indices(), new.chars());
    let start = word_start(old, start).min(word_start(new, start));
    let (rest_old, rest_new) = (&old[start..], &new[start..]);
    let end = rest_old
        .chars()
        .rev()
        .zip(rest_new.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let end = word_end(rest_old, end).min(word_end(rest_new, end));
    let cut = |line: &'a str| Side {
        before: &line[..start],
        changed: &line[start..line.len() - end],
        after: &line[line.len() - end..],
    };
    (cut(old), cut(new))
}

fn common(old: impl Iterator<Item = (usize, char)>, new: impl Iterator<Item = char>) -> usize {
    let same = old.zip(new).take_while(|((_, a), b)| a == b);
    same.last().map_or(0, |((at, a), _)| at + a.len_utf8())
}

/// `at`, or the start of the word that it cuts.
fn word_start(line: &str, at: usize) -> usize {
    if !line[at..].starts_with(joins) {
        return at;
    }
    line[..at].trim_end_matches(joins).len()
}

/// The same from the end: how many bytes behind the word that is cut are alike.
fn word_end(line: &str, alike: usize) -> usize {
    let (head, tail) = line.split_at(line.len() - alike);
    if !head.ends_with(joins) {
        return alike;
    }
    tail.trim_start_matches(joins).len()
}

fn joins(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(old: &str, new: &str) -> (String, String) {
        let (a, b) = differing(Some(old), Some(new));
        let join = |side: Side<'_>| format!("{}[{}]{}", side.before, side.changed, side.after);
        (join(a), join(b))
    }

    #[test]
    fn whole_words_differ() {
        let (old, new) = parts("  listen 9443;", "  listen 9443 ssl;");
        assert_eq!(old, "  listen 9443[];");
        assert_eq!(new, "  listen 9443[ ssl];");
        let (old, new) = parts("a tickets on; # é", "a tickets off; # é");
        assert_eq!(old, "a tickets [on]; # é");
        assert_eq!(new, "a tickets [off]; # é");
        assert_eq!(parts("x", "y").0, "[x]");
        assert_eq!(parts("aa", "aaa").1, "[aaa]");
        assert_eq!(parts("é è", "é à").1, "é [à]");
        assert_eq!(parts("", "a").0, "[]");
    }

    #[test]
    fn a_line_without_a_partner_is_new_as_a_whole() {
        let (old, new) = differing(None, Some("x y"));
        assert_eq!((old.changed, new.changed), ("", "x y"));
    }
}
