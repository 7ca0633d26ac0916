//! Includes in place: order, context, chains, data blocks, stubs.

use std::path::{Path, PathBuf};

use stekguard::catalog::{Context, Server};
use stekguard::source::{
    DirectiveId, FileOrigin, FragmentContext, LoadOptions, Memory, Overlay, PathMap, ProblemKind,
    Root, RootKind, load,
};

use super::{nginx, nginx_with, problems, shown, tree};

#[test]
fn includes_stand_in_place_and_start_from_the_main_files_folder() {
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "events {}\nhttp {\n include sub/a.conf;\n root /x;\n}\n",
        ),
        ("/etc/nginx/sub/a.conf", "include sub/b.conf; a 1;"),
        ("/etc/nginx/sub/b.conf", "b 1;"),
        // Where the include would lead if names started from the including file.
        ("/etc/nginx/sub/sub/b.conf", "wrong 1;"),
    ]);
    let project = nginx(&files);
    let expected = "events{ } http{ include sub/a.conf include sub/b.conf b 1 a 1 root /x }";
    assert_eq!(shown(&project), expected);
    assert!(project.complete());
    assert_eq!(project.files.len(), 3);
    let b = DirectiveId(4);
    assert_eq!(project.name(b), b"b");
    let via = project.via(b);
    let via: Vec<(&str, u32)> = via
        .iter()
        .map(|at| (at.path.to_str().unwrap(), at.line))
        .collect();
    assert_eq!(
        via,
        [("/etc/nginx/nginx.conf", 3), ("/etc/nginx/sub/a.conf", 1)]
    );
}

#[test]
fn patterns_match_in_byte_order_without_dotfiles_and_may_match_nothing() {
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "events {} include c/*; include none/*.conf; include [x;",
        ),
        ("/etc/nginx/c/10.conf", "d10;"),
        ("/etc/nginx/c/9.conf", "d9;"),
        ("/etc/nginx/c/B.conf", "dB;"),
        ("/etc/nginx/c/a.conf", "da;"),
        ("/etc/nginx/c/.hidden", "hidden;"),
    ]);
    let project = nginx(&files);
    let expected = "events{ } include c/* d10 d9 dB da include none/*.conf include [x";
    assert_eq!(shown(&project), expected);
    assert!(project.complete(), "{:?}", project.problems);
}

#[test]
fn one_file_in_two_contexts_is_two_instances_of_one_file() {
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "http { include s; server { include ./s; } }",
        ),
        ("/etc/nginx/s", "ssl_session_tickets off;"),
    ]);
    let project = nginx(&files);
    let expected = "http{ include s ssl_session_tickets off server{ include ./s \
                    ssl_session_tickets off } }";
    assert_eq!(shown(&project), expected);
    assert_eq!(project.files.len(), 2);
    let vias: Vec<usize> = [2, 5].map(|id| project.via(DirectiveId(id)).len()).to_vec();
    assert_eq!(vias, [1, 1]);
    assert_ne!(project.directives[2].via, project.directives[5].via);
    assert_eq!(project.directives[5].parent, Some(DirectiveId(3)));
    assert_eq!(project.directives[0].end, 6);
}

#[test]
fn rows_of_the_catalog_are_chosen_by_context() {
    let files = tree(&[(
        "/etc/nginx/nginx.conf",
        "http { server { listen 1; } } stream { server { listen 2; } } mail { server { listen 3; } }",
    )]);
    let project = nginx(&files);
    let ids = (0..project.directives.len() as u32).map(DirectiveId);
    let listens = ids.filter(|id| project.name(*id) == b"listen");
    let contexts = listens.map(|id| project.directive(id).spec.unwrap().contexts.to_vec());
    let contexts: Vec<_> = contexts.collect();
    let expected = [
        Context::HttpServer,
        Context::StreamServer,
        Context::MailServer,
    ];
    for (contexts, expected) in contexts.iter().zip(expected) {
        assert!(contexts.contains(&expected), "{contexts:?}");
    }
    assert_eq!(contexts.len(), 3);
}

#[test]
fn a_file_in_a_data_block_is_data() {
    let files = tree(&[
        (
            "/etc/nginx/nginx.conf",
            "http { types { include t; } map $a $b { include m; } }",
        ),
        ("/etc/nginx/t", "text/html html; listen l;"),
        ("/etc/nginx/m", "server 1; include m2;"),
        ("/etc/nginx/m2", "~*^/x{2}$ 1;"),
    ]);
    let project = nginx(&files);
    assert!(shown(&project).starts_with(
        "http{ types{ include t text/html html listen l } map $a $b{ include m server 1 include m2"
    ));
    for directive in project
        .directives
        .iter()
        .filter(|directive| directive.via.0 != 0)
    {
        assert!(directive.spec.is_none());
    }
    // The brace ends the statement there too: nginx refuses it.
    assert_eq!(
        problems(&project),
        [(ProblemKind::Syntax, "m2".into(), 1, true)]
    );
}

#[test]
fn values_are_kept_only_where_decoding_changes_them() {
    let text = r#"http { "server_name" a 'b' "c\"d" e\tf; }"#;
    let project = nginx(&tree(&[("/etc/nginx/nginx.conf", text)]));
    let id = DirectiveId(1);
    assert_eq!(project.name(id), b"server_name");
    let values: Vec<&[u8]> = project.arguments(id).collect();
    assert_eq!(values, [&b"a"[..], b"b", b"c\"d", b"e\tf"]);
    let kept: Vec<bool> = project
        .argument_texts(id)
        .iter()
        .map(|text| text.value.is_some())
        .collect();
    assert_eq!(kept, [false, true, true, true]);
    assert_eq!(
        project.argument_texts(id)[1].span.of(text.as_bytes()),
        b"'b'"
    );
}

#[test]
fn missing_files_of_the_server_itself_are_assumed() {
    let files = tree(&[(
        "/etc/nginx/nginx.conf",
        "http { include mime.types; include x/own.inc; }",
    )]);
    let project = nginx(&files);
    assert_eq!(
        problems(&project),
        [(ProblemKind::Missing, "nginx.conf".into(), 1, true)]
    );
    assert!(project.problems[0].message.contains("/etc/nginx/x/own.inc"));
    assert_eq!(project.assumed, [PathBuf::from("/etc/nginx/mime.types")]);
    let stub = project
        .files
        .iter()
        .find(|file| file.origin == FileOrigin::Stub)
        .unwrap();
    assert_eq!(&*stub.path, Path::new("/etc/nginx/mime.types"));
    assert_eq!(stub.real, None);

    for pattern in ["*.inc", "x/own.inc", "/etc/nginx/x/*"] {
        let options = LoadOptions {
            allow_missing: vec![pattern.to_owned()].into(),
            ..LoadOptions::default()
        };
        let project = nginx_with(&files, &options);
        assert!(project.complete(), "{pattern}");
        assert_eq!(project.assumed.len(), 2);
    }
}

#[test]
fn a_real_file_comes_before_its_stub() {
    let files = tree(&[
        ("/etc/nginx/nginx.conf", "http { include mime.types; }"),
        ("/etc/nginx/mime.types", "root /real;"),
    ]);
    let project = nginx(&files);
    assert!(shown(&project).contains("root /real"));
    assert!(project.assumed.is_empty());
}

#[test]
fn a_pattern_over_a_folder_that_is_not_here_is_not_taken_for_no_match() {
    let files = tree(&[(
        "repo/nginx.conf",
        "http { include /etc/nginx/conf.d/*.conf; }",
    )]);
    let root = Root::new(Server::Nginx, "repo/nginx.conf");
    let project = load(&root, &files, &LoadOptions::default());
    assert_eq!(
        problems(&project),
        [(ProblemKind::Missing, "nginx.conf".into(), 1, false)]
    );

    // On the server itself, nginx's own answer holds.
    let installed = Root {
        installed: true,
        ..root.clone()
    };
    assert!(load(&installed, &files, &LoadOptions::default()).complete());
    let options = LoadOptions {
        allow_missing: vec!["/etc/nginx/conf.d/*.conf".to_owned()].into(),
        ..LoadOptions::default()
    };
    let project = load(&root, &files, &options);
    assert!(project.complete());
    assert_eq!(project.assumed.len(), 1);
}

#[test]
fn red_hats_folder_of_modules_is_assumed_where_it_is_not_here() {
    let files = tree(&[(
        "repo/nginx.conf",
        "include /usr/share/nginx/modules/*.conf; events {} http {}",
    )]);
    let root = Root::new(Server::Nginx, "repo/nginx.conf");
    let project = load(&root, &files, &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    assert_eq!(
        project.assumed,
        [PathBuf::from("/usr/share/nginx/modules/*.conf")]
    );
}

#[test]
fn on_the_server_itself_nothing_stands_in_for_a_missing_file() {
    let files = tree(&[("/etc/nginx/nginx.conf", "http { include mime.types; }")]);
    let root = Root::new(Server::Nginx, "/etc/nginx/nginx.conf");
    let project = load(
        &Root {
            installed: true,
            ..root
        },
        &files,
        &LoadOptions::default(),
    );
    assert_eq!(
        problems(&project),
        [(ProblemKind::Missing, "nginx.conf".into(), 1, true)]
    );
    assert!(project.assumed.is_empty());
}

#[test]
fn mapped_folders_replace_the_servers_own() {
    let files = tree(&[
        (
            "r/etc/nginx/nginx.conf",
            "http { include /etc/nginx/conf.d/*.conf; include /opt/x; }",
        ),
        ("r/etc/nginx/conf.d/a.conf", "a;"),
        ("r/opt/x", "x;"),
        ("/etc/nginx/conf.d/machine.conf", "machine;"),
    ]);
    let root = Root::new(Server::Nginx, "r/etc/nginx/nginx.conf");
    let map = |from: &str, to: &str, whole| PathMap {
        from: from.into(),
        to: to.into(),
        whole,
    };
    let path_map = vec![map("/etc/nginx", "r/etc/nginx", true), map("/", "r", false)];
    let options = LoadOptions {
        path_map: path_map.into(),
        ..LoadOptions::default()
    };
    let project = load(&root, &files, &options);
    assert_eq!(
        shown(&project),
        "http{ include /etc/nginx/conf.d/*.conf a include /opt/x x }"
    );
    assert!(project.complete());
    let a = project
        .files
        .iter()
        .find(|file| file.path.ends_with("a.conf"))
        .unwrap();
    assert_eq!(&*a.path, Path::new("r/etc/nginx/conf.d/a.conf"));
}

#[test]
fn fragments_stand_in_the_blocks_around_them() {
    let files = tree(&[("/s.conf", "server { listen 443; }")]);
    let kind = RootKind::Fragment(FragmentContext::Http);
    let root = Root::new(Server::Nginx, "/s.conf").with_kind(kind);
    let project = load(&root, &files, &LoadOptions::default());
    assert_eq!(shown(&project), "http{ server{ listen 443 } }");
    assert_eq!(&*project.files[0].path, Path::new("/s.conf"));
    assert_eq!(project.files[1].origin, FileOrigin::Stub);
    let listen = project.directive(DirectiveId(2));
    assert_eq!(listen.file.0, 0);
    assert!(listen.spec.unwrap().allowed_in(Context::HttpServer));
    assert_eq!(project.directives[0].end, 3);

    let kind = RootKind::Fragment(FragmentContext::HttpServer);
    let root = Root::new(Server::Nginx, "/s.conf").with_kind(kind);
    let project = load(
        &root,
        &tree(&[("/s.conf", "listen 1;")]),
        &LoadOptions::default(),
    );
    assert_eq!(shown(&project), "http{ server{ listen 1 } }");
    let ends: Vec<u32> = project
        .directives
        .iter()
        .map(|directive| directive.end)
        .collect();
    assert_eq!(ends, [3, 3, 3]);
}

#[test]
fn replaced_files_are_read_in_place_of_the_old() {
    let base = tree(&[
        ("/etc/nginx/nginx.conf", "http { include c/*.conf; }"),
        ("/etc/nginx/c/a.conf", "old;"),
    ]);
    let mut overlay = Overlay::new(&base);
    overlay.replace(Path::new("/etc/nginx/c/a.conf"), b"new;"[..].into());
    overlay.replace(Path::new("/etc/nginx/c/b.conf"), b"added;"[..].into());
    assert_eq!(
        shown(&nginx(&overlay)),
        "http{ include c/*.conf new added }"
    );
    assert_eq!(shown(&nginx(&base)), "http{ include c/*.conf old }");
}

#[cfg(unix)]
#[test]
fn a_replacement_shows_through_symlinks() {
    use stekguard::source::Disk;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("available")).unwrap();
    std::fs::create_dir(at("enabled")).unwrap();
    std::fs::write(at("nginx.conf"), "http { include enabled/*; }").unwrap();
    std::fs::write(at("available/a"), "old;").unwrap();
    std::os::unix::fs::symlink("../available/a", at("enabled/a")).unwrap();
    let disk = Disk::default();
    let root = Root::new(Server::Nginx, at("nginx.conf"));
    let project = load(&root, &disk, &LoadOptions::default());
    let real = project.files[1].real.clone().unwrap();
    assert_eq!(real, at("available/a").canonicalize().unwrap());
    assert_eq!(&*project.files[1].path, at("enabled/a"));

    let mut overlay = Overlay::new(&disk);
    overlay.replace(&real, b"new;"[..].into());
    let project = load(&root, &overlay, &LoadOptions::default());
    assert_eq!(shown(&project), "http{ include enabled/* new }");
    assert_eq!(project.files[1].origin, FileOrigin::Memory);
    assert_eq!(project.files[1].real.as_deref(), Some(&*real));
}

#[test]
fn a_dump_is_a_tree_of_its_own() {
    let dump = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
        nginx: configuration file /etc/nginx/nginx.conf test is successful\n\
        # configuration file /etc/nginx/nginx.conf:\n\
        http { include mime.types; include /etc/nginx/conf.d/*.conf; include gone/*.conf; }\n\n\
        # configuration file /etc/nginx/mime.types:\ntypes { a b; }\n\n\
        # configuration file /etc/nginx/conf.d/b.conf:\nb;\n\n\
        # configuration file /etc/nginx/conf.d/a.conf:\na;\n\n";
    let files = Memory::new([("-", dump)]);
    let root = Root::new(Server::Nginx, "-").with_kind(RootKind::Dump);
    let project = load(&root, &files, &LoadOptions::default());
    assert_eq!(
        shown(&project),
        "http{ include mime.types types{ a b } include /etc/nginx/conf.d/*.conf a b \
         include gone/*.conf }"
    );
    assert!(project.complete(), "{:?}", project.problems);
    assert_eq!(project.root, Path::new("/etc/nginx/nginx.conf"));
    assert!(
        project
            .files
            .iter()
            .all(|file| file.origin == FileOrigin::Dump)
    );
}
