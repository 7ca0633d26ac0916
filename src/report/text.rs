//! Findings and problems as text with the source line and carets.

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use rayon::prelude::*;

use super::escape;
use super::excerpt::{Excerpt, NEAR};
use super::explain::severity_word;
use super::{Lint, Paint, Problem, Server, Sources, versions};
use crate::finding::{Confidence, Finding, Severity};
use crate::text::Location;

/// Endpoints that are named before `and N more`.
pub const ENDPOINTS_SHOWN: usize = 5;
/// Related places that are shown before `and N more`.
const RELATED_SHOWN: usize = 6;

/// Every finding with its places; empty without findings.
pub fn findings(lint: &Lint<'_>, paint: Paint) -> String {
    let shown = |findings: &[&Finding]| {
        let mut out = String::new();
        for finding in findings {
            out.push_str(&one_finding(finding, lint, paint));
            out.push_str("\n\n");
        }
        out
    };
    if lint.findings.len() < FEW {
        return shown(&lint.findings);
    }
    let mut out = String::new();
    // So much at once that all processors have work, and not all of the text twice.
    for some in lint.findings.chunks(64 * FEW) {
        let parts: Vec<String> = some.par_chunks(FEW).map(shown).collect();
        out.extend(parts);
    }
    out
}

/// For fewer findings, starting threads takes longer than they save.
const FEW: usize = 32;

/// Every problem; empty without problems.
pub fn problems(problems: &[Problem], sources: &Sources, paint: Paint) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&one_problem(problem, sources, paint));
        out.push_str("\n\n");
    }
    out
}

pub(super) fn one_finding(finding: &Finding, lint: &Lint<'_>, paint: Paint) -> String {
    let level = level(finding.severity);
    let mut group = level
        .primary_title(escape::line(&finding.message))
        .id(finding.rule)
        .elements(snippets(&places(finding), lint.sources));
    for (level, line) in remarks(finding, &lint.servers) {
        group = group.element(level.message(escape::line(&line)));
    }
    renderer(paint).render(&[group])
}

fn one_problem(problem: &Problem, sources: &Sources, paint: Paint) -> String {
    let title = Level::ERROR.primary_title(escape::line(&problem.message));
    let group = match &problem.location {
        Some(location) => {
            let place = Marked {
                location,
                label: "",
                primary: true,
            };
            title.elements(snippets(&[place], sources))
        }
        None => {
            let origin = Origin::path(escape::path(&problem.path));
            let origin = match problem.line {
                0 => origin,
                line => origin.line(line as usize).char_column(1),
            };
            title.element(origin)
        }
    };
    renderer(paint).render(&[group])
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
        Severity::Pedantic => Level::INFO.with_name(severity_word(severity)),
    }
}

fn renderer(paint: Paint) -> Renderer {
    if paint.colour() {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}

/// A place with what is said at it.
struct Marked<'a> {
    location: &'a Location,
    label: &'a str,
    primary: bool,
}

fn places(finding: &Finding) -> Vec<Marked<'_>> {
    let first = Marked {
        location: &finding.location,
        label: &finding.label,
        primary: true,
    };
    let related = finding.related.iter().take(RELATED_SHOWN);
    let related = related.map(|related| Marked {
        location: &related.location,
        label: &related.label,
        primary: false,
    });
    std::iter::once(first).chain(related).collect()
}

/// What stands below the snippets.
fn remarks(finding: &Finding, servers: &[Server<'_>]) -> Vec<(Level<'static>, String)> {
    let mut out = Vec::new();
    if let Some(hidden) = finding.related.len().checked_sub(RELATED_SHOWN + 1) {
        out.push((
            Level::NOTE,
            format!("and {} more places like these", hidden + 1),
        ));
    }
    if !finding.endpoints.is_empty() {
        out.push((
            Level::NOTE,
            format!("affects {}", capped(&finding.endpoints)),
        ));
    }
    for condition in &finding.when {
        out.push((Level::NOTE, format!("holds where {condition}")));
    }
    if let Some(versions) = phrase(finding, servers) {
        out.push((Level::NOTE, versions));
    }
    match finding.confidence {
        Confidence::High => {}
        Confidence::Medium => out.push((Level::NOTE, "confidence: medium".to_owned())),
        Confidence::Low => out.push((Level::NOTE, "confidence: low".to_owned())),
    }
    out.extend(finding.help.iter().map(|help| (Level::HELP, help.clone())));
    out
}

/// `holds for nginx from 1.23.2, below 1.30.6`.
pub(super) fn phrase(finding: &Finding, servers: &[Server<'_>]) -> Option<String> {
    let versions = &finding.versions;
    let server = servers.iter().find(|server| {
        let judged = |version: &crate::catalog::Version| {
            server.judged.iter().any(|at| at.server.value == *version)
        };
        !versions.is_empty() && versions.iter().all(judged)
    })?;
    let phrase = versions::phrase(versions, server.judged)?;
    Some(format!(
        "holds for {} {phrase}",
        super::json::kind(server.site.server)
    ))
}

fn capped(endpoints: &[String]) -> String {
    let shown = endpoints
        .iter()
        .take(ENDPOINTS_SHOWN)
        .map(|endpoint| escape::short(endpoint))
        .collect::<Vec<_>>()
        .join("; ");
    match endpoints.len().checked_sub(ENDPOINTS_SHOWN + 1) {
        Some(hidden) => format!("{shown}; and {} more", hidden + 1),
        None => shown,
    }
}

/// One snippet a file, or several where the places of a file stand far apart; the primary
/// place's first.
fn snippets<'a>(places: &[Marked<'a>], sources: &Sources) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut groups: Vec<Vec<&Marked<'a>>> = Vec::new();
    for place in places {
        let near = groups.iter_mut().find(|group| {
            group.iter().any(|other| {
                other.location.path == place.location.path
                    && other.location.line.abs_diff(place.location.line) <= NEAR
            })
        });
        match near {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups.iter().map(|group| snippet(group, sources)).collect()
}

fn snippet<'a>(group: &[&Marked<'a>], sources: &Sources) -> Snippet<'a, Annotation<'a>> {
    let path = &group[0].location.path;
    let bytes = sources
        .get(path)
        .map(|bytes| &bytes[..])
        .unwrap_or_default();
    let locations: Vec<&Location> = group.iter().map(|place| place.location).collect();
    let excerpt = Excerpt::new(bytes, &locations);
    let annotations = group.iter().zip(excerpt.places).map(|(place, span)| {
        let kind = if place.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let label = Some(escape::line(place.label)).filter(|label| !label.is_empty());
        kind.span(span).label(label)
    });
    Snippet::source(excerpt.text)
        .line_start(excerpt.line)
        .path(escape::path(path))
        .annotations(annotations.collect::<Vec<_>>())
}
