//! The same trees read by the real nginx: which files, in which order, and what it refuses.
//!
//! Runs `nginx -T` and `nginx -t` on trees in a temporary folder; starts no server.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stekguard::catalog::Server;
use stekguard::source::{Disk, Dump, LoadOptions, Memory, Project, Root, RootKind, discover, load};
use tempfile::TempDir;

use super::shown;

/// A tree on disk, with folders that nginx wants to create kept inside.
struct Tree {
    folder: TempDir,
}

/// Everything before the include that is tested; line 12 is its first line.
const HEAD: &str = "events {}
error_log stderr;
pid t/pid;
http {
client_body_temp_path t/b;
proxy_temp_path t/p;
fastcgi_temp_path t/f;
uwsgi_temp_path t/u;
scgi_temp_path t/s;
access_log off;

";

impl Tree {
    fn new(include: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("t")).unwrap();
        let text = format!("{HEAD}{include}\n}}\n");
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.folder.path().join(std::ffi::OsStr::from_bytes(name))
    }

    fn write(&self, name: &[u8], text: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn nginx(&self, flag: &str) -> Output {
        let mut command = Command::new("nginx");
        command
            .arg(flag)
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(self.folder.path());
        command.arg("-c").arg(self.path(b"nginx.conf"));
        let output = command.output();
        output.expect("these tests compare with nginx: install it and put it on the PATH")
    }

    fn load(&self) -> Project {
        let root = Root::new(Server::Nginx, self.path(b"nginx.conf"));
        load(&root, &Disk::default(), &LoadOptions::default())
    }
}

/// The files of a dump in the order of its headers.
fn dumped(stream: &[u8]) -> Vec<Vec<u8>> {
    let lines = stream.split(|byte| *byte == b'\n');
    let headers = lines.filter_map(|line| line.strip_prefix(b"# configuration file "));
    headers
        .map(|line| line.strip_suffix(b":").unwrap().to_vec())
        .collect()
}

/// The files of a project in reading order, each once.
fn read(project: &Project) -> Vec<Vec<u8>> {
    let files = project.files.iter();
    files
        .map(|file| file.path.as_os_str().as_bytes().to_vec())
        .collect()
}

const NAMES: [&[u8]; 20] = [
    b"c/10.conf",
    b"c/9.conf",
    b"c/B.conf",
    b"c/a.conf",
    b"c/b.conf",
    b"c/.hidden.conf",
    b"c/-.conf",
    b"c/[x].conf",
    b"c/a*b.conf",
    b"c/a b.conf",
    b"c/\xc3\xa9.conf",
    b"c/\xe9.conf",
    b"c/back\\slash.conf",
    b"c/{a,b}.conf",
    b"c/a.conf~",
    b"c/deep/a.conf",
    b"d/a.conf",
    b"d/deep/a.conf",
    b".d/a.conf",
    b"e/]",
];

const INCLUDES: [&str; 37] = [
    "include c/*.conf;",
    "include c/[a-b].conf;",
    "include c/[!a].conf;",
    "include c/[^a].conf;",
    "include c/?.conf;",
    "include c/??.conf;",
    "include c/.*.conf;",
    "include \"c/[[]x].conf\";",
    "include c/\\[x].conf;",
    "include c/[x].conf;",
    "include 'c/a*b.conf';",
    "include \"c/a b.conf\";",
    "include \"c/a\\*b.conf\";",
    "include \"c/a\\\\*b.conf\";",
    "include \"c/{a,b}.conf\";",
    "include \"c/{a,*}.conf\";",
    "include */a.conf;",
    "include */*/a.conf;",
    "include ?/deep/*;",
    "include [cd]/a.conf;",
    "include c/[[:upper:]].conf;",
    "include c/[[:digit:]]*.conf;",
    "include c//a.con?;",
    "include ./c/../d/*.conf;",
    "include none/*.conf;",
    "include e/[]];",
    "include c/[z-a].conf;",
    "include d/*.conf; include d/a.conf; include ./d/a.conf;",
    "include .*/a.conf;",
    "include c/back\\\\slash.conf;",
    "include c/back*slash.conf;",
    "include \"c/back\\\\\\\\sl?sh.conf\";",
    "include c/a.conf c/b.conf;",
    "include c/*.conf*;",
    "include \"c/{a,z}.conf\";",
    "include c/a.CONF;",
    "include c/\\{a.conf;",
];

#[test]
fn names_and_patterns_lead_to_the_files_that_nginx_reads() {
    let (mut accepted, mut refused, mut files) = (0, 0, 0);
    for include in INCLUDES {
        let tree = Tree::new(include);
        for (number, name) in NAMES.iter().enumerate() {
            tree.write(name, format!("# file {number}\n").as_bytes());
        }
        let output = tree.nginx("-T");
        let project = tree.load();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.success(),
            project.complete(),
            "{include}: {said}"
        );
        if !output.status.success() {
            assert!(project.problems[0].refused);
            assert_eq!(project.problems[0].line, 12, "{include}");
            assert!(said.contains(":12"), "{said}");
            refused += 1;
            continue;
        }
        accepted += 1;
        let seen = dumped(&output.stdout);
        let ours = read(&project);
        assert_eq!(
            ours.iter().collect::<BTreeSet<_>>().len(),
            ours.len(),
            "each file once"
        );
        assert_eq!(unified(&ours), unified(&seen), "{include}");
        files += seen.len();
    }
    println!(
        "nginx -T: {accepted} trees accepted with {files} files, {refused} refused, all equal"
    );
    assert_eq!((accepted, refused), (33, 4));
}

/// nginx prints a file once for each spelling (`./d/a`, `d//a`); here it is one file.
fn unified(names: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = Vec::new();
    for name in names {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        let path = path.canonicalize().unwrap();
        if !out.contains(&path) {
            out.push(path);
        }
    }
    out
}

#[test]
fn a_dump_gives_the_same_tree_as_the_disk() {
    let tree = Tree::new("include c/*.conf;\ninclude s;\nmap $host $x {\n include m;\n}");
    tree.write(b"c/a.conf", b"upstream a { server 127.0.0.1; }");
    tree.write(b"c/b.conf", b"upstream b { server 127.0.0.1; }\n\n\n");
    tree.write(b"c/empty.conf", b"");
    tree.write(
        b"s",
        b"server {\r\n listen unix:/tmp/stekguard-never-opened; include l;\r\n}\r\n",
    );
    tree.write(b"l", b"location / { return 204; }");
    tree.write(b"m", b"a.test 1;\n# \xe9\n");
    let output = tree.nginx("-T");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let from_disk = tree.load();
    assert!(from_disk.complete(), "{:?}", from_disk.problems);

    let mut mixed = output.stderr.clone();
    mixed.extend_from_slice(&output.stdout);
    for stream in [&output.stdout, &mixed] {
        let files = Memory::new([("-", stream)]);
        let root = Root::new(Server::Nginx, "-").with_kind(RootKind::Dump);
        let from_dump = load(&root, &files, &LoadOptions::default());
        assert!(from_dump.complete(), "{:?}", from_dump.problems);
        assert_eq!(shown(&from_dump), shown(&from_disk));
        assert_eq!(read(&from_dump), read(&from_disk));
        for (dumped, file) in from_dump.files.iter().zip(&from_disk.files) {
            assert_eq!(dumped.text, file.text, "{}", file.path.display());
        }
        assert_eq!(
            Dump::parse(stream).unwrap().paths().count(),
            from_disk.files.len()
        );
    }
}

#[test]
fn what_nginx_refuses_is_refused_at_the_same_place() {
    type Prepare = fn(&Tree);
    let cases: [(&str, Prepare); 12] = [
        ("include gone.conf;", |_| {}),
        ("include c;", |tree| tree.write(b"c/a", b"")),
        ("include c/*;", |tree| tree.write(b"c/d/a", b"")),
        ("include c/*;", |tree| {
            fs::create_dir(tree.path(b"c")).unwrap();
            std::os::unix::fs::symlink("nowhere", tree.path(b"c/dangling")).unwrap();
        }),
        ("include loop;", |tree| {
            std::os::unix::fs::symlink("loop", tree.path(b"loop")).unwrap()
        }),
        ("include nginx.conf/x;", |_| {}),
        ("include a b;", |tree| tree.write(b"a", b"")),
        ("include;", |_| {}),
        ("\ninclude a;", |tree| tree.write(b"a", b"\n}\n")),
        ("include a;", |tree| {
            tree.write(b"a", b"upstream u {\n server 127.0.0.1;\n")
        }),
        ("include a;", |tree| {
            tree.write(b"a", b"\xef\xbb\xbfaccess_log off;")
        }),
        ("map $a $b { include gone; }", |_| {}),
    ];
    let mut folders = 0;
    for (include, prepare) in &cases {
        let tree = Tree::new(include);
        prepare(&tree);
        let output = tree.nginx("-t");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "nginx accepts {include}: {said}");
        let project = tree.load();
        let [problem] = &project.problems[..] else {
            panic!("{include}: {:?}", project.problems);
        };
        assert!(problem.refused);
        // For a folder nginx says which, but not which line asked for it.
        if said.contains("Is a directory") {
            assert!(
                problem.message.contains("it is a directory"),
                "{}",
                problem.message
            );
            folders += 1;
            continue;
        }
        let place = format!("{}:{}", problem.path.display(), problem.line);
        assert!(
            said.contains(&place),
            "{include}: we say {place}, nginx says {said}"
        );
    }
    println!(
        "nginx -t: {} refusals, {} at the same file and line",
        cases.len(),
        cases.len() - folders
    );
    assert_eq!(folders, 2);
}

#[test]
fn empty_main_files_are_refused_too() {
    let tree = Tree::new("");
    for text in ["", "\n# only words\n"] {
        fs::write(tree.path(b"nginx.conf"), text).unwrap();
        assert!(!tree.nginx("-t").status.success());
        assert!(!tree.load().complete());
    }
}

#[test]
fn the_installed_tree_is_read_whole() {
    let usual = Path::new("/etc/nginx/nginx.conf");
    assert!(
        usual.exists(),
        "these tests compare with nginx's own tree: install the package"
    );
    let root = Root::new(Server::Nginx, usual);
    let project = load(&root, &Disk::default(), &LoadOptions::default());
    let output = Command::new("nginx").arg("-T").output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(project.complete(), "{:?}", project.problems);
    assert_eq!(read(&project), dumped(&output.stdout));
}

#[test]
fn directives_in_wrong_places_are_refused_with_the_servers_sentence() {
    for (include, message) in [
        (
            "server { location / { ssl_session_tickets off; } }",
            "not allowed here",
        ),
        ("listen 443;", "not allowed here"),
        ("events {}", "not allowed here"),
        ("server { http {} }", "not allowed here"),
        ("ssl_session_tickets;", "invalid number of arguments"),
        ("ssl_session_tickets on off;", "invalid number of arguments"),
        ("ssl_session_timeout 1d 2d;", "invalid number of arguments"),
        ("ssl_conf_command Options;", "invalid number of arguments"),
        ("ssl_session_tickets { }", "is not terminated by \";\""),
        ("server;", "has no opening \"{\""),
        ("server a { }", "invalid number of arguments"),
        ("server { server { } }", "not allowed here"),
        ("upstream { }", "invalid number of arguments"),
    ] {
        let tree = Tree::new(include);
        let output = tree.nginx("-t");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "nginx accepts {include}");
        let project = tree.load();
        let [problem] = &project.problems[..] else {
            panic!("{include}: {:?}", project.problems);
        };
        assert!(
            problem.message.contains(message),
            "{include}: {}",
            problem.message
        );
        let place = format!(
            "{} in {}:{}",
            problem.message,
            problem.path.display(),
            problem.line
        );
        assert!(
            said.contains(&place),
            "{include}: we say {place}, nginx says {said}"
        );
    }
}

#[test]
fn no_real_file_is_refused_that_nginx_accepts() {
    let Some(corpora) = std::env::var_os("STEKGUARD_CORPORA") else {
        println!("STEKGUARD_CORPORA is unset: no real files compared");
        return;
    };
    let folder = Path::new(&corpora).join("nginx").canonicalize().unwrap();
    let files = Disk::default();
    let (mut accepted, mut both, mut roots, mut ours) = (0, 0, 0, Vec::new());
    for file in stekguard::source::FileSystem::walk(&files, &folder).files {
        let found = discover(std::slice::from_ref(&file), &files, &LoadOptions::default()).unwrap();
        let found = &found.found[0];
        let project = load(&found.root, &files, &found.options);
        let refused = project.problems.iter().any(|problem| problem.refused);
        let is_root = found.root.kind == RootKind::Root;
        roots += usize::from(is_root);
        // A part of a tree is put where it was taken to belong.
        let tree = Tree::new(&format!("include {};", file.display()));
        let main = if is_root {
            file.clone()
        } else {
            tree.path(b"nginx.conf")
        };
        let mut command = Command::new("nginx");
        command.args(["-t", "-e", "stderr", "-c"]).arg(main);
        let output = command
            .output()
            .expect("these tests compare with nginx: install it");
        match (output.status.success(), refused) {
            (true, false) => accepted += 1,
            (true, true) => panic!("{}: {:?}", file.display(), project.problems),
            (false, true) => both += 1,
            (false, false) => {}
        }
        let placed = project
            .problems
            .iter()
            .filter(|it| it.message.contains("directive"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let missed = placed.filter(|it| !said.contains(&it.message));
        ours.extend(missed.map(|it| {
            format!(
                "{}:{} {}, nginx: {said}",
                it.path.display(),
                it.line,
                it.message
            )
        }));
    }
    println!("real files: {roots} main files");
    println!("real files: {accepted} accepted by both, {both} refused by both");
    println!(
        "refused here behind the error at which nginx stopped: {}",
        ours.len()
    );
    for line in ours {
        println!("  {line}");
    }
    assert!(accepted > 0 && both > 0);
}
