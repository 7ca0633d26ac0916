//! The nginx model against the truth tables: every row by reasoning over what the servers
//! were seen to do (tests/live_nginx.rs sees it again).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use stekguard::catalog::{Server, Version};
use stekguard::model::{
    self, Assumed, Effect, Endpoint, IgnoredReason, Platform, Site, VersionSource,
};
use stekguard::source::{self, LoadOptions, Memory, Root};

const OLD: &str = "1.22.1";
const NEW: &str = "1.31.3";

fn platform(version: &str) -> Platform {
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    Platform {
        server: assumed(version),
        library: assumed("3.0"),
        package: None,
    }
}

fn site(version: &str, text: &str) -> Site {
    let files = Memory::new([("/etc/nginx/nginx.conf", text)]);
    let root = Root::new(Server::Nginx, "/etc/nginx/nginx.conf");
    let project = source::load(&root, &files, &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    model::build(&project, &platform(version))
}

const TLS: &str =
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate c.pem; ssl_certificate_key k.pem;";

fn one(version: &str, settings: &str) -> Endpoint {
    let text = format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; server_name a.test; {settings} }} }}"
    );
    let site = site(version, &text);
    assert_eq!(site.endpoints.len(), 1);
    site.endpoints[0].clone()
}

/// Two servers of one address: (A, B).
fn two(version: &str, a: &str, b: &str) -> (Site, Endpoint, Endpoint) {
    let text = format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; server_name a.test; {a} }} \
         server {{ listen 443 ssl; server_name b.test; {b} }} }}"
    );
    let site = site(version, &text);
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

#[test]
fn one_server_truth_table() {
    let rows = [
        ("", ["never", "resumes", "stateless", "always"]),
        (
            "ssl_session_cache off;",
            ["never", "resumes", "stateless", "always"],
        ),
        (
            "ssl_session_cache builtin;",
            ["per-worker", "resumes", "stateless", "always"],
        ),
        (
            "ssl_session_cache shared:S:1m;",
            ["resumes", "resumes", "stateless", "always"],
        ),
        (
            "ssl_session_tickets off;",
            ["never", "none", "stateful", "never"],
        ),
        (
            "ssl_session_tickets off; ssl_session_cache off;",
            ["never", "none", "stateful", "never"],
        ),
        (
            "ssl_session_tickets off; ssl_session_cache builtin;",
            ["per-worker", "none", "stateful", "per-worker"],
        ),
        (
            "ssl_session_tickets OFF; ssl_session_cache shared:S:1m;",
            ["resumes", "none", "stateful", "always"],
        ),
        (
            "ssl_session_tickets off; ssl_session_cache builtin shared:S:1m;",
            ["resumes", "none", "stateful", "always"],
        ),
        (
            "ssl_session_tickets off; ssl_conf_command NumTickets 0;",
            ["never", "none", "none", "never"],
        ),
        (
            "ssl_session_tickets off; ssl_conf_command Options SessionTicket;",
            ["never", "resumes", "stateless", "always"],
        ),
        (
            "ssl_conf_command Options -SessionTicket;",
            ["never", "none", "stateful", "never"],
        ),
        // none sticks in either order, and off on one line with a zone is off.
        (
            "ssl_session_tickets off; ssl_session_cache none; ssl_session_cache shared:S:1m;",
            ["never", "none", "stateful", "never"],
        ),
        (
            "ssl_session_tickets off; ssl_session_cache shared:S:1m; ssl_session_cache none;",
            ["never", "none", "stateful", "never"],
        ),
        (
            "ssl_session_tickets off; ssl_session_cache shared:S:1m off;",
            ["never", "none", "stateful", "never"],
        ),
        (
            "ssl_protocols TLSv1.2;",
            ["never", "resumes", "unavailable", "never"],
        ),
        (
            "ssl_protocols TLSv1.3;",
            ["unavailable", "unavailable", "stateless", "always"],
        ),
    ];
    for version in [OLD, NEW] {
        for (settings, expected) in rows {
            assert_eq!(
                words(&one(version, settings)),
                expected,
                "{version}: {settings}"
            );
        }
    }
}

#[test]
fn which_block_decides_tickets() {
    let shared = "ssl_session_cache shared:S:1m;";
    let off = format!("ssl_session_tickets off; {shared}");
    // (A, B) -> B below 1.29.2, B from 1.29.2.
    let rows = [
        (
            "",
            "",
            ["never", "resumes", "stateless", "always"],
            ["never", "resumes", "stateless", "always"],
        ),
        (
            "ssl_session_tickets off;",
            "ssl_session_tickets on;",
            ["never", "none", "stateless", "never"],
            ["never", "resumes", "stateless", "always"],
        ),
        (
            shared,
            "ssl_session_tickets off;",
            ["resumes", "none", "none", "never"],
            ["resumes", "none", "stateful", "always"],
        ),
        (
            off.as_str(),
            "ssl_session_tickets off;",
            ["resumes", "none", "stateful", "always"],
            ["resumes", "none", "stateful", "always"],
        ),
        (
            off.as_str(),
            "ssl_session_tickets off; ssl_session_cache off;",
            ["never", "none", "stateful", "always"],
            ["never", "none", "stateful", "always"],
        ),
    ];
    for (a, b, old, new) in rows {
        assert_eq!(words(&two(OLD, a, b).2), old, "{OLD}: A {a} B {b}");
        assert_eq!(words(&two(NEW, a, b).2), new, "{NEW}: A {a} B {b}");
    }
}

#[test]
fn the_default_server_gives_timeout_and_key() {
    for version in [OLD, NEW] {
        let a = "ssl_session_timeout 77s; ssl_session_ticket_key /k/one;";
        let b = "ssl_session_timeout 999s; ssl_session_ticket_key /k/two;";
        let (site, _, b) = two(version, a, b);
        assert_eq!(b.lifetime_seconds.tls12, Some(77));
        assert_eq!(b.ticket_key.files, ["/k/one"]);
        let ignored: Vec<_> = site
            .settings
            .iter()
            .filter_map(|setting| match &setting.effect {
                Effect::Ignored(ignored) => Some((setting.name, ignored.reason)),
                _ => None,
            })
            .collect();
        let reason = IgnoredReason::NonDefaultServer;
        assert_eq!(
            ignored,
            [
                ("ssl_session_timeout", reason),
                ("ssl_session_ticket_key", reason)
            ]
        );
    }
}

#[test]
fn a_catch_all_hides_what_the_servers_say() {
    let (site, a, b) = two(
        NEW,
        "ssl_reject_handshake on;",
        "ssl_session_cache shared:S:1m; ssl_session_timeout 1h;",
    );
    assert!(a.rejects);
    assert_eq!(
        words(&a),
        ["unavailable", "unavailable", "unavailable", "never"]
    );
    assert_eq!(words(&b), ["never", "resumes", "stateless", "always"]);
    assert_eq!(b.lifetime_seconds.tls13, Some(300));
    let reasons: Vec<_> = site
        .settings
        .iter()
        .filter_map(|setting| match &setting.effect {
            Effect::Ignored(ignored) => Some((setting.name, ignored.reason)),
            _ => None,
        })
        .collect();
    let reason = IgnoredReason::CatchAllDefault;
    assert_eq!(
        reasons,
        [
            ("ssl_session_cache", reason),
            ("ssl_session_timeout", reason)
        ]
    );
}

#[test]
fn lifetimes_are_capped_and_zero_is_two_hours() {
    let week = one(NEW, "ssl_session_timeout 30d;");
    assert_eq!(week.lifetime_seconds.tls12, Some(30 * 86_400));
    assert_eq!(week.lifetime_seconds.tls13, Some(604_800));
    let zero = one(NEW, "ssl_session_timeout 0;");
    assert_eq!(zero.lifetime_seconds.tls12, Some(7_200));
    let nothing = one(NEW, "ssl_session_tickets off;");
    assert_eq!(nothing.lifetime_seconds.tls12, None);
    assert_eq!(nothing.lifetime_seconds.tls13, Some(300));
    assert_eq!(nothing.chain_bounded.tls13, None);
    assert_eq!(one("1.23.1", "").chain_bounded.tls13, Some(false));
    assert_eq!(one("1.23.2", "").chain_bounded.tls13, Some(true));
}

#[test]
fn the_key_rotates_in_a_zone_from_1_23_2() {
    let shared = "ssl_session_cache shared:S:1m;";
    assert_eq!(one("1.23.1", shared).ticket_key.source.word(), "startup");
    let zone = one("1.23.2", shared).ticket_key;
    assert_eq!(
        (zone.source.word(), zone.zone.as_deref()),
        ("zone", Some("S"))
    );
    // `none` keeps the zone from being used, so the key is a random one.
    let none = one(
        "1.23.2",
        "ssl_session_cache none; ssl_session_cache shared:S:1m;",
    );
    assert_eq!(none.ticket_key.source.word(), "startup");
    assert_eq!(
        one("1.23.2", "ssl_session_tickets off;")
            .ticket_key
            .source
            .word(),
        "none"
    );
}

#[test]
fn arrays_of_a_server_replace_the_inherited_ones() {
    let text = format!(
        "events {{}} http {{ {TLS} ssl_conf_command Options -SessionTicket; \
         server {{ listen 1443 ssl; }} \
         server {{ listen 2443 ssl; ssl_conf_command CipherString ALL; }} }}"
    );
    let site = site(NEW, &text);
    assert_eq!(site.endpoints[0].tls13.issued.word(), "stateful");
    assert_eq!(site.endpoints[1].tls13.issued.word(), "stateless");
}

#[test]
fn default_protocols_and_names_by_version() {
    let plain = |version| {
        let text = "events {} http { server { listen 443 ssl; ssl_certificate c; } }";
        words(&site(version, text).endpoints[0])
    };
    assert_eq!(
        plain("1.23.3"),
        ["never", "resumes", "unavailable", "never"]
    );
    assert_eq!(plain("1.23.4"), ["never", "resumes", "stateless", "always"]);
    let text = format!(
        "events {{}} stream {{ {TLS} server {{ listen 443 ssl; server_name a.test; }} \
         server {{ listen 443 ssl; server_name b.test; }} }}"
    );
    let names = |version| -> Vec<Vec<String>> {
        site(version, &text)
            .endpoints
            .iter()
            .map(|endpoint| endpoint.names.to_vec())
            .collect()
    };
    assert_eq!(names("1.25.4"), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(names("1.25.5"), [["a.test"], ["b.test"]]);
}

#[test]
fn addresses_defaults_and_lost_names() {
    let text = format!(
        "events {{}} http {{ {TLS} \
         server {{ listen 443 ssl; listen [::]:443 ssl; server_name A.test b.test; }} \
         server {{ listen *:443; listen 127.0.0.1:9000-9001 ssl; server_name a.test c.test; }} \
         server {{ listen 443 default_server; server_name a.test; }} \
         server {{ listen 80; server_name plain.test; }} \
         server {{ listen 444 quic; server_name q.test; }} }}"
    );
    let site = site(NEW, &text);
    let seen: Vec<_> = site
        .endpoints
        .iter()
        .map(|endpoint| {
            let names = endpoint.names.join(" ");
            format!(
                "{} {} {names} default={} reachable={}",
                endpoint.address,
                endpoint.transport.word(),
                endpoint.default,
                endpoint.reachable
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "*:443 tcp  default=true reachable=true",
            "*:443 tcp A.test b.test default=false reachable=true",
            "*:443 tcp c.test default=false reachable=true",
            "[::]:443 tcp A.test b.test default=true reachable=true",
            "127.0.0.1:9000 tcp a.test c.test default=true reachable=true",
            "127.0.0.1:9001 tcp a.test c.test default=true reachable=true",
            "*:444 quic q.test default=true reachable=true",
        ]
    );
    assert_eq!(site.endpoints[6].tls12.ticket.word(), "unavailable");
}

#[test]
fn sessions_across_names() {
    let different = |version: &str| {
        let (_, _, b) = two(version, "ssl_certificate a.pem;", "ssl_certificate b.pem;");
        b.cross_name.word()
    };
    assert_eq!(different("1.26.2"), "served");
    assert_eq!(different("1.29.1"), "served");
    assert_eq!(different("1.29.2"), "full");
    let clients = |version: &str| {
        let a = "ssl_verify_client on; ssl_client_certificate one.pem;";
        let b = "ssl_verify_client on; ssl_client_certificate two.pem;";
        let (_, _, b) = two(version, a, b);
        b.cross_name.word()
    };
    assert_eq!(clients("1.22.1"), "served");
    assert_eq!(clients("1.26.3"), "fails");
    assert_eq!(clients("1.27.3"), "served");
    assert_eq!(clients("1.29.2"), "full");
    let (_, a, b) = two(NEW, "", "");
    assert_eq!(a.issues.tls13, b.issues.tls13);
    assert_eq!(b.cross_name.word(), "served");
}

#[test]
fn ssl_on_counts_only_in_the_default_server() {
    let text = "events {} http { ssl_certificate c; \
                server { listen 443; ssl on; server_name a.test; } \
                server { listen 444; server_name b.test; } \
                server { listen 444; ssl on; server_name c.test; } }";
    let site = site(OLD, text);
    let seen: Vec<_> = site.endpoints.iter().map(Endpoint::label).collect();
    assert_eq!(seen, ["*:443 (a.test)"]);
}
