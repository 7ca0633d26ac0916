//! Tables of single values. What a server accepts was tried on nginx 1.22.1 (`nginx -t`) and
//! httpd 2.4.71 (`apache2 -t`), with OpenSSL 3.0; what it then holds follows from their
//! documentation.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::net::{Ipv4Addr, Ipv6Addr};

use stekguard::syntax::value::nginx::{self, Host, Ports, SessionCache};
use stekguard::syntax::value::{ValueError, apache, c_atoi, c_string, openssl};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[test]
fn nginx_times_in_seconds() {
    for (text, expected) in [
        ("300", Some(300)),
        ("0", Some(0)),
        ("5m", Some(5 * MINUTE)),
        ("10s", Some(10)),
        ("1h30m", Some(90 * MINUTE)),
        ("1d", Some(DAY)),
        ("1w1d", Some(8 * DAY)),
        ("1M", Some(30 * DAY)),
        ("1y", Some(365 * DAY)),
        ("1y 2M", Some(425 * DAY)),
        ("1y2M", Some(425 * DAY)),
        ("1hm", Some(HOUR)),
        ("1m 30", Some(90)),
        ("1 30", Some(31)),
        ("1m 30 5", Some(95)),
        (" 5", Some(5)),
        ("5 ", Some(5)),
        ("1h  ", Some(HOUR)),
        ("9223372036854775807", Some(i64::MAX)),
        ("292471208677y", Some(292_471_208_677 * 365 * DAY)),
        ("292471208678y", None),
        ("9223372036854775808", None),
        ("5ms", None),
        ("h", None),
        ("", None),
        (" ", None),
        ("1d1w", None),
        ("1h1h", None),
        ("1s 30 ", None),
        ("1  h", None),
        ("1 h", None),
        ("1Y", None),
        ("1H", None),
        ("-1", None),
        ("1.5h", None),
        ("1\t", None),
    ] {
        assert_eq!(nginx::seconds(text.as_bytes()).ok(), expected, "{text:?}");
    }
}

#[test]
fn nginx_times_in_milliseconds() {
    for (text, expected) in [
        ("5", Some(5_000)),
        ("5ms", Some(5)),
        ("1s500ms", Some(1_500)),
        ("1m", Some(60_000)),
        ("4w", Some(28 * 86_400_000)),
        ("1M", None),
        ("1y", None),
        ("1ms1s", None),
        ("9223372036854775807", None),
    ] {
        assert_eq!(
            nginx::milliseconds(text.as_bytes()).ok(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn nginx_sizes() {
    for (text, expected) in [
        ("0", Some(0)),
        ("32768", Some(32_768)),
        ("32k", Some(32_768)),
        ("32K", Some(32_768)),
        ("10m", Some(10 << 20)),
        ("10M", Some(10 << 20)),
        ("1g", None),
        ("k", None),
        ("", None),
        ("1kk", None),
        ("-1", None),
        ("9223372036854775807", Some(i64::MAX as u64)),
        ("9223372036854775808", None),
        ("9223372036854775807k", None),
    ] {
        assert_eq!(nginx::size(text.as_bytes()).ok(), expected, "{text:?}");
    }
}

#[test]
fn flags_have_no_case_and_end_at_nul() {
    for (text, expected) in [
        (&b"on"[..], Ok(true)),
        (b"OFF", Ok(false)),
        (b"oN", Ok(true)),
        (b"on\0x", Ok(true)),
        (b"yes", Err(ValueError::Flag)),
        (b"", Err(ValueError::Flag)),
        (b"on ", Err(ValueError::Flag)),
    ] {
        assert_eq!(nginx::flag(text), expected, "{text:?}");
    }
    assert_eq!(c_string(b"\0a"), b"");
    assert_eq!(c_string(b"ab"), b"ab");
}

#[test]
fn nginx_session_caches() {
    let shared = |name: &'static [u8], size| Ok(SessionCache::Shared { name, size });
    for (text, expected) in [
        ("off", Ok(SessionCache::Off)),
        ("none", Ok(SessionCache::None)),
        ("builtin", Ok(SessionCache::Builtin(None))),
        ("builtin:100", Ok(SessionCache::Builtin(Some(100)))),
        ("builtin:0", Ok(SessionCache::Builtin(Some(0)))),
        ("shared:A:32k", shared(b"A", 32_768)),
        ("shared:A:32768", shared(b"A", 32_768)),
        ("shared:A:1M", shared(b"A", 1 << 20)),
        ("shared:A:32767", Err(ValueError::SmallSessionCache)),
        ("shared:A:31k", Err(ValueError::SmallSessionCache)),
        ("shared:A", Err(ValueError::SessionCache)),
        ("shared::1m", Err(ValueError::SessionCache)),
        ("shared:A:", Err(ValueError::SessionCache)),
        ("shared:A:1g", Err(ValueError::SessionCache)),
        ("shared:A:1m:2", Err(ValueError::SessionCache)),
        ("shared:", Err(ValueError::SessionCache)),
        ("builtin:", Err(ValueError::SessionCache)),
        ("builtin:x", Err(ValueError::SessionCache)),
        ("Shared:A:1m", Err(ValueError::SessionCache)),
        ("OFF", Err(ValueError::SessionCache)),
        ("", Err(ValueError::SessionCache)),
    ] {
        assert_eq!(nginx::session_cache(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn nginx_protocols() {
    let words = [&b"tlsv1.2"[..], b"TLSv1.3", b"SSLV3"];
    let set = nginx::protocols(words).unwrap();
    assert!(set.tls1_2 && set.tls1_3 && set.ssl3 && !set.tls1 && !set.tls1_1 && !set.ssl2);
    assert_eq!(nginx::protocols([&b"tls1"[..]]), Err(ValueError::Invalid));
}

#[test]
fn nginx_listen_addresses() {
    let ports = |first, last| Some(Ports { first, last });
    let one = |port| ports(port, port);
    let local = Host::V4(Ipv4Addr::LOCALHOST);
    for (text, expected) in [
        ("*:443", Ok((Host::Any, one(443)))),
        ("443", Ok((Host::Any, one(443)))),
        ("0443", Ok((Host::Any, one(443)))),
        ("*", Ok((Host::Any, None))),
        ("[::]:443", Ok((Host::V6(Ipv6Addr::UNSPECIFIED), one(443)))),
        ("[::1]", Ok((Host::V6(Ipv6Addr::LOCALHOST), None))),
        (
            "[::1]:443-445",
            Ok((Host::V6(Ipv6Addr::LOCALHOST), ports(443, 445))),
        ),
        ("127.0.0.1:443", Ok((local.clone(), one(443)))),
        ("127.0.0.01:443", Ok((local.clone(), one(443)))),
        ("127.0.0.1", Ok((local.clone(), None))),
        ("127.0.0.1:441-443", Ok((local, ports(441, 443)))),
        ("441-443", Ok((Host::Any, ports(441, 443)))),
        ("localhost:443", Ok((Host::Name(b"localhost"), one(443)))),
        ("localhost", Ok((Host::Name(b"localhost"), None))),
        ("256.1.1.1:443", Ok((Host::Name(b"256.1.1.1"), one(443)))),
        ("127.1:443", Ok((Host::Name(b"127.1"), one(443)))),
        ("441-x", Ok((Host::Name(b"441-x"), None))),
        ("-443", Ok((Host::Name(b"-443"), None))),
        ("x-443", Ok((Host::Name(b"x-443"), None))),
        ("+443", Ok((Host::Name(b"+443"), None))),
        ("unix:/run/a.sock", Ok((Host::Unix(b"/run/a.sock"), None))),
        ("UNIX:/run/a.sock", Ok((Host::Unix(b"/run/a.sock"), None))),
        ("unix:", Err(ValueError::NoPath)),
        ("[::1", Err(ValueError::Host)),
        ("[::1]443", Err(ValueError::Host)),
        ("[::1]:443/", Err(ValueError::Host)),
        ("a/b", Err(ValueError::Host)),
        ("a?b", Err(ValueError::Host)),
        ("[]:443", Err(ValueError::NoHost)),
        (":443", Err(ValueError::NoHost)),
        ("[x]:1", Err(ValueError::Ipv6)),
        ("[fe80::1%lo]:443", Err(ValueError::Ipv6)),
        ("[1::2::3]:443", Err(ValueError::Ipv6)),
        ("[::1]:", Err(ValueError::Port)),
        ("0", Err(ValueError::Port)),
        ("65536", Err(ValueError::Port)),
        ("127.0.0.1:", Err(ValueError::Port)),
        ("127.0.0.1:x", Err(ValueError::Port)),
        ("127.0.0.1:1:2", Err(ValueError::Port)),
        ("443-441", Err(ValueError::PortRange)),
        ("127.0.0.1:443-441", Err(ValueError::PortRange)),
    ] {
        let listen = nginx::listen(text.as_bytes(), []);
        assert_eq!(listen.map(|it| (it.host, it.ports)), expected, "{text:?}");
    }
    let path = |length| [b"unix:", "a".repeat(length).as_bytes()].concat();
    assert!(nginx::listen(&path(107), []).is_ok());
    assert_eq!(nginx::listen(&path(108), []), Err(ValueError::LongPath));
}

#[test]
fn nginx_listen_parameters() {
    let words = [
        &b"ssl"[..],
        b"default",
        b"http2",
        b"proxy_protocol",
        b"backlog=5",
        b"SSL",
    ];
    let listen = nginx::listen(b"443", words).unwrap();
    assert!(listen.ssl && listen.default_server && listen.http2 && listen.proxy_protocol);
    assert!(!listen.quic && !listen.udp && !listen.reuseport);
    assert_eq!(listen.others, [&b"backlog=5"[..], b"SSL"]);
    let listen = nginx::listen(b"[::]:443", [&b"quic"[..], b"reuseport", b"ipv6only=off"]).unwrap();
    assert!(listen.quic && listen.reuseport);
    assert_eq!(listen.ipv6only, Some(false));
    assert_eq!(
        nginx::listen(b"[::]:443", [&b"ipv6only=x"[..]]),
        Err(ValueError::Invalid)
    );
}

#[test]
fn openssl_options() {
    for (text, expected) in [
        ("-SessionTicket", Ok(Some(false))),
        ("SessionTicket", Ok(Some(true))),
        ("+SESSIONTICKET", Ok(Some(true))),
        ("-sessionticket", Ok(Some(false))),
        ("-SessionTicket, Bugs", Ok(Some(false))),
        (" -SessionTicket\t,Bugs ", Ok(Some(false))),
        ("-SessionTicket,SessionTicket", Ok(Some(true))),
        ("Bugs", Ok(None)),
        ("- SessionTicket", Ok(None)),
        ("--SessionTicket", Ok(None)),
        ("", Err(ValueError::ConfCommand)),
        (" ", Err(ValueError::ConfCommand)),
        (",", Err(ValueError::ConfCommand)),
        ("a,,b", Err(ValueError::ConfCommand)),
        ("-SessionTicket,", Err(ValueError::ConfCommand)),
        (",-SessionTicket", Err(ValueError::ConfCommand)),
    ] {
        assert_eq!(
            openssl::session_ticket(text.as_bytes()),
            expected,
            "{text:?}"
        );
    }
    assert!(openssl::is_command(b"options", "Options"));
    assert!(!openssl::is_command(b"-Options", "Options"));
}

#[test]
fn numbers_as_c_reads_them() {
    for (text, expected) in [
        ("300", 300),
        ("1d", 1),
        ("5m", 5),
        ("abc", 0),
        ("", 0),
        (" \x0b\x0c-7", -7),
        ("+7", 7),
        ("+-7", 0),
        ("2147483648", i32::MIN),
        ("4294967296", 0),
        ("4294967295", -1),
        ("99999999999999999999", -1),
        ("-99999999999999999999", 0),
    ] {
        assert_eq!(c_atoi(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(openssl::num_tickets(b" 3x"), Ok(3));
    assert_eq!(openssl::num_tickets(b"abc"), Ok(0));
    assert_eq!(openssl::num_tickets(b"4294967296"), Ok(0));
    assert_eq!(openssl::num_tickets(b"-1"), Err(ValueError::ConfCommand));
    assert_eq!(
        openssl::num_tickets(b"2147483648"),
        Err(ValueError::ConfCommand)
    );
    assert_eq!(apache::timeout(b"1d"), Ok(1));
    assert_eq!(apache::timeout(b"abc"), Ok(0));
    assert_eq!(apache::timeout(b"-1"), Err(ValueError::Invalid));
}

#[test]
fn apache_session_caches() {
    use apache::SessionCache::{None as Nothing, NoneNotNull, Provider, Shmcb};
    let shmcb = |path: &'static str, size| {
        Ok(Shmcb {
            path: Some(path.as_bytes()),
            size,
        })
    };
    for (text, expected) in [
        ("none", Ok(Nothing)),
        ("NONE", Ok(Nothing)),
        ("NoneNotNull", Ok(NoneNotNull)),
        (
            "shmcb",
            Ok(Shmcb {
                path: None,
                size: 524_288,
            }),
        ),
        (
            "shmcb:",
            Ok(Shmcb {
                path: None,
                size: 524_288,
            }),
        ),
        ("shmcb:/run/c", shmcb("/run/c", 524_288)),
        ("shmcb:/run/c(512000)", shmcb("/run/c", 512_000)),
        ("shmcb:/run/c( 9000)", shmcb("/run/c", 9000)),
        ("shmcb:/run/c(8192)", shmcb("/run/c", 8192)),
        ("shmcb:/run/c(8191)", Err(ValueError::SmallCache)),
        ("shmcb:/run/c()", Err(ValueError::SmallCache)),
        ("shmcb:/run/c(67108864)", shmcb("/run/c", 67_108_864)),
        ("shmcb:/run/c(2147483648)", shmcb("/run/c", 2_147_483_648)),
        ("shmcb:/run/c(4294967295)", Err(ValueError::LargeCache)),
        (
            "shmcb:/run/c(99999999999999999999)",
            Err(ValueError::LargeCache),
        ),
        ("shmcb:/run/c(-1)", Err(ValueError::LargeCache)),
        ("shmcb:/run/c(1m)", Err(ValueError::CacheSize)),
        ("shmcb:/run/c(9000", Err(ValueError::CacheClosing)),
        ("shmcb:/run/c9000)", Err(ValueError::CacheOpening)),
        (
            "dbm:/run/d",
            Ok(Provider {
                name: b"dbm",
                argument: Some(b"/run/d"),
            }),
        ),
        (
            "memcache:a:1,b:2",
            Ok(Provider {
                name: b"memcache",
                argument: Some(b"a:1,b:2"),
            }),
        ),
        (
            "SHMCB:/x",
            Ok(Provider {
                name: b"SHMCB",
                argument: Some(b"/x"),
            }),
        ),
    ] {
        assert_eq!(apache::session_cache(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn apache_protocols() {
    let read = |text: &'static str| apache::protocols(text.split(' ').map(str::as_bytes));
    let versions = |text| {
        let set = read(text).unwrap();
        [set.ssl3, set.tls1, set.tls1_1, set.tls1_2, set.tls1_3].map(u8::from)
    };
    assert_eq!(versions("all"), [1, 1, 1, 1, 1]);
    assert_eq!(versions("ALL -SSLv3 -tlsv1 -TLSv1.1"), [0, 0, 0, 1, 1]);
    assert_eq!(versions("+TLSv1.2 +TLSv1.3"), [0, 0, 0, 1, 1]);
    assert_eq!(versions("-all +TLSv1.2"), [0, 0, 0, 1, 0]);
    assert_eq!(versions("TLSv1.2 TLSv1.3"), [0, 0, 0, 0, 1]);
    assert_eq!(versions("all -SSLv2 -SSLv3"), [0, 1, 1, 1, 1]);
    assert!(read("TLSv1.2 TLSv1.3").unwrap().overridden);
    assert!(!read("all -SSLv3").unwrap().overridden);
    assert_eq!(read("all +SSLv2"), Err(ValueError::Sslv2));
    assert_eq!(read("TLS1.2"), Err(ValueError::Protocol));
}

#[test]
fn apache_addresses() {
    use apache::{Address, Host as Name};
    let local = Name::V6(Ipv6Addr::LOCALHOST);
    let at = |host, port: u16| {
        Ok(Address {
            host,
            port: Some(port),
            any_port: false,
        })
    };
    let link: Ipv6Addr = "fe80::1".parse().unwrap();
    for (text, expected) in [
        ("443", at(Name::Any, 443)),
        ("*:443", at(Name::Any, 443)),
        ("1.2.3.4:443", at(Name::Name(b"1.2.3.4"), 443)),
        ("[::1]:443", at(local, 443)),
        ("[fe80::1%lo]:443", at(Name::Scoped(link, b"lo"), 443)),
        ("a.test:443", at(Name::Name(b"a.test"), 443)),
        ("a.test", Err(ValueError::NoPort)),
        ("a.test:", Err(ValueError::NoPort)),
        ("a.test:x", Err(ValueError::NoPort)),
        ("+443", Err(ValueError::NoPort)),
        ("[::1]", Err(ValueError::NoPort)),
        ("0", Err(ValueError::Address)),
        ("65536", Err(ValueError::Address)),
        (":443", Err(ValueError::Address)),
        ("[::1:443", Err(ValueError::Address)),
    ] {
        assert_eq!(apache::listen(text.as_bytes()), expected, "{text:?}");
    }
    let any = |host| {
        Ok(Address {
            host,
            port: None,
            any_port: true,
        })
    };
    let bare = |host| {
        Ok(Address {
            host,
            port: None,
            any_port: false,
        })
    };
    for (text, expected) in [
        ("*:443", at(Name::Any, 443)),
        ("_default_:443", at(Name::Any, 443)),
        ("_DEFAULT_:*", any(Name::Any)),
        ("*", bare(Name::Any)),
        ("*:*", any(Name::Any)),
        ("[::1]:443", at(local, 443)),
        ("[::1]", bare(local)),
        ("[::1]:*", any(local)),
        ("1.2.3.4", bare(Name::Name(b"1.2.3.4"))),
        ("host:*", any(Name::Name(b"host"))),
        ("*:", bare(Name::Name(b"*:"))),
        (":", bare(Name::Name(b":"))),
        ("443", Err(ValueError::NoAddress)),
        (":*", Err(ValueError::Address)),
        ("*:0", Err(ValueError::Address)),
        ("1.2.3.4:65536", Err(ValueError::Address)),
        ("[x]:443", Err(ValueError::Address)),
    ] {
        assert_eq!(apache::virtual_host(text.as_bytes()), expected, "{text:?}");
    }
}

/// APR takes more than four digits where the value fits (seen on httpd 2.4.71).
#[test]
fn groups_of_an_ipv6_address_may_have_leading_zeros() {
    let read = |text: &'static str| apache::virtual_host(text.as_bytes()).map(|it| it.host);
    let two = Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 2);
    assert_eq!(
        read("[00000:000:000:0000::2]:7080"),
        Ok(apache::Host::V6(two))
    );
    assert_eq!(read("[12345::2]:7080"), Err(ValueError::Address));
    assert_eq!(read("[000g::2]:7080"), Err(ValueError::Address));
}
