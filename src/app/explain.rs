//! `explain` and `rules`: what the rules say about themselves.

use super::AppError;
use crate::finding::Severity;
use crate::rules;

/// A rule for people.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its name.
    pub name: &'static str,
    /// Its usual grade.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub text: String,
}

/// The page of a rule.
///
/// # Errors
/// [`AppError::UnknownRule`] with names that are close.
pub fn explain(name: &str) -> Result<Page, AppError> {
    match rules::by_name(name) {
        Some(rule) => Ok(page(rule)),
        None => Err(AppError::UnknownRule {
            name: name.to_owned(),
            close: close(name),
        }),
    }
}

/// Every rule, sorted by name.
pub fn rules() -> Vec<Page> {
    rules::all().iter().map(page).collect()
}

fn page(rule: &rules::Rule) -> Page {
    Page {
        name: rule.name,
        severity: rule.severity,
        summary: rule.summary,
        text: rule.page(),
    }
}

/// Names that somebody may have meant: few edits away, or with a word in common.
fn close(name: &str) -> Vec<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &'static str)> = rules::all()
        .iter()
        .map(|rule| (distance(&name, rule.name), rule.name))
        .filter(|(distance, rule)| {
            *distance <= rule.len() / 3 || (name.len() >= 4 && rule.contains(&*name))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, rule)| rule).collect()
}

/// How many bytes to insert, remove or replace (Levenshtein). Long input is cut: no rule has
/// such a name.
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
}
