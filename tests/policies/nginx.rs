//! nginx: one tree for one policy, from `nginx -t` before to a client afterwards.

use std::fs;
use std::path::Path;

use stekguard::catalog::Server;

use super::kept;
use super::tally::Tally;
use super::tool::Tool;
use crate::differential::client::Client;
use crate::differential::live::Site;
use crate::differential::observe::{Probe, Seen, observe};
use crate::differential::predict::{platform, predict};
use crate::differential::run::probes;
use crate::differential::world::World;
use crate::generator::nginx::Tree;
use crate::generator::print;
use crate::generator::rng::Rng;
use crate::support::certs;
use crate::support::client::Kind;
use crate::support::install::Program;

/// What trees are fixed for.
pub struct Bench<'a> {
    pub program: &'a Program,
    pub world: &'a World,
    pub client: Client,
}

const STATEFUL: usize = 32;
const KEY_NAME: usize = 16;
/// The first version of its branch without CVE-2026-97629, for which trees are judged under
/// `automatic`: the server that runs them has the same automatic keys, and what an attacker may
/// do with one of them is not asked here.
const WITHOUT_THE_FLAW: &str = "1.31.7";

impl Bench<'_> {
    /// One tree for one policy; `live` asks a client too.
    pub fn tree(
        &self,
        index: usize,
        tree: &Tree,
        policy: &'static str,
        live: bool,
        tally: &mut Tally,
    ) {
        let mut noise = tree.noise.clone();
        let files = print::noisy(&tree.nodes, &mut noise);
        let site = Site::write(&files, tree, self.world);
        if site.tested(self.program).is_err() {
            tally.refused_before += 1;
            self.refused(&site, policy, tally);
            return;
        }
        let keys = site.path().join("rotated");
        let tool = self.tool(&site, &keys, policy);
        let before = kept::texts(site.path());
        let fixed = tool.fixed(policy);
        let after = kept::texts(site.path());
        let show = || format!("tree {index} {policy} {:?}:", tree.theme);
        tally.row(policy).trees += 1;
        tally.row(policy).changed += usize::from(before != after);
        tally.row(policy).met += usize::from(fixed.met);
        tally.row(policy).unproved += usize::from(fixed.run.code == Some(2));
        for line in &fixed.said {
            tally.reason(line);
        }
        let (old, new) = (configurations(&before), configurations(&after));
        if let Some(what) = kept::touched(Server::Nginx, &old, &new) {
            tally.wrong.push(format!("{} {what}", show()));
        }
        let again = tool.patch(policy);
        if !again.is_empty() {
            let text = listing(&site);
            let run = &fixed.run;
            let what = format!("{} fixed again:\n{again}\n{run:#?}\n{text}", show());
            tally.wrong.push(what);
        }
        if let Err(said) = site.tested(self.program) {
            tally
                .wrong
                .push(format!("{} {said}\n{:?}", show(), fixed.run));
            return;
        }
        if policy == "rotate" {
            make_keys(&keys);
            if let Err(said) = site.tested(self.program) {
                tally.wrong.push(format!("{} with keys: {said}", show()));
                return;
            }
        }
        if live && fixed.met {
            self.observed(&site, (index, tree), policy, tally);
        }
    }

    /// What is broken already is repaired or left alone; nothing else in it changes.
    fn refused(&self, site: &Site, policy: &'static str, tally: &mut Tally) {
        let before = configurations(&kept::texts(site.path()));
        let keys = site.path().join("rotated");
        let fixed = self.tool(site, &keys, policy).fixed(policy);
        let after = configurations(&kept::texts(site.path()));
        tally.mended += usize::from(before != after && site.tested(self.program).is_ok());
        if let Some(what) = kept::touched(Server::Nginx, &before, &after) {
            // Of a directive that the version does not have only the repair of that rule is
            // taken, which changes the directive.
            if !fixed.run.stdout.contains("directive-not-in-version") {
                tally
                    .wrong
                    .push(format!("{policy}: refused before, and {what}"));
            }
        }
    }

    fn tool(&self, site: &Site, keys: &Path, policy: &str) -> Tool {
        let version = match policy {
            "automatic" if self.program.at_least([1, 29, 2]) => WITHOUT_THE_FLAW,
            _ => &self.program.version,
        };
        let version = format!("nginx={version}");
        Tool::new(&site.root, keys, &["--server-version", &version])
    }

    fn observed(
        &self,
        site: &Site,
        (index, tree): (usize, &Tree),
        policy: &'static str,
        tally: &mut Tally,
    ) {
        let predicted = predict(&site.root, &platform(self.program));
        let mut rng = Rng::new(tree.seed ^ 0x5eed);
        let probes = probes(tree, site, &predicted, &mut rng);
        if probes.is_empty() {
            return;
        }
        let server = site.start(self.program, tree);
        let rounds = if tree.workers == 1 { 2 } else { 40 };
        let mut seen = Vec::new();
        for probe in &probes {
            match observe(&self.client, probe, rounds) {
                Ok(one) => seen.push((probe, one)),
                Err(why) => tally.wrong.push(format!("tree {index} {policy}: {why}")),
            }
        }
        let current = fs::read(site.path().join("rotated/current.key")).ok();
        for (probe, one) in &seen {
            if let Some(what) = against(policy, one, current.as_deref()) {
                let text = listing(site);
                tally.wrong.push(format!(
                    "tree {index} {policy} {}: {what}\n{text}",
                    probe.label()
                ));
            }
        }
        if ["sound", "automatic"].contains(&policy) {
            server.reload();
            self.survives(&seen, policy, index, site, tally);
        }
        tally.row(policy).live += 1;
        tally.row(policy).places += seen.len();
    }

    /// A key that a reload changes is one that nothing replaces before.
    fn survives(
        &self,
        seen: &[(&Probe, Seen)],
        policy: &str,
        index: usize,
        site: &Site,
        tally: &mut Tally,
    ) {
        for (probe, one) in seen {
            let Ok(later) = observe(&self.client, probe, 1) else {
                continue;
            };
            for (old, new) in one.kinds.iter().zip(&later.kinds) {
                let resumes = old.hits > 0 && old.ticket.len() > STATEFUL;
                if resumes && old.ticket.get(..KEY_NAME) != new.ticket.get(..KEY_NAME) {
                    let text = listing(site);
                    tally.wrong.push(format!(
                        "tree {index} {policy} {}: the key was one of the process\n{text}",
                        probe.label()
                    ));
                }
            }
        }
    }
}

/// What a client saw against the policy, by what the policy says and nothing else.
fn against(policy: &str, seen: &Seen, current: Option<&[u8]>) -> Option<String> {
    let kinds = [Kind::Id12, Kind::Ticket12, Kind::Tls13];
    kinds.iter().zip(&seen.kinds).find_map(|(kind, one)| {
        let stateless = one.ticket.len() > STATEFUL;
        let by_ticket = *kind != Kind::Id12;
        let wrong = match policy {
            "no-resumption" => one.hits > 0,
            "no-tickets" => stateless && by_ticket && one.hits > 0,
            // A connection that is refused, and one that a command gives no ticket at all.
            _ if !by_ticket || one.refused || one.count == 0 => false,
            "rotate" => {
                let name = current.and_then(|key| key.get(..KEY_NAME));
                !stateless || one.hits == 0 || one.ticket.get(..KEY_NAME) != name
            }
            "automatic" => !stateless || one.hits == 0,
            _ => false,
        };
        wrong.then(|| format!("{kind:?}: {one:?}"))
    })
}

/// What `stekguard keys init` would leave: a list and its keys, the first of which encrypts.
fn make_keys(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mut list = String::new();
    for name in ["current", "next", "previous"] {
        let path = folder.join(format!("{name}.key"));
        certs::ticket_key(&path, 80);
        list.push_str(&format!("ssl_session_ticket_key \"{}\";\n", path.display()));
    }
    fs::write(folder.join("keys.conf"), list).unwrap();
}

/// What belongs to the configuration.
fn configurations(texts: &kept::Texts) -> kept::Texts {
    let own = texts.iter().filter(|(path, _)| !is_by_server(path));
    own.map(|(path, text)| (path.clone(), text.clone()))
        .collect()
}

/// Logs and the pid of `nginx -t`.
fn is_by_server(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "log" || end == "pid" || end == "out")
}

fn listing(site: &Site) -> String {
    let texts = kept::texts(site.path());
    let shown = texts.iter().filter(|(path, _)| {
        path.extension()
            .is_none_or(|end| end == "conf" || end == "inc")
    });
    shown
        .map(|(path, text)| {
            format!(
                "--- {}\n{}\n",
                path.display(),
                String::from_utf8_lossy(text)
            )
        })
        .collect()
}
