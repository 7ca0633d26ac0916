//! How a fleet stands, by what its hosts and its generator say: each host held against the plan,
//! the generator's heartbeat and the others. Pure; a report counts only as far as it was
//! verified, and a host can lie about nobody but itself.
//!
//! Times are in milliseconds since 1970.

mod trouble;

use std::collections::BTreeMap;

use super::record::{Head, Header, HostReport, Refused};
use super::{FleetName, HostName};
use crate::keys::core::{Clock, Held, Key, KeyId, Now, Schedule, State, Timeline};

pub use trouble::Trouble;

/// Words of a live check that say nothing bad.
const GOOD_CHECKS: [&str; 3] = ["", "verified", "not-checkable"];

/// Everything that is known.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The fleet.
    pub fleet: FleetName,
    /// The plan.
    pub schedule: Schedule,
    /// How long a session may resume, in milliseconds.
    pub lifetime: u64,
    /// Now.
    pub now: u64,
    /// A report that is older than this is stale, in milliseconds.
    pub stale: u64,
    /// The generator's heartbeat; `None` where the store has none.
    pub head: Option<Result<Head, Refused>>,
    /// The hosts of the roster and what the store has of each.
    pub reports: Vec<(HostName, Option<Result<HostReport, Refused>>)>,
    /// The claims of the window.
    pub claims: Vec<Result<Header, Refused>>,
    /// Names of records of hosts that the roster does not have, as the store gave them.
    pub strangers: Vec<String>,
}

/// How a fleet stands.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The fleet.
    pub fleet: FleetName,
    /// Now.
    pub now: u64,
    /// The slot that it is.
    pub epoch: u64,
    /// The newest heartbeat that was believed.
    pub head: Option<Head>,
    /// What is wrong with the generator or the store, one sentence each.
    pub alarms: Vec<String>,
    /// The hosts, as the roster has them.
    pub rows: Vec<Row>,
    /// Encrypting keys and how many hosts of this slot have each, the most common one first.
    pub keys: Vec<(KeyId, usize)>,
    /// The keys that the store has, over time; their ids are those of seeds.
    pub timeline: Timeline,
}

/// A host.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub host: HostName,
    /// What it says of itself, verified.
    pub report: Option<HostReport>,
    /// How old that is by now, in milliseconds, its clock's error taken off.
    pub age: u64,
    /// What is wrong, the worst first.
    pub troubles: Vec<Trouble>,
}

impl Overview {
    /// Judges.
    pub fn of(facts: Facts) -> Self {
        let head = facts
            .head
            .as_ref()
            .and_then(|head| head.as_ref().ok())
            .cloned();
        let alarms = alarms(&facts, head.as_ref());
        let most = majorities(&facts);
        let rows: Vec<Row> = facts
            .reports
            .iter()
            .map(|(host, read)| row(&facts, head.as_ref(), &most, host, read.as_ref()))
            .collect();
        let epoch = facts.schedule.epoch(facts.now);
        Self {
            epoch,
            head,
            alarms,
            keys: counted(&rows),
            rows,
            timeline: timeline(&facts),
            fleet: facts.fleet,
            now: facts.now,
        }
    }

    /// True where nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.alarms.is_empty() && self.rows.iter().all(|row| row.troubles.is_empty())
    }

    /// The rows, the worst first, and by name where they are alike.
    pub fn worst_first(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by(|left, right| {
            // No trouble comes behind every trouble.
            let first = |row: &Row| row.troubles.first().copied();
            let key = |row: &Row| (first(row).is_none(), first(row));
            key(left)
                .cmp(&key(right))
                .then_with(|| right.troubles.len().cmp(&left.troubles.len()))
                .then_with(|| left.host.cmp(&right.host))
        });
        rows
    }

    /// How many hosts have each trouble, by its word, the worst first.
    pub fn troubles(&self) -> Vec<(&'static str, usize)> {
        let of = |word: &&str| {
            let has = |row: &&Row| row.troubles.iter().any(|it| it.word() == *word);
            self.rows.iter().filter(has).count()
        };
        let counted = Trouble::WORDS.iter().map(|word| (*word, of(word)));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

fn alarms(facts: &Facts, head: Option<&Head>) -> Vec<String> {
    let mut out = Vec::new();
    match &facts.head {
        None => out.push("the store has no heartbeat of a generator".to_owned()),
        Some(Err(why)) => out.push(format!("the generator's heartbeat is not believed: {why}")),
        Some(Ok(_)) => {}
    }
    let schedule = &facts.schedule;
    if let Some(head) = head {
        let silent = facts.now.saturating_sub(head.time);
        if silent > schedule.interval {
            let seconds = silent / 1000;
            out.push(format!("no generator was heard for {seconds} s"));
        }
        if head.time > facts.now.saturating_add(schedule.skew.max(1000)) {
            let seconds = (head.time - facts.now) / 1000;
            out.push(format!(
                "the generator's clock is {seconds} s ahead of this machine's"
            ));
        }
        let wanted = schedule.epoch(facts.now).saturating_add(schedule.ahead);
        if head.newest < wanted {
            out.push(format!(
                "the generator has keys up to slot {} only, not {wanted}",
                head.newest
            ));
        }
    }
    let refused = facts.claims.iter().filter_map(|claim| claim.as_ref().err());
    let mut reasons: BTreeMap<Refused, usize> = BTreeMap::new();
    refused.for_each(|why| *reasons.entry(*why).or_default() += 1);
    for (why, count) in reasons {
        out.push(format!("{count} records of keys are not believed: {why}"));
    }
    if !facts.strangers.is_empty() {
        let some: Vec<&str> = facts.strangers.iter().take(5).map(String::as_str).collect();
        out.push(format!(
            "{} hosts report that are not in the roster: {}{}",
            facts.strangers.len(),
            some.join(", "),
            if facts.strangers.len() > 5 {
                ", ..."
            } else {
                ""
            }
        ));
    }
    out
}

/// What most hosts encrypt with, by the slot that they say it is. Two keys that are equally
/// common are told apart by their ids, so that every look says the same.
fn majorities(facts: &Facts) -> BTreeMap<u64, KeyId> {
    let mut counts: BTreeMap<u64, BTreeMap<KeyId, usize>> = BTreeMap::new();
    let reports = facts
        .reports
        .iter()
        .filter_map(|(_, read)| read.as_ref()?.as_ref().ok());
    for report in reports {
        if let Some(key) = report.encrypts {
            *counts
                .entry(report.epoch)
                .or_default()
                .entry(key)
                .or_default() += 1;
        }
    }
    let most = |keys: BTreeMap<KeyId, usize>| {
        let best = keys
            .into_iter()
            .max_by_key(|(id, count)| (*count, std::cmp::Reverse(*id)));
        best.map(|(id, _)| id)
    };
    let most = counts
        .into_iter()
        .filter_map(|(epoch, keys)| Some((epoch, most(keys)?)));
    most.collect()
}

fn row(
    facts: &Facts,
    head: Option<&Head>,
    most: &BTreeMap<u64, KeyId>,
    host: &HostName,
    read: Option<&Result<HostReport, Refused>>,
) -> Row {
    let mut row = Row {
        host: host.clone(),
        report: None,
        age: 0,
        troubles: Vec::new(),
    };
    match read {
        None => row.troubles.push(Trouble::NoReport),
        Some(Err(why)) => row.troubles.push(Trouble::Unverifiable(*why)),
        Some(Ok(report)) => {
            // By the generator's clock, which hosts are measured by.
            let time = shifted(report.time, report.skew);
            row.age = facts.now.saturating_sub(time);
            row.troubles = troubles(facts, head, most, report, time);
            row.report = Some(report.clone());
        }
    }
    row.troubles.sort_unstable();
    row
}

fn troubles(
    facts: &Facts,
    head: Option<&Head>,
    most: &BTreeMap<u64, KeyId>,
    report: &HostReport,
    time: u64,
) -> Vec<Trouble> {
    let schedule = &facts.schedule;
    let other = report
        .encrypts
        .is_some_and(|key| most.get(&report.epoch) != Some(&key));
    let silent = report.time.saturating_sub(report.contact);
    let future = time > facts.now.saturating_add(schedule.skew.max(1000));
    let found = [
        (report.encrypts.is_none(), Trouble::NoKey),
        (
            !GOOD_CHECKS.contains(&report.live_check.as_str()),
            Trouble::LiveCheck,
        ),
        (
            head.is_some_and(|head| report.generation < head.generation),
            Trouble::OldGeneration,
        ),
        (other, Trouble::OtherKey),
        (facts.now.saturating_sub(time) > facts.stale, Trouble::Stale),
        (
            // The clocks of slots follow slowly: one slot apart is nothing.
            schedule.epoch(time).abs_diff(report.epoch) > 1,
            Trouble::OtherSlot,
        ),
        (report.derived, Trouble::Derived),
        (
            future || report.skew.unsigned_abs() > schedule.skew.max(1000),
            Trouble::Clock,
        ),
        (silent > facts.stale, Trouble::NoContact),
        (u64::from(report.ahead) < schedule.ahead, Trouble::FewAhead),
        (report.alarms > 0, Trouble::Alarms),
    ];
    let found = found.into_iter().filter(|(wrong, _)| *wrong);
    found.map(|(_, trouble)| trouble).collect()
}

/// A host's time by the generator's clock.
fn shifted(time: u64, skew: i64) -> u64 {
    match skew {
        0.. => time.saturating_sub(skew.unsigned_abs()),
        _ => time.saturating_add(skew.unsigned_abs()),
    }
}

/// Keys of hosts that say something fresh.
fn counted(rows: &[Row]) -> Vec<(KeyId, usize)> {
    let mut counts: BTreeMap<KeyId, usize> = BTreeMap::new();
    let fresh = rows
        .iter()
        .filter(|row| !row.troubles.contains(&Trouble::Stale));
    let keys = fresh.filter_map(|row| row.report.as_ref()?.encrypts);
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    let mut counts: Vec<(KeyId, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    counts
}

/// What the store has, as if one host had all of it.
fn timeline(facts: &Facts) -> Timeline {
    let claims = facts.claims.iter().filter_map(|claim| claim.as_ref().ok());
    let held = claims.map(|header| {
        let key = Key {
            slot: header.slot,
            id: header.seed,
        };
        let mut held = Held::new(key, false);
        held.loaded = true;
        held.made = Some(header.made);
        held
    });
    let now = Now {
        wall: facts.now,
        boot: 0,
    };
    let mut held: Vec<Held> = held.collect();
    held.sort_unstable_by_key(|held| held.key);
    let state = State {
        clock: Some(Clock::start(now)),
        held,
        ..State::default()
    };
    Timeline::of(&facts.schedule, facts.lifetime, facts.now, &state)
}
