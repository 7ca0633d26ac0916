//! A session store in a folder where every user may make files.
//!
//! ## What it finds
//! `SSLSessionCache shmcb:` or `dbm:` with a path below `/tmp`, `/var/tmp` or `/dev/shm`, or in
//! a folder that is known to be writable by everybody.
//!
//! ## Why
//! The name is known beforehand, so that another user can put a file or a link there first: the
//! server then does not start, or writes where it should not.
//!
//! ## Example
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/tmp/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/httpd/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! No fix: the folder has to exist and to belong to the server.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncache>
//! * <https://cwe.mitre.org/data/definitions/377.html>

use super::store;
use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Setting, Site};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, places};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "predictable-cache-path",
    severity: Severity::Note,
    servers: &[Server::Apache],
    summary: "a session store in a folder where every user may make files",
    source: include_str!("predictable_cache_path.rs"),
    check,
};

/// Folders that everybody may write to.
const OPEN: [&str; 3] = ["/tmp/", "/var/tmp/", "/dev/shm/"];

/// Stores that are files.
const FILES: [&str; 2] = ["shmcb", "dbm"];

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let Some((setting, endpoints)) = store::in_force(site) else {
        return Vec::new();
    };
    let Some(path) = store::path(setting).filter(|path| is_open(site, setting, path)) else {
        return Vec::new();
    };
    let words = Words {
        location: setting.location.clone(),
        message: format!("`{path}` lies in a folder where every user may make files"),
        label: "a name that can be taken beforehand".to_owned(),
        help: &["a folder that only the server writes to, such as `/run/httpd`"],
    };
    let mut found = finding(site, &RULE, &endpoints, words);
    found.when = setting.when.clone();
    found.confidence = places::confidence(&setting.when);
    vec![found]
}

fn is_open(site: &Site, setting: &Setting, path: &str) -> bool {
    let Some(value) = setting.arguments.first() else {
        return false;
    };
    let kind = store::kind(value);
    if !FILES.iter().any(|file| kind.eq_ignore_ascii_case(file)) {
        return false;
    }
    let mode = site.facts.of(value).and_then(|facts| facts.mode);
    let by_mode = mode.is_some_and(|mode| mode & 0o002 != 0);
    // What lies deeper may belong to the server.
    let direct = |folder: &&str| {
        let rest = path.strip_prefix(*folder);
        rest.is_some_and(|rest| !rest.contains('/'))
    };
    by_mode || OPEN.iter().any(direct)
}
