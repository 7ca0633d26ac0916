//! The printed configurations start real servers; their users can do their part and no more;
//! nothing reaches a file; the doctor tells them from servers as they come.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use stekguard::keys::fleet::store::{Access, Claim, StoreError};

use crate::contract::{Way, now, read_one};
use crate::servers::{Server, ask, free_port, until};

/// What a run of the program wrote and how it ended.
pub(crate) fn program(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

/// A certificate for this address that vouches for itself, and its key.
fn certificate(dir: &Path, stem: &str, address: &str) -> (PathBuf, PathBuf) {
    let (cert, key) = (
        dir.join(format!("{stem}.crt")),
        dir.join(format!("{stem}.key")),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", &format!("/CN={stem}")])
        .args(["-addext", &format!("subjectAltName=IP:{address}")])
        .args(["-addext", "basicConstraints=critical,CA:TRUE", "-out"])
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    (cert, key)
}

fn password(user: &str) -> String {
    format!("the-password-of-{user}-0123456789")
}

/// Replaces the placeholders of a printed configuration.
fn filled(text: &str, words: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in words {
        text = text.replace(&format!("@{name}@"), value);
    }
    for user in [
        "GENERATOR",
        "AGENT",
        "AGENT_WEB1",
        "AGENT_WEB2",
        "RELAY",
        "OPERATOR",
        "REPLICA",
    ] {
        let digest = openssl::sha::sha256(password(user).as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        text = text.replace(&format!("@{user}_SHA256@"), &digest);
    }
    let line = text
        .lines()
        .find(|line| !line.starts_with('#') && line.contains('@'));
    assert_eq!(line, None, "a placeholder is left");
    text
}

/// A master of the printed configuration, and what a client needs.
struct Site {
    master: Server,
    authority: PathBuf,
    dir: tempfile::TempDir,
}

impl Site {
    fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(dir.path(), "master", "127.0.0.1");
        let arguments = [&["keys", "store-config", "redis", "--fleet", "web"], more].concat();
        let (code, text, _) = program(&arguments);
        assert_eq!(code, 0);
        let data = dir.path().join("master");
        fs::create_dir(&data).unwrap();
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let filled = |port: u16| {
            filled(
                &text,
                &[
                    ("BIND", "127.0.0.1"),
                    ("PORT", &port.to_string()),
                    ("TLS_CERTIFICATE", &path(&certificate)),
                    ("TLS_KEY", &path(&key)),
                    ("TLS_AUTHORITY", &path(&certificate)),
                    ("DIRECTORY", &path(&data)),
                    ("MEMORY", "64mb"),
                ],
            )
        };
        let hello = format!("AUTH stekguard-operator {}\r\n", password("OPERATOR"));
        let master = Server::redis_tls(&data, filled, &certificate, &hello);
        Self {
            master,
            authority: certificate,
            dir,
        }
    }

    /// A copy of the printed configuration.
    fn replica(&self) -> Server {
        let (code, text, _) = program(&[
            "keys",
            "store-config",
            "redis",
            "--fleet",
            "web",
            "--role",
            "replica",
        ]);
        assert_eq!(code, 0);
        let data = self.dir.path().join("replica");
        fs::create_dir(&data).unwrap();
        let filled = |port: u16| {
            filled(
                &text,
                &[
                    ("PORT", &port.to_string()),
                    ("MASTER_HOST", "127.0.0.1"),
                    ("MASTER_PORT", &self.master.port.to_string()),
                    ("REPLICA_PASSWORD", &password("REPLICA")),
                    ("TLS_AUTHORITY", self.authority.to_str().unwrap()),
                    ("TLS_CERTIFICATE", self.authority.to_str().unwrap()),
                    (
                        "TLS_KEY",
                        self.dir.path().join("master.key").to_str().unwrap(),
                    ),
                    ("DIRECTORY", data.to_str().unwrap()),
                    ("MEMORY", "64mb"),
                ],
            )
        };
        let hello = format!("AUTH stekguard-operator {}\r\n", password("OPERATOR"));
        Server::redis_of(&data, filled, &hello)
    }

    /// As this user, with the password of this placeholder.
    fn user(&self, name: &str, placeholder: &str) -> Way {
        Way {
            url: format!("rediss://stekguard-{name}@127.0.0.1:{}", self.master.port),
            access: self.access(placeholder),
        }
    }

    fn access(&self, placeholder: &str) -> Access {
        let file = self.dir.path().join(format!("{placeholder}.password"));
        fs::write(&file, password(placeholder) + "\n").unwrap();
        Access {
            password: Some(file),
            authorities: Some(self.authority.clone()),
            ..Access::default()
        }
    }
}

fn name(rest: &str) -> String {
    format!("stekguard:web:{rest}")
}

fn refused<T: std::fmt::Debug>(done: Result<T, StoreError>) -> String {
    let Err(StoreError::Refused { why, .. }) = done else {
        panic!("{done:?}");
    };
    assert!(why.contains("NOPERM"), "{why}");
    why
}

#[test]
fn users_can_do_their_part_and_no_more() {
    let site = Site::start(&[]);
    let expires = now() + 300;
    let mut generator = site.user("generator", "GENERATOR").open();
    let (key, seal) = (name("key:1:7"), name("seal:1:7:00ff:web1"));
    let (host, report) = (name("host:web1"), name("report:web1"));
    assert_eq!(
        generator.claim(&key, b"record", expires).unwrap(),
        Claim::Written
    );
    let taken = generator.claim(&key, b"other", expires).unwrap();
    assert_eq!(taken, Claim::Taken(b"record".to_vec()));
    generator.put(&name("head"), b"head", expires).unwrap();
    generator.put(&seal, b"seal", expires).unwrap();

    let mut agent = site.user("agent", "AGENT").open();
    agent.put(&host, b"public", expires).unwrap();
    agent.put(&report, b"report", expires).unwrap();
    let names = [&key, &seal, &name("head"), &host].map(String::clone);
    let read = agent.read(&names).unwrap();
    assert!(read.iter().all(Option::is_some));
    refused(agent.put(&key, b"mine", expires));
    refused(agent.claim(&name("key:1:8"), b"mine", expires));
    refused(agent.put(&seal, b"mine", expires));
    refused(agent.put(&name("head"), b"mine", expires));
    refused(agent.put("stekguard:mail:host:web1", b"mine", expires));
    refused(agent.list("stekguard:web:"));

    assert_eq!(read_one(&mut *generator, &host).unwrap(), b"public");
    refused(generator.read(std::slice::from_ref(&report)));
    refused(generator.put(&host, b"mine", expires));
    refused(generator.put(&report, b"mine", expires));
    refused(generator.read(&["stekguard:mail:key:1:7".to_owned()]));
    refused(generator.claim("stekguard:mail:key:1:7", b"mine", expires));
    refused(generator.read(&["other".to_owned()]));

    let mut relay = site.user("relay", "RELAY").open();
    assert_eq!(relay.list("stekguard:web:").unwrap().len(), 5);
    assert_eq!(read_one(&mut *relay, &key).unwrap(), b"record");
    assert_eq!(
        relay.expiries(std::slice::from_ref(&key)).unwrap(),
        [Some(expires)]
    );
    refused(relay.read(std::slice::from_ref(&report)));
    for name in [&key, &seal, &host, &report] {
        refused(relay.put(name, b"mine", expires));
        refused(relay.claim(name, b"mine", expires));
    }
    let mut operator = site.user("operator", "OPERATOR").open();
    assert_eq!(read_one(&mut *operator, &report).unwrap(), b"report");
    refused(operator.put(&report, b"mine", expires));
    assert_eq!(read_one(&mut *operator, &key).unwrap(), b"record");

    // Nobody, a wrong password, a user that there is not.
    let way = site.user("agent", "AGENT");
    let nobody = Way {
        url: way.url.replace("stekguard-agent@", ""),
        access: Access {
            password: None,
            ..way.access.clone()
        },
    };
    let wrong = site.user("agent", "RELAY");
    let unknown = site.user("else", "AGENT");
    for way in [nobody, wrong, unknown] {
        let done = way.open().read(std::slice::from_ref(&key));
        let Err(error @ StoreError::Refused { .. }) = done else {
            panic!("{done:?}");
        };
        assert!(!error.to_string().contains("the-password"), "{error}");
    }
}

#[test]
fn a_host_with_a_user_of_its_own_touches_nothing_of_another() {
    let site = Site::start(&["--host", "web1", "--host", "web2"]);
    let expires = now() + 300;
    let mut generator = site.user("generator", "GENERATOR").open();
    for host in ["web1", "web2"] {
        generator
            .put(&name(&format!("seal:1:7:00ff:{host}")), b"x", expires)
            .unwrap();
    }
    let mut one = site.user("agent-web1", "AGENT_WEB1").open();
    one.put(&name("host:web1"), b"x", expires).unwrap();
    one.put(&name("report:web1"), b"x", expires).unwrap();
    assert!(read_one(&mut *one, &name("seal:1:7:00ff:web1")).is_some());
    refused(one.put(&name("host:web2"), b"x", expires));
    refused(one.put(&name("report:web2"), b"x", expires));
    refused(one.read(&[name("seal:1:7:00ff:web2")]));
    let mut two = site.user("agent-web2", "AGENT_WEB2").open();
    two.put(&name("host:web2"), b"x", expires).unwrap();
}

/// Files of a folder that hold one of these.
fn holding(dir: &Path, records: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let holds = |record: &Vec<u8>| bytes.windows(32).any(|it| it == &record[..32]);
        if records.iter().any(holds) {
            found.push(path);
        }
    }
    found
}

fn random_records() -> Vec<Vec<u8>> {
    let one = || {
        let mut bytes = vec![0; 260];
        openssl::rand::rand_bytes(&mut bytes).unwrap();
        bytes
    };
    (0..20).map(|_| one()).collect()
}

/// Writes records, has them copied whole, and ends both servers as their unit would.
fn pass_through(to: &Way, from: impl FnOnce() -> (Server, Way), records: &[Vec<u8>]) -> Server {
    let names: Vec<String> = (0..records.len())
        .map(|at| name(&format!("key:1:{at}")))
        .collect();
    let mut store = to.open();
    for (name, record) in names.iter().zip(records) {
        store.claim(name, record, now() + 300).unwrap();
    }
    let (replica, from) = from();
    let mut store = from.open();
    let expected: Vec<_> = records.iter().cloned().map(Some).collect();
    until("the copy is whole", || {
        store.read(&names).ok().as_ref() == Some(&expected)
    });
    replica
}

fn end(server: &mut Server) {
    server.signal(Signal::TERM);
    until("it ends", || server.ended());
}

#[test]
fn no_file_holds_a_record_with_the_printed_configuration() {
    let mut site = Site::start(&[]);
    let records = random_records();
    let way = site.user("generator", "GENERATOR");
    let reading = |server: &Server| Way {
        url: format!("redis://stekguard-agent@127.0.0.1:{}", server.port),
        access: site.access("AGENT"),
    };
    let mut replica = pass_through(
        &way,
        || {
            let server = site.replica();
            let way = reading(&server);
            (server, way)
        },
        &records,
    );
    let log = fs::read_to_string(replica.dir.join("log")).unwrap();
    assert!(
        log.contains("Full resync") && log.contains("to parser"),
        "{log}"
    );
    let none: Vec<PathBuf> = Vec::new();
    assert_eq!(holding(&site.master.dir, &records), none);
    assert_eq!(holding(&replica.dir, &records), none);

    // While they run: no user of a copy has a dangerous command.
    for user in ["AGENT", "RELAY", "OPERATOR"] {
        let lower = user.to_ascii_lowercase();
        for command in [
            "CONFIG SET save 1",
            "CONFIG REWRITE",
            "FLUSHALL",
            "FLUSHDB",
            "DEBUG SLEEP 0",
            "KEYS *",
            "MONITOR",
            "SAVE",
            "BGSAVE",
            "BGREWRITEAOF",
            "EVAL return 0",
            "SHUTDOWN",
            "REPLICAOF NO ONE",
            "ACL LIST",
            "MODULE LIST",
            "SLOWLOG GET",
            "DEL x",
            "CLIENT LIST",
            "SCRIPT FLUSH",
            "FAILOVER",
        ] {
            let line = format!("AUTH stekguard-{lower} {}\r\n{command}\r\n", password(user));
            // Switched off for everybody, which is looked at before the user.
            let off = command.starts_with("DEBUG");
            let said = ask(
                replica.port,
                &line,
                if off { "not allowed" } else { "NOPERM" },
            );
            assert!(said.is_some(), "{user} {command}");
        }
    }
    end(&mut replica);
    end(&mut site.master);
    assert_eq!(holding(&site.master.dir, &records), none);
    assert_eq!(holding(&replica.dir, &records), none);
}

/// The same with servers as they come: their files hold the records.
#[test]
fn files_hold_records_without_it() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut master = Server::redis(one.path(), &[], None);
    let records = random_records();
    let of = format!("127.0.0.1 {}", master.port);
    let way = master.way("redis");
    let mut replica = pass_through(
        &way,
        || {
            let server = Server::redis(two.path(), &["--save", "", "--replicaof", &of], None);
            let way = server.way("redis");
            (server, way)
        },
        &records,
    );
    assert_eq!(
        holding(&replica.dir, &records).len(),
        1,
        "the copy went through a file"
    );
    end(&mut replica);
    end(&mut master);
    assert_eq!(holding(one.path(), &records).len(), 1, "saved at the end");
}

#[test]
fn the_doctor_tells_a_printed_server_from_one_as_it_comes() {
    let site = Site::start(&[]);
    let replica = site.replica();
    let way = site.user("operator", "OPERATOR");
    let file = way.access.password.as_ref().unwrap().to_str().unwrap();
    let authority = site.authority.to_str().unwrap();
    let credentials = ["--password-file", file, "--ca", authority];
    let doctor =
        |url: &str, more: &[&str]| program(&[&["keys", "store-doctor", url], more].concat());
    let (code, table, said) = doctor(&way.url, &credentials);
    assert_eq!(code, 0, "{table}{said}");
    let link = format!(
        "AUTH stekguard-operator {}\r\nINFO replication\r\n",
        password("OPERATOR")
    );
    until("the copy is up", || {
        ask(replica.port, &link, "master_link_status:up").is_some()
    });
    let copy = format!("redis://stekguard-operator@127.0.0.1:{}", replica.port);
    let (code, table, said) = doctor(&copy, &credentials);
    assert_eq!(code, 0, "{table}{said}");
    assert!(table.contains("a copy of 127.0.0.1"), "{table}");

    // A user that may not ask is told so, and nothing is called good.
    let agent = site.user("agent", "AGENT");
    let file = agent.access.password.as_ref().unwrap().to_str().unwrap();
    let (code, table, _) = doctor(&agent.url, &["--password-file", file, "--ca", authority]);
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("stekguard-operator"), "{table}");

    let dir = tempfile::tempdir().unwrap();
    let as_it_comes = Server::redis(dir.path(), &[], None);
    let (code, table, _) = doctor(&as_it_comes.way("redis").url, &[]);
    assert_eq!(code, 1, "{table}");
    for hazard in [
        "anybody who reaches it",
        "save is `3600 1",
        "repl-diskless-load is `disabled`",
    ] {
        assert!(table.contains(hazard), "{hazard}: {table}");
    }
    // Every hazard alone is seen, with the line that repairs it.
    for (name, bad, line) in [
        ("appendonly", "yes", "set `appendonly no`"),
        ("repl-diskless-sync", "no", "set `repl-diskless-sync yes`"),
        (
            "replica-serve-stale-data",
            "no",
            "set `replica-serve-stale-data yes`",
        ),
        (
            "maxmemory-policy",
            "allkeys-lru",
            "set `maxmemory-policy noeviction`",
        ),
        (
            "slowlog-log-slower-than",
            "0",
            "set `slowlog-log-slower-than -1`",
        ),
    ] {
        let set = format!("CONFIG SET {name} {bad}\r\n");
        assert!(ask(as_it_comes.port, &set, "OK").is_some());
        let (_, table, _) = doctor(&as_it_comes.way("redis").url, &[]);
        assert!(table.contains(line), "{line}: {table}");
    }
    let (code, table, said) = doctor(&format!("redis://127.0.0.1:{}", free_port()), &[]);
    assert_eq!((code, table.as_str()), (2, ""), "{said}");
}

#[test]
fn the_doctor_knows_memcached_and_folders() {
    let (code, text, _) = program(&["keys", "store-config", "memcached"]);
    assert_eq!(code, 0);
    let user = match rustix::process::geteuid().is_root() {
        true => "nobody".to_owned(),
        false => std::env::var("USER").unwrap_or_default(),
    };
    let dir = tempfile::tempdir().unwrap();
    let printed = Server::memcached_of(dir.path(), |port| {
        let port = port.to_string();
        filled(
            &text,
            &[("PORT", &port), ("USER", &user), ("MEGABYTES", "64")],
        )
    });
    let (code, table, said) = program(&["keys", "store-doctor", &printed.way("memcached").url]);
    assert_eq!(code, 0, "{table}{said}");
    let mut store = printed.way("memcached").open();
    store.put("a", b"x", now() + 60).unwrap();
    assert_eq!(read_one(&mut *store, "a").unwrap(), b"x");
    let flushed = ask(printed.port, "flush_all\r\n", "\r\n").unwrap();
    assert!(flushed.contains("CLIENT_ERROR"), "{flushed}");

    let other = tempfile::tempdir().unwrap();
    let as_it_comes = Server::memcached(other.path(), &[]);
    let (code, table, _) = program(&["keys", "store-doctor", &as_it_comes.way("memcached").url]);
    assert_eq!(code, 1, "{table}");
    assert!(table.contains("evictions is `on`: set `-M`"), "{table}");

    let url = format!("directory:{}", dir.path().display());
    for (mode, expected) in [(0o750, 0), (0o2770, 0), (0o777, 1)] {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        let (code, table, _) = program(&["keys", "store-doctor", &url]);
        assert_eq!(code, expected, "{mode:o} {table}");
    }
}

#[test]
#[cfg(feature = "tls")]
fn only_the_right_certificate_with_the_right_name_is_spoken_to() {
    let dir = tempfile::tempdir().unwrap();
    let (right, key) = certificate(dir.path(), "right", "127.0.0.1");
    let (other, _) = certificate(dir.path(), "other", "127.0.0.1");
    let (elsewhere, elsewhere_key) = certificate(dir.path(), "elsewhere", "127.0.0.9");
    let (client, client_key) = certificate(dir.path(), "client", "127.0.0.8");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let start = |cert: &Path, key: &Path, ask: &str| {
        let port = free_port();
        let data = tempfile::tempdir().unwrap();
        let more = [
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &text(cert),
            "--tls-key-file",
            &text(key),
            "--tls-ca-cert-file",
            &text(&client),
            "--tls-auth-clients",
            ask,
            "--save",
            "",
        ]
        .map(str::to_owned);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let server = Server::redis(data.path(), &more, None);
        (server, format!("rediss://127.0.0.1:{port}"), data)
    };
    let read = |url: &str, authority: Option<&Path>, identity: Option<(PathBuf, PathBuf)>| {
        let access = Access {
            authorities: authority.map(Path::to_owned),
            identity,
            patience: Duration::from_secs(3),
            ..Access::default()
        };
        let way = Way {
            url: url.to_owned(),
            access,
        };
        way.open().read(&["a".to_owned()])
    };
    let (_server, url, _data) = start(&right, &key, "no");
    assert_eq!(read(&url, Some(&right), None).unwrap(), [None]);
    for wrong in [Some(other.as_path()), None] {
        let done = read(&url, wrong, None);
        let Err(StoreError::Refused { why, .. }) = &done else {
            panic!("{done:?}");
        };
        assert!(why.contains("certificate"), "{why}");
    }
    // In clear to a port of TLS, and TLS to one in clear.
    assert!(read(&url.replace("rediss", "redis"), None, None).is_err());
    assert!(read(&_server.way("rediss").url, Some(&right), None).is_err());
    let missing = read(&url, Some(Path::new("/nonexistent/ca.pem")), None);
    assert!(
        matches!(missing, Err(StoreError::File { .. })),
        "{missing:?}"
    );

    let (_server, url, _data) = start(&elsewhere, &elsewhere_key, "no");
    let done = read(&url, Some(&elsewhere), None);
    let Err(StoreError::Refused { why, .. }) = &done else {
        panic!("{done:?}");
    };
    assert!(why.contains("mismatch"), "{why}");

    let (_server, url, _data) = start(&right, &key, "yes");
    assert!(read(&url, Some(&right), None).is_err());
    let identity = Some((client.clone(), client_key));
    assert_eq!(read(&url, Some(&right), identity).unwrap(), [None]);
}

/// A password that was changed is taken without a restart.
#[test]
fn a_new_password_is_taken_at_the_next_connection() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::redis(dir.path(), &["--save", ""], None);
    let user = |password: &str| {
        let line = format!("ACL SETUSER agent reset on >{password} ~* +mget\r\n");
        assert!(ask(server.port, &line, "OK").is_some());
    };
    user("first");
    let file = dir.path().join("password");
    fs::write(&file, "first\n").unwrap();
    let mut way = server.way("redis");
    way.access.user = Some("agent".to_owned());
    way.access.password = Some(file.clone());
    let mut store = way.open();
    assert_eq!(read_one(&mut *store, "a"), None);
    user("second");
    fs::write(&file, "second").unwrap();
    assert!(ask(server.port, "CLIENT KILL USER agent\r\n", ":").is_some());
    assert_eq!(read_one(&mut *store, "a"), None);
    for bad in ["", "\n", "x".repeat(5000).as_str()] {
        fs::write(&file, bad).unwrap();
        let done = way.open().read(&["a".to_owned()]);
        assert!(matches!(done, Err(StoreError::File { .. })), "{done:?}");
    }
}
