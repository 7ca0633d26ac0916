//! Plans of fixes that have much in common: of what is refused nothing stays, and what is told of
//! it is told of each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod fix_support;

use std::path::Path;
use std::sync::Arc;

use fix_support::fix_of;
use stekguard::catalog::Server;
use stekguard::finding::{Change, Fix, Target};
use stekguard::fix::{Options, Plan, Proposal, Sum, plan};
use stekguard::source::{self, LoadOptions, Memory, Project, Root};

const HOSTS: usize = 100;

fn load(text: &str) -> Project {
    let files = Memory::new([("/n/nginx.conf", text)]);
    let root = Root::new(Server::Nginx, "/n/nginx.conf");
    source::load(&root, &files, &LoadOptions::default())
}

/// One server a line, each with a lifetime and a statement about tickets.
fn hosts() -> String {
    let mut text = String::from("events {}\nhttp {\n");
    for host in 0..HOSTS {
        text += &format!(
            "server {{ listen {}; ssl_session_timeout 5d; ssl_session_tickets on; }}\n",
            1000 + host
        );
    }
    text + "}\n"
}

fn set(project: &Project, name: &str, host: usize, value: &str) -> Change {
    let named = project.directives.iter();
    let mut named = named.filter(|it| project.value(it, &it.name) == name.as_bytes());
    let directive = named.nth(host).unwrap();
    Change::SetArguments {
        statement: project.location_of(directive.file, directive.span),
        arguments: vec![value.to_owned()],
    }
}

fn timeout(project: &Project, host: usize, value: &str) -> Change {
    set(project, "ssl_session_timeout", host, value)
}

fn tickets(project: &Project, host: usize, value: &str) -> Change {
    set(project, "ssl_session_tickets", host, value)
}

fn with(changes: Vec<Change>, common: &Arc<[Change]>) -> Fix {
    Fix {
        common: Arc::clone(common),
        ..fix_of(changes)
    }
}

fn planned(project: &Project, fixes: &[(&'static str, Fix)]) -> Plan {
    let proposals: Vec<Proposal<'_>> = fixes
        .iter()
        .map(|(rule, fix)| Proposal {
            rule,
            reason: "it is so".to_owned(),
            fix,
        })
        .collect();
    plan(project, &proposals, &Options::default())
}

/// The text afterwards.
fn after(plan: &Plan) -> &str {
    let [file] = plan.files.as_slice() else {
        panic!("{plan:?}");
    };
    std::str::from_utf8(&file.after).unwrap()
}

fn reasons(plan: &Plan) -> Vec<(usize, &str)> {
    let refused = plan.refused.iter();
    refused.map(|it| (it.proposal, &*it.reason)).collect()
}

fn every_lifetime(project: &Project) -> Arc<[Change]> {
    let each = (0..HOSTS).map(|host| timeout(project, host, "1d"));
    each.collect()
}

#[test]
fn a_list_that_contradicts_is_refused_with_each_fix_that_has_it() {
    let text = hosts();
    let project = load(&text);
    let list = every_lifetime(&project);
    let fixes = [
        ("first", fix_of(vec![timeout(&project, HOSTS - 1, "2d")])),
        ("list", with(vec![tickets(&project, 0, "off")], &list)),
        ("list", with(vec![tickets(&project, 1, "off")], &list)),
        ("other", with(vec![tickets(&project, 2, "off")], &list)),
        ("alone", fix_of(vec![tickets(&project, 3, "off")])),
        ("list", with(Vec::new(), &list)),
    ];
    let plan = planned(&project, &fixes);
    assert_eq!(plan.taken, [0, 4]);
    let list = "list and first ask for different things here";
    let other = "other and first ask for different things here";
    assert_eq!(
        reasons(&plan),
        [(1, list), (2, list), (3, other), (5, list)]
    );
    let mut expected: Vec<String> = text.lines().map(str::to_owned).collect();
    let host = |index: usize| index + 2;
    expected[host(HOSTS - 1)] = expected[host(HOSTS - 1)].replace("5d", "2d");
    expected[host(3)] = expected[host(3)].replace("tickets on", "tickets off");
    assert_eq!(after(&plan).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_list_is_taken_with_the_first_fix_that_fits() {
    let text = hosts();
    let project = load(&text);
    let list = every_lifetime(&project);
    let fixes = [
        ("first", fix_of(vec![tickets(&project, 0, "on")])),
        ("list", with(vec![tickets(&project, 0, "off")], &list)),
        ("list", with(vec![tickets(&project, 0, "off")], &list)),
        ("list", with(vec![tickets(&project, 1, "off")], &list)),
        ("list", with(vec![tickets(&project, 0, "off")], &list)),
        ("list", with(vec![tickets(&project, 2, "off")], &list)),
    ];
    let plan = planned(&project, &fixes);
    assert_eq!(plan.taken, [0, 3, 5]);
    let reason = "list and first ask for different things here";
    assert_eq!(reasons(&plan), [(1, reason), (2, reason), (4, reason)]);
    let mut lines = after(&plan).lines().skip(2);
    for host in 0..HOSTS {
        let line = lines.next().unwrap();
        assert!(line.contains("timeout 1d;"), "{line}");
        assert_eq!(
            line.contains("tickets off"),
            host == 1 || host == 2,
            "{line}"
        );
    }
}

/// What a fix is refused for is what a single one would be: the first of its changes in the order of
/// their places, be it its own or one of the list.
#[test]
fn the_first_change_that_is_refused_says_why() {
    let text = hosts();
    let project = load(&text);
    let list = every_lifetime(&project);
    let mut fixes = vec![
        ("one", fix_of(vec![timeout(&project, HOSTS / 2, "2d")])),
        ("two", fix_of(vec![tickets(&project, 3, "on")])),
        ("three", fix_of(vec![tickets(&project, HOSTS - 3, "on")])),
    ];
    for host in [1, 3, HOSTS - 3, 5, 3] {
        fixes.push(("list", with(vec![tickets(&project, host, "off")], &list)));
    }
    let plan = planned(&project, &fixes);
    assert_eq!(plan.taken, [0, 1, 2]);
    let alone: Vec<(usize, String)> = (3..fixes.len())
        .map(|index| {
            let few = [&fixes[..3], &fixes[index..=index]].concat();
            (index, planned(&project, &few).refused[0].reason.clone())
        })
        .collect();
    let [one, two] =
        ["one", "two"].map(|rule| format!("list and {rule} ask for different things here"));
    let expected = [&one, &two, &one, &one, &two];
    assert!(alone.iter().map(|(_, reason)| reason).eq(expected));
    let together = reasons(&plan).into_iter();
    assert!(together.eq(alone.iter().map(|(index, reason)| (*index, &**reason))));
}

/// Statements added to one block and to the file that has it, by many fixes: each place is the
/// one that a single fix finds.
#[test]
fn many_fixes_for_one_place_find_it_once() {
    let text = hosts().replace("http {\n", "http {\n    ssl_prefer_server_ciphers on;\n");
    let project = load(&text);
    let http = project.directives.iter();
    let http = http
        .clone()
        .find(|it| project.value(it, &it.name) == b"http")
        .unwrap();
    let block = project.location_of(http.file, http.span);
    let insert = |target: Target, words: [&str; 2]| Change::Insert {
        target,
        statement: words.map(str::to_owned).to_vec(),
    };
    let add = |words| fix_of(vec![insert(Target::Block(block.clone()), words)]);
    let file: Arc<Path> = Arc::from(Path::new("/n/nginx.conf"));
    let worker = fix_of(vec![insert(Target::File(file), ["worker_processes", "2"])]);
    let fixes = [
        ("one", add(["ssl_early_data", "off"])),
        ("two", add(["ssl_early_data", "off"])),
        ("three", add(["ssl_prefer_server_ciphers", "off"])),
        ("four", worker.clone()),
        ("five", add(["ssl_early_data", "on"])),
        ("six", worker),
        ("seven", add(["ssl_buffer_size", "4k"])),
    ];
    let plan = planned(&project, &fixes);
    assert_eq!(plan.taken, [0, 1, 2, 3, 5, 6]);
    let reason = "five and one ask for different things here";
    assert_eq!(reasons(&plan), [(4, reason)]);
    let rest = text.split_once("ciphers on;\n").unwrap().1;
    let expected = format!(
        "events {{}}\nworker_processes 2;\nhttp {{\n    ssl_prefer_server_ciphers off;\n    \
         ssl_early_data off;\n    ssl_buffer_size 4k;\n{rest}"
    );
    let unordered = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(unordered(after(&plan)), unordered(&expected));
    // As if each were the only one.
    for (_, fix) in &fixes[2..3] {
        let alone = planned(&project, &[("alone", fix.clone())]);
        assert!(after(&alone).contains("http {\n    ssl_prefer_server_ciphers off;\n"));
    }
}

/// What one plan changes and a later one takes back is no change, whatever came between.
#[test]
fn plans_add_up() {
    let text = hosts();
    let project = load(&text);
    let there = planned(
        &project,
        &[("one", fix_of(vec![timeout(&project, 0, "1d")]))],
    );
    let changed = after(&there).to_owned();
    let between = load(&changed);
    let back = planned(
        &between,
        &[("two", fix_of(vec![timeout(&between, 0, "5d")]))],
    );
    let again = planned(
        &project,
        &[("three", fix_of(vec![tickets(&project, 1, "off")]))],
    );
    let mut sum = Sum::default();
    sum.add(there.clone());
    sum.add(back.clone());
    assert!(there.clone().then(back.clone()).is_empty());
    sum.add(again.clone());
    let whole = sum.whole();
    assert_eq!(after(&whole), after(&again));
    assert_eq!(whole.files[0].rounds.len(), 1);
    let rules: Vec<&str> = whole.files[0].reasons.iter().map(|it| it.rule).collect();
    assert_eq!(rules, ["three"]);
    // Without the way back, both stand in one file.
    let both = there.then(planned(
        &between,
        &[("four", fix_of(vec![tickets(&between, 1, "off")]))],
    ));
    assert_eq!(both.files[0].rounds.len(), 2);
    assert_eq!(*both.files[0].before, *text.as_bytes());
    assert_eq!(
        after(&both),
        changed
            .replacen("tickets on", "tickets #", 2)
            .replacen("tickets #", "tickets on", 1)
            .replace("tickets #", "tickets off")
    );
}
