//! `explain` and `rules`: what the rules say about themselves.

use super::AppError;
use super::near::near;
use crate::catalog::Server;
use crate::finding::Severity;
use crate::report;
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
    /// Whose configurations it reads.
    pub servers: &'static [Server],
}

impl Page {
    /// The same for the report room.
    pub fn report(&self) -> report::RulePage<'_> {
        report::RulePage {
            name: self.name,
            severity: self.severity,
            summary: self.summary,
            text: &self.text,
            servers: self.servers,
        }
    }
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
            close: near(name, rules::all().iter().map(|rule| rule.name)),
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
        servers: rule.servers,
    }
}
