//! The smallest changes after which no stateless ticket is issued at some endpoints, whatever
//! version the server has. Several rules propose them; this file must not judge.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::places::{self, chosen};
use super::{Context, option_list};
use crate::catalog::Server;
use crate::finding::{Applicability, Change, Fix, GoLive, Target};
use crate::model::{BlockId, BlockKind, Endpoint, Setting, Site, Tls12Id};
use crate::policy::{ApacheDirective, Goal};

/// The directive that switches tickets.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => "ssl_session_tickets",
        Server::Apache => "SSLSessionTickets",
    }
}

/// The fix for these endpoints, if there is one. A policy that wants tickets has a rule and a
/// fix of its own.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    if context.policy.goal.wants_tickets() {
        return None;
    }
    let changes = changes(context, endpoints);
    if changes.is_empty() {
        return None;
    }
    Some(Fix {
        title: "turn session tickets off".to_owned(),
        applicability: Applicability::Safe,
        changes,
        common: Arc::default(),
        costs: vec![cost(context.site, endpoints).to_owned()],
        go_live: GoLive::Reload,
    })
}

/// The changes; empty where tickets are off already.
pub(super) fn changes(context: &Context<'_>, endpoints: &[usize]) -> Vec<Change> {
    let mut changes = match context.site.server {
        Server::Nginx => nginx(context, endpoints),
        Server::Apache => apache(context, endpoints),
    };
    changes.sort();
    changes.dedup();
    changes
}

fn cost(site: &Site, endpoints: &[usize]) -> &'static str {
    let cached = |endpoint: &Endpoint| {
        matches!(
            endpoint.tls12.session_id,
            Tls12Id::Resumes | Tls12Id::PerWorker
        )
    };
    if chosen(site, endpoints).all(cached) {
        "returning clients resume from the server's session cache instead of by ticket"
    } else {
        "returning clients do a full handshake wherever no session cache is configured"
    }
}

/// Both the block of a name and the default server of its address: which of them decides
/// changed with nginx 1.29.2, and before it a default server with tickets on takes even the
/// cached TLS 1.3 sessions from a server with tickets off.
fn nginx(context: &Context<'_>, endpoints: &[usize]) -> Vec<Change> {
    let site = context.site;
    let bystanders = has_bystanders(context, endpoints);
    let mut changes = Vec::new();
    // Asked once for each block around, not for each server in it.
    let mut single = HashMap::new();
    for block in places::deciding_blocks(site, endpoints) {
        if let Some(command) = option_list::deciding(site, ALWAYS, block) {
            changes.extend(command_off(command));
            continue;
        }
        let parent = places::outer(site, block);
        let around = parent.and_then(|parent| places::in_force(site, ALWAYS, parent, TICKETS));
        let own = places::own(site, ALWAYS, block, TICKETS).next_back();
        match (own, around) {
            (Some(own), _) => changes.extend(switched_off(own)),
            (None, Some(around)) if !is_on(around) => {}
            (None, Some(around))
                if !bystanders && !places::is_out_of_reach(context.policy, around, block) =>
            {
                changes.extend(switched_off(around));
            }
            (None, None) if !bystanders => {
                let is_single = parent.is_some_and(|parent| {
                    *single.entry(parent).or_insert_with(|| {
                        places::tls_blocks_in(site, parent, BlockKind::Server) == 1
                    })
                });
                let held = |id| {
                    let outer = places::block(site, id);
                    outer.is_some_and(|it| !places::is_editable(context.policy, &it.location))
                };
                let parent = parent.filter(|id| !held(*id));
                changes.extend(inserted(site, parent, block, is_single));
            }
            (None, _) => changes.extend(insert(site, block, &[TICKETS, "off"])),
        }
    }
    changes
}

const TICKETS: &str = directive(Server::Nginx);
/// nginx has no conditions.
const ALWAYS: &[String] = &[];

/// Servers whose tickets nobody objects to; what is written around them must stay.
fn has_bystanders(context: &Context<'_>, endpoints: &[usize]) -> bool {
    if context.policy.goal != Goal::Sound {
        return false;
    }
    let site = context.site;
    let chosen: HashSet<usize> = endpoints.iter().copied().collect();
    let chosen = chosen.iter().filter_map(|index| site.endpoints.get(*index));
    site.resuming_by_ticket() > chosen.filter(|it| it.resumes_by_ticket()).count()
}

/// The same at other addresses; at their own, all names lose their tickets together.
fn has_other_bystanders(context: &Context<'_>, endpoints: &[usize]) -> bool {
    let site = context.site;
    let governors: HashSet<BlockId> = chosen(site, endpoints).map(|one| one.governor).collect();
    let own = governors.iter().map(|id| site.resuming_by_ticket_in(*id));
    context.policy.goal == Goal::Sound && site.resuming_by_ticket() > own.sum::<usize>()
}

/// With one TLS server the line goes there, else around all of them.
fn inserted(site: &Site, parent: Option<BlockId>, block: BlockId, single: bool) -> Option<Change> {
    let speaks = places::block(site, block).is_some_and(|block| block.tls);
    let parent = parent.filter(|_| !(single && speaks));
    insert(site, parent.unwrap_or(block), &[TICKETS, "off"])
}

/// mod_ssl's options are only ever added, so a block that says `on` has to be edited and a
/// first virtual host that says nothing takes the new line for all names of its address.
fn apache(context: &Context<'_>, endpoints: &[usize]) -> Vec<Change> {
    let site = context.site;
    let policy = context.policy;
    let name = directive(Server::Apache);
    let mut changes = Vec::new();
    let mut silent: Vec<BlockId> = Vec::new();
    let mut seen: HashSet<BlockId> = HashSet::new();
    for endpoint in chosen(site, endpoints) {
        let says_on = said_in_apache(site, &endpoint.when, endpoint.block)
            .or_else(|| said_in_apache(site, &endpoint.when, endpoint.governor));
        let block = endpoint.governor;
        match says_on {
            // Off wins wherever it is said, so the first virtual host overrides the level
            // around it.
            Some(it) if it.name == name && places::is_out_of_reach(policy, it, block) => {
                changes.extend(insert(site, block, &[name, "off"]));
            }
            Some(setting) if setting.name == name => changes.extend(switched_off(setting)),
            Some(command) => changes.extend(command_off(command)),
            None if !seen.insert(endpoint.governor) => {}
            None => silent.push(endpoint.governor),
        }
    }
    let when = places::conditions(site, endpoints);
    let bystanders = has_other_bystanders(context, endpoints);
    changes.extend(apache_insertions(context, &when, &silent, bystanders));
    changes
}

/// What decides about tickets in a block of httpd: a conf command, which comes last, or the
/// directive. `None` where nothing is written.
fn said_in_apache<'a>(site: &'a Site, when: &'a [String], block: BlockId) -> Option<&'a Setting> {
    let command = option_list::deciding(site, when, block);
    command.or_else(|| places::in_force(site, when, block, directive(Server::Apache)))
}

fn apache_insertions(
    context: &Context<'_>,
    when: &[String],
    silent: &[BlockId],
    bystanders: bool,
) -> Vec<Change> {
    let site = context.site;
    let main = places::main_block(site).filter(|main| {
        let several = places::tls_blocks_in(site, *main, BlockKind::VirtualHost) > 1;
        several
            && !bystanders
            && !silent
                .iter()
                .any(|block| options_in(site, when, *block).is_some())
    });
    let file = main.and_then(|main| server_level_file(site, when, main));
    if let Some(file) = file.filter(|_| !silent.is_empty()) {
        let statement = apache_statement(context);
        return vec![Change::Insert {
            target: Target::File(file),
            statement,
        }];
    }
    silent
        .iter()
        .filter_map(|block| apache_insertion(context, when, *block))
        .collect()
}

/// The file in which mod_ssl's server-wide session directives stand. Elsewhere at the server
/// level a new line could come before the module is loaded.
fn server_level_file(site: &Site, when: &[String], main: BlockId) -> Option<Arc<Path>> {
    let names = ["SSLSessionCache", "SSLSessionCacheTimeout"];
    let beside = names
        .iter()
        .find_map(|name| places::own(site, when, main, name).next_back());
    beside.map(|setting| setting.location.path.clone())
}

fn apache_insertion(context: &Context<'_>, when: &[String], block: BlockId) -> Option<Change> {
    let site = context.site;
    let automatic = context.policy.apache_directive != ApacheDirective::SessionTickets;
    match options_in(site, when, block).filter(|_| automatic) {
        Some(options) => command_off(options),
        None => Some(Change::Insert {
            target: places::target(site, block)?,
            statement: apache_statement(context),
        }),
    }
}

/// The last `Options` command of a block.
fn options_in<'a>(site: &'a Site, when: &'a [String], block: BlockId) -> Option<&'a Setting> {
    let mut commands = places::own(site, when, block, option_list::directive(Server::Apache));
    commands.rfind(|command| option_list::is_options(command))
}

fn apache_statement(context: &Context<'_>) -> Vec<String> {
    let words: &[&str] = match context.policy.apache_directive {
        ApacheDirective::ConfCmd => &[
            option_list::directive(Server::Apache),
            "Options",
            "-SessionTicket",
        ],
        _ => &[directive(Server::Apache), "off"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn command_off(command: &Setting) -> Option<Change> {
    if option_list::says(command) == Some(false) {
        return None;
    }
    let arguments = option_list::turned_off(command)?;
    Some(Change::SetArguments {
        statement: command.location.clone(),
        arguments,
    })
}

fn switched_off(setting: &Setting) -> Option<Change> {
    let arguments = vec!["off".to_owned()];
    let change = Change::SetArguments {
        statement: setting.location.clone(),
        arguments,
    };
    is_on(setting).then_some(change)
}

/// True for a switch that is not off; both servers compare without case.
pub(super) fn is_on(setting: &Setting) -> bool {
    !setting
        .arguments
        .first()
        .is_some_and(|value| value.eq_ignore_ascii_case("off"))
}

fn insert(site: &Site, block: BlockId, words: &[&str]) -> Option<Change> {
    let statement = words.iter().map(|word| (*word).to_owned()).collect();
    Some(Change::Insert {
        target: places::target(site, block)?,
        statement,
    })
}
