//! pre-commit and the GitHub action, each on a repository of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::workshop::{alone, command, copy, finish, tickets_on, tools};

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
    let building = alone();
    let found = run();
    drop(building);
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

/// A YAML document as JSON.
fn yaml(text: &str) -> serde_json::Value {
    let read = "import sys, json, yaml; print(json.dumps(yaml.load(sys.argv[1], yaml.BaseLoader)))";
    let mut python = Command::new(tools("packaging").join("python"));
    let json = finish(python.args(["-c", read, text])).ok();
    serde_json::from_str(&json).unwrap()
}

/// The fenced blocks of a guide in this language.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(copy().join("docs/guides").join(guide)).unwrap();
    let fence = format!("```{language}\n");
    let rest = text.split(&fence).skip(1);
    rest.map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// What the guide for pipelines says, as a runner would take it.
#[test]
fn the_set_ups_of_the_guide_work() {
    let work = TempDir::new().unwrap();
    fs::create_dir_all(work.path().join("deploy/nginx")).unwrap();
    tickets_on(&work.path().join("deploy/nginx"));
    let program = Path::new(env!("CARGO_BIN_EXE_stekguard"));
    let path = std::env::var("PATH").unwrap();
    let run = |line: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-c", line]).current_dir(work.path());
        bash.env(
            "PATH",
            format!("{}:{path}", program.parent().unwrap().display()),
        );
        finish(&mut bash)
    };
    let [github, gitlab, hooks] = &blocks("ci.md", "yaml")[..] else {
        panic!("three set-ups");
    };

    let github = yaml(github);
    let with = &github["jobs"]["lint"]["steps"][1]["with"];
    let inputs = yaml(&fs::read_to_string(copy().join("action.yml")).unwrap());
    for name in with.as_object().unwrap().keys() {
        assert!(inputs["inputs"].get(name).is_some(), "{name}");
    }
    let arguments = with["arguments"].as_str().unwrap();
    let paths = with["paths"].as_str().unwrap();
    let found = run(&format!("stekguard lint {arguments} -- {paths}"));
    assert_eq!(found.code, 1, "{}", found.err);
    assert!(found.out.starts_with("::warning "), "{}", found.out);

    let gitlab = yaml(gitlab);
    let script = gitlab["stekguard"]["script"][0].as_str().unwrap();
    assert_eq!(run(script).code, 1);
    let report = gitlab["stekguard"]["artifacts"]["reports"]["codequality"]
        .as_str()
        .unwrap();
    let report = fs::read(work.path().join(report)).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let name = report[0]["check_name"].as_str().unwrap();
    assert!(name.ends_with("tickets-without-rotation"), "{name}");

    let hook = &yaml(hooks)["repos"][0]["hooks"][0];
    let known = fs::read_to_string(copy().join(".pre-commit-hooks.yaml")).unwrap();
    let known = yaml(&known);
    let mut known = known.as_array().unwrap().iter();
    let entry = known
        .find(|it| it["id"] == hook["id"])
        .expect("a hook of this id");
    let arguments: Vec<&str> = hook["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let line = format!(
        "{} {}",
        entry["entry"].as_str().unwrap(),
        arguments.join(" ")
    );
    assert_eq!(run(&line).code, 1, "{line}");

    let mut lines = 0;
    for line in blocks("ci.md", "sh").iter().flat_map(|block| block.lines()) {
        assert_eq!(run(line).code, 1, "{line}");
        lines += 1;
    }
    assert_eq!(lines, 2);
    for report in ["stekguard.xml", "stekguard.sarif"] {
        assert!(work.path().join(report).is_file(), "{report}");
    }
}

/// The action's own scripts, run by bash as the runner does, with its environment.
#[test]
fn the_action_installs_and_lints() {
    let action = yaml(&fs::read_to_string(copy().join("action.yml")).unwrap());
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
    let building = alone();
    step(0, "").ok();
    drop(building);
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
