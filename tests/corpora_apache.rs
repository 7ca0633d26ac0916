//! Real httpd files that nobody here wrote: they print back byte for byte, and mod_macro's
//! own tests give what their recorded output says.
//!
//! `STEKGUARD_CORPORA` names the folder that holds `apache/`; without it the tests say so.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
#[path = "httpd_tree/macros.rs"]
mod macros;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use macros::{Recorded, plain, recorded};
use stekguard::catalog::Server;
use stekguard::source::{DirectiveId, FileId, LoadOptions, Memory, Project, Root, load};
use stekguard::syntax::apache::{lines, parse};
use stekguard::text::Span;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("STEKGUARD_CORPORA");
    if root.is_none() {
        println!("STEKGUARD_CORPORA is unset: no file of the corpora was read");
    }
    root.map(|root| PathBuf::from(root).join("apache"))
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name();
    let entries = walk.into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect()
}

#[test]
fn every_file_prints_back() {
    let Some(root) = corpora() else {
        return;
    };
    let (mut files, mut bytes, mut nodes, mut errors, mut fatal) = (0, 0, 0, 0, 0);
    for path in files_below(&root) {
        let text = std::fs::read(&path).unwrap();
        let tree = parse(&text);
        assert_eq!(tree.print(&text), text, "{}", path.display());
        files += 1;
        bytes += text.len();
        nodes += tree.nodes.len();
        errors += tree.errors.len();
        fatal += usize::from(tree.errors.iter().any(|error| error.fatal));
    }
    assert!(files >= 150, "only {files} files below {}", root.display());
    println!(
        "httpd corpora: {files} files, {bytes} bytes print back; {nodes} nodes, \
         {errors} errors, {fatal} files with a fatal one"
    );
}

/// The line that httpd reports for a statement: the last one of its first logical line.
fn reported(project: &Project, file: FileId, span: Span) -> u32 {
    let text = &project.file(file).text;
    let own = lines(text).find(|line| line.span.end > span.start);
    own.map_or(0, |line| line.number)
}

fn ids(project: &Project) -> impl Iterator<Item = DirectiveId> + use<> {
    (0..project.directives.len() as u32).map(DirectiveId)
}

#[test]
fn macros_do_what_mod_macros_tests_record() {
    let Some(root) = corpora() else {
        return;
    };
    let folder = root.join("mod_macro/conf");
    let texts: Vec<(PathBuf, Vec<u8>)> = files_below(&folder)
        .into_iter()
        .map(|path| {
            (
                Path::new("./conf").join(path.file_name().unwrap()),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    let memory = Memory::new(texts.iter().map(|(path, text)| (path, text)));
    let (mut files, mut said, mut refused, mut misplaced) = (0, 0, 0, 0);
    let mut failures = Vec::new();
    for path in files_below(&root.join("mod_macro/ref")) {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected = recorded(&std::fs::read_to_string(&path).unwrap());
        let mut server = Root::new(Server::Apache, format!("./conf/{stem}.conf"));
        server.base = Some(PathBuf::new());
        server.environment = BTreeMap::from([("PWD".to_owned(), b"./conf".to_vec())]);
        let options = LoadOptions {
            defines_known: true,
            modules: Some(vec!["mod_macro.c".to_owned()]),
            ..LoadOptions::default()
        };
        let project = load(&server, &memory, &options);
        files += 1;
        for event in &expected {
            match event {
                Recorded::Said(..) => said += 1,
                Recorded::Refused(..) => refused += 1,
                Recorded::Misplaced => misplaced += 1,
            }
        }
        if let Err(why) = compare(&project, &expected) {
            failures.push(format!("{stem}: {why}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {files}\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        files == 69 && said > 100 && refused > 15,
        "{files} {said} {refused}"
    );
    println!(
        "mod_macro: {files} recorded outputs hold: {said} lines said, {refused} refused while \
         reading, {misplaced} refused for their place"
    );
}

fn compare(project: &Project, expected: &[Recorded]) -> Result<(), String> {
    if let Some(Recorded::Refused(line, message)) = expected.last() {
        let problem = project.problems.iter().find(|problem| problem.refused);
        let Some(problem) = problem else {
            return Err(format!("nothing refused, but: {message}"));
        };
        // In a macro httpd counts the body's lines; we say that behind the message.
        let said = problem
            .message
            .split(" (line ")
            .next()
            .unwrap()
            .to_lowercase();
        let message = message.replace("\\n\\t", "");
        let same = plain(&message.to_lowercase()).contains(&plain(&said));
        let counted = format!("(line {line} of macro");
        let placed = problem.line == *line || problem.message.contains(&counted);
        return match same && placed {
            true => Ok(()),
            false => Err(format!("line {line}: {message}\n    {problem:?}")),
        };
    }
    let misplaced = matches!(expected.last(), Some(Recorded::Misplaced));
    if let Some(problem) = project.problems.iter().find(|problem| problem.refused)
        && !misplaced
    {
        return Err(format!("refused: {problem:?}"));
    }
    let mut ours = ids(project).filter(|id| {
        let name = project.name(*id).to_ascii_lowercase();
        name == b"warning" || name == b"error"
    });
    for event in expected {
        let Recorded::Said(text, line, place) = event else {
            return Ok(());
        };
        let id = ours.next().ok_or_else(|| format!("missing: {text}"))?;
        let words: Vec<_> = project.arguments(id).map(String::from_utf8_lossy).collect();
        if plain(&words.concat()) != plain(text) {
            return Err(format!("{text:?} is here {words:?}"));
        }
        placed(project, id, *line, place).map_err(|why| format!("{text}: {why}"))?;
    }
    match ours.next().map(|id| project.name(id).to_ascii_lowercase()) {
        // Behind an Error, httpd carries nothing out.
        Some(_) if expected.is_empty() => Err("httpd said nothing".to_owned()),
        _ => Ok(()),
    }
}

/// A directive stands in the file and line that httpd names, or was put in by the outermost
/// Use that it names.
fn placed(project: &Project, id: DirectiveId, line: u32, place: &str) -> Result<(), String> {
    let clean = |path: &str| path.trim_start_matches("./").to_owned();
    let directive = project.directive(id);
    if !place.starts_with("macro") {
        let file = project.file(directive.file).path.display().to_string();
        let ours = (
            clean(&file),
            reported(project, directive.file, directive.span),
        );
        return match ours == (clean(place), line) {
            true => Ok(()),
            false => Err(format!("{place}:{line} is here {ours:?}")),
        };
    }
    let used = regex::Regex::new(r#"used on line ([0-9]+) of "(\./conf/[^"]+)""#).unwrap();
    let used = used.captures_iter(place).last().unwrap();
    let wanted = (clean(&used[2]), used[1].parse::<u32>().unwrap());
    let mut next = Some(directive.via);
    let mut chain = Vec::new();
    while let Some(via) = next.filter(|via| via.0 != 0) {
        let step = &project.vias[via.0 as usize];
        let file = project.file(step.file).path.display().to_string();
        chain.push((clean(&file), reported(project, step.file, step.span)));
        next = step.parent;
    }
    match chain.contains(&wanted) {
        true => Ok(()),
        false => Err(format!("{wanted:?} is not among {chain:?}")),
    }
}
