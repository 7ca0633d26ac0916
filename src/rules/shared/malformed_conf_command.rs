//! A command to the TLS library that it does not take.
//!
//! ## What it finds
//! `ssl_conf_command` and `SSLOpenSSLConfCmd` with other than two arguments, with a command that
//! OpenSSL does not know, with an `Options` list that has an empty or unknown element, or with
//! a negative `NumTickets`.
//!
//! ## Why
//! nginx and a wrong number of arguments in httpd are refused by the syntax check; the server
//! does not start. Worse is an unknown option in httpd: `apachectl configtest` says "Syntax OK",
//! and the next graceful restart ends the running server.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_conf_command Options -SessionTickets;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLOpenSSLConfCmd -SessionTicket
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_conf_command Options -SessionTicket;
//! }
//! ```
//! ```apache
//! Listen 443
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLOpenSSLConfCmd Options -SessionTicket
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe where the only fault is that `Options` is missing before a list of known options: the
//! server did not start with the line, so nothing depends on it. Else no fix.
//!
//! ## References
//! * <https://docs.openssl.org/3.0/man3/SSL_CONF_cmd/>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslopensslconfcmd>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_conf_command>

use std::sync::Arc;

use crate::catalog::{self, Server};
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{Setting, Site};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, option_list, places};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "malformed-conf-command",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a command to the TLS library that it does not take",
    source: include_str!("malformed_conf_command.rs"),
    check,
};

const OPTIONS: &str = "Options";

/// What is wrong with a command.
#[derive(Clone, Eq, PartialEq, Debug)]
enum Fault {
    /// Not two arguments.
    Count,
    /// A command that OpenSSL does not have.
    Command(String),
    /// An element of the list that OpenSSL does not have.
    Option(String),
    /// An empty element.
    Empty,
    /// A number below zero.
    Number(String),
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let name = option_list::directive(site.server);
    let mut found: Vec<Finding> = Vec::new();
    for setting in places::named(site, name) {
        let Some(fault) = fault(setting) else {
            continue;
        };
        let reported = report(site, setting, &fault);
        // A file that is included twice has its line once.
        if found.last().map(|last| &last.location) != Some(&reported.location) {
            found.push(reported);
        }
    }
    found
}

fn fault(setting: &Setting) -> Option<Fault> {
    let [command, value] = setting.arguments.as_slice() else {
        return Some(Fault::Count);
    };
    let Some(known) = catalog::command(command.as_bytes()) else {
        return Some(Fault::Command(command.clone()));
    };
    if known.name == "NumTickets" && value.trim_start().starts_with('-') {
        return Some(Fault::Number(value.clone()));
    }
    if known.name != OPTIONS {
        return None;
    }
    value
        .split(',')
        .find_map(|item| unknown(item, known.values))
}

fn unknown(item: &str, values: &[&str]) -> Option<Fault> {
    let item = item.trim();
    if item.is_empty() {
        return Some(Fault::Empty);
    }
    let name = item.strip_prefix(['+', '-']).unwrap_or(item);
    let known = values.iter().any(|value| value.eq_ignore_ascii_case(name));
    (!known).then(|| Fault::Option(name.to_owned()))
}

fn report(site: &Site, setting: &Setting, fault: &Fault) -> Finding {
    let directive = setting.name;
    let what = match fault {
        Fault::Count => format!("`{directive}` takes a command and its value"),
        Fault::Command(name) => format!("OpenSSL has no command `{name}`"),
        Fault::Option(name) => format!("OpenSSL has no option `{name}`"),
        Fault::Empty => "an element of the list of options is empty".to_owned(),
        Fault::Number(value) => format!("`NumTickets {value}` is below zero"),
    };
    let refused = matches!(fault, Fault::Count | Fault::Command(_));
    let consequence = match (site.server, refused) {
        (Server::Nginx, _) | (_, true) => "the server does not start with it",
        (Server::Apache, false) => {
            "the syntax check passes, and the next restart or reload ends the server"
        }
    };
    let words = Words {
        location: setting.location.clone(),
        message: format!("{what}: {consequence}"),
        label: "not taken".to_owned(),
        help: &["tickets are turned off by the command `Options` with the value `-SessionTicket`"],
    };
    let mut found = finding(site, &RULE, &[], words);
    found.when = setting.when.clone();
    found.confidence = places::confidence(&setting.when);
    found.fix = fix(setting, fault);
    found
}

/// Puts the forgotten word in.
fn fix(setting: &Setting, fault: &Fault) -> Option<Fix> {
    let [list] = setting.arguments.as_slice() else {
        return None;
    };
    let values = catalog::command(OPTIONS.as_bytes())?.values;
    let complete = list.split(',').all(|item| unknown(item, values).is_none());
    if *fault != Fault::Count || !complete {
        return None;
    }
    Some(Fix {
        title: "name the command".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change::SetArguments {
            statement: setting.location.clone(),
            arguments: vec![OPTIONS.to_owned(), list.clone()],
        }],
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}
