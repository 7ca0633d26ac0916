//! A session ticket key that others can have, or guess.
//!
//! ## What it finds
//! Files of `ssl_session_ticket_key` and `SSLSessionTicketKeyFile` in force that
//! * every user of the machine may read;
//! * lie in a folder under version control, or below one that the server hands out;
//! * are all zero, repeat a few bytes or count up;
//! * have a length with which the server does not start.
//!
//! A warning where the only objection is that the file holds text: typed or hexadecimal, it has
//! fewer bits than its length says. Nothing where the file is not there to be looked at. The
//! key's bytes are not kept, compared or shown.
//!
//! ## Why
//! The key opens every recorded connection whose ticket it encrypted, and makes sessions that
//! the server takes for its own, client certificates included. Servers do not look: nginx starts
//! with a key file of zeros that all the world may read. Such keys were found in the wild
//! (Hebrok et al., USENIX Security 2023).
//!
//! ## Example
//! ```nginx
//! # file: /keys/current.key size=80 bytes=zero mode=0644 age=1h
//! # file: /keys/previous.key size=80 mode=0600 age=9h
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!         ssl_session_timeout 1h;
//!         ssl_session_ticket_key /keys/current.key;
//!         ssl_session_ticket_key /keys/previous.key;
//!     }
//! }
//! ```
//!
//! ## Use instead
//! `openssl rand 80 > current.key`, mode 0600, in a folder of its own, best on a file system in
//! memory.
//! ```nginx
//! # file: /keys/current.key size=80 mode=0600 age=1h
//! # file: /keys/previous.key size=80 mode=0600 age=9h
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!         ssl_session_timeout 1h;
//!         ssl_session_ticket_key /keys/current.key;
//!         ssl_session_ticket_key /keys/previous.key;
//!     }
//! }
//! ```
//!
//! ## Fix safety
//! No fix: the file has to be made anew, and whoever had the old one still has it.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessionticketkeyfile>
//! * <https://www.usenix.org/conference/usenixsecurity23/presentation/hebrok>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Entropy, FileFacts, Setting};
use crate::rules::places::Causes;
use crate::rules::wording::{Words, graded};
use crate::rules::{Context, Rule, key_files};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "ticket-key-file-unsafe",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a session ticket key that others can have or guess",
    source: include_str!("ticket_key_file_unsafe.rs"),
    check,
};

/// Lengths that nginx takes; httpd needs the first and ignores what follows.
const LENGTHS: [u64; 2] = [48, 80];

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut causes: Causes<(Location, String)> = Causes::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        if !endpoint.reachable {
            continue;
        }
        for key in key_files::in_force(site, endpoint) {
            let name = key_name(key);
            causes.join((key.location.clone(), name), index);
        }
    }
    let found = causes.found().iter();
    found
        .filter_map(|cause| {
            let (location, name) = &cause.key;
            let facts = site.facts.of(name)?;
            let (severity, faults) = faults(facts, site.server)?;
            let words = Words {
                location: location.clone(),
                message: format!("the session ticket key `{name}` {}", faults.join(" and ")),
                label: "whoever has this key opens and makes sessions".to_owned(),
                help: HELP,
            };
            Some(graded(site, &RULE, severity, &cause.endpoints, words))
        })
        .collect()
}

fn key_name(key: &Setting) -> String {
    key.arguments.join(" ")
}

const HELP: &[&str] = &[
    "make a new key with `openssl rand 80`, owned by root with mode 0600, outside of what is \
     served, shared or versioned",
    "the old key stays known: replace it everywhere and do not keep it for decryption",
];

/// What is wrong with it, the worst first, and how bad that is.
fn faults(facts: &FileFacts, server: Server) -> Option<(Severity, Vec<String>)> {
    let mut faults = Vec::new();
    let size = facts.size?;
    let fits = match server {
        Server::Nginx => LENGTHS.contains(&size),
        Server::Apache => size >= LENGTHS[0],
    };
    match (fits, facts.entropy) {
        (false, _) => faults.push(format!(
            "is {size} bytes long, with which the server does not start"
        )),
        (true, Some(Entropy::Zero)) => faults.push("is all zero".to_owned()),
        (true, Some(Entropy::Low)) => faults.push("is not random".to_owned()),
        _ => {}
    }
    if let Some(folder) = &facts.served_from {
        let folder = folder.display();
        faults.push(format!("lies below `{folder}`, which the server hands out"));
    }
    // Version control keeps no modes: those of a checkout say nothing about the server.
    if facts.versioned {
        faults.push("lies in a folder under version control".to_owned());
    } else if facts.is_readable_by_others() {
        faults.push("can be read by every user of the machine".to_owned());
    }
    if !faults.is_empty() {
        return Some((Severity::Error, faults));
    }
    let text = facts.entropy == Some(Entropy::Text);
    text.then(|| {
        (
            Severity::Warning,
            vec!["is text, not random bytes".to_owned()],
        )
    })
}
