//! Rules and their fixes: what a policy accepts, what a fix costs and where it may not edit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::finding::{Change, Confidence, Finding, Fix, GoLive, Severity, Target};
use stekguard::model::{self, Site};
use stekguard::policy::{Goal, Policy};
use stekguard::rules::{self, Context};
use stekguard::source::{self, LoadOptions, Memory, Root};

use super::world;

pub(crate) const TLS: &str = "ssl_certificate c.pem; ssl_certificate_key k.pem;";
pub(crate) const SSL: &str = "LoadModule ssl_module modules/mod_ssl.so\nListen 443\n";
/// nginx that replaces the keys of a zone, with the advisory about them fixed.
const AUTOMATIC: &str = "1.31.7";

pub(crate) fn policy(goal: Goal) -> Policy {
    Policy {
        goal,
        ..Policy::default()
    }
}

pub(crate) fn found(site: &Site, policy: &Policy, rule: &str) -> Vec<Finding> {
    let mut found = rules::check(&Context { site, policy });
    found.retain(|finding| finding.rule == rule);
    found
}

fn the_fix(site: &Site, policy: &Policy, rule: &str) -> Fix {
    let found = found(site, policy, rule);
    found.into_iter().find_map(|finding| finding.fix).unwrap()
}

pub(crate) fn nginx(text: &str) -> Site {
    world::site(Server::Nginx, AUTOMATIC, text)
}

pub(crate) fn server(own: &str) -> Site {
    nginx(&format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}"
    ))
}

pub(crate) fn vhost(global: &str, own: &str) -> String {
    format!("{SSL}{global}\n<VirtualHost *:443>\nSSLEngine on\n{own}\n</VirtualHost>\n")
}

/// `http` in one file, a server in another that it includes.
fn two_files(http: &str, server: &str) -> Site {
    let main = format!("events {{}}\nhttp {{\n{TLS}\n{http}\ninclude site.conf;\n}}\n");
    let site = format!("server {{\nlisten 443 ssl;\nserver_name a.test;\n{server}\n}}\n");
    let files = Memory::new([
        ("/etc/nginx/nginx.conf", main.as_str()),
        ("/etc/nginx/site.conf", site.as_str()),
    ]);
    let root = Root::new(Server::Nginx, "/etc/nginx/nginx.conf");
    let project = source::load(&root, &files, &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    model::build(&project, &world::platform(AUTOMATIC, "3.0"))
}

fn held(goal: Goal) -> Policy {
    Policy {
        untouchable: Arc::new([PathBuf::from("/etc/nginx/nginx.conf")].into()),
        ..policy(goal)
    }
}

/// The file of each change.
fn edited(fix: &Fix) -> Vec<&Path> {
    fix.all().map(path).collect()
}

fn path(change: &Change) -> &Path {
    match change {
        Change::Insert { target, .. } => match target {
            Target::Block(at) => &at.path,
            Target::File(path) => path,
        },
        Change::SetArguments { statement, .. } | Change::Remove { statement } => &statement.path,
    }
}

#[test]
fn what_meets_a_policy() {
    let meets = |site: &Site, goal: Goal| {
        let policy = policy(goal);
        let context = Context {
            site,
            policy: &policy,
        };
        rules::meets(&context, &site.endpoints[0])
    };
    let tickets = server("");
    assert!(meets(&tickets, Goal::Sound));
    assert!(!meets(&tickets, Goal::NoTickets));
    assert!(!meets(&tickets, Goal::NoResumption));
    assert!(!meets(&tickets, Goal::Automatic), "no zone");
    let cache = server("ssl_session_tickets off; ssl_session_cache shared:S:1m;");
    assert!(meets(&cache, Goal::NoTickets));
    assert!(!meets(&cache, Goal::NoResumption));
    assert!(!meets(&cache, Goal::Rotate), "no ticket resumes");
    let nothing = server("ssl_session_tickets off;");
    assert!(meets(&nothing, Goal::NoResumption));
    // TLS 1.1 only, which OpenSSL 3 does not speak by itself: no ticket is known to miss a key.
    let old = server("ssl_protocols TLSv1.1;");
    assert!(meets(&old, Goal::Rotate));
}

/// httpd with OpenSSL 1.1.1 authenticates tickets by the key file; with OpenSSL 3 it does not.
#[test]
fn a_key_file_of_httpd_by_library() {
    let text = vhost("", "ServerName a.test\nSSLSessionTicketKeyFile a.key");
    let rules = |library| {
        let platform = world::platform("2.4.62", library);
        let site = world::site_on(Server::Apache, &platform, &text);
        let count = |rule| found(&site, &Policy::default(), rule).len();
        (
            count("unreliable-ticket-key-file"),
            count("static-ticket-key"),
        )
    };
    assert_eq!(rules("1.1.1"), (0, 1));
    assert_eq!(rules("3.0"), (1, 0));
}

/// A finding holds under the conditions that all its endpoints stand under.
#[test]
fn findings_keep_the_conditions_of_their_endpoints() {
    let vhost = |name: &str| {
        format!("<VirtualHost *:443>\nServerName {name}\nSSLEngine on\n</VirtualHost>\n")
    };
    let judged = |text: &str| {
        let site = world::site(Server::Apache, "2.4.62", &format!("{SSL}{text}"));
        let mut found = found(&site, &policy(Goal::NoTickets), "tickets-without-rotation");
        found.extend(self::found(
            &site,
            &policy(Goal::NoResumption),
            "resumption-not-disabled",
        ));
        assert!(!found.is_empty());
        found
    };
    for finding in judged(&vhost("a.test")) {
        assert_eq!(finding.when, Vec::<String>::new(), "{}", finding.rule);
        assert_eq!(finding.confidence, Confidence::High);
    }
    let open = format!("<IfDefine FAST>\n{}</IfDefine>\n", vhost("a.test"));
    for finding in judged(&open) {
        assert_eq!(finding.when, ["IfDefine FAST"], "{}", finding.rule);
        assert_eq!(finding.confidence, Confidence::Medium);
    }
}

/// A value of a file that is not to be edited is overridden in the block itself.
#[test]
fn fixes_stay_out_of_files_that_are_held() {
    let main = Path::new("/etc/nginx/nginx.conf");
    let own = Path::new("/etc/nginx/site.conf");
    let rule = "resumption-not-disabled";
    let goal = Goal::NoResumption;
    let on = two_files("ssl_session_tickets on;", "");
    assert_eq!(edited(&the_fix(&on, &policy(goal), rule)), [main]);
    assert_eq!(edited(&the_fix(&on, &held(goal), rule)), [own]);
    let off = two_files(
        "ssl_session_tickets off; ssl_session_cache shared:S:1m;",
        "",
    );
    assert_eq!(edited(&the_fix(&off, &policy(goal), rule)), [main]);
    assert_eq!(edited(&the_fix(&off, &held(goal), rule)), [own]);

    let rule = "ticket-keys-against-policy";
    let cache = two_files("ssl_session_cache none; ssl_session_timeout 1h;", "");
    let caches = |policy: &Policy| {
        let fix = the_fix(&cache, policy, rule);
        let names_a_zone = |change: &&Change| match change {
            Change::SetArguments { arguments, .. } => arguments[0].starts_with("shared:"),
            Change::Insert { statement, .. } => statement[1].starts_with("shared:"),
            Change::Remove { .. } => false,
        };
        let of_caches = fix.all().filter(names_a_zone);
        of_caches.map(|it| path(it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(caches(&policy(Goal::Automatic)), [main]);
    assert_eq!(caches(&held(Goal::Automatic)), [own]);
}

/// A new zone is named after the module whose servers share it.
#[test]
fn zones_are_named_by_module() {
    let zone = |module: &str| {
        let site = nginx(&format!(
            "events {{}} {module} {{ {TLS} server {{ listen 443 ssl; }} }}"
        ));
        let fix = the_fix(
            &site,
            &policy(Goal::Automatic),
            "ticket-keys-against-policy",
        );
        let words = fix.all().find_map(|change| match change {
            Change::Insert { statement, .. } if statement[0] == "ssl_session_cache" => {
                Some(statement[1].clone())
            }
            _ => None,
        });
        let word = words.unwrap();
        word.split(':').nth(1).unwrap().to_owned()
    };
    assert_eq!(zone("http"), "sessions_http");
    assert_eq!(zone("stream"), "sessions_stream");
}

#[test]
fn what_a_fix_costs_is_said() {
    let rule = "resumption-not-disabled";
    let no_tickets = policy(Goal::NoTickets);
    let cost = |own: &str| {
        let site = server(own);
        let found = rules::check(&Context {
            site: &site,
            policy: &no_tickets,
        });
        let fixes = found.into_iter().filter_map(|finding| finding.fix);
        let mut costs = fixes.flat_map(|fix| fix.costs);
        costs.find(|cost| cost.starts_with("returning")).unwrap()
    };
    let cached = "returning clients resume from the server's session cache instead of by ticket";
    let full = "returning clients do a full handshake wherever no session cache is configured";
    assert_eq!(cost("ssl_session_cache shared:S:1m;"), cached);
    assert_eq!(cost(""), full);

    // httpd ends at a graceful restart that finds its session cache gone.
    let none = policy(Goal::NoResumption);
    let go_live = |global: &str| {
        let text = vhost(global, "ServerName a.test");
        let site = world::site(Server::Apache, "2.4.62", &text);
        the_fix(&site, &none, rule).go_live
    };
    let store = "SSLSessionCache shmcb:/run/cache(512000)";
    assert_eq!(go_live(store), GoLive::StopAndStart);
    assert_eq!(go_live(""), GoLive::Reload);

    // Workers of the old configuration keep the old key as long as their connections live.
    let fix = the_fix(
        &server(""),
        &policy(Goal::Rotate),
        "ticket-keys-against-policy",
    );
    let cut = fix.costs.iter().find(|cost| cost.contains("WebSockets"));
    assert!(cut.unwrap().contains("longer than 1 hour "), "{cut:?}");
}

/// In a folder where every user may make files, whatever is known of the folder itself.
#[test]
fn a_store_in_an_open_folder() {
    let open = |path: &str| {
        let text = vhost(&format!("SSLSessionCache {path}"), "ServerName a.test");
        let site = world::site(Server::Apache, "2.4.62", &text);
        found(&site, &Policy::default(), "predictable-cache-path").len()
    };
    assert_eq!(open("shmcb:/tmp/cache(512000)"), 1);
    assert_eq!(open("shmcb:/run/cache(512000)"), 0);
}

/// A key file that a policy of no tickets has left over does no harm.
#[test]
fn a_key_file_is_left_over_where_no_tickets_are_wanted() {
    let site = server("ssl_session_tickets off; ssl_session_ticket_key a.key;");
    let severity = |goal: Goal| {
        let found = found(&site, &policy(goal), "ignored-session-directive");
        found.first().map(|finding| finding.severity)
    };
    assert_eq!(severity(Goal::NoTickets), Some(Severity::Note));
    assert!(severity(Goal::Sound) > Some(Severity::Note));
}

/// A switch that is gone concerns every server inside the block that it stands in.
#[test]
fn a_removed_switch_concerns_the_servers_inside() {
    let site = nginx(&format!(
        "events {{}} http {{ {TLS} ssl on; server {{ listen 443 ssl; server_name a.test; }} \
         server {{ listen 443 ssl; server_name b.test; }} }}"
    ));
    let found = found(&site, &Policy::default(), "directive-not-in-version");
    assert_eq!(found[0].endpoints, ["*:443 (a.test)", "*:443 (b.test)"]);
}

/// One command around two servers: each directive is named once, however many servers it
/// stands for.
#[test]
fn every_overridden_directive_is_named_once() {
    let related = |http: &str, own: &str| {
        let site = nginx(&format!(
            "events {{}} http {{ {TLS} ssl_conf_command Options -SessionTicket; {http} \
             server {{ listen 443 ssl; server_name a.test; {own} }} \
             server {{ listen 443 ssl; server_name b.test; {own} }} }}"
        ));
        let found = found(&site, &Policy::default(), "conf-command-overrides-tickets");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].endpoints.len(), 2);
        found[0].related.len()
    };
    let on = "ssl_session_tickets on;";
    assert_eq!(related(on, ""), 1);
    assert_eq!(related("", on), 2);
}

/// Whose sessions a lifetime is about that nginx does not read as it looks.
#[test]
fn a_malformed_lifetime_names_its_own_server() {
    let site = nginx(&format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; server_name a.test; }} \
         server {{ listen 8443 ssl; server_name b.test; ssl_session_timeout 0; }} }}"
    ));
    let found = found(&site, &Policy::default(), "malformed-session-timeout");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].endpoints, ["*:8443 (b.test)"]);
}

/// A lifetime is missing where nobody wrote one. Where the policy's keys are still to be had,
/// they bring one along.
#[test]
fn a_lifetime_that_nobody_wrote() {
    let missing = |goal: Goal, own: &str| {
        let rule = "missing-session-timeout";
        found(&server(own), &policy(goal), rule).len()
    };
    let cache = "ssl_session_cache shared:S:1m;";
    assert_eq!(missing(Goal::Sound, cache), 1);
    let written = format!("{cache} ssl_session_timeout 1h;");
    assert_eq!(missing(Goal::Sound, &written), 0);
    // The zone of the cache has the key that the policy wants.
    assert_eq!(missing(Goal::Automatic, cache), 1);
    let off = format!("{cache} ssl_session_tickets off;");
    assert_eq!(missing(Goal::Automatic, &off), 0);
}

/// A server that is known to be reloaded has keys no older than that.
#[test]
fn a_reload_in_time_replaces_the_key() {
    let found_with = |every: Option<u64>| {
        let mut policy = policy(Goal::Sound);
        policy.rotation.scheduled_reload = every;
        policy.key_age = 86_400;
        found(&server(""), &policy, "tickets-without-rotation").len()
    };
    assert_eq!(found_with(None), 1);
    assert_eq!(found_with(Some(86_400)), 0);
    assert_eq!(found_with(Some(86_401)), 1);
}
