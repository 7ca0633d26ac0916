//! nginx: values that no version takes, and directives given twice.
//!
//! What `ngx_conf_set_flag_slot` and its kin refuse, by the catalog's kinds. Directives that
//! the catalog does not have pass, and so does what only a version, a file or another block
//! can tell: that is the model's.

use crate::catalog::{self, Directive, Duplicate, Kind};
use crate::syntax::value::{ValueError, nginx};

/// Why nginx would refuse one more of a directive in its block, in its own words.
pub(super) fn repetition(spec: &Directive, seen: bool) -> Option<String> {
    let once = seen && spec.duplicate == Duplicate::Error;
    once.then(|| format!("\"{}\" directive is duplicate", spec.name))
}

/// Why nginx would refuse the arguments, in its own words.
pub(super) fn objection<'a>(
    spec: &Directive,
    arguments: impl Iterator<Item = &'a [u8]> + Clone,
) -> Option<String> {
    let mut numbered = arguments.clone().enumerate();
    let found = numbered.find_map(|(index, value)| one(spec, spec.kind(index), value));
    match spec.kind(0) {
        Kind::Address => found.or_else(|| address(arguments)),
        _ => found,
    }
}

/// One argument.
fn one(spec: &Directive, kind: Kind, value: &[u8]) -> Option<String> {
    let name = spec.name;
    let shown = || String::from_utf8_lossy(value);
    match kind {
        Kind::Flag if nginx::flag(value).is_err() => Some(format!(
            "invalid value \"{}\" in \"{name}\" directive, it must be \"on\" or \"off\"",
            shown()
        )),
        Kind::Enum if !is_word(spec, value) => Some(match name {
            "listen" => format!("invalid parameter \"{}\"", shown()),
            _ => format!("invalid value \"{}\"", shown()),
        }),
        Kind::Protocols if nginx::protocols([value]).is_err() => {
            Some(format!("invalid value \"{}\"", shown()))
        }
        Kind::Seconds if nginx::seconds(value).is_err() => Some(invalid(name, "value")),
        Kind::Milliseconds if nginx::milliseconds(value).is_err() => Some(invalid(name, "value")),
        Kind::Size if nginx::size(value).is_err() => Some(invalid(name, "value")),
        Kind::Number if nginx::number(value).is_err() => Some(invalid(name, "number")),
        Kind::NginxCache => cache(value, &shown()),
        _ => None,
    }
}

fn invalid(name: &str, what: &str) -> String {
    format!("\"{name}\" directive invalid {what}")
}

/// nginx compares enumerations without regard to case, parameters of `listen` with it.
fn is_word(spec: &Directive, value: &[u8]) -> bool {
    let exact = spec.name == "listen";
    spec.values.iter().any(|word| match word.strip_suffix('=') {
        Some(_) => value.starts_with(word.as_bytes()),
        None if exact => value == word.as_bytes(),
        None => value.eq_ignore_ascii_case(word.as_bytes()),
    })
}

fn cache(value: &[u8], shown: &str) -> Option<String> {
    match nginx::session_cache(value) {
        Ok(_) => None,
        Err(ValueError::SmallSessionCache) => {
            Some(format!("session cache \"{shown}\" is too small"))
        }
        Err(_) => Some(format!("invalid session cache \"{shown}\"")),
    }
}

/// The address of `listen`; its parameters were looked at word by word.
fn address<'a>(mut arguments: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let written = arguments.next()?;
    let why = nginx::listen(written, []).err()?;
    let shown = String::from_utf8_lossy(written);
    Some(format!("{why} in \"{shown}\" of the \"listen\" directive"))
}

/// True for directives whose kinds and rules are nginx's own in every context that has them.
pub(super) fn is_checked(spec: &Directive) -> bool {
    spec.server == catalog::Server::Nginx && spec.body == catalog::Body::None
}
