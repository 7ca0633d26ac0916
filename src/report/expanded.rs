//! `inspect --expanded`: every directive in force, one a line, and the same as a document.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::json::{self, Gap, VersionSaid};
use super::summary::count;
use super::{Paint, Problem, escape};
use crate::catalog::Server;
use crate::model::Platform;

/// One configuration with what is in force in it.
#[derive(Clone, Debug)]
pub struct ExpandedServer<'a> {
    /// Whose.
    pub server: Server,
    /// The root file.
    pub root: &'a Path,
    /// The version that it is expanded for.
    pub platform: &'a Platform,
    /// What was not read, resolved or parsed.
    pub problems: &'a [Problem],
    /// Missing files that were allowed or that a stub stands for.
    pub assumed: &'a [PathBuf],
    /// How many files were read.
    pub files: usize,
    /// In the server's order.
    pub statements: Vec<Statement<'a>>,
}

/// A directive in force.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// The file. A macro's line stands where the macro is defined.
    pub path: &'a Path,
    /// The line that the server itself names: httpd's is the last of continued ones.
    pub line: u32,
    /// The line in which it begins.
    pub begins: u32,
    /// How many blocks are around it.
    pub depth: usize,
    /// As written, without quotes.
    pub name: Cow<'a, str>,
    /// As the server takes them: without quotes, variables replaced.
    pub arguments: Vec<Cow<'a, str>>,
    /// A block or section.
    pub block: bool,
    /// httpd carries it out while it reads and does not keep it.
    pub on_read: bool,
    /// Undecided conditions, as written.
    pub when: Vec<String>,
    /// Includes and macro uses that led to it, outermost first, as `path:line`.
    pub via: Vec<String>,
}

/// A line for each directive: place, nesting, directive, conditions.
pub fn text(servers: &[ExpandedServer<'_>], paint: Paint) -> String {
    let mut out = String::new();
    for (index, server) in servers.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        section(&mut out, server, paint);
    }
    out
}

fn section(out: &mut String, server: &ExpandedServer<'_>, paint: Paint) {
    out.push_str(&format!(
        "{}\n{} {}, {} in {}\n",
        paint.bold(&escape::path(server.root)),
        json::kind(server.server),
        server.platform.server.value,
        count(server.statements.len(), "directive"),
        count(server.files, "file"),
    ));
    if !server.problems.is_empty() {
        let line = format!("not complete: {}", count(server.problems.len(), "problem"));
        out.push_str(&format!("{}\n", paint.bad(&line)));
    }
    out.push('\n');
    for statement in &server.statements {
        let place = format!("{}:{}", escape::path(statement.path), statement.line);
        out.push_str(&paint.dim(&place));
        out.push_str(&"    ".repeat(statement.depth));
        out.push_str("  ");
        out.push_str(&statement.written(server.server));
        if !statement.when.is_empty() {
            let when = escape::line(&statement.when.join(", "));
            out.push_str(&paint.doubtful(&format!("  # where {when}")));
        }
        out.push('\n');
    }
}

impl Statement<'_> {
    /// In the server's own language, without a block's body.
    fn written(&self, server: Server) -> String {
        let quoted = |word: &Cow<'_, str>| match server {
            Server::Nginx => quote(word, &[';', '{', '}', '#']),
            Server::Apache => quote(word, &[]),
        };
        let words: Vec<String> = self.arguments.iter().map(quoted).collect();
        let text = [&*self.name]
            .into_iter()
            .chain(words.iter().map(String::as_str));
        let text = text.collect::<Vec<_>>().join(" ");
        let text = match (server, self.block) {
            (Server::Nginx, true) => format!("{text} {{"),
            (Server::Nginx, false) => format!("{text};"),
            (Server::Apache, true) => format!("<{text}>"),
            (Server::Apache, false) => text,
        };
        escape::line(&text)
    }
}

fn quote(word: &str, special: &[char]) -> String {
    let needs = |c: char| c.is_whitespace() || matches!(c, '"' | '\'') || special.contains(&c);
    if !word.is_empty() && !word.contains(needs) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `stekguard-expanded/1`. `problems` are those that belong to no server.
pub fn json(servers: &[ExpandedServer<'_>], problems: &[Problem]) -> String {
    let document = Document {
        schema: "stekguard-expanded/1",
        complete: problems.is_empty() && servers.iter().all(|it| it.problems.is_empty()),
        incomplete: problems.iter().map(Gap::new).collect(),
        servers: servers.iter().map(ServerSaid::new).collect(),
    };
    json::print(&document)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    servers: Vec<ServerSaid<'a>>,
}

#[derive(Serialize)]
struct ServerSaid<'a> {
    kind: &'static str,
    root: Cow<'a, str>,
    version: VersionSaid,
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    assumed: Vec<Cow<'a, str>>,
    directives: Vec<StatementSaid<'a>>,
}

impl<'a> ServerSaid<'a> {
    fn new(server: &'a ExpandedServer<'a>) -> Self {
        Self {
            kind: json::kind(server.server),
            root: server.root.to_string_lossy(),
            version: VersionSaid::server(server.platform),
            complete: server.problems.is_empty(),
            incomplete: server.problems.iter().map(Gap::new).collect(),
            assumed: server
                .assumed
                .iter()
                .map(|it| it.to_string_lossy())
                .collect(),
            directives: server.statements.iter().map(StatementSaid::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct StatementSaid<'a> {
    path: Cow<'a, str>,
    line: u32,
    begins: u32,
    depth: usize,
    name: &'a str,
    arguments: &'a [Cow<'a, str>],
    block: bool,
    on_read: bool,
    when: &'a [String],
    via: &'a [String],
}

impl<'a> StatementSaid<'a> {
    fn new(of: &'a Statement<'a>) -> Self {
        Self {
            path: of.path.to_string_lossy(),
            line: of.line,
            begins: of.begins,
            depth: of.depth,
            name: &of.name,
            arguments: &of.arguments,
            block: of.block,
            on_read: of.on_read,
            when: &of.when,
            via: &of.via,
        }
    }
}
