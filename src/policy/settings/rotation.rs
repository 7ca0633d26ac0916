//! `[rotation]` of the settings, and the plan it makes. Refuses a plan that would lose sessions
//! or never end; knows no file and no clock.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Period;
use crate::policy::Rotation;

/// What the settings say about a rotation; what they leave out is the preset's.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RotationSettings {
    /// Where to start from.
    pub preset: Option<Preset>,
    /// How long one key encrypts.
    pub interval: Option<Period>,
    /// How many coming keys are loaded.
    pub ahead: Option<u32>,
    /// How many past keys are kept.
    pub previous: Option<u32>,
    /// How long a session may resume.
    pub lifetime: Option<Period>,
    /// By how much clocks may differ.
    pub skew: Option<Period>,
    /// The folder with the keys and with the file that the server includes.
    pub directory: Option<PathBuf>,
    /// The server is reloaded at least this often.
    pub scheduled_reload: Option<Period>,
}

/// A plan with a name.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Hourly keys, two ahead, 19 kept, sessions of 18 hours.
    #[default]
    Hourly,
    /// The parameters of the published scheme: one key ahead, 18 kept. Its lifetime is longer
    /// than its keys cover where clocks differ; that is accepted for this preset alone.
    #[serde(rename = "published-2015")]
    Published2015,
}

/// More keys than this at once are a mistake: the server tries each in turn.
const MOST_KEYS: u32 = 1000;

impl RotationSettings {
    /// The plan.
    ///
    /// # Errors
    /// The key that is wrong (as `lifetime`) and one sentence why.
    pub fn plan(&self) -> Result<Rotation, (&'static str, String)> {
        let preset = match self.preset.unwrap_or_default() {
            Preset::Hourly => Rotation::default(),
            Preset::Published2015 => Rotation::published_2015(),
        };
        let seconds = |period: Option<Period>, other: u64| period.map_or(other, |it| it.0);
        let plan = Rotation {
            interval: seconds(self.interval, preset.interval),
            ahead: self.ahead.unwrap_or(preset.ahead),
            previous: self.previous.unwrap_or(preset.previous),
            lifetime: seconds(self.lifetime, preset.lifetime),
            skew: seconds(self.skew, preset.skew),
            scheduled_reload: self.scheduled_reload.map(|period| period.0),
        };
        self.refuse(&plan, &preset)?;
        Ok(plan)
    }

    fn refuse(&self, plan: &Rotation, preset: &Rotation) -> Result<(), (&'static str, String)> {
        if plan.interval == 0 {
            return Err(("interval", "the interval has to be longer than 0s".into()));
        }
        let keys = plan.ahead.saturating_add(plan.previous).saturating_add(1);
        if keys > MOST_KEYS {
            let key = if plan.ahead > plan.previous {
                "ahead"
            } else {
                "previous"
            };
            return Err((
                key,
                format!("{keys} keys would be loaded at once; at most {MOST_KEYS} are useful"),
            ));
        }
        if plan.lifetime == 0 {
            return Err(("lifetime", "the lifetime has to be longer than 0s".into()));
        }
        if plan.scheduled_reload == Some(0) {
            let why = "a scheduled reload every 0s cannot be; leave the key out";
            return Err(("scheduled_reload", why.into()));
        }
        let longest = u64::from(plan.previous)
            .checked_mul(plan.interval)
            .map(|covered| covered.saturating_sub(plan.skew));
        let Some(longest) = longest else {
            let why = "the interval is too long for this many previous keys";
            return Err(("interval", why.into()));
        };
        // A named plan is as published, whatever one thinks of it.
        let named = self.preset == Some(Preset::Published2015)
            && plan.lifetime <= preset.lifetime
            && plan.previous >= preset.previous
            && plan.interval == preset.interval
            && plan.skew <= preset.skew;
        if plan.lifetime > longest && !named {
            return Err((
                "lifetime",
                format!(
                    "sessions of {} would be lost: {} previous keys of {} less the skew of {} \
                     cover {}; shorten `lifetime` or keep more `previous` keys",
                    Period(plan.lifetime),
                    plan.previous,
                    Period(plan.interval),
                    Period(plan.skew),
                    Period(longest),
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Option<Period> {
        Some(Period::parse(text).unwrap())
    }

    #[test]
    fn presets_are_their_plans() {
        assert_eq!(RotationSettings::default().plan(), Ok(Rotation::default()));
        let published = RotationSettings {
            preset: Some(Preset::Published2015),
            ..RotationSettings::default()
        };
        assert_eq!(published.plan(), Ok(Rotation::published_2015()));
    }

    #[test]
    fn what_loses_sessions_is_refused_at_its_key() {
        let refused = |settings: RotationSettings| settings.plan().map_err(|(key, _)| key);
        let base = RotationSettings::default;
        assert_eq!(
            refused(RotationSettings {
                interval: period("0s"),
                ..base()
            }),
            Err("interval")
        );
        // 19 hours less five minutes are covered.
        assert_eq!(
            refused(RotationSettings {
                lifetime: period("18h56m"),
                ..base()
            }),
            Err("lifetime")
        );
        let longest = RotationSettings {
            lifetime: period("18h55m"),
            ..base()
        };
        assert_eq!(longest.plan().map(|plan| plan.lifetime), Ok(68_100));
        assert_eq!(
            refused(RotationSettings {
                previous: Some(u32::MAX),
                ..base()
            }),
            Err("previous")
        );
        assert_eq!(
            refused(RotationSettings {
                interval: period("18446744073709551615s"),
                ..base()
            }),
            Err("interval")
        );
        assert_eq!(
            refused(RotationSettings {
                scheduled_reload: period("0s"),
                ..base()
            }),
            Err("scheduled_reload")
        );
        // Fewer keys than the published plan has are not the published plan.
        assert_eq!(
            refused(RotationSettings {
                preset: Some(Preset::Published2015),
                previous: Some(17),
                ..base()
            }),
            Err("lifetime")
        );
    }
}
