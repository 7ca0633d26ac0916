//! Truth tables as data, their observation on a real server, and the two comparisons: with what
//! the table says, and with what `inspect` says of the same files.

use std::path::PathBuf;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Kind, Manner, Target};
use super::inspect;
use super::observe::{Seen, State, cross, observe};
use super::server::Server;

/// One server process: what stands outside the blocks, and its rows.
#[derive(Debug, Clone)]
pub struct Group {
    pub outside: &'static str,
    pub rows: Vec<Row>,
}

/// Blocks that share one address, in file order.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: &'static str,
    pub blocks: Vec<Block>,
    pub crossings: Vec<Crossing>,
    /// A session of TLS 1.3 that was made without SNI, and so at the first block, offered at the
    /// second.
    pub nameless: Option<[&'static str; 3]>,
    /// httpd: the Listen names the protocol and no block has SSLEngine.
    pub implicit: bool,
}

/// One server or virtual host, with what a client must see there.
#[derive(Debug, Clone)]
pub struct Block {
    /// The name by which it is reached; empty: without SNI, as the default of the address.
    pub name: &'static str,
    /// Its directives, besides address, name and certificate.
    pub lines: &'static str,
    /// nginx: parameters of listen.
    pub listen: &'static str,
    /// Certificate 0 or 1; both name every block.
    pub cert: usize,
    /// Which of the clients' certificates is shown here, if any.
    pub client: Option<usize>,
    /// By family: nginx before 1.23.2, 1.27.4 to 1.29.1, and since 1.29.2, where another block
    /// decides; httpd has one family alone.
    pub want: [Want; 3],
}

/// What a client must see.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    pub state: State,
    /// An id is sent in TLS 1.2, even one that never resumes.
    pub id_sent: bool,
    pub tickets13: usize,
    /// The key file whose name stands in front of the tickets.
    pub key: Option<&'static str>,
    /// Connections that fail with these words, instead of a state.
    pub broken: Option<[&'static str; 2]>,
}

/// A session of one block offered at another.
#[derive(Debug, Clone, Copy)]
pub struct Crossing {
    pub from: usize,
    pub to: usize,
    pub kind: Kind,
    pub want: [&'static str; 3],
}

/// A started group.
#[derive(Debug)]
pub struct Running {
    pub server: Server,
    pub dir: TempDir,
    pub root: PathBuf,
    /// By row and block.
    pub targets: Vec<Vec<Target>>,
    /// By row and block.
    pub manners: Vec<Vec<Manner>>,
}

/// All that was seen of a table.
#[derive(Debug)]
pub struct Outcome {
    /// Which of the `want`s holds.
    family: usize,
    groups: Vec<GroupSeen>,
}

#[derive(Debug)]
struct GroupSeen {
    inspect: Result<Value, String>,
    rows: Vec<RowSeen>,
}

#[derive(Debug)]
struct RowSeen {
    row: Row,
    targets: Vec<Target>,
    blocks: Vec<Result<Seen, String>>,
    crossings: Vec<(usize, usize, Kind, String)>,
    nameless: Option<String>,
    keys: Vec<(&'static str, Vec<u8>)>,
}

impl Outcome {
    /// Starts each group, judges every block and crossing by a client, asks `inspect` about the
    /// same files, and stops the server. `server_version` is the flag's value.
    pub fn observed(
        groups: Vec<Group>,
        family: usize,
        server_version: &str,
        start: impl Fn(&Group) -> Running,
    ) -> Self {
        Self::observed_with(groups, family, &["--server-version", server_version], start)
    }

    /// The same with these arguments of `inspect`.
    pub fn observed_with(
        groups: Vec<Group>,
        family: usize,
        arguments: &[&str],
        start: impl Fn(&Group) -> Running,
    ) -> Self {
        let see = |group: Group| {
            let running = start(&group);
            let inspect = inspect::inspect_with(&running.root, arguments);
            let keys = keys_in(&running);
            let rows = rows_seen(&group.rows, |index, row| {
                let (targets, manners) = (&running.targets[index], &running.manners[index]);
                RowSeen::new(row.clone(), targets, manners, &keys)
            });
            GroupSeen { inspect, rows }
        };
        Self {
            family,
            groups: groups.into_iter().map(see).collect(),
        }
    }

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

/// Rows have addresses of their own: some are looked at side by side, since much of a look is
/// waiting for packets.
fn rows_seen<T: Send>(rows: &[Row], see: impl Fn(usize, &Row) -> T + Sync) -> Vec<T> {
    const SIDE_BY_SIDE: usize = 8;
    let size = rows.len().div_ceil(SIDE_BY_SIDE).max(1);
    let see = &see;
    let look = move |chunk: usize, rows: &[Row]| -> Vec<T> {
        let rows = rows.iter().enumerate();
        rows.map(|(index, row)| see(chunk * size + index, row))
            .collect()
    };
    thread::scope(|scope| {
        let chunks = rows.chunks(size).enumerate();
        let threads = chunks.map(|(chunk, rows)| scope.spawn(move || look(chunk, rows)));
        let threads: Vec<_> = threads.collect();
        let seen = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        seen.collect()
    })
}

impl RowSeen {
    fn new(
        row: Row,
        targets: &[Target],
        manners: &[Manner],
        keys: &[(&'static str, Vec<u8>)],
    ) -> Self {
        let blocks = manners.iter().zip(targets);
        let blocks = blocks.map(|(manner, target)| observe(manner, target));
        let blocks: Vec<_> = blocks.collect();
        let mut crossings = Vec::new();
        for (from, to) in pairs(&row, targets.len()) {
            for kind in [Kind::Id12, Kind::Ticket12, Kind::Tls13] {
                let word = cross(&manners[from], &targets[from], &targets[to], kind);
                let word = word.map_or("unreachable".to_owned(), str::to_owned);
                crossings.push((from, to, kind, word));
            }
        }
        let nameless = row.nameless.map(|_| {
            let from = targets[0].at(targets[0].address, "");
            let word = cross(&manners[0], &from, &targets[1], Kind::Tls13);
            word.map_or_else(|why| why, str::to_owned)
        });
        Self {
            row,
            targets: targets.to_vec(),
            blocks,
            crossings,
            nameless,
            keys: keys.to_vec(),
        }
    }
}

/// Every ordered pair of two blocks; none where a block's handshakes are broken by design.
fn pairs(row: &Row, count: usize) -> Vec<(usize, usize)> {
    if row
        .blocks
        .iter()
        .any(|block| block.want[0].broken.is_some())
    {
        return Vec::new();
    }
    let all = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    all.filter(|(from, to)| from != to).collect()
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

/// The key names of the files `k1.key` and `k2.key`.
fn keys_in(running: &Running) -> Vec<(&'static str, Vec<u8>)> {
    let name = |stem: &'static str| {
        let bytes = std::fs::read(running.dir.path().join(format!("{stem}.key"))).unwrap();
        (stem, bytes[..16].to_vec())
    };
    vec![name("k1"), name("k2")]
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
