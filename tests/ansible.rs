//! The collection under the real Ansible: check mode and diff, change, idempotence, the handler
//! that a change needs, a folder without execution, Ansible's own checks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "ansible/checks.rs"]
mod checks;
#[path = "ansible/harden.rs"]
mod harden;
#[cfg(target_os = "linux")]
#[path = "ansible/keys.rs"]
mod keys;
#[cfg(target_os = "linux")]
mod keys_bench;
#[path = "ansible/noexec.rs"]
mod noexec;
#[path = "ansible/playbook.rs"]
#[allow(unreachable_pub)]
mod playbook;
#[path = "ansible/settings.rs"]
mod settings;
mod support;

use std::fs;

use playbook::{Desk, files, stekguard};
use serde_json::Value;

/// One task with the module, its result kept as a document beside the play.
fn task(desk: &Desk, module: &str, options: &str) -> std::path::PathBuf {
    let options: String = options
        .lines()
        .map(|line| format!("      {}\n", line.trim()))
        .collect();
    desk.play(&format!(
        "tasks:\n  - stekguard.tls.{module}:\n      executable: {}\n{options}    register: result\n  \
         - copy:\n      content: \"{{{{ result | to_json }}}}\"\n      dest: {}\n    \
         check_mode: false\n    diff: false\n    changed_when: false\n",
        stekguard(),
        desk.text("result.json"),
    ))
}

fn result(desk: &Desk) -> Value {
    serde_json::from_slice(&fs::read(desk.at("result.json")).unwrap()).unwrap()
}

#[test]
fn check_and_diff_show_then_it_changes_then_nothing_is_left() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let before = files(&desk.at("nginx"));
    let root = desk.text("nginx/nginx.conf");
    let options = format!("path: {root}\npolicy: no-tickets\nbackup: true");
    let play = task(&desk, "resumption", &options);

    let check = desk.run(&play, &["--check", "--diff"]);
    check.changed(1);
    for line in [
        "-    ssl_session_tickets on;    # faster for returning readers",
        "+    ssl_session_tickets off;    # faster for returning readers",
        "-    listen 9443;",
        "+    listen 9443 ssl;",
    ] {
        assert!(
            check.said.lines().any(|it| it == line),
            "{line}\n{}",
            check.said
        );
    }
    assert!(check.said.contains("left for a person"), "{}", check.said);
    assert_eq!(
        files(&desk.at("nginx")),
        before,
        "check mode changed a file"
    );
    assert!(!desk.at("state").exists(), "check mode wrote state");

    desk.run(&play, &[]).changed(1);
    let after = files(&desk.at("nginx"));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
    assert_eq!(before.len(), after.len(), "no file beside the others");
    let changed: Vec<_> = changed
        .iter()
        .map(|((path, _), _)| path.strip_prefix(desk.at("nginx")).unwrap())
        .map(|path| path.display().to_string())
        .collect();
    let expected = [
        "conf.d/api.conf",
        "conf.d/blog.conf",
        "conf.d/legacy.conf",
        "nginx.conf",
    ];
    assert_eq!(changed, expected);
    let blog = fs::read_to_string(desk.at("nginx/conf.d/blog.conf")).unwrap();
    assert!(
        blog.contains("    ssl_session_tickets off;    # faster"),
        "{blog}"
    );

    let result = result(&desk);
    assert_eq!(result["go_live"], "reload");
    assert_eq!(result["files"].as_array().unwrap().len(), 4);
    let copies = result["backup_files"].as_object().unwrap();
    assert_eq!(copies.len(), 4);
    for (file, copy) in copies {
        let old = before
            .iter()
            .find(|(path, _)| path.display().to_string() == *file);
        assert_eq!(
            fs::read(copy.as_str().unwrap()).unwrap(),
            old.unwrap().1,
            "{file}"
        );
    }

    let again = desk.run(&play, &["--diff"]);
    again.changed(0);
    assert_eq!(files(&desk.at("nginx")), after);

    let undone = support::program::run(&desk.at("state"), &["undo"]);
    assert_eq!(undone.code, Some(0), "{undone:?}");
    assert_eq!(files(&desk.at("nginx")), before, "undo takes the play back");
}

#[test]
fn what_was_not_read_fails_and_changes_nothing() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let root = desk.at("nginx/nginx.conf");
    let text = fs::read_to_string(&root).unwrap();
    let text = text.replacen("http {", "http {\n    include gone.conf;", 1);
    fs::write(&root, text).unwrap();
    let before = files(&desk.at("nginx"));
    let options = format!("path: {}", root.display());
    let run = desk.run(&task(&desk, "resumption", &options), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert_eq!(run.recap("failed"), 1);
    assert!(run.said.contains("not everything was read"), "{}", run.said);
    assert!(run.said.contains("gone.conf"), "{}", run.said);
    assert_eq!(files(&desk.at("nginx")), before);
}

#[test]
fn fail_on_stops_before_anything_changes() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let before = files(&desk.at("nginx"));
    let options = format!("path: {}\nfail_on: warning", desk.text("nginx/nginx.conf"));
    let run = desk.run(&task(&desk, "resumption", &options), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(
        run.said.contains("ignored-session-directive"),
        "{}",
        run.said
    );
    assert_eq!(files(&desk.at("nginx")), before);
}

#[test]
fn the_result_is_tested_before_it_is_written() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let before = files(&desk.at("nginx"));
    let root = desk.text("nginx/nginx.conf");
    let refuse = format!("path: {root}\nvalidate: \"echo no good >&2; false\"");
    let run = desk.run(&task(&desk, "resumption", &refuse), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(run.said.contains("no good"), "{}", run.said);
    assert_eq!(files(&desk.at("nginx")), before);

    let accept = "'! grep -q \"tickets on\" $(dirname $STEKGUARD_CONFIG)/conf.d/blog.conf'";
    let accept = format!("path: {root}\nvalidate: {accept}");
    desk.run(&task(&desk, "resumption", &accept), &[])
        .changed(1);
    let result = result(&desk);
    assert_eq!(result["validated"], serde_json::json!([root]));
    assert_eq!(result["not_validated"], serde_json::json!({}));
}

#[test]
fn info_gives_both_documents_and_says_what_is_missing() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let options = format!("path: {}\ndetect: true", desk.text("nginx"));
    let play = task(&desk, "resumption_info", &options);
    desk.run(&play, &["--check"]).changed(0);
    let found = result(&desk);
    assert_eq!(found["complete"], true);
    assert_eq!(found["lint"]["schema"], "stekguard-lint/1");
    assert_eq!(found["inspect"]["schema"], "stekguard-inspect/1");
    // Five servers with TLS stand in the demo's files.
    let endpoints = found["inspect"]["servers"][0]["endpoints"]
        .as_array()
        .unwrap();
    assert_eq!(endpoints.len(), 5);
    let source = &found["inspect"]["servers"][0]["version"]["source"];
    assert_eq!(source, "detected");

    fs::remove_file(desk.at("nginx/snippets/certificate.conf")).unwrap();
    let run = desk.run(&play, &[]);
    run.changed(0);
    assert_eq!(result(&desk)["complete"], false);
    assert!(run.said.contains("certificate.conf"), "{}", run.said);
}

#[test]
fn mistakes_are_said() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    let root = desk.text("nginx/nginx.conf");
    for (options, said) in [
        ("policy: none".to_owned(), "value of policy must be one of"),
        (
            format!("path: {root}\nrule: no-such"),
            "no rule is called no-such",
        ),
        (
            format!("path: {root}\nserver_version: nginx"),
            "server_version: `nginx` is not",
        ),
        (format!("path: {}", desk.text("nowhere")), "nowhere"),
    ] {
        let run = desk.run(&task(&desk, "resumption", &options), &[]);
        assert_eq!(run.code, 2, "{}", run.said);
        assert!(run.said.contains(said), "{said}\n{}", run.said);
    }
    let play =
        desk.play("tasks:\n  - stekguard.tls.resumption_info:\n      executable: no-such-program");
    let run = desk.run(&play, &[]);
    assert!(
        run.said.contains("no-such-program is not on this host"),
        "{}",
        run.said
    );
    let play = desk.play("tasks:\n  - stekguard.tls.resumption_info:\n      executable: /bin/true");
    let run = desk.run(&play, &[]);
    assert!(
        run.said.contains("/bin/true gave no answer"),
        "{}",
        run.said
    );
}
