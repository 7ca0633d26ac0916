//! A real server as a child process on loopback: started, proven to be ours, stopped by its own
//! pid.
//!
//! A small shell holds the server on a leash, its standard input: when this process ends in
//! whatever way, the pipe closes and the server is stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Kind, Target, connect};

const LEASH: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- >"$LOG" 2>&1 &
server=$!
echo "$server"
exec >/dev/null
( cat <&3 >/dev/null; kill -TERM "$server" ) 2>/dev/null &
leash=$!
wait "$server"; status=$?
kill "$leash" 2>/dev/null
exit "$status"
"#;
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(20);

/// A running server; dropping it stops it and waits until it is gone.
#[derive(Debug)]
pub struct Server {
    leash: Child,
    hold: Option<ChildStdin>,
    pid: u32,
    logs: Vec<PathBuf>,
}

impl Server {
    /// Starts `program` in the foreground and waits until `beacon` answers with its nonce.
    /// `logs` are shown if that fails.
    ///
    /// # Panics
    /// The server does not start, or another one answers.
    pub fn start(program: &Path, args: &[String], logs: &[PathBuf], beacon: &Target) -> Self {
        let mut server = Self::spawn(program, args, logs);
        server.wait_for(beacon);
        server
    }

    fn spawn(program: &Path, args: &[String], logs: &[PathBuf]) -> Self {
        let output = logs[0].with_extension("out");
        let mut leash = Command::new("/bin/sh")
            .args(["-c", LEASH, "leash"])
            .arg(program)
            .args(args)
            .env("LOG", &output)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let hold = leash.stdin.take();
        let mut line = String::new();
        BufReader::new(leash.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let pid = line.trim().parse().unwrap();
        let logs = [&[output], logs].concat();
        Self {
            leash,
            hold,
            pid,
            logs,
        }
    }

    /// Starts `program` as `start` does and waits until `ready` says so.
    ///
    /// # Panics
    /// The server does not start.
    pub fn start_when(
        program: &Path,
        args: &[String],
        logs: &[PathBuf],
        ready: impl Fn() -> bool,
    ) -> Self {
        let mut server = Self::spawn(program, args, logs);
        let deadline = Instant::now() + START;
        while !ready() {
            if let Some(status) = server.leash.try_wait().unwrap() {
                panic!(
                    "the server ended at once ({status}):\n{}",
                    server.shown_logs()
                );
            }
            assert!(Instant::now() < deadline, "the server does not answer");
            thread::sleep(Duration::from_millis(2));
        }
        server
    }

    fn wait_for(&mut self, beacon: &Target) {
        let deadline = Instant::now() + START;
        loop {
            let why = match connect(beacon, Kind::Ticket12, None) {
                Ok(_) => return,
                Err(why) => why,
            };
            if let Some(status) = self.leash.try_wait().unwrap() {
                panic!(
                    "the server ended at once ({status}):\n{}",
                    self.shown_logs()
                );
            }
            if Instant::now() > deadline {
                panic!("the server does not answer: {why}");
            }
            thread::sleep(STEP);
        }
    }

    fn shown_logs(&self) -> String {
        let show = |path: &PathBuf| {
            let text = fs::read(path).unwrap_or_default();
            let tail = &text[text.len().saturating_sub(4000)..];
            format!("--- {}\n{}", path.display(), String::from_utf8_lossy(tail))
        };
        self.logs.iter().map(show).collect()
    }

    /// Has the server read its configuration again, and waits until none of its processes is of
    /// before.
    ///
    /// # Panics
    /// That takes too long, or the server ends.
    pub fn reload(&self) {
        let before = self.children();
        let pid = self.pid.to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success(), "no process {pid}");
        let deadline = Instant::now() + STOP;
        loop {
            let now = self.children();
            if !now.is_empty() && now.iter().all(|child| !before.contains(child)) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no reload: {}",
                self.shown_logs()
            );
            thread::sleep(STEP);
        }
    }

    fn children(&self) -> Vec<String> {
        let children = format!("/proc/{0}/task/{0}/children", self.pid);
        let children = fs::read_to_string(children).unwrap_or_default();
        children.split_whitespace().map(str::to_owned).collect()
    }

    fn wait_gone(&mut self) -> bool {
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.leash.try_wait() {
                return true;
            }
            thread::sleep(STEP);
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.shown_logs());
        }
        let children = self.children();
        drop(self.hold.take());
        if self.wait_gone() && all_end(&children) {
            return;
        }
        // A process that does not heed TERM: end it and its children, by their ids.
        let pids = self.children().into_iter().chain([self.pid.to_string()]);
        let pids: Vec<String> = pids.chain(children).filter(|pid| lives(pid)).collect();
        if !pids.is_empty() {
            let _ = Command::new("kill").arg("-KILL").args(pids).status();
        }
        let _ = self.leash.wait();
    }
}

/// Waits for processes whose parent has ended: httpd's may hold its ports a moment longer, and the
/// next server that takes them would not start.
fn all_end(pids: &[String]) -> bool {
    let deadline = Instant::now() + STOP;
    while pids.iter().any(|pid| lives(pid)) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(STEP);
    }
    true
}

/// True for a process that has not ended; one that nobody has waited for holds nothing any more.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// Runs a configuration test; the output is both streams.
pub fn accepts(program: &Path, args: &[String]) -> (bool, String) {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A loopback address that nothing listens on. Taken below the range from which the kernel gives
/// ports to clients, each once a process, starting where this process's id says.
pub fn free_address() -> SocketAddr {
    const FIRST: u16 = 15_000;
    const SPAN: u16 = 16_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id().wrapping_mul(257) % u32::from(SPAN)) as u16;
    for _ in 0..SPAN {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + step % SPAN) % SPAN;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port on loopback");
}
