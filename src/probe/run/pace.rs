//! Connections within a rate, tried again where that may help; and the time since a start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Place;
use crate::probe::{Plan, ProbeError};
use crate::tls::Manner;
use crate::tls::client::{Client, ClientError, Hello, Observation, Open};

/// Before a connection is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// The one way to the network.
pub(super) struct Pace<'a> {
    client: Client,
    interval: Duration,
    next: Mutex<Instant>,
    retries: u32,
    count: AtomicUsize,
    mute: Mutex<BTreeSet<SocketAddr>>,
    tick: &'a (dyn Fn(usize, &str) + Sync),
}

impl<'a> Pace<'a> {
    pub(super) fn new(
        plan: &Plan,
        manner: &Manner,
        tick: &'a (dyn Fn(usize, &str) + Sync),
    ) -> Result<Self, ProbeError> {
        let client =
            Client::new(manner.clone()).map_err(|why| ProbeError::Client(why.to_string()))?;
        Ok(Self {
            client,
            interval: Duration::from_secs(1) / plan.rate.max(1),
            next: Mutex::new(Instant::now()),
            retries: plan.retries,
            count: AtomicUsize::new(0),
            mute: Mutex::default(),
            tick,
        })
    }

    /// A whole visit.
    pub(super) fn visit(
        &self,
        place: &Place,
        hello: &Hello<'_>,
    ) -> Result<Observation, ClientError> {
        let hello = self.fitting(place, hello);
        let seen = self.tried(place, |client, address| client.visit(address, &hello))?;
        if seen.mute {
            let mut mute = self.mute.lock().unwrap_or_else(PoisonError::into_inner);
            mute.insert(place.address);
        }
        Ok(seen)
    }

    /// A connection that the caller ends.
    pub(super) fn open(&self, place: &Place, hello: &Hello<'_>) -> Result<Open, ClientError> {
        let hello = self.fitting(place, hello);
        self.tried(place, |client, address| {
            let mut open = client.open(address, &hello)?;
            open.ask()?;
            Ok(open)
        })
    }

    /// A resumption that is broken off.
    pub(super) fn break_off(&self, place: &Place, hello: &Hello<'_>) -> Result<bool, ClientError> {
        self.tried(place, |client, address| client.break_off(address, hello))
    }

    /// Who did not answer once is not asked, and waited for, again.
    fn fitting<'h>(&self, place: &Place, hello: &Hello<'h>) -> Hello<'h> {
        let mute = self.mute.lock().unwrap_or_else(PoisonError::into_inner);
        Hello {
            quiet: mute.contains(&place.address),
            ..*hello
        }
    }

    fn tried<T>(
        &self,
        place: &Place,
        connect: impl Fn(&Client, SocketAddr) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut left = self.retries;
        loop {
            self.wait();
            let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            (self.tick)(count, &place.label());
            match connect(&self.client, place.address) {
                Err(error) if error.is_passing() && left > 0 => {
                    left -= 1;
                    thread::sleep(PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Takes the next moment that is free.
    fn wait(&self) {
        let mine = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = (*next).max(Instant::now());
            *next = mine + self.interval;
            mine
        };
        thread::sleep(mine.saturating_duration_since(Instant::now()));
    }
}

/// The time since something began.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Sleeps until this much has passed since the start.
    pub(super) fn sleep_until(&self, since: Duration) {
        thread::sleep(since.saturating_sub(self.elapsed()));
    }
}
