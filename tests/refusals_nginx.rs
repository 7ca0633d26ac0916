//! What nginx refuses, in its own words (as `nginx -t` of 1.22.1 and 1.31.3 prints them; the
//! differential test compares the verdicts on random trees).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use stekguard::catalog::{Server, Version};
use stekguard::model::{self, Assumed, Platform, VersionSource};
use stekguard::source::{self, LoadOptions, Memory, Root};

const OLD: &str = "1.22.1";
const NEW: &str = "1.31.3";

/// `message line`, the text's own first, then what whole blocks tell.
fn refusals(version: &str, text: &str) -> Vec<String> {
    let files = Memory::new([("/etc/nginx/nginx.conf", text)]);
    let root = Root::new(Server::Nginx, "/etc/nginx/nginx.conf");
    let project = source::load(&root, &files, &LoadOptions::default());
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    let platform = Platform {
        server: assumed(version),
        library: assumed("3.0"),
        package: None,
    };
    let site = model::build(&project, &platform);
    let said = project.problems.iter().map(|problem| {
        assert!(problem.refused, "{problem:?}");
        format!("{} {}", problem.message, problem.line)
    });
    let found = site.refusals.iter();
    said.chain(found.map(|found| format!("{} {}", found.message, found.at.line)))
        .collect()
}

/// One server with a certificate; `settings` stand on lines 3 and following.
fn one(version: &str, settings: &str) -> Vec<String> {
    let text = format!(
        "events {{}}\nhttp {{ server {{ listen 443 ssl; ssl_certificate c; ssl_certificate_key k;\n\
         {settings}\n}} }}\n"
    );
    refusals(version, &text)
}

#[test]
fn values_and_repeats() {
    let cases = [
        (
            "ssl_session_tickets true;",
            "invalid value \"true\" in \"ssl_session_tickets\" directive, it must be \"on\" or \
             \"off\" 3",
        ),
        (
            "ssl_session_timeout 5x;",
            "\"ssl_session_timeout\" directive invalid value 3",
        ),
        (
            "ssl_session_cache Shared:one:1m;",
            "invalid session cache \"Shared:one:1m\" 3",
        ),
        (
            "ssl_session_cache shared:small:16k;",
            "session cache \"shared:small:16k\" is too small 3",
        ),
        (
            "ssl_protocols TLSv1.2 TLSv1.4;",
            "invalid value \"TLSv1.4\" 3",
        ),
        ("ssl_verify_client yes;", "invalid value \"yes\" 3"),
        (
            "ssl_verify_depth x;",
            "\"ssl_verify_depth\" directive invalid number 3",
        ),
        (
            "listen 127.0.0.1:0 ssl;",
            "invalid port in \"127.0.0.1:0\" of the \"listen\" directive 3",
        ),
        ("listen 444 bogus;", "invalid parameter \"bogus\" 3"),
        (
            "ssl_session_timeout 5m;\nssl_session_timeout 5m;",
            "\"ssl_session_timeout\" directive is duplicate 4",
        ),
    ];
    for version in [OLD, NEW] {
        for (settings, expected) in cases {
            assert_eq!(one(version, settings), [expected], "{version}: {settings}");
        }
    }
}

#[test]
fn what_looks_wrong_and_is_not() {
    let fine = [
        "ssl_session_tickets OFF;",
        "ssl_session_cache none; ssl_session_cache none;",
        "ssl_session_timeout \"1h 30m\";",
        "ssl_protocols TLSv1.2; ssl_protocols tlsv1.3;",
        "ssl_verify_client OFF;",
        "ssl_conf_command NumTickets many;",
        "ssl_session_cache shared:edge:32768;",
        "some_module_s_own on; some_module_s_own on;",
    ];
    for version in [OLD, NEW] {
        for settings in fine {
            assert_eq!(one(version, settings), [""; 0], "{version}: {settings}");
        }
    }
}

#[test]
fn commands_authorities_and_versions() {
    let bogus = one(NEW, "ssl_conf_command Options Bogus;");
    assert_eq!(bogus, ["SSL_CONF_cmd(\"Options\", \"Bogus\") failed 3"]);
    let lower = one(NEW, "ssl_conf_command MinProtocol tlsv1.2;");
    assert_eq!(
        lower,
        ["SSL_CONF_cmd(\"MinProtocol\", \"tlsv1.2\") failed 3"]
    );
    assert_eq!(one(OLD, "ssl on;"), [""; 0]);
    assert_eq!(one(NEW, "ssl on;"), ["unknown directive \"ssl\" 3"]);
    let verify = "ssl_verify_client on; ssl_trusted_certificate ca;";
    assert_eq!(
        one(OLD, verify),
        ["no ssl_client_certificate for ssl_verify_client 2"]
    );
    assert_eq!(one(NEW, verify), [""; 0]);
}

#[test]
fn addresses_and_zones() {
    assert_eq!(
        one(NEW, "listen 0.0.0.0:443;"),
        ["a duplicate listen 0.0.0.0:443 3"]
    );
    let text = "events {}\nhttp { ssl_certificate c; ssl_certificate_key k;\n\
                server { listen 443 ssl default_server; ssl_session_cache shared:S:1m; }\n\
                server { listen 443 default_server; ssl_session_cache shared:S:2m; } }\n";
    assert_eq!(
        refusals(NEW, text),
        [
            "the size 2097152 of shared memory zone \"S\" conflicts with already declared size \
             1048576 4",
            "a duplicate default server for 0.0.0.0:443 4"
        ]
    );
    let stream = "events {}\nstream { ssl_certificate c; ssl_certificate_key k;\n\
                  server { listen 443 ssl; }\nserver { listen 443 ssl; } }\n";
    assert_eq!(
        refusals(OLD, stream),
        ["duplicate \"0.0.0.0:443\" address and port pair 4"]
    );
    assert_eq!(refusals(NEW, stream), [""; 0]);
}

#[test]
fn certificates_and_events() {
    let text = "events {}\nhttp {\nserver { listen 443 ssl; server_name a; }\n}\n";
    assert_eq!(
        refusals(NEW, text),
        [
            "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in \
             /etc/nginx/nginx.conf:3 3"
        ]
    );
    let rejects = "events {}\nhttp {\nserver { listen 443 ssl; ssl_reject_handshake on; }\n}\n";
    assert_eq!(refusals(NEW, rejects), [""; 0]);
    let keyless = "events {}\nhttp {\nserver { listen 443 ssl; ssl_certificate c; }\n}\n";
    assert_eq!(
        refusals(NEW, keyless),
        ["no \"ssl_certificate_key\" is defined for certificate \"c\" 3"]
    );
    let alone = "http { server { listen 80; } }\n";
    assert_eq!(
        refusals(NEW, alone),
        ["no \"events\" section in configuration 1"]
    );
}
