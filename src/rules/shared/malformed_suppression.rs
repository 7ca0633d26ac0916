//! A comment for stekguard that it cannot follow.
//!
//! ## What it finds
//! A comment that begins with `stekguard:` and is not of the form
//! `# stekguard: ignore[RULE] REASON` or `# stekguard: context BLOCKS`, lacks the reason or names
//! a rule that does not exist. In httpd also one behind a directive on the same line, as an
//! error: httpd knows no such comments and takes the words for arguments. Most directives then
//! keep it from starting; those that are on or off drop them in silence.
//!
//! ## Why
//! Whoever wrote the comment believes that something is accepted. It is not, and the findings it
//! was meant for are reported. Without a reason nobody can tell later whether it still holds.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     # stekguard: ignore[tickets-without-rotation]
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Use instead
//! ```nginx
//! # stekguard: context http
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! There is no fix: only its author knows what was meant. The finding cannot be suppressed.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/configuring.html#syntax>

use crate::catalog::Server;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::{Remark, Said};
use crate::rules::{Context, Rule, by_name};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "malformed-suppression",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a comment for stekguard that it cannot follow",
    source: include_str!("malformed_suppression.rs"),
    check,
};

/// Where the forms are.
const CONTEXTS: &str = "`stekguard explain malformed-suppression` has the forms";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let remarks = context.site.remarks.iter();
    remarks.flat_map(faults).collect()
}

fn faults(remark: &Remark) -> Vec<Finding> {
    let fault = |severity, message: String, help: &str| {
        finding(&remark.location, severity, message, help.to_owned())
    };
    if remark.argument {
        let message = "httpd knows no comments behind a directive: these words are its arguments";
        let help = "put the comment on the line before";
        return vec![fault(Severity::Error, message.to_owned(), help)];
    }
    match &remark.said {
        Said::Malformed(why) => {
            let message = format!("this comment suppresses nothing: {why}");
            vec![fault(RULE.severity, message, CONTEXTS)]
        }
        Said::Context(_) => {
            let why = remark.context_fault().into_iter();
            why.map(|why| {
                let message = format!("this comment names no context: {why}");
                fault(RULE.severity, message, CONTEXTS)
            })
            .collect()
        }
        Said::Ignore { rules, .. } => {
            let unknown = rules.iter().filter(|name| by_name(name).is_none());
            unknown
                .map(|name| {
                    let message = format!("this comment names `{name}`, which is no rule");
                    fault(RULE.severity, message, &near(name))
                })
                .collect()
        }
    }
}

fn near(name: &str) -> String {
    let known = crate::rules::all().iter().map(|rule| rule.name);
    match crate::policy::settings::close(name, known).as_slice() {
        [] => "`stekguard rules` lists the names".to_owned(),
        near => format!("did you mean `{}`?", near.join("` or `")),
    }
}

fn finding(location: &Location, severity: Severity, message: String, help: String) -> Finding {
    Finding {
        rule: RULE.name,
        severity,
        confidence: Confidence::High,
        message,
        location: location.clone(),
        label: String::new(),
        related: Vec::new(),
        endpoints: Vec::new(),
        help: vec![help],
        versions: Default::default(),
        when: Vec::new(),
        fix: None,
    }
}
