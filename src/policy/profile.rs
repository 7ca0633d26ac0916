//! Known demands by name: a goal and thresholds, each with its source. Pure data.
//!
//! They contradict each other, so none of them is the default. What a source does not say is
//! the default policy's.

use super::{Goal, Policy};

/// A named demand.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What it asks for.
    pub goal: Goal,
    /// A lifetime strictly above this many seconds is a warning; `None`: not said.
    pub lifetime_warning: Option<u64>,
    /// Who says so.
    pub source: &'static str,
}

const DAY: u64 = 24 * 60 * 60;

/// Every profile, by name.
pub const PROFILES: [Profile; 3] = [
    Profile {
        name: "cis-2",
        summary: "CIS NGINX Benchmark 2.x: no session tickets",
        goal: Goal::NoTickets,
        lifetime_warning: None,
        source: "CIS NGINX Benchmark 2.0.0 and 2.0.1, 4.1.12, and the same in 2.1.0: session \
                 resumption is disabled, by `ssl_session_tickets off`",
    },
    // It only asks that tickets are not off. With a key that nothing replaces that would not be
    // sound, so the goal is the one that keeps them on with keys that are replaced, whatever
    // the version.
    Profile {
        name: "cis-3",
        summary: "CIS NGINX Benchmark 3.0: session tickets on, here with keys that rotate",
        goal: Goal::Rotate,
        lifetime_warning: None,
        source: "CIS NGINX Benchmark 3.0.0: `ssl_session_tickets` is not set to off",
    },
    Profile {
        name: "mozilla",
        summary: "Mozilla's configuration generator: a shared cache, sessions for a day",
        goal: Goal::Sound,
        lifetime_warning: Some(DAY),
        source: "https://ssl-config.mozilla.org/: `ssl_session_timeout 1d`, `ssl_session_cache \
                 shared:MozSSL:10m`, tickets off where nginx does not replace their key (before \
                 1.23.2)",
    },
];

impl Profile {
    /// The profile of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// Lays goal and thresholds into a policy; the rest of it stays.
    pub fn apply(&self, policy: &mut Policy) {
        let own = self.policy();
        policy.goal = own.goal;
        policy.lifetime_warning = own.lifetime_warning;
        policy.lifetime_error = own.lifetime_error;
        policy.key_age = own.key_age;
    }

    /// The policy that it stands for.
    pub fn policy(&self) -> Policy {
        let default = Policy::default();
        Policy {
            goal: self.goal,
            lifetime_warning: self.lifetime_warning.unwrap_or(default.lifetime_warning),
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_by_name_and_sorted() {
        let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        assert!(names.is_sorted());
        for name in names {
            assert_eq!(Profile::by_name(name).map(|found| found.name), Some(name));
        }
        assert_eq!(Profile::by_name("cis-1"), None);
    }

    #[test]
    fn the_two_benchmarks_contradict_each_other() {
        let goal = |name| Profile::by_name(name).map(|found| found.policy().goal);
        assert_eq!(goal("cis-2"), Some(Goal::NoTickets));
        assert_eq!(goal("cis-3"), Some(Goal::Rotate));
    }
}
