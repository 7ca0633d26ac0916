//! One tree from its seed to its differences.

use super::client::Client;
use super::compare::{Comparison, Difference};
use super::coverage::Coverage;
use super::live::Site;
use super::observe::{KINDS, Probe, cross, observe};
use super::predict::{Predicted, predict};
use super::world::World;
use crate::generator::nginx::{ASKED, Module, Tree};
use crate::generator::print::{self, Files};
use crate::generator::rng::Rng;
use crate::support::install::Program;

use stekguard::model::Platform;

/// What trees run on.
pub struct Bench<'a> {
    pub program: &'a Program,
    pub platform: Platform,
    pub world: &'a World,
    pub client: Client,
}

/// What came of a tree.
pub struct Outcome {
    pub compared: usize,
    pub differences: Vec<Difference>,
    /// What nginx says where it refuses.
    pub refused: Option<String>,
    /// The project refuses it too, in the same words.
    pub same_words: bool,
    pub files: Files,
}

/// Connections of one tree stay few: names, and crossings of each kind.
const PROBES: usize = 10;
const CROSSINGS: usize = 14;

impl Bench<'_> {
    /// Runs a tree as it is printed with noise.
    pub fn tree(&self, tree: &Tree, coverage: &mut Coverage) -> Outcome {
        let mut noise = tree.noise.clone();
        let files = print::noisy(&tree.nodes, &mut noise);
        let outcome = self.files(tree, files.clone(), coverage);
        // Ports are free only until somebody else on this machine takes them: once more, with
        // others.
        let broken = |difference: &Difference| difference.field == "exchange";
        match outcome.differences.iter().any(broken) {
            true => self.files(tree, files, coverage),
            false => outcome,
        }
    }

    /// Asks only whether a tree is refused.
    pub fn verdict(&self, tree: &Tree, files: Files) -> Outcome {
        let site = Site::write(&files, tree, self.world);
        self.judged(&site, &predict(&site.root, &self.platform), files)
    }

    fn judged(&self, site: &Site, predicted: &Predicted, files: Files) -> Outcome {
        let verdict = site.tested(self.program);
        let said = verdict.as_ref().err().map(|said| words_of(said));
        Outcome {
            same_words: predicted
                .refusals()
                .iter()
                .any(|ours| Some(words_of(ours)) == said),
            compared: 1,
            differences: verdict_difference(predicted, &verdict),
            refused: verdict.err(),
            files,
        }
    }

    /// Runs a tree from files.
    pub fn files(&self, tree: &Tree, files: Files, coverage: &mut Coverage) -> Outcome {
        let site = Site::write(&files, tree, self.world);
        let predicted = predict(&site.root, &self.platform);
        let mut outcome = self.judged(&site, &predicted, files);
        coverage.tree(&predicted, outcome.refused.as_deref());
        if outcome.refused.is_none() && outcome.differences.is_empty() {
            let compared = self.sessions(tree, &site, &predicted, coverage);
            outcome.compared += compared.compared;
            outcome.differences.extend(compared.differences);
        }
        outcome
    }

    fn sessions(
        &self,
        tree: &Tree,
        site: &Site,
        predicted: &Predicted,
        coverage: &mut Coverage,
    ) -> Comparison {
        let mut rng = Rng::new(tree.seed ^ 0x5eed);
        let mut comparison = Comparison::default();
        let probes = probes(tree, site, predicted, &mut rng);
        if probes.is_empty() {
            return comparison;
        }
        let _server = site.start(self.program, tree);
        let rounds = if tree.workers == 1 { 1 } else { 40 };
        for probe in &probes {
            match observe(&self.client, probe, rounds) {
                Ok(seen) => comparison.endpoint(predicted, probe, &seen, tree.workers),
                Err(why) => comparison.broken(why),
            }
            if let Some(endpoint) = predicted.endpoint(&probe.address, probe.sni.as_deref()) {
                coverage.endpoint(predicted, endpoint);
            }
        }
        if tree.workers > 1 {
            return comparison;
        }
        for (from, to) in pairs(&probes, &mut rng) {
            for kind in KINDS {
                match cross(&self.client, from, to, kind) {
                    Ok(observed) => comparison.crossing(predicted, (from, to), kind, observed),
                    Err(why) => comparison.broken(why),
                }
                coverage.crossing(predicted, from, to, kind);
            }
        }
        comparison
    }
}

/// A refusal without what the two count apart: nginx names the line where a statement ends,
/// the project the one where it begins, and OpenSSL adds words of its own.
fn words_of(said: &str) -> &str {
    let said = said.trim_start_matches("nginx: [emerg] ");
    let said = said.split(" (SSL: error").next().unwrap_or(said);
    said.split(" in /").next().unwrap_or(said)
}

/// Refused by one of the two only.
fn verdict_difference(predicted: &Predicted, verdict: &Result<(), String>) -> Vec<Difference> {
    let refusals = predicted.refusals();
    if refusals.is_empty() == verdict.is_ok() {
        return Vec::new();
    }
    vec![Difference {
        place: "nginx -t".to_owned(),
        field: "verdict".to_owned(),
        predicted: format!("{refusals:?}"),
        observed: format!("{verdict:?}"),
    }]
}

/// No name, names that somebody has, and one that nobody has.
pub fn probes(tree: &Tree, site: &Site, predicted: &Predicted, rng: &mut Rng) -> Vec<Probe> {
    let mut probes = Vec::new();
    for address in &tree.addresses {
        let named = site.named(address);
        let http = address.module == Module::Http;
        let probe = |sni: Option<&str>| Probe {
            address: named.clone(),
            reached: site.reached(address),
            sni: sni.map(str::to_owned),
            http,
        };
        if predicted.endpoint(&named, None).is_none() {
            continue;
        }
        probes.push(probe(None));
        let mut of_default = 0;
        for name in ASKED {
            let endpoint = predicted.endpoint(&named, Some(name));
            let Some(endpoint) = endpoint.filter(|endpoint| !predicted.is_race(endpoint)) else {
                continue;
            };
            let by_default = !predicted.is_named(endpoint, Some(name));
            of_default += usize::from(by_default);
            if !by_default || of_default == 1 {
                probes.push(probe(Some(name)));
            }
        }
    }
    while probes.len() > PROBES {
        probes.remove(rng.below(probes.len()));
    }
    probes
}

/// Pairs of probes; those of one address more often.
fn pairs<'a>(probes: &'a [Probe], rng: &mut Rng) -> Vec<(&'a Probe, &'a Probe)> {
    let mut pairs = Vec::new();
    for (index, from) in probes.iter().enumerate() {
        for (other, to) in probes.iter().enumerate() {
            let near = from.address == to.address || rng.chance(25);
            if index != other && near {
                pairs.push((from, to));
            }
        }
    }
    while pairs.len() > CROSSINGS {
        pairs.swap_remove(rng.below(pairs.len()));
    }
    pairs
}
