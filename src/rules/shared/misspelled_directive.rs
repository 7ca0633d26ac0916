//! A directive whose name nothing has, and that is nearly one that matters here.
//!
//! ## What it finds
//! Names that are one letter away from a directive about TLS, sessions or the structure of a
//! configuration (two in names of sixteen letters and more), and that are no directive themselves:
//! `ssl_sesion_tickets`, `htpp`, `SSLSesionCache`. In nginx also such a name in capitals.
//! stekguard does not know the directives of all modules, so a name that is near to nothing is
//! taken for another module's and passes.
//!
//! ## Why
//! The server refuses to start, and says so only when somebody tests or reloads it. Until then
//! the line is believed to be in force, and what it should decide is left to a default. Of a
//! misspelled block nothing inside counts: with `htpp` there is no address left to judge.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_sesion_cache shared:tls:1m;
//!     ssl_session_timeout 1h;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionTickets off
//! SSLSessionCacheTimeout 300
//! SSLSesionCache shmcb:/run/cache
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:tls:1m;
//!     ssl_session_timeout 1h;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionTickets off
//! SSLSessionCacheTimeout 300
//! SSLSessionCache shmcb:/run/cache
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! There is no fix: what was meant is a guess. A module that does define the name is
//! acknowledged by a comment: `# stekguard: ignore[misspelled-directive] REASON`.
//!
//! ## References
//! * <https://nginx.org/en/docs/dirindex.html>
//! * <https://httpd.apache.org/docs/2.4/mod/directives.html>

use crate::catalog::Server;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Stranger;
use crate::rules::{Context, Rule};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "misspelled-directive",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a directive whose name nothing has, and that is nearly one that matters",
    source: include_str!("misspelled_directive.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.site.strangers.iter().map(finding).collect()
}

fn finding(stranger: &Stranger) -> Finding {
    let Stranger { name, meant, .. } = stranger;
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        // A module that nobody knows may have it.
        confidence: Confidence::Medium,
        message: format!("`{name}` looks like a misspelled `{meant}`"),
        location: stranger.location.clone(),
        label: "the server does not start, unless one of its modules has this name".to_owned(),
        related: Vec::new(),
        endpoints: Vec::new(),
        help: vec![format!("write `{meant}`, if that is what is meant")],
        versions: Default::default(),
        when: stranger.when.clone(),
        fix: None,
    }
}
