//! The rules: each one file, which opens with its own page and ends in a pure function.
//!
//! A rule reads the [`Site`] and the policy and says what is wrong, where it is decided and
//! which statements to change. It must not walk text for inherited values, read files, know
//! the time or call another rule.

mod advisories;
mod apache;
mod goal;
mod key_files;
mod nginx;
mod option_list;
mod places;
mod rotation;
mod seconds;
mod sessions_off;
mod shared;
mod tickets_off;
mod tickets_on;
mod trust;
mod wording;
mod zone;

use crate::catalog::{Server, in_parts};
use crate::finding::{self, Finding, Severity};
use crate::model::Site;
use crate::policy::Policy;

pub use goal::{meets, obstacle};

/// The rule that says where tickets are not under the keys that a policy asks for.
pub const KEYS_RULE: &str = shared::ticket_keys_against_policy::RULE.name;

/// What a rule may look at.
#[derive(Copy, Clone, Debug)]
pub struct Context<'a> {
    /// The configuration as the server understands it.
    pub site: &'a Site,
    /// What is wanted.
    pub policy: &'a Policy,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, after the bad pattern.
    pub name: &'static str,
    /// The grade of most of its findings; a finding can be graded otherwise.
    pub severity: Severity,
    /// Whose configurations it reads.
    pub servers: &'static [Server],
    /// One line for lists.
    pub summary: &'static str,
    /// The text of its source file, which opens with its page.
    pub source: &'static str,
    /// Finds.
    pub check: fn(&Context<'_>) -> Vec<Finding>,
}

impl Rule {
    /// The rule's page as Markdown: the `//!` lines that its file opens with.
    pub fn page(&self) -> String {
        let mut page = String::new();
        for line in self.source.lines() {
            let Some(text) = line.strip_prefix("//!") else {
                break;
            };
            page.push_str(text.strip_prefix(' ').unwrap_or(text));
            page.push('\n');
        }
        page
    }
}

/// Every rule, sorted by name.
pub fn all() -> &'static [Rule] {
    &RULES
}

/// Rules about suppressions, which no suppression is about.
pub const ABOUT_SUPPRESSIONS: [&str; 2] = [
    shared::malformed_suppression::RULE.name,
    shared::unused_suppression::RULE.name,
];

/// The rule that names suppressions without use.
pub const UNUSED_SUPPRESSION: &str = shared::unused_suppression::RULE.name;

/// The rule of this name.
pub fn by_name(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// Runs every rule that knows the site's server. Sorted by path, line, column and rule.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let known = RULES.iter();
    let known = known.filter(|rule| rule.servers.contains(&site.server));
    let known: Vec<&Rule> = known.collect();
    let few = match site.settings.len() < FEW {
        true => usize::MAX,
        false => 0,
    };
    let found = in_parts(known.len(), few, |range| {
        let found = known[range].iter().map(|rule| (rule.check)(context));
        found.collect::<Vec<_>>()
    });
    let mut findings = joined(found.into_iter().flatten().collect());
    let remarks = &site.remarks;
    findings.extend(shared::unused_suppression::unmatched(remarks, &findings));
    finding::sort(&mut findings);
    findings
}

/// Up to so many settings, starting threads takes longer than they save.
const FEW: usize = 4000;

/// One list of several, made without a second place for the longest.
fn joined(mut lists: Vec<Vec<Finding>>) -> Vec<Finding> {
    let longest = (0..lists.len()).max_by_key(|index| lists[*index].len());
    let mut all = longest.map_or_else(Vec::new, |index| std::mem::take(&mut lists[index]));
    lists.into_iter().for_each(|list| all.extend(list));
    all
}

static RULES: [Rule; 32] = [
    nginx::client_auth_without_reject_handshake::RULE,
    shared::conf_command_overrides_tickets::RULE,
    shared::dead_tickets::RULE,
    shared::directive_not_in_version::RULE,
    nginx::early_data_replay::RULE,
    shared::excessive_session_timeout::RULE,
    nginx::forgeable_automatic_rotation::RULE,
    shared::ignored_session_directive::RULE,
    nginx::long_lived_automatic_key::RULE,
    shared::malformed_conf_command::RULE,
    shared::malformed_session_timeout::RULE,
    shared::malformed_suppression::RULE,
    shared::missing_session_timeout::RULE,
    nginx::missing_ticket_keys::RULE,
    shared::misspelled_directive::RULE,
    nginx::per_worker_session_cache::RULE,
    apache::predictable_cache_path::RULE,
    shared::resumption_not_disabled::RULE,
    shared::revocation_outlived::RULE,
    apache::session_cache_on_disk::RULE,
    shared::session_crosses_client_auth::RULE,
    apache::shared_session_context::RULE,
    shared::static_ticket_key::RULE,
    apache::ticket_key_file_partial::RULE,
    shared::ticket_key_file_unsafe::RULE,
    shared::ticket_keys_against_policy::RULE,
    shared::tickets_without_rotation::RULE,
    shared::unbounded_tls13_session::RULE,
    nginx::undrained_rotation::RULE,
    apache::unreliable_ticket_key_file::RULE,
    shared::unused_suppression::RULE,
    nginx::upgrade_flips_tickets::RULE,
];
