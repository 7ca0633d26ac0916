//! `keys doctor` on real servers: a sound set-up has no row that is not ok, and each thing that
//! can be wrong is one row that says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use keys_bench::Bench;
use support::client::Target;
use support::{apache, certs, install, server};

const GOOD: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 18h;";

/// The row of this name that is not ok, or the first of this name.
fn row<'a>(table: &'a str, name: &str) -> &'a str {
    let rows = || table.lines().filter(|line| line[9..].starts_with(name));
    let bad = rows().find(|line| !line.starts_with("ok"));
    bad.or_else(|| rows().next())
        .unwrap_or_else(|| panic!("no row {name} in\n{table}"))
}

#[track_caller]
fn says(table: &str, name: &str, grade: &str, words: &str) {
    let row = row(table, name);
    assert!(
        row.starts_with(grade) && row.contains(words),
        "{row}\n{table}"
    );
}

#[test]
fn a_sound_set_up_and_what_can_be_wrong_with_it() {
    let bench = Bench::new(&install::nginx_mainline(), GOOD);
    // As the server is started with no limit of its own, this test's own holds for it.
    let server = bench.serve();
    bench.ran("init", &[]).ended(0);
    let doctor = || bench.ran("doctor", &[]).out;
    let table = doctor();
    for line in table.lines().filter(|line| !line.contains("core dumps")) {
        assert!(
            line.starts_with("ok") || line.contains("lint"),
            "{line}\n{table}"
        );
    }
    says(&table, "live check", "ok", "3 tickets");
    says(&table, "memory only", "ok", "never swapped");

    let keys = bench.memory.keys();
    let file = bench.key_files()[1].clone();
    let chmod = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(&keys, 0o755);
    says(&doctor(), "folder", "error", "open to others");
    chmod(&keys, 0o700);
    chmod(&file, 0o644);
    says(&doctor(), "key files", "error", "open to others");
    chmod(&file, 0o600);

    bench.configure(
        "    include {keys}/*.conf;\n    ssl_session_timeout 19h;",
        "ssl",
        "",
    );
    says(&doctor(), "session timeout", "warning", "19h");
    bench.configure(GOOD, "ssl", "");
    let text = fs::read_to_string(&bench.root).unwrap();
    fs::write(&bench.root, text.replace("worker_shutdown_timeout 1s;", "")).unwrap();
    says(&doctor(), "draining", "warning", "WebSockets");
    fs::write(
        &bench.root,
        text.replace("worker_shutdown_timeout 1s;", "worker_shutdown_timeout 1d;"),
    )
    .unwrap();
    says(&doctor(), "draining", "warning", "longer than a slot");

    // The include stands in a server of its own keys only: the array replaces what is inherited.
    let own = bench.dir.path().join("own.key");
    certs::ticket_key(&own, 80);
    bench.configure(
        GOOD,
        "ssl",
        &format!("ssl_session_ticket_key {};", own.display()),
    );
    says(&doctor(), "include", "error", "no server uses these keys");
    bench.configure(GOOD, "ssl", "");

    // Somebody else's key in the place of the current one.
    fs::write(&bench.key_files()[0], [7; 80]).unwrap();
    let table = doctor();
    says(&table, "key files", "error", "is damaged");
    assert_eq!(bench.ran("doctor", &[]).code, Some(1));
    drop(server);
    let table = bench.ran("doctor", &[]).ended(1).out;
    says(&table, "core dumps", "note", "does not run");
}

#[test]
fn without_keys_there_is_nothing_ok() {
    let bench = Bench::new(&install::nginx_packaged(), GOOD);
    let table = bench.ran("doctor", &[]).ended(1).out;
    says(&table, "rotation", "error", "stekguard keys init");
    says(&table, "live check", "warning", "not checkable");
    let status = bench.ran("status", &[]).ended(2);
    assert!(status.err.contains("stekguard keys init"), "{}", status.err);
}

#[test]
fn httpds_key_file_is_proven_or_refused_by_its_tickets() {
    let program = install::apache();
    for (lines, grade, words, code) in [
        // What authenticates tickets on OpenSSL 3 is not the file.
        (
            "SSLSessionTicketKeyFile {dir}/k1.key",
            "error",
            "is unreliable",
            1,
        ),
        (
            "SSLSessionTickets off\nSSLSessionCache shmcb:{dir}/cache(512000)",
            "ok",
            "no tickets",
            0,
        ),
        // Nobody has said that somebody restarts it.
        ("", "note", "under a key in memory", 1),
    ] {
        let dir = apache::server_root();
        let nonce = certs::nonce();
        let pair = certs::self_signed(dir.path(), "one", &["a.test"], &nonce);
        certs::ticket_key(&dir.path().join("k1.key"), 48);
        let address = server::free_address();
        let lines = lines.replace("{dir}", &dir.path().display().to_string());
        let text = format!(
            "Listen {address}\n{lines}\nSSLSessionCacheTimeout 300\n<VirtualHost {address}>\n\
             ServerName a.test\nSSLEngine on\nSSLCertificateFile {}\n\
             SSLCertificateKeyFile {}\n</VirtualHost>\n",
            pair.cert.display(),
            pair.key.display()
        );
        let root = dir.path().join("apache2.conf");
        fs::write(&root, apache::main_file(dir.path(), &text)).unwrap();
        let target = Target {
            address,
            sni: Some("a.test".to_owned()),
            nonce,
        };
        let running = apache::serve(&program, dir.path(), &root, &target);
        let mut doctor = std::process::Command::new(env!("CARGO_BIN_EXE_stekguard"));
        doctor.args(["keys", "doctor", "--layout", "apache48", "--server-config"]);
        doctor.arg(&root).env("NO_COLOR", "1");
        doctor.arg("--system-root").arg(dir.path());
        let seen = keys_bench::Ran::of(doctor);
        println!("{}", seen.out);
        says(&seen.out, "key file", grade, words);
        says(&seen.out, "advice", "note", "SSLSessionTickets off");
        assert_eq!(seen.code, Some(code), "{}", seen.out);
        drop(running);
    }
}
