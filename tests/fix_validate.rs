//! The server's own test of a result that is not in place yet: an error planted in any file
//! of a tree is refused and nothing is written, in a mount namespace and on a copy; and no
//! server runs where a tree is not its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::certs;
use support::install::{self, apache_modules, is_root};
use tempfile::TempDir;

/// A tree on disk whose root is `root`, and where each of its files can take an error.
struct Tree {
    dir: TempDir,
    root: &'static str,
    /// File, a line of it, and a line that the server refuses in front of it.
    plants: Vec<(&'static str, &'static str, &'static str)>,
    /// What the server says of such a line.
    refused: &'static str,
    /// How the tool is told what it is.
    version: String,
}

/// How the tool is started.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// As it is: root may make mount namespaces.
    Namespace,
    /// Without the privilege to mount.
    Copy,
}

impl Tree {
    fn path(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap()
    }

    fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// All files of configuration, without what the tool keeps.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        collect(&self.path(), &mut all);
        all.retain(|path, _| !path.starts_with(self.state()));
        // The servers' test opens these.
        all.retain(|path, _| {
            let name = path.to_string_lossy();
            !name.ends_with(".log") && !name.ends_with(".pid")
        });
        all
    }

    fn run(&self, way: Way, arguments: &[&str]) -> Output {
        let mut command = match way {
            Way::Namespace => Command::new(env!("CARGO_BIN_EXE_stekguard")),
            Way::Copy => {
                let mut command = Command::new("setpriv");
                let less = ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
                command.args(less).arg(env!("CARGO_BIN_EXE_stekguard"));
                command
            }
        };
        command
            .args(["fix", "--write", "--server-version", &self.version])
            .args(arguments)
            .arg(self.path().join(self.root));
        self.output(&mut command)
    }

    fn output(&self, command: &mut Command) -> Output {
        command
            .env("STEKGUARD_STATE_DIR", self.state())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn nothing_left(&self, when: &str) {
        assert!(
            !self.state().join("shadow").exists(),
            "{when}: a shadow stays"
        );
        let journal = self.state().join("journal");
        let entries = fs::read_dir(journal).map(Iterator::count).unwrap_or(0);
        assert_eq!(entries, 0, "{when}: a journal entry");
    }
}

fn collect(dir: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            collect(&path, all);
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Includes by relative and by full path, quoted, by wildcard, through a link, and of a
/// snippet in a server; the certificates are named relative to the root's folder.
fn nginx() -> Tree {
    let dir = TempDir::with_prefix("nginx-validate-").unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    let shown = base.display();
    for folder in [
        "conf.d",
        "sites-available",
        "sites-enabled",
        "snippets",
        "tls",
    ] {
        fs::create_dir(base.join(folder)).unwrap();
    }
    certs::self_signed(&base.join("tls"), "one", &["a.test"], &certs::nonce());
    let write = |name: &str, text: String| fs::write(base.join(name), text).unwrap();
    write(
        "nginx.conf",
        format!(
            "pid {shown}/nginx.pid;\nerror_log {shown}/error.log;\nevents {{\n    worker_connections 64;\n}}\n\
             http {{\n    access_log off;\n    client_body_temp_path {shown}/body;\n    \
             include conf.d/*.conf;\n    include \"{shown}/types\";\n    \
             include {shown}/sites-enabled/*;\n    keepalive_timeout 60;\n}}\n"
        ),
    );
    write("types", "types {\n    text/html html;\n}\n".to_owned());
    write(
        "conf.d/00.conf",
        "ssl_certificate tls/one.crt;\nssl_certificate_key tls/one.key;\n".to_owned(),
    );
    let server = |port: u16, rest: &str| {
        format!(
            "server {{\n    listen 127.0.0.1:{port} ssl;\n    server_name a{port}.test;\n{rest}}}\n"
        )
    };
    write(
        "conf.d/10.conf",
        server(18_443, "    ssl_session_tickets on;\n"),
    );
    write(
        "sites-available/b",
        server(18_444, "    include snippets/tls.conf;\n"),
    );
    write(
        "sites-available/never",
        "this is read by nobody;\n".to_owned(),
    );
    symlink("../sites-available/b", base.join("sites-enabled/b")).unwrap();
    write("snippets/tls.conf", "ssl_session_tickets on;\n".to_owned());
    let (bad, at_top) = ("keepalive_timeout bogus;\n", "worker_processes bogus;\n");
    Tree {
        dir,
        root: "nginx.conf",
        plants: vec![
            ("nginx.conf", "pid ", at_top),
            ("types", "types {", bad),
            ("conf.d/00.conf", "ssl_certificate ", bad),
            ("conf.d/10.conf", "server {", bad),
            ("sites-available/b", "    listen", bad),
            ("snippets/tls.conf", "ssl_session", bad),
        ],
        refused: "invalid",
        version: format!("nginx={}", install::nginx_packaged().version),
    }
}

/// The same for httpd: relative to ServerRoot, by full path, by a variable, by a macro, and a
/// file that a condition leaves out.
fn apache() -> Tree {
    let dir = TempDir::with_prefix("httpd-validate-").unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    let shown = base.display();
    for folder in ["mods", "sites-available", "sites-enabled", "tls", "more"] {
        fs::create_dir(base.join(folder)).unwrap();
    }
    certs::self_signed(&base.join("tls"), "one", &["a.test"], &certs::nonce());
    let write = |name: &str, text: String| fs::write(base.join(name), text).unwrap();
    let load = |name: &str| {
        let modules = apache_modules();
        format!(
            "LoadModule {name}_module {}/mod_{name}.so\n",
            modules.display()
        )
    };
    write(
        "apache2.conf",
        format!(
            "ServerRoot \"{shown}\"\nDefine MORE {shown}/more\nDefaultRuntimeDir \"{shown}\"\n\
             PidFile \"{shown}/httpd.pid\"\nErrorLog \"{shown}/error.log\"\nServerName main.test\n\
             User www-data\nGroup www-data\nIncludeOptional mods/*.load\nInclude ${{MORE}}/plain.conf\n\
             Include \"{shown}/ports.conf\"\n<Macro Site $name>\n    Include sites-enabled/$name\n</Macro>\n\
             Use Site b.conf\n<IfDefine Never>\n    Include more/never.conf\n</IfDefine>\n\
             IncludeOptional sites-enabled/a*.conf\n"
        ),
    );
    write(
        "mods/all.load",
        ["mpm_event", "authz_core", "socache_shmcb", "ssl", "macro"]
            .map(load)
            .concat(),
    );
    write("more/plain.conf", "Timeout 60\n".to_owned());
    write("more/never.conf", "This is read by nobody\n".to_owned());
    write(
        "ports.conf",
        "Listen 127.0.0.1:18445\nListen 127.0.0.1:18446\n".to_owned(),
    );
    let vhost = |port: u16| {
        format!(
            "<VirtualHost 127.0.0.1:{port}>\n    ServerName a{port}.test\n    SSLEngine on\n    \
             SSLCertificateFile tls/one.crt\n    SSLCertificateKeyFile tls/one.key\n</VirtualHost>\n"
        )
    };
    write("sites-available/a.conf", vhost(18_445));
    write("sites-available/b.conf", vhost(18_446));
    for name in ["a.conf", "b.conf"] {
        let target = Path::new("../sites-available").join(name);
        symlink(target, base.join("sites-enabled").join(name)).unwrap();
    }
    let bad = "KeepAliveTimeout bogus\n";
    Tree {
        dir,
        root: "apache2.conf",
        plants: vec![
            ("apache2.conf", "DefaultRuntimeDir", bad),
            ("mods/all.load", "LoadModule ssl", bad),
            ("more/plain.conf", "Timeout", bad),
            ("ports.conf", "Listen", bad),
            ("sites-available/a.conf", "<VirtualHost", bad),
            ("sites-available/b.conf", "    SSLEngine", bad),
        ],
        refused: "KeepAliveTimeout",
        version: format!("apache={}", install::apache().version),
    }
}

/// Plants an error in each file in turn.
fn every_file_is_tested(tree: &Tree, way: Way) {
    assert!(
        is_root(),
        "the server's own test needs root: run the tests as root"
    );
    let mut refused = 0;
    for (name, line, plant) in &tree.plants {
        let path = tree.path().join(name);
        let sound = fs::read_to_string(&path).unwrap();
        let (before, after) = sound.split_once(line).unwrap();
        fs::write(&path, format!("{before}{plant}{line}{after}")).unwrap();
        let planted = tree.bytes();
        let output = tree.run(way, &["--validate", "always"]);
        let when = format!("{way:?}: {name}: {}", said(&output));
        assert_eq!(output.status.code(), Some(2), "{when}");
        assert!(said(&output).contains("-t refuses the result"), "{when}");
        assert!(said(&output).contains(tree.refused), "{when}");
        assert!(
            said(&output).contains("it refuses the files as they are too"),
            "{when}"
        );
        assert!(said(&output).contains("nothing was written"), "{when}");
        assert!(
            !said(&output).contains("shadow"),
            "a place that nobody has: {when}"
        );
        assert_eq!(tree.bytes(), planted, "{when}");
        tree.nothing_left(&when);
        fs::write(&path, sound).unwrap();
        refused += 1;
    }
    // The sound tree goes through, so that it was the planted line which did not.
    let before = tree.bytes();
    let output = tree.run(way, &["--validate", "always"]);
    let when = format!("{way:?}: {}", said(&output));
    assert_eq!(output.status.code(), Some(0), "{when}");
    let by = match way {
        Way::Namespace => "-t\n",
        Way::Copy => "-t, on a copy\n",
    };
    let line = said(&output);
    let line = line.lines().find(|line| line.contains("accepted by"));
    let line = line.unwrap_or_else(|| panic!("{when}"));
    assert!(format!("{line}\n").ends_with(by), "{when}");
    let after = tree.bytes();
    let changed = before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(bytes))
        .count();
    assert!(changed > 0, "{when}");
    assert_eq!(before.len(), after.len(), "{when}");
    assert!(!tree.state().join("shadow").exists());
    println!(
        "{way:?}: {refused} of {} planted errors refused, {changed} files written",
        tree.plants.len()
    );
}

#[test]
fn an_error_in_any_file_of_nginx_is_refused() {
    every_file_is_tested(&nginx(), Way::Namespace);
}

#[test]
fn an_error_in_any_file_of_nginx_is_refused_on_a_copy() {
    every_file_is_tested(&nginx(), Way::Copy);
}

#[test]
fn an_error_in_any_file_of_httpd_is_refused() {
    every_file_is_tested(&apache(), Way::Namespace);
}

#[test]
fn an_error_in_any_file_of_httpd_is_refused_on_a_copy() {
    every_file_is_tested(&apache(), Way::Copy);
}

/// A foreign tree: a program of the server's name is first in the path and leaves a mark.
#[test]
fn auto_runs_nothing_for_a_foreign_tree() {
    let tree = nginx();
    let programs = tree.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let mark = tree.path().join("state-mark");
    for name in ["nginx", "unshare", "sh"] {
        let program = programs.join(name);
        fs::write(
            &program,
            format!("#!/bin/bash\necho ran > {}\n", mark.display()),
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_stekguard"))
            .args(["fix", "--write", "--server-version", &tree.version])
            .args(arguments)
            .arg(tree.path().join(tree.root))
            .env("STEKGUARD_STATE_DIR", tree.state())
            .env("PATH", &programs)
            .output()
            .unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("not validated"), "{}", said(&output));
    assert!(
        said(&output).contains("not the installed server's own tree"),
        "{}",
        said(&output)
    );
    assert!(!mark.exists(), "a program ran");
    // The same with the flag does run one, so the mark is a mark.
    let undone = support::program::run(&tree.state(), &["undo"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    let output = run(&["--validate", "always"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(mark.exists());
}

/// The server's own tree is the one under its own path: the tree is mounted there for this
/// run alone.
#[test]
fn auto_tests_the_servers_own_tree() {
    assert!(
        is_root(),
        "the server's own test needs root: run the tests as root"
    );
    for (tree, own) in [(nginx(), "/etc/nginx"), (apache(), "/etc/apache2")] {
        assert!(
            Path::new(own).is_dir(),
            "{own}: run tests/install_servers.sh"
        );
        // Full paths inside the tree still lead to it by its own name.
        let run = || {
            let script = format!(
                "mount --bind {} {own} && exec {} fix --write --server-version {} {own}/{}",
                tree.path().display(),
                env!("CARGO_BIN_EXE_stekguard"),
                tree.version,
                tree.root
            );
            Command::new("unshare")
                .args([
                    "--mount",
                    "--propagation",
                    "private",
                    "/bin/sh",
                    "-c",
                    &script,
                ])
                .env("STEKGUARD_STATE_DIR", tree.state())
                .stdin(Stdio::null())
                .output()
                .unwrap()
        };
        let (name, line, plant) = tree.plants[2];
        let path = tree.path().join(name);
        let sound = fs::read_to_string(&path).unwrap();
        fs::write(&path, sound.replacen(line, &format!("{plant}{line}"), 1)).unwrap();
        let planted = tree.bytes();
        let output = run();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains("-t refuses the result"),
            "{}",
            said(&output)
        );
        assert_eq!(tree.bytes(), planted);
        fs::write(&path, sound).unwrap();

        let output = run();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("accepted by"), "{}", said(&output));
    }
}

#[test]
fn a_command_stands_for_the_test() {
    for way in [Way::Namespace, Way::Copy] {
        let tree = nginx();
        let before = tree.bytes();
        let output = tree.run(way, &["--validate", "echo no such thing >&2; exit 3"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains("no such thing; nothing was written"),
            "{}",
            said(&output)
        );
        assert_eq!(tree.bytes(), before);
        // Nothing was written, so there is nothing to reload.
        assert!(
            !said(&output).contains("makes it live"),
            "{}",
            said(&output)
        );
        let output = tree.run(way, &["--validate", "echo said aloud; false"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains("refuses the result: said aloud; nothing was written"),
            "{}",
            said(&output)
        );
        // It sees the new bytes at the place it is told.
        let command = "grep -q 'tickets off' \"$(dirname \"$STEKGUARD_CONFIG\")/conf.d/10.conf\"";
        let output = tree.run(way, &["--validate", command]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let output = tree.run(way, &["--validate", command]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "nothing to do: {}",
            said(&output)
        );
    }
}

/// As after `cd /etc/apache2`: the folder of the file is the working directory.
#[test]
fn a_main_file_named_by_its_name_alone_is_tested() {
    for tree in [nginx(), apache()] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        command
            .args(["fix", "--write", "--server-version", &tree.version])
            .args(["--validate", "always", tree.root])
            .current_dir(tree.path());
        let output = tree.output(&mut command);
        assert!(
            said(&output).contains(&format!("{}: accepted by", tree.root)),
            "{}",
            said(&output)
        );
    }
}

/// A command that hangs, with a child that hangs, while one of them holds the output; the tool
/// ends both after its limit, in a mount namespace and on a copy at once.
#[test]
fn a_test_that_does_not_end_is_ended() {
    std::thread::scope(|scope| {
        for way in [Way::Namespace, Way::Copy] {
            scope.spawn(move || a_hanging_test(way));
        }
    });
}

fn a_hanging_test(way: Way) {
    let tree = nginx();
    let before = tree.bytes();
    let pids = tree.path().join("state").join("pids.log");
    let command = format!(
        "mkdir -p {0}; sleep 1000 & echo $! >> {1}; echo $$ >> {1}; sleep 1001",
        tree.state().display(),
        pids.display()
    );
    let started = std::time::Instant::now();
    let output = tree.run(way, &["--validate", &command]);
    let took = started.elapsed().as_secs();
    let when = format!("{way:?}: {}", said(&output));
    assert_eq!(output.status.code(), Some(2), "{when}");
    let text = said(&output);
    let errors: Vec<&str> = text.lines().filter(|it| it.starts_with("error:")).collect();
    assert_eq!(errors.len(), 1, "{when}");
    assert!(
        errors[0].contains("does not end: it was ended after 60 seconds; nothing was written"),
        "{when}"
    );
    assert!((60..120).contains(&took), "{took} s: {when}");
    assert_eq!(tree.bytes(), before, "{when}");
    tree.nothing_left(&when);
    let ran = fs::read_to_string(pids).unwrap();
    let ran: Vec<&str> = ran.lines().collect();
    assert_eq!(ran.len(), 2, "{ran:?}");
    for pid in ran {
        // Ended, or ended and not yet buried by the process that inherits it.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let lives = !state.is_empty() && !state.contains(") Z ");
        assert!(!lives, "{pid} runs still: {state}");
    }
    println!("{way:?}: a test that hangs was ended after {took} s");
}
