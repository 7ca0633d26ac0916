//! One tree under `fix`: its edits, its diff, the write, the write cut short, the undo.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::Value;
use tempfile::TempDir;

use super::tree_on_disk::{State, differences, state};
use super::{Texts, Verdict};

/// Ends a write somewhere: at the so manieth of these system calls, which fails or kills.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub call: usize,
    pub number: u32,
    pub fails: bool,
}

/// Calls by which files come and change.
pub const CALLS: [&str; 4] = ["rename", "fsync", "fchmod", "write"];

/// What was seen.
#[derive(Debug, Default)]
pub struct Tally {
    pub trees: usize,
    /// Trees that the server accepts, before and after.
    pub accepted: usize,
    pub changed: usize,
    pub files: usize,
    pub edits: usize,
    /// Writes that were ended: by a signal, by an error.
    pub killed: usize,
    pub failed: usize,
    /// Writes that ended before that call.
    pub unhurt: usize,
}

impl Tally {
    pub fn finish(&self, server: &str, started: Instant) {
        println!(
            "{server}: {self:?}; {:.0} s",
            started.elapsed().as_secs_f64()
        );
        assert!(self.changed * 3 > self.trees, "{self:?}");
        assert!(self.edits > self.changed && self.files >= self.changed);
        assert!(self.accepted * 2 >= self.trees, "{self:?}");
        assert!(self.killed > 2 && self.failed > 0, "{self:?}");
    }
}

/// The program on a tree.
pub struct Tool<'a> {
    folder: &'a Path,
    root: &'a Path,
    arguments: Vec<String>,
    /// The journal, far from the tree.
    state: TempDir,
}

impl<'a> Tool<'a> {
    pub fn new(folder: &'a Path, root: &'a Path, arguments: Vec<String>) -> Self {
        Self {
            folder,
            root,
            arguments,
            state: TempDir::new().unwrap(),
        }
    }

    fn run(&self, before: &[String], arguments: &[&str]) -> Output {
        let binary = env!("CARGO_BIN_EXE_stekguard").to_owned();
        let mut words = before.iter().cloned().chain([binary]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(arguments);
        if arguments[0] == "fix" {
            command.args(&self.arguments).arg(self.root);
        }
        command
            .env("HOME", self.state.path())
            .env("XDG_STATE_HOME", self.state.path())
            .env("STEKGUARD_STATE_DIR", self.state.path().join("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Everything that holds of a fix of this tree.
    pub fn judge(&self, cut: Cut, accepts: &dyn Fn() -> bool, tally: &mut Tally) -> Verdict {
        let before = state(self.folder);
        let accepted = accepts();
        // The server's test may leave a log.
        let before = match accepted {
            true => state(self.folder),
            false => before,
        };
        let edited = self.edited(&before, tally)?;
        let patched = self.patched(&before)?;
        prop_assert!(edited == patched, "{}", differing(&edited, &patched));
        tally.trees += 1;
        let changed = patched != bytes(&before);
        tally.changed += usize::from(changed);

        self.cut_short(cut, &before, changed, tally)?;
        self.written(&before, &patched, changed)?;
        if accepted {
            // What the directory of rotated keys holds is not there yet: a pattern without files.
            prop_assert!(accepts(), "the server refuses it now");
            tally.accepted += 1;
        }
        self.undone(&before, &patched, changed)
    }

    /// The edits that the program names, made by hand.
    fn edited(&self, before: &State, tally: &mut Tally) -> Result<Texts, TestCaseError> {
        let output = self.run(&[], &["fix", "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut texts = bytes(before);
        for file in report["files"].as_array().unwrap() {
            let path = Path::new(file["path"].as_str().unwrap());
            let path = path.strip_prefix(self.folder).unwrap().to_path_buf();
            let old = texts[&path].clone();
            let (mut new, mut at, mut was_empty) = (Vec::new(), 0, false);
            let edits = file["edits"].as_array().unwrap();
            prop_assert!(!edits.is_empty(), "{} without an edit", path.display());
            for (index, edit) in edits.iter().enumerate() {
                let place = |name: &str| edit[name].as_u64().unwrap() as usize;
                let (start, end) = (place("start"), place("end"));
                // They may touch; two insertions at one place would have no order.
                let apart = end > start || start > at || index == 0 || !was_empty;
                prop_assert!(
                    apart && start >= at && start <= end && end <= old.len(),
                    "{start}..{end} behind {at} in {} bytes",
                    old.len()
                );
                was_empty = start == end;
                let (was, is) = (text(edit, "old"), text(edit, "new"));
                prop_assert!(old[start..end] == was && was != is, "{edit}");
                new.extend_from_slice(&old[at..start]);
                new.extend_from_slice(&is);
                at = end;
            }
            new.extend_from_slice(&old[at..]);
            tally.edits += edits.len();
            tally.files += 1;
            texts.insert(path, new);
        }
        Ok(texts)
    }

    /// What GNU patch makes of the printed diff.
    fn patched(&self, before: &State) -> Result<Texts, TestCaseError> {
        let output = self.run(&[], &["fix"]);
        prop_assert!(
            matches!(output.status.code(), Some(0..=2)),
            "{:?}",
            output.status
        );
        let copy = TempDir::new().unwrap();
        for (path, text) in bytes(before) {
            let path = copy.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if !output.stdout.is_empty() {
            // `a/`, and the folders above the tree.
            let strip = format!("-p{}", self.folder.components().count());
            let mut child = Command::new("patch")
                .args([&*strip, "--binary", "--fuzz=0", "-s"])
                .current_dir(copy.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("this test needs GNU patch");
            let mut input = child.stdin.take().unwrap();
            input.write_all(&output.stdout).unwrap();
            drop(input);
            let done = child.wait_with_output().unwrap();
            prop_assert!(done.status.success(), "{}", shown(&done));
        }
        Ok(bytes(&state(copy.path())))
    }

    /// A write that is cut short; the next command puts everything right.
    fn cut_short(&self, cut: Cut, before: &State, changed: bool, tally: &mut Tally) -> Verdict {
        let call = CALLS[cut.call];
        let how = if cut.fails {
            "error=EIO"
        } else {
            "signal=KILL"
        };
        let inject = format!("inject={call}:{how}:when={}", cut.number);
        let trace = format!("trace={call}");
        let strace = [
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
        ];
        let output = self.run(&strace.map(str::to_owned), &["fix", "--write"]);
        if !changed {
            return Ok(());
        }
        match (output.status.code(), said(&output).contains("wrote ")) {
            (_, true) => tally.unhurt += 1,
            (None, _) => tally.killed += 1,
            (Some(_), _) => tally.failed += 1,
        }
        let undo = self.run(&[], &["undo"]);
        let found = differences(before, &state(self.folder), &all(before));
        prop_assert!(
            found.is_empty(),
            "{cut:?}: {}\nthen undo: {}\n{}",
            shown(&output),
            shown(&undo),
            found.join("\n")
        );
        Ok(())
    }

    fn written(&self, before: &State, patched: &Texts, changed: bool) -> Verdict {
        let output = self.run(&[], &["fix", "--write"]);
        let after = state(self.folder);
        let wrote = bytes(&after);
        prop_assert!(
            wrote == *patched,
            "{}\n{}",
            differing(patched, &wrote),
            shown(&output)
        );
        prop_assert_eq!(said(&output).contains("wrote "), changed);
        // All but the bytes is as it was.
        let mut expected = before.clone();
        for (path, text) in patched {
            if let Some(entry) = expected.get_mut(path) {
                entry.bytes.clone_from(text);
            }
        }
        let touched = touched(before, patched);
        let found = differences(&expected, &after, &touched);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }

    fn undone(&self, before: &State, patched: &Texts, changed: bool) -> Verdict {
        let output = self.run(&[], &["undo"]);
        let code = output.status.code();
        prop_assert!(
            code == Some(if changed { 0 } else { 2 }),
            "{}",
            shown(&output)
        );
        let found = differences(before, &state(self.folder), &touched(before, patched));
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }
}

fn bytes(state: &State) -> Texts {
    let files = state.iter().filter(|(_, entry)| is_file(entry.mode));
    files
        .map(|(path, entry)| (path.clone(), entry.bytes.clone()))
        .collect()
}

fn is_file(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// The files whose bytes change.
fn touched(before: &State, patched: &Texts) -> Vec<PathBuf> {
    let old = bytes(before);
    let changed = patched
        .iter()
        .filter(|(path, text)| old.get(*path) != Some(*text));
    changed.map(|(path, _)| path.clone()).collect()
}

/// After a cut nobody knows which files were new for a while.
fn all(before: &State) -> Vec<PathBuf> {
    before.keys().cloned().collect()
}

fn text(edit: &Value, name: &str) -> Vec<u8> {
    match edit[format!("{name}_bytes")].as_array() {
        Some(bytes) => bytes.iter().map(|it| it.as_u64().unwrap() as u8).collect(),
        None => edit[name].as_str().unwrap().as_bytes().to_vec(),
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shown(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    format!("{:?}\n{text}\n{}", output.status, said(output))
}

fn differing(one: &Texts, other: &Texts) -> String {
    let paths = one.keys().chain(other.keys());
    let differ = paths.filter(|path| one.get(*path) != other.get(*path));
    let show = |path: &PathBuf| {
        let text = |texts: &Texts| {
            let text = texts.get(path).map_or(&b"(none)"[..], Vec::as_slice);
            text.escape_ascii().to_string()
        };
        format!("{}:\n{}\n{}\n", path.display(), text(one), text(other))
    };
    differ.map(show).collect()
}
