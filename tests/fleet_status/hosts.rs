//! Rows of hosts, made from records that the real code signed, and judged by what was put in.

use stekguard::keys::core::{KeyId, Schedule, Slot, WhenMissing};
use stekguard::keys::fleet::*;
use stekguard::policy::Rotation;
use stekguard::report::{FleetPage, Paint, fleet_metrics, fleet_status_json, fleet_status_text};

const HOUR: u64 = 3_600_000;
/// 2026-11-22 10:30 UTC.
const NOW: u64 = 498_706 * HOUR + HOUR / 2;
const EPOCH: u64 = 498_706;

fn name(text: &str) -> HostName {
    HostName::parse(text).unwrap()
}

fn fleet() -> FleetName {
    FleetName::parse("edge").unwrap()
}

/// A host in order.
fn report(host: &str) -> HostReport {
    HostReport {
        fleet: fleet(),
        host: name(host),
        time: NOW - 20_000,
        epoch: EPOCH,
        generation: 3,
        encrypts: Some(KeyId([0xa; 8])),
        ahead: 3,
        held: 23,
        skew: 150,
        contact: NOW - 21_000,
        reloaded: EPOCH * HOUR + 400,
        live_check: "verified".to_owned(),
        alarms: 0,
        derived: false,
    }
}

type Read = Option<Result<HostReport, Refused>>;

/// Signed by the host and read as the roster's owner reads it.
fn signed(report: &HostReport, by: &Signer, roster: &Signer) -> Read {
    let bytes = sign_report(report, by).unwrap();
    Some(read_report(&bytes, &fleet(), &report.host, roster.public()))
}

fn facts(reports: Vec<(HostName, Read)>) -> Facts {
    let generator = Signer::random().unwrap();
    let pinned = Pinned(vec![generator.public().clone()]);
    let head = Head {
        fleet: fleet(),
        generation: 3,
        time: NOW - 4_000,
        interval: HOUR,
        newest: EPOCH + 3,
    };
    let head = sign_head(&head, &generator).unwrap();
    let claims = (EPOCH - 19..=EPOCH + 3).map(|epoch| {
        let slot = Slot {
            generation: 3,
            epoch,
        };
        let header = Header {
            fleet: fleet(),
            slot,
            interval: HOUR,
            seed: Seed::random().unwrap().id(),
            made: (epoch - 3) * HOUR,
        };
        let bytes = sign_claim(&header, &generator).unwrap();
        read_claim(&bytes, &fleet(), slot, &pinned)
    });
    Facts {
        fleet: fleet(),
        schedule: Schedule::new(&Rotation::default(), WhenMissing::Ratchet),
        lifetime: 18 * HOUR,
        now: NOW,
        stale: 900_000,
        head: Some(read_head(&head, &fleet(), &pinned)),
        reports,
        claims: claims.collect(),
        strangers: Vec::new(),
    }
}

/// Hosts in order, as many as wanted, each with an identity of its own.
fn fine(count: usize) -> Vec<(HostName, Read)> {
    let hosts = (0..count).map(|number| {
        let host = format!("web{number}");
        let identity = Signer::random().unwrap();
        (name(&host), signed(&report(&host), &identity, &identity))
    });
    hosts.collect()
}

fn words(overview: &Overview, host: &str) -> Vec<&'static str> {
    let row = overview.rows.iter().find(|row| row.host.as_str() == host);
    let row = row.unwrap_or_else(|| panic!("no row {host}"));
    row.troubles.iter().map(|it| it.word()).collect()
}

#[test]
fn a_fleet_in_order_is_fine() {
    let overview = Overview::of(facts(fine(5)));
    assert!(
        overview.is_fine(),
        "{:?} {:?}",
        overview.alarms,
        overview.troubles()
    );
    assert_eq!(overview.keys, [(KeyId([0xa; 8]), 5)]);
    let page = text(&overview, false, true);
    assert!(
        page.starts_with("fleet edge at 2026-11-22 10:30:00Z: 5 of 5 hosts are fine\n"),
        "{page}"
    );
    assert!(
        page.contains("generator   heard 4s ago, keys up to slot 498709, generation 3"),
        "{page}"
    );
    assert!(page.contains("encrypts    0a0a0a0a0a0a0a0a on 5"), "{page}");
    assert_eq!(
        page.lines().filter(|line| line.starts_with("web")).count(),
        5
    );
    let row = page.lines().find(|line| line.starts_with("web0")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    let expected = [
        "web0",
        "498706",
        "0a0a0a0a0a0a0a0a",
        "3",
        "+0.1s",
        "21s",
        "ago",
        "29m",
        "ago",
        "verified",
        "-",
    ];
    // By the generator's clock the host's moments lie 150 ms earlier.
    assert_eq!(cells[..5], expected[..5]);
    assert_eq!(cells[6..], expected[6..], "{row}");
    // The store's keys: 19 previous, the current one, 3 ahead; none is missing.
    let lives = &overview.timeline.lives;
    assert_eq!(lives.len(), 23);
    assert!(lives.iter().all(|life| life.key.is_some()));
    assert_eq!(lives.iter().filter(|life| life.encrypts).count(), 1);
}

fn text(overview: &Overview, all: bool, worst_first: bool) -> String {
    let page = FleetPage { all, worst_first };
    fleet_status_text(overview, page, Paint::new(false))
}

/// One thing wrong, and the word for it.
#[test]
fn everything_that_can_be_wrong_with_a_host_is_marked() {
    type Change = fn(&mut HostReport);
    let cases: [(&str, Change); 12] = [
        ("no-key", |it| it.encrypts = None),
        ("live-check", |it| it.live_check = "wrong".to_owned()),
        ("old-generation", |it| it.generation = 2),
        ("other-key", |it| it.encrypts = Some(KeyId([0xb; 8]))),
        ("stale", |it| {
            it.time = NOW - 901_000;
            it.contact = it.time;
        }),
        ("other-slot", |it| it.epoch = EPOCH - 2),
        ("derived", |it| it.derived = true),
        ("clock", |it| {
            it.skew = -301_000;
            it.time = NOW - 20_000 - 301_000;
            it.contact = it.time;
        }),
        ("clock", |it| {
            it.time = NOW + 301_000;
            it.contact = it.time;
        }),
        ("no-contact", |it| it.contact = it.time - 901_000),
        ("few-ahead", |it| it.ahead = 1),
        ("alarms", |it| it.alarms = 2),
    ];
    for (word, change) in cases {
        let mut reports = fine(4);
        let mut changed = report("odd");
        change(&mut changed);
        let identity = Signer::random().unwrap();
        reports.push((name("odd"), signed(&changed, &identity, &identity)));
        let overview = Overview::of(facts(reports));
        assert_eq!(words(&overview, "odd"), [word]);
        for host in ["web0", "web1", "web2", "web3"] {
            assert!(words(&overview, host).is_empty(), "{word}: {host}");
        }
        assert!(!overview.is_fine());
        assert_eq!(overview.troubles(), [(word, 1)]);
        assert_eq!(overview.worst_first()[0].host.as_str(), "odd");
    }
}

#[test]
fn what_is_not_signed_by_the_rosters_identity_is_not_believed() {
    let (own, other) = (Signer::random().unwrap(), Signer::random().unwrap());
    let mut reports = fine(3);
    let forged = report("forged");
    reports.push((name("forged"), signed(&forged, &other, &own)));
    // A true report of another host under this one's name.
    let bytes = sign_report(&report("web0"), &own).unwrap();
    let swapped = read_report(&bytes, &fleet(), &name("swapped"), own.public());
    reports.push((name("swapped"), Some(swapped)));
    // Changed after it was signed, at every byte; never taken.
    let bytes = sign_report(&report("bent"), &own).unwrap();
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let read = read_report(&bent, &fleet(), &name("bent"), own.public());
        assert!(read.is_err(), "byte {at}");
    }
    reports.push((name("noise"), {
        let noise = vec![0xff; 1 << 20];
        Some(read_report(&noise, &fleet(), &name("noise"), own.public()))
    }));
    reports.push((name("absent"), None));
    let overview = Overview::of(facts(reports));
    for host in ["forged", "swapped", "noise"] {
        assert_eq!(words(&overview, host), ["unverifiable"]);
    }
    assert_eq!(words(&overview, "absent"), ["no-report"]);
    let page = text(&overview, false, true);
    assert!(page.contains("unverifiable (unknown-signer)"), "{page}");
    assert!(page.contains("unverifiable (host)"), "{page}");
    // A key that only a forged report names counts for nothing.
    assert_eq!(overview.keys, [(KeyId([0xa; 8]), 3)]);
}

#[test]
fn hosts_on_both_sides_of_a_slots_start_are_both_right() {
    let mut reports = fine(3);
    for host in ["late1", "late2", "late3", "late4"] {
        let identity = Signer::random().unwrap();
        let mut before = report(host);
        // Said a minute before the slot began, when the last key encrypted.
        before.time = EPOCH * HOUR - 60_000;
        before.contact = before.time;
        before.epoch = EPOCH - 1;
        before.encrypts = Some(KeyId([9; 8]));
        reports.push((name(host), signed(&before, &identity, &identity)));
    }
    let mut facts = facts(reports);
    facts.stale = HOUR;
    let overview = Overview::of(facts);
    assert!(overview.is_fine(), "{:?}", overview.troubles());
}

#[test]
fn a_generator_that_is_silent_forged_behind_or_short_of_keys_is_an_alarm() {
    let check = |change: fn(&mut Facts), words: &str| {
        let mut facts = facts(fine(2));
        change(&mut facts);
        let overview = Overview::of(facts);
        assert!(!overview.is_fine());
        let alarms = overview.alarms.join("\n");
        assert!(alarms.contains(words), "{alarms}");
        let page = text(&overview, false, true);
        assert!(page.contains("\nalarm       "), "{page}");
    };
    fn head(facts: &mut Facts) -> &mut Head {
        facts.head.as_mut().unwrap().as_mut().unwrap()
    }
    check(|it| it.head = None, "no heartbeat");
    check(
        |it| it.head = Some(Err(Refused::UnknownSigner)),
        "unknown-signer",
    );
    check(
        |it| head(it).time = NOW - HOUR - 1000,
        "no generator was heard for 3601 s",
    );
    check(|it| head(it).time = NOW + 400_000, "400 s ahead");
    check(
        |it| head(it).newest = EPOCH + 1,
        "up to slot 498707 only, not 498708",
    );
    check(
        |it| it.claims[3] = Err(Refused::Signature),
        "1 records of keys are not believed: signature",
    );
    check(
        |it| it.strangers = vec!["gone\x1b[31m".to_owned()],
        "1 hosts report that are not in the roster",
    );
}

#[test]
fn a_thousand_hosts_fit_on_a_page_and_the_worst_come_first() {
    // As they are once they were read: a thousand signatures take a while without optimisation.
    let hosts = (0..1000).map(|number| format!("web{number}"));
    let read = hosts.map(|host| (name(&host), Some(Ok(report(&host)))));
    let mut reports: Vec<(HostName, Read)> = read.collect();
    reports[17].1 = None;
    reports[500].1 = Some(Err(Refused::Signature));
    for (_, read) in &mut reports[600..700] {
        read.as_mut().unwrap().as_mut().unwrap().alarms = 1;
    }
    let overview = Overview::of(facts(reports));
    let page = text(&overview, false, true);
    assert!(page.contains(": 898 of 1000 hosts are fine"), "{page}");
    assert!(
        page.contains("troubles    1 unverifiable, 1 no-report, 100 alarms"),
        "{page}"
    );
    assert!(
        page.contains("and 77 more hosts with troubles: --all shows them"),
        "{page}"
    );
    assert!(page.lines().count() < 40, "{page}");
    let hosts: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("web"))
        .collect();
    assert_eq!(hosts.len(), 25);
    assert!(
        hosts[0].starts_with("web500 ") && hosts[1].starts_with("web17 "),
        "{page}"
    );
    let all = text(&overview, true, true);
    assert_eq!(
        all.lines().filter(|line| line.starts_with("web")).count(),
        1000
    );
    // Columns stand under each other.
    let starts: std::collections::BTreeSet<usize> = all
        .lines()
        .filter(|line| line.starts_with("web") && line.contains("verified"))
        .map(|line| line.find("verified").unwrap())
        .collect();
    assert_eq!(starts.len(), 1, "{starts:?}");
    let by_name = text(&overview, true, false);
    let first = by_name
        .lines()
        .find(|line| line.starts_with("web"))
        .unwrap();
    assert!(first.starts_with("web0 "), "{first}");

    let document: serde_json::Value =
        serde_json::from_str(&fleet_status_json(&overview, true)).unwrap();
    assert_eq!(document["schema"], "stekguard-fleet-status/1");
    assert_eq!(document["hosts"].as_array().unwrap().len(), 1000);
    assert_eq!(document["hosts"][0]["refused"], "signature");
    assert_eq!(document["hosts"][1]["troubles"][0], "no-report");
    assert_eq!(document["hosts"][1]["report"], serde_json::Value::Null);
    assert_eq!(document["fine"], false);
}

#[test]
fn words_of_a_host_cannot_reach_a_terminal_raw() {
    let mut reports = fine(2);
    let odd = reports[0].1.as_mut().unwrap().as_mut().unwrap();
    // The real reader refuses control characters; what deceives an eye stays for the page.
    odd.live_check = format!("\u{202e}verified\u{200b}{}", "x".repeat(200));
    let overview = Overview::of(facts(reports));
    let page = text(&overview, true, true);
    assert!(!page.contains(['\u{202e}', '\u{200b}', '\x1b']), "{page}");
    assert!(
        page.lines().all(|line| line.chars().count() < 200),
        "{page}"
    );
    assert_eq!(words(&overview, "web0"), ["live-check"]);
}

/// Every line is a comment or a sample of a family that was announced before, once each.
#[test]
fn metrics_are_in_the_form_of_prometheus() {
    let mut reports = fine(3);
    reports[1].1 = None;
    let overview = Overview::of(facts(reports));
    let page = fleet_metrics(&overview);
    let mut family = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind, "gauge");
            family = name.to_owned();
            assert!(seen.insert(family.clone()), "{family} twice");
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            assert_eq!(sample.split('{').next().unwrap(), family, "{line}");
        }
    }
    for line in [
        "stekguard_fleet_hosts 3",
        "stekguard_fleet_hosts_fine 2",
        "stekguard_fleet_current_epoch 498706",
        "stekguard_fleet_troubled_hosts{trouble=\"no-report\"} 1",
        "stekguard_fleet_troubled_hosts{trouble=\"stale\"} 0",
        "stekguard_fleet_host_fine{host=\"web1\"} 0",
        "stekguard_fleet_host_skew_seconds{host=\"web0\"} 0.15",
    ] {
        assert!(page.lines().any(|it| it == line), "{line}\n{page}");
    }
    assert!(!page.contains("host_epoch{host=\"web1\"}"), "{page}");
}
