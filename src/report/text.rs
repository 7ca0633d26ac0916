//! Findings and problems as text with the source line and carets.

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use rayon::prelude::*;

use super::escape;
use super::excerpt::{Excerpt, NEAR};
use super::explain::severity_word;
use super::versions::Phrases;
use super::{Lint, Paint, Problem, Sources};
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
        let mut phrases = Phrases::default();
        for finding in findings {
            out.push_str(&one_finding(finding, lint, &mut phrases, paint));
            out.push_str("\n\n");
        }
        out
    };
    if lint.findings.len() < FEW {
        return shown(&lint.findings);
    }
    let mut out = String::new();
    // So much at once that all processors have work, and not all of the text twice.
    let at_once = 8 * FEW * rayon::current_num_threads();
    for some in lint.findings.chunks(at_once) {
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

pub(super) fn one_finding(
    finding: &Finding,
    lint: &Lint<'_>,
    phrases: &mut Phrases,
    paint: Paint,
) -> String {
    let title = escape::line(&finding.message);
    let snippets = snippets(&places(finding), lint.sources);
    let remarks = remarks(finding, phrases.of(finding, &lint.servers));
    let plain = !paint.colour() && is_plain(&title) && remarks.iter().all(|(_, it)| is_plain(it));
    match plain {
        true => plainly(finding, &title, snippets, &remarks),
        false => rendered(finding, title, snippets, remarks, paint),
    }
}

fn rendered(
    finding: &Finding,
    title: String,
    snippets: Vec<Snippet<'_, Annotation<'_>>>,
    remarks: Vec<(Of, String)>,
    paint: Paint,
) -> String {
    let title = level(finding.severity).primary_title(title);
    let mut group = title.id(finding.rule).elements(snippets);
    for (of, line) in remarks {
        group = group.element(of.level().message(line));
    }
    renderer(paint).render(&[group])
}

/// The same without colours: the renderer lays out the snippets, and what stands around them,
/// which is most of the text, is put there as it is.
fn plainly(
    finding: &Finding,
    title: &str,
    snippets: Vec<Snippet<'_, Annotation<'_>>>,
    remarks: &[(Of, String)],
) -> String {
    let group = Level::NOTE.primary_title("").elements(snippets);
    let group = match remarks.is_empty() {
        true => group,
        false => group.element(Level::NOTE.message(MARK)),
    };
    let laid_out = Renderer::plain().render(&[group]);
    // Its first line is the title, its last one the remark.
    let (_, shown) = laid_out.split_once('\n').unwrap_or_default();
    let marked = shown.rsplit_once('\n').unwrap_or_default();
    let (shown, before) = match remarks.is_empty() {
        true => (shown, ""),
        false => (
            marked.0,
            marked.1.split_once(Of::Note.word()).map_or("", |it| it.0),
        ),
    };
    let length: usize = remarks.iter().map(|(_, line)| line.len() + 16).sum();
    let mut out = String::with_capacity(title.len() + shown.len() + length + 64);
    out.push_str(severity_word(finding.severity));
    for part in ["[", finding.rule, "]: ", title, "\n", shown] {
        out.push_str(part);
    }
    for (of, line) in remarks {
        for part in ["\n", before, of.word(), ": ", line] {
            out.push_str(part);
        }
    }
    out
}

/// Stands for a remark while the snippets are laid out.
const MARK: &str = "-";

/// The renderer shows it as it is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// What a remark is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Of {
    Note,
    Help,
}

impl Of {
    const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Help => "help",
        }
    }

    fn level(self) -> Level<'static> {
        match self {
            Self::Note => Level::NOTE,
            Self::Help => Level::HELP,
        }
    }
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

/// What stands below the snippets, escaped.
fn remarks(finding: &Finding, versions: Option<&str>) -> Vec<(Of, String)> {
    let mut out = Vec::new();
    let mut note = |line: &str| out.push((Of::Note, escape::line(line)));
    if let Some(hidden) = finding.related.len().checked_sub(RELATED_SHOWN + 1) {
        note(&format!("and {} more places like these", hidden + 1));
    }
    if !finding.endpoints.is_empty() {
        note(&format!("affects {}", capped(&finding.endpoints)));
    }
    for condition in &finding.when {
        note(&format!("holds where {condition}"));
    }
    if let Some(versions) = versions {
        note(versions);
    }
    match finding.confidence {
        Confidence::High => {}
        Confidence::Medium => note("confidence: medium"),
        Confidence::Low => note("confidence: low"),
    }
    let help = finding.help.iter();
    out.extend(help.map(|help| (Of::Help, escape::line(help))));
    out
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
    let locations: Vec<&Location> = group.iter().map(|place| place.location).collect();
    let excerpt = Excerpt::of(path, &locations, sources);
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::finding::Related;
    use crate::text::{LineIndex, Span};

    /// A finding at `places`, in a file of numbered lines, with as many remarks.
    fn finding(
        places: &[(usize, usize)],
        remarks: usize,
        severity: Severity,
    ) -> (Finding, Sources) {
        let text: String = (1..300)
            .map(|line| format!("line {line} of\tit;\n"))
            .collect();
        let path: Arc<Path> = Arc::from(Path::new("/etc/nginx/a file.conf"));
        let lines = LineIndex::new(text.as_bytes());
        let at = |&(start, end): &(usize, usize)| {
            Location::new(&path, Span::new(start as u32, end as u32), &lines)
        };
        let related = places.iter().skip(1).map(|place| Related {
            location: at(place),
            label: "here too".to_owned(),
        });
        let finding = Finding {
            rule: "some-rule",
            severity,
            confidence: Confidence::High,
            message: "what is  wrong: `a`, \"b\" ".to_owned(),
            location: at(&places[0]),
            label: "this one".to_owned(),
            related: related.collect(),
            endpoints: Vec::new(),
            help: (0..remarks)
                .map(|at| format!(" do {at} = note: x "))
                .collect(),
            versions: Arc::default(),
            when: Vec::new(),
            fix: None,
        };
        let sources = Sources::from_iter([(Arc::clone(&path), Arc::from(text.as_bytes()))]);
        (finding, sources)
    }

    #[test]
    fn what_is_put_around_the_snippets_is_what_the_renderer_puts_there() {
        let shapes: [&[(usize, usize)]; 5] = [
            &[(0, 4)],
            &[(40, 50), (20, 25)],
            &[(2000, 2004), (10, 60), (3000, 3001)],
            &[(9, 9)],
            &[(90_000, 90_001)],
        ];
        let grades = [
            Severity::Pedantic,
            Severity::Note,
            Severity::Warning,
            Severity::Error,
        ];
        for places_of in shapes {
            for (remarks_of, severity) in
                [(0, 0), (1, 1), (2, 2), (3, 3)].map(|(count, at)| (count, grades[at]))
            {
                let (finding, sources) = finding(places_of, remarks_of, severity);
                let title = escape::line(&finding.message);
                let shown = || snippets(&places(&finding), &sources);
                let remarks = remarks(&finding, None);
                assert_eq!(remarks.len(), remarks_of);
                let put = plainly(&finding, &title, shown(), &remarks);
                let whole = rendered(&finding, title, shown(), remarks, Paint::new(false));
                assert_eq!(put, whole);
            }
        }
    }
}
