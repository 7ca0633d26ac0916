//! Orders of made-up hosts, held against judging every step.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::Request;
use super::super::lint::Session;
use super::*;
use crate::text::{Edit, EditSet};

/// What a host says, by server: one of each row.
const NGINX: [&[&str]; 4] = [
    &["", "ssl_session_tickets on;", "ssl_session_tickets off;"],
    &["", "ssl_session_timeout 1h;", "ssl_session_timeout 90d;"],
    &[
        "",
        "ssl_session_cache shared:A:10m;",
        "ssl_session_cache shared:A:20m;",
        "ssl_session_cache off;",
    ],
    &[
        "",
        "",
        "ssl_verify_client on; ssl_client_certificate one.pem;",
        "ssl_verify_client on; ssl_client_certificate two.pem;",
    ],
];
const APACHE: [&[&str]; 4] = [
    &["", "SSLSessionTickets on", "SSLSessionTickets off"],
    &["", "SSLOpenSSLConfCmd Options -SessionTicket"],
    &["", "SSLStrictSNIVHostCheck on", "SSLSessionTicketKeyFile k"],
    &[
        "",
        "",
        "SSLVerifyClient require\nSSLCACertificateFile one.pem",
        "SSLVerifyClient require\nSSLCACertificateFile two.pem",
    ],
];

type Words = [&'static str; 4];
/// The number of its address, and what it says before and afterwards.
type Host = (usize, Words, Words);

fn words(rows: &'static [&'static [&'static str]; 4]) -> impl Strategy<Value = Words> {
    let [a, b, c, d] = *rows;
    (select(a), select(b), select(c), select(d)).prop_map(|(a, b, c, d)| [a, b, c, d])
}

/// Hosts that change all alike, or each for itself; some do not change.
fn hosts(rows: &'static [&'static [&'static str]; 4]) -> impl Strategy<Value = Vec<Host>> {
    let host = (0usize..2, words(rows), words(rows), 0u8..3);
    let each = prop::collection::vec(host, 3..9);
    (each, words(rows), words(rows), 0u8..4).prop_map(|(hosts, old, new, kind)| {
        let host = |(address, own, other, fate): (usize, Words, Words, u8)| {
            let one = |index: usize, of: &Words| match (index, kind) {
                (0, 1..) | (1, 2..) => of[index],
                _ => own[index],
            };
            let all = |of: &Words| [0, 1, 2, 3].map(|index| one(index, of));
            match (kind, fate) {
                (0, 0) => (address, own, own),
                (0, _) => (address, own, other),
                _ => (address, all(&old), all(&new)),
            }
        };
        hosts.into_iter().map(host).collect()
    })
}

/// What stands around the words of a host.
fn around(server: Server, number: usize, address: usize) -> (String, &'static str) {
    match server {
        Server::Nginx => (
            format!("server {{\nlisten 127.0.0.1:844{address} ssl;\nserver_name h{number}.test;\n"),
            "\n}\n",
        ),
        Server::Apache => (
            format!(
                "<VirtualHost 127.0.0.1:844{address}>\nServerName h{number}.test\n\
                 SSLEngine on\nSSLCertificateFile c\n"
            ),
            "\n</VirtualHost>\n",
        ),
    }
}

/// Why the order is not known to be sound, and which of its steps are broken.
fn judged(server: Server, hosts: &[Host]) -> Option<(Option<String>, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let base = std::fs::canonicalize(folder.path()).unwrap();
    let (root, head) = match server {
        Server::Nginx => (
            "nginx.conf",
            "events {}\nhttp {\nssl_certificate c;\nssl_certificate_key k;\n\
             include hosts/*.conf;\n}\n",
        ),
        Server::Apache => (
            "httpd.conf",
            "Listen 127.0.0.1:8440\nListen 127.0.0.1:8441\n\
             SSLSessionCache shmcb:cache(512000)\nInclude hosts/*.conf\n",
        ),
    };
    std::fs::create_dir(base.join("hosts")).unwrap();
    let head = match server {
        Server::Nginx => head.to_owned(),
        Server::Apache => format!("ServerRoot {}\n{head}", base.display()),
    };
    std::fs::write(base.join(root), head).unwrap();
    let mut planned = Vec::new();
    for (number, (address, old, new)) in hosts.iter().enumerate() {
        let path = base.join(format!("hosts/{number}.conf"));
        let (head, tail) = around(server, number, *address);
        let (old, new) = (old.join("\n"), new.join("\n"));
        let text = |said: &str| format!("{head}{said}{tail}");
        let (before, after) = (text(&old), text(&new));
        std::fs::write(&path, &before).unwrap();
        if before == after {
            continue;
        }
        let mut round = EditSet::new();
        let edit = Edit {
            span: Span::new(head.len() as u32, (head.len() + old.len()) as u32),
            replacement: new.into_bytes(),
        };
        round.insert(edit).unwrap();
        planned.push(PlannedFile {
            paths: vec![Arc::from(path.as_path())],
            real: Some(path),
            server,
            before: Arc::from(before.as_bytes()),
            after: after.into_bytes().into(),
            rounds: vec![round],
            reasons: Vec::new(),
            crowded: false,
        });
    }
    if planned.len() < 2 {
        return None;
    }
    let mut request = Request {
        paths: vec![base.join(root)],
        ..Request::default()
    };
    request.versions.add("nginx=1.28.3").unwrap();
    request.versions.add("apache=2.4.62").unwrap();
    let session = Session::open(&request).unwrap();
    let mixtures = Mixtures::new(&session, &planned);
    assert_eq!(mixtures.concerned.len(), 1);
    let order = find_long(&planned, &mixtures);
    let steps = (1..planned.len()).filter_map(|count| {
        let mut new = order.sequence[..count].to_vec();
        new.sort_unstable();
        mixtures.sound(&new).err()
    });
    let steps = steps.collect();
    Some((order.broken, steps))
}

fn never_promises_too_much(server: Server, hosts: &[Host]) {
    if let Some((None, steps)) = judged(server, hosts) {
        assert!(steps.is_empty(), "{steps:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_broken_step_of_nginx_breaks_the_cover(hosts in hosts(&NGINX)) {
        never_promises_too_much(Server::Nginx, &hosts);
    }

    #[test]
    fn a_broken_step_of_httpd_breaks_the_cover(hosts in hosts(&APACHE)) {
        never_promises_too_much(Server::Apache, &hosts);
    }
}

/// What a repair does: every host loses the same line, or gets it.
#[test]
fn hosts_that_change_alike_are_covered() {
    let nginx = ["ssl_session_tickets on;", "ssl_session_timeout 1h;", "", ""];
    let off = [
        "ssl_session_tickets off;",
        "ssl_session_timeout 1h;",
        "",
        "",
    ];
    let hosts: Vec<Host> = (0..12).map(|number| (number % 3, nginx, off)).collect();
    assert_eq!(judged(Server::Nginx, &hosts), Some((None, Vec::new())));
    let (on, off) = (["SSLSessionTickets on", "", "", ""], ["", "", "", ""]);
    let hosts: Vec<Host> = (0..12).map(|number| (number % 2, off, on)).collect();
    assert_eq!(judged(Server::Apache, &hosts), Some((None, Vec::new())));
}

/// A zone has one size: where it grows, no server starts in between.
#[test]
fn a_zone_that_grows_is_not_covered() {
    let zone = |size: &'static str| ["ssl_session_tickets off;", "", size, ""];
    let (old, new) = (zone(NGINX[2][1]), zone(NGINX[2][2]));
    let hosts: Vec<Host> = (0..6).map(|number| (number % 2, old, new)).collect();
    let (broken, steps) = judged(Server::Nginx, &hosts).unwrap();
    assert!(broken.is_some());
    assert_eq!(steps.len(), 5);
}

#[test]
fn files_around_hosts_are_steps_of_their_own() {
    let sequence = [5, 4, 3, 2, 1, 0];
    let (hosts, around) = (Part::Hosts, Part::Around);
    let parts = [around, hosts, hosts, around, Part::Governor, hosts];
    // 5; then 4, which governs; then 3 alone; then 2 and 1; then 0, the root.
    let expected: [&[usize]; 5] = [&[5], &[4, 5], &[3, 4, 5], &[2, 3, 4, 5], &[1, 2, 3, 4, 5]];
    assert_eq!(trials(&sequence, &parts), expected);
}
