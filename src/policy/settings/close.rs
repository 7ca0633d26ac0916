//! Names that somebody may have meant. Compares text; knows no list of its own.

/// Names that are close to this one, closest first, three at most: few edits away, or with
/// the given word in them.
pub fn close<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    // Nothing known is as long.
    let name: String = name.chars().take(100).collect();
    let name = name.to_ascii_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &'n str)> = known
        .into_iter()
        .map(|other| (strsim::levenshtein(&name, &other.replace('_', "-")), other))
        .filter(|(distance, other)| {
            let contained = name.len() >= 4 && other.replace('_', "-").contains(&*name);
            *distance <= other.len() / 3 || contained
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
