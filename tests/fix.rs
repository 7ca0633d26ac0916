//! The fix room. Cases are folders of testdata/fix: `before.conf`, `change.toml` (what a
//! rule would propose) and `after.conf`, written down by what the servers' syntax allows.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod fix_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::finding::{Change, Fix, Target};
use stekguard::fix::{FixError, Options, PatchOptions, patch, verify};
use stekguard::source::{self, Disk, FileId, LoadOptions, Project, Root};
use stekguard::syntax::nginx;
use stekguard::text::{Location, Span};

use fix_support::{applies, fix_of, planned, run, show};

#[derive(serde::Deserialize)]
struct Case {
    server: String,
    #[serde(default)]
    force: bool,
    #[serde(default)]
    refused: Vec<String>,
    change: Vec<CaseChange>,
}

#[derive(serde::Deserialize)]
struct CaseChange {
    rule: Option<String>,
    set: Option<String>,
    insert: Option<Vec<String>>,
    remove: Option<String>,
    block: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    nth: usize,
    #[serde(default)]
    join: bool,
}

fn cases() -> Vec<(String, PathBuf, Case)> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fix");
    let mut found = Vec::new();
    for item in fs::read_dir(base).unwrap() {
        let path = item.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let toml = fs::read_to_string(path.join("change.toml")).unwrap();
        let case = toml::from_str(&toml).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.push((name, path, case));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

impl Case {
    fn server(&self) -> Server {
        match self.server.as_str() {
            "nginx" => Server::Nginx,
            "apache" => Server::Apache,
            other => panic!("no server {other}"),
        }
    }

    /// The fixes of the case on a project; a change whose statement is not there is left out.
    fn fixes(&self, project: &Project) -> Vec<(&'static str, Fix)> {
        let mut fixes: Vec<(&'static str, Fix)> = Vec::new();
        for change in &self.change {
            let rule: &'static str = match change.rule.as_deref() {
                None => "test-rule",
                Some("other-rule") => "other-rule",
                Some(other) => panic!("no rule {other}"),
            };
            let Some(made) = change.make(project) else {
                continue;
            };
            match fixes.last_mut().filter(|_| change.join) {
                Some((_, fix)) => fix.changes.push(made),
                None => fixes.push((rule, fix_of(vec![made]))),
            }
        }
        fixes
    }
}

impl CaseChange {
    fn make(&self, project: &Project) -> Option<Change> {
        if let Some(name) = &self.set {
            let statement = locate(project, name, self.nth)?;
            return Some(Change::SetArguments {
                statement,
                arguments: self.arguments.clone(),
            });
        }
        if let Some(name) = &self.remove {
            return Some(Change::Remove {
                statement: locate(project, name, self.nth)?,
            });
        }
        let statement = self.insert.clone().expect("set, insert or remove");
        let target = match &self.block {
            Some(name) => Target::Block(locate(project, name, self.nth)?),
            None => Target::File(Arc::clone(&project.files[0].path)),
        };
        Some(Change::Insert { target, statement })
    }
}

fn locate(project: &Project, name: &str, nth: usize) -> Option<Location> {
    let mut places: Vec<(FileId, Span)> = Vec::new();
    for directive in &project.directives {
        let value = project.value(directive, &directive.name);
        let place = (directive.file, directive.span);
        if value.eq_ignore_ascii_case(name.as_bytes()) && !places.contains(&place) {
            places.push(place);
        }
    }
    places
        .get(nth)
        .map(|(file, span)| project.location_of(*file, *span))
}

fn load(server: Server, path: &Path) -> Project {
    source::load(
        &Root::new(server, path),
        &Disk::default(),
        &LoadOptions::default(),
    )
}

#[test]
fn every_case_comes_out_as_written_down() {
    let cases = cases();
    assert!(cases.len() >= 59, "only {} cases", cases.len());
    let (mut patched, mut again) = (0, 0);
    for (name, path, case) in &cases {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("site.conf");
        fs::copy(path.join("before.conf"), &file).unwrap();
        let project = load(case.server(), &file);
        let fixes = case.fixes(&project);
        let options = Options {
            force: case.force,
            ..Options::default()
        };
        let plan = planned(&project, &fixes, options.clone());

        let refused: Vec<&str> = plan.refused.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(refused.len(), case.refused.len(), "{name}: {refused:?}");
        for (is, wanted) in refused.iter().zip(&case.refused) {
            assert!(
                is.contains(wanted),
                "{name}: {is:?} does not say {wanted:?}"
            );
        }
        assert_eq!(plan.taken.len() + plan.refused.len(), fixes.len(), "{name}");
        let before = fs::read(path.join("before.conf")).unwrap();
        let wanted = fs::read(path.join("after.conf")).unwrap();
        let after = plan
            .files
            .first()
            .map_or(before.as_slice(), |file| &file.after);
        assert_eq!(show(after), show(&wanted), "{name}");
        verify(&plan.files, &|_| Ok(())).unwrap_or_else(|error| panic!("{name}: {error}"));
        if plan.is_empty() {
            continue;
        }
        applies(name, &plan.files, dir.path());
        patched += 1;

        // What was inserted or set must not be inserted or set again.
        fs::write(&file, after).unwrap();
        let project = load(case.server(), &file);
        let mut fixes = case.fixes(&project);
        let removes = |change: &Change| matches!(change, Change::Remove { .. });
        fixes.retain(|(_, fix)| !fix.all().any(removes));
        if case.refused.is_empty() {
            let second = planned(&project, &fixes, options);
            assert!(
                second.is_empty(),
                "{name}: planned again: {}",
                show(&second.files[0].after)
            );
            again += 1;
        }
    }
    println!(
        "{} cases, {patched} patches applied by git and patch, {again} planned twice",
        cases.len()
    );
    assert!(patched >= 48 && again >= 40);
}

/// What nginx and httpd accepted before, they accept after.
#[test]
fn the_servers_accept_what_they_accepted() {
    let mut counts = [(0, 0); 2];
    for (name, path, case) in &cases() {
        let dir = tempfile::tempdir().unwrap();
        let accepts = |file: &str| match case.server() {
            Server::Nginx => nginx_accepts(dir.path(), &path.join(file)),
            Server::Apache => apache_accepts(dir.path(), &path.join(file)),
        };
        let before = accepts("before.conf");
        let after = accepts("after.conf");
        let count = &mut counts[usize::from(case.server() == Server::Apache)];
        count.1 += 1;
        match before {
            Ok(_) => {
                count.0 += 1;
                after.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            Err(error) => println!(
                "{name}: refused before: {}",
                error.lines().next().unwrap_or("")
            ),
        }
    }
    println!(
        "accepted before and after: nginx {:?}, httpd {:?}",
        counts[0], counts[1]
    );
    assert!(counts[0].0 >= 25, "nginx accepts too few: {counts:?}");
    assert!(counts[1].0 >= 12, "httpd accepts too few: {counts:?}");
}

fn nginx_accepts(dir: &Path, file: &Path) -> Result<String, String> {
    fs::copy(file, dir.join("nginx.conf")).unwrap();
    let conf = dir.join("nginx.conf");
    run(
        dir,
        "nginx",
        &[
            "-t",
            "-c",
            conf.to_str().unwrap(),
            "-p",
            dir.to_str().unwrap(),
        ],
        b"",
    )
}

fn apache_accepts(dir: &Path, file: &Path) -> Result<String, String> {
    fs::copy(file, dir.join("httpd.conf")).unwrap();
    let modules = "/usr/lib/apache2/modules";
    let mut arguments = vec![
        "-t".to_string(),
        "-f".into(),
        dir.join("httpd.conf").to_str().unwrap().into(),
    ];
    for (name, file) in [
        ("mpm_event", "mpm_event"),
        ("authz_core", "authz_core"),
        ("socache_shmcb", "socache_shmcb"),
        ("ssl", "ssl"),
    ] {
        arguments.push("-C".into());
        arguments.push(format!("LoadModule {name}_module {modules}/mod_{file}.so"));
    }
    for line in [
        format!("DefaultRuntimeDir {}", dir.display()),
        "ErrorLog /dev/null".into(),
        "Listen 127.0.0.1:8080".into(),
    ] {
        arguments.push("-C".into());
        arguments.push(line);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(dir, "apache2", &arguments, b"")
}

// ---------------------------------------------------------------- several files

fn nginx_tree(dir: &Path, files: &[(&str, &str)]) -> Project {
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    load(Server::Nginx, &dir.join(files[0].0))
}

fn set(project: &Project, name: &str, nth: usize, arguments: &[&str]) -> Change {
    let statement = locate(project, name, nth).unwrap();
    Change::SetArguments {
        statement,
        arguments: arguments.iter().map(|a| a.to_string()).collect(),
    }
}

fn insert(project: &Project, block: &str, nth: usize, statement: &[&str]) -> Change {
    let target = Target::Block(locate(project, block, nth).unwrap());
    Change::Insert {
        target,
        statement: statement.iter().map(|a| a.to_string()).collect(),
    }
}

const ROOT: &str = "events {}\nhttp {\n    include sites/*;\n}\n";

#[test]
fn a_file_included_twice_is_edited_once_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let project = nginx_tree(
        dir.path(),
        &[
            ("nginx.conf", ROOT),
            (
                "sites/a",
                "server {\n    listen 8443;\n    include tls.inc;\n}\n",
            ),
            (
                "sites/b",
                "server {\n    listen 8444;\n    include tls.inc;\n}\n",
            ),
            ("tls.inc", "ssl_session_tickets on;\n"),
        ],
    );
    // Both instances asked for; and an insert into a server that has it by the include.
    let fixes = [
        (
            "one",
            fix_of(vec![set(&project, "ssl_session_tickets", 0, &["off"])]),
        ),
        (
            "two",
            fix_of(vec![set(&project, "ssl_session_tickets", 0, &["off"])]),
        ),
        (
            "three",
            fix_of(vec![insert(
                &project,
                "server",
                1,
                &["ssl_session_tickets", "off"],
            )]),
        ),
    ];
    let plan = planned(&project, &fixes, Options::default());
    assert_eq!(plan.taken, [0, 1, 2]);
    assert_eq!(plan.files.len(), 1);
    assert_eq!(*plan.files[0].after, *b"ssl_session_tickets off;\n");
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].text.contains("2 times"), "{:?}", plan.notes);
}

#[test]
fn an_insert_finds_the_statement_that_an_include_brings() {
    let dir = tempfile::tempdir().unwrap();
    let project = nginx_tree(
        dir.path(),
        &[
            (
                "nginx.conf",
                "events {}\nhttp {\n    include letsencrypt/*.conf;\n}\n",
            ),
            (
                "letsencrypt/options-ssl-nginx.conf",
                "ssl_session_tickets on;\n",
            ),
        ],
    );
    let fixes = [(
        "one",
        fix_of(vec![insert(
            &project,
            "http",
            0,
            &["ssl_session_tickets", "off"],
        )]),
    )];
    let plan = planned(&project, &fixes, Options::default());
    assert!(plan.is_empty());
    assert!(
        plan.refused[0].reason.contains("certbot"),
        "{:?}",
        plan.refused
    );
    let plan = planned(
        &project,
        &fixes,
        Options {
            force: true,
            ..Options::default()
        },
    );
    // What certbot compares by hash stays as it is, by force too.
    assert!(plan.is_empty(), "{:?}", plan.files);
    assert!(
        plan.refused[0].reason.contains("once in a block"),
        "{:?}",
        plan.refused
    );
}

/// A statement under a condition is changed too, but is no answer for the block, unless the
/// new one would stand under the same condition.
#[test]
fn conditions_of_httpd() {
    for (text, block, wanted) in [
        (
            "<IfModule mod_ssl.c>\nSSLSessionTickets on\n</IfModule>\n",
            None,
            "<IfModule mod_ssl.c>\nSSLSessionTickets off\n</IfModule>\n",
        ),
        (
            "<IfVersion >= 2.4.60>\nSSLSessionTickets on\n</IfVersion>\nServerName a\n",
            None,
            "<IfVersion >= 2.4.60>\nSSLSessionTickets off\n</IfVersion>\nServerName a\nSSLSessionTickets off\n",
        ),
        (
            "<VirtualHost *:443>\n  <IfVersion >= 2.4.60>\n    SSLSessionTickets on\n  </IfVersion>\n  SSLEngine on\n</VirtualHost>\n",
            Some("VirtualHost"),
            "<VirtualHost *:443>\n  <IfVersion >= 2.4.60>\n    SSLSessionTickets off\n  </IfVersion>\n  SSLEngine on\n  SSLSessionTickets off\n</VirtualHost>\n",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.conf");
        let mut text = text.to_string();
        // The same answer when asked again.
        for _ in 0..2 {
            fs::write(&path, &text).unwrap();
            let project = load(Server::Apache, &path);
            let change = match block {
                Some(name) => insert(&project, name, 0, &["SSLSessionTickets", "off"]),
                None => Change::Insert {
                    target: Target::File(Arc::clone(&project.files[0].path)),
                    statement: vec!["SSLSessionTickets".into(), "off".into()],
                },
            };
            let plan = planned(
                &project,
                &[("one", fix_of(vec![change]))],
                Options::default(),
            );
            assert_eq!(plan.refused, []);
            text = match plan.files.first() {
                Some(file) => String::from_utf8(file.after.to_vec()).unwrap(),
                None => text,
            };
            assert_eq!(text, wanted);
        }
    }
}

#[test]
fn a_dump_gets_a_patch_but_is_not_written() {
    let dump = "# configuration file /etc/nginx/nginx.conf:\nevents {}\nworker_processes 1;\n\n";
    let memory = source::Memory::new([("-", dump)]);
    let root = Root::new(Server::Nginx, "-").with_kind(source::RootKind::Dump);
    let project = source::load(&root, &memory, &LoadOptions::default());
    let fixes = [(
        "one",
        fix_of(vec![set(&project, "worker_processes", 0, &["2"])]),
    )];
    let plan = planned(&project, &fixes, Options::default());
    let bytes = patch(&plan.files, PatchOptions::default());
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with("--- a/etc/nginx/nginx.conf\n+++ b/etc/nginx/nginx.conf\n"),
        "{text}"
    );
    assert_eq!(stekguard::fix::common_repository(&plan.files), None);
    let dir = tempfile::tempdir().unwrap();
    let state = stekguard::fix::State::at(dir.path());
    let error = stekguard::fix::write(&plan.files, &state, 0).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/etc/nginx/nginx.conf: not a file"),
        "{error}"
    );
}

#[test]
fn a_directory_that_httpd_reads_whole_is_crowded() {
    for (include, crowded) in [
        ("Include inc/sites", true),
        ("Include inc/sites/", true),
        ("Include inc/sites/*", true),
        ("IncludeOptional inc/sites/*.conf", false),
        ("Include inc/sites/a.conf", false),
        ("Include BASE/inc/sites", true),
        ("Include BASE/inc/sites/*", false),
        ("Include BASE/inc/*", true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("httpd.conf");
        let site = dir.path().join("inc/sites/a.conf");
        fs::create_dir_all(dir.path().join("inc/sites")).unwrap();
        let include = include.replace("BASE", dir.path().to_str().unwrap());
        let base = dir.path().display();
        fs::write(&root, format!("ServerRoot {base}\n{include}\n")).unwrap();
        fs::write(&site, "SSLSessionTickets on\n").unwrap();
        let project = load(Server::Apache, &root);
        let fixes = [(
            "one",
            fix_of(vec![set(&project, "SSLSessionTickets", 0, &["off"])]),
        )];
        let plan = planned(&project, &fixes, Options::default());
        assert_eq!(plan.files[0].crowded, crowded, "{include}");
    }
}

#[test]
fn a_fix_is_taken_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let project = nginx_tree(
        dir.path(),
        &[
            ("nginx.conf", ROOT),
            ("sites/a", "ssl_session_tickets on;\n"),
            ("sites/b", "# Managed by Puppet\nssl_session_timeout 5d;\n"),
        ],
    );
    let changes = vec![
        set(&project, "ssl_session_tickets", 0, &["off"]),
        set(&project, "ssl_session_timeout", 0, &["1d"]),
    ];
    let plan = planned(&project, &[("one", fix_of(changes))], Options::default());
    assert!(plan.is_empty());
    assert_eq!(plan.refused.len(), 1);
    assert_eq!(plan.refused[0].path, dir.path().join("sites/b"));
}

#[test]
fn rounds_are_told_as_one_plan() {
    let dir = tempfile::tempdir().unwrap();
    let text = "events {}\nhttp {\n    ssl_session_tickets on;\n    ssl_session_timeout 5d;\n}\n";
    let project = nginx_tree(dir.path(), &[("nginx.conf", text)]);
    let fixes = [(
        "one",
        fix_of(vec![set(&project, "ssl_session_timeout", 0, &["1d"])]),
    )];
    let first = planned(&project, &fixes, Options::default());
    fs::write(dir.path().join("nginx.conf"), &first.files[0].after).unwrap();
    let project = load(Server::Nginx, &dir.path().join("nginx.conf"));
    let fixes = [(
        "two",
        fix_of(vec![Change::Remove {
            statement: locate(&project, "ssl_session_tickets", 0).unwrap(),
        }]),
    )];
    let both = first.then(planned(&project, &fixes, Options::default()));
    verify(&both.files, &|_| Ok(())).unwrap();
    let bytes = patch(
        &both.files,
        PatchOptions {
            root: Some(dir.path()),
            terminal: false,
            colour: false,
        },
    );
    let wanted = "--- a/nginx.conf\n+++ b/nginx.conf\n@@ -1,5 +1,4 @@ one: it is so; two: it is so\n events {}\n http {\n-    ssl_session_tickets on;\n-    ssl_session_timeout 5d;\n+    ssl_session_timeout 1d;\n }\n";
    assert_eq!(
        String::from_utf8(bytes).unwrap().replace(
            "two: it is so; one: it is so",
            "one: it is so; two: it is so"
        ),
        wanted
    );
    let reason = both.files[0]
        .reasons
        .iter()
        .find(|reason| reason.rule == "one")
        .unwrap();
    assert_eq!(reason.span.of(&both.files[0].after), b"1d");
}

#[test]
fn verify_refuses_what_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let project = nginx_tree(
        dir.path(),
        &[("nginx.conf", "events {}\nworker_processes 1;\n")],
    );
    let fixes = [(
        "one",
        fix_of(vec![set(&project, "worker_processes", 0, &["2"])]),
    )];
    let good = planned(&project, &fixes, Options::default()).files;

    let mut touched = good.clone();
    let mut bytes = good[0].after.to_vec();
    bytes[0] = b'E';
    touched[0].after = bytes.into();
    assert!(matches!(
        verify(&touched, &|_| Ok(())),
        Err(FixError::Touched { at: 0, .. })
    ));

    let mut longer = good.clone();
    longer[0].after = [&*good[0].after, b"\n"].concat().into();
    assert!(matches!(
        verify(&longer, &|_| Ok(())),
        Err(FixError::Touched { .. })
    ));

    let mut broken = good.clone();
    let mut round = stekguard::text::EditSet::new();
    let end = broken[0].before.len() as u32;
    round
        .insert(stekguard::text::Edit {
            span: Span::at(end),
            replacement: b"http {\n".to_vec(),
        })
        .unwrap();
    broken[0].after = round.apply(&broken[0].before).unwrap().into();
    broken[0].rounds = vec![round];
    let error = verify(&broken, &|_| Ok(())).unwrap_err();
    assert!(
        error.to_string().contains("unexpected end of file"),
        "{error}"
    );

    let real = fs::canonicalize(dir.path().join("nginx.conf")).unwrap();
    let refuse = |files: &stekguard::fix::Texts| {
        assert_eq!(*files[&real], *b"events {}\nworker_processes 2;\n");
        Err("the goal is not met".to_string())
    };
    assert!(
        verify(&good, &refuse)
            .unwrap_err()
            .to_string()
            .contains("the goal is not met")
    );
    let tree = nginx::parse(&good[0].after, &nginx::Options::default());
    assert!(tree.errors.is_empty());
}

// ---------------------------------------------------------------- patches

#[test]
fn strange_names_reach_git_and_patch() {
    let names = [
        "my site.conf",
        "caf\u{e9}.conf",
        "quo\"te\\.conf",
        "sub dir/tab\t.conf",
    ];
    for name in names {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "events {}\nworker_processes 1;").unwrap();
        let project = load(Server::Nginx, &path);
        let fixes = [(
            "one",
            fix_of(vec![set(&project, "worker_processes", 0, &["2"])]),
        )];
        applies(
            name,
            &planned(&project, &fixes, Options::default()).files,
            dir.path(),
        );
    }
}

#[test]
#[cfg(unix)]
fn a_patch_names_the_real_file_of_a_symlink_below_slash_or_the_repository() {
    let dir = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir_all(base.join("sites-available")).unwrap();
    fs::create_dir_all(base.join("sites")).unwrap();
    fs::write(base.join("sites-available/a"), "ssl_session_tickets on;\n").unwrap();
    std::os::unix::fs::symlink("../sites-available/a", base.join("sites/a")).unwrap();
    let project = nginx_tree(&base, &[("nginx.conf", ROOT)]);
    let fixes = [(
        "one",
        fix_of(vec![set(&project, "ssl_session_tickets", 0, &["off"])]),
    )];
    let files = planned(&project, &fixes, Options::default()).files;
    let head = |root: Option<&Path>| {
        let bytes = patch(
            &files,
            PatchOptions {
                root,
                terminal: false,
                colour: false,
            },
        );
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        head(None),
        format!("--- a{}", base.join("sites-available/a").display())
    );
    assert_eq!(stekguard::fix::common_repository(&files), None);
    fs::create_dir(base.join(".git")).unwrap();
    let root = stekguard::fix::common_repository(&files).unwrap();
    assert_eq!(root, base);
    assert_eq!(head(Some(&root)), "--- a/sites-available/a");
}

#[test]
fn a_patch_for_a_terminal_shows_control_bytes_and_never_sends_them() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("n"),
        b"# \x1b]0;owned\x07 \xe9\r\nevents {}\nworker_processes 1;\n",
    )
    .unwrap();
    let project = load(Server::Nginx, &dir.path().join("n"));
    let fixes = [(
        "one",
        fix_of(vec![set(&project, "worker_processes", 0, &["2"])]),
    )];
    let files = planned(&project, &fixes, Options::default()).files;
    colored::control::set_override(true);
    let shown = patch(
        &files,
        PatchOptions {
            root: Some(dir.path()),
            terminal: true,
            colour: true,
        },
    );
    let plain = patch(
        &files,
        PatchOptions {
            root: Some(dir.path()),
            terminal: true,
            colour: false,
        },
    );
    colored::control::unset_override();
    let shown = String::from_utf8(shown).unwrap();
    // The word that differs stands out.
    assert!(
        shown.contains("\u{1b}[32m+worker_processes \u{1b}[0m\u{1b}[1;4;32m2\u{1b}[0m\u{1b}[32m;"),
        "{shown}"
    );
    assert!(
        shown.contains("\\u{1b}]0;owned\\u{7} \\xe9\\r\n"),
        "{shown}"
    );
    assert!(!plain.contains(&0x1b) && !plain.contains(&7));
}
