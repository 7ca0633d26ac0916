//! Planned files as a unified diff that `git apply` and `patch -p1` take. Bytes in, bytes
//! out; it opens no file.

use std::path::{Path, PathBuf};

use colored::{ColoredString, Colorize};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use crate::fix::plan::{PlannedFile, Reason};

/// Lines of context around a change, as git and diff have.
const CONTEXT: usize = 3;

/// How to print a patch.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct PatchOptions<'path> {
    /// The directory to which files below it are named; the others, and all without one, are
    /// named relative to `/`.
    pub root: Option<&'path Path>,
    /// For a terminal: bytes that it would act on are written out as `\xNN`. Such a patch is
    /// to read, not to apply.
    pub terminal: bool,
    /// With colours, as `colored` has them switched; for a terminal only.
    pub colour: bool,
}

/// The patch; empty where nothing changes. Behind the second `@@` of a hunk stand the rules
/// and reasons of its changes.
pub fn patch(files: &[PlannedFile], options: PatchOptions<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for file in files {
        one_file(&mut out, file, options);
    }
    if options.terminal {
        paint(&out, options.colour)
    } else {
        out
    }
}

/// The directory with a `.git` that all files lie below, if it is the same for all. This
/// looks at the disk, but reads nothing.
pub fn common_repository(files: &[PlannedFile]) -> Option<PathBuf> {
    let mut roots = files.iter().map(|file| repository(file.real.as_deref()?));
    let first = roots.next()??;
    roots
        .all(|root| root.as_deref() == Some(&first))
        .then_some(first)
}

fn repository(file: &Path) -> Option<PathBuf> {
    file.ancestors()
        .skip(1)
        .find(|dir| dir.join(".git").exists())
        .map(Path::to_path_buf)
}

fn one_file(out: &mut Vec<u8>, file: &PlannedFile, options: PatchOptions<'_>) {
    let old = lines(&file.before);
    let new = lines(&file.after);
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT);
    if groups.is_empty() {
        return;
    }
    let name = file_name(file, options.root);
    out.extend_from_slice(&header(b"--- ", b"a/", &name));
    out.extend_from_slice(&header(b"+++ ", b"b/", &name));
    let starts = starts(&new);
    for group in groups {
        hunk(out, &group, (&old, &new), &starts, &file.reasons);
    }
}

/// Lines with their line feeds. Only LF ends a line here, as in git.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Where lines begin, and where the last one ends.
fn starts(lines: &[&[u8]]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in lines {
        at += line.len();
        starts.push(at);
    }
    starts
}

fn hunk(
    out: &mut Vec<u8>,
    ops: &[DiffOp],
    (old, new): (&[&[u8]], &[&[u8]]),
    starts: &[usize],
    reasons: &[Reason],
) {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else {
        return;
    };
    let old_lines = first.old_range().start..last.old_range().end;
    let new_lines = first.new_range().start..last.new_range().end;
    let byte = |line: usize| starts.get(line).copied().unwrap_or(0);
    let bytes = byte(new_lines.start)..=byte(new_lines.end);
    let mut why: Vec<String> = Vec::new();
    for reason in reasons {
        let (start, end) = (reason.span.start as usize, reason.span.end as usize);
        let text = one_line(&reason.clause());
        if bytes.contains(&start) && end <= *bytes.end() && !why.contains(&text) {
            why.push(text);
        }
    }
    let ranges = format!("@@ -{} +{} @@", range(old_lines), range(new_lines));
    out.extend_from_slice(ranges.as_bytes());
    if !why.is_empty() {
        out.extend_from_slice(format!(" {}", why.join("; ")).as_bytes());
    }
    out.push(b'\n');
    for op in ops {
        let (gone, come) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            print(out, b' ', old.get(gone).unwrap_or_default());
            continue;
        }
        print(out, b'-', old.get(gone).unwrap_or_default());
        print(out, b'+', new.get(come).unwrap_or_default());
    }
}

/// `start,count`, lines from 1; an empty range names the line before it.
fn range(lines: std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn print(out: &mut Vec<u8>, mark: u8, lines: &[&[u8]]) {
    for line in lines {
        out.push(mark);
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_control() || c == ' ').collect();
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The file's name below the root, without a leading slash.
fn file_name(file: &PlannedFile, root: Option<&Path>) -> Vec<u8> {
    let opened = file.paths.first().map_or(Path::new(""), |path| path);
    let path = file.real.as_deref().unwrap_or(opened);
    let below = root
        .and_then(|root| path.strip_prefix(root).ok())
        .unwrap_or(path);
    let bytes = below.as_os_str().as_encoded_bytes();
    let start = bytes
        .iter()
        .position(|byte| *byte != b'/')
        .unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default().to_vec()
}

/// A header line. Names that would end early are quoted as git quotes them; behind a name
/// with a space stands a tab, by which `patch` finds its end.
fn header(mark: &[u8], side: &[u8], name: &[u8]) -> Vec<u8> {
    let special = |byte: &u8| *byte < b' ' || *byte >= 0x7f || matches!(byte, b'"' | b'\\');
    let mut line = mark.to_vec();
    if name.iter().any(special) {
        line.push(b'"');
        line.extend_from_slice(side);
        name.iter().for_each(|byte| quote(&mut line, *byte));
        line.push(b'"');
    } else {
        line.extend_from_slice(side);
        line.extend_from_slice(name);
        if name.contains(&b' ') {
            line.push(b'\t');
        }
    }
    line.push(b'\n');
    line
}

fn quote(line: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
        b'\t' => line.extend_from_slice(b"\\t"),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b' '..=0x7e => line.push(byte),
        _ => line.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
    }
}

fn paint(patch: &[u8], colour: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(patch.len());
    for line in lines(patch) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let text = harmless(line);
        let painted = match line {
            _ if !colour => ColoredString::from(text),
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => text.bold(),
            [b'@', b'@', ..] => text.cyan(),
            [b'-', ..] => text.red(),
            [b'+', ..] => text.green(),
            _ => ColoredString::from(text),
        };
        out.extend_from_slice(painted.to_string().as_bytes());
        out.push(b'\n');
    }
    out
}

/// Text that a terminal only shows: control characters and bytes that are no UTF-8 escaped.
fn harmless(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => text.push(c),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
