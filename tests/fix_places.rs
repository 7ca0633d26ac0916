//! Where a fix writes and where it does not: as few lines as the server's rules of inheritance
//! allow, around files that belong to somebody else, once in a file that many servers share.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod support;

use std::fs;
use std::path::Path;

use support::program::{self, Run};
use tempfile::TempDir;

const HEAD: &str =
    "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n";

/// A folder of files, the first of which is the root.
struct Tree {
    dir: TempDir,
    state: TempDir,
    root: String,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = dir.path().join(files[0].0).display().to_string();
        Self {
            dir,
            state: TempDir::new().unwrap(),
            root,
        }
    }

    fn fix(&self, args: &[&str]) -> Run {
        program::run(
            self.state.path(),
            &[&["fix"], args, &[&*self.root]].concat(),
        )
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Lines that a patch takes away, and lines that it adds.
fn lines(patch: &str) -> (Vec<&str>, Vec<&str>) {
    let of = |sign: &str, head: &str| -> Vec<&str> {
        let lines = patch.lines().filter(|line| line.starts_with(sign));
        lines
            .filter(|line| !line.starts_with(head))
            .map(|line| line[1..].trim())
            .collect()
    };
    (of("-", "---"), of("+", "+++"))
}

fn server(lines: &str) -> String {
    format!("    server {{\n        listen 443 ssl;\n{lines}    }}\n")
}

#[test]
fn the_smallest_edit_by_where_the_lines_stand() {
    let on = "        ssl_session_tickets on;\n";
    let off = "        ssl_session_tickets off;\n";
    let none = "";
    let around = "    ssl_session_tickets on;\n";
    // What stands around the servers, in each of three, and how many lines have to go and come:
    // by nginx's inheritance, for versions in which either server of an address decides.
    let cases: [(&str, [&str; 3], usize, usize); 7] = [
        // Nobody says anything: one line around all of them.
        ("", [none, none, none], 0, 1),
        // The one line that is in force for all.
        (around, [none, none, none], 1, 1),
        // Everybody says on: each of those lines, and none around them.
        ("", [on, on, on], 3, 3),
        // Who is silent takes the line around; who says off is left alone.
        ("", [off, none, none], 0, 1),
        ("", [off, off, off], 0, 0),
        // The server's own line hides the one around it.
        (around, [on, none, none], 2, 2),
        (around, [off, off, on], 1, 1),
    ];
    for (around, servers, gone, come) in cases {
        let named = |(number, lines): (usize, &&str)| {
            server(&format!("        server_name s{number}.test;\n{lines}"))
        };
        let servers: String = servers.iter().enumerate().map(named).collect();
        let tree = Tree::new(&[("nginx.conf", &format!("{HEAD}{around}{servers}}}\n"))]);
        let run = tree.fix(&["--policy", "no-tickets"]);
        let (minus, plus) = lines(&run.stdout);
        let what = format!("{around}{servers}\n{}\n{}", run.stdout, run.stderr);
        assert_eq!((minus.len(), plus.len()), (gone, come), "{what}");
    }
}

#[test]
fn one_server_takes_the_line_itself() {
    let plain = "    server {\n        listen 80;\n    }\n";
    let text = format!("{HEAD}{plain}{}}}\n", server(""));
    let tree = Tree::new(&[("nginx.conf", &text)]);
    assert_eq!(tree.fix(&["--write"]).code, Some(0));
    let line = "        listen 443 ssl;\n        ssl_session_tickets off;\n";
    assert_eq!(
        tree.text("nginx.conf"),
        text.replace("        listen 443 ssl;\n", line)
    );
}

#[test]
fn a_catch_all_default_server_is_reached_from_around_it() {
    let text = format!(
        "{HEAD}    server {{\n        listen 443 ssl default_server;\n        ssl_reject_handshake \
         on;\n    }}\n{}}}\n",
        server("        server_name b.test;\n")
    );
    let tree = Tree::new(&[("nginx.conf", &text)]);
    let run = tree.fix(&["--policy", "rotate", "--server-version", "nginx=1.28.3"]);
    let (minus, plus) = lines(&run.stdout);
    assert!(minus.is_empty(), "{}", run.stdout);
    // In the named server all of it would be ignored: the default server decides.
    let mut sorted = plus.clone();
    sorted.sort_unstable();
    let expected = [
        "include /run/stekguard/keys/nginx/*.conf;",
        "ssl_session_tickets on;",
        "ssl_session_timeout 18h;",
        "worker_shutdown_timeout 1h;",
    ];
    assert_eq!(sorted, expected);
    let around = run.stdout.lines();
    let deep = around.filter(|line| line.starts_with("+        ")).count();
    assert_eq!(deep, 0, "around the servers:\n{}", run.stdout);
    assert!(run.stderr.contains("stekguard keys init"), "{}", run.stderr);
}

#[test]
fn a_snippet_of_many_servers_is_edited_once_and_all_are_named() {
    let sites: String = (0..3)
        .map(|number| {
            server(&format!(
                "        server_name s{number}.test;\n        include tls.conf;\n"
            ))
        })
        .collect();
    let tree = Tree::new(&[
        ("nginx.conf", &format!("{HEAD}{sites}}}\n")),
        ("tls.conf", "ssl_session_tickets on;\n"),
    ]);
    let run = tree.fix(&[]);
    let (minus, plus) = lines(&run.stdout);
    assert_eq!(minus, ["ssl_session_tickets on;"]);
    assert_eq!(plus, ["ssl_session_tickets off;"]);
    for number in 0..3 {
        assert!(
            run.stderr.contains(&format!("s{number}.test")),
            "{}",
            run.stderr
        );
    }
    assert!(
        run.stderr.contains("reads this file 3 times"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("3 addresses and names change: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_line_around_in_a_generated_file_is_overridden_in_the_servers() {
    let main = format!(
        "# Ansible managed\n{HEAD}    ssl_session_tickets on;\n    include sites/*.conf;\n}}\n"
    );
    let site = "server {\n    listen 443 ssl;\n}\n";
    let other = "server {\n    listen 8443 ssl;\n}\n";
    let tree = Tree::new(&[
        ("nginx.conf", &main),
        ("sites/a.conf", site),
        ("sites/b.conf", other),
    ]);
    let run = tree.fix(&["--write"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(tree.text("nginx.conf"), main, "it says whose it is");
    for (name, before) in [("sites/a.conf", site), ("sites/b.conf", other)] {
        let line = " ssl;\n    ssl_session_tickets off;\n";
        assert_eq!(tree.text(name), before.replace(" ssl;\n", line));
    }
    let forced = Tree::new(&[("nginx.conf", &main), ("sites/a.conf", site)]);
    assert_eq!(forced.fix(&["--write", "--force"]).code, Some(0));
    assert_eq!(
        forced.text("nginx.conf"),
        main.replace("tickets on", "tickets off")
    );
    assert_eq!(forced.text("sites/a.conf"), site);
}

#[test]
fn what_the_settings_protect_is_not_edited_even_by_force() {
    let main = format!("{HEAD}    include shared/http.conf;\n    include sites/*.conf;\n}}\n");
    let site = "server {\n    listen 443 ssl;\n}\n";
    let tree = Tree::new(&[
        ("nginx.conf", &main),
        ("shared/http.conf", "ssl_session_tickets on;\n"),
        ("sites/a.conf", site),
        ("stekguard.toml", "protected = [\"shared/\"]\n"),
    ]);
    let settings = tree.path().join("stekguard.toml").display().to_string();
    let run = tree.fix(&["--write", "--force", "--config", &settings]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(tree.text("shared/http.conf"), "ssl_session_tickets on;\n");
    assert!(
        tree.text("sites/a.conf")
            .contains("ssl_session_tickets off;")
    );
}

#[test]
fn what_cannot_be_overridden_is_said() {
    let main = format!("{HEAD}{}}}\n", server("        include tls.conf;\n"));
    let tls = "# DO NOT EDIT\nssl_session_tickets on;\n";
    let tree = Tree::new(&[("nginx.conf", &main), ("tls.conf", tls)]);
    let run = tree.fix(&["--write"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(
        (tree.text("nginx.conf"), tree.text("tls.conf")),
        (main, tls.to_owned())
    );
    let why = "no line beside it can override ssl_session_tickets";
    assert!(run.stderr.contains(why), "{}", run.stderr);
}

#[test]
fn httpd_says_off_in_the_virtual_host_where_the_level_around_is_not_ours() {
    let ssl = "# Managed by Puppet\nSSLSessionTickets on\n";
    let site = "Listen 443\nInclude ssl.conf\n<VirtualHost *:443>\n    SSLEngine on\n    \
                SSLCertificateFile a.pem\n</VirtualHost>\n";
    let tree = Tree::new(&[("apache2.conf", site), ("ssl.conf", ssl)]);
    let run = tree.fix(&["--write"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(tree.text("ssl.conf"), ssl);
    let line = "    SSLCertificateFile a.pem\n    SSLSessionTickets off\n";
    assert_eq!(
        tree.text("apache2.conf"),
        site.replace("    SSLCertificateFile a.pem\n", line)
    );
}

/// A host a file, each with a line to take away.
fn many_hosts(count: usize) -> Tree {
    let main = format!("{HEAD}    ssl_session_tickets off;\n    include sites/*.conf;\n}}\n");
    let mut files = vec![("nginx.conf".to_owned(), main)];
    files.extend((0..count).map(|number| {
        let site = format!(
            "server {{\n    listen 127.0.0.1:{} ssl;\n    server_name s{number}.test;\n    \
             ssl_session_tickets on;\n}}\n",
            8000 + number % 5
        );
        (format!("sites/{number:03}.conf"), site)
    }));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    Tree::new(&files)
}

#[test]
fn of_many_addresses_the_first_are_named_and_json_names_all() {
    let tree = many_hosts(12);
    let run = tree.fix(&[]);
    let note = "12 addresses and names change: ";
    let line = run.stderr.lines().find(|line| line.contains(note)).unwrap();
    assert_eq!(line.matches(".test)").count(), 8, "{line}");
    assert!(line.ends_with("; and 4 more"), "{line}");
    let run = tree.fix(&["--format", "json"]);
    for number in 0..12 {
        assert!(
            run.stdout.contains(&format!("(s{number}.test)")),
            "{number}"
        );
    }
}

/// More files than have every step judged: hosts that change alike are shown to be sound.
#[test]
fn many_files_are_written_in_an_order_that_is_sound() {
    let tree = many_hosts(70);
    let run = tree.fix(&[]);
    assert!(
        run.stderr.contains("without --write up to 64"),
        "{}",
        run.stderr
    );
    let run = tree.fix(&["--write"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("every step"), "{}", run.stderr);
    for number in 0..70 {
        let text = tree.text(&format!("sites/{number:03}.conf"));
        assert!(text.contains("ssl_session_tickets off;"), "{text}");
    }
}

/// nginx 1.28.3 knows no `ssl on`; `listen 80 ssl`, which means the same, needs a certificate there
/// and makes the server refuse the file at another line.
#[test]
fn what_the_server_would_refuse_is_no_repair() {
    let server = |certificate: &str| {
        format!("events {{}}\nhttp {{\n    server {{\n        ssl on;\n{certificate}    }}\n}}\n")
    };
    let fix = |text: &str| {
        let tree = Tree::new(&[("nginx.conf", text)]);
        tree.fix(&["--server-version", "nginx=1.28.3"])
    };
    let bare = fix(&server(""));
    assert_eq!(lines(&bare.stdout), (vec![], vec![]), "{}", bare.stdout);
    let why = "directive-not-in-version is not repaired: the change does not hold: the server would not start: ";
    assert!(bare.stderr.contains(why), "{}", bare.stderr);
    assert!(
        bare.stderr.contains("no \"ssl_certificate\" is defined"),
        "{}",
        bare.stderr
    );
    let whole = fix(&server(
        "ssl_certificate a.pem;\nssl_certificate_key a.key;\n",
    ));
    let (gone, come) = lines(&whole.stdout);
    assert_eq!(gone, ["ssl on;"], "{}", whole.stdout);
    assert!(come.contains(&"listen 80 ssl;"), "{}", whole.stdout);
}

/// nginx keeps its automatic keys in memory of the shared cache: whoever takes them is told.
#[test]
fn what_automatic_keys_cost_is_said() {
    let text = format!("{HEAD}{}}}\n", server(""));
    let tree = Tree::new(&[("nginx.conf", &text)]);
    let run = tree.fix(&["--policy", "automatic", "--server-version", "nginx=1.30.6"]);
    let (_, come) = lines(&run.stdout);
    assert!(
        come.iter()
            .any(|line| line.starts_with("ssl_session_cache shared:")),
        "{run:?}"
    );
    let cost = "cost: a restart ends every session; other machines cannot resume them";
    assert!(run.stderr.contains(cost), "{run:?}");
}

/// A cache that a server of the module has is shared by those that need one; another module's
/// is none of theirs.
#[test]
fn a_cache_of_the_module_is_taken_where_there_is_one() {
    let own = |port: u16, lines: &str| {
        format!("    server {{\n        listen {port} ssl;\n{lines}    }}\n")
    };
    let stream = "stream {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    server {\n        \
        listen 9443 ssl;\n        ssl_session_cache shared:other:5m;\n        proxy_pass 127.0.0.1:1;\n    }\n}\n";
    let text = format!(
        "{stream}{HEAD}{}{}}}\n",
        own(443, "        ssl_session_cache shared:mine:7m;\n"),
        own(8443, "")
    );
    let tree = Tree::new(&[("nginx.conf", &text)]);
    let run = tree.fix(&["--policy", "automatic", "--server-version", "nginx=1.30.6"]);
    let (_, come) = lines(&run.stdout);
    let caches: Vec<&&str> = come.iter().filter(|it| it.contains("cache")).collect();
    assert_eq!(caches, [&"ssl_session_cache shared:mine:7m;"], "{run:?}");
}
