//! What was seen of a truth table against what it says, and against what `inspect` says of the
//! same files.

use serde_json::Value;

use super::inspect;
use super::observe::{Seen, State};
use super::table::{Block, Outcome, RowSeen, Want};

impl Outcome {
    /// The live server against the table.
    ///
    /// # Panics
    /// Any row differs; the message lists all that do.
    pub fn equals_table(&self) {
        let mut wrong = Vec::new();
        let mut judged = 0;
        for row in self.rows() {
            for (block, seen) in row.row.blocks.iter().zip(&row.blocks) {
                judged += 1;
                let text = block.want[self.family].difference(seen, &row.keys);
                let place = format!("{}: {}", row.row.name, block.shown());
                wrong.extend(text.map(|text| format!("{place}\n{text}")));
            }
        }
        report("blocks against the table", judged, &wrong);
    }

    /// Crossings between names against the table.
    ///
    /// # Panics
    /// Any differs.
    pub fn crossings_equal_table(&self) {
        let mut wrong = Vec::new();
        let mut judged = 0;
        for row in self.rows() {
            for want in &row.row.crossings {
                judged += 1;
                let place = (want.from, want.to, want.kind);
                let seen = row
                    .crossings
                    .iter()
                    .find(|seen| (seen.0, seen.1, seen.2) == place);
                let seen = seen.map_or("not observed", |seen| seen.3.as_str());
                let wanted = want.want[self.family];
                if seen != wanted {
                    wrong.push(format!(
                        "{}: {place:?}: table {wanted}, live {seen}",
                        row.row.name
                    ));
                }
            }
            if let (Some(want), Some(seen)) = (row.row.nameless, &row.nameless) {
                judged += 1;
                let wanted = want[self.family];
                if seen != wanted {
                    let name = row.row.name;
                    wrong.push(format!("{name}: without SNI: table {wanted}, live {seen}"));
                }
            }
        }
        report("crossings against the table", judged, &wrong);
    }

    /// `inspect` against the live server, block by block.
    ///
    /// # Panics
    /// Any endpoint differs or is missing.
    pub fn equals_inspect(&self) {
        let mut wrong = Vec::new();
        let mut judged = 0;
        self.each_inspected(&mut wrong, |document, row, wrong| {
            for (index, seen) in row.blocks.iter().enumerate() {
                let Ok(seen) = seen else { continue };
                judged += 1;
                let wanted = row.row.blocks[index].want[self.family].state;
                let key = seen.key(&row.keys);
                let live = format!("{} key={key:?}", seen.with_hidden_life(wanted));
                let said = inspect::endpoint(document, &row.targets[index]);
                let said = said.map_or_else(|why| why, inspect::state_line);
                if said != live {
                    let place = row.row.blocks[index].shown();
                    let name = row.row.name;
                    wrong.push(format!(
                        "{name}: {place}\n  live    {live}\n  inspect {said}"
                    ));
                }
            }
        });
        report("blocks against inspect", judged, &wrong);
    }

    /// `inspect`'s domains and crossings against the live server: every pair of every row.
    ///
    /// # Panics
    /// Any differs.
    pub fn crossings_equal_inspect(&self) {
        let mut wrong = Vec::new();
        let mut judged = 0;
        self.each_inspected(&mut wrong, |document, row, wrong| {
            for (from, to, kind, live) in &row.crossings {
                // What a rejecting server does is in the table: `inspect` has no state for it.
                if row.row.blocks[*to].want[self.family].state == State::REJECTS {
                    continue;
                }
                judged += 1;
                let live = match live.as_str() {
                    "none" | "full" => "no",
                    live => live,
                };
                let said =
                    inspect::crossing(document, &row.targets[*from], &row.targets[*to], *kind);
                let said = said.map_or_else(|why| why, str::to_owned);
                // `inspect` has one word for all protocols; a session that is resumed, with its
                // request refused, is between the two.
                let between =
                    live.starts_with("resumes, ") && matches!(said.as_str(), "resumes" | "fails");
                if said != live && !between {
                    let name = row.row.name;
                    wrong.push(format!(
                        "{name}: {from}->{to} {kind:?}: live {live}, inspect {said}"
                    ));
                }
            }
        });
        report("crossings against inspect", judged, &wrong);
    }

    /// `inspect` gives every address of the rows this transport.
    ///
    /// # Panics
    /// It gives one another.
    pub fn every_transport_is(&self, wanted: &str) {
        let mut wrong = Vec::new();
        let mut judged = 0;
        self.each_inspected(&mut wrong, |document, row, wrong| {
            for target in &row.targets {
                judged += 1;
                match inspect::endpoint(document, target) {
                    Ok(endpoint) if endpoint["transport"] == wanted => {}
                    Ok(endpoint) => wrong.push(endpoint["transport"].to_string()),
                    Err(why) => wrong.push(why),
                }
            }
        });
        report("transports", judged, &wrong);
    }

    fn each_inspected(
        &self,
        wrong: &mut Vec<String>,
        mut judge: impl FnMut(&Value, &RowSeen, &mut Vec<String>),
    ) {
        for group in &self.groups {
            match &group.inspect {
                Ok(document) => group
                    .rows
                    .iter()
                    .for_each(|row| judge(document, row, wrong)),
                Err(why) => wrong.push(why.clone()),
            }
        }
    }

    fn rows(&self) -> impl Iterator<Item = &RowSeen> {
        self.groups.iter().flat_map(|group| &group.rows)
    }
}

impl Want {
    fn difference(
        &self,
        seen: &Result<Seen, String>,
        keys: &[(&'static str, Vec<u8>)],
    ) -> Option<String> {
        let seen = match (seen, self.broken) {
            (Err(why), Some(words)) if words.iter().all(|word| why.contains(word)) => return None,
            (Err(why), _) => return Some(format!("  live  {why}")),
            (Ok(seen), _) => seen,
        };
        let live_state = seen.with_hidden_life(self.state);
        let table = format!(
            "{} id_sent={} tickets13={} key={:?}",
            self.state, self.id_sent, self.tickets13, self.key
        );
        let key = seen.key(keys);
        let live = format!(
            "{live_state} id_sent={} tickets13={} key={key:?}",
            seen.id_sent, seen.tickets13
        );
        if table != live || self.broken.is_some() {
            return Some(format!("  table {table}\n  live  {live}"));
        }
        let beside = seen.id_beside_ticket;
        // A server without tickets treats a client that offers them like one that does not.
        let alike = beside == "ticket" || seen.state.id == "unavailable" || beside == seen.state.id;
        (!alike).then(|| format!("  a client that offers tickets resumes by id: {beside}"))
    }
}

impl Seen {
    /// The key file whose name stands in front of the tickets.
    fn key(&self, keys: &[(&'static str, Vec<u8>)]) -> Option<&'static str> {
        let named = |name: &Option<Vec<u8>>| {
            let found = keys.iter().find(|(_, bytes)| Some(bytes) == name.as_ref());
            found.map(|(stem, _)| *stem)
        };
        named(&self.key_names.0).or_else(|| named(&self.key_names.1))
    }

    /// The lifetime of a TLS 1.2 session without a ticket is not sent: taken from the table.
    fn with_hidden_life(&self, table: State) -> State {
        let mut state = self.state;
        if state.ticket == "none" && state.id != "never" {
            state.life.0 = table.life.0;
        }
        state
    }
}

impl Block {
    fn shown(&self) -> String {
        format!("[{}] {}", self.name, self.lines.replace('\n', " "))
    }
}

fn report(what: &str, judged: usize, wrong: &[String]) {
    println!("{what}: {judged} judged, {} differ", wrong.len());
    assert!(
        wrong.is_empty(),
        "{what}: {} of {judged} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(judged > 0, "{what}: nothing was judged");
}
