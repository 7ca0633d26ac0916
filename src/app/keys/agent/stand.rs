//! How an agent's host stands, and what it says of it: each thing once a slot, however often it
//! happens.

use super::{AgentNews, Desk, Ended, RETRY, Rotated, Tell};
use crate::app::AppError;
use crate::app::keys::KeysGoal;
use crate::keys::KeysError;
use crate::keys::core::{Alarm, Now};

impl Desk<'_> {
    pub(super) fn cannot_run(
        &mut self,
        why: KeysError,
        now: Now,
        tell: &mut Tell<'_>,
    ) -> Result<(), AppError> {
        let made = self.folder.dir().is_dir();
        if self.goal == KeysGoal::Init && !made {
            // Nothing that waiting would mend.
            return Err(why.into());
        }
        if matches!(why, KeysError::NotMade(_)) {
            self.goal = KeysGoal::Init;
        }
        let soon = (self.schedule.interval / 20).clamp(1, RETRY);
        self.run_at = now.boot.saturating_add(soon);
        tell(&AgentNews::Failed(&why.into()));
        Ok(())
    }

    pub(super) fn tell_run(&mut self, mut rotated: Rotated, tell: &mut Tell<'_>) {
        for alarm in std::mem::take(&mut rotated.done.alarms) {
            let kind = match &alarm {
                Alarm::ClockOff(_) => "clock".to_owned(),
                Alarm::Rejected(_, why) => why.to_string(),
                other => other.to_string(),
            };
            self.alarm(&kind, &alarm.to_string(), tell);
        }
        tell(&AgentNews::Ran(&rotated));
    }

    /// Says what is wrong, once a slot.
    pub(super) fn alarm(&mut self, kind: &str, sentence: &str, tell: &mut Tell<'_>) {
        let now = (self.clock)().boot;
        if self.said.is_new(kind, now) {
            tell(&AgentNews::Alarm(sentence));
        }
    }

    /// The slot that it is.
    pub(super) fn epoch(&self, now: Now) -> u64 {
        let clock = self.state.clock.as_ref();
        let time = clock.map(|clock| clock.tick(&self.schedule, now, None).time);
        self.schedule.epoch(time.unwrap_or(now.wall))
    }

    /// What is wrong now, one sentence each.
    pub(super) fn wrong(&self) -> Vec<String> {
        let status = self.status.iter();
        let mut wrong: Vec<String> = status.flat_map(|status| status.alarms.clone()).collect();
        wrong.extend(self.down.iter().cloned());
        wrong.extend(self.forgetful.clone());
        wrong.extend(self.agent.silent((self.clock)()).map(|silent| {
            format!(
                "the generator was last heard {} s ago: there will be no new keys",
                silent / 1000
            )
        }));
        wrong
    }

    pub(super) fn stands(&self, tell: &mut Tell<'_>) -> Option<String> {
        let mut status = self.status.clone()?;
        let now = (self.clock)();
        let passed = now.boot.saturating_sub(self.stood_at);
        status.due = status.due.saturating_sub(passed);
        status.now = now.wall / 1000;
        status.alarms = self.wrong();
        status.source_down = !self.agent.seen().up;
        tell(&AgentNews::Stands(&status, self.agent.seen()))
    }

    /// What is wrong in the end.
    pub(super) fn end(&self) -> Result<Ended, AppError> {
        Ok(Ended {
            wrong: self.wrong(),
            failed: self.failed,
        })
    }

    /// Everything that one round was to do is done.
    pub(super) fn is_done(&self) -> bool {
        self.asked && !self.stores.asking() && !self.stores.writing() && !self.fresh
    }
}
