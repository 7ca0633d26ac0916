//! One self-contained page: the state by address and name, who accepts whose sessions, the
//! findings, the patch. Loads nothing and runs nothing but its own script, which a policy in
//! the page names by its digest.

mod domains;
mod findings;
mod markup;
mod matrix;
mod patch;
mod sections;
mod sides;
mod snippet;

use sha2::{Digest, Sha256};

use super::{Problem, RulePage, Server, Sources};
use crate::finding::{Finding, Silenced};
use crate::text::Span;
use markup::Html;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a page is made from.
#[derive(Clone, Debug)]
pub struct HtmlReport<'a> {
    /// What was asked for: `lint`, `inspect` or `fix`.
    pub command: &'static str,
    /// The configurations.
    pub servers: Vec<Server<'a>>,
    /// The same with the patch applied, in the same order; empty without a patch.
    pub after: Vec<Server<'a>>,
    /// What was found; `None` where nothing was judged.
    pub findings: Option<Vec<&'a Finding>>,
    /// What was found and is accepted, with the reason.
    pub silenced: &'a [Silenced],
    /// What was not read.
    pub problems: &'a [Problem],
    /// For snippets.
    pub sources: &'a Sources,
    /// Templates that were skipped.
    pub templates: usize,
    /// Every rule.
    pub rules: &'a [RulePage<'a>],
    /// What would be changed; `None` where no patch was asked for.
    pub patch: Option<HtmlPatch<'a>>,
}

/// A patch, file by file.
#[derive(Clone, Debug, Default)]
pub struct HtmlPatch<'a> {
    /// Files that change.
    pub files: Vec<PatchedFile<'a>>,
    /// What it costs, a sentence each.
    pub costs: &'a [String],
    /// What to know about a file, a sentence each.
    pub notes: Vec<String>,
    /// What makes it live.
    pub go_live: Option<&'static str>,
    /// What was not repaired and why, a sentence each.
    pub refused: Vec<String>,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct PatchedFile<'a> {
    /// Its path.
    pub path: String,
    /// Its bytes as read.
    pub before: &'a [u8],
    /// Its bytes afterwards.
    pub after: &'a [u8],
    /// Why, by place in `after`: `rule: reason`.
    pub reasons: Vec<(Span, String)>,
}

/// The page of a request that could not be met.
pub fn html_failed(command: &'static str, problems: &[Problem]) -> String {
    html(&HtmlReport {
        command,
        servers: Vec::new(),
        after: Vec::new(),
        findings: None,
        silenced: &[],
        problems,
        sources: &Sources::default(),
        templates: 0,
        rules: &[],
        patch: None,
    })
}

/// The page.
pub fn html(report: &HtmlReport<'_>) -> String {
    let mut page = Html::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.open(
        "meta",
        &[
            ("http-equiv", "Content-Security-Policy"),
            ("content", &policy()),
        ],
    );
    page.raw("\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.raw("<meta name=\"referrer\" content=\"no-referrer\">\n");
    page.raw("<title>").text(&title(report)).raw("</title>\n");
    page.raw("<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n");
    sections::body(&mut page, report);
    page.raw("<script>")
        .raw(SCRIPT)
        .raw("</script>\n</body>\n</html>\n");
    page.finish()
}

fn title(report: &HtmlReport<'_>) -> String {
    match &report.servers[..] {
        [server] => format!(
            "stekguard {}: {}",
            report.command,
            server.site.root.display()
        ),
        servers => format!(
            "stekguard {}: {}",
            report.command,
            super::summary::count(servers.len(), "configuration")
        ),
    }
}

/// Nothing is loaded; the style and the script are those of this page.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        base64(&Sha256::digest(STYLE)),
        base64(&Sha256::digest(SCRIPT)),
    )
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff], "+/8="),
        ] {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn the_page_does_not_end_its_own_elements_early() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
