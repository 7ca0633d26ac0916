//! The httpd model against the truth tables: every row by reasoning over what the server was
//! seen to do (tests/live_apache.rs sees it again).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use stekguard::catalog::{Server, Version};
use stekguard::model::{
    self, Assumed, Effect, Endpoint, IgnoredReason, Platform, Site, VersionSource,
};
use stekguard::source::{self, LoadOptions, Memory, Root};

fn site_for(version: &str, text: &str) -> Site {
    let files = Memory::new([("/etc/apache2/apache2.conf", text)]);
    let root = Root::new(Server::Apache, "/etc/apache2/apache2.conf");
    let project = source::load(&root, &files, &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    let platform = Platform {
        server: assumed(version),
        library: assumed("3.0"),
        package: None,
    };
    model::build(&project, &platform)
}

fn site(text: &str) -> Site {
    site_for("2.4.62", text)
}

const SSL: &str = "LoadModule ssl_module modules/mod_ssl.so\nListen 443\n";

fn one(global: &str, own: &str) -> Endpoint {
    let text = format!(
        "{SSL}{global}\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n{own}\n</VirtualHost>\n"
    );
    let site = site(&text);
    assert_eq!(site.endpoints.len(), 1, "{:#?}", site.endpoints);
    site.endpoints[0].clone()
}

fn two(global: &str, a: &str, b: &str) -> (Site, Endpoint, Endpoint) {
    let text = format!(
        "{SSL}{global}\n\
         <VirtualHost *:443>\nServerName a.test\nSSLEngine on\n{a}\n</VirtualHost>\n\
         <VirtualHost *:443>\nServerName b.test\nSSLEngine on\n{b}\n</VirtualHost>\n"
    );
    let site = site(&text);
    assert_eq!(site.endpoints.len(), 2, "{:#?}", site.endpoints);
    let (a, b) = (site.endpoints[0].clone(), site.endpoints[1].clone());
    (site, a, b)
}

fn words(endpoint: &Endpoint) -> [&'static str; 4] {
    [
        endpoint.tls12.session_id.word(),
        endpoint.tls12.ticket.word(),
        endpoint.tls13.issued.word(),
        endpoint.tls13.resumes.word(),
    ]
}

fn ignored(site: &Site) -> Vec<(&'static str, IgnoredReason)> {
    let effects = site
        .settings
        .iter()
        .filter_map(|setting| match &setting.effect {
            Effect::Ignored(ignored) => Some((setting.name, ignored.reason)),
            _ => None,
        });
    effects.collect()
}

const STORE: &str = "SSLSessionCache shmcb:/run/cache(512000)";

#[test]
fn one_vhost_truth_table() {
    let on = ["never", "resumes", "stateless", "always"];
    let off = ["never", "none", "stateful", "never"];
    let rows = [
        ("", "", on),
        ("SSLSessionCache none", "SSLSessionTickets on", on),
        ("SSLSessionCache nonenotnull", "", on),
        (STORE, "", ["resumes", "resumes", "stateless", "always"]),
        ("", "SSLSessionTickets off", off),
        ("SSLSessionCache nonenotnull", "SSLSessionTickets OFF", off),
        (
            STORE,
            "SSLSessionTickets off",
            ["resumes", "none", "stateful", "always"],
        ),
        ("", "SSLOpenSSLConfCmd Options -SessionTicket", off),
        ("SSLOpenSSLConfCmd Options -SessionTicket", "", off),
        (
            "",
            "SSLSessionTickets off\nSSLOpenSSLConfCmd Options SessionTicket",
            on,
        ),
        ("", "SSLSessionTickets off # comment", off),
        (
            "SSLSessionTickets off\nSSLOpenSSLConfCmd NumTickets 0",
            "",
            ["never", "none", "none", "never"],
        ),
        (
            "",
            "SSLProtocol TLSv1.2",
            ["never", "resumes", "unavailable", "never"],
        ),
        (
            "",
            "SSLProtocol -all +TLSv1.3",
            ["unavailable", "unavailable", "stateless", "always"],
        ),
    ];
    for (global, own, expected) in rows {
        assert_eq!(words(&one(global, own)), expected, "{global} / {own}");
    }
}

#[test]
fn tickets_are_off_if_either_vhost_says_so() {
    let on = ["never", "resumes", "stateless", "always"];
    let off = ["never", "none", "stateful", "never"];
    let (tickets_on, tickets_off) = ("SSLSessionTickets on", "SSLSessionTickets off");
    let rows = [
        ("", tickets_on, tickets_off, on, off),
        ("", tickets_off, tickets_on, off, off),
        (tickets_off, "", tickets_on, off, off),
        (tickets_off, tickets_on, "", on, off),
    ];
    for (global, a, b, at_a, at_b) in rows {
        let (_, first, second) = two(global, a, b);
        assert_eq!(words(&first), at_a, "{global} / {a} / {b} at A");
        assert_eq!(words(&second), at_b, "{global} / {a} / {b} at B");
    }
    let (site, _, _) = two("", tickets_off, tickets_on);
    assert_eq!(
        ignored(&site),
        [("SSLSessionTickets", IgnoredReason::OnlyEverAdded)]
    );
}

#[test]
fn timeouts_by_kind_of_session() {
    let (a, b) = ("SSLSessionCacheTimeout 77", "SSLSessionCacheTimeout 999");
    let (site, _, second) = two("", a, b);
    assert_eq!(second.lifetime_seconds.tls12, Some(77));
    assert_eq!(second.lifetime_seconds.tls13, Some(77));
    assert_eq!(
        ignored(&site),
        [("SSLSessionCacheTimeout", IgnoredReason::NotFirstVhost)]
    );
    let global = format!("{STORE}\nSSLSessionTickets off");
    let (site, _, second) = two(&global, a, b);
    assert_eq!(second.lifetime_seconds.tls13, Some(999));
    assert_eq!(ignored(&site), []);
    assert_eq!(
        one("", "SSLSessionCacheTimeout 1d").lifetime_seconds.tls12,
        Some(1)
    );
    assert_eq!(
        one("", "SSLSessionCacheTimeout abc").lifetime_seconds.tls12,
        Some(7200)
    );
    let long = one("", "SSLSessionCacheTimeout 9999999").lifetime_seconds;
    assert_eq!((long.tls12, long.tls13), (Some(9_999_999), Some(604_800)));
}

#[test]
fn key_files_need_the_first_vhost() {
    let (k1, k2) = (
        "SSLSessionTicketKeyFile /k/1",
        "SSLSessionTicketKeyFile /k/2",
    );
    let (_, a, b) = two("", k1, k2);
    assert_eq!(
        (a.ticket_key.files, b.ticket_key.files),
        (vec!["/k/1".into()], vec!["/k/2".into()])
    );
    assert_eq!(a.chain_bounded.tls13, Some(true));
    let (site, _, b) = two("", "", k2);
    assert_eq!(b.ticket_key.source.word(), "startup");
    assert_eq!(
        ignored(&site),
        [("SSLSessionTicketKeyFile", IgnoredReason::NotFirstVhost)]
    );
    let (_, _, b) = two("", k1, "");
    assert_eq!(words(&b), ["never", "unknown", "unknown", "unknown"]);
}

#[test]
fn none_behind_a_store_does_nothing() {
    let text = format!("{STORE}\nSSLSessionTickets off\nSSLSessionCache none");
    let (site, a, _) = two(&text, "", "");
    assert_eq!(words(&a), ["resumes", "none", "stateful", "always"]);
    assert_eq!(
        ignored(&site),
        [("SSLSessionCache", IgnoredReason::StickyCache)]
    );
}

#[test]
fn addresses_names_and_implicit_tls() {
    let text = "LoadModule ssl_module modules/mod_ssl.so\n\
         Listen 443\nListen 127.0.0.1:8443 https\nListen 9443\nListen 80\n\
         ServerName main.test\nSSLCertificateFile a.crt\n\
         <VirtualHost *:443>\nServerName A.test\nServerAlias b.test *.b.test\n</VirtualHost>\n\
         <VirtualHost 10.0.0.1:443>\nServerName ip.test\nSSLEngine on\n</VirtualHost>\n\
         <VirtualHost _default_:443>\nServerName a.test\nServerAlias c.test\n</VirtualHost>\n\
         <VirtualHost 127.0.0.1:8443>\nServerName d.test\n</VirtualHost>\n\
         <VirtualHost *:9443>\nServerName plain.test\n</VirtualHost>\n\
         <VirtualHost *:80>\nServerName http.test\n</VirtualHost>\n\
         <VirtualHost *:7443>\nServerName lost.test\nSSLEngine on\n</VirtualHost>\n";
    let site = site(text);
    let seen: Vec<String> = site
        .endpoints
        .iter()
        .map(|e| {
            format!(
                "{} default={} reachable={}",
                e.label(),
                e.default,
                e.reachable
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "*:443 (A.test, b.test, *.b.test) default=true reachable=true",
            "*:443 (c.test) default=false reachable=true",
            "10.0.0.1:443 (ip.test) default=true reachable=true",
            "127.0.0.1:8443 (d.test) default=true reachable=true",
            "*:7443 (lost.test) default=false reachable=false",
        ]
    );
}

/// The vhosts that speak TLS because of `Listen 127.0.0.1:8443 https` alone.
fn implicit(vhosts: &str) -> Vec<String> {
    let text = format!(
        "LoadModule ssl_module modules/mod_ssl.so\nListen 127.0.0.1:8443 https\n\
         ServerName main.test\n{vhosts}"
    );
    let labels = site(&text).endpoints.into_iter().map(|e| e.label());
    labels.collect()
}

#[test]
fn https_alone_needs_the_same_address_a_certificate_and_a_directive_of_the_core() {
    let vhost =
        |address: &str, lines: &str| format!("<VirtualHost {address}>\n{lines}</VirtualHost>\n");
    let named = "ServerName a.test\nSSLCertificateFile a.crt\n";
    let there = implicit(&vhost("127.0.0.1:8443", named));
    assert_eq!(there, ["127.0.0.1:8443 (a.test)"]);
    let core = "ServerAdmin a@a.test\nSSLCertificateFile a.crt\n";
    assert_eq!(implicit(&vhost("127.0.0.1:8443", core)), ["127.0.0.1:8443"]);
    let none: [String; 0] = [];
    assert_eq!(implicit(&vhost("*:8443", named)), none);
    let bare = "SSLCertificateFile a.crt\n";
    assert_eq!(implicit(&vhost("127.0.0.1:8443", bare)), none);
    let blank = "ServerName a.test\n";
    assert_eq!(implicit(&vhost("127.0.0.1:8443", blank)), none);
    let http = format!("{named}Protocol http\n");
    assert_eq!(implicit(&vhost("127.0.0.1:8443", &http)), none);
    let https = format!("{named}Protocol https\n");
    assert_eq!(
        implicit(&vhost("*:8443", &https)),
        ["127.0.0.1:8443 (a.test)"]
    );
}

#[test]
fn a_session_context_has_the_port_of_the_name_and_not_of_the_address() {
    let text = format!(
        "{SSL}Listen 8443\n{STORE}\n\
         <VirtualHost *:443>\nServerName a.test\nSSLEngine on\n</VirtualHost>\n\
         <VirtualHost *:8443>\nServerName a.test\nSSLEngine on\n</VirtualHost>\n\
         <VirtualHost *:8443>\nServerName A.test\nServerAlias b.test\nSSLEngine on\n</VirtualHost>\n\
         <VirtualHost *:8443>\nServerName a.test:8443\nServerAlias c.test\nSSLEngine on\n</VirtualHost>\n"
    );
    let endpoints = site(&text).endpoints;
    let id = |index: usize| endpoints[index].issues.tls12_id.clone().unwrap();
    assert_eq!(id(0), id(1));
    assert!(endpoints[0].accepts.contains(&id(1)));
    assert_ne!(id(1), id(2));
    assert_ne!(id(1), id(3));
}

#[test]
fn a_name_without_tls_is_served_through_the_first_vhost() {
    let (_, a, b) = two("", "SSLSessionTickets off", "SSLEngine off");
    assert_eq!(words(&a), words(&b));
    let (_, _, b) = two("", "SSLVerifyClient require", "SSLEngine off");
    assert!(b.rejects);
    let (_, _, b) = two("", "SSLSessionTicketKeyFile a.key", "SSLEngine off");
    assert_eq!(b.tls12.ticket.word(), "unknown");
}

#[test]
fn a_wildcard_takes_the_names_behind_it() {
    let (_, _, b) = two("", "ServerAlias *.test", "ServerAlias b.example");
    assert_eq!(*b.names, ["b.example"]);
    let (_, _, b) = two("", "ServerAlias ?.test", "ServerAlias *.test");
    assert_eq!(*b.names, ["*.test"]);
}

#[test]
fn versions_are_of_the_first_vhost_where_no_protocol_is_said() {
    let spoken = |endpoint: &Endpoint| words(endpoint)[1..3].to_vec();
    let (_, a, b) = two("", "SSLProtocol TLSv1.2", "");
    assert_eq!(spoken(&a), ["resumes", "unavailable"]);
    assert_eq!(spoken(&b), ["resumes", "unavailable"]);
    let (_, _, b) = two("SSLProtocol all", "SSLProtocol TLSv1.2", "");
    assert_eq!(spoken(&b), ["resumes", "stateless"]);
    // No holes: the highest, and down from there as long as the next one is named.
    let (_, a, _) = two("", "SSLProtocol all -TLSv1.2", "");
    assert_eq!(spoken(&a), ["unavailable", "stateless"]);
}

#[test]
fn sessions_cross_only_with_the_same_server_name() {
    let (_, a, b) = two("", "", "");
    assert_ne!(a.issues.tls13, b.issues.tls13);
    assert_eq!(b.cross_name.word(), "same-name-only");
    let text = format!(
        "{SSL}ServerName main.test\n\
         <VirtualHost *:443>\nServerAlias a.test\nSSLEngine on\n</VirtualHost>\n\
         <VirtualHost *:443>\nServerAlias b.test\nSSLEngine on\n</VirtualHost>\n"
    );
    let site = site(&text);
    assert_eq!(
        site.endpoints[0].issues.tls13,
        site.endpoints[1].issues.tls13
    );
    assert_eq!(site.endpoints[1].cross_name.word(), "served");
}

#[test]
fn open_conditions_give_alternatives() {
    let text = "<IfModule mod_ssl.c>\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
         </VirtualHost>\n</IfModule>\n";
    let only = site(text);
    assert_eq!(only.endpoints.len(), 1);
    assert_eq!(only.endpoints[0].when, ["IfModule mod_ssl.c"]);
    let text = format!(
        "{SSL}<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
         <IfDefine FAST>\nSSLSessionTickets on\n</IfDefine>\n\
         <IfDefine !FAST>\nSSLSessionTickets off\n</IfDefine>\n</VirtualHost>\n"
    );
    let both = site(&text);
    let seen: Vec<_> = both
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.tls13.issued.word(), endpoint.when.join(" and ")))
        .collect();
    assert_eq!(
        seen,
        [
            ("stateless", "IfDefine FAST".to_owned()),
            ("stateful", "IfDefine !FAST".to_owned()),
        ]
    );
}

#[test]
fn versions_decide_their_conditions() {
    let text = format!(
        "{SSL}<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
         <IfVersion >= 2.4.60>\nSSLSessionTickets off\n</IfVersion>\n</VirtualHost>\n"
    );
    let issued = |version| {
        let site = site_for(version, &text);
        assert_eq!(site.endpoints.len(), 1);
        assert_eq!(site.endpoints[0].when, Vec::<String>::new());
        site.endpoints[0].tls13.issued.word()
    };
    assert_eq!(issued("2.4.59"), "stateless");
    assert_eq!(issued("2.4.60"), "stateful");
}
