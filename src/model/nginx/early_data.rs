//! Which blocks look at `$ssl_early_data`. Does not judge what they do with it.

use std::collections::HashMap;

use crate::model::blocks::Blocks;
use crate::source::{DirectiveId, Project};

/// The variable, bare and in braces.
const SPELLINGS: [&[u8]; 2] = [b"$ssl_early_data", b"${ssl_early_data}"];

/// Marks the innermost known block around each use.
pub(super) fn mark(project: &Project, blocks: &mut Blocks) {
    let known: HashMap<DirectiveId, usize> = blocks
        .blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| Some((block.directive?, index)))
        .collect();
    for index in 0..project.directives.len() as u32 {
        let id = DirectiveId(index);
        if !project.arguments(id).any(uses) {
            continue;
        }
        let innermost = around(project, &known, id);
        for (index, block) in blocks.blocks.iter_mut().enumerate() {
            // The top level of a fragment stands for the blocks around it.
            let marked = innermost.map_or(block.directive.is_none(), |found| found == index);
            block.reads_early_data |= marked;
        }
    }
}

fn uses(argument: &[u8]) -> bool {
    let found = |spelling: &&[u8]| {
        let mut windows = argument.windows(spelling.len());
        windows.any(|window| *window == **spelling)
    };
    SPELLINGS.iter().any(found)
}

fn around(
    project: &Project,
    known: &HashMap<DirectiveId, usize>,
    id: DirectiveId,
) -> Option<usize> {
    let mut next = project.directive(id).parent;
    while let Some(id) = next {
        if let Some(block) = known.get(&id) {
            return Some(*block);
        }
        next = project.directive(id).parent;
    }
    None
}
