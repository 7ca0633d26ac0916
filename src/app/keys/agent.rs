//! `keys agent`: keys of a fleet on one host. Asks the stores again and again, hands what they
//! gave to the same run that one host makes by itself, and says how it stands. The change of
//! keys at a slot's start waits for nobody. Ends only when it is killed, which is safe at any
//! moment.

mod request;
mod stand;

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::fleet_error::FleetError;
use super::fleet_wish::FleetMode;
use super::said::Said;
use super::{KeysGoal, Rotated, port, rotate, targets};
use crate::app::{AppError, clock};
use crate::keys::core::{Now, Schedule, State};
use crate::keys::fleet::agent::{Agent, Membership, Opens};
use crate::keys::fleet::fetch::{News, Note, Stores};
use crate::keys::fleet::memory::Memory;
use crate::keys::fleet::{FleetKey, Signer};
use crate::keys::{Folder, KeysError, Source, Status, Turn, keep_to_itself, pause};

pub use request::{AgentNews, AgentRequest, Ended, Tell, agent_unit};

/// Without a key for the slot that it is, stores are asked this often, in milliseconds.
const HASTE: u64 = 2_000;
/// A change that did not go live is tried again within this many milliseconds.
const RETRY: u64 = 60_000;

/// How often a server that did not run is looked for, in milliseconds.
const WATCH: u64 = 500;
/// For so many milliseconds a host without keys waits for the first answer.
const FIRST_ANSWER: u64 = 10_000;

/// Runs until killed, or once.
///
/// # Errors
/// [`AppError`] where the settings, a private key or the port cannot be used, or the first run
/// finds no folder for keys.
pub fn agent(request: &AgentRequest, tell: &mut Tell<'_>) -> Result<Ended, AppError> {
    let refused = keep_to_itself();
    for why in &refused {
        tell(&AgentNews::Note(why));
    }
    let page = match request.metrics {
        Some(address) => Some(port::open(address).map_err(KeysError::Port)?),
        None => None,
    };
    let offset = request.clock_offset;
    let clock = move || shifted(clock::both(), offset);
    let mut desk = Desk::open(request, &clock)?;
    desk.recall(tell);
    loop {
        desk.ask(tell);
        if desk.is_due() {
            desk.run(tell)?;
        }
        desk.hear(tell);
        let text = desk.stands(tell);
        if let (Some(page), Some(text)) = (&page, text) {
            page.show(text);
        }
        if request.once && desk.is_done() {
            return desk.end();
        }
    }
}

fn shifted(now: Now, by: i64) -> Now {
    Now {
        wall: now.wall.saturating_add_signed(by),
        ..now
    }
}

/// An agent at work. Moments are milliseconds of the boot clock.
struct Desk<'a> {
    request: &'a AgentRequest,
    folder: Folder,
    schedule: Schedule,
    clock: &'a dyn Fn() -> Now,
    agent: Agent,
    stores: Stores,
    memory: Memory,
    remembered: u32,
    goal: KeysGoal,
    /// What the last run came to.
    state: State,
    status: Option<Status>,
    stood_at: u64,
    failed: bool,
    /// The last set was written while no server ran.
    unread: bool,
    /// When stores are asked next, when the next run is due.
    ask_at: u64,
    run_at: u64,
    fresh: bool,
    /// A run is due after the next answer, whatever it says.
    owed: bool,
    asked: bool,
    jitter: RandomState,
    said: Said,
    /// What is wrong with the fleet now, one sentence each.
    down: Vec<String>,
    forgetful: Option<String>,
}

impl<'a> Desk<'a> {
    fn open(request: &'a AgentRequest, clock: &'a dyn Fn() -> Now) -> Result<Self, AppError> {
        let fleet = &request.fleet;
        let host = fleet.host()?.clone();
        let places = &request.places;
        let identity = match fleet.mode {
            FleetMode::PerHost => Some(fleet.identity()?),
            // Without one this host says nothing of itself.
            FleetMode::FleetKey => fleet.identity().ok(),
        };
        let identity = identity.map(|from| Signer::open(from, places));
        let identity = identity.transpose().map_err(FleetError::from)?;
        let opens = match fleet.mode {
            FleetMode::PerHost => Opens::Host,
            FleetMode::FleetKey => {
                let key = FleetKey::open(fleet.fleet_key()?, places);
                Opens::Fleet(key.map_err(FleetError::from)?)
            }
        };
        let who = Membership {
            fleet: fleet.name.clone(),
            host,
            pinned: fleet.signers.clone(),
            opens,
            identity: identity.as_ref().map(|signer| signer.public().clone()),
            scope: fleet.scope.clone(),
        };
        let writer = identity.map(|signer| (fleet.write_store.as_str(), signer));
        let stores = Stores::open(&fleet.stores, writer, &fleet.access);
        let schedule = request.keys.schedule();
        let now = clock();
        let folder = request.keys.folder()?;
        let first_run = match folder.saved() {
            Some(_) => now.boot,
            // Whoever knows nothing learns first what time it is for the fleet.
            None => now.boot.saturating_add(FIRST_ANSWER),
        };
        Ok(Self {
            request,
            folder,
            schedule,
            clock,
            stores: stores.map_err(FleetError::from)?,
            memory: Memory::at(&fleet.memory, &fleet.name),
            agent: Agent::new(who, request.keys.layout, schedule),
            remembered: 0,
            goal: KeysGoal::Init,
            state: State::default(),
            status: None,
            stood_at: now.boot,
            failed: false,
            unread: false,
            ask_at: now.boot,
            run_at: first_run,
            fresh: false,
            owed: true,
            asked: false,
            jitter: RandomState::new(),
            said: Said::new(schedule.interval),
            down: Vec::new(),
            forgetful: None,
        })
    }

    /// The floor of before the last start. Without it the host goes on: it is as good as new.
    fn recall(&mut self, tell: &mut Tell<'_>) {
        match self.memory.floor() {
            Ok(floor) => {
                self.remembered = floor;
                self.agent.remember(floor);
            }
            Err(why) => {
                let why = format!("{why}: an older copy of the store could be believed");
                self.forgetful = Some(why.clone());
                self.alarm("memory", &why, tell);
            }
        }
    }

    fn remember(&mut self, tell: &mut Tell<'_>) {
        let floor = self.agent.seen().floor;
        if floor <= self.remembered && self.forgetful.is_none() {
            return;
        }
        // What was unreadable is replaced by what the fleet says itself.
        if self.agent.seen().head.is_none() {
            return;
        }
        match self.memory.raise(floor) {
            Ok(()) => {
                self.remembered = floor;
                self.forgetful = None;
            }
            Err(why) => {
                let why = why.to_string();
                self.forgetful = Some(why.clone());
                self.alarm("memory", &why, tell);
            }
        }
    }

    /// Begins a round of questions where one is due.
    fn ask(&mut self, tell: &mut Tell<'_>) {
        let now = (self.clock)();
        if now.boot < self.ask_at || self.stores.asking() {
            return;
        }
        let question = self.agent.question(self.epoch(now), &self.state);
        if let Some(news) = self.stores.ask(question, now.boot) {
            self.heard(news, tell);
        }
    }

    /// Waits for an answer until something else is due.
    fn hear(&mut self, tell: &mut Tell<'_>) {
        let now = (self.clock)().boot;
        let next = match self.stores.asking() {
            true => self.run_at,
            false => self.run_at.min(self.ask_at),
        };
        // A server that starts now may have read the keys of before.
        let next = match self.unread {
            true => next.min(now.saturating_add(WATCH)),
            false => next,
        };
        let clock = self.clock;
        let wait = Duration::from_millis(next.saturating_sub(now));
        if let Some(news) = self.stores.news(wait, &|| clock().boot) {
            self.heard(news, tell);
        }
    }

    fn heard(&mut self, news: News, tell: &mut Tell<'_>) {
        let now = (self.clock)();
        match news {
            News::Found { store, found } => {
                let learnt = self.agent.learn(&store, &found, now);
                for (why, sentence) in &learnt.refused {
                    self.alarm(why, sentence, tell);
                }
                if !self.down.is_empty() {
                    self.down.clear();
                    self.said.forget("store");
                    tell(&AgentNews::Note(&format!("{store} answers")));
                }
                self.remember(tell);
                match learnt.risen {
                    // The new keys come with the next answer: void ones go when these are here.
                    true => self.owed = true,
                    false => self.fresh |= learnt.fresh || std::mem::take(&mut self.owed),
                }
                self.next_question(now, learnt.risen);
                self.write(now, tell);
            }
            News::Down(whys) => {
                self.agent.lost();
                for why in &whys {
                    self.alarm("store", why, tell);
                }
                self.down = whys;
                self.fresh |= std::mem::take(&mut self.owed);
                self.next_question(now, false);
                self.write(now, tell);
            }
            News::Written => {}
            News::NotWritten(why) => self.alarm("report", &why, tell),
        }
    }

    fn next_question(&mut self, now: Now, at_once: bool) {
        let current = self.epoch(now);
        let mut held = self.state.held.iter();
        let has_key = held.any(|held| held.key.slot.epoch == current && !held.derived);
        let poll = match has_key {
            true => self.request.fleet.poll,
            false => self.request.fleet.poll.min(HASTE),
        };
        // Hosts that start together shall not ask together.
        let jitter = self.jitter.hash_one(now.boot) % (poll / 2).max(1);
        let wait = poll - poll / 4 + jitter;
        self.asked = !at_once;
        self.ask_at = match at_once {
            true => now.boot,
            false => now.boot.saturating_add(wait.max(1)),
        };
    }

    /// Says how this host stands, and for which key it can open seeds.
    fn write(&mut self, now: Now, tell: &mut Tell<'_>) {
        let mut notes = Vec::new();
        match self.agent.own_key(now) {
            Ok(key) => notes.extend(key.map(Note::Key)),
            Err(why) => self.alarm("recipient", &why.to_string(), tell),
        }
        let history = self.status.as_ref().map(|status| &status.history);
        let history = history.cloned().unwrap_or_default();
        let alarms = self.wrong().len();
        let report = self.agent.report(&self.state, &history, now, alarms);
        notes.push(Note::Report(report));
        self.stores.write(notes);
    }

    fn is_due(&self) -> bool {
        let now = (self.clock)().boot;
        let appeared = self.unread && self.request.keys.server.master().is_some();
        self.fresh || appeared || now >= self.run_at
    }

    /// One run over the folder, with what the fleet brought.
    fn run(&mut self, tell: &mut Tell<'_>) -> Result<(), AppError> {
        let now = (self.clock)();
        let keys = &self.request.keys;
        let brought = self.agent.brought(now);
        self.fresh = false;
        let before = self.state.encrypts().map(|key| key.slot.generation);
        let live = || targets::live(keys);
        let turn = Turn {
            source: Source::Fleet(&brought),
            refresh: self.unread && keys.server.master().is_some(),
            clock: self.clock,
            ..rotate::turn(keys, &self.folder, &live)
        };
        let done = match turn.run(self.goal) {
            Ok(done) => done,
            Err(why) => return self.cannot_run(why, now, tell),
        };
        self.goal = KeysGoal::Rotate;
        self.state = done.saved.state.clone();
        self.unread = match &done.verdict {
            Some(_) => !done.running && !keys.server.leave,
            None => self.unread,
        };
        let wait = match &done.failed {
            Some(_) => (self.schedule.interval / 20).clamp(1, RETRY),
            None => u64::try_from(pause(&self.schedule, done.due).as_millis()).unwrap_or(RETRY),
        };
        self.run_at = now.boot.saturating_add(wait.max(1));
        self.failed = done.failed.is_some();
        let after = self.state.encrypts().map(|key| key.slot.generation);
        let replaced = before.is_some() && after > before && !keys.server.leave;
        self.tell_run(rotate::judged(keys, done, replaced), tell);
        let now = (self.clock)();
        self.status = Status::read(&self.folder, &self.schedule, now).ok();
        self.stood_at = now.boot;
        Ok(())
    }
}
