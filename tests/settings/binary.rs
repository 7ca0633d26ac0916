//! A folder of files and the binary run in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Tickets on by default: one warning, `tickets-without-rotation`, at the server's block.
pub(crate) const TICKETS_ON: &str = "\
server {
    listen 443 ssl;
    server_name a.test;
    ssl_certificate a.pem;
    ssl_certificate_key a.key;
}
";

/// A root that includes `conf.d`.
pub(crate) const ROOT: &str = "events {}\nhttp {\n    include conf.d/*.conf;\n}\n";

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder with these files.
pub(crate) fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        write(folder.path(), name, bytes);
    }
    folder
}

pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Runs in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("STEKGUARD_STATE_DIR", folder.join(".state"));
    let output = command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The grades and rules that a run reports, in order.
pub(crate) fn found(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["lint", "--format", "json"];
    all.extend(arguments);
    let run = run(folder, &all);
    let document: serde_json::Value =
        serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("severity"), text("rule"), text("path"))
        })
        .collect()
}
