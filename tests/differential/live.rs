//! A tree on disk and the server that runs it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::client;
use super::world::{KEYS, World};
use crate::generator::nginx::{Ability, Address, Tree};
use crate::generator::print::Files;
use crate::generator::rng::Rng;
use crate::support::install::{Program, is_root};
use crate::support::nginx::arguments;
use crate::support::server::{self, Server};

/// A tree's files in a folder of their own.
pub struct Site {
    dir: TempDir,
    pub root: PathBuf,
    ports: Vec<u16>,
}

impl Site {
    /// Writes the files with all placeholders filled in.
    pub fn write(files: &Files, tree: &Tree, world: &World) -> Self {
        let dir = TempDir::with_prefix("stekguard-tree-").unwrap();
        let ports = ports(tree.ports);
        let fill = |text: &str| {
            let mut text = text
                .replace("{d}", &dir.path().display().to_string())
                .replace("{w}", &world.path().display().to_string());
            for (index, port) in ports.iter().enumerate() {
                text = text.replace(&format!("{{p{index}}}"), &port.to_string());
            }
            text
        };
        fs::create_dir(dir.path().join("keys")).unwrap();
        for (stem, _) in KEYS {
            fs::copy(world.key(stem), dir.path().join(format!("keys/{stem}.key"))).unwrap();
        }
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, fill(text)).unwrap();
        }
        let root = dir.path().join("nginx.conf");
        Self { dir, root, ports }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What `nginx -t` says of it: the error alone.
    pub fn tested(&self, program: &Program) -> Result<(), String> {
        let mut args = arguments(self.path(), &self.root);
        args.push("-t".to_owned());
        let (accepted, output) = server::accepts(&program.path, &args);
        if accepted {
            return Ok(());
        }
        let error = output.lines().find(|line| line.contains("[emerg]"));
        Err(error.unwrap_or(&output).to_owned())
    }

    /// Runs it.
    pub fn start(&self, program: &Program, tree: &Tree) -> Server {
        let log = self.path().join("error.log");
        Server::start_when(
            &program.path,
            &arguments(self.path(), &self.root),
            &[log],
            || {
                tree.addresses
                    .iter()
                    .any(|address| client::listens(self.reached(address)))
            },
        )
    }

    /// Where a client reaches an address.
    pub fn reached(&self, address: &Address) -> SocketAddr {
        SocketAddr::from((address.ip, self.ports[address.port]))
    }

    /// An address as the contract writes it.
    pub fn named(&self, address: &Address) -> String {
        let port = self.ports[address.port];
        match address.ip {
            [127, 0, 0, 1] => format!("127.0.0.1:{port}"),
            _ => format!("*:{port}"),
        }
    }
}

/// What a server can do and what this machine needs.
pub fn ability(program: &Program) -> Ability {
    let mut main = vec![
        "daemon off".to_owned(),
        "pid {d}/nginx.pid".to_owned(),
        "error_log {d}/error.log warn".to_owned(),
    ];
    if is_root() {
        main.push("user root".to_owned());
    }
    Ability {
        stream_names: program.at_least([1, 25, 5]),
        stream_module: crate::support::install::nginx_stream(program),
        main,
    }
}

/// Ports that nobody listens on, neither on one address nor on all: below the range from which
/// the kernel gives ports to clients, anywhere in it, so that tests beside this one rarely meet.
fn ports(count: usize) -> Vec<u16> {
    const FIRST: usize = 15_000;
    const SPAN: usize = 16_000;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut rng =
        Rng::new(u64::from(std::process::id()) << 32 | NEXT.fetch_add(1, Ordering::Relaxed));
    let mut free: Vec<u16> = Vec::new();
    for _ in 0..SPAN {
        if free.len() == count {
            return free;
        }
        let port = (FIRST + rng.below(SPAN)) as u16;
        if !free.contains(&port) && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            free.push(port);
        }
    }
    panic!("no free port on loopback");
}
