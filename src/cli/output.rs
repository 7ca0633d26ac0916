//! Where reports go: `--format NAME` on stdout or into `-o FILE`, and further ones by
//! `--output FORMAT=FILE`. The same for every command; it knows no format by itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::hints::Said;
use super::terminal::Terminal;
use super::{CLEAN, FAILED};
use crate::app::near;
use crate::report::Paint;

/// The reports that a run writes, in the order to be written.
#[derive(Debug)]
pub(super) struct Output<F> {
    targets: Vec<Target<F>>,
}

/// One report and its place.
#[derive(Debug)]
struct Target<F> {
    format: F,
    /// `None` for stdout.
    file: Option<PathBuf>,
}

/// How a report is to look where it goes.
#[derive(Copy, Clone, Debug)]
pub(super) struct Look {
    /// With or without colours.
    pub(super) paint: Paint,
    /// True where it is shown and not handed on; see [`Terminal::shows`].
    pub(super) shown: bool,
}

impl<F: ValueEnum + Copy + PartialEq> Output<F> {
    /// `format` is `--format`; `outputs` are the values of `-o`: `FILE` takes the report of
    /// `--format` away from stdout, `FORMAT=FILE` adds one. `-` as FILE is stdout.
    ///
    /// # Errors
    /// A sentence and a hint where a format is not known, or two reports go to one place.
    pub(super) fn new(format: F, outputs: &[OsString]) -> Result<Self, Said> {
        let mut first = Target { format, file: None };
        let mut more = Vec::new();
        let mut moved = false;
        for output in outputs {
            match named::<F>(output)? {
                Some(target) => more.push(target),
                None if moved => {
                    let sentence = "--output: two files for one report";
                    let hint = "--output FORMAT=FILE gives each file its format";
                    return Err((sentence.to_owned(), Some(hint.to_owned())));
                }
                None => {
                    moved = true;
                    first.file = place(Path::new(output));
                }
            }
        }
        // `--output json=-` puts another report on stdout than the default one.
        let default = !moved && more.iter().any(|target| target.file.is_none());
        let mut targets: Vec<Target<F>> = Vec::new();
        if !default {
            targets.push(first);
        }
        targets.append(&mut more);
        let output = Self { targets };
        output.apart()?;
        Ok(output)
    }

    /// True when one of the reports has this format.
    pub(super) fn wants(&self, format: F) -> bool {
        self.targets.iter().any(|target| target.format == format)
    }

    /// Writes every report for which `render` gives bytes; gives the exit code that this
    /// alone asks for. One that cannot be written does not keep the others from it.
    pub(super) fn write(
        &self,
        terminal: &Terminal,
        mut render: impl FnMut(F, Look) -> Option<Vec<u8>>,
    ) -> u8 {
        let mut code = CLEAN;
        for target in &self.targets {
            let file = target.file.as_deref();
            let look = Look {
                paint: terminal.paint(file),
                shown: terminal.shows(file),
            };
            if let Some(bytes) = render(target.format, look)
                && terminal.report(&bytes, file) != CLEAN
            {
                code = FAILED;
            }
        }
        code
    }

    /// Refuses two reports for one place.
    fn apart(&self) -> Result<(), Said> {
        for (index, target) in self.targets.iter().enumerate() {
            if self.targets[..index]
                .iter()
                .any(|it| it.file == target.file)
            {
                let place = target.file.as_deref().map_or_else(
                    || "standard output".to_owned(),
                    |path| path.display().to_string(),
                );
                let sentence = format!("--output: two reports for {place}");
                return Err((sentence, Some("give each a file of its own".to_owned())));
            }
        }
        Ok(())
    }
}

/// A value of `FORMAT=FILE`; `None` for a bare FILE.
fn named<F: ValueEnum>(output: &OsString) -> Result<Option<Target<F>>, Said> {
    // A name that is no UTF-8 is a file's.
    let Some((name, file)) = output.to_str().and_then(|text| text.split_once('=')) else {
        return Ok(None);
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(word) {
        return Ok(None);
    }
    let Ok(format) = F::from_str(name, true) else {
        return Err(unknown::<F>(name, output));
    };
    if file.is_empty() {
        return Err((format!("--output {name}=: no file is named"), None));
    }
    Ok(Some(Target {
        format,
        file: place(Path::new(file)),
    }))
}

fn unknown<F: ValueEnum>(name: &str, output: &OsString) -> Said {
    let variants = F::value_variants().iter();
    let known: Vec<String> = variants
        .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
        .collect();
    let hint = match near(name, known.iter().map(String::as_str)).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    };
    let file = output.display();
    let sentence = format!("--output: no format is called {name}");
    (
        sentence,
        Some(format!("{hint} (a file of that name is ./{file})")),
    )
}

fn place(path: &Path) -> Option<PathBuf> {
    (path != Path::new("-")).then(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Copy, Clone, PartialEq, Debug, ValueEnum)]
    enum Kind {
        Text,
        JsonLines,
    }

    fn targets(outputs: &[&str]) -> Result<Vec<(Kind, Option<String>)>, String> {
        let outputs: Vec<OsString> = outputs.iter().map(OsString::from).collect();
        let output = Output::new(Kind::Text, &outputs).map_err(|(sentence, _)| sentence)?;
        let each = output.targets.into_iter();
        let text = |path: PathBuf| path.display().to_string();
        Ok(each.map(|it| (it.format, it.file.map(text))).collect())
    }

    #[test]
    fn a_file_moves_the_report_and_a_named_one_adds_to_it() {
        let file = |name: &str| Some(name.to_owned());
        assert_eq!(targets(&[]), Ok(vec![(Kind::Text, None)]));
        assert_eq!(targets(&["a"]), Ok(vec![(Kind::Text, file("a"))]));
        assert_eq!(
            targets(&["json-lines=b"]),
            Ok(vec![(Kind::Text, None), (Kind::JsonLines, file("b"))])
        );
        assert_eq!(
            targets(&["json-lines=b=c", "a"]),
            Ok(vec![
                (Kind::Text, file("a")),
                (Kind::JsonLines, file("b=c"))
            ])
        );
        assert_eq!(
            targets(&["json-lines=-"]),
            Ok(vec![(Kind::JsonLines, None)])
        );
        assert_eq!(targets(&["./x=y"]), Ok(vec![(Kind::Text, file("./x=y"))]));
    }

    #[test]
    fn two_reports_do_not_share_a_place() {
        for outputs in [
            &["a", "b"][..],
            &["a", "text=a"],
            &["json-lines=-", "text=-"],
            &["json-lines="],
            &["jsonlines=a"],
        ] {
            assert!(targets(outputs).is_err(), "{outputs:?}");
        }
    }
}
