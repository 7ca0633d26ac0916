//! How often the trees of a run met each documented case.

use std::collections::BTreeMap;

use stekguard::model::{BlockId, Endpoint, KeySource, Site};

use super::compare;
use super::observe::Probe;
use super::predict::Predicted;
use crate::support::client::Kind;

/// A case with the number of times it was met and compared.
#[derive(Default)]
pub struct Coverage(BTreeMap<&'static str, usize>);

/// Which block decides, of two that differ.
const TWO_BLOCKS: [&str; 13] = [
    "1.1 cache kind or zone differs",
    "1.1 B's cache off",
    "1.1 timeout differs",
    "1.1 ticket key differs",
    "1.1 tickets A on, B off",
    "1.1 tickets A off, B on",
    "1.1 tickets A off, B off",
    "1.1 protocols differ",
    "1.1 command on tickets in A",
    "1.1 command on tickets in B",
    "1.1 NumTickets differs",
    "1.1 certificates differ",
    "1.1 client authorities differ",
];

const ONE_BLOCK: [&str; 6] = [
    "2.1 on, none",
    "2.1 on, off",
    "2.1 on, builtin or shared",
    "2.1 off, none",
    "2.1 off, off",
    "2.1 off, builtin or shared",
];

const DIRECTIVES: [&str; 24] = [
    "2.2 ssl_session_cache",
    "2.2 ssl_session_timeout",
    "2.2 ssl_session_tickets",
    "2.2 ssl_session_ticket_key",
    "2.2 key rotates in the zone",
    "2.2 ssl_conf_command",
    "2.2 ssl_reject_handshake",
    "2.2 ssl_early_data",
    "2.2 default ssl_protocols",
    "2.2 several stream servers of an address",
    "2.2 ssl on",
    "2.2 duplicate refused",
    "2.2 cache lines add up",
    "2.2 none or off sticks beside shared",
    "2.2 outer shared, own kind",
    "2.2 own keys replace the outer ones",
    "2.2 own commands replace the outer ones",
    "2.2 command against ssl_session_tickets",
    "2.2 timeout 0",
    "2.2 several key files",
    "2.2 key file without tickets",
    "2.2 pattern without a match",
    "2.2 zone too small",
    "2.2 sizes of a zone conflict",
];

const CROSSINGS: [&str; 8] = [
    "2.4 no clients, other certificate",
    "2.4 no clients, same certificate",
    "2.4 other authorities, TLS 1.3 ticket",
    "2.4 other authorities, tickets off and shared",
    "2.4 no name, then a name",
    "2.4 no name, then a name, client certificates",
    "2.4 stream, no name, then a name, TLS 1.3",
    "2.4 same certificate and authorities, ssl_crl",
];

impl Coverage {
    /// Every case, not met yet. Names in stream (1.25.5) and keys in the zone (1.23.2) are
    /// cases of newer versions.
    pub fn new(newer: bool) -> Self {
        const NEWER: [&str; 2] = [DIRECTIVES[4], DIRECTIVES[9]];
        let all = TWO_BLOCKS
            .iter()
            .chain(&ONE_BLOCK)
            .chain(&DIRECTIVES)
            .chain(&CROSSINGS);
        let is_newer = |row: &str| NEWER.contains(&row) || row.contains("stream,");
        let met = all.filter(|row| newer || !is_newer(row));
        Self(met.map(|row| (*row, 0)).collect())
    }

    fn hit(&mut self, row: &'static str, met: bool) {
        if let Some(count) = self.0.get_mut(row).filter(|_| met) {
            *count += 1;
        }
    }

    /// The table.
    pub fn print(&self, title: &str) {
        println!("coverage, {title}:");
        for (row, count) in &self.0 {
            println!("{count:>7}  {row}");
        }
    }

    /// Cases met less than `least` times.
    pub fn missing(&self, least: usize) -> Vec<&'static str> {
        let few = self.0.iter().filter(|(_, count)| **count < least);
        few.map(|(row, _)| *row).collect()
    }

    /// Cases that an endpoint stands for.
    pub fn endpoint(&mut self, predicted: &Predicted, endpoint: &Endpoint) {
        let view = View(&predicted.site);
        let (a, b) = (endpoint.governor, endpoint.block);
        if a != b {
            return self.two(&view, a, b);
        }
        if endpoint.rejects {
            return;
        }
        let row = match (view.tickets(b), view.cache(b).as_str()) {
            (true, "none") => 0,
            (true, "off") => 1,
            (true, _) => 2,
            (false, "none") => 3,
            (false, "off") => 4,
            (false, _) => 5,
        };
        self.hit(ONE_BLOCK[row], true);
        self.one(&view, endpoint);
    }

    fn two(&mut self, view: &View<'_>, a: BlockId, b: BlockId) {
        let differs = |name: &str| view.texts(a, name) != view.texts(b, name);
        let kind = view.cache(a) != view.cache(b);
        self.hit(TWO_BLOCKS[0], kind || view.zone(a) != view.zone(b));
        self.hit(
            TWO_BLOCKS[1],
            view.cache(b) == "off" && view.cache(a) != "off",
        );
        self.hit(TWO_BLOCKS[2], differs("ssl_session_timeout"));
        self.hit(TWO_BLOCKS[3], differs("ssl_session_ticket_key"));
        self.hit(TWO_BLOCKS[4], view.tickets(a) && !view.tickets(b));
        self.hit(TWO_BLOCKS[5], !view.tickets(a) && view.tickets(b));
        self.hit(TWO_BLOCKS[6], !view.tickets(a) && !view.tickets(b));
        self.hit(TWO_BLOCKS[7], differs("ssl_protocols"));
        self.hit(TWO_BLOCKS[8], view.command(a, "sessionticket").is_some());
        self.hit(TWO_BLOCKS[9], view.command(b, "sessionticket").is_some());
        let count = |block| view.command(block, "numtickets");
        self.hit(TWO_BLOCKS[10], count(a) != count(b));
        self.hit(TWO_BLOCKS[11], differs("ssl_certificate"));
        self.hit(
            TWO_BLOCKS[12],
            view.verifies(a) && view.verifies(b) && differs("ssl_client_certificate"),
        );
    }

    fn one(&mut self, view: &View<'_>, endpoint: &Endpoint) {
        let block = endpoint.block;
        let outer = view.parent(block);
        let own = |name: &str| view.own(block, name);
        let has = |name: &str| !view.texts(block, name).is_empty();
        self.hit(DIRECTIVES[0], has("ssl_session_cache"));
        self.hit(DIRECTIVES[1], has("ssl_session_timeout"));
        self.hit(DIRECTIVES[2], has("ssl_session_tickets"));
        self.hit(DIRECTIVES[3], has("ssl_session_ticket_key"));
        self.hit(DIRECTIVES[4], endpoint.ticket_key.source == KeySource::Zone);
        self.hit(DIRECTIVES[5], has("ssl_conf_command"));
        self.hit(DIRECTIVES[7], endpoint.early_data);
        self.hit(DIRECTIVES[8], !has("ssl_protocols"));
        let caches = own("ssl_session_cache");
        self.hit(DIRECTIVES[12], caches.len() > 1);
        let words: Vec<&str> = caches.iter().flat_map(|line| line.split(' ')).collect();
        let shared = words.iter().any(|word| word.starts_with("shared"));
        let sticky = words.iter().any(|word| ["none", "off"].contains(word));
        self.hit(DIRECTIVES[13], shared && sticky);
        let outer_shared = outer.is_some_and(|outer| view.zone(outer).is_some());
        self.hit(DIRECTIVES[14], outer_shared && !words.is_empty() && !shared);
        let replaced = |name: &str| {
            let outer = outer.map(|outer| view.own(outer, name)).unwrap_or_default();
            !outer.is_empty() && !own(name).is_empty() && outer != own(name)
        };
        self.hit(DIRECTIVES[15], replaced("ssl_session_ticket_key"));
        self.hit(DIRECTIVES[16], replaced("ssl_conf_command"));
        let command = view.command(block, "sessionticket");
        self.hit(
            DIRECTIVES[17],
            command.is_some() && has("ssl_session_tickets"),
        );
        self.hit(
            DIRECTIVES[18],
            view.texts(block, "ssl_session_timeout") == ["0"],
        );
        self.hit(
            DIRECTIVES[19],
            view.texts(block, "ssl_session_ticket_key").len() > 1,
        );
        self.hit(
            DIRECTIVES[20],
            has("ssl_session_ticket_key") && !view.tickets(block),
        );
    }

    /// Cases that the text of a tree stands for.
    pub fn tree(&mut self, predicted: &Predicted, refused: Option<&str>) {
        let site = &predicted.site;
        let no_match = predicted.project.directives.iter().any(|directive| {
            let arguments = directive.arguments.start as usize..directive.arguments.end as usize;
            let words = &predicted.project.arguments[arguments];
            let word = words
                .first()
                .map(|word| predicted.project.value(directive, word));
            word.is_some_and(|word| word.starts_with(b"nothing/"))
        });
        self.hit(DIRECTIVES[21], no_match);
        let ssl = site.settings.iter().any(|setting| setting.name == "ssl");
        self.hit(
            DIRECTIVES[10],
            ssl || refused.is_some_and(|why| why.contains("directive \"ssl\"")),
        );
        let Some(why) = refused else {
            let reject = site.endpoints.iter().any(|endpoint| endpoint.rejects);
            self.hit(DIRECTIVES[6], reject);
            let stream = |endpoint: &&Endpoint| endpoint.module.word() == "stream";
            let several = site
                .endpoints
                .iter()
                .filter(stream)
                .any(|endpoint| !endpoint.default);
            self.hit(DIRECTIVES[9], several);
            return;
        };
        self.hit(DIRECTIVES[11], why.contains("is duplicate"));
        self.hit(DIRECTIVES[22], why.contains("is too small"));
        self.hit(
            DIRECTIVES[23],
            why.contains("conflicts with already declared size"),
        );
    }

    /// Cases that a crossing stands for.
    pub fn crossing(&mut self, predicted: &Predicted, from: &Probe, to: &Probe, kind: Kind) {
        let endpoint = |probe: &Probe| predicted.endpoint(&probe.address, probe.sni.as_deref());
        let (Some(a), Some(b)) = (endpoint(from), endpoint(to)) else {
            return;
        };
        let met = compare::crossing(predicted, from, to, kind).is_some() && !b.rejects;
        if !met || from.address != to.address || a.block == b.block {
            return;
        }
        let view = View(&predicted.site);
        let same = |name: &str| view.texts(a.block, name) == view.texts(b.block, name);
        let verifies = (view.verifies(a.block), view.verifies(b.block));
        let issued = match kind {
            Kind::Tls13 => a.issues.tls13.is_some(),
            Kind::Ticket12 => a.issues.tls12_ticket.is_some(),
            Kind::Id12 => a.issues.tls12_id.is_some(),
        };
        if !issued {
            return;
        }
        let none = verifies == (false, false);
        let both = verifies == (true, true);
        let authorities = same("ssl_client_certificate");
        let certificates = same("ssl_certificate");
        let tls13 = kind == Kind::Tls13;
        self.hit(CROSSINGS[0], none && !certificates);
        self.hit(CROSSINGS[1], none && certificates);
        self.hit(
            CROSSINGS[2],
            both && !authorities && tls13 && view.tickets(a.block),
        );
        self.hit(
            CROSSINGS[3],
            both && !authorities && !view.tickets(a.block) && view.zone(a.governor).is_some(),
        );
        let nameless = from.sni.is_none() && to.sni.is_some();
        self.hit(CROSSINGS[4], nameless);
        self.hit(CROSSINGS[5], nameless && verifies.1);
        self.hit(CROSSINGS[6], nameless && tls13 && !from.http);
        self.hit(
            CROSSINGS[7],
            both && authorities && certificates && !same("ssl_crl"),
        );
    }
}

/// Settings as they are written, for counting; what they mean is not asked here.
struct View<'a>(&'a Site);

impl View<'_> {
    fn parent(&self, block: BlockId) -> Option<BlockId> {
        self.0.blocks[block.0 as usize].parent
    }

    /// The lines of a block itself.
    fn own(&self, block: BlockId, name: &str) -> Vec<String> {
        let here =
            |setting: &&stekguard::model::Setting| setting.block == block && setting.name == name;
        let lines = self.0.settings.iter().filter(here);
        lines.map(|setting| setting.arguments.join(" ")).collect()
    }

    /// The lines of a block, or of the one around it.
    fn texts(&self, block: BlockId, name: &str) -> Vec<String> {
        let own = self.own(block, name);
        match (own.is_empty(), self.parent(block)) {
            (true, Some(parent)) => self.own(parent, name),
            _ => own,
        }
    }

    fn tickets(&self, block: BlockId) -> bool {
        let written = self.texts(block, "ssl_session_tickets");
        let on = !written
            .first()
            .is_some_and(|text| text.eq_ignore_ascii_case("off"));
        match self.command(block, "sessionticket") {
            Some(text) => !text.trim_end().ends_with("-sessionticket"),
            None => on,
        }
    }

    fn cache(&self, block: BlockId) -> String {
        let words = self.texts(block, "ssl_session_cache").join(" ");
        let kind = words.split(' ').rfind(|word| !word.starts_with("shared"));
        match kind {
            Some("") if words.is_empty() => "none".to_owned(),
            Some(kind) => kind.to_owned(),
            None => "shared".to_owned(),
        }
    }

    fn zone(&self, block: BlockId) -> Option<String> {
        let words = self.texts(block, "ssl_session_cache").join(" ");
        let zone = words.split(' ').rfind(|word| word.starts_with("shared"));
        zone.map(str::to_owned)
    }

    fn command(&self, block: BlockId, word: &str) -> Option<String> {
        let lines = self.texts(block, "ssl_conf_command");
        let mut lines = lines.iter().map(|line| line.to_ascii_lowercase());
        lines.rfind(|line| line.contains(word))
    }

    fn verifies(&self, block: BlockId) -> bool {
        let written = self.texts(block, "ssl_verify_client");
        written.first().is_some_and(|text| text != "off")
    }
}
