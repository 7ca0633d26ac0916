//! How long a ticket key and its sessions live on real nginx servers of three ages: over a reload,
//! over a restart, and while the server runs; against what is documented and what `inspect` says
//! replaces the key.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use support::certs::{self, Pair};
use support::client::{Kind, Target, connect};
use support::inspect;
use support::install::{self, Program};
use support::nginx;
use support::server::{Server, free_address};
use support::session::Issued;
use tempfile::TempDir;

/// A server's session settings before and after the reload, and what must be seen.
struct Case {
    name: &'static str,
    before: &'static str,
    after: &'static str,
    /// The reload: the key's name stays, the old session resumes.
    reload: [bool; 2],
    /// The restart after it, against what the reload left.
    restart: [bool; 2],
    /// What `inspect` says of `before`.
    replaced: &'static str,
    /// The key changes by itself while sessions come and go.
    rotates: bool,
}

const K1: &str = "ssl_session_ticket_key {dir}/k1.key;";
const K2: &str = "ssl_session_ticket_key {dir}/k2.key;";
const K2_K1: &str = "ssl_session_ticket_key {dir}/k2.key; ssl_session_ticket_key {dir}/k1.key;";
const K1_K2: &str = "ssl_session_ticket_key {dir}/k1.key; ssl_session_ticket_key {dir}/k2.key;";
const SHARED: &str = "ssl_session_cache shared:life:1m;";

/// `zone_keys`: the version keeps its ticket keys in the shared zone.
fn cases(zone_keys: bool) -> Vec<Case> {
    let same = |name, lines, kept: [[bool; 2]; 2], replaced| Case {
        name,
        before: lines,
        after: lines,
        reload: kept[0],
        restart: kept[1],
        replaced,
        rotates: false,
    };
    const GONE: [bool; 2] = [false, false];
    const KEPT: [bool; 2] = [true, true];
    let files = |name, before, after, reload| Case {
        after,
        reload,
        ..same(name, before, [KEPT, KEPT], "by-file")
    };
    let zone = |name, lines| Case {
        rotates: zone_keys,
        ..match zone_keys {
            true => same(name, lines, [KEPT, GONE], "automatic"),
            false => same(name, lines, [GONE, GONE], "reload"),
        }
    };
    vec![
        same("no cache, no key file", "", [GONE, GONE], "reload"),
        same(
            "a cache in each worker",
            "ssl_session_cache builtin;",
            [GONE, GONE],
            "reload",
        ),
        zone("a shared zone", SHARED),
        zone(
            "a shared zone beside the workers' own",
            "ssl_session_cache builtin shared:life:1m;",
        ),
        // The zone is set, but not in use.
        same(
            "a shared zone that is off",
            "ssl_session_cache shared:life:1m off;",
            [GONE, GONE],
            "reload",
        ),
        // A zone of another name or size is a new one.
        Case {
            after: "ssl_session_cache shared:other:1m;",
            reload: GONE,
            ..zone("a shared zone, then another", SHARED)
        },
        files("a key file", K1, K1, KEPT),
        files(
            "a key file and a shared zone",
            "ssl_session_cache shared:life:1m; ssl_session_ticket_key {dir}/k1.key;",
            "ssl_session_cache shared:life:1m; ssl_session_ticket_key {dir}/k1.key;",
            KEPT,
        ),
        files("K1, then K2 K1", K1, K2_K1, [false, true]),
        files("K1, then K1 K2", K1, K1_K2, KEPT),
        files("K1, then K2", K1, K2, GONE),
        files("K1 K2, then K2", K1_K2, K2, GONE),
    ]
}

#[test]
fn packaged() {
    judge(&install::nginx_packaged());
}

#[test]
fn middle() {
    judge(&install::nginx_middle());
}

#[test]
fn mainline() {
    judge(&install::nginx_mainline());
}

fn judge(program: &Program) {
    let cases = cases(program.at_least([1, 23, 2]));
    // Nearly all of the time is waiting.
    let seen: Vec<[Life; 2]> = thread::scope(|scope| {
        let each = |case| scope.spawn(move || lives(program, case));
        let threads: Vec<_> = cases.iter().map(each).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (case, seen) in cases.iter().zip(&seen) {
        let wanted = Life {
            reload: case.reload,
            restart: case.restart,
            replaced: case.replaced.to_owned(),
            rotates: case.rotates,
        };
        for (kind, seen) in KINDS.iter().zip(seen) {
            judged += 1;
            if *seen != wanted {
                let name = case.name;
                wrong.push(format!(
                    "{name} {kind:?}:\n  wanted {wanted:?}\n  seen   {seen:?}"
                ));
            }
        }
    }
    println!("lives of keys: {judged} judged, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Debug, PartialEq, Eq)]
struct Life {
    reload: [bool; 2],
    restart: [bool; 2],
    replaced: String,
    rotates: bool,
}

/// A ticket of TLS 1.2 and one of TLS 1.3, on the same servers.
const KINDS: [Kind; 2] = [Kind::Ticket12, Kind::Tls13];

fn lives(program: &Program, case: &Case) -> [Life; 2] {
    let bench = Bench::new(case.before, "");
    let version = format!("nginx={}", program.version);
    let document = inspect::inspect_json(&bench.root, &version).unwrap();
    let endpoint = inspect::endpoint(&document, &bench.target).unwrap();
    let replaced = endpoint["ticket_key"]["replaced"].as_str().unwrap_or("");

    let sessions = || KINDS.map(|kind| bench.session(kind));
    let kept =
        |sessions: &[Issued; 2]| [0, 1].map(|index| bench.kept(KINDS[index], &sessions[index]));
    let server = bench.serve(program);
    let first = sessions();
    bench.write(case.after, "");
    server.reload();
    let reload = kept(&first);
    let second = sessions();
    drop(server);
    let server = bench.serve(program);
    let restart = kept(&second);
    drop(server);

    let rotates = rotates(program, case);
    [0, 1].map(|index| Life {
        reload: reload[index],
        restart: restart[index],
        replaced: replaced.to_owned(),
        rotates: rotates[index],
    })
}

/// Whether new sessions come under another key after a few timeouts, with no reload. Sessions
/// are asked for all the while: nginx looks at its keys only then.
fn rotates(program: &Program, case: &Case) -> [bool; 2] {
    let bench = Bench::new(case.before, "ssl_session_timeout 1s;");
    let server = bench.serve(program);
    let names = || KINDS.map(|kind| name(&bench.session(kind)).to_vec());
    let first = names();
    let mut changed = [false; 2];
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(500));
        let now = names();
        changed = [0, 1].map(|index| changed[index] || now[index] != first[index]);
    }
    drop(server);
    changed
}

/// The folder, address and certificate of one server, which outlive its process.
struct Bench {
    dir: TempDir,
    root: PathBuf,
    pair: Pair,
    address: SocketAddr,
    target: Target,
}

impl Bench {
    fn new(lines: &str, more: &str) -> Self {
        let dir = TempDir::with_prefix("nginx-life-").unwrap();
        let nonce = certs::nonce();
        let pair = certs::self_signed(dir.path(), "one", &["a.test"], &nonce);
        certs::ticket_key(&dir.path().join("k1.key"), 80);
        certs::ticket_key(&dir.path().join("k2.key"), 80);
        let address = free_address();
        let bench = Self {
            root: dir.path().join("nginx.conf"),
            dir,
            pair,
            address,
            target: Target {
                address,
                sni: Some("a.test".to_owned()),
                nonce,
            },
        };
        bench.write(lines, more);
        bench
    }

    fn write(&self, lines: &str, more: &str) {
        let lines = lines.replace("{dir}", &self.dir.path().display().to_string());
        let text = format!(
            "    ssl_protocols TLSv1.2 TLSv1.3;\n    server {{\n        listen {} ssl;\n        \
             server_name a.test;\n        ssl_certificate {};\n        ssl_certificate_key {};\n        \
             {lines}\n        {more}\n        return 200;\n    }}\n",
            self.address,
            self.pair.cert.display(),
            self.pair.key.display()
        );
        fs::write(&self.root, nginx::main_file(self.dir.path(), &text)).unwrap();
    }

    fn serve(&self, program: &Program) -> Server {
        nginx::serve(program, self.dir.path(), &self.root, &self.target)
    }

    fn session(&self, kind: Kind) -> Issued {
        let connection = connect(&self.target, kind, None).unwrap();
        connection.issued.last().expect("a session").clone()
    }

    /// Whether new sessions have the old key's name, and whether an old session resumes.
    fn kept(&self, kind: Kind, session: &Issued) -> [bool; 2] {
        let again = connect(&self.target, kind, Some(session)).unwrap();
        let new = self.session(kind);
        [name(&new) == name(session), again.resumed]
    }
}

/// The key's name, in front of a ticket.
fn name(session: &Issued) -> &[u8] {
    assert!(session.ticket.len() > 32, "a stateless ticket");
    &session.ticket[..16]
}
