//! nginx's model: where a value comes from, and what the lookups give.

use stekguard::catalog::Server;
use stekguard::model::{
    self, BlockKind, ClientAuth, Field, Groundwork, Origin, Replaced, Site, Tls12Id,
};
use stekguard::source::{self, LoadOptions, Memory, Root};

use super::world;

const TLS: &str = "ssl_certificate c.pem; ssl_certificate_key k.pem;";

fn site(text: &str) -> Site {
    world::site(Server::Nginx, "1.22.1", text)
}

/// Where a session's lifetime is said: in the block, around it, nowhere, or in the default server.
#[test]
fn the_origin_of_a_value() {
    let origin = |http: &str, own: &str| {
        let text =
            format!("events {{}} http {{ {TLS} {http} server {{ listen 443 ssl; {own} }} }}");
        let endpoint = site(&text).endpoints[0].clone();
        endpoint.why(Field::Lifetime12).unwrap().origin
    };
    assert_eq!(origin("", ""), Origin::Default);
    assert_eq!(origin("ssl_session_timeout 1h;", ""), Origin::Inherited);
    assert_eq!(origin("", "ssl_session_timeout 1h;"), Origin::Set);
    assert_eq!(
        origin("ssl_session_timeout 2h;", "ssl_session_timeout 1h;"),
        Origin::Set
    );
    let text = format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; ssl_session_timeout 1h; }} \
         server {{ listen 443 ssl; server_name b.test; }} }}"
    );
    let second = site(&text).endpoints[1].clone();
    let origin = second.why(Field::Lifetime12).unwrap().origin;
    assert_eq!(origin, Origin::DefaultServer);
}

/// A `server` outside of `http` is refused; what it would be is shown as if `http` were around it.
#[test]
fn a_server_at_the_top_level_is_judged_as_in_http() {
    let files = Memory::new([(
        "/srv/site.conf",
        format!("server {{ listen 443 ssl; {TLS} }}"),
    )]);
    let root = Root::new(Server::Nginx, "/srv/site.conf");
    let project = source::load(&root, &files, &LoadOptions::default());
    assert!(!project.complete());
    let site = model::build(&project, &world::platform("1.22.1", "3.0"));
    assert_eq!(site.blocks[0].kind, BlockKind::Http);
    assert_eq!(site.endpoints.len(), 1);
}

#[test]
fn each_block_has_its_own_endpoints() {
    let site = site(&format!(
        "events {{}} http {{ {TLS} server {{ listen 443 ssl; listen 8443 ssl; }} \
         server {{ listen 443 ssl; server_name b.test; }} }}"
    ));
    let blocks: Vec<_> = site.endpoints.iter().map(|it| it.block).collect();
    // The first server has an endpoint at each of its addresses, the second has one.
    let first = site.endpoints_of(blocks[0]);
    assert_eq!(first.len(), 2);
    assert!(first.iter().all(|it| blocks[*it] == blocks[0]));
    let b = site.endpoints.iter().position(|it| *it.names == ["b.test"]);
    assert_eq!(site.endpoints_of(blocks[b.unwrap()]), [b.unwrap()]);
    // Connections to port 443 start in the first server, whoever they are for.
    assert_eq!(site.governed_by(blocks[0]).len(), 3);
}

/// What `Protocol`, `MinProtocol` and `MaxProtocol` leave of TLS 1.2 and 1.3: seen on nginx 1.22.1
/// with OpenSSL 3.0 and `openssl s_client`.
#[test]
fn protocols_by_conf_commands() {
    let rows = [
        ("", (true, true)),
        ("Protocol -TLSv1.3", (true, false)),
        ("Protocol -TLSv1.2", (false, true)),
        ("Protocol -tlsv1.3", (true, false)),
        ("Protocol -ALL,TLSv1.2", (true, false)),
        ("Protocol -all,+tlsv1.2", (true, false)),
        ("Protocol -ALL,+TLSv1.3", (false, true)),
        ("Protocol +ALL,-TLSv1.2", (false, true)),
        ("MinProtocol TLSv1.2", (true, true)),
        ("MinProtocol TLSv1.3", (false, true)),
        ("MinProtocol None", (true, true)),
        ("MaxProtocol TLSv1.3", (true, true)),
        ("MaxProtocol TLSv1.2", (true, false)),
        ("MaxProtocol TLSv1.1", (false, false)),
        ("MaxProtocol None", (true, true)),
    ];
    for (command, expected) in rows {
        let line = match command {
            "" => String::new(),
            command => format!("ssl_conf_command {command};"),
        };
        let text = format!(
            "events {{}} http {{ {TLS} ssl_protocols TLSv1.2 TLSv1.3; {line} \
             server {{ listen 443 ssl; }} }}"
        );
        let endpoint = site(&text).endpoints[0].clone();
        // Unknown: TLS 1.0 and 1.1 are on, which OpenSSL 3 does not speak by itself.
        let speaks12 = !["unavailable", "unknown"].contains(&endpoint.tls12.ticket.word());
        let speaks13 = endpoint.tls13.issued.word() != "unavailable";
        assert_eq!((speaks12, speaks13), expected, "{command}");
    }
}

/// Domains that a server opens: its key where tickets are on; TLS 1.2 ids where it keeps
/// sessions and speaks TLS 1.2; stateful tickets where it keeps sessions and tickets are off.
#[test]
fn what_opens_sessions() {
    let opens = |version: &str, own: &str| {
        let text = format!("events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}");
        let site = world::site(Server::Nginx, version, &text);
        site.endpoints[0].accepts.len()
    };
    let rows = [
        ("ssl_protocols TLSv1.2 TLSv1.3;", 1),
        (
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:1m;",
            2,
        ),
        ("ssl_protocols TLSv1.3; ssl_session_cache shared:S:1m;", 1),
        ("ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;", 0),
        (
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache shared:S:1m;",
            2,
        ),
        (
            "ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache shared:S:1m;",
            1,
        ),
    ];
    for (own, count) in rows {
        assert_eq!(opens("1.22.1", own), count, "1.22.1: {own}");
        assert_eq!(opens("1.31.3", own), count, "1.31.3: {own}");
    }
    // Where the block that is asked for decides, one that rejects opens nothing.
    let rejects = "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:1m; \
                   ssl_reject_handshake on;";
    assert_eq!(opens("1.31.3", rejects), 0);
}

/// A server that is alone at its address resumes its own sessions under every name, if it
/// resumes any.
#[test]
fn one_server_serves_every_name() {
    let crosses = |own: &str| {
        let text = format!("events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}");
        let site = world::site(Server::Nginx, "1.31.3", &text);
        site.endpoints[0].cross_name.word()
    };
    assert_eq!(crosses(""), "served");
    assert_eq!(crosses("ssl_session_tickets off;"), "full");
}

/// OpenResty: a script that fetches sessions may know any id, whatever the cache says.
#[test]
fn a_script_keeps_sessions() {
    let ids = |http: &str| {
        let text = format!("events {{}} http {{ {TLS} {http} server {{ listen 443 ssl; }} }}");
        site(&text).endpoints[0].tls12.session_id
    };
    assert_eq!(ids("ssl_session_cache off;"), Tls12Id::Never);
    let block = "ssl_session_fetch_by_lua_block { return }";
    assert_eq!(ids(block), Tls12Id::External);
    assert_eq!(
        ids(&format!("ssl_session_cache off; {block}")),
        Tls12Id::External
    );
    assert_eq!(
        ids("ssl_session_fetch_by_lua_file fetch.lua;"),
        Tls12Id::External
    );
}

/// Misspelled names, however many lines come before them, on every platform that is asked for.
#[test]
fn every_stranger_is_found_once() {
    let near = |text: String| {
        let files = Memory::new([("/etc/nginx/nginx.conf", text)]);
        let root = Root::new(Server::Nginx, "/etc/nginx/nginx.conf");
        let project = source::load(&root, &files, &LoadOptions::default());
        let ground = Groundwork::of(&project);
        let platform = world::platform("1.22.1", "3.0");
        let lines = |site: &Site| site.strangers.iter().map(|it| it.location.line).collect();
        let lent = ground.lent(&platform);
        let shared: Vec<u32> = lines(lent.site());
        let own: Vec<u32> = lines(&lent.back().lent(&platform).into_site());
        assert_eq!(shared, own);
        own
    };
    let http = |lines: &str| format!("events {{}} http {{\n{lines}}}\n");
    let wrong = "ssl_session_tikets off;\n";
    assert_eq!(near(http(wrong)), [2]);
    let many = "add_header a b;\n".repeat(9000);
    let text = http(&format!("{wrong}{many}{wrong}"));
    assert_eq!(near(text), [2, 9003]);
}

/// In `stream`, beside `http` or not: the lifetime is that of the server where connections start.
#[test]
fn both_modules_have_servers_that_decide() {
    let stream = format!(
        "stream {{ {TLS} server {{ listen 443 ssl; ssl_session_timeout 1h; }} \
         server {{ listen 443 ssl; server_name b.test; }} }}"
    );
    let http = format!("http {{ {TLS} server {{ listen 8443 ssl; }} }}");
    for text in [&stream, &format!("{http} {stream}")] {
        let site = world::site(Server::Nginx, "1.26.2", &format!("events {{}} {text}"));
        let endpoints = site.endpoints.iter();
        let second = endpoints
            .clone()
            .find(|it| *it.names == ["b.test"])
            .unwrap();
        let origin = second.why(Field::Lifetime12).unwrap().origin;
        assert_eq!(origin, Origin::DefaultServer, "{text}");
        assert_eq!(second.lifetime_seconds.tls12, Some(3600), "{text}");
    }
}

/// A zone drops at once what it keeps for no time; OpenSSL's own cache takes two hours then.
#[test]
fn a_store_that_keeps_for_no_time() {
    let ids = |own: &str| {
        let text = format!("events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}");
        site(&text).endpoints[0].tls12.session_id
    };
    let zone = "ssl_session_cache shared:S:1m;";
    assert_eq!(ids(zone), Tls12Id::Resumes);
    assert_eq!(
        ids(&format!("{zone} ssl_session_timeout 0;")),
        Tls12Id::Never
    );
    let builtin = "ssl_session_cache builtin; ssl_session_timeout 0;";
    assert_eq!(ids(builtin), Tls12Id::PerWorker);
}

/// Up to 1.28 tickets need both blocks: an `off` of either is what decides, that of the block
/// where connections start first. From 1.31 the name's own block decides, and where it says
/// `off`, TLS 1.3 resumes from the store.
#[test]
fn which_line_decides_tickets() {
    let why = |version: &str, first: &str, second: &str| {
        let text = format!(
            "events {{}} http {{ {TLS} ssl_protocols TLSv1.3; \
             server {{ listen 443 ssl; ssl_session_tickets {first}; }} \
             server {{ listen 443 ssl; server_name b.test; ssl_session_tickets {second}; }} }}"
        );
        let site = world::site(Server::Nginx, version, &text);
        [Field::Tls13Issued, Field::Tls13Resumes].map(|field| {
            let why = site.endpoints[1].why(field).unwrap();
            (why.setting, why.origin)
        })
    };
    let tickets = "ssl_session_tickets";
    let (own, default) = (Origin::Set, Origin::DefaultServer);
    for version in ["1.22.1", "1.28.3"] {
        assert_eq!(why(version, "off", "on"), [(tickets, default); 2]);
        assert_eq!(why(version, "on", "off"), [(tickets, own); 2]);
    }
    assert_eq!(why("1.31.7", "off", "on"), [(tickets, own); 2]);
    let store = ("ssl_session_cache", default);
    assert_eq!(why("1.31.7", "on", "off"), [(tickets, own), store]);
}

/// A server without a certificate has no context of its own: who asks for client certificates
/// is the server where connections start, and it does not insist for others.
#[test]
fn who_asks_for_client_certificates() {
    let asks = |first: &str| {
        let text = format!(
            "events {{}} http {{ server {{ listen 443 ssl; {TLS} {first} }} \
             server {{ listen 443 ssl; server_name b.test; }} }}"
        );
        site(&text).endpoints[1].client_auth
    };
    assert_eq!(asks(""), ClientAuth::Off);
    let on = "ssl_verify_client on; ssl_client_certificate ca.pem;";
    assert_eq!(asks(on), ClientAuth::Optional);
}

/// What resumes in TLS 1.2 keeps the time of its handshake; what replaces a key by its source.
#[test]
fn how_long_sessions_and_keys_live() {
    let endpoint = |own: &str| {
        let text = format!("events {{}} http {{ {TLS} server {{ listen 443 ssl; {own} }} }}");
        world::site(Server::Nginx, "1.31.7", &text).endpoints[0].clone()
    };
    let bounded = |own: &str| endpoint(own).chain_bounded.tls12;
    assert_eq!(bounded(""), Some(true));
    assert_eq!(bounded("ssl_session_tickets off;"), None);
    let zone = "ssl_session_cache shared:S:1m;";
    assert_eq!(
        bounded(&format!("{zone} ssl_session_tickets off;")),
        Some(true)
    );
    let replaced = |own: &str| endpoint(own).ticket_key.replaced;
    assert_eq!(replaced(""), Some(Replaced::Reload));
    assert_eq!(replaced(zone), Some(Replaced::Automatic));
    let file = "ssl_session_ticket_key a.key;";
    assert_eq!(replaced(file), Some(Replaced::ByFile));
}
