//! The value of OpenSSL's `Options` command, as `ssl_conf_command` and `SSLOpenSSLConfCmd`
//! take it: what it says about tickets, which one is in force in a block, and the same list with
//! tickets off. Must not judge.

use super::places;
use crate::catalog::Server;
use crate::model::{BlockId, Setting, Site};

/// The directives that hand over a command, nginx's and httpd's.
const COMMANDS: [&str; 2] = ["ssl_conf_command", "SSLOpenSSLConfCmd"];

/// The server's directive that hands over a command.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => COMMANDS[0],
        Server::Apache => COMMANDS[1],
    }
}

const TICKET: &str = "SessionTicket";

/// Whether tickets are on after this setting; `None` where it says nothing about them.
pub(super) fn says(setting: &Setting) -> Option<bool> {
    let [command, list, ..] = setting.arguments.as_slice() else {
        return None;
    };
    if !COMMANDS.contains(&setting.name) || !command.eq_ignore_ascii_case("Options") {
        return None;
    }
    list.split(',').filter_map(sign).next_back()
}

/// The command that settles tickets in a block, because it is applied last.
pub(super) fn deciding<'a>(
    site: &'a Site,
    when: &'a [String],
    block: BlockId,
) -> Option<&'a Setting> {
    let name = directive(site.server);
    let last = |block| places::own(site, when, block, name).rfind(|one| says(one).is_some());
    let has_own = places::own(site, when, block, name).next().is_some();
    match site.server {
        // A block of nginx with any command of its own does not take over those around it.
        Server::Nginx if has_own => last(block),
        Server::Nginx => last(places::outer(site, block)?),
        Server::Apache => last(block).or_else(|| last(places::outer(site, block)?)),
    }
}

/// True for an `Options` command, whatever it lists.
pub(super) fn is_options(setting: &Setting) -> bool {
    let command = setting.arguments.first();
    COMMANDS.contains(&setting.name)
        && command.is_some_and(|command| command.eq_ignore_ascii_case("Options"))
}

/// The setting's arguments with tickets off and everything else as it was.
pub(super) fn turned_off(setting: &Setting) -> Option<Vec<String>> {
    turned(setting, &format!("-{TICKET}"))
}

/// The setting's arguments with tickets on and everything else as it was.
pub(super) fn turned_on(setting: &Setting) -> Option<Vec<String>> {
    turned(setting, TICKET)
}

fn turned(setting: &Setting, wanted: &str) -> Option<Vec<String>> {
    let [command, list, ..] = setting.arguments.as_slice() else {
        return None;
    };
    let mut items: Vec<&str> = Vec::new();
    for item in list.split(',') {
        match sign(item) {
            None => items.push(item),
            Some(_) if items.contains(&wanted) => {}
            Some(_) => items.push(wanted),
        }
    }
    if !items.contains(&wanted) {
        items.push(wanted);
    }
    Some(vec![command.clone(), items.join(",")])
}

fn sign(item: &str) -> Option<bool> {
    let item = item.trim();
    let (on, name) = match item.strip_prefix('-') {
        Some(name) => (false, name),
        None => (true, item.strip_prefix('+').unwrap_or(item)),
    };
    name.eq_ignore_ascii_case(TICKET).then_some(on)
}
