//! Ansible's own checks of the collection, the install role, and the plays of the guide.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::playbook::{Desk, collection, finish, project, stekguard};
use crate::support::install::cache;

/// A copy of the installed collection at the path that ansible-test asks for.
fn copy_of_collection(desk: &Desk) -> std::path::PathBuf {
    let place = desk.at("all/ansible_collections/stekguard/tls");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let mut command = Command::new("cp");
    command.arg("-r").arg(collection()).arg(&place);
    assert_eq!(finish(command).code, 0);
    place
}

#[test]
fn ansible_lint_is_content_with_the_profile_production() {
    let desk = Desk::new();
    let place = copy_of_collection(&desk);
    let mut command = desk.command("ansible-lint");
    command.args(["--profile", "production", "--offline", "--nocolor"]);
    command.current_dir(&place);
    let run = finish(command);
    assert_eq!(run.code, 0, "{}", run.said);
    let line = "Profile 'production' was required, and it passed.";
    assert!(run.said.contains(line), "{}", run.said);
    println!("{}", run.said.trim());
}

/// The environments that ansible-test makes for its tools lie in the cache, so that they are made
/// once.
#[test]
fn ansible_test_sanity_passes() {
    let desk = Desk::new();
    let place = copy_of_collection(&desk);
    let version = python_version(&desk);
    let mut command = desk.command("ansible-test");
    command.args(["sanity", "--requirements", "--color", "no"]);
    command.args(["--python", &version]);
    command
        .env("HOME", cache().join("ansible-home"))
        .current_dir(&place);
    let run = finish(command);
    assert_eq!(run.code, 0, "{}", run.said);
    let ran: Vec<&str> = run
        .said
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Running sanity test \"")?
                .split('"')
                .next()
        })
        .collect();
    println!("{} sanity tests: {}", ran.len(), ran.join(" "));
    for name in [
        "ansible-doc",
        "import",
        "pep8",
        "pylint",
        "validate-modules",
        "yamllint",
    ] {
        assert!(ran.contains(&name), "{name} did not run:\n{}", run.said);
    }
}

fn python_version(desk: &Desk) -> String {
    let mut command = desk.command("python");
    command.args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    finish(command).said.trim().to_owned()
}

#[test]
fn the_changelog_is_as_antsibull_has_it() {
    let desk = Desk::new();
    let place = copy_of_collection(&desk);
    let mut command = desk.command("antsibull-changelog");
    command.arg("lint-changelog-yaml");
    command.arg(place.join("changelogs/changelog.yaml"));
    let run = finish(command);
    assert_eq!((run.code, run.said.trim()), (0, ""), "{}", run.said);
}

#[test]
fn the_versions_agree() {
    let version = format!("version: {}", env!("CARGO_PKG_VERSION"));
    let galaxy = fs::read_to_string(project("ansible/galaxy.yml")).unwrap();
    assert!(galaxy.lines().any(|line| line == version), "{galaxy}");
    let changes = fs::read_to_string(project("ansible/changelogs/changelog.yaml")).unwrap();
    let release = format!("  {}:", env!("CARGO_PKG_VERSION"));
    assert!(changes.lines().any(|line| line == release), "{changes}");
}

#[test]
fn the_role_install_puts_the_program_in_its_place_once() {
    let desk = Desk::new();
    fs::create_dir(desk.at("bin")).unwrap();
    let play = desk.play(&format!(
        "roles:\n  - role: stekguard.tls.install\n    install_source: {}\n    install_path: {}\n",
        stekguard(),
        desk.text("bin/stekguard")
    ));
    desk.run(&play, &["--check"]).changed(1);
    assert!(!desk.at("bin/stekguard").exists());
    desk.run(&play, &[]).changed(1);
    let run = finish(version_of(&desk.at("bin/stekguard")));
    let line = format!("stekguard {}", env!("CARGO_PKG_VERSION"));
    assert_eq!((run.code, run.said.trim()), (0, &*line));
    desk.run(&play, &[]).changed(0);

    // A role says which of its variables is wrong.
    let play = desk.play("roles:\n  - role: stekguard.tls.install\n");
    let run = desk.run(&play, &[]);
    assert_eq!(run.code, 2);
    assert!(run.said.contains("install_source"), "{}", run.said);
}

fn version_of(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--version");
    command
}

/// Every `yaml` block of the guide that is a play is one for Ansible too.
#[test]
fn the_plays_of_the_guide_are_plays() {
    let desk = Desk::new();
    let guide = fs::read_to_string(project("docs/guides/ansible.md")).unwrap();
    let mut plays = 0;
    for block in guide.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        if !text.contains("hosts:") {
            continue;
        }
        fs::write(desk.at("play.yml"), text).unwrap();
        let run = desk.run(&desk.at("play.yml"), &["--syntax-check"]);
        assert_eq!(run.code, 0, "{text}\n{}", run.said);
        plays += 1;
    }
    println!("{plays} plays of the guide");
    assert!(plays >= 2);
}
