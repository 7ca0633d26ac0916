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
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::finding::{Applicability, Change, Fix, GoLive};
use stekguard::fix::{Options, PatchOptions, Plan, PlannedFile, Proposal, patch, plan};
use stekguard::source::{self, Directive, FileId, FileOrigin, Project, Text, Via, ViaId, WhenId};
use stekguard::syntax::{NodeId, NodeKind, apache};
use stekguard::text::{LineIndex, Span};

pub fn fix_of(changes: Vec<Change>) -> Fix {
    Fix {
        title: "a change".into(),
        applicability: Applicability::Safe,
        changes,
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
    plan(project, &proposals, options)
}

/// One project of files that hold no conditions, variables or includes to follow; each file
/// but the first counts as included by the first one's `Include`.
pub fn apache_project(paths: &[&Path]) -> Project {
    let mut project = Project {
        server: Server::Apache,
        root: paths[0].to_path_buf(),
        files: Vec::new(),
        directives: Vec::new(),
        arguments: Vec::new(),
        vias: vec![Via {
            parent: None,
            file: FileId(0),
            span: Span::at(0),
        }],
        atoms: Vec::new(),
        whens: vec![Default::default()],
        problems: Vec::new(),
        assumed: Vec::new(),
    };
    for (index, path) in paths.iter().enumerate() {
        let text: Arc<[u8]> = fs::read(path).unwrap().into();
        let tree = apache::parse(&text);
        let base = project.directives.len() as u32;
        if index > 0 {
            let include = project.directives.iter().find(|d| {
                d.name
                    .span
                    .of(&project.files[0].text)
                    .starts_with(b"Include")
            });
            let span = include.unwrap().span;
            project.vias.push(Via {
                parent: Some(ViaId(0)),
                file: FileId(0),
                span,
            });
        }
        for (at, node) in tree.nodes.iter().enumerate() {
            if node.kind == NodeKind::StrayClose {
                continue;
            }
            let logical = apache::logical(&text, &tree, NodeId(at as u32));
            let start = project.arguments.len() as u32;
            for word in apache::words(&logical.args) {
                let value = Some(word.value.clone().into_owned().into_boxed_slice());
                project.arguments.push(Text {
                    span: logical.span(word.range),
                    value,
                });
            }
            project.directives.push(Directive {
                spec: None,
                name: Text {
                    span: logical.name_span,
                    value: Some(logical.name.clone().into_owned().into_boxed_slice()),
                },
                arguments: start..project.arguments.len() as u32,
                file: FileId(index as u32),
                span: node.span,
                body: node.body,
                parent: node.parent.map(|id| source::DirectiveId(base + id.0)),
                end: base + node.end,
                via: ViaId(index as u32),
                when: WhenId(0),
            });
        }
        project.files.push(source::File {
            path: Arc::from(*path),
            real: Some(fs::canonicalize(path).unwrap()),
            origin: FileOrigin::Disk,
            lines: LineIndex::new(&text),
            text,
            tree,
        });
    }
    project
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
