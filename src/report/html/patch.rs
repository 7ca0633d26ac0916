//! The patch, side by side.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::markup::Html;
use super::sides::{Side, differing};
use super::{HtmlPatch, PatchedFile};
use crate::report::escape;
use crate::report::summary::count;
use crate::text::Span;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The section.
pub(super) fn section(page: &mut Html, patch: &HtmlPatch<'_>) {
    page.raw("<section aria-labelledby=\"patch\">\n<h2 id=\"patch\">Patch</h2>\n");
    if patch.files.is_empty() {
        page.raw("<p>Nothing changes.</p>\n");
    } else {
        page.raw("<p>")
            .text(&count(patch.files.len(), "file"))
            .raw(" changed.</p>\n");
    }
    page.raw("<ul class=\"remarks\">\n");
    for cost in patch.costs {
        page.raw("<li>Cost: ").prose(cost).raw("</li>\n");
    }
    for note in &patch.notes {
        page.raw("<li>").prose(note).raw("</li>\n");
    }
    if let Some(live) = patch.go_live {
        page.raw("<li>").text(live).raw("</li>\n");
    }
    for refused in &patch.refused {
        page.raw("<li>Not changed: ").prose(refused).raw("</li>\n");
    }
    page.raw("</ul>\n");
    for file in &patch.files {
        one_file(page, file);
    }
    page.raw("</section>\n");
}

fn one_file(page: &mut Html, file: &PatchedFile<'_>) {
    let (old, new) = (lines(file.before), lines(file.after));
    let mut ends = vec![0];
    let mut end = 0;
    ends.extend(new.iter().map(|line| {
        end += line.len();
        end
    }));
    let mut reasons: Vec<&(Span, String)> = file.reasons.iter().collect();
    reasons.sort_by_key(|(span, _)| span.start);
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    page.raw("<h3 class=\"file\"><code>")
        .text(&file.path)
        .raw("</code></h3>\n");
    let label = format!("Changes of {}", file.path);
    let region = [
        ("class", "scroll"),
        ("tabindex", "0"),
        ("role", "region"),
        ("aria-label", &*label),
    ];
    page.open("div", &region);
    page.raw("<table class=\"diff\"><colgroup><col class=\"narrow\"><col><col class=\"narrow\">");
    page.raw("<col></colgroup><thead class=\"hide\"><tr><th scope=\"col\">Line</th>");
    page.raw("<th scope=\"col\">Before</th><th scope=\"col\">Line</th>");
    page.raw("<th scope=\"col\">After</th></tr></thead>\n");
    for group in group_diff_ops(ops, CONTEXT) {
        if let Some((first, last)) = group.first().zip(group.last()) {
            let bytes = ends[first.new_range().start]..=ends[last.new_range().end];
            said(page, &reasons, &bytes);
        }
        hunk(page, &group, (&old, &new));
    }
    page.raw("</table></div>\n");
}

/// Lines with their line feeds, as git counts them.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Why a hunk's bytes of the text afterwards are as they are, each sentence once. `reasons` are
/// sorted by where they begin.
fn said(page: &mut Html, reasons: &[&(Span, String)], bytes: &RangeInclusive<usize>) {
    page.raw("<tbody>\n");
    let first = reasons.partition_point(|(span, _)| (span.start as usize) < *bytes.start());
    let behind = reasons.get(first..).unwrap_or_default().iter();
    let near = behind.take_while(|(span, _)| span.start as usize <= *bytes.end());
    let mut said: HashSet<&str> = HashSet::new();
    for (_, why) in near.filter(|(span, _)| span.end as usize <= *bytes.end()) {
        if said.insert(why) {
            page.raw("<tr class=\"reason\"><td colspan=\"4\">")
                .prose(why)
                .raw("</td></tr>\n");
        }
    }
}

fn hunk(page: &mut Html, ops: &[DiffOp], (old, new): (&[&[u8]], &[&[u8]])) {
    for op in ops {
        let (gone, come) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            for (a, b) in gone.zip(come) {
                same(page, a, b, old[a]);
            }
            continue;
        }
        for row in 0..gone.len().max(come.len()) {
            let before = (gone.start + row < gone.end).then_some(gone.start + row);
            let after = (come.start + row < come.end).then_some(come.start + row);
            changed(
                page,
                before.map(|it| (it, old[it])),
                after.map(|it| (it, new[it])),
            );
        }
    }
    page.raw("</tbody>\n");
}

fn same(page: &mut Html, old: usize, new: usize, line: &[u8]) {
    page.raw("<tr>");
    // Where both do not fit beside each other, the second is left out.
    for (number, place, class) in [(old, "number", "code"), (new, "number twin", "code twin")] {
        page.element("td", &[("class", place)], &(number + 1).to_string());
        page.open("td", &[("class", class)])
            .shown(&shown(line))
            .raw("</td>");
    }
    page.raw("</tr>\n");
}

/// Two lines of which one may be missing.
fn changed(page: &mut Html, before: Option<(usize, &[u8])>, after: Option<(usize, &[u8])>) {
    let (old, new) = (
        before.map(|(_, line)| shown(line)),
        after.map(|(_, line)| shown(line)),
    );
    let (old_side, new_side) = differing(old.as_deref(), new.as_deref());
    page.raw("<tr>");
    side(page, before, old_side, ("del", "code removed", "removed "));
    side(page, after, new_side, ("ins", "code added", "added "));
    page.raw("</tr>\n");
}

fn side(
    page: &mut Html,
    line: Option<(usize, &[u8])>,
    parts: Side<'_>,
    (name, class, word): (&'static str, &'static str, &'static str),
) {
    let Some((number, bytes)) = line else {
        page.raw("<td class=\"number missing\"></td><td class=\"code missing\"></td>");
        return;
    };
    page.element("td", &[("class", "number")], &(number + 1).to_string());
    page.open("td", &[("class", class)])
        .raw("<span class=\"hide\">")
        .raw(word)
        .raw("</span>");
    page.shown(parts.before);
    if !parts.changed.is_empty() {
        page.open(name, &[]).shown(parts.changed).close(name);
    }
    page.shown(parts.after);
    if !bytes.ends_with(b"\n") {
        page.raw("<span class=\"flag\">no line feed</span>");
    }
    page.raw("</td>");
}

/// A line without its end, safe to look at.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    escape::bytes(line.strip_suffix(b"\r").unwrap_or(line))
}
