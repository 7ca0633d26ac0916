//! What the tests of the fix room share.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use stekguard::finding::{Applicability, Change, Fix, GoLive};
use stekguard::fix::{Options, PatchOptions, Plan, PlannedFile, Proposal, patch, plan};
use stekguard::source::Project;

pub fn fix_of(changes: Vec<Change>) -> Fix {
    Fix {
        title: "a change".into(),
        applicability: Applicability::Safe,
        changes,
        common: std::sync::Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    }
}

pub fn planned(project: &Project, fixes: &[(&'static str, Fix)], options: Options) -> Plan {
    let proposals: Vec<Proposal<'_>> = fixes
        .iter()
        .map(|(rule, fix)| Proposal {
            rule,
            reason: "it is so".into(),
            fix,
        })
        .collect();
    plan(project, &proposals, &options)
}

pub fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\n", "\\n\n")
}

pub fn run(dir: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(text)
    }
}

pub fn applies(name: &str, planned: &[PlannedFile], dir: &Path) {
    let root = fs::canonicalize(dir).unwrap();
    let bytes = patch(
        planned,
        PatchOptions {
            root: Some(&root),
            terminal: false,
            colour: false,
        },
    );
    for (program, arguments) in [
        ("git", &["apply", "--whitespace=nowarn", "-"][..]),
        ("patch", &["-p1", "--binary", "--fuzz=0", "-s"][..]),
    ] {
        let copy = tempfile::tempdir().unwrap();
        for file in planned {
            let real = file.real.as_ref().unwrap();
            let place = copy.path().join(real.strip_prefix(&root).unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, &file.before).unwrap();
        }
        run(copy.path(), program, arguments, &bytes)
            .unwrap_or_else(|error| panic!("{name}: {program}: {error}\n{}", show(&bytes)));
        for file in planned {
            let place = copy
                .path()
                .join(file.real.as_ref().unwrap().strip_prefix(&root).unwrap());
            assert_eq!(
                show(&fs::read(place).unwrap()),
                show(&file.after),
                "{name}: {program}"
            );
        }
    }
}
