//! The value of OpenSSL's `Options` command, as `ssl_conf_command` and `SSLOpenSSLConfCmd`
//! take it: what it says about tickets, and the same list with tickets off. Knows no server.

use crate::model::Setting;

/// The conf commands of both servers.
pub(super) const COMMANDS: [&str; 2] = ["ssl_conf_command", "SSLOpenSSLConfCmd"];

const TICKET: &str = "SessionTicket";

/// Whether tickets are on after this setting; `None` where it says nothing about them.
pub(super) fn says(setting: &Setting) -> Option<bool> {
    let [command, list, ..] = setting.arguments.as_slice() else {
        return None;
    };
    if !COMMANDS.contains(&setting.name) || !command.eq_ignore_ascii_case("Options") {
        return None;
    }
    list.split(',').filter_map(sign).last()
}

/// True for an `Options` command, whatever it lists.
pub(super) fn is_options(setting: &Setting) -> bool {
    let command = setting.arguments.first();
    COMMANDS.contains(&setting.name)
        && command.is_some_and(|command| command.eq_ignore_ascii_case("Options"))
}

/// The setting's arguments with tickets off and everything else as it was.
pub(super) fn turned_off(setting: &Setting) -> Option<Vec<String>> {
    let [command, list, ..] = setting.arguments.as_slice() else {
        return None;
    };
    let off = format!("-{TICKET}");
    let mut items: Vec<&str> = Vec::new();
    for item in list.split(',') {
        match sign(item) {
            None => items.push(item),
            Some(_) if items.contains(&off.as_str()) => {}
            Some(_) => items.push(&off),
        }
    }
    if !items.contains(&off.as_str()) {
        items.push(&off);
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
