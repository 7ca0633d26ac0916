//! Truth tables as data, and their observation on a real server.

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
    pub(super) family: usize,
    pub(super) groups: Vec<GroupSeen>,
}

#[derive(Debug)]
pub(super) struct GroupSeen {
    pub(super) inspect: Result<Value, String>,
    pub(super) rows: Vec<RowSeen>,
}

#[derive(Debug)]
pub(super) struct RowSeen {
    pub(super) row: Row,
    pub(super) targets: Vec<Target>,
    pub(super) blocks: Vec<Result<Seen, String>>,
    pub(super) crossings: Vec<(usize, usize, Kind, String)>,
    pub(super) nameless: Option<String>,
    pub(super) keys: Vec<(&'static str, Vec<u8>)>,
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

/// The key names of the files `k1.key` and `k2.key`.
fn keys_in(running: &Running) -> Vec<(&'static str, Vec<u8>)> {
    let name = |stem: &'static str| {
        let bytes = std::fs::read(running.dir.path().join(format!("{stem}.key"))).unwrap();
        (stem, bytes[..16].to_vec())
    };
    vec![name("k1"), name("k2")]
}
