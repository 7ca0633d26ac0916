//! Real files as a server takes them: where a file stands in a tree, and what is left of it
//! without the statements that this machine's server refuses (a missing include, a module that
//! is not here). Says nothing about what a fix does.

pub mod httpd;
pub mod nginx;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stekguard::catalog::Server;

/// Statements that are taken away at most before a file is given up.
const TRIES: usize = 80;
/// Ends of names of what a server wrote, which is fixed as it is and not made acceptable.
const OUTPUT: [&str; 2] = ["out", "tsv"];

/// A file with those around it that it may include.
#[derive(Clone, Debug)]
pub struct Case {
    pub server: Server,
    /// By path below the case's folder.
    pub texts: BTreeMap<PathBuf, Vec<u8>>,
    /// The file that is fixed.
    pub root: PathBuf,
    /// nginx: blocks around it for the server's own test.
    pub around: &'static [&'static str],
    /// Whether the server takes it.
    pub accepted: bool,
}

impl Case {
    /// Puts the files below a folder, which holds nothing else then.
    pub fn write(&self, folder: &Path) {
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
        for (name, text) in &self.texts {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// What a server says of a case that lies in the folder; `Err` holds its words.
pub trait Judge {
    fn verdict(&self, case: &Case, folder: &Path) -> Result<(), String>;
    /// The case without what the server's words are about; `None` where they name nothing.
    fn shorter(&self, case: &Case, folder: &Path, said: &str) -> Option<Case>;
    /// Words that tell the program under test what this server is.
    fn told(&self) -> Vec<String>;

    /// The case as it is, and the same without what is refused where the server takes that.
    fn cases(
        &self,
        mut case: Case,
        surroundings: &[&'static [&'static str]],
        folder: &Path,
    ) -> Vec<Case> {
        let mut shortened = None;
        let end = case
            .root
            .extension()
            .map(|end| end.to_string_lossy().into_owned());
        let text = end.is_none_or(|end| !OUTPUT.contains(&end.as_str()));
        let tries = if text { TRIES } else { 1 };
        for around in surroundings {
            case.around = around;
            let mut now = case.clone();
            for turn in 0..tries {
                now.write(folder);
                let Err(said) = self.verdict(&now, folder) else {
                    now.accepted = true;
                    if turn == 0 {
                        return vec![now];
                    }
                    break;
                };
                let Some(next) = self.shorter(&now, folder, &said) else {
                    break;
                };
                now = next;
            }
            if now.accepted {
                shortened = Some(now);
                break;
            }
        }
        [vec![case], shortened.into_iter().collect()].concat()
    }
}
