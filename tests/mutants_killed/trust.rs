//! Rules about client certificates: whose sessions get in where somebody else is trusted.

use stekguard::catalog::Server;
use stekguard::policy::Policy;

use super::rules::{SSL, TLS, found, nginx};
use super::world;

/// Two virtual hosts of one name with different authorities, at one address and at two. At two
/// addresses a connection is never handed from one to the other.
#[test]
fn one_name_with_two_authorities() {
    let shared = |second: &str, tickets: &str| {
        let host = |port: &str, authority: &str| {
            format!(
                "<VirtualHost *:{port}>\nServerName a.test\nSSLEngine on\nSSLVerifyClient require\n\
                 SSLVerifyDepth 2\nSSLCACertificateFile {authority}.pem\n{tickets}\n</VirtualHost>\n"
            )
        };
        let text = format!(
            "{SSL}Listen 8443\nSSLSessionCache shmcb:/run/cache(512000)\n{}{}",
            host("443", "one"),
            host(second, "two")
        );
        let site = world::site(Server::Apache, "2.4.62", &text);
        found(&site, &Policy::default(), "shared-session-context").len()
    };
    assert_eq!(shared("8443", ""), 0);
    assert_eq!(shared("8443", "SSLSessionTickets off"), 0);
}

/// Names of sessions that two virtual hosts share each: a session of one name opens nothing
/// under the other.
#[test]
fn two_names_of_sessions_at_one_address() {
    let shared = |authorities: [&str; 4]| {
        let names = [("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")];
        let hosts = names.iter().zip(authorities).map(|((name, alias), list)| {
            format!(
                "<VirtualHost *:443>\nServerName {name}.test\nServerAlias {alias}.test\nSSLEngine on\n\
                 SSLVerifyClient require\nSSLCACertificateFile {list}.pem\n</VirtualHost>\n"
            )
        });
        let text = format!("{SSL}{}", hosts.collect::<String>());
        let site = world::site(Server::Apache, "2.4.62", &text);
        found(&site, &Policy::default(), "shared-session-context").len()
    };
    assert_eq!(shared(["one", "one", "two", "two"]), 0);
    // Each of the two lets the clients of the other in.
    assert_eq!(shared(["one", "one", "two", "three"]), 2);
}

/// Who asks the default server for certificates gets in elsewhere: not where it rejects every
/// handshake, and not to a server that nobody reaches because its name is taken.
#[test]
fn trust_counts_where_clients_get_that_far() {
    let asks = |list: &str| format!("ssl_verify_client on; ssl_client_certificate {list}.pem;");
    let (one, two) = (asks("one"), asks("two"));
    let crossed = |first: &str, second: &str, third: &str| {
        let site = nginx(&format!(
            "events {{}} http {{ {TLS} server {{ listen 443 ssl; server_name a.test; {first} }} \
             server {{ listen 443 ssl; server_name {second}; {two} }} {third} }}"
        ));
        let rule = "client-auth-without-reject-handshake";
        let found = found(&site, &Policy::default(), rule);
        found
            .into_iter()
            .flat_map(|it| it.endpoints)
            .collect::<Vec<_>>()
    };
    assert_eq!(crossed(&one, "b.test", ""), ["*:443 (b.test)"]);
    let rejects = format!("{one} ssl_reject_handshake on;");
    assert_eq!(crossed(&rejects, "b.test", ""), [""; 0]);
    assert_eq!(crossed(&one, "a.test", ""), [""; 0]);
}

/// httpd before 2.4.64: a TLS 1.3 session of one virtual host gets a client into another, unless
/// one of the two insists that a client asks for it by name.
#[test]
fn sessions_cross_where_neither_is_strict() {
    let crossed = |first: &str, second: &str| {
        let host = |name: &str, own: &str| {
            format!(
                "<VirtualHost *:443>\nServerName {name}.test\nSSLEngine on\nSSLVerifyClient require\n\
                 SSLCACertificateFile {name}.pem\n{own}\n</VirtualHost>\n"
            )
        };
        let text = [SSL, &host("a", first), &host("b", second)].concat();
        let site = world::site(Server::Apache, "2.4.62", &text);
        let found = found(&site, &Policy::default(), "session-crosses-client-auth");
        found.iter().map(|it| it.endpoints.len()).sum::<usize>()
    };
    let strict = "SSLStrictSNIVHostCheck on";
    let old = "SSLProtocol -all +TLSv1.2";
    assert_eq!(crossed("", ""), 2);
    assert_eq!(crossed(strict, ""), 0);
    assert_eq!(crossed("", strict), 0);
    assert_eq!(crossed(old, old), 0);
}
