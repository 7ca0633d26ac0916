//! How the keys stand at a moment, read and not changed.

use super::KeysError;
use super::core::{Key, Now, Schedule, State, View, step};
use super::folder::Folder;
use super::saved::History;

/// How the keys stand.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The slot that it is.
    pub epoch: u64,
    /// The key that encrypts, as far as was verified.
    pub encrypts: Option<Key>,
    /// The others that the server has loaded, in its order.
    pub decrypts: Vec<Key>,
    /// Milliseconds until the next slot.
    pub due: u64,
    /// Times when all keys were replaced.
    pub generation: u32,
    /// A change is overdue: the next run will make it.
    pub pending: bool,
    /// What is wrong, one sentence each.
    pub alarms: Vec<String>,
    /// What was done, and how it ended.
    pub history: History,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// How long one key encrypts, in milliseconds.
    pub interval: u64,
    /// Every key at hand, as this look found them.
    pub state: State,
    /// Keys come from elsewhere, and cannot be had now.
    pub source_down: bool,
}

impl Status {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`KeysError::NotMade`], or where the folder cannot be read.
    pub fn read(folder: &Folder, schedule: &Schedule, now: Now) -> Result<Self, KeysError> {
        if !folder.dir().is_dir() {
            return Err(KeysError::NotMade(folder.dir().to_owned()));
        }
        let contents = folder.contents()?;
        let saved = folder.saved();
        let remembered = saved.is_some();
        let saved = saved.unwrap_or_default();
        let view = View {
            offers: contents.keys,
            ..View::default()
        };
        let looked = step(schedule, now, &view, &saved.state);
        let applied = saved.state.applied.clone().unwrap_or_default();

        let mut alarms: Vec<String> = looked.alarms.iter().map(ToString::to_string).collect();
        if !remembered {
            alarms.push("nothing is remembered of these keys".to_owned());
        }
        for path in contents.damaged {
            alarms.push(format!("{} is damaged", path.display()));
        }
        if saved.allow_disk {
            let why = "keys may lie on a disk here: --allow-disk was given when they were made";
            alarms.push(why.to_owned());
        }
        if let Some(why) = &saved.history.last_failure {
            alarms.push(format!("the last change did not go live: {why}"));
        }
        let seconds = now.wall / 1000;
        let old = |since: u64| seconds.saturating_sub(since) * 1000 > schedule.interval;
        let old = saved.history.draining.iter().filter(|it| old(it.since));
        let old = old.count();
        if old > 0 {
            alarms.push(format!(
                "{old} replaced processes run on for longer than a slot, with the keys of their \
                 time: worker_shutdown_timeout ends them, and with them the WebSockets and \
                 downloads that they serve"
            ));
        }
        Ok(Self {
            epoch: looked.epoch,
            encrypts: applied.encrypts,
            decrypts: applied.decrypts,
            due: looked.due,
            generation: saved.state.floor,
            pending: looked.load.is_some() || !looked.wanted.is_empty(),
            alarms,
            history: saved.history,
            now: seconds,
            interval: schedule.interval,
            state: looked.state,
            source_down: false,
        })
    }

    /// How many loaded keys are of coming slots.
    pub fn ahead(&self) -> usize {
        let coming = |key: &&Key| key.slot.epoch > self.epoch;
        self.decrypts.iter().filter(coming).count()
    }
}
