//! httpd's model: which stores and keys open what, and what stays under a condition.

use stekguard::catalog::Server;
use stekguard::model::{Endpoint, Field, KeySource, Origin, Site};

use super::world;

const SSL: &str = "LoadModule ssl_module modules/mod_ssl.so\nListen 443\n";
const STORE: &str = "SSLSessionCache shmcb:/run/cache(512000)";

fn site(text: &str) -> Site {
    world::site(Server::Apache, "2.4.62", text)
}

fn one(global: &str, own: &str) -> Endpoint {
    let text = format!(
        "{SSL}{global}\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n{own}\n</VirtualHost>\n"
    );
    site(&text).endpoints[0].clone()
}

/// The second vhost has no TLS of its own: its clients are served through the first one, and a
/// certificate that is demanded there cannot be asked of them, so that every handshake is refused.
fn refused(global: &str, first: &str) -> Endpoint {
    let text = format!(
        "{SSL}{global}\n\
         <VirtualHost *:443>\nServerName a.test\nSSLEngine on\nSSLVerifyClient require\n{first}\n\
         </VirtualHost>\n\
         <VirtualHost *:443>\nServerName b.test\nSSLEngine off\n</VirtualHost>\n"
    );
    let endpoint = site(&text).endpoints[1].clone();
    assert!(endpoint.rejects);
    endpoint
}

/// Tickets by the key; TLS 1.2 sessions by id only with a store and only where TLS 1.2 is
/// spoken; stateful tickets only with a store, without tickets, and where TLS 1.3 is spoken.
#[test]
fn what_opens_sessions() {
    let count = |global, own| one(global, own).accepts.len();
    assert_eq!(count("", ""), 1, "the key");
    assert_eq!(count(STORE, ""), 2, "the key and ids");
    assert_eq!(count(STORE, "SSLSessionTickets off"), 2, "ids and tickets");
    assert_eq!(count("", "SSLSessionTickets off"), 0, "nothing");
    assert_eq!(count(STORE, "SSLProtocol -all +TLSv1.3"), 1, "the key");
    let tls12 = "SSLProtocol -all +TLSv1.2\nSSLSessionTickets off";
    assert_eq!(count(STORE, tls12), 1, "ids");
}

/// Who is refused in a full handshake gets in with a session that is still in the store.
#[test]
fn the_store_opens_for_who_is_refused() {
    assert_eq!(refused("", "").accepts.len(), 1, "the key");
    assert_eq!(refused(STORE, "").accepts.len(), 2, "the key and ids");
    let off = "SSLSessionTickets off";
    assert_eq!(refused(STORE, off).accepts.len(), 2, "ids and tickets");
    assert_eq!(refused("", off).accepts.len(), 0, "nothing");
}

/// A setting keeps the conditions around it, as they are written.
#[test]
fn the_conditions_of_a_setting() {
    let text = format!(
        "{SSL}SSLSessionCacheTimeout 300\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
         <IfDefine FAST>\nSSLSessionTickets on\n</IfDefine>\n\
         <IfDefine !FAST>\nSSLSessionTickets off\n</IfDefine>\n</VirtualHost>\n"
    );
    let site = site(&text);
    let of = |name: &str| -> Vec<Vec<String>> {
        let named = site.settings.iter().filter(|it| it.name == name);
        named.map(|it| it.when.clone()).collect()
    };
    assert_eq!(
        of("SSLSessionTickets"),
        [["IfDefine FAST"], ["IfDefine !FAST"]]
    );
    assert_eq!(of("SSLSessionCacheTimeout"), [Vec::<String>::new()]);
}

/// httpd gives a chain a depth only where TLS is on: without one of its own, a name that is
/// served through the first vhost takes no certificate.
#[test]
fn a_depth_lets_certificates_in() {
    let rejects = |global: &str, own: &str| {
        let text = format!(
            "{SSL}{global}\n\
             <VirtualHost *:443>\nServerName a.test\nSSLEngine on\nSSLVerifyClient require\n\
             </VirtualHost>\n\
             <VirtualHost *:443>\nServerName b.test\nSSLEngine off\n{own}\n</VirtualHost>\n"
        );
        site(&text).endpoints[1].rejects
    };
    assert!(rejects("", ""));
    assert!(!rejects("", "SSLVerifyDepth 2"));
    assert!(!rejects("SSLVerifyDepth 2", ""));
}

/// A vhost at an address that has no ServerName is named by the address, not by the server.
#[test]
fn the_name_of_the_server_is_for_every_address() {
    let domains = |address: &str| {
        let text = format!(
            "{SSL}ServerName main.test\n\
             <VirtualHost {address}>\nSSLEngine on\n</VirtualHost>\n\
             <VirtualHost {address}>\nServerName main.test\nSSLEngine on\n</VirtualHost>\n"
        );
        let site = site(&text);
        let contexts = site.endpoints.iter().map(|it| it.cross_name.word());
        contexts.collect::<Vec<_>>()
    };
    assert_eq!(domains("*:443"), ["served", "served"]);
    let apart = ["same-name-only", "same-name-only"];
    assert_eq!(domains("10.0.0.1:443"), apart);
}

/// A scheme and a port are no part of a name; an IPv6 address keeps its brackets.
#[test]
fn names_without_scheme_and_port() {
    let names = |written: &str| {
        one("", &format!("ServerName {written}\nServerAlias x"))
            .names
            .to_vec()
    };
    let named = |written: &str| {
        let text = format!(
            "{SSL}<VirtualHost *:443>\nServerName {written}\nSSLEngine on\n</VirtualHost>\n"
        );
        site(&text).endpoints[0].names.to_vec()
    };
    assert_eq!(*named("a.test"), ["a.test"]);
    assert_eq!(*named("a.test:8443"), ["a.test"]);
    assert_eq!(*named("https://a.test:8443"), ["a.test"]);
    assert_eq!(*named("[::1]:8443"), ["[::1]"]);
    assert!(names("b.test").contains(&"x".to_owned()));
}

/// How many states an address has under so many open questions: all of them together up to
/// four, and beyond that each one against all others.
#[test]
fn open_questions_and_their_combinations() {
    let questions = [
        "<IfDefine A>\nSSLSessionTickets off\n</IfDefine>",
        "<IfDefine B>\nSSLSessionCacheTimeout 600\n</IfDefine>",
        "<IfDefine C>\nSSLVerifyClient optional\n</IfDefine>",
        "<IfDefine D>\nSSLProtocol -all +TLSv1.2\n</IfDefine>",
        "<IfDefine E>\nSSLOpenSSLConfCmd MaxProtocol TLSv1.1\n</IfDefine>",
    ];
    let states = |count: usize| {
        let own = questions[..count].join("\n");
        let text = format!(
            "{SSL}{STORE}\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n{own}\n\
             </VirtualHost>\n"
        );
        site(&text).endpoints.len()
    };
    assert_eq!([0, 1, 2, 3, 4].map(states), [1, 2, 4, 8, 16]);
    assert!(states(5) <= 6, "each of five, and none of them");
}

/// Every comparison of IfVersion with a version below, the same and above.
#[test]
fn comparisons_of_versions() {
    let rows = [
        ("= 2.4.60", [false, true, false]),
        ("== 2.4.60", [false, true, false]),
        ("2.4.60", [false, true, false]),
        ("> 2.4.60", [false, false, true]),
        (">= 2.4.60", [false, true, true]),
        ("< 2.4.60", [true, false, false]),
        ("<= 2.4.60", [true, true, false]),
        ("!<= 2.4.60", [false, false, true]),
        ("~ ^2\\.4\\.60$", [false, true, false]),
        ("= /^2\\.4\\.6/", [false, true, true]),
    ];
    for (condition, expected) in rows {
        let text = format!(
            "{SSL}<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
             <IfVersion {condition}>\nSSLSessionTickets off\n</IfVersion>\n</VirtualHost>\n"
        );
        let off = ["2.4.59", "2.4.60", "2.4.61"].map(|version| {
            let site = world::site(Server::Apache, version, &text);
            assert_eq!(site.endpoints.len(), 1, "{condition}");
            site.endpoints[0].tls12.ticket.word() == "none"
        });
        assert_eq!(off, expected, "{condition}");
    }
}

fn words(endpoint: &Endpoint) -> [&'static str; 4] {
    [
        endpoint.tls12.session_id.word(),
        endpoint.tls12.ticket.word(),
        endpoint.tls13.issued.word(),
        endpoint.tls13.resumes.word(),
    ]
}

/// Nothing here says what a variable is: what it decides is unknown, and the reason is its line.
#[test]
fn variables_without_a_value() {
    let tickets = one("", "SSLSessionTickets ${UNKNOWN}");
    assert_eq!(words(&tickets), ["never", "unknown", "unknown", "unknown"]);
    let why = tickets.why(Field::Tls12Ticket).unwrap();
    assert_eq!(
        (why.setting, &*why.value),
        ("SSLSessionTickets", "${UNKNOWN}")
    );
    let engine = format!(
        "{SSL}<VirtualHost *:443>\nServerName a.test\nSSLEngine ${{UNKNOWN}}\n</VirtualHost>\n"
    );
    let engine = site(&engine).endpoints[0].clone();
    assert_eq!(words(&engine), ["unknown"; 4]);
}

/// A store keeps nothing for a lifetime of 0.
#[test]
fn a_store_that_keeps_nothing() {
    let off = "SSLSessionTickets off\nSSLSessionCacheTimeout";
    let lasting = one(STORE, &format!("{off} 300"));
    assert_eq!(words(&lasting), ["resumes", "none", "stateful", "always"]);
    let gone = one(STORE, &format!("{off} 0"));
    assert_eq!(words(&gone), ["never", "none", "stateful", "never"]);
}

/// There is a key where tickets are made with it, by either version, and nowhere else.
#[test]
fn where_there_is_a_key() {
    let source = |own: &str| one("", own).ticket_key.source;
    assert_eq!(source(""), KeySource::Startup);
    assert_eq!(source("SSLProtocol -all +TLSv1.3"), KeySource::Startup);
    assert_eq!(source("SSLSessionTickets off"), KeySource::None);
    let off = "SSLProtocol -all +TLSv1.3\nSSLSessionTickets off";
    assert_eq!(source(off), KeySource::None);
}

#[test]
fn protocols_by_conf_commands() {
    let spoken = |command: &str| {
        let words = words(&one("", &format!("SSLOpenSSLConfCmd {command}")));
        (words[1], words[2])
    };
    assert_eq!(spoken("MaxProtocol TLSv1.2"), ("resumes", "unavailable"));
    assert_eq!(spoken("MinProtocol TLSv1.3"), ("unavailable", "stateless"));
    // TLS 1.1 is left, of which the library decides.
    assert_eq!(spoken("MaxProtocol TLSv1.1"), ("unknown", "unavailable"));
    assert_eq!(spoken("Protocol -TLSv1.3"), ("resumes", "unavailable"));
    // Nothing is left at all.
    assert_eq!(spoken("Protocol -ALL"), ("unavailable", "unavailable"));
}

/// The unspecified address of IPv6 is every address, and a vhost without a port has that of
/// the server's name above it.
#[test]
fn addresses_and_ports_that_are_not_written() {
    let any = "LoadModule ssl_module modules/mod_ssl.so\nListen [::]:443\n\
               <VirtualHost *:443>\nServerName a.test\nSSLEngine on\n</VirtualHost>\n";
    assert_eq!(&*site(any).endpoints[0].address, "*:443");
    let port = format!(
        "{SSL}Listen 8443\nServerName main.test:8443\n\
         <VirtualHost 10.0.0.1>\nServerName a.test\nSSLEngine on\n</VirtualHost>\n"
    );
    let endpoints = site(&port).endpoints;
    let addresses: Vec<&str> = endpoints.iter().map(|it| &*it.address).collect();
    assert_eq!(addresses, ["10.0.0.1:8443"]);
}

/// Tickets are off where the first virtual host of an address says so; to the first itself that
/// is its own line.
#[test]
fn the_first_virtual_host_speaks_for_the_others() {
    let host = |name: &str, own: &str| {
        format!("<VirtualHost *:443>\nServerName {name}\nSSLEngine on\n{own}\n</VirtualHost>\n")
    };
    let text = [
        SSL,
        &host("a.test", "SSLSessionTickets off"),
        &host("b.test", "SSLSessionTickets on"),
    ];
    let site = site(&text.concat());
    let origin = |index: usize| {
        let why = site.endpoints[index].why(Field::Tls12Ticket).unwrap();
        why.origin
    };
    assert_eq!(origin(0), Origin::Set);
    assert_eq!(origin(1), Origin::FirstVhost);
}

/// A misspelled name is one beside words of nginx too.
#[test]
fn a_stranger_is_found_beside_words_of_nginx() {
    let text = format!("{SSL}gzip on\nSSLSessionTikets off\n");
    let meant: Vec<_> = site(&text).strangers.iter().map(|it| it.meant).collect();
    assert_eq!(meant, ["SSLSessionTickets"]);
}
