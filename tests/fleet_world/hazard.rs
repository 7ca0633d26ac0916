//! When a host, or the copy of the store at its site, is cut off: once a day, and never so close
//! to each other that one poll does not fit in between.

use super::random::Random;
use super::{DAY, MINUTE, START, Weather};

/// Spans of time, in order.
pub type Spans = Vec<(u64, u64)>;

/// What a site's copy answers while it is cut off.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// What it had when that began.
    Frozen,
    /// What it had so long before.
    Old(u64),
    /// Nothing is there.
    Empty,
}

/// Room for the polls on both sides of a day's end.
const GAP: u64 = 20 * MINUTE;

/// Once on each day of `wanted` parity.
fn daily(random: &mut Random, weather: &Weather, wanted: impl Fn(u64) -> bool) -> Spans {
    let days = (weather.end() - START).div_ceil(DAY);
    let mut spans = Vec::new();
    for day in (0..days).filter(|day| wanted(*day)) {
        let length = match random.below(2) {
            0 => weather.partition,
            _ => random.below(weather.partition + 1),
        };
        // A founder's first keys have to come.
        let from = START + day * DAY + GAP + random.below(DAY - 2 * GAP - length);
        let connected = (START + weather.connected.0, START + weather.connected.1);
        if from + length <= connected.0 || connected.1 <= from {
            spans.push((from, from + length));
        }
    }
    spans
}

/// When a host itself is cut off.
pub fn of_host(random: &mut Random, weather: &Weather) -> Spans {
    if weather.partition == 0 {
        return Vec::new();
    }
    daily(random, weather, |day| !weather.stale || day % 2 == 0)
}

/// When a site's copy is cut off. The same for all hosts of the site.
pub fn of_site(site: u64, weather: &Weather) -> Vec<(u64, u64, Answer)> {
    if weather.partition == 0 || !weather.stale {
        return Vec::new();
    }
    let mut random = Random::of(weather.seed, 77_000 + site);
    let spans = daily(&mut random, weather, |day| day % 2 == 1);
    let answer = |(from, to)| {
        let answer = match random.below(3) {
            0 => Answer::Frozen,
            1 => Answer::Old(random.below(30 * 60 * MINUTE)),
            _ => Answer::Empty,
        };
        (from, to, answer)
    };
    spans.into_iter().map(answer).collect()
}

pub fn within(spans: &[(u64, u64)], at: u64) -> bool {
    spans.iter().any(|(from, to)| (*from..*to).contains(&at))
}
