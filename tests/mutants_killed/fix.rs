//! Repairs: where copies go, what a patch says, and which repository it belongs to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::finding::{Applicability, Change, Fix, GoLive, Target};
use stekguard::fix::{
    Copied, Options, PatchOptions, PlannedFile, Proposal, Reason, Shadow, State, backup,
    common_repository, cover, list, patch, plan, untouchable,
};
use stekguard::source::{self, Disk, LoadOptions, Memory, Root};
use stekguard::text::{Edit, EditSet, Span};

/// `# new` in front of a file's text.
fn planned(path: &Path, text: &str, why: &str) -> PlannedFile {
    let line = "# new\n";
    let edit = Edit {
        span: Span::at(0),
        replacement: line.into(),
    };
    let mut round = EditSet::new();
    round.insert(edit).unwrap();
    PlannedFile {
        paths: vec![Arc::from(path)],
        real: Some(path.to_owned()),
        server: Server::Nginx,
        before: text.as_bytes().into(),
        after: [line, text].concat().into_bytes().into(),
        rounds: vec![round],
        reasons: vec![Reason {
            span: Span::new(0, line.len() as u32),
            rule: "dead-tickets",
            text: why.to_owned(),
        }],
        crowded: false,
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(temporary.path()).unwrap();
    (temporary, base)
}

/// Two copies in one second lie in two folders, and the first stays as it is.
#[test]
fn copies_of_one_second_do_not_meet() {
    let (_held, base) = folder();
    let state = State::at(base.join("state"));
    let path = base.join("a.conf");
    let copy = |text: &str| {
        let copies = backup(&[planned(&path, text, "why")], &state, 1_700_000_000).unwrap();
        assert_eq!(copies.len(), 1);
        assert_eq!(copies[0].0, path);
        copies[0].1.clone()
    };
    let (first, second) = (copy("one\n"), copy("two\n"));
    assert!(first.starts_with(state.dir()) && second.starts_with(state.dir()));
    assert_eq!(fs::read_to_string(first).unwrap(), "one\n");
    assert_eq!(fs::read_to_string(second).unwrap(), "two\n");
}

/// Nothing was written yet, or the journal cannot be read: the second is no empty list.
#[test]
fn a_journal_that_is_not_there_and_one_that_cannot_be_read() {
    let (_held, base) = folder();
    let state = State::at(base.join("state"));
    assert_eq!(list(&state).unwrap(), []);
    fs::create_dir_all(state.dir()).unwrap();
    fs::write(state.dir().join("journal"), "").unwrap();
    assert!(list(&state).is_err());
}

#[test]
fn a_patch_belongs_to_the_repository_of_all_its_files() {
    let (_held, base) = folder();
    for repository in ["one", "two"] {
        fs::create_dir_all(base.join(repository).join(".git")).unwrap();
        fs::create_dir_all(base.join(repository).join("sites")).unwrap();
    }
    let common = |names: &[&str]| {
        let file = |name: &&str| planned(&base.join(name), "x\n", "why");
        common_repository(&names.iter().map(file).collect::<Vec<_>>())
    };
    let one = Some(base.join("one"));
    assert_eq!(common(&["one/a.conf"]), one);
    assert_eq!(common(&["one/a.conf", "one/sites/b.conf"]), one);
    assert_eq!(common(&["one/a.conf", "two/b.conf"]), None);
    assert_eq!(common(&["one/a.conf", "b.conf"]), None);
    assert_eq!(common(&[]), None);
}

/// A reason stands behind the place of its hunk, on that one line, whatever it quotes.
#[test]
fn a_reason_is_one_line_of_the_patch() {
    let file = planned(
        Path::new("/srv/a.conf"),
        "x\n",
        "because of\n+evil\tand  more",
    );
    let text = String::from_utf8(patch(&[file], PatchOptions::default())).unwrap();
    let place = text.lines().find(|line| line.starts_with("@@ ")).unwrap();
    assert!(place.ends_with("because of +evil and more"), "{text}");
    let added: Vec<&str> = text.lines().filter(|line| line.starts_with('+')).collect();
    assert_eq!(added[1..], ["+# new"]);
}

/// As git's quote.c writes names that would end early.
#[test]
fn names_are_quoted_as_git_quotes_them() {
    let name = |name: &str| {
        let file = planned(Path::new(name), "x\n", "why");
        let text = String::from_utf8(patch(&[file], PatchOptions::default())).unwrap();
        text.split('\n').next().unwrap().to_owned()
    };
    assert_eq!(name("/srv/plain"), "--- a/srv/plain");
    assert_eq!(name("/srv/with space"), "--- a/srv/with space\t");
    assert_eq!(name("/srv/a\tb"), r#"--- "a/srv/a\tb""#);
    assert_eq!(name("/srv/a\nb"), r#"--- "a/srv/a\nb""#);
    assert_eq!(name("/srv/a\rb"), r#"--- "a/srv/a\rb""#);
    assert_eq!(name("/srv/a\"b\\"), r#"--- "a/srv/a\"b\\""#);
    assert_eq!(name("/srv/\u{1b}é"), r#"--- "a/srv/\033\303\251""#);
}

/// certbot compares two files of its own by hash; others in its folder are the administrator's.
#[test]
fn certbots_own_files_are_known_by_name_and_folder() {
    let held = |path: &str| {
        let files = Memory::new([(path, "events {}\n")]);
        let root = Root::new(Server::Nginx, path);
        let project = source::load(&root, &files, &LoadOptions::default());
        !untouchable(&project, &Options::default()).is_empty()
    };
    assert!(held("/etc/letsencrypt/options-ssl-nginx.conf"));
    assert!(held("/etc/letsencrypt/options-ssl-apache.conf"));
    assert!(!held("/etc/letsencrypt/own.conf"));
    assert!(!held("/etc/nginx/options-ssl-nginx.conf"));
}

/// httpd's server level: a new line goes where lines of its kind are in force, else into the
/// section that asks for its module, if that is in force; a section that is not in force
/// would hide it.
#[test]
fn a_new_line_is_in_force_where_it_is_put() {
    let inserted = |text: &str| {
        let path = "/etc/apache2/apache2.conf";
        let files = Memory::new([(path, text)]);
        let root = Root::new(Server::Apache, path);
        let project = source::load(&root, &files, &LoadOptions::default());
        let fix = Fix {
            title: "tickets off".into(),
            applicability: Applicability::Safe,
            changes: vec![Change::Insert {
                target: Target::File(Arc::from(Path::new(path))),
                statement: vec!["SSLSessionTickets".into(), "off".into()],
            }],
            common: std::sync::Arc::default(),
            costs: Vec::new(),
            go_live: GoLive::Reload,
        };
        let proposal = Proposal {
            rule: "dead-tickets",
            reason: "why".into(),
            fix: &fix,
        };
        let plan = plan(&project, &[proposal], &Options::default());
        assert_eq!(plan.refused, []);
        String::from_utf8(plan.files[0].after.to_vec()).unwrap()
    };
    let load = "LoadModule ssl_module modules/mod_ssl.so\n";
    let new = "SSLSessionTickets off\n";
    for module in ["mod_ssl.c", "ssl_module"] {
        let live = |inside: &str| {
            format!("{load}<IfModule {module}>\n{inside}Listen 443\n</IfModule>\nServerName a\n")
        };
        assert_eq!(inserted(&live("")), live(new), "{module}");
    }
    // Nothing loads the module of the first section: its line is no neighbour.
    let dead = "<IfModule mod_gone.c>\nSSLSessionCacheTimeout 300\n</IfModule>\n";
    let text = format!("{load}ServerName a\n{dead}");
    let wanted = format!("{load}ServerName a\n{new}{dead}");
    assert_eq!(inserted(&text), wanted);
    let neighbour = format!("{load}<IfModule mod_ssl.c>\nSSLSessionCacheTimeout 300\n");
    let end = "</IfModule>\nServerName a\n";
    assert_eq!(
        inserted(&format!("{neighbour}{end}")),
        format!("{neighbour}{new}{end}")
    );
}

/// All old and all new are no mixtures.
#[test]
fn a_mixture_has_old_and_new_files() {
    for count in 0..=70 {
        let mixtures = cover(count);
        let mixed = |new: &Vec<usize>| !new.is_empty() && new.len() < count;
        assert!(mixtures.iter().all(mixed), "{count}: {mixtures:?}");
    }
}

/// On a terminal letters and signs stay as they are; what it would act on does not.
#[test]
fn a_patch_on_a_terminal_escapes_no_more_than_it_must() {
    let file = planned(
        Path::new("/srv/a.conf"),
        "größe \"a\\b\" 'c'\t\u{9b}\n",
        "why",
    );
    let options = PatchOptions {
        terminal: true,
        ..PatchOptions::default()
    };
    let text = String::from_utf8(patch(&[file], options)).unwrap();
    let line = text.lines().last().unwrap();
    assert_eq!(line, " größe \"a\\b\" 'c'\t\\u{9b}");
}

/// What a server tests before files are replaced: each new text is a file of its own, and beside
/// copied files stands what stood beside the real ones.
#[cfg(unix)]
#[test]
fn a_shadow_has_new_texts_and_everything_else() {
    let (_held, base) = folder();
    let path = base.join("tree/nginx.conf");
    fs::create_dir_all(base.join("tree")).unwrap();
    let own = base.join("tree/own.conf");
    let text = format!("events {{}}\ninclude {};\n", own.display());
    fs::write(&path, &text).unwrap();
    fs::write(&own, "worker_processes 1;\n").unwrap();
    fs::write(base.join("tree/a.pem"), "pem").unwrap();
    let state = State::at(base.join("state"));
    let shadow = Shadow::new(&state).unwrap();
    let pairs = shadow
        .files(&[planned(&path, "events {}\n", "why")])
        .unwrap();
    let [(new, real)] = pairs.as_slice() else {
        panic!("{pairs:?}")
    };
    assert_eq!(*real, path);
    assert_eq!(fs::read_to_string(new).unwrap(), "# new\nevents {}\n");

    let root = Root::new(Server::Nginx, &path);
    let project = source::load(&root, &Disk::default(), &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    let copied = Copied::of(&project, &base.join("tree"), &shadow.top()).unwrap();
    let top = shadow.tree(&copied).unwrap();
    let there = |name: &str| {
        top.join(base.strip_prefix("/").unwrap())
            .join("tree")
            .join(name)
    };
    let pem = base.join("tree/a.pem");
    assert_eq!(fs::read_link(there("a.pem")).unwrap(), pem);
    assert!(!there("nginx.conf").is_symlink());
    // The copy includes the copy.
    let moved = format!("include {};", there("own.conf").display());
    let copy = fs::read_to_string(there("nginx.conf")).unwrap();
    assert_eq!(copy, format!("events {{}}\n{moved}\n"));
    assert_eq!(copied.place(&path, &top), Some(there("nginx.conf")));
    assert_eq!(copied.place(&pem, &top), None);
    assert_eq!(copied.base(&top).join("own.conf"), there("own.conf"));
}
