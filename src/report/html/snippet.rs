//! The lines that a finding points at, with numbers and marks.

use super::markup::Html;
use crate::finding::Finding;
use crate::report::excerpt::{Excerpt, NEAR};
use crate::report::{Sources, escape};
use crate::text::Location;

/// Further places that are shown.
const RELATED_SHOWN: usize = 6;

/// A place with what is said at it.
struct Marked<'a> {
    location: &'a Location,
    label: &'a str,
    primary: bool,
}

/// Every place of a finding, neighbours in one block.
pub(super) fn snippets(page: &mut Html, finding: &Finding, sources: &Sources) {
    let mut groups = vec![vec![Marked {
        location: &finding.location,
        label: &finding.label,
        primary: true,
    }]];
    for related in finding.related.iter().take(RELATED_SHOWN) {
        let place = Marked {
            location: &related.location,
            label: &related.label,
            primary: false,
        };
        let near = groups.iter_mut().find(|group| {
            group.iter().any(|other| {
                let (a, b) = (other.location, place.location);
                a.path == b.path && a.line.abs_diff(b.line) <= NEAR
            })
        });
        match near {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    for group in &groups {
        one(page, group, sources);
    }
    if let Some(hidden) = finding.related.len().checked_sub(RELATED_SHOWN + 1) {
        page.raw("<p class=\"dim\">")
            .text(&format!("and {} more places like these", hidden + 1));
        page.raw("</p>\n");
    }
}

fn one(page: &mut Html, group: &[Marked<'_>], sources: &Sources) {
    let place = group[0].location;
    page.raw("<figure class=\"snippet\"><figcaption><code>")
        .shown(&escape::path(&place.path));
    page.text(&format!(":{}:{}", place.line, place.column));
    page.raw("</code></figcaption>\n");
    let Some((bytes, lines)) = sources.lines(&place.path) else {
        page.raw("</figure>\n");
        return;
    };
    let locations: Vec<&Location> = group.iter().map(|place| place.location).collect();
    let excerpt = Excerpt::new(bytes, lines, &locations);
    page.raw("<pre tabindex=\"0\">");
    let mut at = 0;
    let mut last = None;
    for (index, line) in excerpt.text.split_inclusive('\n').enumerate() {
        let here: Vec<(usize, &Marked<'_>)> = (0..group.len())
            .filter(|it| group[*it].location.line as usize == excerpt.line + index)
            .map(|it| (it, &group[it]))
            .collect();
        if !here.is_empty() {
            if last.is_some_and(|last| last + 1 != index) {
                page.raw("<span class=\"gap\">⋯</span>");
            }
            last = Some(index);
            let marks = here.iter().map(|(place, marked)| {
                let range = &excerpt.places[*place];
                let within = |offset: usize| offset.saturating_sub(at).min(line.len());
                (within(range.start)..within(range.end), *marked)
            });
            numbered(page, excerpt.line + index, line, marks.collect());
        }
        at += line.len();
    }
    page.raw("</pre></figure>\n");
}

/// A line with its number, its marks and what is said at them.
fn numbered(
    page: &mut Html,
    number: usize,
    line: &str,
    mut marks: Vec<(std::ops::Range<usize>, &Marked<'_>)>,
) {
    let text = line.trim_end_matches('\n');
    marks.sort_by_key(|(range, _)| (range.start, range.end));
    page.raw("<span class=\"line\"><span class=\"number\">")
        .text(&number.to_string());
    page.raw("</span><span class=\"code\">");
    let mut done = 0;
    for (range, marked) in &marks {
        // A mark inside of another one is told by its label alone.
        let (start, end) = (range.start.max(done), range.end.min(text.len()));
        let (Some(before), Some(inside)) = (text.get(done..start), text.get(start..end)) else {
            continue;
        };
        page.shown(before);
        let class = if marked.primary { "first" } else { "further" };
        page.open("mark", &[("class", class)])
            .shown(inside)
            .close("mark");
        done = end;
    }
    page.shown(text.get(done..).unwrap_or_default());
    page.raw("</span></span>");
    for (_, marked) in marks.iter().filter(|(_, marked)| !marked.label.is_empty()) {
        page.raw("<span class=\"label\">")
            .prose(marked.label)
            .raw("</span>");
    }
}
