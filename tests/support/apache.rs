//! Writes a table's group as an httpd configuration and starts it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::certs::{self, Pair};
use super::client::{Manner, Target};
use super::install::{Program, apache_modules, is_root};
use super::nginx::names;
use super::server::{Server, free_address};
use super::table::{Block, Group, Running};

const MODULES: [&str; 6] = [
    "mpm_event",
    "authz_core",
    "headers",
    "socache_shmcb",
    "socache_dbm",
    "ssl",
];

/// Starts one group.
///
/// # Panics
/// httpd refuses the configuration or does not start.
pub fn start(program: &Program, group: &Group) -> Running {
    let dir = server_root();
    let nonce = certs::nonce();
    let names = names(&group.rows);
    let cert = |stem| certs::self_signed(dir.path(), stem, &names, &nonce);
    let pairs = [cert("one"), cert("two")];
    certs::ticket_key(&dir.path().join("k1.key"), 48);
    certs::ticket_key(&dir.path().join("k2.key"), 48);

    let beacon = free_address();
    let mut text = format!("Listen {beacon}\n{}\n", group.outside);
    let block = Block::new("beacon.test", "", super::observe::State::ON);
    text.push_str(&vhost(&beacon.to_string(), &block, &pairs[0], true));
    let addresses: Vec<_> = group.rows.iter().map(|_| free_address()).collect();
    for (row, address) in group.rows.iter().zip(&addresses) {
        let protocol = if row.implicit { " https" } else { "" };
        let _ = writeln!(text, "Listen {address}{protocol}");
        for block in &row.blocks {
            text.push_str(&vhost(
                &address.to_string(),
                block,
                &pairs[block.cert],
                !row.implicit,
            ));
        }
    }
    let text = text.replace("{dir}", &dir.path().display().to_string());
    let root = dir.path().join("apache2.conf");
    fs::write(&root, main_file(dir.path(), &text)).unwrap();

    let beacon = Target {
        address: beacon,
        sni: Some("beacon.test".to_owned()),
        nonce,
    };
    let server = serve(program, dir.path(), &root, &beacon);
    let targets = group.rows.iter().zip(&addresses).map(|(row, address)| {
        row.blocks
            .iter()
            .map(|block| beacon.at(*address, block.name))
            .collect()
    });
    let targets: Vec<Vec<Target>> = targets.collect();
    let manners = targets.iter().map(|row| vec![Manner::default(); row.len()]);
    Running {
        server,
        dir,
        root,
        manners: manners.collect(),
        targets,
    }
}

/// A folder that httpd's children may enter.
pub fn server_root() -> TempDir {
    let dir = TempDir::with_prefix("httpd-live-").unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Starts httpd with a configuration that exists and holds `beacon`.
pub fn serve(program: &Program, dir: &Path, root: &Path, beacon: &Target) -> Server {
    let mut args = arguments(dir, root);
    args.push("-DFOREGROUND".to_owned());
    Server::start(
        &program.path,
        &args,
        &[root.to_owned(), dir.join("error.log")],
        beacon,
    )
}

/// Arguments that name the root file and its folder; add `-t` to test only.
pub fn arguments(dir: &Path, root: &Path) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    vec!["-d".to_owned(), text(dir), "-f".to_owned(), text(root)]
}

/// A main file in front of `text`.
pub fn main_file(dir: &Path, text: &str) -> String {
    let folder = apache_modules();
    let modules = MODULES.iter().fold(String::new(), |mut lines, name| {
        let _ = writeln!(
            lines,
            "LoadModule {name}_module {}/mod_{name}.so",
            folder.display()
        );
        lines
    });
    let user = if is_root() {
        "User www-data\nGroup www-data\n"
    } else {
        ""
    };
    format!(
        "ServerRoot \"{0}\"\nDefaultRuntimeDir \"{0}\"\nPidFile \"{0}/httpd.pid\"\n\
         ErrorLog \"{0}/error.log\"\nLogLevel info\nServerName main.test\n{user}{modules}\
         StartServers 2\nMinSpareThreads 4\nMaxSpareThreads 64\nThreadsPerChild 8\n\
         MaxRequestWorkers 32\n{text}",
        dir.display()
    )
}

fn vhost(address: &str, block: &Block, pair: &Pair, engine: bool) -> String {
    let lines: String = block
        .lines
        .lines()
        .map(|line| format!("    {}\n", line.trim()))
        .collect();
    let name = block.name;
    let server_name = match name {
        "" => String::new(),
        // A block may be told apart by an alias alone.
        _ if lines.contains("ServerName") || lines.contains("ServerAlias") => String::new(),
        _ => format!("    ServerName {name}\n"),
    };
    let engine = if engine { "    SSLEngine on\n" } else { "" };
    format!(
        "<VirtualHost {address}>\n{server_name}{engine}    SSLCertificateFile {}\n    \
         SSLCertificateKeyFile {}\n    Header always set X-Served-By \"{name}\"\n{lines}\
         </VirtualHost>\n",
        pair.cert.display(),
        pair.key.display()
    )
}
