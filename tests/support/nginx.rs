//! Writes a table's group as an nginx configuration and starts it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::authority::Authority;
use super::certs::{self, Pair};
use super::client::{Manner, Speech, Target};
use super::install::{Program, is_root};
use super::server::{Server, free_address};
use super::table::{Block, Group, Row, Running};

/// Two workers that the kernel hands connections at random (reuseport), so that a cache of one
/// process shows.
const WORKERS: usize = 2;

/// Starts one group.
///
/// # Panics
/// nginx refuses the configuration or does not start.
pub fn start(program: &Program, group: &Group) -> Running {
    start_as(program, group, Speech::Http)
}

/// Starts one group whose servers speak this; mail has one server an address.
///
/// # Panics
/// nginx refuses the configuration or does not start.
pub fn start_as(program: &Program, group: &Group, speech: Speech) -> Running {
    let dir = TempDir::with_prefix("nginx-live-").unwrap();
    let nonce = certs::nonce();
    let folder = Folder::new(dir.path(), &group.rows, &nonce);
    let beacon = free_address();
    let addresses: Vec<_> = group.rows.iter().map(|_| free_address()).collect();

    let first = folder.server(beacon, &beacon_block(), "ssl reuseport");
    let mut servers = String::new();
    for (row, (index, address)) in group.rows.iter().zip(addresses.iter().enumerate()) {
        let zone = format!("row{index}");
        let blocks: String = (row.blocks.iter().enumerate())
            .map(|(position, block)| match speech {
                Speech::Http => folder.server(*address, block, &listen("ssl", position)),
                Speech::Quic => folder.server(*address, block, &listen("quic", position)),
                Speech::Mail(protocol) => folder.mail(*address, block, protocol.word(), true),
                Speech::StartTls(protocol) => folder.mail(*address, block, protocol.word(), false),
            })
            .collect();
        servers.push_str(&blocks.replace("{zone}", &zone));
    }
    let root = dir.path().join("nginx.conf");
    let outside = group.outside.replace("{zone}", "outside");
    let text = match speech {
        Speech::Http | Speech::Quic => {
            main_file(dir.path(), &format!("{outside}\n{first}{servers}"))
        }
        // The beacon alone speaks HTTP.
        Speech::Mail(_) | Speech::StartTls(_) => {
            let mail = format!("mail {{\n    auth_http 127.0.0.1:1;\n{outside}\n{servers}}}\n");
            main_file(dir.path(), &first) + &mail
        }
    };
    fs::write(&root, text).unwrap();

    let beacon = Target {
        address: beacon,
        sni: Some("beacon.test".to_owned()),
        nonce,
    };
    let server = serve(program, dir.path(), &root, &beacon);
    // Mail chooses no server by name.
    let by_name = matches!(speech, Speech::Http | Speech::Quic);
    let targets = group.rows.iter().zip(&addresses).map(|(row, address)| {
        row.blocks
            .iter()
            .map(|block| beacon.at(*address, if by_name { block.name } else { "" }))
            .collect()
    });
    let targets = targets.collect();
    let manner = |block: &Block| Manner {
        identity: block.client.map(|index| folder.clients[index].clone()),
        speech,
        host: None,
    };
    let manners = group.rows.iter();
    let manners = manners.map(|row| row.blocks.iter().map(manner).collect());
    let manners = manners.collect();
    Running {
        server,
        dir,
        root,
        targets,
        manners,
    }
}

/// Starts nginx with a configuration that exists and holds `beacon`.
pub fn serve(program: &Program, dir: &Path, root: &Path, beacon: &Target) -> Server {
    let log = dir.join("error.log");
    Server::start(
        &program.path,
        &arguments(dir, root),
        &[root.to_owned(), log],
        beacon,
    )
}

/// Arguments that keep every path inside `dir`; add `-t` to test only.
pub fn arguments(dir: &Path, root: &Path) -> Vec<String> {
    let text = |path: PathBuf| path.display().to_string();
    let log = text(dir.join("error.log"));
    [
        "-p".to_owned(),
        text(dir.to_owned()),
        "-e".to_owned(),
        log,
        "-c".to_owned(),
    ]
    .into_iter()
    .chain([text(root.to_owned())])
    .collect()
}

/// A main file around `http`, what stands in its http block.
pub fn main_file(dir: &Path, http: &str) -> String {
    let dir = dir.display();
    let user = if is_root() { "user root;\n" } else { "" };
    format!(
        "{user}daemon off;\npid {dir}/nginx.pid;\nerror_log {dir}/error.log info;\n\
         worker_processes {WORKERS};\nevents {{\n    worker_connections 512;\n}}\n\
         http {{\n    access_log off;\n    client_body_temp_path {dir}/body;\n    \
         proxy_temp_path {dir}/proxy;\n{http}}}\n"
    )
}

fn beacon_block() -> Block {
    let state = super::observe::State::ON;
    Block::new("beacon.test", "ssl_protocols TLSv1.2 TLSv1.3;", state)
}

/// The parameters of `listen`: the first block of an address gives its socket's.
fn listen(how: &str, position: usize) -> String {
    let reuse = if position == 0 { " reuseport" } else { "" };
    format!("{how}{reuse}")
}

/// The certificates and key files of one run.
struct Folder {
    certs: [Pair; 2],
    /// Of the first authority, of the second, and one more of the first. `one.crl` revokes the
    /// first client.
    clients: [Pair; 3],
    dir: PathBuf,
}

impl Folder {
    fn new(dir: &Path, rows: &[Row], nonce: &str) -> Self {
        let names = names(rows);
        let cert = |stem| certs::self_signed(dir, stem, &names, nonce);
        // nginx takes keys of both lengths.
        certs::ticket_key(&dir.join("k1.key"), 48);
        certs::ticket_key(&dir.join("k2.key"), 80);
        let (first, second) = (Authority::new(dir, "ca1"), Authority::new(dir, "ca2"));
        first.revoke(dir, "one", 2);
        Self {
            certs: [cert("one"), cert("two")],
            clients: [
                first.client(dir, "client1", 2),
                second.client(dir, "client2", 2),
                first.client(dir, "client3", 3),
            ],
            dir: dir.to_owned(),
        }
    }

    fn mail(&self, address: SocketAddr, block: &Block, protocol: &str, implicit: bool) -> String {
        let Pair { cert, key } = &self.certs[block.cert];
        let ssl = if implicit { " ssl" } else { "" };
        let starttls = match (implicit, protocol) {
            (true, _) => "",
            (_, "imap") => "        starttls only;\n",
            _ => "        starttls on;\n",
        };
        format!(
            "    server {{\n        listen {address}{ssl};\n        protocol {protocol};\n{starttls}        \
             ssl_certificate {};\n        ssl_certificate_key {};\n{}    }}\n",
            cert.display(),
            key.display(),
            self.lines(block)
        )
    }

    /// What stands in a block besides address, name and certificate.
    fn lines(&self, block: &Block) -> String {
        let lines = block
            .lines
            .replace("{dir}", &self.dir.display().to_string());
        lines
            .lines()
            .map(|line| format!("        {}\n", line.trim()))
            .collect()
    }

    fn server(&self, address: SocketAddr, block: &Block, how: &str) -> String {
        let Pair { cert, key } = &self.certs[block.cert];
        let (name, listen) = (block.name, block.listen);
        let name = if name.is_empty() { "_" } else { name };
        let lines = self.lines(block);
        format!(
            "    server {{\n        listen {address} {how}{listen};\n        server_name {name};\n        \
             ssl_certificate {};\n        ssl_certificate_key {};\n{lines}        \
             return 200 \"served by {name}\\n\";\n    }}\n",
            cert.display(),
            key.display()
        )
    }
}

/// The names of all blocks, for the certificates.
pub fn names(rows: &[Row]) -> Vec<&'static str> {
    let mut names: Vec<_> = rows
        .iter()
        .flat_map(|row| &row.blocks)
        .map(|b| b.name)
        .collect();
    names.extend(["beacon.test"]);
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}
