//! pre-commit and the GitHub action, each on a repository of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::workshop::{command, copy, finish, tickets_on, tools};

/// git in a folder, without the user's settings.
fn git(dir: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=t", "-c", "user.email=t@t.test"])
        .args(arguments);
    finish(&mut git).ok()
}

fn repository(dir: &Path) {
    git(dir, &["init", "-q", "-b", "main"]);
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "A commit"]);
}

#[test]
fn pre_commit_lints_and_repairs() {
    // The hooks come out of a repository, as they would from the project's address.
    let tool = TempDir::new().unwrap();
    let mut cp = Command::new("cp");
    finish(cp.arg("-r").arg(copy().join(".")).arg(tool.path())).ok();
    repository(tool.path());
    let revision = git(tool.path(), &["rev-parse", "HEAD"]);

    let work = TempDir::new().unwrap();
    tickets_on(work.path());
    let hooks = |ids: &[&str]| {
        let mut text = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n",
            tool.path().display(),
            revision.trim()
        );
        for id in ids {
            text.push_str(&format!("      - id: {id}\n"));
        }
        fs::write(work.path().join(".pre-commit-config.yaml"), text).unwrap();
    };
    hooks(&["stekguard"]);
    repository(work.path());
    let home = TempDir::new().unwrap();
    let run = || {
        let mut run = command(tools("packaging").join("pre-commit"));
        run.args(["run", "--all-files", "--color", "never"])
            .current_dir(work.path())
            .env("PRE_COMMIT_HOME", home.path())
            .env("STEKGUARD_STATE_DIR", home.path().join("state"));
        finish(&mut run)
    };
    let found = run();
    assert_eq!(found.code, 1, "{}\n{}", found.out, found.err);
    assert!(
        found.out.contains("[tickets-without-rotation]"),
        "{}",
        found.out
    );

    hooks(&["stekguard-fix", "stekguard"]);
    git(work.path(), &["add", "-A"]);
    let repaired = run();
    assert_eq!(repaired.code, 1, "{}\n{}", repaired.out, repaired.err);
    assert!(
        repaired.out.contains("files were modified by this hook"),
        "{}",
        repaired.out
    );
    let text = fs::read_to_string(work.path().join("nginx.conf")).unwrap();
    assert!(text.contains("ssl_session_tickets off;"), "{text}");

    git(work.path(), &["add", "-A"]);
    let clean = run();
    assert_eq!(clean.code, 0, "{}\n{}", clean.out, clean.err);
    assert_eq!(clean.out.matches("Passed").count(), 2, "{}", clean.out);
}

/// The action's own scripts, run by bash as the runner does, with its environment.
#[test]
fn the_action_installs_and_lints() {
    let read = "import sys, json, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let mut python = Command::new(tools("packaging").join("python"));
    let text = finish(python.args(["-c", read]).arg(copy().join("action.yml"))).ok();
    let action: serde_json::Value = serde_json::from_str(&text).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let default = |name: &str| {
        action["inputs"][name]["default"]
            .as_str()
            .unwrap()
            .to_owned()
    };

    let runner = TempDir::new().unwrap();
    let work = TempDir::new().unwrap();
    tickets_on(work.path());
    let step = |number: usize, arguments: &str| {
        let script = steps[number]["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "an input in a script: {script}");
        let mut bash = command("bash");
        // The runner's own way to call bash.
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(work.path())
            .env("RUNNER_TEMP", runner.path())
            .env("GITHUB_ACTION_PATH", copy())
            .env("STEKGUARD_PATHS", default("paths"))
            .env("STEKGUARD_ARGUMENTS", arguments);
        finish(&mut bash)
    };
    step(0, "").ok();
    let found = step(1, &default("arguments"));
    assert_eq!(found.code, 1, "{}\n{}", found.out, found.err);
    assert!(
        found.out.contains("[tickets-without-rotation]"),
        "{}",
        found.out
    );
    let annotated = step(1, "--server-version nginx=1.28.3 --format github");
    assert_eq!(annotated.code, 1, "{}", annotated.err);
    assert!(annotated.out.starts_with("::warning "), "{}", annotated.out);
    assert_eq!(step(1, "--fail-on error").code, 0);
}
