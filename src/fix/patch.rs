//! Planned files as a unified diff that `git apply` and `patch -p1` take. Bytes in, bytes
//! out; it opens no file.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use colored::{ColoredString, Colorize};
use rayon::prelude::*;
use similar::{Algorithm, capture_diff_slices};

use crate::fix::hunks::{Hunk, hunks_of, is_equal, lines};
use crate::fix::plan::PlannedFile;
use crate::text::deceives;

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
    let piece = |file: &PlannedFile| {
        let lines = (lines(&file.before), lines(&file.after));
        let hunks = hunks_of(file, &lines.0, &lines.1);
        match hunks.is_empty() {
            true => Vec::new(),
            false => print(file, &hunks, options, &lines),
        }
    };
    let pieces: Vec<Vec<u8>> = files.par_iter().with_min_len(FEW).map(piece).collect();
    pieces.concat()
}

/// For fewer files, starting threads takes longer than they save.
const FEW: usize = 64;

/// The part of a patch for these hunks of a file, with the file's header.
pub fn piece(file: &PlannedFile, hunks: &[Hunk], options: PatchOptions<'_>) -> Vec<u8> {
    let lines = (lines(&file.before), lines(&file.after));
    print(file, hunks, options, &lines)
}

/// The same for who has the file's lines before and afterwards.
fn print(
    file: &PlannedFile,
    hunks: &[Hunk],
    options: PatchOptions<'_>,
    (old, new): &(Vec<&[u8]>, Vec<&[u8]>),
) -> Vec<u8> {
    let mut rows = Rows::default();
    let name = file_name(file, options.root);
    rows.push(Kind::Header, header(b"--- ", b"a/", &name));
    rows.push(Kind::Header, header(b"+++ ", b"b/", &name));
    for hunk in hunks {
        print_hunk(
            &mut rows,
            hunk,
            old,
            new,
            options.terminal && options.colour,
        );
    }
    rows.bytes(options)
}

/// The directory with a `.git` that all files lie below, if it is the same for all. This
/// looks at the disk, but reads nothing.
pub fn common_repository(files: &[PlannedFile]) -> Option<PathBuf> {
    // Many files, few folders.
    let mut known: HashMap<&Path, bool> = HashMap::new();
    let first = repository(files.first()?.real.as_deref()?)?;
    for file in files {
        let folder = file.real.as_deref()?.parent()?;
        let same = known
            .entry(folder)
            .or_insert_with(|| above(folder).as_ref() == Some(&first));
        if !*same {
            return None;
        }
    }
    Some(first)
}

fn repository(file: &Path) -> Option<PathBuf> {
    above(file.parent()?)
}

fn above(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|dir| dir.join(".git").exists())
        .map(Path::to_path_buf)
}

/// What a line of a patch is.
#[derive(Copy, Clone, Eq, PartialEq)]
enum Kind {
    Header,
    Place,
    Same,
    Gone,
    Come,
    Remark,
}

/// The lines of a patch, each with its line feed, and the bytes in it that differ from the
/// line it stands for.
#[derive(Default)]
struct Rows(Vec<(Kind, Vec<u8>, Vec<Range<usize>>)>);

impl Rows {
    fn push(&mut self, kind: Kind, line: Vec<u8>) {
        self.0.push((kind, line, Vec::new()));
    }

    fn lines(&mut self, kind: Kind, lines: &[&[u8]], marked: &[Vec<Range<usize>>]) {
        let mark = match kind {
            Kind::Gone => b'-',
            Kind::Come => b'+',
            _ => b' ',
        };
        for (index, line) in lines.iter().enumerate() {
            let mut row = Vec::with_capacity(line.len() + 2);
            row.push(mark);
            row.extend_from_slice(line);
            let open = !line.ends_with(b"\n");
            if open {
                row.push(b'\n');
            }
            let ranges = marked.get(index).cloned().unwrap_or_default();
            self.0.push((kind, row, ranges));
            if open {
                self.push(Kind::Remark, b"\\ No newline at end of file\n".to_vec());
            }
        }
    }

    fn bytes(self, options: PatchOptions<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.iter().map(|(_, line, _)| line.len()).sum());
        for (kind, line, marked) in self.0 {
            match options.terminal {
                true => {
                    out.extend_from_slice(shown(kind, &line, &marked, options.colour).as_bytes())
                }
                false => out.extend_from_slice(&line),
            }
        }
        out
    }
}

fn print_hunk(rows: &mut Rows, hunk: &Hunk, old: &[&[u8]], new: &[&[u8]], marks: bool) {
    let mut why: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for reason in &hunk.reasons {
        let text = one_line(&reason.clause());
        if known.insert(text.clone()) {
            why.push(text);
        }
    }
    let (before, after) = (range(hunk.old.clone()), range(hunk.new.clone()));
    let mut head = format!("@@ -{before} +{after} @@");
    if !why.is_empty() {
        head.push(' ');
        head.push_str(&why.join("; "));
    }
    head.push('\n');
    rows.push(Kind::Place, head.into_bytes());
    for op in &hunk.ops {
        let gone = old.get(op.old_range()).unwrap_or_default();
        let come = new.get(op.new_range()).unwrap_or_default();
        if is_equal(op) {
            rows.lines(Kind::Same, gone, &[]);
            continue;
        }
        // Only colours show them.
        let (marked_gone, marked_come) = match marks {
            true => words_that_differ(gone, come),
            false => (Vec::new(), Vec::new()),
        };
        rows.lines(Kind::Gone, gone, &marked_gone);
        rows.lines(Kind::Come, come, &marked_come);
    }
}

/// The bytes of each line that differ from the line which stands in its place, word by word;
/// nothing where lines do not stand for one another.
fn words_that_differ(gone: &[&[u8]], come: &[&[u8]]) -> (Marked, Marked) {
    if gone.len() != come.len() {
        return (Vec::new(), Vec::new());
    }
    gone.iter()
        .zip(come)
        .map(|(gone, come)| {
            let (old, new) = (words(gone), words(come));
            let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
            // Lines without a word in common: all of it differs, and nothing stands out.
            let has_letters = |word: &&[u8]| word.iter().any(u8::is_ascii_alphanumeric);
            let shared = ops.iter().filter(|op| is_equal(op));
            let mut shared = shared.flat_map(|op| old.get(op.old_range()).unwrap_or_default());
            if !shared.any(has_letters) {
                return (Vec::new(), Vec::new());
            }
            let differ = ops.iter().filter(|op| !is_equal(op));
            let (gone, come): (Vec<_>, Vec<_>) = differ
                .map(|op| {
                    (
                        bytes_of(&old, op.old_range()),
                        bytes_of(&new, op.new_range()),
                    )
                })
                .unzip();
            (gone, come)
        })
        .unzip()
}

type Marked = Vec<Vec<Range<usize>>>;

/// Words, and what stands between them byte by byte.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    line.chunk_by(|one, other| is_word(one) && is_word(other))
        .collect()
}

fn bytes_of(words: &[&[u8]], range: Range<usize>) -> Range<usize> {
    let length = |words: &[&[u8]]| words.iter().map(|word| word.len()).sum::<usize>();
    let start = length(words.get(..range.start).unwrap_or_default());
    start..start + length(words.get(range).unwrap_or_default())
}

/// `start,count`, lines from 1; an empty range names the line before it.
fn range(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
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
    let mut line = Vec::with_capacity(mark.len() + side.len() + name.len() + 2);
    line.extend_from_slice(mark);
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

/// A line for a terminal; `marked` counts from behind the mark at its begin.
fn shown(kind: Kind, line: &[u8], marked: &[Range<usize>], colour: bool) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if !colour {
        return harmless(line) + "\n";
    }
    let paint = |text: String| match kind {
        // Nothing to colour, and no reason for marks around it.
        _ if text.is_empty() => ColoredString::from(text),
        Kind::Header => text.bold(),
        Kind::Place => text.cyan(),
        Kind::Gone => text.red(),
        Kind::Come => text.green(),
        Kind::Same | Kind::Remark => ColoredString::from(text),
    };
    let mut out = String::new();
    let mut at = 0;
    let spans = marked.iter().map(|range| range.start + 1..range.end + 1);
    for span in spans.filter(|span| !span.is_empty()) {
        let end = span.end.min(line.len());
        let plain = line.get(at..span.start).unwrap_or_default();
        let word = line.get(span.start..end).unwrap_or_default();
        out += &paint(harmless(plain)).to_string();
        out += &paint(harmless(word)).bold().underline().to_string();
        at = end;
    }
    out += &paint(harmless(line.get(at..).unwrap_or_default())).to_string();
    out + "\n"
}

/// Text that a terminal only shows: control characters and bytes that are no UTF-8 escaped.
fn harmless(line: &[u8]) -> String {
    let mut text = String::new();
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => text.push(c),
                c if c.is_control() || deceives(c) => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
