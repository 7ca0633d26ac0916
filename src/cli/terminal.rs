//! The two streams: the report on stdout (or in a file), everything else on stderr.
//!
//! Decides once for each stream whether it takes colours. A reader that has gone away ends
//! the writing quietly; any other failure is said and is exit code 2.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::args::Color;
use super::{CLEAN, FAILED};
use crate::report::{self, Paint};

/// Where output goes and how it looks.
#[derive(Debug)]
pub(super) struct Terminal {
    out: bool,
    err: bool,
    /// Colours whatever the environment says, in files too.
    always: bool,
}

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        Self {
            out: colour(color, io::stdout().is_terminal()),
            err: colour(color, io::stderr().is_terminal()),
            always: color == Color::Always,
        }
    }

    /// Colours of the report; a file takes them only by `--color always`.
    pub(super) fn paint(&self, file: Option<&Path>) -> Paint {
        Paint::new(self.out && (file.is_none() || self.always))
    }

    /// True where the report is shown and not handed on: bytes that a terminal would act on
    /// are then written out, with and without colours.
    pub(super) fn shows(&self, file: Option<&Path>) -> bool {
        self.paint(file).colour() || (file.is_none() && io::stdout().is_terminal())
    }

    /// Colours of stderr.
    pub(super) fn paint_err(&self) -> Paint {
        Paint::new(self.err)
    }

    /// True where a line that changes can be shown: stderr is a terminal that obeys.
    pub(super) fn animates(&self) -> bool {
        io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
    }

    /// The working directory, where it has a name.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }

    /// A path that the environment names.
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    pub(super) fn place(&self, name: &str) -> Option<PathBuf> {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    }

    /// Writes the report; gives the exit code that this alone asks for.
    pub(super) fn report(&self, bytes: &[u8], file: Option<&Path>) -> u8 {
        let (name, result) = match file {
            Some(path) => (report::escape_path(path), std::fs::write(path, bytes)),
            None => ("standard output".to_owned(), to_stdout(bytes)),
        };
        match result {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.error(&format!("{name}: {error}"), None);
                FAILED
            }
            _ => CLEAN,
        }
    }

    /// True where somebody sees stderr while it is written.
    pub(super) fn watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// A line, or several, on stderr.
    pub(super) fn say(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut stderr = io::stderr().lock();
        // Where nobody reads stderr, there is nobody to tell.
        let _ = stderr.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = stderr.write_all(b"\n");
        }
    }

    /// Asks on stderr and reads a line of standard input; `None` at its end.
    pub(super) fn ask(&self, question: &str) -> Option<String> {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(question.as_bytes());
        let _ = stderr.flush();
        let mut answer = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut answer);
        // Where answers come from a file, the next output begins on a line of its own.
        if !io::stdin().is_terminal() {
            let _ = stderr.write_all(b"\n");
        }
        let any = read.is_ok_and(|count| count > 0);
        any.then(|| String::from_utf8_lossy(&answer).into_owned())
    }

    /// One clear sentence, and what to do about it.
    pub(super) fn error(&self, sentence: &str, hint: Option<&str>) {
        let paint = self.paint_err();
        self.say(&format!(
            "{}: {}",
            paint.bad("error"),
            report::escape_line(sentence)
        ));
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// A remark with its word.
    pub(super) fn note(&self, word: &str, sentence: &str) {
        let word = self.paint_err().bold(word);
        self.say(&format!("{word}: {}", report::escape_line(sentence)));
    }

    /// What somebody can do.
    pub(super) fn hint(&self, hint: &str) {
        let word = self.paint_err().good("hint");
        self.say(&format!(" {word}: {}", report::escape_line(hint)));
    }
}

fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// The flag comes first, then NO_COLOR, CLICOLOR_FORCE, CLICOLOR, then the stream itself.
fn colour(color: Color, terminal: bool) -> bool {
    match color {
        Color::Always => return true,
        Color::Never => return false,
        Color::Auto => {}
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    if set("CLICOLOR").is_some_and(|value| value == "0") {
        return false;
    }
    terminal && set("TERM").is_none_or(|value| value != "dumb")
}
