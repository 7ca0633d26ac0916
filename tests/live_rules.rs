//! What the rules say that servers do, seen on the servers: who gets in by whose session, what
//! a reload ends, what a syntax check lets pass. Each row also asks the program about the very
//! same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use support::certs::{self, Pair};
use support::client::{Connection, Kind, Manner, Target, connect, connect_as};
use support::install::{self, Program};
use support::program;
use support::server::{Server, accepts, free_address};
use support::session::Issued;
use support::{apache, nginx};
use tempfile::TempDir;

/// A list of revoked certificates of an authority that none of the clients has: with it no
/// certificate passes a full check, because the list of its own authority is missing.
const FOREIGN_LIST: &str = "-----BEGIN X509 CRL-----\n\
    MIGpMFAwCgYIKoZIzj0EAwIwDjEMMAoGA1UEAwwDY2ExFw0yNjExMjExOTMxNDda\n\
    Fw0yNjExMjMxOTMxNDdaMBQwEgIBBRcNMjYxMTIxMTkzMTQ3WjAKBggqhkjOPQQD\n\
    AgNJADBGAiEAnv/NVDjqAMGcYplmmHARGdGp1gKue8RKX5gUj/7/tpUCIQCoCxkF\n\
    Y0lOLqx+n8fbYfRVLdlETNnASy3UCFO4NVDmdg==\n\
    -----END X509 CRL-----\n";

/// A folder with the certificates of a server, of a client, of the client's authority and of
/// another one.
struct Folder {
    dir: TempDir,
    nonce: String,
    staff: Pair,
    address: SocketAddr,
    /// Where a server without checks proves that it runs.
    beacon: SocketAddr,
}

impl Folder {
    fn new() -> Self {
        let dir = apache::server_root();
        let nonce = certs::nonce();
        let names = ["a.test", "b.test", "c.test"];
        certs::self_signed(dir.path(), "server", &names, &nonce);
        let staff = certs::client_of_authority(dir.path(), "staff", &nonce);
        certs::client_of_authority(dir.path(), "partner", &nonce);
        fs::write(dir.path().join("foreign.crl"), FOREIGN_LIST).unwrap();
        Self {
            dir,
            nonce,
            staff,
            address: free_address(),
            beacon: free_address(),
        }
    }

    fn beacon(&self) -> Target {
        Target {
            address: self.beacon,
            sni: Some("beacon.test".to_owned()),
            nonce: self.nonce.clone(),
        }
    }

    /// `{dir}` and `{address}` filled in.
    fn filled(&self, text: &str) -> String {
        let dir = self.dir.path().display().to_string();
        let text = text.replace("{dir}", &dir);
        text.replace("{address}", &self.address.to_string())
    }

    fn nginx_server(&self, name: &str, lines: &str) -> String {
        self.filled(&format!(
            "    server {{\n        listen {{address}} ssl;\n        server_name {name};\n        \
             ssl_certificate {{dir}}/server.crt;\n        ssl_certificate_key {{dir}}/server.key;\n        \
             {lines}\n        return 200 \"served by {name}\\n\";\n    }}\n"
        ))
    }

    fn nginx_root(&self, servers: &str) -> PathBuf {
        let root = self.dir.path().join("nginx.conf");
        let beacon = self.nginx_server("beacon.test", "");
        let beacon = beacon.replace(&self.address.to_string(), &self.beacon.to_string());
        let servers = self.filled(servers) + &beacon;
        let text = format!("    ssl_protocols TLSv1.2 TLSv1.3;\n{servers}");
        fs::write(&root, nginx::main_file(self.dir.path(), &text)).unwrap();
        root
    }

    fn nginx(&self, program: &Program, servers: &str) -> (Server, PathBuf) {
        let root = self.nginx_root(servers);
        let server = nginx::serve(program, self.dir.path(), &root, &self.beacon());
        (server, root)
    }

    fn vhost(&self, names: &str, lines: &str) -> String {
        self.filled(&format!(
            "<VirtualHost {{address}}>\n    {names}\n    SSLEngine on\n    \
             SSLCertificateFile {{dir}}/server.crt\n    SSLCertificateKeyFile {{dir}}/server.key\n    \
             Header always set X-Served-By \"{names}\"\n    {lines}\n</VirtualHost>\n"
        ))
    }

    fn httpd_root(&self, text: &str) -> PathBuf {
        let root = self.dir.path().join("apache2.conf");
        let beacon = self.vhost("ServerName beacon.test", "");
        let beacon = beacon.replace(&self.address.to_string(), &self.beacon.to_string());
        let text = self.filled(text) + &beacon;
        let text = format!("Listen {}\nListen {}\n{text}", self.address, self.beacon);
        fs::write(&root, apache::main_file(self.dir.path(), &text)).unwrap();
        root
    }

    fn httpd(&self, text: &str) -> (Server, PathBuf) {
        let root = self.httpd_root(text);
        let program = install::apache();
        let server = apache::serve(&program, self.dir.path(), &root, &self.beacon());
        (server, root)
    }

    /// Who answers a request for `host`, and whether the session was resumed.
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let target = Target {
            address: self.address,
            sni: ask.name.map(str::to_owned),
            nonce: self.nonce.clone(),
        };
        let manner = Manner {
            identity: ask.client.cloned(),
            host: Some(ask.host.to_owned()),
            ..Manner::default()
        };
        match connect_as(&manner, &target, ask.kind, ask.session.as_ref()) {
            Ok(connection) => Answer::of(&connection),
            Err(why) => Answer {
                said: format!("no answer: {why}"),
                resumed: false,
                session: None,
            },
        }
    }

    /// Takes a new configuration in, and waits until its workers answer.
    fn reload(&self) {
        let pid = fs::read_to_string(self.dir.path().join("nginx.pid")).unwrap();
        let pid = pid.trim();
        let before = children(pid);
        let done = Command::new("kill").args(["-HUP", pid]).status().unwrap();
        assert!(done.success());
        let deadline = Instant::now() + Duration::from_secs(10);
        while children(pid).iter().any(|child| before.contains(child)) {
            assert!(Instant::now() < deadline, "the old workers stay");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a client asks for.
#[derive(Clone)]
struct Ask<'a> {
    kind: Kind,
    name: Option<&'a str>,
    host: &'a str,
    client: Option<&'a Pair>,
    session: Option<Issued>,
}

impl<'a> Ask<'a> {
    fn of(name: &'a str, client: Option<&'a Pair>) -> Self {
        Self {
            kind: Kind::Tls13,
            name: Some(name),
            host: name,
            client,
            session: None,
        }
    }

    fn named(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    fn for_host(self, host: &'a str) -> Self {
        Self { host, ..self }
    }

    fn by(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    fn with(self, session: &Answer) -> Self {
        let session = session.session.clone();
        assert!(session.is_some(), "no session to offer");
        Self { session, ..self }
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    /// The response, or why there was none.
    said: String,
    resumed: bool,
    session: Option<Issued>,
}

impl Answer {
    fn of(connection: &Connection) -> Self {
        Self {
            said: connection.response.clone(),
            resumed: connection.resumed,
            session: connection.issued.last().cloned(),
        }
    }

    /// The request was carried out by this server.
    fn served_by(&self, name: &str) -> bool {
        let status = self.said.split(' ').nth(1).unwrap_or_default();
        let passed = status == "200" || status == "404";
        let by = [
            format!("served by {name}\n"),
            format!("X-Served-By: {name}\r\n"),
        ];
        passed && by.iter().any(|by| self.said.contains(by.as_str()))
    }

    fn refused(&self) -> bool {
        let status = self.said.split(' ').nth(1).unwrap_or_default();
        self.said.starts_with("no answer")
            || ["400", "403", "421"].contains(&status)
            || self.said.is_empty()
    }
}

fn children(pid: &str) -> Vec<String> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// The rules that the program finds in a configuration, for the version of a server.
fn found(root: &Path, program: &Program, server: &str) -> Vec<String> {
    let state = TempDir::new().unwrap();
    let version = format!("{server}={}", program.version);
    let root = root.display().to_string();
    let mut arguments = vec!["lint", "--format", "json", "--server-version", &version];
    let package = match server {
        "nginx" => package(program).map(|package| format!("nginx={package}")),
        _ => None,
    };
    if let Some(package) = &package {
        arguments.extend(["--package", package]);
    }
    arguments.push(&root);
    let run = program::run(state.path(), &arguments);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

/// The full version of the package that this nginx came in: `nginx -v` does not say which fixes
/// a distribution took over.
fn package(program: &Program) -> Option<String> {
    let packaged = program.path.starts_with("/usr/sbin");
    let mut query = Command::new("dpkg-query");
    let output = packaged.then(|| query.args(["-W", "-f", "${Version}", "nginx"]).output());
    let output = output?.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn says(rules: &[String], rule: &str) -> bool {
    rules.iter().any(|found| found == rule)
}

fn both() -> [Program; 2] {
    [install::nginx_packaged(), install::nginx_mainline()]
}

const STAFF: &str = "ssl_verify_client on; ssl_client_certificate {dir}/staff-ca.crt;";
const PARTNER: &str = "ssl_verify_client on; ssl_client_certificate {dir}/partner-ca.crt;";
const REJECT: &str = "client-auth-without-reject-handshake";
const CROSSES: &str = "session-crosses-client-auth";

#[test]
fn nginx_default_servers_clients_ask_for_any_host() {
    for program in both() {
        let folder = Folder::new();
        let servers =
            folder.nginx_server("a.test", STAFF) + &folder.nginx_server("b.test", PARTNER);
        let (_server, root) = folder.nginx(&program, &servers);
        let staff = Ask::of("a.test", Some(&folder.staff)).for_host("b.test");
        for name in [None, Some("unknown.test")] {
            let answer = folder.ask(&staff.clone().named(name));
            assert!(
                answer.served_by("b.test") && !answer.resumed,
                "{name:?}: {answer:?}"
            );
        }
        let named = folder.ask(&staff.clone());
        assert!(named.refused(), "a name that is known holds: {named:?}");
        let direct = folder.ask(&staff.named(Some("b.test")));
        assert!(direct.refused(), "b.test does not trust staff: {direct:?}");
        assert!(says(&found(&root, &program, "nginx"), REJECT));
    }
}

#[test]
fn nginx_default_server_without_client_auth_opens_nothing() {
    for program in both() {
        let folder = Folder::new();
        let servers = folder.nginx_server("a.test", "") + &folder.nginx_server("b.test", PARTNER);
        let (_server, root) = folder.nginx(&program, &servers);
        let plain = Ask::of("a.test", None);
        for name in [None, Some("a.test")] {
            let answer = folder.ask(&plain.clone().named(name).for_host("b.test"));
            assert!(answer.refused(), "{name:?}: {answer:?}");
        }
        let session = folder.ask(&plain);
        let answer = folder.ask(&Ask::of("b.test", None).with(&session));
        assert!(
            answer.refused(),
            "a session without a certificate: {answer:?}"
        );
        let rules = found(&root, &program, "nginx");
        assert!(!says(&rules, REJECT) && !says(&rules, CROSSES), "{rules:?}");
    }
}

#[test]
fn nginx_rejecting_default_server_opens_nothing() {
    for program in both() {
        let folder = Folder::new();
        let reject = folder.filled(
            "    server { listen {address} ssl default_server; ssl_reject_handshake on; }\n",
        );
        let servers = reject
            + &folder.nginx_server("a.test", STAFF)
            + &folder.nginx_server("b.test", PARTNER);
        let (_server, root) = folder.nginx(&program, &servers);
        let staff = Ask::of("a.test", Some(&folder.staff)).for_host("b.test");
        for name in [None, Some("unknown.test"), Some("a.test")] {
            let answer = folder.ask(&staff.clone().named(name));
            assert!(answer.refused(), "{name:?}: {answer:?}");
        }
        assert!(!says(&found(&root, &program, "nginx"), REJECT));
    }
}

/// The same certificate and the same `ssl_client_certificate`, but a.test trusts more: the
/// context of a session is the same from 1.29.2 on.
#[test]
fn nginx_sessions_cross_a_narrower_trust() {
    for program in both() {
        let folder = Folder::new();
        let wider = format!("{PARTNER} ssl_trusted_certificate {{dir}}/staff-ca.crt;");
        let servers =
            folder.nginx_server("a.test", &wider) + &folder.nginx_server("b.test", PARTNER);
        let (_server, root) = folder.nginx(&program, &servers);
        let crosses = program.at_least([1, 29, 2]);
        for kind in [Kind::Tls13, Kind::Ticket12] {
            let ask = |name| Ask::of(name, Some(&folder.staff)).by(kind);
            let session = folder.ask(&ask("a.test"));
            assert!(session.served_by("a.test"), "{session:?}");
            let full = folder.ask(&ask("b.test"));
            assert!(full.refused(), "b.test does not trust staff: {full:?}");
            let resumed = folder.ask(&ask("b.test").with(&session));
            assert_eq!(
                resumed.served_by("b.test") && resumed.resumed,
                crosses,
                "{} {kind:?}: {resumed:?}",
                program.version
            );
        }
        assert_eq!(says(&found(&root, &program, "nginx"), CROSSES), crosses);
    }
}

#[test]
fn nginx_sessions_outlive_a_list_of_revoked_certificates() {
    const KEPT: &str = "ssl_session_cache shared:Z:1m; ssl_session_tickets off;";
    for program in both() {
        let folder = Folder::new();
        let server = |more: &str| folder.nginx_server("a.test", &format!("{STAFF} {KEPT} {more}"));
        let (_server, _) = folder.nginx(&program, &server(""));
        let ask = Ask::of("a.test", Some(&folder.staff));
        let session = folder.ask(&ask);
        assert!(session.served_by("a.test"), "{session:?}");

        let root = folder.nginx_root(&server("ssl_crl {dir}/foreign.crl;"));
        folder.reload();
        let full = folder.ask(&ask);
        assert!(full.refused(), "no list of staff's authority: {full:?}");
        let resumed = folder.ask(&ask.clone().with(&session));
        assert!(
            resumed.served_by("a.test") && resumed.resumed,
            "{resumed:?}"
        );
        assert!(says(
            &found(&root, &program, "nginx"),
            "revocation-outlived"
        ));

        // A responder is asked for every connection; nobody answers at this one.
        let nobody = free_address();
        let ocsp = format!("ssl_ocsp on; ssl_ocsp_responder http://{nobody}/;");
        let root = folder.nginx_root(&server(&ocsp));
        folder.reload();
        let resumed = folder.ask(&ask.with(&session));
        assert!(resumed.refused() && resumed.resumed, "{resumed:?}");
        assert!(!says(
            &found(&root, &program, "nginx"),
            "revocation-outlived"
        ));
    }
}

#[test]
fn nginx_sessions_without_a_kept_store_end_with_a_reload() {
    for program in both() {
        let folder = Folder::new();
        let server = |more: &str| folder.nginx_server("a.test", &format!("{STAFF} {more}"));
        let (_server, _) = folder.nginx(&program, &server(""));
        let ask = Ask::of("a.test", Some(&folder.staff));
        let session = folder.ask(&ask);
        let root = folder.nginx_root(&server("ssl_crl {dir}/foreign.crl;"));
        folder.reload();
        let answer = folder.ask(&ask.with(&session));
        assert!(answer.refused() && !answer.resumed, "{answer:?}");
        assert!(!says(
            &found(&root, &program, "nginx"),
            "revocation-outlived"
        ));
    }
}

#[test]
fn nginx_refuses_malformed_commands() {
    let commands = [
        ("Options -SessionTickets", false),
        ("Options \"Bugs,,KTLS\"", false),
        ("-Options SessionTicket", false),
        ("NumTickets -1", false),
        ("-SessionTicket", false),
        ("options \" -sessionticket , +Bugs\"", true),
        ("NumTickets abc", true),
        ("VerifyCAStore file:{dir}/staff.crt", true),
    ];
    for program in both() {
        for (command, taken) in commands {
            let folder = Folder::new();
            let line = format!("ssl_conf_command {command};");
            let root = folder.nginx_root(&folder.nginx_server("a.test", &line));
            let (accepted, said) = accepts(
                &program.path,
                &test_only(&nginx::arguments(folder.dir.path(), &root)),
            );
            assert_eq!(accepted, taken, "{command}: {said}");
            let malformed = says(&found(&root, &program, "nginx"), "malformed-conf-command");
            assert_eq!(malformed, !taken, "{command}");
        }
    }
}

/// What the syntax check says, and whether the server then runs.
#[test]
fn httpd_passes_malformed_options_and_dies_of_them() {
    let commands = [
        ("Options -Bogus", true, false),
        ("Options ,-SessionTicket", true, false),
        ("NumTickets -1", true, false),
        ("-SessionTicket", false, false),
        ("Foo bar", false, false),
        ("Options -sessionticket", true, true),
        ("NumTickets abc", true, true),
    ];
    let program = install::apache();
    for (command, passes, runs) in commands {
        let folder = Folder::new();
        let line = format!("SSLOpenSSLConfCmd {command}");
        let root = folder.httpd_root(&folder.vhost("ServerName a.test", &line));
        let arguments = apache::arguments(folder.dir.path(), &root);
        let (accepted, said) = accepts(&program.path, &test_only(&arguments));
        assert_eq!(accepted, passes, "{command}: {said}");
        assert_eq!(httpd_runs(&folder, &program, &root), runs, "{command}");
        let malformed = says(&found(&root, &program, "apache"), "malformed-conf-command");
        assert_eq!(malformed, !runs, "{command}");
    }
}

#[test]
fn unsafe_key_files_are_taken_and_wrong_lengths_are_not() {
    let rule = "ticket-key-file-unsafe";
    for program in both() {
        for (length, mode, starts) in [(48, 0o644, true), (80, 0o644, true), (64, 0o600, false)] {
            let folder = Folder::new();
            let key = folder.dir.path().join("ticket.key");
            fs::write(&key, vec![0; length]).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let line = "ssl_session_ticket_key {dir}/ticket.key;";
            let root = folder.nginx_root(&folder.nginx_server("a.test", line));
            let arguments = test_only(&nginx::arguments(folder.dir.path(), &root));
            let (accepted, said) = accepts(&program.path, &arguments);
            assert_eq!(accepted, starts, "{length}: {said}");
            assert!(says(&found(&root, &program, "nginx"), rule), "{length}");
            certs::ticket_key(&key, 80);
            assert!(!says(&found(&root, &program, "nginx"), rule));
        }
    }
    let program = install::apache();
    for (length, runs) in [(47, false), (48, true), (80, true)] {
        let folder = Folder::new();
        let key = folder.dir.path().join("ticket.key");
        certs::ticket_key(&key, length);
        let line = "SSLSessionTicketKeyFile {dir}/ticket.key";
        let root = folder.httpd_root(&folder.vhost("ServerName a.test", line));
        let arguments = test_only(&apache::arguments(folder.dir.path(), &root));
        let (accepted, said) = accepts(&program.path, &arguments);
        assert!(accepted, "{length}: {said}");
        assert_eq!(httpd_runs(&folder, &program, &root), runs, "{length}");
        assert_eq!(says(&found(&root, &program, "apache"), rule), !runs);
    }
}

const HTTPD_STAFF: &str = "SSLVerifyClient require\nSSLCACertificateFile {dir}/staff-ca.crt";
const HTTPD_PARTNER: &str = "SSLVerifyClient require\nSSLCACertificateFile {dir}/partner-ca.crt";
const HTTPD_STORE: &str = "SSLSessionCache shmcb:{dir}/scache(512000)\nSSLSessionTickets off\n";

#[test]
fn httpd_sessions_cross_where_the_server_name_is_one() {
    let program = install::apache();
    for (word, crosses) in [("ServerAlias", true), ("ServerName", false)] {
        for store in ["", HTTPD_STORE] {
            let folder = Folder::new();
            let (a, b) = (format!("{word} a.test"), format!("{word} b.test"));
            let text = store.to_owned()
                + &folder.vhost(&a, HTTPD_STAFF)
                + &folder.vhost(&b, HTTPD_PARTNER);
            let (_server, root) = folder.httpd(&text);
            for kind in [Kind::Tls13, Kind::Ticket12] {
                let ask = |name| Ask::of(name, Some(&folder.staff)).by(kind);
                let session = folder.ask(&ask("a.test"));
                assert!(session.served_by(&a), "{session:?}");
                let full = folder.ask(&ask("b.test"));
                assert!(full.refused(), "b.test does not trust staff: {full:?}");
                if session.session.is_none() {
                    continue;
                }
                let resumed = folder.ask(&ask("b.test").with(&session));
                assert_eq!(
                    resumed.served_by(&b) && resumed.resumed,
                    crosses,
                    "{resumed:?}"
                );
            }
            let rules = found(&root, &program, "apache");
            assert_eq!(says(&rules, "shared-session-context"), crosses, "{rules:?}");
        }
    }
}

#[test]
fn httpd_without_client_auth_at_the_first_opens_nothing() {
    let program = install::apache();
    let folder = Folder::new();
    let text =
        folder.vhost("ServerAlias a.test", "") + &folder.vhost("ServerAlias b.test", HTTPD_PARTNER);
    let (_server, root) = folder.httpd(&text);
    let session = folder.ask(&Ask::of("a.test", None));
    let answer = folder.ask(&Ask::of("b.test", None).with(&session));
    assert!(answer.refused(), "{answer:?}");
    assert!(!says(
        &found(&root, &program, "apache"),
        "shared-session-context"
    ));
}

#[test]
fn httpd_policy_insecure_lets_sessions_and_names_cross() {
    let program = install::apache();
    for (policy, crosses) in [
        ("secure", false),
        ("authonly", false),
        ("strict", false),
        ("insecure", true),
    ] {
        let folder = Folder::new();
        let text = format!("SSLVHostSNIPolicy {policy}\n")
            + &folder.vhost("ServerName a.test", HTTPD_STAFF)
            + &folder.vhost("ServerName b.test", HTTPD_PARTNER);
        let (_server, root) = folder.httpd(&text);
        let staff = Ask::of("a.test", Some(&folder.staff));
        let session = folder.ask(&staff);
        assert!(session.served_by("ServerName a.test"), "{session:?}");
        let nameless = staff.named(None).for_host("b.test").with(&session);
        let answer = folder.ask(&nameless);
        assert_eq!(
            answer.served_by("ServerName b.test"),
            crosses,
            "{policy}: {answer:?}"
        );
        assert_eq!(
            says(&found(&root, &program, "apache"), CROSSES),
            crosses,
            "{policy}"
        );
    }
}

/// The responder says good, then revoked; the session is from before.
#[test]
fn httpd_sessions_outlive_a_responders_revocation() {
    let program = install::apache();
    for store in ["", HTTPD_STORE] {
        let folder = Folder::new();
        let responder = free_address();
        let ocsp = format!(
            "{HTTPD_STAFF}\nSSLOCSPEnable on\nSSLOCSPDefaultResponder http://{responder}/\n\
             SSLOCSPOverrideResponder on"
        );
        let text = store.to_owned() + &folder.vhost("ServerName a.test", &ocsp);
        let (_server, root) = folder.httpd(&text);
        let ask = Ask::of("a.test", Some(&folder.staff));
        let good = Responder::start(&folder, responder, "V\t351231000000Z\t");
        let session = folder.ask(&ask);
        assert!(session.served_by("ServerName a.test"), "{session:?}");
        drop(good);
        let _revoked = Responder::start(&folder, responder, "R\t351231000000Z\t250101000000Z");
        let full = folder.ask(&ask);
        assert!(full.refused(), "{full:?}");
        let resumed = folder.ask(&ask.with(&session));
        let passed = resumed.served_by("ServerName a.test") && resumed.resumed;
        assert!(passed, "{resumed:?}");
        assert!(says(
            &found(&root, &program, "apache"),
            "revocation-outlived"
        ));
    }
}

/// OpenSSL's own responder for the client's certificate; ended when dropped.
struct Responder(std::process::Child);

impl Responder {
    fn start(folder: &Folder, address: SocketAddr, status: &str) -> Self {
        let dir = folder.dir.path();
        let pem = fs::read(&folder.staff.cert).unwrap();
        let cert = openssl::x509::X509::from_pem(&pem).unwrap();
        let serial = cert.serial_number().to_bn().unwrap().to_hex_str().unwrap();
        let index = dir.join("index.txt");
        fs::write(&index, format!("{status}\t{serial}\tunknown\t/CN=staff\n")).unwrap();
        let ca = dir.join("staff-ca.crt");
        let child = Command::new("openssl")
            .args(["ocsp", "-port", &address.port().to_string(), "-index"])
            .arg(&index)
            .arg("-rsigner")
            .arg(&ca)
            .arg("-rkey")
            .arg(dir.join("staff-ca.key"))
            .arg("-CA")
            .arg(&ca)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the openssl program, for a responder");
        let deadline = Instant::now() + Duration::from_secs(10);
        // A connection without a request would keep it busy: the kernel is asked instead.
        while !listens(address.port()) {
            assert!(Instant::now() < deadline, "the responder does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

fn listens(port: u16) -> bool {
    let wanted = format!(":{port:04X} ");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let table = fs::read_to_string(table).unwrap_or_default();
        let mut lines = table.lines();
        lines.any(|line| line.contains(&wanted) && line.contains(" 0A "))
    })
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A connection that stays open keeps the process of before a reload, and the keys in it.
#[test]
fn nginx_keeps_processes_with_old_keys_unless_told() {
    for program in both() {
        for (line, drained) in [("", false), ("worker_shutdown_timeout 1s;\n", true)] {
            let folder = Folder::new();
            certs::ticket_key(&folder.dir.path().join("k1.key"), 80);
            certs::ticket_key(&folder.dir.path().join("k2.key"), 80);
            let keys = "ssl_session_ticket_key {dir}/k1.key; ssl_session_ticket_key {dir}/k2.key;";
            // An answer that takes minutes.
            let plain = free_address();
            let body = "slow ".repeat(100);
            let waiting =
                format!("    server {{ listen {plain}; limit_rate 1; return 200 \"{body}\"; }}\n");
            let root = folder.nginx_root(&(folder.nginx_server("a.test", keys) + &waiting));
            let text = fs::read_to_string(&root).unwrap();
            fs::write(&root, format!("{line}{text}")).unwrap();
            let _server = nginx::serve(&program, folder.dir.path(), &root, &folder.beacon());
            let mut open = TcpStream::connect(plain).unwrap();
            std::io::Write::write_all(&mut open, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                .unwrap();
            thread::sleep(Duration::from_millis(300));

            let pid = fs::read_to_string(folder.dir.path().join("nginx.pid")).unwrap();
            let before = children(pid.trim());
            assert!(
                Command::new("kill")
                    .args(["-HUP", pid.trim()])
                    .status()
                    .unwrap()
                    .success()
            );
            thread::sleep(Duration::from_secs(4));
            let after = children(pid.trim());
            let stays = before.iter().any(|child| after.contains(child));
            assert_eq!(stays, !drained, "{line:?}: {before:?} {after:?}");
            let rules = found(&root, &program, "nginx");
            assert_eq!(says(&rules, "undrained-rotation"), !drained, "{rules:?}");
        }
    }
}

fn test_only(arguments: &[String]) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    arguments.push("-t".to_owned());
    arguments
}

/// Whether httpd still runs after two seconds, or has answered before.
fn httpd_runs(folder: &Folder, program: &Program, root: &Path) -> bool {
    let mut arguments = apache::arguments(folder.dir.path(), root);
    arguments.push("-DFOREGROUND".to_owned());
    let mut child = Command::new(&program.path)
        .args(&arguments)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // It listens before it reads keys and commands: only a handshake tells.
        if connect(&folder.beacon(), Kind::Ticket12, None).is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "neither ends nor answers");
        thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &pid]).status();
    let _ = child.wait();
    true
}

/// One ticket's early data is taken more than once: what `early-data-replay` warns of.
#[test]
fn early_data_is_taken_again_and_again() {
    use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};
    use std::io::{Read, Write};

    for program in [install::nginx_packaged(), install::nginx_mainline()] {
        let folder = Folder::new();
        let lines = "ssl_early_data on; add_header X-Early \"<$ssl_early_data>\" always;";
        let servers = folder.nginx_server("a.test", lines);
        let (_server, _) = folder.nginx(&program, &servers);
        let target = folder.beacon().at(folder.address, "a.test");
        let first = connect(&target, Kind::Tls13, None).unwrap();
        assert!(first.response.contains("X-Early: <>"), "{}", first.response);
        let ticket = first.issued.last().unwrap().clone();
        let mut taken = 0;
        for _ in 0..12 {
            let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
            builder.set_verify(SslVerifyMode::NONE);
            builder
                .set_min_proto_version(Some(SslVersion::TLS1_3))
                .unwrap();
            let context = builder.build();
            let mut ssl = Ssl::new(&context).unwrap();
            ssl.set_hostname("a.test").unwrap();
            let session = openssl::ssl::SslSession::from_der(&ticket.der).unwrap();
            support::client::offer(&mut ssl, &session).unwrap();
            let socket = TcpStream::connect(folder.address).unwrap();
            let mut stream = SslStream::new(ssl, socket).unwrap();
            let request = b"GET / HTTP/1.0\r\nHost: a.test\r\nConnection: close\r\n\r\n";
            assert_eq!(stream.write_early_data(request).unwrap(), request.len());
            stream.connect().unwrap();
            stream.flush().unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            // `1`: the request was answered before the handshake was complete, which is a race
            // that this client does not always win.
            taken += usize::from(response.contains("X-Early: <1>"));
        }
        println!(
            "nginx {}: one ticket's early data taken {taken} times",
            program.version
        );
        assert!(taken > 1, "nginx {}: {taken}", program.version);
    }
}
