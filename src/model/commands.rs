//! What conf commands (`ssl_conf_command`, `SSLOpenSSLConfCmd`) say about tickets. Both servers
//! apply them last, in order, so both ask here. Knows no server.

use std::borrow::Cow;

use super::state::Value;
use crate::syntax::value::openssl;

/// A command's name and its value.
pub(in crate::model) type Command = (String, String);

/// The ticket flag once the commands were applied to it.
pub(in crate::model) fn tickets_after<'a>(
    flag: &'a Value<bool>,
    commands: &[Value<Command>],
) -> Cow<'a, Value<bool>> {
    let mut tickets = Cow::Borrowed(flag);
    for command in commands {
        let (name, list) = &command.value;
        if !openssl::is_command(name.as_bytes(), "Options") {
            continue;
        }
        // A list that OpenSSL refuses keeps the server from starting: nothing to apply.
        let Ok(Some(value)) = openssl::session_ticket(list.as_bytes()) else {
            continue;
        };
        tickets = Cow::Owned(Value {
            value,
            text: command.text.clone(),
            by: command.by,
        });
    }
    tickets
}

/// `NumTickets`, where a command gives it.
pub(in crate::model) fn ticket_count(commands: &[Value<Command>]) -> Option<Value<u32>> {
    let is_count =
        |command: &&Value<Command>| openssl::is_command(command.value.0.as_bytes(), "NumTickets");
    let command = commands.iter().rfind(is_count)?;
    let value = openssl::num_tickets(command.value.1.as_bytes()).ok()?;
    Some(Value {
        value,
        text: command.text.clone(),
        by: command.by,
    })
}
