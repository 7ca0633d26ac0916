//! The real Ansible, with the collection built and installed as a user would do it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::install::cache;

const HINT: &str = "run tests/install_servers.sh, which installs ansible-core and ansible-lint";

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    /// Both streams.
    pub said: String,
}

impl Run {
    /// A number of the recap, such as `changed`.
    pub fn recap(&self, name: &str) -> u32 {
        let line = self.said.lines().rfind(|line| line.contains(" ok="));
        let line = line.unwrap_or_else(|| panic!("no recap:\n{}", self.said));
        let word = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.unwrap().parse().unwrap()
    }

    /// It ended well, with so many changes.
    pub fn changed(&self, number: u32) {
        assert_eq!(self.code, 0, "{}", self.said);
        assert_eq!(self.recap("changed"), number, "{}", self.said);
    }
}

/// A folder for one play: its files, its program and Ansible's own state.
pub struct Desk {
    pub dir: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("ansible-").unwrap();
        // httpd's children have to enter.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(dir.path(), mode).unwrap();
        Self { dir }
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// A path as text for a play.
    pub fn text(&self, path: &str) -> String {
        self.at(path).display().to_string()
    }

    /// Copies a folder of the project.
    pub fn copy(&self, from: &str, to: &str) {
        copy(&project(from), &self.at(to));
    }

    /// Writes a play against this machine with these tasks or roles.
    pub fn play(&self, body: &str) -> PathBuf {
        let path = self.at("play.yml");
        let head = "- hosts: localhost\n  gather_facts: false\n";
        let body: String = body.lines().map(|line| format!("  {line}\n")).collect();
        fs::write(&path, format!("{head}{body}")).unwrap();
        path
    }

    /// Runs a play.
    pub fn run(&self, play: &Path, options: &[&str]) -> Run {
        let mut command = self.command("ansible-playbook");
        command.args(["-i", "localhost,", "-c", "local"]);
        command.args(options).arg(play);
        finish(command)
    }

    /// A program of Ansible's, with the collection and far from the user's settings.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(tool(program));
        self.settle(&mut command);
        command
    }

    /// The environment of Ansible's programs.
    pub fn settle(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = tools().join("bin");
        command
            .env("PATH", format!("{}:{path}:/usr/sbin", bin.display()))
            .env("ANSIBLE_HOME", self.at("home"))
            .env("ANSIBLE_COLLECTIONS_PATH", collections())
            .env("ANSIBLE_REMOTE_TMP", self.at("remote"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_LOCALHOST_WARNING", "0")
            .env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "0")
            .env("ANSIBLE_PYTHON_INTERPRETER", bin.join("python"))
            .env("STEKGUARD_STATE_DIR", self.at("state"))
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
    }
}

/// The program under test.
pub fn stekguard() -> &'static str {
    env!("CARGO_BIN_EXE_stekguard")
}

/// A path of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs to the end.
pub fn finish(mut command: Command) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Run {
        code: status.code().expect("ended by a signal"),
        said: String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned(),
    }
}

/// Every file below a folder with its bytes.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => out.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    out.sort();
    out
}

/// The folder with the collection as `ansible-galaxy` builds and installs it.
pub fn collections() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        // Beside the tests, not in the cache: another checkout may run the same tests.
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ansible-collections");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let galaxy = |arguments: &[&str]| {
            let mut command = Command::new(tool("ansible-galaxy"));
            command.arg("collection").args(arguments);
            command.env("ANSIBLE_HOME", dir.join("home"));
            command.env("LC_ALL", "C.UTF-8").current_dir(&dir);
            let run = finish(command);
            assert_eq!(run.code, 0, "{}", run.said);
        };
        let source = project("ansible").display().to_string();
        let place = dir.display().to_string();
        galaxy(&["build", "--output-path", &place, &source]);
        let archive = dir.join("stekguard-tls-0.1.0.tar.gz");
        let archive = archive.display().to_string();
        galaxy(&["install", "--offline", "-p", &place, &archive]);
        dir
    })
}

/// The installed collection itself.
pub fn collection() -> PathBuf {
    collections().join("ansible_collections/stekguard/tls")
}

fn tools() -> PathBuf {
    cache().join("ansible")
}

fn tool(name: &str) -> PathBuf {
    let path = tools().join("bin").join(name);
    assert!(path.is_file(), "no {}: {HINT}", path.display());
    path
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}
