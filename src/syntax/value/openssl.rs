//! Values of OpenSSL's configuration commands (`SSL_CONF_cmd`), which both servers pass on:
//! nginx's `ssl_conf_command`, httpd's `SSLOpenSSLConfCmd`.
//!
//! Source: OpenSSL `ssl/ssl_conf.c` (cmd_Options, cmd_NumTickets) and `crypto/conf/conf_mod.c`
//! (CONF_parse_list). Must not know the names of all options: that is data.

use super::number::is_c_space;
use super::{ValueError, c_atoi, c_string};

/// One element of an `Options` value.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct OptionWord<'text> {
    /// False behind `-`; `+` and no sign are the same.
    pub on: bool,
    /// The name without its sign, as written.
    pub name: &'text [u8],
}

impl OptionWord<'_> {
    /// Names compare without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// True when a command's name is `command`: in files, names compare without regard to case.
pub fn is_command(name: &[u8], command: &str) -> bool {
    c_string(name).eq_ignore_ascii_case(command.as_bytes())
}

/// The elements of an `Options` value: separated by commas, white space around an element
/// ignored, none between sign and name.
///
/// # Errors
/// [`ValueError::ConfCommand`] for an empty element. Names are not checked here.
pub fn options(value: &[u8]) -> Result<Vec<OptionWord<'_>>, ValueError> {
    c_string(value)
        .split(|byte| *byte == b',')
        .map(|element| option(trim(element)))
        .collect()
}

/// What an `Options` value says about session tickets: its last word on them, if any.
///
/// # Errors
/// As [`options`].
pub fn session_ticket(value: &[u8]) -> Result<Option<bool>, ValueError> {
    let words = options(value)?;
    Ok(words
        .iter()
        .rev()
        .find(|word| word.is("SessionTicket"))
        .map(|word| word.on))
}

/// The value of `NumTickets`, read by C's `atoi`: `abc` is 0.
///
/// # Errors
/// [`ValueError::ConfCommand`] below zero.
pub fn num_tickets(value: &[u8]) -> Result<u32, ValueError> {
    u32::try_from(c_atoi(value)).map_err(|_| ValueError::ConfCommand)
}

fn option(element: &[u8]) -> Result<OptionWord<'_>, ValueError> {
    match element {
        [] => Err(ValueError::ConfCommand),
        [b'-', name @ ..] => Ok(OptionWord { on: false, name }),
        [b'+', name @ ..] => Ok(OptionWord { on: true, name }),
        name => Ok(OptionWord { on: true, name }),
    }
}

fn trim(mut element: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = element
        && is_c_space(*first)
    {
        element = rest;
    }
    while let [rest @ .., last] = element
        && is_c_space(*last)
    {
        element = rest;
    }
    element
}
