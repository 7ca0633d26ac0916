//! Bad input: one clear problem each, no panic, no endless loop, no false "complete".

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use stekguard::catalog::Server;
use stekguard::source::{
    Disk, FileSystem, Limits, LoadOptions, Memory, ProblemKind, ReadError, Root, load,
};

use super::{nginx, nginx_with, problems, shown, tree};

/// Loads a main file of these bytes and gives its only problem.
fn only_problem(text: &[u8]) -> (ProblemKind, u32, String) {
    let project = nginx(&Memory::new([("/etc/nginx/nginx.conf", text)]));
    let [problem] = &project.problems[..] else {
        panic!("{:?}", project.problems);
    };
    assert!(problem.refused);
    assert_eq!(problem.path, Path::new("/etc/nginx/nginx.conf"));
    (problem.kind, problem.line, problem.message.clone())
}

#[test]
fn a_main_file_that_is_no_configuration_has_one_problem() {
    let wide: Vec<u8> = "events {}\nhttp {}"
        .bytes()
        .flat_map(|byte| [byte, 0])
        .collect();
    let noise: Vec<u8> = (0_u32..5000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let cases: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (b"  \n# only words\n", "no directive"),
        (&wide, "UTF-16"),
        (b"\xff\xfee\0v\0", "UTF-16"),
        (&noise, "binary"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0",
            "binary",
        ),
        (b"events {}\nhttp { server_name {{ name }}; }", "template"),
        (
            b"nginx: [emerg] unknown directive \"x\" in /n:1\n",
            "nginx -T failed",
        ),
    ];
    for (text, word) in cases {
        let (kind, _, message) = only_problem(text);
        assert_eq!(kind, ProblemKind::NotConfiguration, "{message}");
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn syntax_errors_are_the_servers_first_one() {
    // Sentences and lines: nginx 1.22.1 -t.
    let (kind, line, message) = only_problem(b"events {}\nhttp {\n server {\n");
    assert_eq!((kind, line), (ProblemKind::Syntax, 4));
    assert_eq!(message, "unexpected end of file, expecting \"}\"");
    let (_, line, message) = only_problem(b"events {}\n;;\n}\n");
    assert_eq!((line, message.as_str()), (2, "unexpected \";\""));
    let (kind, line, message) = only_problem(b"\xef\xbb\xbfevents {}\n");
    assert_eq!((kind, line), (ProblemKind::Syntax, 1));
    assert!(message.starts_with("unknown directive"), "{message}");
}

#[test]
fn other_charsets_are_read() {
    let files = Memory::new([("/etc/nginx/nginx.conf", &b"# caf\xe9\nhttp { x \xe9; }"[..])]);
    let project = nginx(&files);
    assert!(project.complete());
    assert_eq!(
        project.first_argument(stekguard::source::DirectiveId(1)),
        Some(&b"\xe9"[..])
    );
}

#[test]
fn a_missing_main_file_is_a_problem_of_its_own() {
    let project = nginx(&tree(&[]));
    assert_eq!(
        problems(&project),
        [(ProblemKind::Missing, "nginx.conf".into(), 0, true)]
    );
    assert!(project.files.is_empty());
    assert_eq!(shown(&project), "");
}

#[test]
fn includes_that_cannot_be_read_say_why_at_the_including_line() {
    let io = std::io::Error::other("input/output error");
    for (error, word) in [
        (ReadError::Permission, "permission denied"),
        (ReadError::NotRegular, "not a regular file"),
        (ReadError::TooLarge { limit: 5 }, "larger than 5 bytes"),
        (ReadError::from(io), "input/output error"),
    ] {
        let mut files = tree(&[(
            "/etc/nginx/nginx.conf",
            "events {}\n\ninclude a.conf;\nlast;",
        )]);
        files.insert_failure(Path::new("/etc/nginx/a.conf"), error);
        let project = nginx(&files);
        assert_eq!(
            problems(&project),
            [(ProblemKind::Unreadable, "nginx.conf".into(), 3, true)]
        );
        assert!(
            project.problems[0].message.contains(word),
            "{}",
            project.problems[0].message
        );
        assert_eq!(shown(&project), "events{ } include a.conf last");
    }
}

#[test]
fn a_folder_or_binary_as_include_is_no_configuration() {
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "include d;\ninclude e/*;\ninclude bin;\ninclude ok;",
        ),
        ("/etc/nginx/d/a", "a;"),
        ("/etc/nginx/e/sub/a", "a;"),
        ("/etc/nginx/bin", "\0\u{1}\u{2}\u{3}"),
        ("/etc/nginx/ok", "ok;"),
    ]);
    let project = nginx(&files);
    let found = problems(&project);
    let kinds: Vec<(ProblemKind, u32)> = found.iter().map(|it| (it.0, it.2)).collect();
    assert_eq!(
        kinds,
        [
            (ProblemKind::Unreadable, 1),
            (ProblemKind::Unreadable, 2),
            (ProblemKind::NotConfiguration, 3)
        ]
    );
    assert!(shown(&project).ends_with("include ok ok"));
}

#[test]
fn an_include_with_a_wrong_number_of_words_is_refused() {
    let files = tree(&[("/etc/nginx/nginx.conf", "include;\ninclude a b;\n")]);
    let lines: Vec<u32> = problems(&nginx(&files)).iter().map(|it| it.2).collect();
    assert_eq!(lines, [1, 2]);
}

#[test]
fn cycles_are_named_with_their_chain() {
    let files = tree(&[
        ("/etc/nginx/nginx.conf", "events {}\ninclude a;\nlast;"),
        ("/etc/nginx/a", "include b;"),
        ("/etc/nginx/b", "\ninclude ./a; behind;"),
    ]);
    let project = nginx(&files);
    assert_eq!(
        problems(&project),
        [(ProblemKind::Cycle, "b".into(), 2, true)]
    );
    let message = &project.problems[0].message;
    assert!(
        message.contains("/etc/nginx/a -> /etc/nginx/b -> "),
        "{message}"
    );
    assert_eq!(
        shown(&project),
        "events{ } include a include b include ./a behind last"
    );

    let itself = tree(&[("/etc/nginx/nginx.conf", "include *.conf;")]);
    assert_eq!(
        problems(&nginx(&itself)),
        [(ProblemKind::Cycle, "nginx.conf".into(), 1, true)]
    );
}

#[test]
fn bombs_end_at_a_limit() {
    // 2^30 instances of the last file.
    let mut files = Memory::new([("/etc/nginx/nginx.conf", "include f0;")]);
    for level in 0..30 {
        let text = format!("include f{0};include f{0};", level + 1);
        files.insert(
            Path::new(&format!("/etc/nginx/f{level}")),
            text.into_bytes().into(),
        );
    }
    files.insert(Path::new("/etc/nginx/f30"), b"x;"[..].into());
    let start = Instant::now();
    let project = nginx(&files);
    let kinds: Vec<ProblemKind> = problems(&project).iter().map(|it| it.0).collect();
    assert_eq!(kinds, [ProblemKind::Limit]);
    assert!(!project.problems[0].refused);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert!(project.directives.len() < 1_000_000);

    let limits = Limits {
        directives: 100,
        ..Limits::default()
    };
    let options = LoadOptions {
        limits,
        ..LoadOptions::default()
    };
    let wide = Memory::new([("/etc/nginx/nginx.conf", "a;".repeat(1000))]);
    let project = nginx_with(&wide, &options);
    assert_eq!(problems(&project)[0].0, ProblemKind::Limit);
    assert_eq!(project.directives.len(), 100);
}

#[test]
fn deep_chains_end_at_a_limit_and_shallow_ones_do_not() {
    let chain = |length: usize| {
        let mut files = Memory::default();
        files.insert(Path::new("/etc/nginx/nginx.conf"), b"include 0;"[..].into());
        for level in 0..length {
            let text = format!("include {};", level + 1);
            files.insert(
                Path::new(&format!("/etc/nginx/{level}")),
                text.into_bytes().into(),
            );
        }
        files.insert(Path::new(&format!("/etc/nginx/{length}")), b"x;"[..].into());
        files
    };
    assert!(nginx(&chain(100)).complete());
    let project = nginx(&chain(5000));
    assert_eq!(
        problems(&project),
        [(ProblemKind::Limit, "126".into(), 1, false)]
    );
}

#[test]
fn ten_thousand_includes_are_read() {
    let mut files = Memory::new([("/etc/nginx/nginx.conf", "http { include c/*.conf; }")]);
    for number in 0..10_000 {
        let path = format!("/etc/nginx/c/{number:05}.conf");
        let text = format!("server {{ listen 443 ssl; server_name s{number}.test; }}");
        files.insert(Path::new(&path), text.into_bytes().into());
    }
    let project = nginx(&files);
    assert!(project.complete());
    assert_eq!(project.files.len(), 10_001);
    assert_eq!(project.directives.len(), 2 + 30_000);
    assert_eq!(project.directives[0].end, 30_002);
}

#[test]
fn one_bad_line_in_a_file_included_often_is_one_problem() {
    let files = tree(&[
        ("/etc/nginx/nginx.conf", "include a; include a; include a;"),
        ("/etc/nginx/a", "include gone;"),
    ]);
    assert_eq!(
        problems(&nginx(&files)),
        [(ProblemKind::Missing, "a".into(), 1, true)]
    );
}

#[test]
fn nothing_that_nests_badly_breaks_the_tree() {
    // Each file must close its own blocks (nginx: rule of every include).
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "http { include a; server { listen 1; } }",
        ),
        ("/etc/nginx/a", "} server {"),
    ]);
    let project = nginx(&files);
    assert_eq!(
        problems(&project),
        [(ProblemKind::Syntax, "a".into(), 1, true)]
    );
    assert!(shown(&project).contains("server{ listen 1 }"));
    for (index, directive) in project.directives.iter().enumerate() {
        assert!(directive.end as usize > index);
        assert!(directive.end as usize <= project.directives.len());
    }
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_symlink_loops_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status()
        .unwrap();
    assert!(made.success(), "mkfifo is needed for this test");
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    std::os::unix::fs::symlink("nginx.conf", at("again")).unwrap();
    std::fs::create_dir(at("c")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("c/dangling.conf")).unwrap();
    let text = "include pipe;\ninclude /dev/zero;\ninclude loop;\ninclude dangling;\n\
                include again;\ninclude c/*.conf;\ninclude nginx.conf/x;\n";
    std::fs::write(at("nginx.conf"), text).unwrap();
    let project = load(
        &Root::new(Server::Nginx, at("nginx.conf")),
        &Disk::default(),
        &LoadOptions::default(),
    );
    let kinds: BTreeMap<u32, ProblemKind> =
        problems(&project).iter().map(|it| (it.2, it.0)).collect();
    let expected = BTreeMap::from([
        (1, ProblemKind::Unreadable),
        (2, ProblemKind::Unreadable),
        (3, ProblemKind::Unreadable),
        (4, ProblemKind::Missing),
        (5, ProblemKind::Cycle),
        (6, ProblemKind::Missing),
        (7, ProblemKind::Missing),
    ]);
    assert_eq!(kinds, expected, "{:?}", project.problems);
}

#[test]
fn the_disk_refuses_large_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    std::fs::write(&file, "12345").unwrap();
    assert!(matches!(
        Disk::with_largest_file(4).read(&file),
        Err(ReadError::TooLarge { limit: 4 })
    ));
    assert_eq!(&*Disk::with_largest_file(5).read(&file).unwrap(), b"12345");
    assert!(matches!(
        Disk::default().read(folder.path()),
        Err(ReadError::Directory)
    ));
    assert!(matches!(
        Disk::default().read(&folder.path().join("b")),
        Err(ReadError::NotFound)
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf8_are_followed() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9.conf"));
    std::fs::write(&odd, "found;").unwrap();
    std::fs::write(
        folder.path().join("nginx.conf"),
        b"include caf\xe9.conf;\ninclude caf*;",
    )
    .unwrap();
    let root = Root::new(Server::Nginx, folder.path().join("nginx.conf"));
    let project = load(&root, &Disk::default(), &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    assert_eq!(project.directives.len(), 4);
    assert_eq!(project.files.len(), 2);
}
