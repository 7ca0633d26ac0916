//! A clean copy of the project, as somebody has it after a clone, and its builds. All builds share
//! one target folder, and leave out the optimisation that only costs time here; with
//! STEKGUARD_RELEASE=1 they are built as released.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};

use tempfile::TempDir;

const HINT: &str = "run tests/install_servers.sh, which installs maturin, pre-commit and cargo-deb";

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// It ended well; gives its stdout.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }
}

/// Runs to the end.
pub fn finish(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The copy. It stays until the process ends, and its folder is of that process alone.
pub fn copy() -> &'static Path {
    static COPY: OnceLock<TempDir> = OnceLock::new();
    let dir = COPY.get_or_init(|| {
        let dir = TempDir::with_prefix("stekguard-copy-").unwrap();
        copy_folder(Path::new(env!("CARGO_MANIFEST_DIR")), dir.path());
        dir
    });
    dir.path()
}

/// Held while maturin builds: it keeps the binary in one place of the target folder, where a
/// second maturin would take it away.
pub fn alone() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    // A test that failed has built nothing that another one could meet.
    BUILDING.lock().unwrap_or_else(|failed| failed.into_inner())
}

/// A command in the copy, with the builds' settings and tools.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command
        .current_dir(copy())
        .env("CARGO_TARGET_DIR", target())
        .env(
            "PATH",
            format!(
                "{path}:/usr/sbin:/sbin:{}:{}",
                tools("cargo-deb").display(),
                tools("packaging").display()
            ),
        )
        .env_remove("RUSTFLAGS");
    // What cargo tells a test is nothing for another cargo.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    if env::var_os("STEKGUARD_RELEASE").is_none() {
        command
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    }
    command
}

/// The builds' target folder, beside that of the tests.
pub fn target() -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tests.parent().unwrap().join("packages")
}

/// The folder of an installed tool's programs.
pub fn tools(name: &str) -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map_or_else(
            || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
            PathBuf::from,
        );
    let bin = cache.join("stekguard").join(name).join("bin");
    assert!(bin.is_dir(), "no {}: {HINT}", bin.display());
    bin
}

/// Whether this process may mount and change its root.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// An nginx tree with one server whose tickets are on by default.
pub fn tickets_on(dir: &Path) {
    let text = "events {}\nhttp {\n    server {\n        listen 443 ssl;\n        \
                server_name a.test;\n        ssl_certificate a.pem;\n        \
                ssl_certificate_key a.key;\n    }\n}\n";
    fs::write(dir.join("nginx.conf"), text).unwrap();
}

/// The binary is this version, finds the tickets and reports them.
pub fn works(program: &Path) {
    let version = finish(Command::new(program).arg("--version")).ok();
    assert_eq!(
        version,
        format!("stekguard {}\n", env!("CARGO_PKG_VERSION"))
    );
    let dir = TempDir::new().unwrap();
    tickets_on(dir.path());
    let lint = finish(Command::new(program).arg("lint").current_dir(&dir).arg("."));
    assert_eq!(lint.code, 1, "{}", lint.err);
    assert!(
        lint.out.contains("[tickets-without-rotation]"),
        "{}",
        lint.out
    );
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let left_out = [".git", "target", "generated", ".claude"];
        if left_out.iter().any(|it| *it == name) {
            continue;
        }
        let target = to.join(name);
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}
