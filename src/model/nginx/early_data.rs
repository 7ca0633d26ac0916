//! Which blocks look at `$ssl_early_data`. Does not judge what they do with it.

use std::collections::HashMap;

use crate::model::Block;
use crate::source::{DirectiveId, Project};

/// The variable, bare and in braces.
const SPELLINGS: [&[u8]; 2] = [b"$ssl_early_data", b"${ssl_early_data}"];

/// Marks the innermost known block around each use.
pub(super) fn mark(project: &Project, blocks: &mut [Block]) {
    let known: HashMap<DirectiveId, usize> = blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| Some((block.directive?, index)))
        .collect();
    let mut outside = false;
    for index in 0..project.directives.len() as u32 {
        let id = DirectiveId(index);
        if !project.arguments(id).any(uses) {
            continue;
        }
        match around(project, &known, id) {
            Some(innermost) => blocks[innermost].reads_early_data = true,
            None => outside = true,
        }
    }
    // The top level of a fragment stands for the blocks around it.
    let tops = blocks.iter_mut().filter(|block| block.directive.is_none());
    tops.for_each(|block| block.reads_early_data |= outside);
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
