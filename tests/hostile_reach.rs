//! What a run reaches beside what it was given: files, programs, the network. The system calls
//! say it (strace). And what an environment of somebody else's can do to a run of root: nothing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hostile::{is_root, nginx};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_stekguard");
const NOBODY: u32 = 65534;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Runs under strace; gives its lines.
fn traced(folder: &Path, calls: &str, arguments: &[&str]) -> (i32, Vec<String>) {
    let own = TempDir::new().unwrap();
    let log = own.path().join("log");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-s",
        "4096",
        "-e",
        &format!("trace={calls}"),
        "-o",
    ]);
    command
        .arg(&log)
        .arg(BINARY)
        .args(arguments)
        .current_dir(folder);
    command.env("STEKGUARD_STATE_DIR", own.path().join("state"));
    let output = output(&mut command);
    let code = output.status.code().expect("strace ended");
    assert!((0..=3).contains(&code), "{arguments:?}: {}", said(&output));
    let text = fs::read_to_string(&log).unwrap();
    (code, text.lines().map(str::to_owned).collect())
}

/// Files that were opened, by their real paths.
fn opened(folder: &Path, arguments: &[&str]) -> BTreeSet<PathBuf> {
    let (_, lines) = traced(folder, "open,openat,openat2", arguments);
    let named = lines.iter().filter(|line| !line.contains(" = -1 "));
    let paths = named.filter_map(|line| line.split('"').nth(1));
    let whole = paths.map(|path| folder.join(path));
    whole
        .map(|path| fs::canonicalize(&path).unwrap_or(path))
        .collect()
}

/// What every program reads at its start, and what tells how many processors there are.
fn is_of_the_system(path: &Path) -> bool {
    let places = [
        "/etc/ld.so.cache",
        "/lib",
        "/usr/lib",
        "/proc",
        "/sys/fs/cgroup",
        "/etc/ssl/openssl.cnf",
        // Which files belong to packages: those are not edited.
        "/var/lib/dpkg",
        "/var/lib/rpm",
        "/dev/null",
        "/etc/stekguard/stekguard.toml",
    ];
    places.iter().any(|place| path.starts_with(place))
}

#[test]
fn only_what_was_given_and_what_it_includes_is_read() {
    let world = TempDir::new().unwrap();
    let folder = fs::canonicalize(world.path()).unwrap();
    let tree = folder.join("etc");
    write(&tree.join("conf.d/a.conf"), "server { listen 80; }\n");
    write(&tree.join("not-included.txt"), "server { listen 81; }\n");
    write(&folder.join("outside/b.conf"), "server { listen 82; }\n");
    write(&folder.join("outside/nginx.conf"), &nginx(""));
    // A link between folders is not followed by a search.
    symlink("../outside", tree.join("link")).unwrap();
    let plain = nginx("include conf.d/*.conf;");
    write(&tree.join("nginx.conf"), &plain);
    for command in [
        &["lint", "etc"][..],
        &["lint", "etc/nginx.conf"],
        &["inspect", "etc"],
        &["fix", "etc"],
        &["fix", "--write", "--validate", "never", "etc"],
        &["lint", "--format", "html", "etc"],
    ] {
        write(&tree.join("nginx.conf"), &plain);
        let read = opened(&folder, command);
        assert!(
            read.contains(&tree.join("nginx.conf")),
            "{command:?}: {read:?}"
        );
        assert!(
            read.contains(&tree.join("conf.d/a.conf")),
            "{command:?}: {read:?}"
        );
        let mut others = read.iter().filter(|path| {
            // The journal of a write stands in the folder of the run.
            let journal = path.components().any(|part| part.as_os_str() == "state");
            !path.starts_with(&tree) && !is_of_the_system(path) && !journal
        });
        assert_eq!(others.next(), None, "{command:?}");
    }
    // What the configuration names is read, and only then.
    write(
        &tree.join("nginx.conf"),
        &nginx("include ../outside/b.conf;"),
    );
    let read = opened(&folder, &["lint", "etc"]);
    assert!(read.contains(&folder.join("outside/b.conf")), "{read:?}");
    assert!(
        !read.contains(&folder.join("outside/nginx.conf")),
        "{read:?}"
    );
    // Settings: the nearest file above, no other.
    write(&folder.join("stekguard.toml"), "");
    write(&folder.join("outside/stekguard.toml"), "");
    let read = opened(&folder, &["lint", "etc"]);
    assert!(read.contains(&folder.join("stekguard.toml")), "{read:?}");
    assert!(
        !read.contains(&folder.join("outside/stekguard.toml")),
        "{read:?}"
    );
    let read = opened(&folder, &["lint", "--isolated", "etc"]);
    assert!(!read.contains(&folder.join("stekguard.toml")), "{read:?}");
}

/// A part is judged in the first root of the settings that includes it; those behind it are none
/// of its business, however many there are.
#[test]
fn a_part_is_judged_without_the_roots_behind_its_own() {
    let world = TempDir::new().unwrap();
    let folder = fs::canonicalize(world.path()).unwrap();
    let mut settings = String::new();
    for name in ["a", "b", "c"] {
        let root = format!("{name}/nginx.conf");
        write(&folder.join(&root), &nginx("include sites/*.conf;"));
        let site = folder.join(format!("{name}/sites/x.conf"));
        write(&site, "server { listen 80; }\n");
        settings.push_str(&format!("[[root]]\npath = \"{root}\"\n"));
    }
    write(&folder.join("stekguard.toml"), &settings);
    let of = |part: &str| {
        let read = opened(&folder, &["lint", part]);
        ["a", "b", "c"].map(|name| read.contains(&folder.join(name).join("nginx.conf")))
    };
    assert_eq!(of("b/sites/x.conf"), [true, true, false]);
    assert_eq!(of("a/sites/x.conf"), [true, false, false]);
    assert_eq!(of("c/sites/x.conf"), [true, true, true]);
}

#[test]
fn nothing_is_run_and_nobody_called_unless_asked() {
    let world = TempDir::new().unwrap();
    let folder = world.path();
    write(&folder.join("etc/nginx.conf"), &nginx(""));
    write(&folder.join("stekguard.toml"), "");
    let stream = folder.join("etc/nginx.conf").display().to_string();
    let own = ["--isolated", "--dir", "keys"];
    let keys = |command: &'static str| ["keys", command].iter().chain(&own).copied().collect();
    let commands: Vec<Vec<&str>> = vec![
        vec!["lint", "etc"],
        vec!["lint"],
        vec!["lint", "--format", "sarif", &stream],
        vec!["inspect", "etc"],
        vec!["inspect", "--expanded", "--format", "json", "etc"],
        vec![
            "inspect",
            "--compare-version",
            "nginx=1.22.1",
            "nginx=1.29.2",
            "etc",
        ],
        vec!["fix", "etc"],
        vec!["fix", "--write", "etc"],
        vec!["undo", "--list"],
        vec!["undo"],
        vec!["explain", "dead-tickets"],
        vec!["rules"],
        vec!["config", "show"],
        vec!["config", "check"],
        vec!["config", "schema"],
        vec!["completions", "bash"],
        vec!["man"],
        keys("status"),
        vec!["no-such-command"],
        vec!["--help"],
    ];
    for command in commands {
        let (_, lines) = traced(folder, "execve,execveat,connect,bind,sendto", &command);
        assert_eq!(lines.len(), 1, "{command:?}: {lines:#?}");
        assert!(
            lines[0].contains("execve(") && lines[0].contains("stekguard"),
            "{lines:?}"
        );
    }
    // Asked, it runs the server, and that only.
    let (_, lines) = traced(folder, "execve", &["lint", "--detect", "etc"]);
    let ran: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("execve(") && !line.contains("ENOENT"))
        .collect();
    assert_eq!(ran.len(), 2, "{lines:#?}");
    assert!(ran[1].contains("/nginx\", [\""), "{ran:?}");
    assert!(ran[1].contains("\"-V\"]"), "{ran:?}");
}

/// A folder with a program of every name that is run, each of which tells that it was.
struct Planted {
    folder: TempDir,
}

impl Planted {
    fn new(owner: u32, folder_mode: u32, file_mode: u32) -> Self {
        let planted = Self {
            folder: TempDir::new().unwrap(),
        };
        let marker = planted.marker();
        for name in [
            "nginx",
            "apache2",
            "httpd",
            "apachectl",
            "openssl",
            "ssh-keygen",
            "systemctl",
            "unshare",
            "mount",
            "true",
            "sh",
            "env",
            "id",
        ] {
            let path = planted.folder.path().join(name);
            let text = format!(
                "#!/bin/sh\necho {name} >> {marker}\n/usr/bin/env > {marker}.env\n\
                 echo 'nginx version: nginx/1.19.9' >&2\necho 'Server version: Apache/2.4.40'\n",
                marker = marker.display()
            );
            write(&path, &text);
            fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).unwrap();
            chown(&path, Some(owner), Some(owner)).unwrap();
        }
        let mode = fs::Permissions::from_mode(folder_mode);
        fs::set_permissions(planted.folder.path(), mode).unwrap();
        chown(planted.folder.path(), Some(owner), Some(owner)).unwrap();
        planted
    }

    fn marker(&self) -> PathBuf {
        // Outside, where everybody may write.
        let name = self.folder.path().file_name().unwrap().to_string_lossy();
        std::env::temp_dir().join(format!("ran-{name}"))
    }

    /// What of it was run.
    fn ran(&self) -> String {
        fs::read_to_string(self.marker()).unwrap_or_default()
    }

    fn first(&self) -> String {
        format!(
            "{}:/usr/sbin:/usr/bin:/sbin:/bin",
            self.folder.path().display()
        )
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.marker());
        let _ = fs::remove_file(format!("{}.env", self.marker().display()));
    }
}

/// The version that `--detect` finds.
fn detected(mut command: Command, folder: &Path) -> String {
    command.args(["inspect", "--detect", "--format", "json", "nginx.conf"]);
    let output = output(command.current_dir(folder));
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let version = &document["servers"][0]["version"]["value"];
    version.as_str().unwrap_or_default().to_owned()
}

/// Says so where nobody can be somebody else.
fn needs_root(what: &str) -> bool {
    if !is_root() {
        println!("NOT TESTED, this needs root: {what}");
    }
    is_root()
}

#[test]
fn root_runs_no_program_that_others_have_planted() {
    if !needs_root("a search path of somebody else's") {
        return;
    }
    let world = TempDir::new().unwrap();
    fs::set_permissions(world.path(), fs::Permissions::from_mode(0o755)).unwrap();
    write(&world.path().join("nginx.conf"), &nginx(""));
    let real = said(&output(Command::new("/usr/sbin/nginx").arg("-v")));
    let real = real.trim().rsplit('/').next().unwrap().to_owned();
    // A folder of somebody else's, one that all may write, programs that all may write.
    for (owner, folder_mode, file_mode) in [
        (NOBODY, 0o755, 0o755),
        (0, 0o777, 0o755),
        (0, 0o775, 0o755),
        (0, 0o755, 0o777),
    ] {
        let planted = Planted::new(owner, folder_mode, file_mode);
        let mut command = Command::new(BINARY);
        command.env("PATH", planted.first());
        assert_eq!(detected(command, world.path()), real);
        assert_eq!(planted.ran(), "", "{owner} {folder_mode:o} {file_mode:o}");
        // A relative folder is nobody's in particular.
        let mut command = Command::new(BINARY);
        command.env("PATH", ".:/usr/sbin:/usr/bin");
        fs::copy(
            planted.folder.path().join("nginx"),
            world.path().join("nginx"),
        )
        .unwrap();
        assert_eq!(detected(command, world.path()), real);
        // The server's own test, and the user's own command for it.
        let own = "nginx -v; openssl version; env > /dev/null";
        // The shell takes what root has let all write into a folder of its own.
        let commands = if file_mode == 0o777 {
            vec!["always"]
        } else {
            vec!["always", own]
        };
        for validate in commands {
            write(&world.path().join("nginx.conf"), &nginx(""));
            let mut command = Command::new(BINARY);
            command
                .env("PATH", planted.first())
                .current_dir(world.path());
            command.env("STEKGUARD_STATE_DIR", world.path().join("state"));
            command.args([
                "fix",
                "--write",
                "--unsafe-fixes",
                "--validate",
                validate,
                "nginx.conf",
            ]);
            let output = output(&mut command);
            assert_eq!(planted.ran(), "", "{validate}: {}", said(&output));
        }
        let mut command = Command::new(BINARY);
        command
            .env("PATH", planted.first())
            .current_dir(world.path());
        output(command.args(["keys", "doctor", "--isolated", "--dir", "keys"]));
        assert_eq!(planted.ran(), "");
    }
    // What belongs to root alone is run, with an environment that loads nothing.
    let planted = Planted::new(0, 0o755, 0o755);
    let mut command = Command::new(BINARY);
    command.env("PATH", planted.first());
    for (name, value) in HOSTILE {
        command.env(name, value);
    }
    assert_eq!(detected(command, world.path()), "1.19.9");
    let kept = fs::read_to_string(format!("{}.env", planted.marker().display())).unwrap();
    let names: Vec<&str> = kept
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    for (name, _) in HOSTILE {
        assert!(!names.contains(&name), "{name}: {kept}");
    }
    assert!(
        kept.contains("LANG=C.UTF-8") || !kept.contains("LANG="),
        "{kept}"
    );
    // A user has the search path that the user has.
    let planted = Planted::new(NOBODY, 0o755, 0o755);
    let binary = world.path().join("stekguard");
    fs::copy(BINARY, &binary).unwrap();
    let mut command = Command::new("/usr/bin/setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&binary);
    command.env("PATH", planted.first());
    assert_eq!(detected(command, world.path()), "1.19.9");
    assert_eq!(planted.ran(), "nginx\n");
}

const HOSTILE: [(&str, &str); 13] = [
    ("LD_LIBRARY_PATH", "/nowhere"),
    ("LD_BIND_NOW", "1"),
    ("BASH_ENV", "/nowhere/rc"),
    ("ENV", "/nowhere/rc"),
    ("NGINX", "7;"),
    ("OPENSSL_CONF", "/nowhere/openssl.cnf"),
    ("OPENSSL_MODULES", "/nowhere"),
    ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ("PERL5LIB", "/nowhere"),
    ("PYTHONPATH", "/nowhere"),
    ("TMPDIR", "/nowhere"),
    ("APACHE_CONFDIR", "/nowhere"),
    ("http_proxy", "http://nowhere"),
];

#[test]
fn a_command_of_the_user_keeps_what_is_harmless() {
    if !needs_root("the environment of a user's command") {
        return;
    }
    let world = TempDir::new().unwrap();
    write(&world.path().join("nginx.conf"), &nginx(""));
    let mut command = Command::new(BINARY);
    for (name, value) in HOSTILE {
        command.env(name, value);
    }
    command
        .env("DOCKER_HOST", "unix:///run/docker.sock")
        .current_dir(world.path());
    command.env("STEKGUARD_STATE_DIR", world.path().join("state"));
    let test = format!("env > {}/seen", world.path().display());
    command.args(["fix", "--write", "--unsafe-fixes", "--policy", "no-tickets"]);
    let output = output(command.args(["--validate", &test, "nginx.conf"]));
    let seen = fs::read_to_string(world.path().join("seen"));
    let seen = seen.unwrap_or_else(|_| panic!("{}", said(&output)));
    assert!(
        seen.contains("DOCKER_HOST=unix:///run/docker.sock"),
        "{seen}"
    );
    assert!(seen.contains("http_proxy="), "{seen}");
    assert!(seen.contains("STEKGUARD_CONFIG="), "{seen}");
    for (name, _) in HOSTILE.iter().filter(|(name, _)| *name != "http_proxy") {
        let line = format!("{name}=");
        assert!(
            !seen.lines().any(|it| it.starts_with(&line)),
            "{name}: {seen}"
        );
    }
}

#[test]
fn the_tls_library_of_root_takes_nothing_of_somebody_elses() {
    if !needs_root("variables of OpenSSL") {
        return;
    }
    let world = TempDir::new().unwrap();
    let theirs = world.path().join("openssl.cnf");
    write(&theirs, "openssl_conf = x\n");
    chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
    for name in [
        "OPENSSL_CONF",
        "OPENSSL_MODULES",
        "OPENSSL_ENGINES",
        "SSL_CERT_FILE",
    ] {
        let mut command = Command::new(BINARY);
        command.args(["probe", "127.0.0.1:1"]).env(name, &theirs);
        let output = output(&mut command);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains(&format!("unset {name}")),
            "{}",
            said(&output)
        );
    }
    // Its own is its own business; nobody listens there.
    chown(&theirs, Some(0), Some(0)).unwrap();
    write(&theirs, "");
    let mut command = Command::new(BINARY);
    command
        .args(["probe", "127.0.0.1:1"])
        .env("OPENSSL_CONF", &theirs);
    assert_eq!(output(&mut command).status.code(), Some(3));
    // What speaks no TLS does not ask.
    chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(BINARY);
    assert_eq!(
        output(command.arg("rules").env("OPENSSL_CONF", &theirs))
            .status
            .code(),
        Some(0)
    );
}

/// Somebody else's journal would have root write any bytes anywhere.
#[test]
fn the_journal_of_somebody_else_is_not_carried_out() {
    if !needs_root("a journal of somebody else's") {
        return;
    }
    let world = TempDir::new().unwrap();
    let (root, state) = (world.path().join("nginx.conf"), world.path().join("state"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command
            .env("STEKGUARD_STATE_DIR", &state)
            .current_dir(world.path());
        output(command.args(arguments))
    };
    write(&root, &nginx(""));
    write(&world.path().join("other.conf"), &nginx(""));
    let before = fs::read(&root).unwrap();
    let written = run(&["fix", "--write", "nginx.conf"]);
    let after = fs::read(&root).unwrap();
    assert_ne!(before, after, "{}", said(&written));
    for (path, owner, mode) in [
        (&state, NOBODY, 0o700),
        (&state, 0, 0o777),
        (&state.join("journal"), NOBODY, 0o700),
        (&state.join("journal"), 0, 0o770),
    ] {
        chown(path, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for command in [
            &["undo"][..],
            &["undo", "--list"],
            &["fix", "--write", "other.conf"],
        ] {
            let output = run(command);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{command:?}: {}",
                said(&output)
            );
            assert!(
                said(&output).contains("others can change"),
                "{}",
                said(&output)
            );
            assert_eq!(fs::read(&root).unwrap(), after, "{command:?}");
            let other = fs::read(world.path().join("other.conf")).unwrap();
            assert_eq!(other, before, "{command:?}");
        }
        chown(path, Some(0), Some(0)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(run(&["undo"]).status.code(), Some(0));
    assert_eq!(fs::read(&root).unwrap(), before);
}

/// No file of ours is made in a folder that all may write, so no link planted there matters.
#[test]
fn no_temporary_file_stands_where_all_may_write() {
    let world = TempDir::new().unwrap();
    let folder = fs::canonicalize(world.path()).unwrap();
    let shared = folder.join("shared");
    write(&folder.join("precious"), "untouched\n");
    write(&folder.join("etc/nginx.conf"), &nginx(""));
    fs::create_dir(&shared).unwrap();
    for name in ["stekguard", "stekguard.tmp", "nginx.conf", "shadow", "lock"] {
        symlink("../precious", shared.join(name)).unwrap();
    }
    let own = TempDir::new().unwrap();
    let log = own.path().join("log");
    for command in [
        &["lint", "etc"][..],
        &["fix", "--write", "--validate", "true", "etc"],
        &["undo"],
        &["lint", "--format", "html", "-o", "report.html", "etc"],
    ] {
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-qq", "-e", "trace=file", "-o"])
            .arg(&log);
        strace.arg(BINARY).args(command).current_dir(&folder);
        strace
            .env("TMPDIR", &shared)
            .env("STEKGUARD_STATE_DIR", folder.join("state"));
        let output = output(&mut strace);
        assert!(
            output.status.code() <= Some(1),
            "{command:?}: {}",
            said(&output)
        );
        let trace = fs::read_to_string(&log).unwrap();
        let there = shared.display().to_string();
        let touched = trace.lines().find(|line| line.contains(&there));
        assert_eq!(touched, None, "{command:?}");
        // What is written new is made so that nothing is followed or written over.
        let waits = |line: &&str| line.contains("/.stekguard-") || line.contains("/shadow/");
        let made = trace.lines().filter(|line| line.contains("O_CREAT"));
        for line in made.filter(waits) {
            assert!(line.contains("O_EXCL"), "{line}");
        }
    }
    assert_eq!(
        fs::read_to_string(folder.join("precious")).unwrap(),
        "untouched\n"
    );
}

#[test]
fn a_number_of_threads_is_bounded() {
    let world = TempDir::new().unwrap();
    for number in 0..100 {
        let text = "server { listen 80; }\n";
        write(&world.path().join(format!("conf.d/{number}.conf")), text);
    }
    write(
        &world.path().join("nginx.conf"),
        &nginx("include conf.d/*.conf;"),
    );
    let mut reports = BTreeSet::new();
    for count in ["1", "3", "100000", "18446744073709551615", "-1", "x"] {
        let mut command = Command::new("strace");
        let log = world.path().join("log");
        command
            .args(["-f", "-qq", "-e", "trace=clone,clone3", "-o"])
            .arg(&log);
        command
            .arg(BINARY)
            .args(["lint", "nginx.conf"])
            .current_dir(world.path());
        let output = output(command.env("RAYON_NUM_THREADS", count));
        assert_eq!(output.status.code(), Some(1), "{count}: {}", said(&output));
        reports.insert(said(&output));
        let started = fs::read_to_string(&log).unwrap().lines().count();
        assert!(started < 200, "{count}: {started}");
    }
    assert_eq!(reports.len(), 1);
}
