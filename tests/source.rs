//! The source room: what is read, in which order, and what is said where it cannot be.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "source/bad_input.rs"]
mod bad_input;
#[path = "source/discovery.rs"]
mod discovery;
#[path = "source/includes.rs"]
mod includes;
#[path = "source/server.rs"]
mod server;

use std::path::Path;

use stekguard::catalog::Server;
use stekguard::source::{
    DirectiveId, FileSystem, LoadOptions, Memory, ProblemKind, Project, Root, load,
};

/// Files in memory, as pairs of path and text.
fn tree(files: &[(&str, &str)]) -> Memory {
    Memory::new(files.iter().copied())
}

/// Loads `/etc/nginx/nginx.conf`.
fn nginx(files: &dyn FileSystem) -> Project {
    nginx_with(files, &LoadOptions::default())
}

fn nginx_with(files: &dyn FileSystem, options: &LoadOptions) -> Project {
    load(
        &Root::new(Server::Nginx, "/etc/nginx/nginx.conf"),
        files,
        options,
    )
}

/// The expanded tree on one line: `http{ server{ listen 443 } }`.
fn shown(project: &Project) -> String {
    fn below(project: &Project, parent: Option<DirectiveId>, out: &mut Vec<String>) {
        for id in project.children(parent) {
            let mut words = vec![String::from_utf8_lossy(project.name(id)).into_owned()];
            words.extend(
                project
                    .arguments(id)
                    .map(|word| String::from_utf8_lossy(word).into_owned()),
            );
            let is_block = project.directive(id).body.is_some();
            out.push(format!(
                "{}{}",
                words.join(" "),
                if is_block { "{" } else { "" }
            ));
            below(project, Some(id), out);
            if is_block {
                out.push("}".to_owned());
            }
        }
    }
    let mut out = Vec::new();
    below(project, None, &mut out);
    out.join(" ")
}

/// The problems on one line each: kind, file name, line, whether the server refuses.
fn problems(project: &Project) -> Vec<(ProblemKind, String, u32, bool)> {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let problems = project.problems.iter();
    problems
        .map(|it| (it.kind, name(&it.path), it.line, it.refused))
        .collect()
}
