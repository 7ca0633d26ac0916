//! Findings with the reason of their rule and what a fix would do and cost.

use std::collections::BTreeSet;

use super::text::one_finding;
use super::versions::Phrases;
use super::{Paint, Pipeline, escape, page};
use crate::finding::{Applicability, Fix, GoLive};

/// Columns of a paragraph.
const WIDTH: usize = 96;

/// Every finding as in the text report, with the page's "Why" behind a rule's first one.
pub fn full(pipeline: &Pipeline<'_>, paint: Paint) -> String {
    let mut out = String::new();
    let mut explained = BTreeSet::new();
    let mut phrases = Phrases::default();
    for finding in &pipeline.lint.findings {
        out.push_str(&one_finding(finding, pipeline.lint, &mut phrases, paint));
        out.push('\n');
        let why = pipeline
            .page(finding.rule)
            .filter(|_| explained.insert(finding.rule))
            .and_then(|rule| page::section(rule.text, "Why"));
        if let Some(why) = why {
            heading(&mut out, "why", paint);
            for paragraph in page::paragraphs(why) {
                wrapped(&mut out, &paragraph);
            }
        }
        if let Some(fix) = &finding.fix {
            repair(&mut out, fix, paint);
        }
        out.push('\n');
    }
    out
}

fn repair(out: &mut String, fix: &Fix, paint: Paint) {
    heading(out, "fix", paint);
    wrapped(out, &escape::line(&fix.title));
    for cost in &fix.costs {
        wrapped(out, &format!("cost: {}", escape::line(cost)));
    }
    let live = match fix.go_live {
        GoLive::Reload => "live after: a reload",
        GoLive::StopAndStart => "live after: stopping the server and starting it again",
    };
    wrapped(out, live);
    let how = match fix.applicability {
        Applicability::Safe => "by: stekguard fix",
        Applicability::Unsafe => "by: stekguard fix --unsafe-fixes",
    };
    wrapped(out, how);
}

fn heading(out: &mut String, word: &str, paint: Paint) {
    out.push_str(&format!("  {}\n", paint.bold(word)));
}

/// A paragraph, four columns in.
fn wrapped(out: &mut String, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        let width = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && width + 4 > WIDTH {
            out.push_str(&format!("    {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        out.push_str(&format!("    {line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_between_words() {
        let mut out = String::new();
        wrapped(&mut out, &"word ".repeat(40));
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(out.split_whitespace().count(), 40);
        assert_eq!(out.lines().count(), 3);
    }
}
