//! How closed in keys and the tool are: units with their drop-ins, running processes, and the
//! label of the folder, as `keys doctor` shows them and `keys init` sets it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use keys_bench::{Bench, Daemon, Ran};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use support::install;

const GOOD: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 18h;";

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
    assert!(row_with(&table, "  label ").starts_with("ok"), "{table}");
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
    let table = bench.ran("doctor", &[]).out;
    let row = row_with(&table, "  label ");
    assert!(
        row.starts_with("note") && row.contains("--selinux-type"),
        "{row}"
    );
    drop(server);
}
