//! Directives that a block may hold once.

use crate::source::DirectiveId;

/// Which of the directives that may stand once stand in the open blocks already.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// Inner blocks last. A block that is closed goes when something stands outside of it.
    blocks: Vec<(Option<DirectiveId>, Vec<&'static str>)>,
}

impl Once {
    /// Notes a directive of a block; true where the block has one already. Blocks have to be
    /// asked about in the order in which they are read.
    pub(super) fn again(&mut self, block: Option<DirectiveId>, name: &'static str) -> bool {
        // An outer block has a smaller id than what stands in it, and the top level none.
        while self.blocks.pop_if(|(inner, _)| *inner > block).is_some() {}
        if self.blocks.last().is_none_or(|(open, _)| *open != block) {
            self.blocks.push((block, Vec::new()));
        }
        let Some((_, names)) = self.blocks.last_mut() else {
            return false;
        };
        let again = names.contains(&name);
        if !again {
            names.push(name);
        }
        again
    }
}
