//! What findings say to people: one test for each text that could be another one unseen.

use stekguard::catalog::Server;
use stekguard::model::Site;
use stekguard::policy::{Goal, Policy};

use super::rules::{TLS, found, nginx, policy, server, vhost};
use super::world;

#[test]
fn how_to_come_by_the_keys_of_a_policy() {
    let help = |goal: Goal| {
        let mut found = found(&server(""), &policy(goal), "ticket-keys-against-policy");
        found.remove(0).help.remove(0)
    };
    let zone = "a `shared` ssl_session_cache, tickets on, and no key file";
    assert_eq!(help(Goal::Automatic), zone);
    let made = help(Goal::Rotate);
    assert!(
        made.starts_with("make keys with `stekguard keys init`"),
        "{made}"
    );
}

/// What helps first: no tickets.
#[test]
fn what_helps_where_nothing_replaces_the_key() {
    let first = |site: &Site| {
        let mut found = found(site, &Policy::default(), "tickets-without-rotation");
        found.remove(0).help.remove(0)
    };
    let nginx = first(&server(""));
    assert!(nginx.starts_with("`ssl_session_tickets off;`"), "{nginx}");
    let text = vhost("", "ServerName a.test");
    let httpd = first(&world::site(Server::Apache, "2.4.62", &text));
    assert!(httpd.starts_with("`SSLSessionTickets off`"), "{httpd}");
}

/// With `ssl off` no server lost anything; `ssl on` has to be said in another way.
#[test]
fn what_is_to_be_done_about_a_removed_switch() {
    let help = |own: &str| {
        let site = nginx(&format!(
            "events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}"
        ));
        let mut found = found(&site, &Policy::default(), "directive-not-in-version");
        assert_eq!(found.len(), 1, "{own}");
        found.remove(0).help
    };
    let moved = "say `ssl` in every `listen` of the server and remove the line";
    assert_eq!(help("ssl on;"), [moved]);
    assert_eq!(help("ssl off;"), ["remove the line"]);
}

/// A value in a server that is not asked for it.
#[test]
fn what_helps_where_another_server_decides() {
    let site = nginx(&format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; }} \
         server {{ listen 443 ssl; server_name b.test; ssl_session_timeout 1h; }} }}"
    ));
    let found = found(&site, &Policy::default(), "ignored-session-directive");
    let help = "write it in the default server of the address, or around all servers";
    assert_eq!(found[0].help, [help]);
}

#[test]
fn what_helps_where_a_key_stays() {
    let site = server("ssl_session_ticket_key a.key;");
    let found = found(&site, &Policy::default(), "static-ticket-key");
    let first = &found[0].help[0];
    assert!(
        first.starts_with("replace the key every few hours"),
        "{first}"
    );
}

/// The line that stands in the way of the keys that a policy asks for.
#[test]
fn what_stands_in_the_way_of_a_policy() {
    let label = |own: &str| {
        let site = server(own);
        let found = found(&site, &policy(Goal::Rotate), "ticket-keys-against-policy");
        found[0].label.clone()
    };
    let off = "no ticket resumes because of this";
    assert_eq!(label("ssl_session_tickets off;"), off);
    assert_eq!(
        label("ssl_session_ticket_key a.key;"),
        "decides about the key"
    );
}
