//! Runs the binary in a folder of its own and reads what it wrote.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The binary, away from this machine's environment and settings.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "STEKGUARD_STATE_DIR",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs in a folder.
pub fn run_in(directory: &Path, arguments: &[&str]) -> Run {
    let output = command(arguments).current_dir(directory).output().unwrap();
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).expect("stdout is no UTF-8"),
        err: String::from_utf8(output.stderr).expect("stderr is no UTF-8"),
    }
}

/// The document of a run, whatever its exit code.
pub fn json_in(directory: &Path, arguments: &[&str]) -> Value {
    let run = run_in(directory, arguments);
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}{}", run.out, run.err))
}

/// A folder with these files.
pub fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    directory
}

/// The demo's trees in a folder of their own, as `etc`.
pub fn demo() -> TempDir {
    let directory = TempDir::new().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo");
    copy(&from, directory.path());
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A root in which everything is hostile that can be: its folder's name, its server's name,
/// comments, bytes that are no UTF-8.
pub fn hostile() -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let folder = "a&b <c> \"d' ]]> %0A::error::x,y:z [l](m) {0}";
    let place = directory.path().join(folder);
    fs::create_dir_all(&place).unwrap();
    let text =
        b"events {}\nhttp {\n    server { # \x1b[31m\xff\xfe\n        listen 443 ssl;\n        \
        server_name \"<s>&amp;]]>%0A::error::\" '\xe2\x80\xae\xff\x01';\n        \
        ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n        \
        ssl_session_timeout 30d;\n        ssl_session_cache shared:A:1m;\n    }\n}\n";
    fs::write(place.join("nginx.conf"), text).unwrap();
    (directory, format!("{folder}/nginx.conf"))
}

/// What Python's parser makes of an XML document: a list of elements as
/// `[name, {attribute: value}, text, depth]`, in document order.
pub fn xml(document: &str) -> Vec<Value> {
    use std::io::Write;
    const PROGRAM: &str = "
import json, sys, xml.etree.ElementTree as tree
rows = []
def walk(node, depth):
    rows.append([node.tag, node.attrib, node.text or '', depth])
    for child in node:
        walk(child, depth + 1)
walk(tree.fromstring(sys.stdin.buffer.read()), 0)
print(json.dumps(rows))
";
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    python
        .stdin
        .take()
        .unwrap()
        .write_all(document.as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "not well-formed:\n{document}");
    serde_json::from_slice(&output.stdout).unwrap()
}
