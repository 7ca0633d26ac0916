//! httpd: values that it refuses while it carries a directive out.
//!
//! The parsers of the values' own grammar decide; here are httpd's words. What only the
//! server's machine can tell (files, the library's protocols) passes.

use crate::catalog::{self, Arity, Kind};
use crate::syntax::value::{ValueError, apache};

/// Why httpd refuses a directive's words.
pub(super) fn objection(spec: &catalog::Directive, words: &[&[u8]]) -> Option<String> {
    if spec.arity == Arity::Flag {
        let on_or_off = words.first().is_some_and(|word| apache::flag(word).is_ok());
        return (!on_or_off).then(|| format!("{} must be On or Off", spec.name));
    }
    match spec.name {
        "Listen" => return listen(words),
        "ServerName" => return server_name(words.first()?),
        "VirtualHost" => return addresses(words),
        _ => {}
    }
    let word = *words.first()?;
    match spec.kind(0) {
        Kind::Enum if spec.arity != Arity::Raw => choice(spec, word),
        Kind::AtoiSeconds => {
            let error = apache::timeout(word).err()?;
            Some(format!("{}: {}", spec.name, capital(&said(error))))
        }
        Kind::Socache => {
            let error = apache::session_cache(word).err()?;
            Some(format!("{}: {}", spec.name, capital(&said(error))))
        }
        Kind::Protocols if spec.module == "mod_ssl" => protocols(spec, words),
        _ => None,
    }
}

fn choice(spec: &catalog::Directive, word: &[u8]) -> Option<String> {
    let is = |value: &&str| value.as_bytes().eq_ignore_ascii_case(word);
    if spec.values.iter().any(is) {
        return None;
    }
    let shown = String::from_utf8_lossy(word);
    Some(match spec.name {
        "SSLEngine" => "Argument must be On or Off".to_owned(),
        "SSLVHostSNIPolicy" => format!("Invalid SSLVhostSNIPolicy argument '{shown}'"),
        name => format!("{name}: Invalid argument '{shown}'"),
    })
}

fn protocols(spec: &catalog::Directive, words: &[&[u8]]) -> Option<String> {
    let wrong = words.iter().find_map(|word| {
        let error = apache::protocols([*word]).err()?;
        Some((word, error))
    });
    let (word, error) = wrong?;
    let name = word.strip_prefix(b"+").or(word.strip_prefix(b"-"));
    let name = String::from_utf8_lossy(name.unwrap_or(word));
    Some(match error {
        ValueError::Sslv2 => format!("{}: SSLv2 is no longer supported", spec.name),
        _ => format!("{}: Illegal protocol '{name}'", spec.name),
    })
}

fn listen(words: &[&[u8]]) -> Option<String> {
    let [address, ..] = words else {
        return Some("Listen requires 1 or 2 arguments.".to_owned());
    };
    if words.len() > 2 {
        return Some("Listen requires 1 or 2 arguments.".to_owned());
    }
    match apache::listen(address).err()? {
        ValueError::NoPort => Some("Port must be specified".to_owned()),
        _ => Some("Invalid address or port".to_owned()),
    }
}

fn addresses(words: &[&[u8]]) -> Option<String> {
    if words.is_empty() {
        return Some("<VirtualHost> directive requires additional arguments".to_owned());
    }
    let error = words
        .iter()
        .find_map(|word| apache::virtual_host(word).err())?;
    match error {
        ValueError::NoAddress => Some("Missing address for VirtualHost".to_owned()),
        _ => Some("The address or port is invalid".to_owned()),
    }
}

fn server_name(word: &[u8]) -> Option<String> {
    let shown = String::from_utf8_lossy(word);
    if word.iter().any(|byte| b"*?[".contains(byte)) && !word.starts_with(b"[") {
        return Some(format!(
            "Invalid ServerName \"{shown}\" use ServerAlias to set multiple server names."
        ));
    }
    None
}

fn said(error: ValueError) -> String {
    match error {
        ValueError::Invalid => "invalid argument".to_owned(),
        error => error.to_string(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
