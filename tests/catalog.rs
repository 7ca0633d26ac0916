//! The catalog's tables as code sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use stekguard::catalog::{
    self, Body, Context, Decider, Inherit, Server, Version, behaviours, directives,
};

const fn v(major: u16, minor: u16, patch: u16) -> Version {
    Version::new(major, minor, patch)
}

#[test]
fn versions_parse_and_compare() {
    assert_eq!("1.22.1".parse(), Ok(v(1, 22, 1)));
    assert_eq!("3.0".parse(), Ok(v(3, 0, 0)));
    assert!(v(1, 9, 15) < v(1, 22, 1));
    for bad in [
        "",
        "1",
        "1.",
        "1..2",
        ".1.2",
        "1.2.3.4",
        "1.2.x",
        "+1.2",
        "1.2 ",
        "70000.1.1",
    ] {
        assert!(bad.parse::<Version>().is_err(), "{bad:?}");
    }
    assert_eq!(v(1, 22, 1).to_string(), "1.22.1");
}

#[test]
fn every_name_finds_its_rows() {
    for row in catalog::all(Server::Nginx) {
        for context in row.contexts {
            let found = catalog::nginx_in(row.name.as_bytes(), *context).unwrap();
            assert_eq!(found.key, row.key);
        }
    }
    for row in catalog::all(Server::Apache) {
        for name in [
            row.name.to_owned(),
            row.name.to_uppercase(),
            format!("<{}", row.name),
        ] {
            assert_eq!(catalog::apache(name.as_bytes()), Some(row), "{name}");
        }
    }
    assert!(
        catalog::nginx(b"SSL_session_tickets").is_empty(),
        "nginx knows case"
    );
    assert!(catalog::nginx(b"").is_empty());
    assert!(catalog::nginx(b"\xff").is_empty());
    assert!(catalog::apache(b"").is_none());
    assert!(catalog::apache(b"SSLSessionTicket").is_none());
}

#[test]
fn rows_stand_in_order_and_know_their_place() {
    for server in [Server::Nginx, Server::Apache] {
        for (index, row) in catalog::all(server).iter().enumerate() {
            assert_eq!(usize::from(row.id), index, "{}", row.key);
            assert_eq!(row.server, server);
        }
    }
}

#[test]
fn constants_are_the_rows() {
    assert_eq!(
        directives::nginx::SSL_SESSION_TICKETS.name,
        "ssl_session_tickets"
    );
    assert_eq!(
        directives::nginx::SERVER_STREAM.opens,
        Some(Context::StreamServer)
    );
    assert_eq!(
        directives::apache::SSL_OPENSSL_CONF_CMD.name,
        "SSLOpenSSLConfCmd"
    );
    assert_eq!(
        directives::apache::SSL_STRICT_SNI_VHOST_CHECK.name,
        "SSLStrictSNIVHostCheck"
    );
    assert_eq!(
        directives::apache::SSL_VHOST_SNI_POLICY.since,
        Some(v(2, 4, 66))
    );
}

#[test]
fn deciders_change_where_the_servers_changed() {
    let tickets = directives::nginx::SSL_SESSION_TICKETS;
    assert_eq!(tickets.decider(v(1, 29, 1)), Decider::Both);
    assert_eq!(tickets.decider(v(1, 29, 2)), Decider::OwnBlock);
    let protocols = directives::nginx::SSL_PROTOCOLS;
    assert_eq!(protocols.decider(v(1, 29, 1)), Decider::DefaultServer);
    assert_eq!(protocols.decider(v(1, 29, 2)), Decider::OwnBlock);
    for version in catalog::boundaries(Server::Nginx) {
        let timeout = directives::nginx::SSL_SESSION_TIMEOUT;
        assert_eq!(timeout.decider(*version), Decider::DefaultServer);
    }
    let newest = catalog::newest(Server::Apache);
    let tickets = directives::apache::SSL_SESSION_TICKETS;
    assert_eq!(tickets.decider(newest), Decider::AnyOff);
    assert_eq!(
        directives::apache::SSL_SESSION_CACHE.decider(newest),
        Decider::Global
    );
    let options = catalog::command(b"options").unwrap();
    assert_eq!(options.decider(Server::Nginx, v(1, 22, 1)), Decider::Both);
    assert_eq!(options.decider(Server::Apache, newest), Decider::AnyOff);
    assert!(options.values.contains(&"SessionTicket"));
}

#[test]
fn every_session_directive_has_a_decider_at_every_boundary() {
    let session = |name: &str| {
        let starts = ["ssl_session_", "SSLSession"];
        let lua = name.contains("_by_lua");
        !lua && (name == "ssl" || starts.iter().any(|start| name.starts_with(start)))
    };
    for server in [Server::Nginx, Server::Apache] {
        let rows = catalog::all(server).iter().filter(|row| session(row.name));
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() >= 4, "{rows:?}");
        for (row, version) in rows
            .iter()
            .flat_map(|row| catalog::boundaries(server).iter().map(move |at| (row, at)))
        {
            assert_ne!(
                row.decider(*version),
                Decider::None,
                "{} {version}",
                row.key
            );
        }
    }
}

#[test]
fn directives_come_and_go() {
    let ssl = directives::nginx::SSL;
    assert!(ssl.exists(v(1, 25, 0)) && !ssl.exists(v(1, 25, 1)));
    assert_eq!(ssl.deprecated, Some(v(1, 15, 0)));
    let tickets = directives::apache::SSL_SESSION_TICKETS;
    assert!(tickets.exists(v(2, 4, 11)) && !tickets.exists(v(2, 4, 10)));
    let reject = catalog::nginx_in(b"ssl_reject_handshake", Context::StreamServer).unwrap();
    assert!(reject.exists(v(1, 25, 5)) && !reject.exists(v(1, 25, 4)));
    assert_eq!(
        directives::nginx::SSL_CONF_COMMAND.inherit,
        Inherit::ArrayReplace
    );
    assert_eq!(
        directives::apache::SSL_OPENSSL_CONF_CMD.inherit,
        Inherit::Append
    );
}

#[test]
fn arities_count_as_the_servers_do() {
    let cache = directives::nginx::SSL_SESSION_CACHE.arity;
    let accepted: Vec<bool> = (0..4).map(|count| cache.accepts(count)).collect();
    assert_eq!(accepted, [false, true, true, false]);
    let certificate_cache = directives::nginx::SSL_CERTIFICATE_CACHE.arity;
    assert!(certificate_cache.accepts(3) && !certificate_cache.accepts(4));
    assert!(directives::nginx::HTTP.arity.accepts(0) && !directives::nginx::HTTP.arity.accepts(1));
    assert!(directives::nginx::LISTEN.arity.accepts(40));
    assert!(!directives::nginx::SSL_SESSION_TICKETS.arity.accepts(2));
}

#[test]
fn lua_and_data_blocks_are_known() {
    let rows = catalog::all(Server::Nginx).iter();
    assert_eq!(rows.filter(|row| row.body == Body::Lua).count(), 19);
    for name in [
        "types",
        "map",
        "geo",
        "split_clients",
        "charset_map",
        "match",
    ] {
        let rows = catalog::nginx(name.as_bytes());
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.body == Body::Data),
            "{name}"
        );
    }
}

#[test]
fn exec_on_read_is_the_servers_own_set() {
    // What httpd 2.4's source marks EXEC_ON_READ.
    let mut expected = [
        "Define",
        "UnDefine",
        "Include",
        "IncludeOptional",
        "LoadModule",
        "LoadFile",
        "ServerRoot",
        "DefaultRuntimeDir",
        "UNCList",
        "IfModule",
        "IfDefine",
        "IfFile",
        "IfDirective",
        "IfSection",
        "IfVersion",
        "Macro",
        "Use",
        "UndefMacro",
        "RemoteIPInternalProxyList",
        "RemoteIPTrustedProxyList",
    ];
    expected.sort_by_key(|name| name.to_ascii_lowercase());
    let rows = catalog::all(Server::Apache).iter();
    let found: Vec<&str> = rows
        .filter(|row| row.exec_on_read)
        .map(|row| row.name)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn behaviours_hold_in_their_ranges() {
    use behaviours::nginx::{AUTOMATIC_TICKET_KEY_ROTATION, SNI_SESSION_CHECK};
    assert!(!AUTOMATIC_TICKET_KEY_ROTATION.holds(v(1, 23, 1)));
    assert!(AUTOMATIC_TICKET_KEY_ROTATION.holds(v(1, 23, 2)));
    let checked = [
        (v(1, 26, 2), false),
        (v(1, 26, 3), true),
        (v(1, 27, 0), false),
        (v(1, 27, 3), false),
        (v(1, 27, 4), true),
        (v(1, 29, 1), true),
        (v(1, 29, 2), false),
    ];
    for (version, expected) in checked {
        assert_eq!(SNI_SESSION_CHECK.holds(version), expected, "{version}");
    }
    let found = catalog::behaviour(Server::Nginx, "sni-session-check").unwrap();
    assert!(std::ptr::eq(found, SNI_SESSION_CHECK));
    assert!(catalog::behaviour(Server::Apache, "sni-session-check").is_none());
}

#[test]
fn advisories_end_at_the_fixed_versions() {
    let forgery = catalog::advisory("CVE-2026-97629").unwrap();
    let cases = [
        (v(1, 22, 1), false),
        (v(1, 23, 1), false),
        (v(1, 23, 2), true),
        (v(1, 28, 3), true),
        (v(1, 30, 5), true),
        (v(1, 30, 6), false),
        (v(1, 30, 7), false),
        (v(1, 31, 0), true),
        (v(1, 31, 6), true),
        (v(1, 31, 7), false),
    ];
    for (version, expected) in cases {
        assert_eq!(forgery.affects(version), expected, "{version}");
    }
    assert_eq!(forgery.backports[0].fixed, "1.26.3-3+deb13u10");
    assert!(
        catalog::advisory("CVE-2025-23048")
            .unwrap()
            .affects(v(2, 4, 63))
    );
    assert!(
        !catalog::advisory("CVE-2025-23048")
            .unwrap()
            .affects(v(2, 4, 64))
    );
}

#[test]
fn boundaries_hold_every_change_and_both_ends() {
    for server in [Server::Nginx, Server::Apache] {
        let list = catalog::boundaries(server);
        assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        assert_eq!(list.first(), Some(&catalog::oldest(server)));
        assert_eq!(list.last(), Some(&catalog::newest(server)));
    }
    let nginx = catalog::boundaries(Server::Nginx);
    for version in [
        v(1, 19, 4),
        v(1, 23, 2),
        v(1, 23, 4),
        v(1, 25, 1),
        v(1, 25, 5),
        v(1, 26, 3),
        v(1, 27, 0),
        v(1, 27, 4),
        v(1, 29, 2),
        v(1, 30, 6),
        v(1, 31, 0),
        v(1, 31, 7),
    ] {
        assert!(nginx.contains(&version), "{version}");
    }
    let apache = catalog::boundaries(Server::Apache);
    assert!(apache.contains(&v(2, 4, 64)) && apache.contains(&v(2, 4, 66)));
}

/// Every version that could exist is judged like the boundary at or below it.
#[test]
fn between_boundaries_nothing_changes() {
    let nginx = (18..=31).flat_map(|minor| (0..=15).map(move |patch| v(1, minor, patch)));
    let apache = (35..=71).map(|patch| v(2, 4, patch));
    for (server, versions) in [
        (Server::Nginx, nginx.collect::<Vec<_>>()),
        (Server::Apache, apache.collect()),
    ] {
        for version in versions {
            if version <= catalog::newest(server) {
                same_as_below(server, version);
            }
        }
    }
}

fn same_as_below(server: Server, version: Version) {
    let list = catalog::boundaries(server);
    let below = *list.iter().rfind(|one| **one <= version).unwrap();
    for row in catalog::all(server) {
        assert_eq!(
            row.exists(version),
            row.exists(below),
            "{} {version}",
            row.key
        );
        assert_eq!(
            row.decider(version),
            row.decider(below),
            "{} {version}",
            row.key
        );
    }
    for row in catalog::all_behaviours(server) {
        assert_eq!(
            row.holds(version),
            row.holds(below),
            "{} {version}",
            row.name
        );
    }
    for row in catalog::advisories()
        .iter()
        .filter(|row| row.server == server)
    {
        assert_eq!(
            row.affects(version),
            row.affects(below),
            "{} {version}",
            row.id
        );
    }
    for row in catalog::all_commands() {
        let both = [version, below].map(|at| row.decider(server, at));
        assert_eq!(both[0], both[1], "{} {version}", row.name);
    }
}

#[test]
fn forks_say_only_what_is_known() {
    assert_eq!(
        catalog::fork("OpenResty").unwrap().base(v(1, 25, 3)),
        Some(v(1, 25, 3))
    );
    assert_eq!(
        catalog::fork("angie").unwrap().base(v(1, 11, 3)),
        Some(v(1, 29, 3))
    );
    assert_eq!(catalog::fork("angie").unwrap().base(v(1, 10, 0)), None);
    assert_eq!(catalog::fork("freenginx").unwrap().base(v(1, 27, 0)), None);
    assert!(catalog::fork("tengine").is_none());
}

#[test]
fn stubs_are_found_by_the_end_of_a_path() {
    let found = |path: &str| catalog::stub(Server::Nginx, path).map(|stub| stub.suffix);
    assert_eq!(found("mime.types"), Some("mime.types"));
    assert_eq!(found("/etc/nginx/mime.types"), Some("mime.types"));
    assert_eq!(found("C:\\nginx\\conf\\mime.types"), Some("mime.types"));
    assert_eq!(found("/etc/nginx/my-mime.types"), None);
    assert_eq!(
        found("/etc/nginx/snippets/fastcgi-php.conf"),
        Some("snippets/fastcgi-php.conf")
    );
    assert_eq!(found("/etc/nginx/fastcgi-php.conf"), None);
    assert_eq!(found("options-ssl-apache.conf"), None, "the other server's");
    let certbot = catalog::stub(Server::Nginx, "/etc/letsencrypt/options-ssl-nginx.conf").unwrap();
    let text = String::from_utf8_lossy(certbot.text);
    for part in [
        "ssl_session_tickets off;",
        "ssl_session_timeout 1440m;",
        "shared:le_nginx_SSL:10m",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn modules_are_known_by_both_names() {
    for module in catalog::modules() {
        for name in [module.name, module.file] {
            let found = catalog::module(name.as_bytes()).unwrap();
            assert_eq!(found.name, module.name, "{name}");
        }
    }
    let names: Vec<&str> = catalog::modules().iter().map(|it| it.name).collect();
    assert!(names.is_sorted() && names.len() > 120, "{}", names.len());
    // The exceptions to the custom, which configurations do ask about.
    for (name, file) in [
        ("ssl_module", "mod_ssl.c"),
        ("mpm_event_module", "event.c"),
        ("ldap_module", "util_ldap.c"),
        ("core_module", "core.c"),
        ("http_module", "http_core.c"),
    ] {
        assert_eq!(catalog::module(name.as_bytes()).unwrap().file, file);
    }
    let always = catalog::modules().iter().filter(|it| it.always_built_in());
    let always: Vec<&str> = always.map(|it| it.name).collect();
    assert_eq!(always, ["core_module", "http_module", "so_module"]);
    assert!(catalog::module(b"mod_SSL.c").is_none(), "httpd knows case");
}
