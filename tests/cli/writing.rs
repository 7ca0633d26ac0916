//! `fix`, `fix --write` and `undo` on real files.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Run, SOUND, TICKETS_ON, at, command, result, tree};

/// Runs with a journal of its own.
fn run(state: &TempDir, arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    result(
        command
            .env("STEKGUARD_STATE_DIR", state.path().join("state"))
            .output()
            .unwrap(),
    )
}

#[test]
fn a_patch_is_printed_and_nothing_is_written() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "nginx.conf");
    let fix = run(&state, &["fix", &root]);
    assert_eq!(fix.code, 1, "{}", fix.err);
    let added: Vec<&str> = fix
        .out
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
        .collect();
    assert_eq!(added, ["+        ssl_session_tickets off;"]);
    assert_eq!(fs::read_to_string(&root).unwrap(), TICKETS_ON);
    assert!(fix.err.contains("cost: "), "{}", fix.err);
    assert!(
        fix.err.contains("next: a reload makes it live"),
        "{}",
        fix.err
    );
}

#[test]
fn what_applies_the_patch_is_said_and_does_it() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "nginx.conf");
    let outside = run(&state, &["fix", &root]);
    assert!(outside.err.contains("`patch -p1 -d /`"), "{}", outside.err);

    fs::create_dir(directory.path().join(".git")).unwrap();
    let inside = run(&state, &["fix", &root]);
    let real = directory.path().canonicalize().unwrap();
    let said = format!("`git -C {} apply`", real.display());
    assert!(inside.err.contains(&said), "{}", inside.err);
    assert!(
        inside.out.starts_with("--- a/nginx.conf\n"),
        "{}",
        inside.out
    );

    let written = run(&state, &["fix", "--write", &root]);
    assert!(!written.err.contains("apply"), "{}", written.err);
}

#[test]
fn a_cache_that_goes_is_no_matter_for_a_reload() {
    let text = "Listen 443\nSSLSessionCache shmcb:/run/ssl(512000)\nSSLSessionCacheTimeout 300\n\
        <VirtualHost *:443>\n    SSLEngine on\n    SSLSessionTickets off\n</VirtualHost>\n";
    let directory = tree(&[("httpd.conf", text.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "httpd.conf");
    let fix = run(&state, &["fix", "--policy", "no-resumption", &root]);
    assert!(fix.out.contains("+SSLSessionCache none\n"), "{}", fix.out);
    assert!(fix.err.contains("a reload would end it"), "{}", fix.err);
}

#[test]
fn a_write_is_taken_back() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "nginx.conf");
    let written = run(&state, &["fix", "--write", &root]);
    assert_eq!(written.code, 0, "{}", written.err);
    let fixed = TICKETS_ON.replace("a.key;\n", "a.key;\n        ssl_session_tickets off;\n");
    assert_eq!(fs::read_to_string(&root).unwrap(), fixed);

    let again = run(&state, &["fix", &root]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);

    let list = run(&state, &["undo", "--list"]);
    assert!(
        list.out.contains("nginx.conf") && list.out.contains("written"),
        "{}",
        list.out
    );
    let undone = run(&state, &["undo"]);
    assert_eq!(undone.code, 0, "{}", undone.err);
    assert_eq!(fs::read_to_string(&root).unwrap(), TICKETS_ON);
    let nothing = run(&state, &["undo"]);
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.err.contains("nothing to take back"),
        "{}",
        nothing.err
    );
}

#[test]
fn undo_does_not_overwrite_later_work() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "nginx.conf");
    assert_eq!(run(&state, &["fix", "--write", &root]).code, 0);
    fs::write(&root, SOUND).unwrap();
    let refused = run(&state, &["undo"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&root).unwrap(), SOUND);
    assert_eq!(run(&state, &["undo", "--force"]).code, 0);
    assert_eq!(fs::read_to_string(&root).unwrap(), TICKETS_ON);
}

#[test]
fn only_the_asked_rules_are_repaired() {
    let text = TICKETS_ON.replace(
        "server_name",
        "ssl_session_cache shared:S:1m;\n        ssl_session_timeout 30d;\n        server_name",
    );
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let state = TempDir::new().unwrap();
    let version = ["--server-version", "nginx=1.22.1"];
    let root = at(&directory, "nginx.conf");
    let one = run(
        &state,
        &[
            "fix",
            version[0],
            version[1],
            "--rule",
            "tickets-without-rotation",
            &root,
        ],
    );
    assert!(
        one.out.contains("ssl_session_tickets off;"),
        "{}\n{}",
        one.out,
        one.err
    );
    assert!(
        !one.out.contains("-        ssl_session_timeout"),
        "{}",
        one.out
    );
    assert!(!one.err.contains("excessive"), "{}", one.err);
    let all = run(&state, &["fix", version[0], version[1], &root]);
    assert!(
        all.out.contains("-        ssl_session_timeout 30d;"),
        "{}\n{}",
        all.out,
        all.err
    );
}

#[test]
fn a_file_of_another_tool_is_left_alone() {
    let text = format!("# Ansible managed\n{TICKETS_ON}");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let state = TempDir::new().unwrap();
    let root = at(&directory, "nginx.conf");
    let refused = run(&state, &["fix", "--write", &root]);
    assert_eq!(
        (refused.code, refused.out.as_str()),
        (1, ""),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("not changed: "), "{}", refused.err);
    assert_eq!(fs::read_to_string(&root).unwrap(), text);
    assert_eq!(run(&state, &["fix", "--write", "--force", &root]).code, 0);
}

/// The patch of a tree of several files is what `git apply` and `patch` take.
#[test]
fn other_tools_take_the_patch() {
    for tool in [&["git", "apply"][..], &["patch", "-p1", "-s"]] {
        let site = "server {\r\n\tlisten 443 ssl;\r\n\tssl_certificate b.pem;\r\n\tssl_certificate_key b.key;\r\n\tserver_name b.test; # caf\u{e9}\r\n\tssl_session_tickets on;\r\n}\r\n";
        let main = TICKETS_ON.replace("http {", "http {\n    include b.conf;");
        let directory = tree(&[("nginx.conf", main.as_bytes()), ("b.conf", site.as_bytes())]);
        git_init(directory.path());
        let state = TempDir::new().unwrap();
        let fix = run(&state, &["fix", &at(&directory, "nginx.conf")]);
        assert_eq!(fix.code, 1, "{}", fix.err);
        fs::write(directory.path().join("p.diff"), &fix.out).unwrap();
        let mut command = Command::new(tool[0]);
        let input = fs::File::open(directory.path().join("p.diff")).unwrap();
        let applied = command
            .args(&tool[1..])
            .current_dir(directory.path())
            .stdin(input)
            .output();
        let applied = applied.expect("git and patch have to be installed");
        assert!(
            applied.status.success(),
            "{tool:?}: {applied:?}\n{}",
            fix.out
        );
        let result = fs::read_to_string(directory.path().join("b.conf")).unwrap();
        assert_eq!(
            result,
            site.replace("tickets on", "tickets off"),
            "{tool:?}"
        );
        let again = run(&state, &["fix", &at(&directory, "nginx.conf")]);
        assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
    }
}

fn git_init(directory: &Path) {
    let status = Command::new("git")
        .args(["init", "-q"])
        .current_dir(directory)
        .status();
    assert!(status.expect("git has to be installed").success());
}
