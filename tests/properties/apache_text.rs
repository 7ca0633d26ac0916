//! httpd's text cut into logical lines, as `ap_cfg_getline` joins them and `ap_getword_conf`
//! cuts their words. Written apart from the project's own reader, which is what these tests are
//! about.

use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or a comment.
    Blank,
    Directive,
    Open,
    Close,
}

/// A logical line.
#[derive(Debug, Clone)]
pub struct Line {
    pub kind: Kind,
    /// With its line end.
    pub range: Range<usize>,
    /// Without it.
    pub content: Range<usize>,
    /// The name in small letters, without brackets and quotes.
    pub name: String,
    /// What it says, continuations removed, trimmed.
    pub joined: Vec<u8>,
    /// It is the body of a macro, or opens or closes one.
    pub in_macro: bool,
}

/// The lines; `None` for a text with a NUL in it.
pub fn lines(text: &[u8]) -> Option<Vec<Line>> {
    if text.contains(&0) {
        return None;
    }
    let (mut found, mut at, mut depth) = (Vec::new(), 0, 0_usize);
    while at < text.len() {
        let mut line = logical(text, at);
        let inside = depth > 0;
        let is_macro = line.name == "macro";
        match line.kind {
            Kind::Open if is_macro => depth += 1,
            Kind::Close if is_macro => depth = depth.saturating_sub(1),
            _ => {}
        }
        line.in_macro = inside || depth > 0;
        at = line.range.end;
        found.push(line);
    }
    Some(found)
}

fn logical(text: &[u8], start: usize) -> Line {
    let (mut at, mut joined) = (start, Vec::new());
    let content = loop {
        let rest = &text[at..];
        let Some(feed) = rest.iter().position(|byte| *byte == b'\n') else {
            joined.extend_from_slice(rest);
            at = text.len();
            break text.len();
        };
        let mut end = at + feed;
        if end > at && text[end - 1] == b'\r' {
            end -= 1;
        }
        let next = at + feed + 1;
        if end > at && text[end - 1] == b'\\' {
            joined.extend_from_slice(&text[at..end - 1]);
            at = next;
            continue;
        }
        joined.extend_from_slice(&text[at..end]);
        at = next;
        break end;
    };
    let trimmed = trim(&joined).to_vec();
    let (kind, name) = head(&trimmed);
    Line {
        kind,
        range: start..at,
        content: start..content,
        name,
        joined: trimmed,
        in_macro: false,
    }
}

fn head(line: &[u8]) -> (Kind, String) {
    let end = line.iter().position(|byte| is_space(*byte));
    let first = &line[..end.unwrap_or(line.len())];
    let name = |bytes: &[u8]| {
        let bytes = bytes.strip_suffix(b">").unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        text.trim_matches(['"', '\'']).to_owned()
    };
    match first {
        [] | [b'#', ..] => (Kind::Blank, String::new()),
        [b'<', b'/', rest @ ..] => (Kind::Close, name(rest)),
        [b'<', rest @ ..] => (Kind::Open, name(rest)),
        first => (Kind::Directive, name(first)),
    }
}

pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte));
    let end = bytes.iter().rposition(|byte| !is_space(*byte));
    match (start, end) {
        (Some(start), Some(end)) => &bytes[start..=end],
        _ => &[],
    }
}

/// The words of a piece of a line; quotes belong to their word.
pub fn words(line: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < line.len() {
        if is_space(line[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let quote = Some(line[at]).filter(|byte| b"\"'".contains(byte));
        at += 1;
        while at < line.len() {
            match quote {
                None if is_space(line[at]) => break,
                Some(quote) if line[at] == quote => {
                    at += 1;
                    break;
                }
                Some(_) if line[at] == b'\\' => at += 2,
                _ => at += 1,
            }
        }
        found.push(start..at.min(line.len()));
    }
    found
}

/// Every section of these lines closes among them.
pub fn is_balanced(lines: &[Line]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for line in lines {
        // A macro's body need not be in balance.
        let edge = line.name == "macro";
        if line.in_macro && !edge {
            continue;
        }
        match line.kind {
            Kind::Open => open.push(&line.name),
            Kind::Close if open.pop() != Some(line.name.as_str()) => return false,
            _ => {}
        }
    }
    open.is_empty()
}
