//! Choosing hunks, and the account of a fix as JSON: what is chosen is written and nothing
//! else, a part that does not hold alone is refused, and the edits give the bytes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "cli/schema.rs"]
mod schema;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const OFF: &str = "ssl_session_tickets off;";

/// Two hunks in `a.conf`, one in `b.conf`, one in `c.conf`.
struct Tree {
    folder: TempDir,
    root: PathBuf,
    version: &'static str,
}

impl Tree {
    fn nginx() -> Self {
        let folder = TempDir::new().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(path.join("conf.d")).unwrap();
        let root = path.join("nginx.conf");
        let text = "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    \
                    include conf.d/*.conf;\n}\n";
        fs::write(&root, text).unwrap();
        let server = |number: u16| {
            format!(
                "server {{\n    listen 127.0.0.1:{} ssl;\n    ssl_session_tickets on;\n    \
                 server_name n{number}.test;\n    root /srv;\n    index i;\n    # caf\u{e9}\n    \
                 autoindex off;\n}}\n",
                9000 + number
            )
        };
        let files = [
            ("a", server(1) + &server(2)),
            ("b", server(3)),
            ("c", server(4)),
        ];
        for (name, text) in files {
            // Latin-1, so that the bytes are no UTF-8.
            let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
            fs::write(path.join(format!("conf.d/{name}.conf")), bytes).unwrap();
        }
        Self {
            folder,
            root,
            version: "nginx=1.28.3",
        }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(
            self.root
                .with_file_name("conf.d")
                .join(format!("{name}.conf")),
        )
        .unwrap()
    }

    /// How many servers of each file have the new line.
    fn new_lines(&self) -> [usize; 3] {
        ["a", "b", "c"].map(|name| {
            let text = String::from_utf8_lossy(&self.read(name)).into_owned();
            text.matches(OFF).count()
        })
    }

    fn run(&self, arguments: &[&str], answers: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stekguard"))
            .args(["fix", "--server-version", self.version])
            .args(arguments)
            .arg(&self.root)
            .env("STEKGUARD_STATE_DIR", self.folder.path().join("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever needs no answers does not read them.
        let _ = stdin.write_all(answers.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_chosen_is_written_and_nothing_else() {
    // Answers, new lines in each file, exit code.
    let cases: [(&str, [usize; 3], i32); 9] = [
        ("y\ny\ny\ny\n", [2, 1, 1], 0),
        ("y\nn\nn\ny\n", [1, 0, 1], 1),
        ("n\ny\nq\n", [1, 0, 0], 1),
        ("a\nn\ny\n", [2, 0, 1], 1),
        ("d\ny\ny\n", [0, 1, 1], 1),
        ("n\nd\ny\na\n", [0, 1, 1], 1),
        ("?\n\nx\nyes\ny\nq\n", [1, 0, 0], 1),
        ("", [0, 0, 0], 1),
        ("y\n", [1, 0, 0], 1),
    ];
    for (answers, expected, code) in cases {
        let tree = Tree::nginx();
        let output = tree.run(&["--interactive", "--write"], answers);
        let when = format!("{answers:?}: {}", said(&output));
        assert_eq!(output.status.code(), Some(code), "{when}");
        assert_eq!(tree.new_lines(), expected, "{when}");
        let patch = String::from_utf8_lossy(&output.stdout).into_owned();
        let added = patch
            .lines()
            .filter(|line| line.trim_start_matches('+').trim() == OFF);
        assert_eq!(
            added.count(),
            expected.iter().sum::<usize>(),
            "{when}\n{patch}"
        );
        assert!(
            !patch.contains("Take this hunk"),
            "questions are no part of the patch"
        );
        assert_eq!(
            said(&output).contains("take this hunk and all later ones"),
            answers.contains('?')
        );
        // What was left can be taken later.
        let rest = tree.run(&["--write"], "");
        assert_eq!(rest.status.code(), Some(0), "{when}");
        assert_eq!(tree.new_lines(), [2, 1, 1], "{when}");
    }
}

#[test]
fn each_hunk_comes_with_its_finding() {
    let tree = Tree::nginx();
    let output = tree.run(&["--interactive"], "n\nn\nn\ny\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        tree.new_lines(),
        [0, 0, 0],
        "without --write nothing is written"
    );
    let text = said(&output);
    let first = text.split("Take this hunk (1/4)").next().unwrap();
    let own = first.rsplit("findings (").next().unwrap();
    assert!(
        own.contains("a.conf:3:5: warning[tickets-without-rotation]"),
        "{text}"
    );
    assert!(own.contains("@@"), "{text}");
    assert_eq!(
        own.matches("warning[").count(),
        1,
        "its own finding and no other: {text}"
    );
    let patch = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        patch.contains("c.conf") && !patch.contains("a.conf"),
        "{patch}"
    );
}

/// Two vhosts of one address lose their key files, and tickets end in the first. With the
/// second one's gone alone, handshakes fail; the first hunk alone is sound.
#[test]
fn a_part_that_does_not_hold_alone_is_refused() {
    let folder = TempDir::new().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap().join("httpd.conf");
    for name in ["one.key", "two.key"] {
        let bytes: Vec<u8> = (0..48u8).map(|byte| byte.wrapping_mul(97) ^ 0x5a).collect();
        fs::write(root.with_file_name(name), bytes).unwrap();
    }
    let base = root.parent().unwrap().display().to_string();
    let vhost = |name: &str| {
        format!(
            "<VirtualHost *:443>\n    ServerName {name}.test\n    SSLEngine on\n    \
             SSLSessionTicketKeyFile {base}/{name}.key\n    SSLCertificateFile {base}/c.pem\n    \
             SSLCertificateKeyFile {base}/c.key\n    DocumentRoot /srv\n    DirectoryIndex i\n    \
             KeepAlive on\n    Timeout 60\n    KeepAliveTimeout 5\n</VirtualHost>\n"
        )
    };
    let text = format!(
        "ServerRoot {base}\nListen 443\n{}{}",
        vhost("one"),
        vhost("two")
    );
    fs::write(&root, &text).unwrap();
    let tree = Tree {
        folder,
        root: root.clone(),
        version: "apache=2.4.71",
    };
    let rule = ["--rule", "unreliable-ticket-key-file", "--unsafe-fixes"];
    let whole = tree.run(&rule, "");
    let patch = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert_eq!(
        patch.matches("\n@@").count(),
        2,
        "{patch}\n{}",
        said(&whole)
    );
    let interactive = [&rule[..], &["--interactive", "--write"]].concat();
    let output = tree.run(&interactive, "n\ny\n");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let sentence = said(&output);
    assert!(sentence.contains("with these hunks alone"), "{sentence}");
    assert!(
        sentence.contains("has ticket-key-file-partial"),
        "{sentence}"
    );
    assert_eq!(fs::read_to_string(&root).unwrap(), text);
    let key_files = || {
        let text = fs::read_to_string(&root).unwrap();
        text.matches("SSLSessionTicketKeyFile").count()
    };
    for (answers, left) in [("y\nn\n", 1), ("y\ny\n", 0)] {
        fs::write(&root, &text).unwrap();
        let output = tree.run(&interactive, answers);
        assert_ne!(output.status.code(), Some(2), "{}", said(&output));
        assert_eq!(key_files(), left);
    }
}

#[test]
fn a_stream_leaves_no_answers() {
    let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["fix", "--interactive", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("reads answers from standard input"));
}

/// The patch goes to the file too, as `git apply` takes it.
#[test]
fn the_patch_goes_to_a_file_too() {
    let tree = Tree::nginx();
    let file = tree.folder.path().join("out.patch");
    let name = file.to_str().unwrap();
    let output = tree.run(&["--format", "json", "--patch-out", name], "");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let top = Command::new("git")
        .args(["apply", "--unsafe-paths", "--directory=/", name])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        top.status.success(),
        "{}",
        String::from_utf8_lossy(&top.stderr)
    );
    assert_eq!(tree.new_lines(), [2, 1, 1]);
}

fn document(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/fix-1.json");
    let known: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let wrong = schema::violations(&known, &document);
    assert!(wrong.is_empty(), "{wrong:?}\n{document:#}");
    document
}

#[test]
fn the_edits_of_the_document_give_the_bytes() {
    let tree = Tree::nginx();
    let before = tree.read("a");
    let output = tree.run(&["--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let shown = document(&output);
    assert_eq!(shown["written"], false);
    assert_eq!(shown["journal"], Value::Null);
    assert_eq!(shown["go_live"], "reload");
    assert_eq!(shown["broken_between"], Value::Null);
    assert_eq!(shown["fixed"].as_array().unwrap().len(), 4);
    assert_eq!(shown["left"].as_array().unwrap().len(), 0);
    let files = shown["files"].as_array().unwrap();
    let file = files
        .iter()
        .find(|it| it["path"].as_str().unwrap().ends_with("a.conf"));
    let mut result = Vec::new();
    let mut at = 0;
    for edit in file.unwrap()["edits"].as_array().unwrap() {
        let (start, end) = (
            edit["start"].as_u64().unwrap() as usize,
            edit["end"].as_u64().unwrap() as usize,
        );
        assert_eq!(
            &before[start..end],
            edit["old"].as_str().unwrap().as_bytes()
        );
        result.extend_from_slice(&before[at..start]);
        result.extend_from_slice(edit["new"].as_str().unwrap().as_bytes());
        at = end;
    }
    result.extend_from_slice(&before[at..]);

    let output = tree.run(&["--format", "json", "--write"], "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let done = document(&output);
    assert_eq!(tree.read("a"), result);
    assert_eq!(
        (&done["written"], &done["journal"]),
        (&Value::Bool(true), &Value::from(1))
    );
    assert_eq!(done["order"].as_array().unwrap().len(), 3);
    assert_eq!(done["not_validated"], 1);
    assert_eq!(done["validated"][0]["passed"], false);
    assert_eq!(done["reloaded"].as_array().unwrap().len(), 0);

    // What stops it is a document too.
    let again = Tree::nginx();
    let output = again.run(&["--format", "json", "--write", "--validate", "exit 1"], "");
    assert_eq!(output.status.code(), Some(2));
    let stopped = document(&output);
    assert!(
        stopped["error"]
            .as_str()
            .unwrap()
            .contains("nothing was written")
    );
    assert_eq!(
        (&stopped["written"], &stopped["complete"]),
        (&Value::Bool(false), &Value::Bool(false))
    );
    let nowhere = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["fix", "--format", "json", "/nowhere/at/all.conf"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(document(&nowhere)["error"].is_string());
}
