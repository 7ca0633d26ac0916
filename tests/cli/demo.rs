//! The demo of the README: judged completely, and its patch applies.

use std::fs;

use crate::{project, run_in};

#[test]
fn the_demo_is_judged_completely_and_its_patch_applies() {
    let lint = run_in(&project("."), &["lint", "testdata/demo"]);
    assert_eq!(lint.code, 1, "{}", lint.err);
    for rule in [
        "tickets-without-rotation",
        "excessive-session-timeout",
        "malformed-session-timeout",
        "ignored-session-directive",
        "conf-command-overrides-tickets",
        "directive-not-in-version",
    ] {
        assert!(
            lint.out.contains(&format!("[{rule}]")),
            "the demo shows {rule}"
        );
    }
    assert!(!lint.err.contains("not complete"), "{}", lint.err);

    let copy = tempfile::TempDir::new().unwrap();
    let status = std::process::Command::new("cp")
        .arg("-r")
        .arg(project("testdata/demo"))
        .arg(copy.path().join("demo"))
        .status();
    assert!(status.unwrap().success());
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(arguments)
            .current_dir(copy.path())
            .output()
            .expect("git has to be installed")
    };
    assert!(git(&["init", "-q"]).status.success());
    let fix = run_in(copy.path(), &["fix", "demo"]);
    assert_eq!(fix.code, 1, "{}", fix.err);
    fs::write(copy.path().join("p.diff"), &fix.out).unwrap();
    let applied = git(&["apply", "p.diff"]);
    assert!(applied.status.success(), "{applied:?}\n{}", fix.out);
    let again = run_in(copy.path(), &["fix", "demo"]);
    assert_eq!(again.out, "", "a second fix has nothing to do");
}
