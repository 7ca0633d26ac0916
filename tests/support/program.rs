//! Runs the program under test, far from the user's own state and settings.

use std::path::Path;
use std::process::{Command, Stdio};

/// How it ended and what it wrote.
#[derive(Debug)]
pub struct Run {
    /// `None`: a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `stekguard` with its journal under `state`.
pub fn run(state: &Path, args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(args)
        .env("HOME", state)
        .env("XDG_STATE_HOME", state)
        .env("STEKGUARD_STATE_DIR", state)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
