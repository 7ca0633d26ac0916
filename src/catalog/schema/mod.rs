//! What grammars/ may say: reads the TOML, refuses bad rows with file and row named. Compiled
//! into build.rs and into the catalog's test, not into the library; knows tables, not servers.

pub mod check;
mod common;
pub mod emit;
pub mod rows;

use super::names::Server;
use super::version::Version;
use check::{Problems, checked};
use rows::{
    AdvisoryRow, BehaviourRow, CommandRow, DirectiveRow, FactRow, FileRows, ForkRow, ModuleRow,
};
use std::fs;
use std::path::Path;

/// A file of grammars/: its path below grammars/ with `/`, and its text.
pub type File = (String, String);

/// Everything that was read, checked and sorted.
#[derive(Debug)]
pub struct Tables {
    pub nginx: ServerTables,
    pub apache: ServerTables,
    pub advisories: Vec<AdvisoryRow>,
    pub commands: Vec<CommandRow>,
    pub facts: Vec<FactRow>,
    pub forks: Vec<ForkRow>,
    pub stubs: Vec<StubText>,
}

/// One server's share.
#[derive(Debug)]
pub struct ServerTables {
    pub oldest: Version,
    pub newest: Version,
    pub directives: Vec<DirectiveRow>,
    pub behaviours: Vec<BehaviourRow>,
    pub modules: Vec<ModuleRow>,
}

/// A stub with the text of its file.
#[derive(Debug)]
pub struct StubText {
    pub server: Server,
    pub suffix: String,
    pub text: String,
    pub source: String,
}

impl Tables {
    pub fn of(&self, server: Server) -> &ServerTables {
        match server {
            Server::Nginx => &self.nginx,
            Server::Apache => &self.apache,
        }
    }
}

/// Reads every file below `root`, sorted by path.
pub fn read(root: &Path) -> Result<Vec<File>, Vec<String>> {
    let mut files = Vec::new();
    collect(root, "", &mut files).map_err(|error| vec![error])?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("{}: the name is not UTF-8", path.display()));
        };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
            continue;
        }
        let text = fs::read_to_string(&path);
        files.push((
            name,
            text.map_err(|error| format!("{}: {error}", path.display()))?,
        ));
    }
    Ok(())
}

/// Parses and checks all files; on failure every problem found, one sentence each.
pub fn load(files: &[File]) -> Result<Tables, Vec<String>> {
    let mut problems = Problems::default();
    let mut parsed = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".toml")) {
        match toml::from_str::<FileRows>(text) {
            Ok(rows) => parsed.push((path.as_str(), rows)),
            Err(error) => problems.file(path, error.to_string().trim()),
        }
    }
    let tables = checked(parsed, files, &mut problems);
    match tables {
        Some(tables) if problems.list.is_empty() => Ok(tables),
        _ => Err(problems.list),
    }
}
