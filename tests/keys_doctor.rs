//! `keys doctor` on real servers: a sound set-up has no row that is not ok, and each thing that
//! can be wrong is one row that says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use keys_bench::{Bench, Daemon, Ran};
use rustix::fs::{XattrFlags, getxattr, setxattr};
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

/// The table for units and processes below a folder.
fn table_below(root: &Path) -> String {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    doctor
        .args(["keys", "doctor", "--isolated", "--system-root"])
        .arg(root)
        .env("NO_COLOR", "1");
    Ran::of(doctor).out
}

fn row_with<'a>(table: &'a str, words: &str) -> &'a str {
    let row = table.lines().find(|line| line.contains(words));
    row.unwrap_or_else(|| panic!("no {words} in\n{table}"))
}

#[test]
fn units_are_read_with_their_drop_ins() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let units = root.path().join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    for more in [
        &[][..],
        &["--scheduled-reload", "24h", "--service", "apache2"],
    ] {
        let mut made = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        made.args(["keys", "units", "--isolated", "--write"])
            .arg(&units)
            .args(more);
        Ran::of(made).ended(0);
    }
    let service = "stekguard-keys-nginx.service";
    let table = || table_below(root.path());
    let seen = table();
    for name in [
        service,
        "stekguard-keys-nginx-boot.service",
        "stekguard-reload-apache2.service",
    ] {
        let row = row_with(&seen, name);
        assert!(
            row.starts_with("ok") && row.contains("its files say"),
            "{row}"
        );
    }
    let (etc, lib) = (
        format!("etc/systemd/system/{service}.d"),
        format!("usr/lib/systemd/system/{service}.d"),
    );
    // Comments, other sections and files that are no drop-ins say nothing.
    write(
        &format!("{etc}/10.conf"),
        "[Unit]\nLimitCORE=1\n[Service]\n#LimitCORE=1\n;LimitCORE=1\n",
    );
    write(&format!("{etc}/readme.txt"), "[Service]\nLimitCORE=1\n");
    assert!(row_with(&table(), service).starts_with("ok"));
    // A vendor's drop-in counts, until the administrator's of the same name takes its place.
    write(
        &format!("{lib}/50.conf"),
        "[Service]\nNoNewPrivileges = no\n",
    );
    let seen = table();
    let row = row_with(&seen, "set NoNewPrivileges=yes");
    assert!(row.starts_with("warning") && row.contains(service), "{row}");
    write(
        &format!("{etc}/50.conf"),
        "[Service]\nNoNewPrivileges=true\n",
    );
    assert!(row_with(&table(), service).starts_with("ok"));
    // The last word wins, by the files' names.
    write(
        &format!("{etc}/90.conf"),
        "[Service]\nLimitCORE=infinity\nProtectSystem=full\n",
    );
    let seen = table();
    for fix in ["set LimitCORE=0", "set ProtectSystem=strict"] {
        assert!(row_with(&seen, fix).starts_with("warning"), "{seen}");
    }
    assert!(row_with(&seen, "set LimitCORE=0").contains("a disk"));
    fs::remove_file(root.path().join(format!("{etc}/90.conf"))).unwrap();
    // One for every service of the machine.
    write(
        "etc/systemd/system/service.d/all.conf",
        "[Service]\nPrivateTmp=no\n",
    );
    assert!(row_with(&table(), "set PrivateTmp=yes").starts_with("warning"));
    // An older unit without any sandbox.
    write(
        &format!("etc/systemd/system/{service}"),
        "[Service]\nExecStart=/bin/true\n",
    );
    let seen = table();
    for fix in [
        "LimitCORE=0",
        "MemoryDenyWriteExecute=yes",
        "ProtectHome=yes",
        "LimitMEMLOCK=infinity",
    ] {
        assert!(
            row_with(&seen, &format!("say nothing; set {fix}")).starts_with("warning"),
            "{seen}"
        )
    }
}

#[test]
fn running_processes_are_looked_at() {
    // One that lives: it locks its memory and writes no core by itself; what only a unit can
    // do for it is a note.
    let bench = Bench::new(&install::nginx_packaged(), GOOD);
    let server = bench.serve();
    let log = bench.dir.path().join("run.log");
    let mut daemon = Daemon::start(bench.keys("run", &[]), &log);
    daemon.says("encrypts");
    let pid = daemon.child.id();
    let seen = table_below(Path::new("/"));
    let rows: Vec<&str> = seen
        .lines()
        .filter(|line| line.contains(&format!(" {pid}: ")))
        .collect();
    println!("{}", rows.join("\n"));
    assert!(rows.iter().all(|row| row.starts_with("note")), "{rows:#?}");
    assert!(
        rows.iter().any(|row| row.contains("NoNewPrivileges=yes")),
        "{rows:#?}"
    );
    drop(daemon);
    // With fewer rights, as a unit gives them; new keys, so that it says when it is at work.
    fs::remove_dir_all(bench.memory.keys()).unwrap();
    let run = bench.keys("run", &[]);
    let mut closed = Command::new("setpriv");
    let rights =
        "-all,+chown,+dac_override,+fowner,+ipc_lock,+kill,+net_bind_service,+setgid,+setuid";
    closed
        .args([
            "--no-new-privs",
            "--bounding-set",
            rights,
            "--inh-caps=-all",
        ])
        .arg(run.get_program())
        .args(run.get_args());
    let mut daemon = Daemon::start(closed, &log);
    daemon.says("encrypts");
    let pid = daemon.child.id();
    let seen = table_below(Path::new("/"));
    let rows: Vec<&str> = seen
        .lines()
        .filter(|line| line.contains(&format!(" {pid}: ")))
        .collect();
    println!("{}", rows.join("\n"));
    assert!(
        !rows
            .iter()
            .any(|row| row.contains("NoNewPrivileges") || row.contains("rights that")),
        "{rows:#?}"
    );
    assert!(
        rows.iter()
            .any(|row| row.contains("no system call is refused")),
        "{rows:#?}"
    );
    drop((daemon, server));

    // One that cannot be started here: of another kernel's /proc.
    let root = tempfile::tempdir().unwrap();
    let made = |pid: &str, words: &[&str], status: &str, core: &str| {
        let proc = root.path().join("proc").join(pid);
        fs::create_dir_all(&proc).unwrap();
        fs::write(proc.join("cmdline"), words.join("\0") + "\0").unwrap();
        fs::write(proc.join("status"), status).unwrap();
        let limits = format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max core file size        {core}            unlimited            bytes     \n"
        );
        fs::write(proc.join("limits"), limits).unwrap();
    };
    let open = "VmLck:\t       0 kB\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n";
    let closed = "VmLck:\t    5120 kB\nCapEff:\t00000000000044eb\nNoNewPrivs:\t1\nSeccomp:\t2\n";
    made(
        "41",
        &["/usr/bin/stekguard", "keys", "run"],
        open,
        "unlimited",
    );
    made("42", &["stekguard", "keys", "agent"], closed, "0");
    made("43", &["/usr/bin/stekguard", "lint"], open, "unlimited");
    made("44", &["vi", "keys", "run"], open, "unlimited");
    let seen = table_below(root.path());
    for words in ["41: a crash may write keys", "41: its memory is not locked"] {
        assert!(row_with(&seen, words).starts_with("warning"), "{seen}");
    }
    assert!(
        row_with(&seen, "41: it has rights that").starts_with("note"),
        "{seen}"
    );
    assert!(
        row_with(&seen, " 42 writes no core").starts_with("ok"),
        "{seen}"
    );
    assert!(!seen.contains(" 43") && !seen.contains(" 44"), "{seen}");
}

fn label_of(path: &Path) -> Option<String> {
    let mut value = [0; 256];
    let length = getxattr(path, "security.selinux", &mut value).ok()?;
    let text = String::from_utf8_lossy(&value[..length]).into_owned();
    Some(text.trim_end_matches('\0').to_owned())
}

/// Labels as an SELinux host has them on everything; a kernel without it stores them all the
/// same, so that what is set, and that new files keep it, shows.
#[test]
fn the_folder_and_every_new_file_carry_a_label_that_servers_may_read() {
    let bench = Bench::new(&install::nginx_packaged(), GOOD);
    let server = bench.serve();
    // Without labels there is nothing to set, and nothing to say.
    let made = bench.ran("init", &[]).ended(0);
    assert!(!made.err.contains("labelled"), "{}", made.err);
    assert_eq!(label_of(&bench.memory.keys()), None);
    assert!(!bench.ran("doctor", &[]).out.contains("  label"));
    fs::remove_dir_all(bench.memory.keys()).unwrap();

    let label = |kind: &str| format!("system_u:object_r:{kind}:s0");
    let mark = |path: &Path, kind: &str| {
        let value = label(kind) + "\0";
        setxattr(
            path,
            "security.selinux",
            value.as_bytes(),
            XattrFlags::empty(),
        )
        .expect("a label on a tmpfs: root is needed");
    };
    let all = |kind: &str| {
        let keys = bench.memory.keys();
        let files = fs::read_dir(&keys)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let files: Vec<_> = files
            .filter(|path| !path.ends_with("lock"))
            .chain([keys])
            .collect();
        assert!(files.len() >= 6, "{files:?}");
        for path in files {
            assert_eq!(label_of(&path), Some(label(kind)), "{}", path.display());
        }
    };
    mark(bench.memory.path(), "tmpfs_t");
    let made = bench.ran("init", &[]).ended(0);
    for path in [bench.memory.keys(), bench.memory.path().to_owned()] {
        let line = format!(
            "{} is labelled {}",
            path.display(),
            label("httpd_var_run_t")
        );
        assert!(made.err.contains(&line), "no {line} in {}", made.err);
    }
    all("httpd_var_run_t");
    assert_eq!(
        label_of(bench.memory.path()),
        Some(label("httpd_var_run_t"))
    );
    bench.ran("rotate-now", &[]).ended(0);
    all("httpd_var_run_t");
    let table = bench.ran("doctor", &[]).out;
    says(&table, "label", "ok", "httpd_var_run_t");
    // Nothing to do once more, and nothing said.
    let again = bench.ran("init", &[]).ended(0);
    assert!(!again.err.contains("labelled"), "{}", again.err);

    // Another type, and none of ours.
    bench
        .ran("init", &["--selinux-type", "httpd_config_t"])
        .ended(0);
    assert_eq!(
        label_of(&bench.memory.keys()),
        Some(label("httpd_config_t"))
    );
    bench.ran("rotate-now", &[]).ended(0);
    all("httpd_config_t");
    mark(&bench.memory.keys(), "user_tmp_t");
    bench.ran("init", &["--selinux-type", ""]).ended(0);
    assert_eq!(label_of(&bench.memory.keys()), Some(label("user_tmp_t")));
    says(
        &bench.ran("doctor", &[]).out,
        "label",
        "note",
        "--selinux-type",
    );
    drop(server);
}
