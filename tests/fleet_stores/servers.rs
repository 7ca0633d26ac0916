//! Real servers on free ports: each is proven to be the one that was started, and ended by its
//! own number.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::{SslConnector, SslMethod};
use stekguard::keys::fleet::store::Access;

use crate::contract::Way;

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) dir: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a line and reads until the answer holds this.
pub(crate) fn ask(port: u16, line: &str, until: &str) -> Option<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
    socket.write_all(line.as_bytes()).ok()?;
    told(&mut socket, until)
}

fn told(socket: &mut dyn Read, until: &str) -> Option<String> {
    let mut said = Vec::new();
    let mut some = [0; 4096];
    while !String::from_utf8_lossy(&said).contains(until) {
        match socket.read(&mut some) {
            Ok(count) if count > 0 => said.extend_from_slice(&some[..count]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&said).into_owned())
}

impl Server {
    /// Starts a program, again on another port where somebody else took it, and waits until
    /// `pid` tells the number of the process that answers there.
    fn start(
        dir: &Path,
        command: impl Fn(u16) -> Command,
        pid: impl Fn(u16) -> Option<u32>,
        port: Option<u16>,
    ) -> Self {
        for _ in 0..5 {
            let port = port.unwrap_or_else(free_port);
            let log = fs::File::create(dir.join("log")).unwrap();
            let child = command(port)
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap();
            let mut server = Self {
                child,
                port,
                dir: dir.to_owned(),
            };
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(20) {
                if server.child.try_wait().unwrap().is_some() {
                    break;
                }
                if pid(port) == Some(server.pid()) {
                    return server;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        panic!(
            "no server: {}",
            fs::read_to_string(dir.join("log")).unwrap()
        );
    }

    /// A Redis that everybody may use, without files.
    pub(crate) fn redis(dir: &Path, more: &[&str], port: Option<u16>) -> Self {
        let command = |port: u16| {
            let mut command = Command::new("redis-server");
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
            command.arg("--dir").arg(dir).args(more);
            command
        };
        let pid = |port| number(&ask(port, "INFO server\r\n", "process_id:")?, "process_id:");
        Self::start(dir, command, pid, port)
    }

    /// A Redis of a configuration file with TLS, which lets `operator` ask for its number.
    pub(crate) fn redis_tls(
        dir: &Path,
        text: impl Fn(u16) -> String,
        authority: &Path,
        hello: &str,
    ) -> Self {
        let command = |port: u16| {
            let file = dir.join("redis.conf");
            fs::write(&file, text(port)).unwrap();
            let mut command = Command::new("redis-server");
            command.arg(file);
            command
        };
        let pid = |port| {
            let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
            builder.set_ca_file(authority).unwrap();
            let socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
            let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
            let mut stream = builder.build().connect("127.0.0.1", socket).ok()?;
            stream
                .write_all(format!("{hello}INFO server\r\n").as_bytes())
                .ok()?;
            number(&told(&mut stream, "process_id:")?, "process_id:")
        };
        Self::start(dir, command, pid, None)
    }

    /// A Redis of a configuration file without TLS.
    pub(crate) fn redis_of(dir: &Path, text: impl Fn(u16) -> String, hello: &str) -> Self {
        let command = |port: u16| {
            let file = dir.join("redis.conf");
            fs::write(&file, text(port)).unwrap();
            let mut command = Command::new("redis-server");
            command.arg(file);
            command
        };
        let asked = format!("{hello}INFO server\r\n");
        let pid = |port| number(&ask(port, &asked, "process_id:")?, "process_id:");
        Self::start(dir, command, pid, None)
    }

    pub(crate) fn memcached(dir: &Path, more: &[&str]) -> Self {
        let command = |port: u16| {
            let mut command = Command::new("memcached");
            command.args(["-p", &port.to_string(), "-l", "127.0.0.1", "-U", "0"]);
            if rustix::process::geteuid().is_root() {
                command.args(["-u", "nobody"]);
            }
            command.args(more);
            command
        };
        Self::start(dir, command, memcached_pid, None)
    }

    /// A memcached of a list of options, one a line, as the printed file has them.
    pub(crate) fn memcached_of(dir: &Path, text: impl Fn(u16) -> String) -> Self {
        let command = |port: u16| {
            let mut command = Command::new("memcached");
            for line in text(port).lines().filter(|line| line.starts_with('-')) {
                command.args(line.split(' '));
            }
            command
        };
        Self::start(dir, command, memcached_pid, None)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn way(&self, scheme: &str) -> Way {
        Way {
            url: format!("{scheme}://127.0.0.1:{}", self.port),
            access: Access::default(),
        }
    }
}

fn memcached_pid(port: u16) -> Option<u32> {
    number(&ask(port, "stats\r\n", "END")?, "STAT pid ")
}

fn number(text: &str, before: &str) -> Option<u32> {
    let rest = text.split_once(before)?.1;
    rest.split(['\r', '\n']).next()?.trim().parse().ok()
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
