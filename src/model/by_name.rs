//! Settings by their names, which is how nearly everything asks for them. Must not judge.

use rayon::prelude::*;

use super::SettingId;
use crate::catalog::NameKey;

/// For fewer settings, starting threads takes longer than they save.
const FEW: usize = 4000;

/// Settings of a block, or of a whole configuration, by the names that the catalog gives them.
#[derive(Clone, Debug, Default)]
pub struct ByName {
    /// Sorted, one for each setting: apart from the settings, so that a search stays in one place.
    keys: Vec<NameKey>,
    /// Those of one name in order.
    ids: Vec<SettingId>,
}

impl ByName {
    /// Of settings with the numbers of their names.
    pub(super) fn of(named: impl Iterator<Item = (NameKey, SettingId)>) -> Self {
        let mut named: Vec<(NameKey, SettingId)> = named.collect();
        match named.len() < FEW {
            true => named.sort_unstable(),
            false => named.par_sort_unstable(),
        }
        Self {
            keys: named.iter().map(|(key, _)| *key).collect(),
            ids: named.iter().map(|(_, id)| *id).collect(),
        }
    }

    /// The settings of a name of the catalog, in order.
    pub fn named(&self, name: &str) -> &[SettingId] {
        let asked = NameKey::of(name);
        let start = self.keys.partition_point(|key| *key < asked);
        let rest = self.keys.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|key| **key == asked).count();
        self.ids.get(start..start + count).unwrap_or_default()
    }

    /// The settings of each name, in order; names in an order that says nothing.
    pub fn each(&self) -> impl Iterator<Item = &[SettingId]> {
        let groups = self.keys.chunk_by(|one, next| one == next);
        groups.scan(0, |start, group| {
            let ids = self.ids.get(*start..*start + group.len());
            *start += group.len();
            ids
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_name_stand_together_in_order() {
        let names = ["listen", "ssl", "listen", "ssl_session_cache", "listen"];
        let ids = (0..).map(SettingId);
        let by = ByName::of(names.into_iter().map(NameKey::of).zip(ids));
        let numbers = |ids: &[SettingId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(numbers(by.named("listen")), [0, 2, 4]);
        assert_eq!(numbers(by.named("ssl")), [1]);
        assert_eq!(numbers(by.named("ssl_session_cache")), [3]);
        assert!(by.named("server_name").is_empty());
        let mut each: Vec<Vec<u32>> = by.each().map(numbers).collect();
        each.sort();
        assert_eq!(each, [vec![0, 2, 4], vec![1], vec![3]]);
        assert_eq!(ByName::default().each().count(), 0);
        assert!(ByName::default().named("ssl").is_empty());
    }
}
