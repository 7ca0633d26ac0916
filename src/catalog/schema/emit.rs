//! Writes checked tables as Rust source. What is not sound never comes here, so a word that
//! does not parse is left out rather than reported twice.

use super::super::names::{
    Arity, Body, Build, Context, Decider, Duplicate, Inherit, Kind, Server, Severity,
};
use super::super::version::Version;
use super::rows::{BehaviourRow, DecisionRow, DirectiveRow, ModuleRow, RangeOfVersions};
use super::{ServerTables, Tables};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// The whole generated file.
pub fn code(tables: &Tables) -> String {
    let mut out = String::new();
    for server in [Server::Nginx, Server::Apache] {
        server_tables(&mut out, server, tables);
    }
    constants(&mut out, tables);
    advisories(&mut out, tables);
    library(&mut out, tables);
    forks(&mut out, tables);
    stubs(&mut out, tables);
    out
}

fn server_tables(out: &mut String, server: Server, tables: &Tables) {
    let share = tables.of(server);
    let name = server.word().to_uppercase();
    let rows = share.directives.iter().enumerate();
    let rows = rows.map(|(id, row)| directive(server, id, row));
    table(out, &name, "Directive", rows);
    let rows = share.behaviours.iter().map(|row| behaviour(server, row));
    table(out, &format!("{name}_BEHAVIOURS"), "Behaviour", rows);
    if server == Server::Apache {
        table(
            out,
            "MODULES",
            "Module",
            share.modules.iter().map(module_row),
        );
    }
    let rows = boundaries(server, tables).into_iter();
    table(
        out,
        &format!("{name}_BOUNDARIES"),
        "Version",
        rows.map(|row| version(Some(row))),
    );
    for (end, value) in [("OLDEST", share.oldest), ("NEWEST", share.newest)] {
        let value = version(Some(value));
        out.push_str(&format!(
            "pub(super) const {name}_{end}: Version = {value};\n"
        ));
    }
}

fn module_row(row: &ModuleRow) -> String {
    let builds: Vec<Build> = row
        .built_in
        .iter()
        .filter_map(|word| Build::parse(word))
        .collect();
    format!(
        "Module {{ name: {:?}, file: {:?}, so: {:?}, built_in: {}, source: {:?} }}",
        row.name,
        row.file,
        row.so,
        words("Build", &builds),
        row.source,
    )
}

fn table(out: &mut String, name: &str, kind: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    let count = rows.len();
    out.push_str(&format!(
        "pub(super) static {name}: [{kind}; {count}] = [\n"
    ));
    for row in rows {
        out.push_str(&format!("    {row},\n"));
    }
    out.push_str("];\n");
}

fn directive(server: Server, id: usize, row: &DirectiveRow) -> String {
    let inherit = row.inherit.as_deref().and_then(Inherit::parse);
    let duplicate = row.duplicate.as_deref().and_then(Duplicate::parse);
    let body = row.body.as_deref().and_then(Body::parse);
    let opens = row.opens.as_deref().and_then(Context::parse);
    let kinds: Vec<Kind> = row
        .kinds
        .iter()
        .filter_map(|word| Kind::parse(word))
        .collect();
    let (key, name, module) = (row.key(), &row.name, &row.module);
    format!(
        "Directive {{ id: {id}, key: {key:?}, name: {name:?}, server: Server::{server:?}, \
         contexts: {}, arity: {}, kinds: {}, values: &{:?}, default: {:?}, since: {}, \
         removed: {}, deprecated: {}, module: {module:?}, inherit: Inherit::{:?}, \
         duplicate: Duplicate::{:?}, deciders: {}, exec_on_read: {}, body: Body::{:?}, \
         opens: {}, source: {:?} }}",
        words("Context", &contexts(server, &row.contexts)),
        Arity::parse(&row.args).map_or_else(String::new, |arity| format!("Arity::{arity:?}")),
        words("Kind", &kinds),
        row.values,
        row.default,
        parsed(row.since.as_deref()),
        parsed(row.removed.as_deref()),
        parsed(row.deprecated.as_deref()),
        inherit.unwrap_or(Inherit::None),
        duplicate.unwrap_or(Duplicate::Accumulate),
        decisions(&row.deciders),
        row.exec_on_read,
        body.unwrap_or(Body::None),
        opens.map_or_else(
            || "None".to_owned(),
            |word| format!("Some(Context::{word:?})")
        ),
        row.source,
    )
}

fn contexts(server: Server, words: &[String]) -> Vec<Context> {
    let all = || Context::ALL.iter().copied();
    if words.iter().any(|word| word == "any") {
        return all().filter(|context| context.server() == server).collect();
    }
    words
        .iter()
        .filter_map(|word| Context::parse(word))
        .collect()
}

fn words<T: Debug>(kind: &str, values: &[T]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("{kind}::{value:?}"))
        .collect();
    format!("&[{}]", values.join(", "))
}

fn decisions(rows: &[DecisionRow]) -> String {
    let next = rows.iter().skip(1).map(|row| row.from.clone());
    let ends = next.chain([None]);
    let rows = rows.iter().zip(ends).map(|(row, end)| {
        let range = range(&RangeOfVersions {
            from: row.from.clone(),
            before: end,
        });
        let decider = Decider::parse(&row.by).unwrap_or(Decider::None);
        let source = &row.source;
        format!("Decision {{ range: {range}, decider: Decider::{decider:?}, source: {source:?} }}")
    });
    format!("&[{}]", rows.collect::<Vec<_>>().join(", "))
}

fn behaviour(server: Server, row: &BehaviourRow) -> String {
    format!(
        "Behaviour {{ name: {:?}, server: Server::{server:?}, ranges: {}, summary: {:?}, \
         source: {:?} }}",
        row.name,
        ranges(&row.ranges),
        row.summary,
        row.source,
    )
}

fn ranges(rows: &[RangeOfVersions]) -> String {
    let rows: Vec<String> = rows.iter().map(range).collect();
    format!("&[{}]", rows.join(", "))
}

fn range(row: &RangeOfVersions) -> String {
    let (from, before) = (parsed(row.from.as_deref()), parsed(row.before.as_deref()));
    format!("VersionRange {{ from: {from}, before: {before} }}")
}

fn parsed(text: Option<&str>) -> String {
    let found = text.and_then(|text| text.parse().ok());
    found.map_or_else(
        || "None".to_owned(),
        |found| format!("Some({})", version(Some(found))),
    )
}

fn version(value: Option<Version>) -> String {
    let value = value.unwrap_or(Version::new(0, 0, 0));
    let (major, minor, patch) = (value.major, value.minor, value.patch);
    format!("Version::new({major}, {minor}, {patch})")
}

/// One constant a row, so that the compiler checks the names that code uses.
fn constants(out: &mut String, tables: &Tables) {
    module(
        out,
        "directives",
        "Directive",
        "The rows of directives, by name.",
        tables,
        |share| {
            share
                .directives
                .iter()
                .map(|row| row.key().to_owned())
                .collect()
        },
    );
    module(
        out,
        "behaviours",
        "Behaviour",
        "Behaviours, by name.",
        tables,
        |share| {
            share
                .behaviours
                .iter()
                .map(|row| row.name.clone())
                .collect()
        },
    );
}

fn module(
    out: &mut String,
    name: &str,
    kind: &str,
    doc: &str,
    tables: &Tables,
    names: impl Fn(&ServerTables) -> Vec<String>,
) {
    out.push_str(&format!("/// {doc}\npub mod {name} {{\n"));
    for server in [Server::Nginx, Server::Apache] {
        let word = server.word();
        let suffix = if kind == "Directive" {
            ""
        } else {
            "_BEHAVIOURS"
        };
        let table = format!("{}{suffix}", word.to_uppercase());
        out.push_str(&format!(
            "    /// The server's own.\n    pub mod {word} {{\n"
        ));
        out.push_str(&format!("        use super::super::super::{kind};\n"));
        for (index, row) in names(tables.of(server)).iter().enumerate() {
            out.push_str(&format!(
                "        /// `{row}`.\n        pub const {}: &{kind} = \
                 &super::super::{table}[{index}];\n",
                constant(row)
            ));
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n");
}

/// `ssl_session_tickets`, `SSLSessionTickets` and `automatic-rotation` as constants.
pub fn constant(name: &str) -> String {
    let eased = name
        .replace("OpenSSL", "Openssl")
        .replace("VHost", "Vhost")
        .replace("SSL", "Ssl")
        .replace("SNI", "Sni")
        .replace(['-', '.'], "_");
    let mut out = String::new();
    let mut lower = false;
    for letter in eased.chars() {
        if lower && letter.is_ascii_uppercase() {
            out.push('_');
        }
        lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        out.push(letter.to_ascii_uppercase());
    }
    out
}

fn advisories(out: &mut String, tables: &Tables) {
    let rows = tables.advisories.iter().map(|row| {
        let backports = row.backports.iter().map(|backport| format!("{backport:?}"));
        let backports = backports.collect::<Vec<_>>().join(", ");
        // The row's debug form is the literal, but for its strings' type.
        let backports = backports.replace("BackportRow", "Backport");
        let fixed = row.fixed.iter().filter_map(|text| text.parse().ok());
        let fixed: Vec<String> = fixed.map(|found| version(Some(found))).collect();
        format!(
            "Advisory {{ id: {:?}, server: Server::{:?}, title: {:?}, affected: {}, \
             fixed: &[{}], backports: &[{backports}], condition: {:?}, \
             severity: Severity::{:?}, source: {:?} }}",
            row.id,
            Server::parse(&row.server).unwrap_or(Server::Nginx),
            row.title,
            ranges(&row.affected),
            fixed.join(", "),
            row.condition,
            Severity::parse(&row.severity).unwrap_or(Severity::Unrated),
            row.source,
        )
    });
    table(out, "ADVISORIES", "Advisory", rows);
}

fn library(out: &mut String, tables: &Tables) {
    let rows = tables.commands.iter().map(|row| {
        format!(
            "Command {{ name: {:?}, since: {}, nginx: {}, apache: {}, values: &{:?}, \
             source: {:?} }}",
            row.name,
            parsed(row.since.as_deref()),
            decisions(&row.nginx),
            decisions(&row.apache),
            row.values,
            row.source,
        )
    });
    table(out, "COMMANDS", "Command", rows);
    let rows = tables.facts.iter().map(|row| {
        let ranges = ranges(&row.ranges);
        format!(
            "LibraryFact {{ name: {:?}, library: {:?}, ranges: {ranges}, summary: {:?}, \
             source: {:?} }}",
            row.name, row.library, row.summary, row.source,
        )
    });
    table(out, "LIBRARY", "LibraryFact", rows);
}

fn forks(out: &mut String, tables: &Tables) {
    let rows = tables.forks.iter().map(|row| {
        let parse = |text: &str| version(text.parse().ok());
        let bases = row.bases.iter();
        let bases = bases.map(|base| format!("({}, {})", parse(&base.version), parse(&base.base)));
        format!(
            "Fork {{ name: {:?}, same_numbers: {}, bases: &[{}], source: {:?} }}",
            row.name,
            row.same_numbers,
            bases.collect::<Vec<_>>().join(", "),
            row.source,
        )
    });
    table(out, "FORKS", "Fork", rows);
}

fn stubs(out: &mut String, tables: &Tables) {
    let rows = tables.stubs.iter().map(|row| {
        format!(
            "Stub {{ server: Server::{:?}, suffix: {:?}, text: b\"{}\", source: {:?} }}",
            row.server,
            row.suffix,
            row.text.as_bytes().escape_ascii(),
            row.source,
        )
    });
    table(out, "STUBS", "Stub", rows);
}

/// Every version inside the range at which any row of this server changes, and both ends.
pub fn boundaries(server: Server, tables: &Tables) -> Vec<Version> {
    let share = tables.of(server);
    let mut texts: Vec<&String> = Vec::new();
    for row in &share.directives {
        texts.extend(row.since.iter().chain(&row.removed).chain(&row.deprecated));
        texts.extend(row.deciders.iter().filter_map(|row| row.from.as_ref()));
    }
    let advisories = tables.advisories.iter();
    let advisories = advisories.filter(|row| row.server == server.word());
    let behaviours = share.behaviours.iter().flat_map(|row| &row.ranges);
    for range in behaviours.chain(advisories.flat_map(|row| &row.affected)) {
        texts.extend(range.from.iter().chain(&range.before));
    }
    for row in &tables.commands {
        let rows = match server {
            Server::Nginx => &row.nginx,
            Server::Apache => &row.apache,
        };
        texts.extend(rows.iter().filter_map(|row| row.from.as_ref()));
    }
    let versions = texts.into_iter().filter_map(|text| text.parse().ok());
    let inside = versions.filter(|version| (share.oldest..=share.newest).contains(version));
    let all: BTreeSet<Version> = inside.chain([share.oldest, share.newest]).collect();
    all.into_iter().collect()
}
