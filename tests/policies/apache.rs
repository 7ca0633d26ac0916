//! httpd: one tree for one policy, from `apache2 -t` before to a client afterwards.

use stekguard::catalog::Server;

use super::kept;
use super::tally::Tally;
use super::tool::Tool;
use crate::generator_apache::client::{Answer, Client, Met, Probe};
use crate::generator_apache::run::{self, Written};
use crate::generator_apache::world::World;
use crate::support::client::Kind;
use crate::support::install::Program;

const STATEFUL: usize = 32;
/// Addresses and names that are asked of one tree.
const PROBES: usize = 12;
/// What is compiled into Debian's httpd (`apache2 -l`).
const BUILT_IN: &str = "core_module,so_module,watchdog_module,http_module,log_config_module,\
                        logio_module,version_module,unixd_module";

/// One tree for one policy; `live` asks a client too.
pub fn tree(
    (seed, index): (u64, usize),
    (program, world): (&Program, &World),
    policy: &'static str,
    live: bool,
    tally: &mut Tally,
) {
    let written = run::written(seed, index, program, world, |_, _, _| {});
    if !written.verdict(program).0 {
        tally.refused_before += 1;
        return;
    }
    let version = format!("apache={}", program.version);
    let told = [
        "--server-version",
        &version,
        "--define",
        "LIVE",
        "--define",
        "!*",
        "--modules",
        BUILT_IN,
    ];
    let folder = written.dir.path();
    let tool = Tool::new(&written.root(), &folder.join("rotated"), &told);
    let before = configurations(&written);
    let fixed = tool.fixed(policy);
    let after = configurations(&written);
    let show = || format!("tree {index} {policy}:");
    tally.row(policy).trees += 1;
    tally.row(policy).changed += usize::from(before != after);
    tally.row(policy).met += usize::from(fixed.met);
    tally.row(policy).unproved += usize::from(fixed.run.code == Some(2));
    for line in &fixed.said {
        tally.reason(line);
    }
    if let Some(what) = kept::touched(Server::Apache, &before, &after) {
        tally.wrong.push(format!("{} {what}", show()));
    }
    let again = tool.patch(policy);
    if !again.is_empty() {
        tally
            .wrong
            .push(format!("{} fixed again:\n{again}", show()));
    }
    let (accepted, said) = written.verdict(program);
    if !accepted {
        tally
            .wrong
            .push(format!("{} {said}\n{:?}", show(), fixed.run));
        return;
    }
    if live && fixed.met {
        observed(&written, (program, world), policy, tally);
    }
}

fn configurations(written: &Written) -> kept::Texts {
    let names = written.files.keys();
    let paths = names.map(|name| written.dir.path().join(name));
    paths
        .map(|path| {
            let text = std::fs::read(&path).unwrap();
            (path, text)
        })
        .collect()
}

fn observed(
    written: &Written,
    (program, world): (&Program, &World),
    policy: &'static str,
    tally: &mut Tally,
) {
    let client = Client::new(world.path(), &world.nonce);
    let _server = written.start(program, world);
    let mut probes: Vec<Probe> = written.probes().into_iter().flatten().collect();
    // Every so many, so that each socket has some.
    let step = probes.len().div_ceil(PROBES).max(1);
    probes = probes.into_iter().step_by(step).collect();
    let mut asked = 0;
    for probe in &probes {
        for kind in [Kind::Id12, Kind::Ticket12, Kind::Tls13] {
            match resumes(&client, probe, kind) {
                Ok(None) => {}
                Ok(Some(ticket)) => {
                    asked += 1;
                    let stateless = ticket > STATEFUL && kind != Kind::Id12;
                    // Under the other policies httpd may keep sessions, and no ticket is the
                    // only sound one: nothing replaces its key.
                    let wrong = policy == "no-resumption" || stateless;
                    if wrong {
                        tally.wrong.push(format!(
                            "tree {} {policy} {probe:?} {kind:?}: resumes, ticket of {ticket} bytes\n{}",
                            written.tree.index,
                            run::shown(&written.files, written.dir.path())
                        ));
                    }
                }
                Err(why) => tally
                    .wrong
                    .push(format!("tree {} {policy}: {why}", written.tree.index)),
            }
        }
    }
    let _ = asked;
    tally.row(policy).live += 1;
    tally.row(policy).places += probes.len();
}

/// The length of what a fresh session is offered by, where it resumes.
fn resumes(client: &Client, probe: &Probe, kind: Kind) -> Result<Option<usize>, String> {
    let Answer::Met(Met { issued, .. }) = client.ask(probe, kind, true, None)? else {
        return Ok(None);
    };
    let Some(session) = issued.last() else {
        return Ok(None);
    };
    match client.ask(probe, kind, true, Some(session))? {
        Answer::Met(Met { resumed: true, .. }) => Ok(Some(session.ticket.len())),
        _ => Ok(None),
    }
}
