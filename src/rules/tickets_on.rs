//! nginx: the smallest changes after which stateless tickets are on at some endpoints,
//! whatever version the server has. Several fixes begin with them; this file must not judge.

use super::{Context, option_list, places, tickets_off};
use crate::catalog::Server;
use crate::finding::Change;
use crate::model::{BlockId, Setting};

const TICKETS: &str = tickets_off::directive(Server::Nginx);

/// The changes; empty where tickets are on and say so.
///
/// Both the block of a name and the default server of its address: which of them decides
/// changed with nginx 1.29.2. Where nothing is written it is written down, so that a reader
/// of the file sees what is meant and a change of the default does not end it.
pub(super) fn changes(context: &Context<'_>, endpoints: &[usize]) -> Vec<Change> {
    let deciding = places::deciding_blocks(context.site, endpoints);
    let changes = deciding.into_iter().flat_map(|id| in_block(context, id));
    changes.collect()
}

/// A conf command is applied last; a directive beside it that says otherwise follows it.
fn in_block(context: &Context<'_>, block: BlockId) -> Vec<Change> {
    let site = context.site;
    let command = option_list::deciding(site, &[], block);
    let written = places::in_force(site, &[], block, TICKETS);
    let hidden = written.filter(|it| places::is_out_of_reach(context.policy, it, block));
    if command.is_none() && written.is_none() {
        let level = places::level(context, block);
        let insertion = places::insertion(site, level, &[TICKETS, "on"]);
        return insertion.into_iter().collect();
    }
    let off = written.filter(|written| !tickets_off::is_on(written));
    let switched = off.and_then(|written| match hidden {
        Some(_) => places::insertion(site, block, &[TICKETS, "on"]),
        None => Some(Change::SetArguments {
            statement: written.location.clone(),
            arguments: vec!["on".to_owned()],
        }),
    });
    let command = command.and_then(command_on);
    switched.into_iter().chain(command).collect()
}

fn command_on(command: &Setting) -> Option<Change> {
    if option_list::says(command) != Some(false) {
        return None;
    }
    Some(Change::SetArguments {
        statement: command.location.clone(),
        arguments: option_list::turned_on(command)?,
    })
}
