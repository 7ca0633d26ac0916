//! Collects what became of settings; one that is in force anywhere is in force.

use super::blocks::Blocks;
use super::{BlockId, Effect, Ignored, IgnoredReason, SettingId};
use crate::text::Location;

/// The effects found so far.
#[derive(Debug)]
pub(in crate::model) struct Effects<'a> {
    blocks: &'a Blocks,
    /// By [`SettingId`].
    found: Vec<Option<Effect>>,
}

impl<'a> Effects<'a> {
    pub(in crate::model) fn new(blocks: &'a Blocks) -> Self {
        Self {
            blocks,
            found: vec![None; blocks.settings.len()],
        }
    }

    /// The effect of each setting, where one was found.
    pub(in crate::model) fn into_found(self) -> Vec<Option<Effect>> {
        self.found
    }

    /// The settings judged.
    pub(in crate::model) fn blocks(&self) -> &'a Blocks {
        self.blocks
    }

    /// A setting decides something, or says what is in force anyway.
    pub(in crate::model) fn in_force(&mut self, id: Option<SettingId>) {
        let Some(id) = id else {
            return;
        };
        self.found[id.0 as usize] = Some(Effect::InForce);
    }

    /// A setting has no effect for an endpoint; `governor` decides where no setting does.
    pub(in crate::model) fn ignored(
        &mut self,
        endpoint: usize,
        id: Option<SettingId>,
        reason: IgnoredReason,
        in_force: &str,
        decided_by: Option<SettingId>,
        governor: BlockId,
    ) {
        let Some(id) = id else {
            return;
        };
        match &mut self.found[id.0 as usize] {
            Some(Effect::Ignored(ignored)) if ignored.endpoints.last() != Some(&endpoint) => {
                ignored.endpoints.push(endpoint);
            }
            Some(_) => {}
            None => {
                let decided_by = Some(self.place(decided_by, governor));
                let in_force = in_force.to_owned();
                let ignored = Ignored {
                    reason,
                    in_force,
                    decided_by,
                    endpoints: vec![endpoint],
                };
                self.found[id.0 as usize] = Some(Effect::Ignored(Box::new(ignored)));
            }
        }
    }

    fn place(&self, setting: Option<SettingId>, block: BlockId) -> Location {
        match setting {
            Some(id) => self.blocks.setting(id).location.clone(),
            None => self.blocks.block(block).head.clone(),
        }
    }
}
