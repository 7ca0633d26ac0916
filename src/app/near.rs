//! Names that somebody may have meant.

/// Up to three of `known` that `name` may stand for, closest first: few edits away, or with
/// what was given in them.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|known| (distance(&name, known), known))
        .filter(|(distance, known)| {
            *distance <= known.len() / 3 || (name.len() >= 4 && known.contains(&*name))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// How many bytes to insert, remove or replace (Levenshtein). Long input is cut: nothing here
/// has such a name.
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
    fn the_closest_comes_first() {
        assert_eq!(near("jsonlines", ["json", "json-lines"]), ["json-lines"]);
        assert_eq!(near("SRIF", ["sarif", "text"]), ["sarif"]);
        assert!(near("xml", ["sarif", "text"]).is_empty());
    }
}
