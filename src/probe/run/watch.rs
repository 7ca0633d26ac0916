//! One endpoint over time: which key encrypts, how long a session that is never renewed
//! resumes, and how long a chain does.

use std::time::Duration;

use super::look::hex;
use super::pace::{Clock, Pace};
use super::{Kind, Place};
use crate::probe::{Chain, KeyTime, Life, Plan, Watched};
use crate::tls::Session;

/// A session counts as past its lifetime from here on: servers count in whole seconds.
const SLACK: u64 = 2;

pub(super) fn watch(
    pace: &Pace<'_>,
    plan: &Plan,
    place: &Place,
    (duration, every): (Duration, Duration),
) -> Watched {
    let clock = Clock::start();
    let mut watched = Watched::default();
    let mut threads: Vec<Thread> = Kind::asked(plan).into_iter().map(Thread::new).collect();
    let mut round = 0;
    loop {
        for thread in &mut threads {
            thread.step(pace, place, &clock, &mut watched.keys);
        }
        round += 1;
        let next = every * round;
        if next > duration {
            break;
        }
        clock.sleep_until(next);
    }
    watched.seconds = clock.elapsed().as_secs();
    watched.period = period(&watched.keys);
    for thread in threads {
        watched.session.extend(thread.life);
        watched.chains.extend(thread.chain);
    }
    watched
}

/// What is kept of one kind of client.
struct Thread {
    kind: Kind,
    first: Option<(Session, u64)>,
    link: Option<Session>,
    life: Option<Life>,
    chain: Option<Chain>,
}

impl Thread {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            first: None,
            link: None,
            life: None,
            chain: None,
        }
    }

    fn step(&mut self, pace: &Pace<'_>, place: &Place, clock: &Clock, keys: &mut Vec<KeyTime>) {
        let hello = self.kind.hello(place.name.as_deref());
        // A session resumed now may have been made under an older key: only a full handshake
        // shows the one that encrypts.
        let now = clock.elapsed().as_secs();
        let Ok(fresh) = pace.visit(place, &hello) else {
            return;
        };
        let Some(session) = fresh.sessions.last() else {
            return;
        };
        if let Some(name) = session.key_name().map(hex)
            && keys.iter().all(|key| key.name != name)
        {
            keys.push(KeyTime { name, at: now });
        }
        let Some((first, made)) = &self.first else {
            self.begin(session, now);
            return;
        };
        let made = *made;
        let life = self.life.as_mut().filter(|life| life.dead_at.is_none());
        if let Some(life) = life
            && let Ok(seen) = pace.visit(place, &hello.with(first))
        {
            let age = clock.elapsed().as_secs().saturating_sub(made);
            note(seen.resumed, age, &mut life.alive_at, &mut life.dead_at);
        }
        let chain = self.chain.as_mut().filter(|chain| chain.dead_at.is_none());
        if let (Some(chain), Some(link)) = (chain, &self.link)
            && let Ok(seen) = pace.visit(place, &hello.with(link))
        {
            let age = clock.elapsed().as_secs().saturating_sub(made);
            note(seen.resumed, age, &mut chain.alive_at, &mut chain.dead_at);
            if seen.resumed {
                chain.resumptions += 1;
                let over = chain.lifetime_hint.map(|hint| hint + SLACK);
                chain.unbounded |= over.is_some_and(|over| age > over);
                self.link = seen.sessions.last().cloned().or(self.link.take());
            }
        }
    }

    fn begin(&mut self, session: &Session, now: u64) {
        let lifetime_hint = Some(session.hint()).filter(|hint| *hint > 0);
        let kind = self.kind.word();
        self.first = Some((session.clone(), now));
        self.link = Some(session.clone());
        self.life = Some(Life {
            kind,
            lifetime_hint,
            alive_at: None,
            dead_at: None,
        });
        self.chain = Some(Chain {
            kind,
            lifetime_hint,
            resumptions: 0,
            alive_at: None,
            dead_at: None,
            unbounded: false,
        });
    }
}

fn note(resumed: bool, age: u64, alive: &mut Option<u64>, dead: &mut Option<u64>) {
    if resumed {
        *alive = Some(age);
    } else {
        *dead = Some(age);
    }
}

/// Shortest and longest time between two changes; the first key's beginning was not seen.
fn period(keys: &[KeyTime]) -> Option<(u64, u64)> {
    let changes = keys.get(1..)?;
    let gaps = changes
        .windows(2)
        .map(|two| two[1].at.saturating_sub(two[0].at));
    let (least, most) = (gaps.clone().min()?, gaps.max()?);
    Some((least, most))
}
