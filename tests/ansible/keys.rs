//! `ticket_keys` and the role `rotate` on a running nginx, with keys in a tmpfs of the test's
//! own: made, wired in, rotated and replaced, and no byte of a key in what Ansible sees.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::keys_bench::{Bench, wall};
use crate::playbook::{Desk, files, finish, stekguard};
use crate::support::client::Kind;
use crate::support::{install, nginx};
use crate::{result, task};

/// No slot ends while the test runs.
const LONG: &str = "interval: 7d";
const INCLUDE: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 18h;";

/// The module's options for this server.
fn options(bench: &Bench, more: &str) -> String {
    format!(
        "dir: {}\nserver_config: {}\npid_file: {}\ntest_command: {}\nisolated: true\n{more}",
        bench.memory.keys().display(),
        bench.root.display(),
        bench.pid_file(),
        bench.test_command(),
    )
}

/// The id as the program promises it, by another program: 8 bytes of the file's SHA-256.
fn id_of(path: &str) -> String {
    let mut command = Command::new("sha256sum");
    command.arg(path);
    let run = finish(command);
    assert_eq!(run.code, 0, "{}", run.said);
    run.said[..16].to_owned()
}

/// Eight bytes of a key in a row, in hexadecimal digits, or all of it in base64.
#[track_caller]
fn holds_no_key(bench: &Bench, said: &str) {
    let keys = bench.key_files();
    assert!(!keys.is_empty());
    let said = said.to_lowercase();
    for path in keys {
        let bytes = fs::read(&path).unwrap();
        for window in bytes.windows(8) {
            let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!said.contains(&hex), "bytes of {}", path.display());
        }
        let mut command = Command::new("base64");
        command.args(["-w", "0"]).arg(&path);
        let text = finish(command).said.to_lowercase();
        assert!(text.len() > 100 && !said.contains(&text[..24]));
    }
}

/// A new ticket of this version is under this key.
#[track_caller]
fn ticket_is_under(bench: &Bench, key: &Value) {
    let name = fs::read(key["path"].as_str().unwrap()).unwrap()[..16].to_vec();
    for kind in [Kind::Ticket12, Kind::Tls13] {
        let session = bench.session(kind);
        assert_eq!(session.ticket[..16], name, "{kind:?}");
        assert!(bench.resumes(kind, &session), "{kind:?}");
    }
}

#[test]
fn keys_are_made_once_and_no_byte_of_them_is_shown() {
    let program = install::nginx_packaged();
    let bench = Bench::new(&program, INCLUDE);
    let _nginx = bench.serve();
    let desk = Desk::new();
    let play = task(&desk, "ticket_keys", &options(&bench, LONG));

    let check = desk.run(&play, &["--check", "--diff"]);
    check.changed(1);
    assert!(
        check.said.contains("+the keys that are due"),
        "{}",
        check.said
    );
    assert!(!bench.memory.keys().exists(), "check mode made the folder");

    let run = desk.run(&play, &["--diff", "-vvv"]);
    run.changed(1);
    let made = result(&desk);
    assert_eq!(made["reloaded"], true);
    assert_eq!(made["live_check"]["result"], "verified");
    assert_eq!(made["directory"], *bench.memory.keys().to_string_lossy());
    assert_eq!(made["status"]["schema"], "stekguard-keys-status/1");
    // The key that encrypts and two of coming slots.
    assert_eq!(made["decrypts"].as_array().unwrap().len(), 2);
    let week = 7 * 24 * 3600 * 1000;
    assert_eq!(made["encrypts"]["slot"], wall() / week);
    for key in made["decrypts"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&made["encrypts"]])
    {
        assert_eq!(key["id"], id_of(key["path"].as_str().unwrap()));
    }
    ticket_is_under(&bench, &made["encrypts"]);
    let line = format!(
        "+encrypts {} of slot",
        made["encrypts"]["id"].as_str().unwrap()
    );
    assert!(run.said.contains(&line), "{}", run.said);
    holds_no_key(&bench, &run.said);
    holds_no_key(&bench, &made.to_string());

    let before = files(&bench.memory.keys());
    for options in [&["--check", "--diff"][..], &["--diff"]] {
        let again = desk.run(&play, options);
        again.changed(0);
        let seen = result(&desk);
        assert_eq!(seen["reloaded"], false);
        assert_eq!(seen["live_check"]["result"], "verified");
        assert_eq!(seen["encrypts"], made["encrypts"]);
    }
    let keys = |all: Vec<(std::path::PathBuf, Vec<u8>)>| {
        // The time of the last run is remembered.
        let all = all.into_iter();
        all.filter(|(path, _)| !path.ends_with("state.json"))
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(files(&bench.memory.keys())), keys(before));

    // An include that somebody has changed is not what stands.
    fs::write(bench.memory.keys().join("keys.conf"), "# gone\n").unwrap();
    desk.run(&play, &["--check"]).changed(1);
    desk.run(&play, &[]).changed(1);
    ticket_is_under(&bench, &made["encrypts"]);
}

#[test]
fn a_due_key_rotates_and_a_leaked_one_is_replaced() {
    let program = install::nginx_packaged();
    let bench = Bench::new(&program, INCLUDE);
    let _nginx = bench.serve();
    let desk = Desk::new();
    let plan = "interval: 20s\nprevious: 19\nlifetime: 300s\nskew: 1s";
    let play = task(&desk, "ticket_keys", &options(&bench, plan));
    desk.run(&play, &[]).changed(1);
    let first = result(&desk);
    let sessions = [Kind::Ticket12, Kind::Tls13].map(|kind| (kind, bench.session(kind)));

    // Into the next slot, and a little further.
    thread::sleep(Duration::from_millis(20_200 - wall() % 20_000));
    desk.run(&play, &["--check"]).changed(1);
    assert_eq!(result(&desk)["encrypts"], first["encrypts"]);
    desk.run(&play, &[]).changed(1);
    let second = result(&desk);
    assert!(second["encrypts"]["slot"].as_u64() > first["encrypts"]["slot"].as_u64());
    assert_eq!(second["live_check"]["result"], "verified");
    ticket_is_under(&bench, &second["encrypts"]);
    for (kind, session) in &sessions {
        assert!(bench.resumes(*kind, session), "{kind:?} within the window");
    }

    let leak = format!("{plan}\nstate: rotated_now");
    let play = task(&desk, "ticket_keys", &options(&bench, &leak));
    desk.run(&play, &["--check"]).changed(1);
    for (kind, session) in &sessions {
        assert!(bench.resumes(*kind, session), "check mode replaced keys");
    }
    let run = desk.run(&play, &["-vvv", "--diff"]);
    run.changed(1);
    let third = result(&desk);
    assert_eq!(third["encrypts"]["generation"], 1);
    let ids = |seen: &Value| {
        let keys = seen["decrypts"].as_array().unwrap().iter();
        let keys = keys.chain([&seen["encrypts"]]);
        keys.map(|key| key["id"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(ids(&third).is_disjoint(&ids(&second)), "{third}");
    for (kind, session) in &sessions {
        assert!(!bench.resumes(*kind, session), "{kind:?} after the leak");
    }
    ticket_is_under(&bench, &third["encrypts"]);
    holds_no_key(&bench, &run.said);

    // Session ids of a shared cache outlive the keys: a play must not go on as if all were done.
    let cached = format!("    ssl_session_cache shared:a:1m;\n{INCLUDE}");
    bench.configure(&cached, "ssl", "");
    let run = desk.run(&play, &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(run.said.contains("shared cache a still"), "{}", run.said);
}

#[test]
fn what_does_not_go_live_and_what_is_no_memory_fails() {
    let program = install::nginx_packaged();
    let bench = Bench::new(&program, INCLUDE);
    let _nginx = bench.serve();
    let desk = Desk::new();
    let refused = options(&bench, LONG).replace(&bench.test_command(), "echo no good; false");
    let run = desk.run(&task(&desk, "ticket_keys", &refused), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(run.said.contains("did not go live"), "{}", run.said);
    assert!(run.said.contains("no good"), "{}", run.said);
    assert_eq!(bench.include(), "", "nothing is left for nginx to read");

    for (more, said) in [
        ("dir: relative/keys", "is absolute"),
        ("interval: 1 hour", "is not a period"),
        ("lifetime: 9000d", "rotation: lifetime"),
        ("check: here", "is not of the form"),
        ("cache: much", "is not a size such as 10m"),
        ("config: /nowhere/stekguard.toml", "/nowhere/stekguard.toml"),
        ("state: rotated_now\ndir: /run/no-such", "there are no keys"),
    ] {
        let run = desk.run(&task(&desk, "ticket_keys", more), &["--check"]);
        assert_eq!(run.code, 2, "{more}\n{}", run.said);
        assert!(run.said.contains(said), "{said}\n{}", run.said);
    }

    // Ansible's own folder lies on a disk, or in a tmpfs that may be swapped.
    fs::create_dir(desk.at("disk")).unwrap();
    let disk = format!("dir: {}\n{LONG}", desk.text("disk"));
    let run = desk.run(&task(&desk, "ticket_keys", &disk), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(
        run.said.contains("keys would be written to"),
        "{}",
        run.said
    );
    assert_eq!(files(&desk.at("disk")), []);
}

/// The role for this server; no systemd runs where tests run.
fn role(desk: &Desk, bench: &Bench, version: &str, path: &str) -> String {
    let words: Vec<String> = [path.to_owned()]
        .into_iter()
        .chain(nginx::arguments(bench.dir.path(), &bench.root))
        .map(|word| format!("{word:?}"))
        .collect();
    let words = words.join(", ");
    format!(
        "roles:\n  - role: stekguard.tls.rotate\n    rotate_path: {}\n    rotate_pid_file: {}\n    \
         rotate_keys_dir: {}\n    rotate_config: {}\n    rotate_detect: false\n    \
         rotate_server_version: [\"nginx={version}\"]\n    rotate_executable: {}\n    \
         rotate_test_command: [{words}, \"-t\"]\n    \
         rotate_reload_command: [{words}, \"-s\", \"reload\"]\n    rotate_systemd: false\n    \
         rotate_unit_dir: {}\n",
        bench.root.display(),
        bench.pid_file(),
        bench.memory.keys().display(),
        desk.text("settings.toml"),
        stekguard(),
        desk.text("units"),
    )
}

#[test]
fn the_role_rotate_goes_from_nothing_to_tickets_under_the_current_key() {
    let program = install::nginx_packaged();
    let bench = Bench::new(&program, "");
    let _nginx = bench.serve();
    let desk = Desk::new();
    fs::create_dir(desk.at("units")).unwrap();
    fs::write(
        desk.at("settings.toml"),
        "[rotation]\ninterval = \"7d\"\nlifetime = \"6h\"\n",
    )
    .unwrap();
    let old = fs::read_to_string(&bench.root).unwrap();
    let path = program.path.display().to_string();
    let play = desk.play(&role(&desk, &bench, &program.version, &path));

    let check = desk.run(&play, &["--check", "--diff"]);
    assert_eq!(check.code, 0, "{}", check.said);
    assert!(check.recap("changed") >= 3, "{}", check.said);
    assert!(
        check.said.contains("+MemoryDenyWriteExecute=yes"),
        "{}",
        check.said
    );
    assert_eq!(fs::read_to_string(&bench.root).unwrap(), old);
    assert_eq!(files(&desk.at("units")), []);
    assert!(!bench.memory.keys().exists());

    let run = desk.run(&play, &["--diff", "-vvv"]);
    assert_eq!(run.code, 0, "{}", run.said);
    let new = fs::read_to_string(&bench.root).unwrap();
    let include = format!("include {}/*.conf;", bench.memory.keys().display());
    assert!(new.contains(&include), "{new}");
    // The lifetime of the settings, whichever way it is written.
    assert!(
        new.contains("ssl_session_timeout 6h;") || new.contains("ssl_session_timeout 21600"),
        "{new}"
    );
    let first = bench.include();
    let path = first
        .lines()
        .find_map(|line| line.strip_prefix("ssl_session_ticket_key "))
        .unwrap();
    let key = serde_json::json!({"path": path.trim_end_matches(';')});
    ticket_is_under(&bench, &key);
    assert!(run.said.contains("under the current key"), "{}", run.said);
    holds_no_key(&bench, &run.said);

    let units = files(&desk.at("units"));
    let names: Vec<_> = units
        .iter()
        .map(|(path, _)| path.file_name().unwrap())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    let mut printed = Command::new(stekguard());
    printed
        .args(["keys", "units", "--dir"])
        .arg(bench.memory.keys());
    printed.args(["--server-config"]).arg(&bench.root);
    printed.args(["--pid-file", &bench.pid_file()]);
    printed.args([
        "--test-command",
        &format!("{} -t", bench.test_command().trim_end_matches(" -t -q")),
    ]);
    printed.args(["--config", &desk.text("settings.toml")]);
    let printed = printed.output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    for (path, text) in &units {
        let text = String::from_utf8_lossy(text);
        let name = path.file_name().unwrap().to_string_lossy();
        let block = format!("# {name}\n{text}");
        assert!(printed.contains(&block), "{block}\n---\n{printed}");
    }

    desk.run(&play, &["--check"]).changed(0);
    desk.run(&play, &[]).changed(0);
    assert_eq!(bench.include(), first);
    assert_eq!(fs::read_to_string(&bench.root).unwrap(), new);
}
