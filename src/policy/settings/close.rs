//! Names that somebody may have meant. Compares text; knows no list of its own.

/// Names that are close to this one, closest first, three at most: few edits away, or with
/// the given word in them.
pub fn close<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &'n str)> = known
        .into_iter()
        .map(|other| (distance(&name, &other.replace('_', "-")), other))
        .filter(|(distance, other)| {
            let contained = name.len() >= 4 && other.replace('_', "-").contains(&*name);
            *distance <= other.len() / 3 || contained
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// How many bytes to insert, remove or replace (Levenshtein). Long input is cut: nothing
/// known has such a name.
fn distance(a: &str, b: &str) -> usize {
    let a = &a.as_bytes()[..a.len().min(100)];
    let b = b.as_bytes();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn close_names_come_closest_first() {
        let known = ["fail_on", "format", "color"];
        assert_eq!(close("fail-on", known), ["fail_on"]);
        assert_eq!(close("colour", known), ["color"]);
        assert!(close("zzzzzzz", known).is_empty());
        assert_eq!(close("jsonlines", ["json", "json-lines"]), ["json-lines"]);
        assert_eq!(close("SRIF", ["sarif", "text"]), ["sarif"]);
        assert!(close("xml", ["sarif", "text"]).is_empty());
    }
}
