//! The program under test on one tree.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::program::{self, Run};

/// What is aimed at, in the words of the command line.
pub const POLICIES: [&str; 5] = [
    "no-tickets",
    "no-resumption",
    "rotate",
    "automatic",
    "sound",
];

/// Findings that say that a policy is not met.
const AGAINST: [&str; 6] = [
    "resumption-not-disabled",
    "tickets-without-rotation",
    "ticket-keys-against-policy",
    "static-ticket-key",
    "forgeable-automatic-rotation",
    "unreliable-ticket-key-file",
];

/// A tree and how it is told about.
pub struct Tool {
    pub root: PathBuf,
    pub keys: PathBuf,
    /// Versions, modules, definitions.
    pub told: Vec<String>,
    state: TempDir,
}

/// What came of a fix.
#[derive(Debug)]
pub struct Fixed {
    pub run: Run,
    /// No finding says that the policy is not met.
    pub met: bool,
    /// What the tool says of what it leaves alone.
    pub said: Vec<String>,
}

impl Tool {
    pub fn new(root: &Path, keys: &Path, told: &[&str]) -> Self {
        Self {
            root: root.to_path_buf(),
            keys: keys.to_path_buf(),
            told: told.iter().map(|word| (*word).to_owned()).collect(),
            state: TempDir::new().unwrap(),
        }
    }

    fn run(&self, command: &str, policy: &str, more: &[&str]) -> Run {
        let (root, keys) = (self.root.to_str().unwrap(), self.keys.to_str().unwrap());
        let mut args = vec![command, "--policy", policy, "--keys-dir", keys];
        args.extend(more);
        args.extend(self.told.iter().map(String::as_str));
        args.push(root);
        program::run(self.state.path(), &args)
    }

    /// Writes the repair and asks nothing more.
    pub fn wrote(&self, policy: &str) -> Run {
        self.run("fix", policy, &["--write"])
    }

    /// Writes the repair.
    pub fn fixed(&self, policy: &str) -> Fixed {
        let run = self.run("fix", policy, &["--write"]);
        let lint = self.run("lint", policy, &[]);
        let met = !AGAINST.iter().any(|rule| {
            let name = format!("[{rule}]");
            lint.stdout.contains(&name)
        });
        let said = run.stderr.lines();
        let said =
            said.filter(|line| line.starts_with("error:") || line.starts_with("not changed:"));
        Fixed {
            said: said.map(str::to_owned).collect(),
            met: met && lint.code != Some(2),
            run,
        }
    }

    /// What it would change now.
    pub fn patch(&self, policy: &str) -> String {
        self.run("fix", policy, &[]).stdout
    }
}
