//! The agent of a fleet's host, the real binary beside a real nginx: keys arrive, encrypt and
//! resume on every host; whatever becomes of the store, the machine and the clock, what was
//! promised goes on.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod fleet_bench;
mod keys_bench;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use fleet_bench::{Fleet, Host, KINDS, Running, Ticking, hear, slot, wait_until};
use keys_bench::search::{is_whole, memory_at_rest, searched};
use keys_bench::wall;
use stekguard::keys::fleet::Item;
use support::install;

#[test]
fn a_fleet_key_serves_two_hosts() {
    two_hosts(false);
}

#[test]
fn seals_for_each_host_serve_two_hosts() {
    two_hosts(true);
}

/// Between two runs the agent holds seeds and no key; what a run leaves behind would be there
/// until something else is written to the same place.
#[test]
fn an_agent_keeps_no_key_in_its_memory() {
    let running = Running::start(2, &[]);
    let mut known = BTreeSet::new();
    let mut looks = 0;
    wait_until("looks at an agent that rests", 60, || {
        thread::sleep(Duration::from_millis(40));
        let files = running.one.bench.key_files();
        let files = files.iter().filter_map(|path| fs::read(path).ok());
        known.extend(files.filter(|bytes| is_whole(bytes)));
        let Some(memory) = memory_at_rest(running.agent.child.id()) else {
            return false;
        };
        let keys: Vec<&[u8]> = known.iter().map(|bytes| &bytes[16..]).collect();
        let (bytes, found) = searched(&memory, &keys);
        assert!(bytes > 100_000, "only {bytes} bytes were searched");
        assert!(found.is_empty(), "look {looks}:\n{}", found.join("\n"));
        looks += 1;
        looks >= 40 && keys.len() >= 6
    });
    println!("{looks} looks, {} keys", known.len());
}

/// Tickets of one resume on the other, over the starts of slots.
fn two_hosts(per_host: bool) {
    let mut fleet = Fleet::new(per_host, slot());
    // A busy machine may miss a slot of two seconds.
    fleet.ahead = 4;
    let one = fleet.host("one", &install::nginx_packaged());
    let two = fleet.sibling("two", &install::nginx_mainline(), &one);
    let generator = Ticking::start(fleet);
    let servers = [one.bench.serve(), two.bench.serve()];
    // Clocks that do not agree, within the skew.
    let agents = [
        one.agent(&["--clock-offset", "300ms"]),
        two.agent(&["--clock-offset", "-300ms"]),
    ];
    for agent in &agents {
        hear(agent, "tickets are under the current key");
    }
    // One of them started first and has a key that the other one only gets now.
    for (from, to) in [(&one, &two), (&two, &one)] {
        wait_until("both have the same keys", 20, || {
            to.takes(KINDS[1], &from.ticket(KINDS[1]))
        });
    }
    let (mut resumed, mut slots) = (0, BTreeSet::new());
    let until = wall() + 8 * slot() * 1000;
    while wall() < until {
        for (from, to) in [(&one, &two), (&two, &one)] {
            for kind in KINDS {
                let session = from.ticket(kind);
                assert!(!session.ticket.is_empty());
                slots.insert(session.ticket[..16].to_vec());
                assert!(
                    to.takes(kind, &session),
                    "{kind:?} from {} fails",
                    from.name
                );
                resumed += 1;
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
    println!(
        "per host {per_host}: {resumed} tickets of one host resumed on the other, under {} keys",
        slots.len()
    );
    assert!(slots.len() >= 6, "only {} keys encrypted", slots.len());
    assert!(resumed >= 40);
    for host in [&one, &two] {
        assert_eq!(host.slots().1, [] as [u64; 0], "nothing had to be derived");
        assert_eq!(host.metric("stekguard_fleet_store_up"), Some(1.0));
        assert_eq!(host.metric("stekguard_keys_source_up"), Some(1.0));
        wait_until("a key ahead", 20, || {
            host.metric("stekguard_keys_ahead") >= Some(1.0)
        });
        assert!(host.metric("stekguard_keys_loaded").unwrap() >= 3.0);
        let skew = host.metric("stekguard_fleet_clock_skew_seconds").unwrap();
        assert!(skew.abs() < 2.0, "{skew}");
        // What it says of itself stands in the store, signed.
        let fleet = generator.fleet();
        let item = Item::Report(host.name.clone());
        let record = fleet.open().read(&[item.name(&fleet.name)]).unwrap();
        let record = record[0].as_ref().expect("a report");
        let report =
            stekguard::keys::fleet::read_report(record, &fleet.name, &host.name, &host.identity)
                .unwrap();
        assert!(report.encrypts.is_some() && !report.derived, "{report:?}");
        assert!(wall().abs_diff(report.contact) < 5_000, "{report:?}");
        assert_eq!(report.live_check, "verified");
    }
    drop((agents, servers, generator));
}

/// What may become of a store while keys are ahead.
#[test]
fn a_store_that_is_gone_costs_nothing_while_keys_are_ahead() {
    let running = Running::start(8, &[]);
    running.holds_ahead(6, 10);
    let Running {
        agent,
        generator,
        one,
        ..
    } = &running;
    generator.pause(true);
    // Emptied, and then not even there.
    generator.fleet().empty();
    goes_on(one, 3);
    generator.fleet().take_away();
    goes_on(one, 3);
    hear(agent, "Not a directory");
    assert_eq!(one.metric("stekguard_fleet_store_up"), Some(0.0));
    assert_eq!(one.metric("stekguard_keys_source_up"), Some(0.0));
    // It is back, and heals.
    generator.fleet().bring_back();
    generator.pause(false);
    hear(agent, "answers");
    running.holds_ahead(6, 10);
    assert!(one.slots().1.is_empty());
    let log = agent.log();
    // Once a slot for reading and once for writing, of about twenty tries each.
    let said = log.matches("Not a directory").count();
    assert!(said <= 16, "said {said} times:\n{log}");
}

/// Tickets keep resuming and the key keeps changing for so many slots.
fn goes_on(host: &Host, slots: usize) {
    let mut keys = BTreeSet::new();
    let until = wall() + 3 * slots as u64 * slot() * 1000;
    while keys.len() <= slots {
        assert!(wall() < until, "only {} keys encrypted", keys.len());
        for kind in KINDS {
            let session = host.ticket(kind);
            assert!(host.takes(kind, &session), "{kind:?}");
            keys.insert(session.ticket[..16].to_vec());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// The nearest store accepts and never answers: the next one is read, and nothing waits.
#[test]
fn a_store_that_hangs_is_passed_over() {
    let mut fleet = Fleet::new(false, slot());
    let one = fleet.host("one", &install::nginx_packaged());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("redis://{}", listener.local_addr().unwrap());
    fleet.settle(&one, &[hanging, fleet.url()]);
    let generator = Ticking::start(fleet);
    let server = one.bench.serve();
    let agent = one.agent(&[]);
    hear(&agent, "tickets are under the current key");
    goes_on(&one, 5);
    assert_eq!(one.metric("stekguard_fleet_store_up"), Some(1.0));
    drop((agent, server, generator, listener));
}

#[test]
fn the_grace_and_then_ratchet() {
    let mut fleet = Fleet::new(false, slot());
    fleet.ahead = 1;
    let one = fleet.host("one", &install::nginx_packaged());
    let two = fleet.sibling("two", &install::nginx_packaged(), &one);
    let generator = Ticking::start(fleet);
    let servers = [one.bench.serve(), two.bench.serve()];
    let agents = [one.agent(&[]), two.agent(&[])];
    for agent in &agents {
        hear(agent, "tickets are under the current key");
    }
    wait_until("the same keys", 10, || one.slots() == two.slots());
    generator.pause(true);
    generator.fleet().take_away();
    for host in [&one, &two] {
        wait_until("a derived key encrypts", 30, || {
            encrypts(host).is_some_and(|name| name.ends_with(".derived.key"))
        });
    }
    for agent in &agents {
        hear(agent, "no new key: the newest one is 2 slots too old");
    }
    // Hosts that share the last key derive the same ones, again and again.
    let mut keys = BTreeSet::new();
    while keys.len() < 3 {
        for (from, to) in [(&one, &two), (&two, &one)] {
            let session = from.ticket(KINDS[1]);
            keys.insert(session.ticket[..16].to_vec());
            // The other one may not have reached this slot yet.
            wait_until("the other host derives it too", 20, || {
                to.takes(KINDS[1], &session)
            });
        }
    }
    generator.fleet().bring_back();
    generator.pause(false);
    for host in [&one, &two] {
        wait_until("a key of the generator encrypts", 20, || {
            encrypts(host).is_some_and(|name| !name.ends_with(".derived.key"))
        });
    }
    drop((agents, servers, generator));
}

#[test]
fn the_grace_and_then_a_key_of_this_host_alone() {
    let mut fleet = Fleet::new(false, slot());
    fleet.ahead = 1;
    let one = fleet.host("one", &install::nginx_packaged());
    let two = fleet.sibling("two", &install::nginx_packaged(), &one);
    let generator = Ticking::start(fleet);
    let servers = [one.bench.serve(), two.bench.serve()];
    let policy = ["--when-missing", "local-random"];
    let agents = [one.agent(&policy), two.agent(&policy)];
    for agent in &agents {
        hear(agent, "tickets are under the current key");
    }
    generator.pause(true);
    generator.fleet().take_away();
    for agent in &agents {
        hear(agent, "made on this host alone");
    }
    for host in [&one, &two] {
        wait_until("a key of its own encrypts", 30, || {
            encrypts(host).is_some_and(|name| name.ends_with(".derived.key"))
        });
    }
    for kind in KINDS {
        let session = one.ticket(kind);
        assert!(one.takes(kind, &session), "{kind:?}");
        assert!(!two.takes(kind, &session), "{kind:?}");
    }
    generator.fleet().bring_back();
    generator.pause(false);
    wait_until("they are one again", 20, || {
        let session = one.ticket(KINDS[0]);
        two.takes(KINDS[0], &session)
    });
    drop((agents, servers, generator));
}

#[test]
fn the_grace_and_then_no_tickets() {
    let running = Running::start(1, &["--when-missing", "tickets-off"]);
    let Running {
        agent,
        generator,
        one,
        ..
    } = &running;
    let session = one.ticket(KINDS[0]);
    generator.pause(true);
    generator.fleet().take_away();
    hear(agent, "no tickets: no key came in time");
    assert!(one.bench.include().contains("Options -SessionTicket"));
    assert!(!one.takes(KINDS[0], &session));
    let without = support::client::connect(&one.bench.target, KINDS[0], None).unwrap();
    assert!(without.issued.iter().all(|it| it.ticket.is_empty()));
    generator.fleet().bring_back();
    generator.pause(false);
    wait_until("tickets again", 20, || {
        let connection = support::client::connect(&one.bench.target, KINDS[0], None).unwrap();
        connection.issued.iter().any(|it| !it.ticket.is_empty())
    });
}

/// The first key's file of the include.
fn encrypts(host: &Host) -> Option<String> {
    let include = host.bench.include();
    let line = include.lines().find(|line| line.contains("ticket_key"))?;
    let path = line.split_whitespace().nth(1)?.trim_end_matches(';');
    let name = Path::new(path).file_name()?.to_str()?;
    Some(name.to_owned())
}

/// A machine that starts anew, with the store up and with the store down.
#[test]
fn a_reboot_costs_no_session_and_never_keeps_the_server_from_starting() {
    let mut fleet = Fleet::new(true, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    let generator = Ticking::start(fleet);
    let server = one.bench.serve();
    let agent = one.agent(&[]);
    hear(&agent, "tickets are under the current key");
    let sessions = KINDS.map(|kind| one.ticket(kind));
    drop((agent, server));
    one.reboot();

    // The server is first, and no store is there: it starts, without keys.
    generator.pause(true);
    generator.fleet().take_away();
    let server = one.bench.serve();
    let agent = one.agent(&[]);
    hear(&agent, "Not a directory");
    for kind in KINDS {
        let new = one.ticket(kind);
        assert!(one.takes(kind, &new), "the server serves: {kind:?}");
    }
    // The store comes back: so do the keys of before, sealed anew for this start.
    generator.fleet().bring_back();
    generator.pause(false);
    hear(&agent, "tickets are under the current key");
    for (kind, session) in KINDS.iter().zip(&sessions) {
        assert!(one.takes(*kind, session), "{kind:?} of before the reboot");
    }
    drop((agent, server));

    // The agent is first: the server finds the keys when it starts, or is told of them.
    one.reboot();
    let agent = one.agent(&[]);
    hear(&agent, "encrypts");
    let server = one.bench.serve();
    wait_until("the sessions of before", 20, || {
        KINDS
            .iter()
            .zip(&sessions)
            .all(|(kind, it)| one.takes(*kind, it))
    });
    hear(&agent, "tickets are under the current key");
    drop((agent, server, generator));
}

/// All keys are replaced; after a reboot nobody can bring the old ones back by an older copy of
/// the store.
#[test]
fn an_older_copy_of_the_store_brings_no_void_key_back() {
    let mut fleet = Fleet::new(false, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let server = one.bench.serve();
    one.once(&[]).ended(0);
    let session = one.ticket(KINDS[1]);
    assert!(one.takes(KINDS[1], &session));
    let copy = fleet.dir.path().join("copy");
    copy_all(&fleet.store(), &copy);

    fleet.generation = 1;
    fleet.tick();
    one.once(&[]).ended(0);
    assert!(!one.takes(KINDS[1], &session), "a void key is gone");
    assert!(encrypts(&one).unwrap().split('-').nth(1) == Some("1"));
    let memory = fs::read_to_string(one.memory.join("web.json")).unwrap();
    assert!(memory.contains("\"generation\":1"), "{memory}");
    let new = one.ticket(KINDS[1]);

    drop(server);
    one.reboot();
    fs::rename(fleet.store(), fleet.dir.path().join("later")).unwrap();
    fs::rename(&copy, fleet.store()).unwrap();
    let server = one.bench.serve();
    let ran = one.once(&[]).ended(1);
    assert!(ran.err.contains("below-floor"), "{}", ran.err);
    assert_eq!(one.slots(), (vec![], vec![]), "{}", ran.err);
    assert!(!one.takes(KINDS[1], &session));
    let refused = one.metric("stekguard_fleet_refused_total{reason=\"below-floor\"}");
    assert_eq!(refused, Some(1.0));
    assert_eq!(one.metric("stekguard_fleet_floor"), Some(1.0));

    // The right one is taken as ever, and its sessions resume.
    fs::remove_dir_all(fleet.store()).unwrap();
    fs::rename(fleet.dir.path().join("later"), fleet.store()).unwrap();
    one.once(&[]).ended(0);
    assert!(one.takes(KINDS[1], &new));

    // A memory that cannot be read is an alarm and no reason to stop.
    fs::write(one.memory.join("web.json"), "{").unwrap();
    let ran = one.once(&[]).ended(0);
    assert!(
        ran.err.contains("an older copy of the store"),
        "{}",
        ran.err
    );
    let memory = fs::read_to_string(one.memory.join("web.json")).unwrap();
    assert!(memory.contains("\"generation\":1"), "healed: {memory}");
    drop(server);
}

fn copy_all(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

/// A clock that is set wrong moves nothing, unless the generator says the same; a heartbeat that
/// is shown again says nothing.
#[test]
fn clocks_and_old_heartbeats_drop_nothing() {
    let mut fleet = Fleet::new(false, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let head = fs::read(fleet.file(&Item::Head)).unwrap();
    let server = one.bench.serve();
    one.once(&[]).ended(0);
    let (include, slots) = (one.bench.include(), one.slots());
    let session = one.ticket(KINDS[0]);

    // Days forth and back: counted on by the clock that nobody can set.
    for offset in ["100h", "-100h"] {
        let ran = one.once(&["--clock-offset", offset]).ended(1);
        assert!(ran.err.contains("the wall clock is"), "{}", ran.err);
        assert_eq!(
            (one.bench.include(), one.slots()),
            (include.clone(), slots.clone())
        );
        assert!(one.takes(KINDS[0], &session), "{offset}");
    }
    // The generator says so too: then it is so.
    fleet.offset = 2 * 3_600_000;
    fleet.tick();
    let ran = one.once(&["--clock-offset", "2h"]).ended(0);
    assert_ne!(one.bench.include(), include, "{}", ran.err);
    let encrypting = encrypts(&one).unwrap();
    assert!(
        encrypting.starts_with(&fleet.epoch().to_string()),
        "{encrypting}"
    );
    assert!(one.takes(KINDS[0], &session), "its key is kept");

    // The old heartbeat again, and a clock that agrees with it.
    fs::write(fleet.file(&Item::Head), head).unwrap();
    let (include, slots) = (one.bench.include(), one.slots());
    one.once(&[]);
    assert_eq!((one.bench.include(), one.slots()), (include, slots));
    assert!(one.takes(KINDS[0], &session));
    drop(server);
}

const CALLS: &str = "openat,write,rename,unlink,mkdir,fsync,fchmod,kill,clone3,connect";

/// Killed before any of its system calls, the agent heals with the next round.
#[test]
fn killed_at_any_system_call() {
    let mut kills = 0;
    let mut fleet = Fleet::new(false, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let server = one.bench.serve();
    one.once(&[]).ended(0);
    let session = one.ticket(KINDS[1]);
    let step: usize = std::env::var("STEKGUARD_KILL_STEP").map_or(29, |it| it.parse().unwrap());
    for call in (1..).step_by(step) {
        assert!(call < 2_000, "the run never ends by itself");
        // New keys to take, and one slot on: the order changes.
        fleet.offset += 3_600_000;
        fleet.tick();
        let offset = format!("{}ms", fleet.offset);
        let round = one.command(&["--once", "--clock-offset", &offset]);
        let mut strace = Command::new("strace");
        strace
            .args(["-qq", "-o", "/dev/null", "-e"])
            .arg(format!("trace={CALLS}"))
            .arg("-e")
            .arg(format!("inject={CALLS}:signal=KILL:when={call}"))
            .arg(round.get_program())
            .args(round.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = strace.status().unwrap();
        if status.code().is_some() {
            assert_eq!(status.code(), Some(0), "{status:?}");
            break;
        }
        assert_eq!(status.signal(), Some(9), "{status:?}");
        kills += 1;
        let when = format!("killed at call {call}");
        let test = Command::new("sh")
            .args(["-c", &one.bench.test_command()])
            .status();
        assert!(test.unwrap().success(), "{when}");
        let healed = one.once(&["--clock-offset", &offset]);
        assert_eq!(healed.code, Some(0), "{when}: {}", healed.err);
        let encrypting = encrypts(&one).unwrap();
        assert!(
            encrypting.starts_with(&format!("{}-", fleet.epoch())),
            "{when}: {encrypting} at {}: {}",
            fleet.epoch(),
            healed.err
        );
        let new = one.ticket(KINDS[1]);
        assert!(one.takes(KINDS[1], &new), "{when}");
        // What is loaded, and the key of the slot after those.
        let named = one.bench.include().matches(".key;").count();
        let files = one.bench.key_files().len();
        assert!(
            files == named || files == named + 1,
            "{when}: {files} files, {named} named"
        );
    }
    println!("killed at {kills} system calls, healed every time");
    assert!(kills >= 3, "only {kills} calls");
    assert!(!one.takes(KINDS[1], &session), "its window is over");
    drop(server);
}

/// The unit is sound for systemd, starts before the server and keeps nobody waiting.
#[test]
fn the_unit_starts_first_and_nobody_waits_for_it() {
    let mut fleet = Fleet::new(false, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    let text = fs::read_to_string(&one.settings).unwrap();
    let text = text.replace("\"identity.pem\"", "\"credential:identity\"");
    let text = text.replace("memory = \"memory\"\n", "");
    fs::write(&one.settings, text).unwrap();
    let folder = one.bench.dir.path().join("units");
    fs::create_dir(&folder).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["keys", "units", "--agent", "--when-missing", "tickets-off"])
        .args([
            "--dir",
            "/run/stekguard/keys/nginx",
            "--isolated",
            "--write",
        ])
        .arg(&folder)
        .arg("--config")
        .arg(&one.settings)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    let unit = folder.join("stekguard-agent-nginx.service");
    let text = fs::read_to_string(&unit).unwrap();
    for line in [
        "Before=nginx.service\n",
        "Type=exec\n",
        "Restart=always\n",
        "LoadCredential=identity:/etc/stekguard/identity\n",
        "StateDirectory=stekguard/fleet\n",
        "LimitCORE=0\n",
        " keys agent ",
        "--when-missing tickets-off",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("RequiredBy") && !text.contains("--once"));
    let server = folder.join("nginx.service");
    fs::write(&server, "[Service]\nType=oneshot\nExecStart=/bin/true\n").unwrap();
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()))
        .output()
        .expect("systemd-analyze is missing: run tests/install_servers.sh");
    let said = [verified.stdout, verified.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(verified.status.success() && said.is_empty(), "{said}");
}

/// The metrics of a page on a loopback port.
#[test]
fn metrics_on_a_port() {
    use std::io::{Read, Write};
    let mut fleet = Fleet::new(false, 3600);
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let server = one.bench.serve();
    let address = support::server::free_address().to_string();
    let agent = one.agent(&["--metrics-listen", &address]);
    hear(&agent, "tickets are under the current key");
    wait_until("a page", 10, || {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        [
            "stekguard_keys_current_epoch ",
            "stekguard_keys_ahead 2",
            "stekguard_keys_seconds_to_activation ",
            "stekguard_keys_loaded 3",
            "stekguard_fleet_store_up 1",
            "stekguard_keys_reloads_total{result=\"ok\"} ",
            "stekguard_keys_live_check{result=\"verified\"} 1",
            "stekguard_keys_draining_oldest_seconds ",
            "stekguard_fleet_floor 0",
        ]
        .iter()
        .all(|line| page.contains(line))
    });
    drop((agent, server));
}
