//! Sessions that httpd writes to disk.
//!
//! ## What it finds
//! `SSLSessionCache dbm:...` outside of the folders that are usually kept in memory (`/run`,
//! `/var/run`, `/dev/shm`); on the server itself, outside of file systems that are.
//!
//! ## Why
//! A session holds the secrets of its connections. On a disk they outlive the server, get into
//! backups and snapshots, and open what was recorded.
//!
//! ## Example
//! ```apache
//! Listen 443
//! SSLSessionCache dbm:/var/cache/httpd/ssl_scache
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
//! No fix: another store needs its module loaded.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncache>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_socache_dbm.html>

use super::store;
use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Setting, Site, Storage};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, places};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "session-cache-on-disk",
    severity: Severity::Note,
    servers: &[Server::Apache],
    summary: "sessions that httpd writes to disk",
    source: include_str!("session_cache_on_disk.rs"),
    check,
};

/// Folders that systems keep in memory.
const IN_MEMORY: [&str; 3] = ["/run/", "/var/run/", "/dev/shm/"];

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let Some((setting, endpoints)) = store::in_force(site) else {
        return Vec::new();
    };
    let Some(path) = store::path(setting).filter(|_| on_disk(site, setting)) else {
        return Vec::new();
    };
    let words = Words {
        location: setting.location.clone(),
        message: format!("sessions are written to disk, below `{path}`"),
        label: "a file".to_owned(),
        help: &["`shmcb:` keeps sessions in memory; or let the file lie below `/run`"],
    };
    let mut found = finding(site, &RULE, &endpoints, words);
    found.when = setting.when.clone();
    found.confidence = places::confidence(&setting.when);
    vec![found]
}

fn on_disk(site: &Site, setting: &Setting) -> bool {
    let Some(value) = setting.arguments.first() else {
        return false;
    };
    if !store::kind(value).eq_ignore_ascii_case("dbm") {
        return false;
    }
    if let Some(storage) = site.facts.of(value).and_then(|facts| facts.storage) {
        return storage == Storage::Disk;
    }
    let path = store::path(setting).unwrap_or_default();
    !IN_MEMORY.iter().any(|folder| path.starts_with(folder))
}
