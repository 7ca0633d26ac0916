//! Tickets: issued by one host, offered to another.

use std::fmt;

use super::random::Random;
use super::{MINUTE, START, World};

/// What became of tickets.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    pub offered: u64,
    pub failed: u64,
    /// The first ones that failed.
    pub examples: Vec<String>,
}

impl fmt::Display for Probes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} probes, {} failed", self.offered, self.failed)
    }
}

impl Probes {
    /// Tickets issued in a span of time, half of them around the start of a slot, half of them
    /// offered at the end of their life or at once.
    pub fn run(world: &World, count: u64, span: (u64, u64)) -> Self {
        let weather = &world.weather;
        let interval = weather.schedule.interval;
        let mut random = Random::of(weather.seed, 2);
        let mut probes = Self::default();
        let near = 2 * weather.skew + weather.late + MINUTE;
        let mut tries = 0;
        while probes.offered < count {
            tries += 1;
            assert!(tries < 20 * count, "no ticket can be had");
            let mut at = START + span.0 + random.below(span.1 - span.0);
            if random.below(4) > 0 {
                at = at / interval * interval + interval;
                at = (at - near).saturating_add(random.below(2 * near));
            }
            let age = match random.below(6) {
                0 | 1 => weather.lifetime - 1 - random.below(MINUTE),
                2 => random.below(MINUTE),
                3 => random.below(2 * near),
                4 => random.below(weather.lifetime / interval) * interval,
                _ => random.below(weather.lifetime),
            };
            let age = age.min(weather.lifetime - 1);
            if at + age >= weather.end() || at < START + span.0 {
                continue;
            }
            let hosts = &world.hosts;
            let issuer = random.below(hosts.len() as u64) as usize;
            let other = random.below(hosts.len() as u64) as usize;
            // Workers of before a reload run on for a moment.
            let moment = at - random.below(2) * weather.overlap;
            let (Some(key), true) = (hosts[issuer].encrypts(moment), hosts[other].runs(at + age))
            else {
                continue;
            };
            probes.offered += 1;
            if hosts[other].has(&key, at + age, weather.overlap) {
                continue;
            }
            probes.failed += 1;
            if probes.examples.len() < 5 {
                probes.examples.push(format!(
                    "{key:?} of host {issuer} at {} min, on host {other} {} min later",
                    (at - START) / MINUTE,
                    age / MINUTE
                ));
            }
        }
        probes
    }
}
