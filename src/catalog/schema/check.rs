//! Refuses what is not sound in grammars/. Every problem names its file and its row; all are
//! collected, so that one build shows them all.

use super::super::names::{Arity, Body, Build, Context, Decider, Duplicate, Inherit, Kind, Server};
use super::super::version::Version;
use super::rows::{
    BehaviourRow, DecisionRow, DirectiveRow, FileRows, ModuleRow, RangeOfVersions, RangeRow,
};
use super::{File, ServerTables, Tables, common};
use std::collections::BTreeMap;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Problems {
    pub list: Vec<String>,
}

impl Problems {
    /// A problem of a whole file.
    pub fn file(&mut self, path: &str, what: &str) {
        self.list.push(format!("grammars/{path}: {what}"));
    }

    pub fn row<'a>(&'a mut self, path: &'a str, table: &'static str, name: &'a str) -> Row<'a> {
        if name.is_empty() {
            self.file(path, &format!("{table} without a name"));
        }
        Row {
            problems: self,
            path,
            table,
            name,
        }
    }
}

/// The row that is being checked.
pub struct Row<'a> {
    problems: &'a mut Problems,
    path: &'a str,
    table: &'static str,
    name: &'a str,
}

impl Row<'_> {
    pub fn bad(&mut self, what: &str) {
        let text = format!("{} `{}`: {what}", self.table, self.name);
        self.problems.file(self.path, &text);
    }

    pub fn source(&mut self, source: &str) {
        let known = ["https://", "live: ", "read: "];
        if source.trim().is_empty() {
            self.bad("missing source");
        } else if !known.iter().any(|start| source.starts_with(start)) {
            self.bad("a source starts with `https://`, `live: ` or `read: `");
        }
    }

    pub fn text(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.bad(&format!("missing {field}"));
        }
    }

    pub fn version(&mut self, field: &str, text: Option<&str>) -> Option<Version> {
        let text = text?;
        let version = text.parse().ok();
        // Three numbers, so that a table reads the same everywhere.
        if version.is_none() || text.split('.').count() != 3 {
            self.bad(&format!("malformed version `{text}` in {field}"));
        }
        version
    }

    pub fn word<T>(&mut self, field: &str, word: &str, parsed: Option<T>) -> Option<T> {
        if parsed.is_none() {
            self.bad(&format!("unknown {field} `{word}`"));
        }
        parsed
    }

    pub fn ranges(&mut self, ranges: &[RangeOfVersions]) {
        let mut end = None;
        for (index, range) in ranges.iter().enumerate() {
            let from = self.version("from", range.from.as_deref());
            let before = self.version("before", range.before.as_deref());
            if from.is_some() && before.is_some() && from >= before {
                self.bad("`from` is not below `before`");
            }
            if index > 0 && (end.is_none() || from.is_none() || from < end) {
                self.bad("ranges overlap or are not sorted");
            }
            end = before;
        }
        if ranges.is_empty() {
            self.bad("no range of versions");
        }
    }

    pub fn deciders(&mut self, rows: &[DecisionRow]) {
        let mut last = None;
        for (index, row) in rows.iter().enumerate() {
            self.word("decider", &row.by, Decider::parse(&row.by));
            self.source(&row.source);
            let from = self.version("from", row.from.as_deref());
            if (index == 0) != from.is_none() {
                self.bad("the first decider, and only the first, has no `from`");
            }
            if index > 1 && from <= last {
                self.bad("deciders are not sorted by `from`");
            }
            last = from;
        }
    }
}

/// Checks all files together and sorts their rows into tables.
pub fn checked(
    parsed: Vec<(&str, FileRows)>,
    files: &[File],
    problems: &mut Problems,
) -> Option<Tables> {
    let mut shares: BTreeMap<&str, Vec<(&str, FileRows)>> = BTreeMap::new();
    for (path, rows) in parsed {
        let share = path.split_once('/').map_or("", |(folder, _)| folder);
        shares.entry(share).or_default().push((path, rows));
    }
    let nginx = server(Server::Nginx, shares.remove("nginx"), problems);
    let apache = server(Server::Apache, shares.remove("apache"), problems);
    let mut shared = FileRows::default();
    for (path, rows) in shares.into_values().flatten() {
        common::check(path, &rows, files, problems);
        shared.advisory.extend(rows.advisory);
        shared.command.extend(rows.command);
        shared.fact.extend(rows.fact);
        shared.fork.extend(rows.fork);
        shared.stub.extend(rows.stub);
    }
    Some(Tables {
        nginx: nginx?,
        apache: apache?,
        stubs: common::stub_texts(&shared.stub, files),
        advisories: shared.advisory,
        commands: shared.command,
        facts: shared.fact,
        forks: shared.fork,
    })
}

fn server(
    server: Server,
    share: Option<Vec<(&str, FileRows)>>,
    problems: &mut Problems,
) -> Option<ServerTables> {
    let mut range = None;
    let mut directives: Vec<(DirectiveRow, String)> = Vec::new();
    let mut behaviours: Vec<(BehaviourRow, String)> = Vec::new();
    let mut modules = Vec::new();
    for (path, rows) in share.unwrap_or_default() {
        sorted(
            path,
            "directive",
            problems,
            rows.directive.iter().map(|row| fold(server, row.key())),
        );
        sorted(
            path,
            "behaviour",
            problems,
            rows.behaviour.iter().map(|row| row.name.clone()),
        );
        if !(rows.advisory.is_empty() && rows.command.is_empty() && rows.stub.is_empty()) {
            problems.file(path, "holds rows that belong beside the servers' folders");
        }
        for row in &rows.directive {
            directive(server, path, row, problems);
        }
        for row in &rows.behaviour {
            behaviour(path, row, problems);
        }
        module_rows(server, path, &rows.module, problems);
        modules.extend(rows.module);
        if let Some(found) = rows.range {
            range = supported(path, &found, problems);
        }
        let place = |row| (row, path.to_owned());
        directives.extend(rows.directive.into_iter().map(place));
        behaviours.extend(rows.behaviour.into_iter().map(|row| (row, path.to_owned())));
    }
    directives.sort_by_key(|(row, _)| (fold(server, &row.name), row.key().to_owned()));
    behaviours.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    duplicates(server, &directives, &behaviours, problems);
    if range.is_none() {
        problems.file(server.word(), "no [range] of supported versions");
    }
    let (oldest, newest) = range?;
    Some(ServerTables {
        oldest,
        newest,
        directives: directives.into_iter().map(|(row, _)| row).collect(),
        behaviours: behaviours.into_iter().map(|(row, _)| row).collect(),
        modules,
    })
}

fn supported(path: &str, range: &RangeRow, problems: &mut Problems) -> Option<(Version, Version)> {
    let mut row = problems.row(path, "range", "range");
    row.source(&range.source);
    let oldest = row.version("oldest", Some(&range.oldest));
    let newest = row.version("newest", Some(&range.newest));
    if oldest >= newest {
        row.bad("`oldest` is not below `newest`");
    }
    Some((oldest?, newest?))
}

/// httpd compares names without case, nginx byte by byte.
pub fn fold(server: Server, name: &str) -> String {
    match server {
        Server::Nginx => name.to_owned(),
        Server::Apache => name.to_ascii_lowercase(),
    }
}

pub fn sorted(
    path: &str,
    table: &'static str,
    problems: &mut Problems,
    names: impl Iterator<Item = String>,
) {
    let mut last = String::new();
    for name in names {
        if name < last {
            let text = format!("not sorted: it stands behind `{last}`");
            problems.row(path, table, &name).bad(&text);
        }
        if name == last {
            problems.row(path, table, &name).bad("duplicate");
        }
        last = name;
    }
}

fn duplicates(
    server: Server,
    directives: &[(DirectiveRow, String)],
    behaviours: &[(BehaviourRow, String)],
    problems: &mut Problems,
) {
    for (index, (row, path)) in directives.iter().enumerate() {
        let earlier = directives.get(..index).unwrap_or_default();
        let same = |other: &&(DirectiveRow, String)| {
            fold(server, &other.0.name) == fold(server, &row.name)
        };
        for (other, place) in earlier.iter().filter(same) {
            let shared = row
                .contexts
                .iter()
                .find(|word| other.contexts.contains(word));
            // nginx gives one name different meanings by context; httpd never does.
            if shared.is_some() || other.key() == row.key() || server == Server::Apache {
                let text = format!("duplicate of a row in grammars/{place}");
                problems.row(path, "directive", row.key()).bad(&text);
            }
        }
    }
    for pair in behaviours.windows(2) {
        if let [(first, _), (second, path)] = pair
            && first.name == second.name
        {
            problems
                .row(path, "behaviour", &second.name)
                .bad("duplicate");
        }
    }
}

fn directive(server: Server, path: &str, row: &DirectiveRow, problems: &mut Problems) {
    let mut at = problems.row(path, "directive", row.key());
    at.text("name", &row.name);
    at.text("module", &row.module);
    at.source(&row.source);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !row.key().bytes().all(plain) {
        at.bad("a key holds letters, digits, `_`, `-` and `.` only");
    }
    if row.contexts.is_empty() {
        at.bad("no context");
    }
    for word in row.contexts.iter().chain(&row.opens) {
        if word == "any" {
            continue;
        }
        let known = Context::parse(word).filter(|context| context.server() == server);
        at.word("context", word, known);
    }
    at.word("args", &row.args, Arity::parse(&row.args));
    for word in &row.kinds {
        at.word("kind", word, Kind::parse(word));
    }
    if row.kinds.iter().any(|kind| kind == "enum") && row.values.is_empty() {
        at.bad("kind `enum` without values");
    }
    let inherit = row.inherit.as_deref().unwrap_or("none");
    at.word("inherit", inherit, Inherit::parse(inherit));
    let duplicate = row.duplicate.as_deref().unwrap_or("accumulate");
    at.word("duplicate", duplicate, Duplicate::parse(duplicate));
    body(server, row, &mut at);
    at.deciders(&row.deciders);
    let since = at.version("since", row.since.as_deref());
    let removed = at.version("removed", row.removed.as_deref());
    at.version("deprecated", row.deprecated.as_deref());
    if since.is_some() && removed.is_some() && since >= removed {
        at.bad("`since` is not below `removed`");
    }
}

fn body(server: Server, row: &DirectiveRow, at: &mut Row<'_>) {
    let word = row.body.as_deref().unwrap_or("none");
    let Some(body) = at.word("body", word, Body::parse(word)) else {
        return;
    };
    let fits = match body {
        Body::None => true,
        Body::Block | Body::Data | Body::Lua => server == Server::Nginx,
        Body::Section | Body::Conditional | Body::Macro => server == Server::Apache,
    };
    if !fits {
        at.bad(&format!("body `{word}` is not this server's"));
    }
    if body == Body::Block && row.opens.is_none() {
        at.bad("a block without `opens`");
    }
    if body == Body::None && row.opens.is_some() {
        at.bad("`opens` without a body");
    }
}

fn behaviour(path: &str, row: &BehaviourRow, problems: &mut Problems) {
    let mut at = problems.row(path, "behaviour", &row.name);
    at.text("summary", &row.summary);
    at.source(&row.source);
    at.ranges(&row.ranges);
}

/// Both names of a module are keys: no two modules share one.
fn module_rows(server: Server, path: &str, rows: &[ModuleRow], problems: &mut Problems) {
    if server != Server::Apache && !rows.is_empty() {
        problems.file(path, "modules are rows of httpd's folder");
    }
    let names = rows.iter().map(|row| row.name.clone());
    sorted(path, "module", problems, names);
    for (index, row) in rows.iter().enumerate() {
        let mut at = problems.row(path, "module", &row.name);
        at.source(&row.source);
        if !row.name.ends_with("_module") {
            at.bad("a module's name ends with `_module`");
        }
        if !row.file.ends_with(".c") {
            at.bad("a module's file ends with `.c`");
        }
        if row.so.as_ref().is_some_and(|so| !so.ends_with(".so")) {
            at.bad("what is loaded ends with `.so`");
        }
        for word in &row.built_in {
            at.word("build", word, Build::parse(word));
        }
        if row.so.is_none() && row.built_in.len() < Build::ALL.len() {
            at.bad("a module without `so` that some build does not have built in");
        }
        let earlier = rows.get(..index).unwrap_or_default();
        if earlier.iter().any(|other| other.file == row.file) {
            at.bad("another module has the same `file`");
        }
    }
}
