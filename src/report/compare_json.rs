//! The document of `inspect --compare-version`: what compare.rs found, as JSON. Decides nothing.

use std::borrow::Cow;

use serde::Serialize;

use super::Problem;
use super::compare::{
    Change, Compared, Crossing, Difference, Unknown, changes, crossings, total, versions,
};
use super::json::{self, Gap};

/// `stekguard-compare/1`.
pub fn json(servers: &[Compared<'_>], problems: &[Problem]) -> String {
    let document = Document {
        schema: "stekguard-compare/1",
        complete: problems.is_empty(),
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
    before: String,
    after: String,
    endpoints: usize,
    refused: Vec<RefusedSaid<'a>>,
    changes: Vec<ChangeSaid<'a>>,
    crossings: CrossingsSaid,
}

#[derive(Serialize)]
struct RefusedSaid<'a> {
    setting: &'static str,
    by: String,
    path: Cow<'a, str>,
    line: u32,
}

#[derive(Serialize)]
struct CrossingsSaid {
    only_before: Vec<Crossing>,
    only_after: Vec<Crossing>,
}

#[derive(Serialize)]
struct ChangeSaid<'a> {
    change: &'static str,
    address: &'a str,
    transport: crate::model::Transport,
    module: crate::model::Module,
    names: &'a [String],
    when: &'a [String],
    defined_at: &'a crate::model::Place,
    fields: Vec<Difference<'a>>,
}

impl<'a> ServerSaid<'a> {
    fn new(server: &Compared<'a>) -> Self {
        let (before, after) = versions(server);
        let changes = changes(server);
        let endpoints = total(server, &changes);
        let (only_after, only_before) = crossings(server);
        Self {
            kind: json::kind(server.before.server),
            root: server.before.root.to_string_lossy(),
            before: before.to_string(),
            after: after.to_string(),
            endpoints,
            refused: server.unknown.iter().map(RefusedSaid::new).collect(),
            changes: changes.into_iter().map(ChangeSaid::new).collect(),
            crossings: CrossingsSaid {
                only_before,
                only_after,
            },
        }
    }
}

impl<'a> RefusedSaid<'a> {
    fn new(unknown: &'a Unknown) -> Self {
        Self {
            setting: unknown.setting,
            by: unknown.refused_by.to_string(),
            path: unknown.at.path.to_string_lossy(),
            line: unknown.at.line,
        }
    }
}

impl<'a> ChangeSaid<'a> {
    fn new(change: Change<'a>) -> Self {
        let (change, endpoint, fields) = match change {
            Change::Gone(endpoint) => ("only-before", endpoint, Vec::new()),
            Change::New(endpoint) => ("only-after", endpoint, Vec::new()),
            Change::Differs(endpoint, fields) => ("differs", endpoint, fields),
        };
        Self {
            change,
            address: &endpoint.address,
            transport: endpoint.transport,
            module: endpoint.module,
            names: &endpoint.names,
            when: &endpoint.when,
            defined_at: &endpoint.defined_at,
            fields,
        }
    }
}
