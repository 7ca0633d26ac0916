//! The order of Debian's package versions, in which an advisory's fixed packages are written:
//! epoch, then runs of letters and digits in turn, `~` before everything. Knows no package.

use std::cmp::Ordering;

/// Compares two package versions such as `1.26.3-3+deb13u10`.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left_epoch, left) = epoch(left);
    let (right_epoch, right) = epoch(right);
    left_epoch.cmp(&right_epoch).then_with(|| {
        let (left_upstream, left_revision) = left.rsplit_once('-').unwrap_or((left, ""));
        let (right_upstream, right_revision) = right.rsplit_once('-').unwrap_or((right, ""));
        runs(left_upstream, right_upstream).then_with(|| runs(left_revision, right_revision))
    })
}

fn epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    }
}

fn runs(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let letters = |text: &str| {
            text.find(|c: char| c.is_ascii_digit())
                .unwrap_or(text.len())
        };
        let (left_text, left_rest) = left.split_at(letters(left));
        let (right_text, right_rest) = right.split_at(letters(right));
        let digits = |text: &str| {
            text.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len())
        };
        let (left_number, left_next) = left_rest.split_at(digits(left_rest));
        let (right_number, right_next) = right_rest.split_at(digits(right_rest));
        let order = texts(left_text, right_text).then_with(|| numbers(left_number, right_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_next, right_next);
    }
    Ordering::Equal
}

/// Letters before other signs, the end before both, `~` before the end.
fn texts(left: &str, right: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    };
    let longest = left.len().max(right.len());
    let at = |text: &str, index: usize| weight(text.as_bytes().get(index).copied());
    let orders = (0..longest).map(|index| at(left, index).cmp(&at(right, index)));
    orders
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Numbers of any length.
fn numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_dpkg_s_order() {
        // Each pair as `dpkg --compare-versions LEFT lt RIGHT` accepts it.
        let ascending = [
            ("1.26.3-3+deb13u9", "1.26.3-3+deb13u10"),
            ("1.22.1-9", "1.22.1-9+deb12u1"),
            ("1.22.1-9~bpo11+1", "1.22.1-9"),
            ("1.9", "1.10"),
            ("2.0", "1:1.0"),
            ("1.0a", "1.0+b"),
            ("1.26.3-3", "1.26.3-3ubuntu1"),
        ];
        for (left, right) in ascending {
            assert_eq!(compare(left, right), Ordering::Less, "{left} < {right}");
            assert_eq!(compare(right, left), Ordering::Greater, "{right} > {left}");
        }
        assert_eq!(compare("1.026-1", "1.26-1"), Ordering::Equal);
    }
}
