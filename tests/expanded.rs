//! `inspect --expanded` and `--compare-version`, and what `--define` and `--modules` settle, on
//! the real program. Needs no server; tests/live_expanded.rs asks real ones.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "cli/schema.rs"]
mod schema;

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use schema::violations;
use serde_json::{Value, json};

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    let output: Output = command.args(arguments).output().unwrap();
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The document on stdout, checked against its schema in docs/schema.
fn document(name: &str, code: i32, arguments: &[&str]) -> Value {
    let run = run(arguments);
    assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
    let document: Value = serde_json::from_str(&run.out).expect("stdout is one document");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/schema")
        .join(name);
    let schema = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let wrong = violations(&schema, &document);
    assert!(wrong.is_empty(), "{arguments:?}:\n{}", wrong.join("\n"));
    document
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn at(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// `file:line depth name arguments` of each directive.
fn shapes(document: &Value) -> Vec<String> {
    let all = document["servers"][0]["directives"].as_array().unwrap();
    let shape = |it: &Value| {
        let path = Path::new(it["path"].as_str().unwrap());
        let arguments = it["arguments"].as_array().unwrap().iter();
        let arguments: Vec<&str> = arguments.map(|word| word.as_str().unwrap()).collect();
        format!(
            "{}:{} {} {} {}",
            path.file_name().unwrap().to_str().unwrap(),
            it["line"],
            it["depth"],
            it["name"].as_str().unwrap(),
            arguments.join(" ")
        )
    };
    all.iter()
        .map(|it| shape(it).trim_end().to_owned())
        .collect()
}

#[test]
fn nginx_directives_stand_in_the_order_of_its_reading() {
    let folder = tree(&[
        (
            "nginx.conf",
            "events {}\nhttp {\n    include sites/*.conf;\n    gzip on; # twice\n}\n",
        ),
        (
            "sites/b.conf",
            "server {\n    listen 80;\n    include \"snip.conf\";\n}\n",
        ),
        ("sites/a.conf", "server\n{\n    return 200 \"a b;\";\n}\n"),
        ("snip.conf", "root /var/'x';\n"),
    ]);
    let root = at(&folder, "nginx.conf");
    let arguments = ["inspect", "--expanded", "--format", "json", &root];
    let found = document("expanded-1.json", 0, &arguments);
    let expected = [
        "nginx.conf:1 0 events",
        "nginx.conf:2 0 http",
        "nginx.conf:3 1 include sites/*.conf",
        "a.conf:1 1 server",
        "a.conf:3 2 return 200 a b;",
        "b.conf:1 1 server",
        "b.conf:2 2 listen 80",
        "b.conf:3 2 include snip.conf",
        "snip.conf:1 2 root /var/'x'",
        "nginx.conf:4 1 gzip on",
    ];
    assert_eq!(shapes(&found), expected);
    let snip = &found["servers"][0]["directives"][8];
    let via: Vec<String> = [("nginx.conf", 3), ("sites/b.conf", 3)]
        .map(|(name, line)| format!("{}:{line}", at(&folder, name)))
        .to_vec();
    assert_eq!(snip["via"], json!(via));

    let text = run(&["inspect", "--expanded", &root]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    let line = format!(
        "{}:3          return 200 \"a b;\";\n",
        at(&folder, "sites/a.conf")
    );
    assert!(text.out.contains(&line), "{}", text.out);
}

const HTTPD: &str = "\
ServerName a
Define port 8443
<Macro tls $name>
<VirtualHost *:${port}>
ServerName $name
SSLEngine \\
  on
</VirtualHost>
</Macro>
<IfDefine TLS>
Use tls b.test
</IfDefine>
<IfVersion < 2.4>
Listen 1
</IfVersion>
<IfModule mod_ssl.c>
SSLSessionTickets off
</IfModule>
";

#[test]
fn httpd_directives_come_out_of_macros_variables_and_conditions() {
    let folder = tree(&[("httpd.conf", HTTPD)]);
    let root = at(&folder, "httpd.conf");
    let arguments = ["inspect", "--expanded", "--format", "json", &root];
    let found = document("expanded-1.json", 0, &arguments);
    let expected = [
        "httpd.conf:1 0 ServerName a",
        "httpd.conf:2 0 Define port 8443",
        "httpd.conf:11 0 Use tls b.test",
        "httpd.conf:4 0 VirtualHost *:8443",
        "httpd.conf:5 1 ServerName b.test",
        "httpd.conf:7 1 SSLEngine on",
        "httpd.conf:17 0 SSLSessionTickets off",
    ];
    assert_eq!(shapes(&found), expected);
    let directives = &found["servers"][0]["directives"];
    assert_eq!(directives[5]["begins"], 6);
    assert_eq!(directives[5]["when"], json!(["IfDefine TLS"]));
    assert_eq!(directives[5]["via"], json!([format!("{root}:11")]));
    assert_eq!(directives[6]["when"], json!(["IfModule mod_ssl.c"]));
    assert_eq!(directives[1]["on_read"], true);

    let text = run(&["inspect", "--expanded", &root]).out;
    let line = format!("{root}:17  SSLSessionTickets off  # where IfModule mod_ssl.c\n");
    assert!(text.contains(&line), "{text}");
}

#[test]
fn definitions_and_modules_settle_what_is_open() {
    let folder = tree(&[
        ("httpd.conf", HTTPD),
        (
            "list",
            "Loaded Modules:\n core_module (static)\n ssl_module (shared)\n",
        ),
    ]);
    let root = at(&folder, "httpd.conf");
    let list = format!("@{}", at(&folder, "list"));
    let whens = |more: &[&str]| {
        let mut arguments = vec!["inspect", "--expanded", "--format", "json", &root];
        arguments.extend(more);
        let found = document("expanded-1.json", 0, &arguments);
        let directives = found["servers"][0]["directives"]
            .as_array()
            .unwrap()
            .clone();
        let open = directives.iter().filter(|it| it["when"] != json!([]));
        (directives.len(), open.count())
    };
    // Four directives hang on the definition, one on the module.
    assert_eq!(whens(&[]), (7, 5));
    assert_eq!(whens(&["--define", "TLS"]), (7, 1));
    assert_eq!(whens(&["--define", "!TLS"]), (3, 1));
    assert_eq!(whens(&["--define", "OTHER"]), (7, 5));
    assert_eq!(whens(&["--define", "!*"]), (3, 1));
    assert_eq!(
        whens(&["--define", "TLS", "--modules", "ssl_module"]),
        (7, 0)
    );
    assert_eq!(
        whens(&["--define", "TLS", "--modules", "mod_ssl.c,so_module"]),
        (7, 0)
    );
    assert_eq!(whens(&["--define", "TLS", "--modules", &list]), (7, 0));
    assert_eq!(
        whens(&["--define", "TLS", "--modules", "alias_module"]),
        (6, 0)
    );
    for wrong in [
        ["--define", "A B"],
        ["--define", "=x"],
        ["--modules", "ssl"],
        ["--modules", ""],
        ["--modules", "@/nowhere/at/all"],
    ] {
        let mut arguments = vec!["inspect", &root];
        arguments.extend(wrong);
        let run = run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{wrong:?}");
        assert!(
            run.err.starts_with(&format!("error: {}", wrong[0])),
            "{}",
            run.err
        );
    }
}

/// The conditions of a finding go away with the questions.
#[test]
fn a_finding_loses_its_conditions() {
    let text = "Listen 443\nSSLSessionCache none\n<IfDefine TLS>\n<VirtualHost *:443>\n\
        ServerName a\nSSLEngine on\n</VirtualHost>\n</IfDefine>\n";
    let folder = tree(&[("httpd.conf", text)]);
    let root = at(&folder, "httpd.conf");
    let lint = |more: &[&str]| {
        let mut arguments = vec!["lint", "--format", "json", &root];
        arguments.extend(more);
        let run = run(&arguments);
        let document: Value = serde_json::from_str(&run.out).unwrap();
        let finding = document["findings"].as_array().unwrap().iter();
        let mut tickets = finding.filter(|it| it["rule"] == "tickets-without-rotation");
        (run.code, tickets.next().map(|it| it["when"].clone()))
    };
    assert_eq!(lint(&[]), (1, Some(json!(["IfDefine TLS"]))));
    assert_eq!(lint(&["--define", "TLS"]), (1, Some(json!([]))));
    assert_eq!(lint(&["--define", "!TLS"]), (0, None));
}

#[test]
fn modules_of_the_files_count_from_their_own_line_on() {
    let text = "<IfModule mod_ssl.c>\nListen 1\n</IfModule>\nLoadModule ssl_module x.so\n\
        <IfModule mod_ssl.c>\nListen 2\n</IfModule>\n<IfModule mod_macro.c>\nListen 3\n</IfModule>\n";
    let folder = tree(&[("httpd.conf", text)]);
    let root = at(&folder, "httpd.conf");
    let arguments = ["inspect", "--expanded", "--format", "json", &root];
    let list = "--modules=ssl_module,macro_module";
    let found = document("expanded-1.json", 0, &[&arguments[..], &[list]].concat());
    let expected = [
        "httpd.conf:4 0 LoadModule ssl_module x.so",
        "httpd.conf:6 0 Listen 2",
        "httpd.conf:9 0 Listen 3",
    ];
    assert_eq!(shapes(&found), expected);
}

const TWO_BLOCKS: &str = "\
events {}
http {
    ssl_certificate a.pem;
    ssl_certificate_key a.key;
    server {
        listen 443 ssl;
        server_name a.test;
        ssl_session_tickets on;
    }
    server {
        listen 443 ssl;
        server_name b.test;
        ssl_session_tickets off;
    }
}
";

fn compared(text: &str, root: &str, versions: [&str; 2]) -> Value {
    let folder = tree(&[(root, text)]);
    let root = at(&folder, root);
    let [before, after] = versions;
    let mut arguments = vec![
        "inspect",
        "--compare-version",
        before,
        after,
        "--format",
        "json",
    ];
    arguments.push(&root);
    let found = document("compare-1.json", 0, &arguments);
    found["servers"][0].clone()
}

/// `names field before after` of every difference.
fn differences(server: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for change in server["changes"].as_array().unwrap() {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let names = word(&change["names"][0]);
        if change["change"] != "differs" {
            out.push(format!("{names} {}", word(&change["change"])));
        }
        for it in change["fields"].as_array().unwrap() {
            let field = [&it["field"], &it["before"], &it["after"]].map(word);
            out.push(format!("{names} {}", field.join(" ")));
        }
    }
    out
}

/// From 1.29.2 on a server's own ssl_session_tickets decides (nginx changes 1.29.2), where
/// before it the default server's `on` and the own `off` were put together.
#[test]
fn tickets_flip_at_1_29_2() {
    // A server with `on` behind a default server with `off`.
    let text = TWO_BLOCKS
        .replacen("tickets on", "tickets X", 1)
        .replacen("tickets off", "tickets on", 1)
        .replacen("tickets X", "tickets off", 1);
    let server = compared(&text, "nginx.conf", ["1.29.1", "1.29.2"]);
    let found = differences(&server);
    assert!(
        found.contains(&"b.test tls12.ticket none resumes".to_owned()),
        "{found:#?}"
    );
    assert!(
        found.iter().all(|it| it.starts_with("b.test ")),
        "{found:#?}"
    );
    let fields = server["changes"][0]["fields"].as_array().unwrap();
    let ticket = fields.iter().find(|it| it["field"] == "tls12.ticket");
    let ticket = ticket.unwrap();
    // Both sides say why, with the line of the block that decides.
    assert_eq!(ticket["why_before"]["value"], "off");
    assert_eq!(ticket["why_before"]["origin"], "default-server");
    assert_eq!(ticket["why_before"]["at"]["line"], 8);
    assert_eq!(ticket["why_after"]["value"], "on");
    assert_eq!(ticket["why_after"]["origin"], "set");
    assert_eq!(ticket["why_after"]["at"]["line"], 13);
    let none = compared(&text, "nginx.conf", ["1.29.2", "1.29.3"]);
    assert_eq!(differences(&none), Vec::<String>::new());
}

/// From 1.23.2 on a shared zone keeps and rotates the ticket keys.
#[test]
fn the_zone_takes_over_the_keys_at_1_23_2() {
    let text = TWO_BLOCKS
        .replace("ssl_session_tickets off;", "")
        .replace("http {", "http {\n    ssl_session_cache shared:S:1m;");
    let server = compared(&text, "nginx.conf", ["1.23.1", "1.23.2"]);
    let found = differences(&server);
    for expected in [
        "a.test ticket_key.source startup zone",
        "a.test ticket_key.zone - S",
        "a.test ticket_key.replaced reload automatic",
        "b.test ticket_key.source startup zone",
    ] {
        assert!(found.contains(&expected.to_owned()), "{found:#?}");
    }
}

/// 1.25.1 took the directive `ssl` away: it refuses the file.
#[test]
fn ssl_on_is_refused_from_1_25_1() {
    let text = "events {}\nhttp {\n    server {\n        listen 443;\n        ssl on;\n    \
        server_name a.test;\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n}\n}\n";
    let server = compared(text, "nginx.conf", ["1.25.0", "1.25.1"]);
    let refused = server["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{server}");
    assert_eq!(
        (
            &refused[0]["setting"],
            &refused[0]["by"],
            &refused[0]["line"]
        ),
        (&json!("ssl"), &json!("1.25.1"), &json!(5))
    );
    let back = compared(text, "nginx.conf", ["1.24.0", "1.25.0"]);
    assert_eq!(back["refused"], json!([]));
}

/// SSLVHostSNIPolicy came with 2.4.66.
#[test]
fn a_directive_that_httpd_does_not_know_yet_is_named() {
    let text = "Listen 443\nSSLVHostSNIPolicy strict\n<VirtualHost *:443>\nServerName a\n\
        SSLEngine on\n</VirtualHost>\n";
    let server = compared(text, "httpd.conf", ["2.4.65", "2.4.66"]);
    assert_eq!(server["refused"][0]["by"], "2.4.65", "{server}");
}

#[test]
fn a_comparison_needs_two_versions_of_a_server_that_is_there() {
    let folder = tree(&[("nginx.conf", TWO_BLOCKS)]);
    let root = at(&folder, "nginx.conf");
    for versions in [["1.29.1", "2.4.63"], ["new", "1.2.3"], ["2.4.63", "2.4.64"]] {
        let [before, after] = versions;
        let run = run(&["inspect", "--compare-version", before, after, &root]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{versions:?}");
        assert!(
            run.err.starts_with("error: --compare-version: "),
            "{}",
            run.err
        );
    }
    let text = run(&["inspect", "--compare-version", "1.29.1", "1.29.2", &root]);
    assert_eq!(text.code, 0, "{}", text.err);
    assert!(
        text.out.contains("nginx 1.29.1 to 1.29.2: "),
        "{}",
        text.out
    );
}

/// A line of a macro stands once in the file and may be another directive with every `Use`;
/// 2.4.6 knows neither SSLOpenSSLConfCmd (2.4.8) nor SSLSessionTickets (2.4.11).
#[test]
fn a_line_of_a_macro_is_compared_as_each_directive_that_it_becomes() {
    let text = "Listen 443\n<Macro Say $directive $value>\n$directive $value\n</Macro>\n\
        <VirtualHost *:443>\nServerName a\nSSLEngine on\n\
        Use Say SSLSessionTickets off\nUse Say SSLSessionTickets off\n\
        Use Say SSLOpenSSLConfCmd \"Options -SessionTicket\"\n</VirtualHost>\n";
    let found = compared(text, "httpd.conf", ["apache=2.4.6", "apache=2.4.65"]);
    let unknown = found["refused"].as_array().unwrap();
    let said = |it: &Value| {
        let words = ["setting", "by"].map(|key| it[key].as_str().unwrap());
        words.join(" ")
    };
    assert_eq!(
        unknown.iter().map(said).collect::<Vec<_>>(),
        ["SSLSessionTickets 2.4.6", "SSLOpenSSLConfCmd 2.4.6"]
    );
}

/// A variable that nothing defines makes what it decides unknown, and nothing clean.
#[test]
fn an_unknown_variable_is_never_clean() {
    let text = "Listen 443\nSSLSessionCache shmcb:${DIR}/cache(512000)\n<VirtualHost *:443>\n\
        ServerName a\nSSLEngine on\nSSLSessionTickets ${TICKETS}\n</VirtualHost>\n";
    let folder = tree(&[("httpd.conf", text)]);
    let root = at(&folder, "httpd.conf");
    let inspect = |more: &[&str]| {
        let run = run(&[&["inspect", "--format", "json", &root], more].concat());
        let document: Value = serde_json::from_str(&run.out).unwrap();
        let server = document["servers"][0].clone();
        (
            run.code,
            server["endpoints"][0].clone(),
            server["incomplete"].clone(),
        )
    };
    let (code, endpoint, incomplete) = inspect(&[]);
    assert_eq!(code, 2);
    assert_eq!(endpoint["tls12"]["ticket"], "unknown");
    assert_eq!(endpoint["tls13"]["issued"], "unknown");
    assert_eq!(endpoint["ticket_key"]["source"], "unknown");
    // The cache's path is open, its kind is not.
    assert_eq!(endpoint["tls12"]["session_id"], "resumes");
    assert_eq!(incomplete.as_array().unwrap().len(), 1);
    assert_eq!(incomplete[0]["line"], 6);
    let lint = run(&["lint", &root]);
    assert_eq!(lint.code, 2);
    assert!(
        lint.err
            .contains("the value of ${TICKETS} is not known here"),
        "{}",
        lint.err
    );
    assert!(!lint.err.contains("no findings:"), "{}", lint.err);

    let (code, endpoint, _) = inspect(&["--define", "TICKETS=off"]);
    assert_eq!((code, &endpoint["tls12"]["ticket"]), (0, &json!("none")));
    let (code, endpoint, _) = inspect(&["--define", "TICKETS=on"]);
    assert_eq!((code, &endpoint["tls12"]["ticket"]), (0, &json!("resumes")));
    for (outside, inside, field) in [
        ("SSLSessionCache ${X}", "", "/tls12/session_id"),
        ("", "SSLProtocol ${X}", "/tls13/issued"),
        ("", "SSLOpenSSLConfCmd Options ${X}", "/tls12/ticket"),
        ("", "SSLEngine ${X}", "/tls12/session_id"),
    ] {
        let text = format!(
            "Listen 443\n{outside}\n<VirtualHost *:443>\nServerName a\nSSLEngine on\n{inside}\n\
             </VirtualHost>\n"
        );
        std::fs::write(&root, text).unwrap();
        let (code, endpoint, _) = inspect(&[]);
        let found = (code, endpoint.pointer(field));
        assert_eq!(found, (2, Some(&json!("unknown"))), "{outside}{inside}");
    }
}

/// Bounded time, one clear error, exit code 2, for what httpd's own language can do to itself.
#[test]
fn bad_httpd_input_is_refused_in_bounded_time() {
    let mut bomb = "Listen 443\n<Macro m0>\nServerName a\n</Macro>\n".to_owned();
    for depth in 1..=40 {
        let below = depth - 1;
        bomb += &format!("<Macro m{depth}>\nUse m{below}\nUse m{below}\n</Macro>\n");
    }
    bomb += "Use m40\n";
    let mut variables = "Listen 443\nDefine A0 aaaaaaaaaa\n".to_owned();
    for depth in 1..60 {
        let below = depth - 1;
        variables += &format!("Define A{depth} ${{A{below}}}${{A{below}}}\n");
    }
    let mut questions = "Listen 443\n".to_owned();
    for number in 0..3000 {
        questions += &format!("<IfDefine A{number}>\nListen 1\n</IfDefine>\n");
    }
    let recursion = "<Macro a>\nUse b\n</Macro>\n<Macro b>\nUse a\n</Macro>\nListen 1\nUse a\n";
    let cases: [(&str, String, &str); 10] = [
        ("a macro bomb", bomb, "not read further"),
        ("a bomb of variables", variables, "not read further"),
        ("open questions", questions, "different open conditions"),
        (
            "macros that use each other",
            recursion.to_owned(),
            "recursive use of macro",
        ),
        (
            "a file that includes itself",
            "Listen 443\nInclude httpd.conf\n".to_owned(),
            "maximum include depth",
        ),
        (
            "a line of 16 MiB",
            format!("Listen 443\nServerName {}\n", "a".repeat(16 << 20)),
            "line too long",
        ),
        (
            "sections that nothing closes",
            "Listen 443\n".to_owned() + &"<VirtualHost *:443>\n".repeat(10_000),
            "was not closed",
        ),
        (
            "conditionals that nothing closes",
            "Listen 443\n".to_owned() + &"<IfModule no_such.c>\n".repeat(10_000),
            "",
        ),
        (
            "ends that nothing opens",
            "Listen 443\n".to_owned() + &"</VirtualHost>\n".repeat(10_000),
            "without matching",
        ),
        (
            "sections that cross",
            "Listen 443\n<VirtualHost *:443>\n<Directory />\n</VirtualHost>\n</Directory>\n"
                .to_owned(),
            "expected </Directory> but saw </VirtualHost>",
        ),
    ];
    for (what, text, words) in cases {
        let folder = tree(&[("httpd.conf", &text)]);
        let root = at(&folder, "httpd.conf");
        for command in ["lint", "inspect", "fix"] {
            let started = Instant::now();
            let run = run(&[command, &root]);
            let taken = started.elapsed();
            let err: String = run.err.chars().take(600).collect();
            assert_eq!(run.code, 2, "{what}: {command}: {err}");
            assert!(run.err.contains(words), "{what}: {command}: {err}");
            let errors = run.err.lines().filter(|line| line.starts_with("error: "));
            // `fix` adds that it does not touch what it could not read.
            let most = if command == "fix" { 2 } else { 1 };
            let errors = errors.count();
            assert!((1..=most).contains(&errors), "{what}: {command}: {err}");
            assert!(
                taken < Duration::from_secs(60),
                "{what}: {command}: {taken:?}"
            );
        }
    }
}
