//! Repairs of whole configurations by the program: what is said where the policy cannot be had,
//! where a repair does not hold, where files are shared, and where no order is known to be sound.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

#[path = "../support/program.rs"]
mod program;

use program::Run;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn run(dir: &Path, roots: &[&str], args: &[&str]) -> Run {
    let roots: Vec<String> = roots
        .iter()
        .map(|root| dir.join(root).display().to_string())
        .collect();
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let state = TempDir::new().unwrap();
    program::run(state.path(), &[&["fix"], args, &roots].concat())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// nginx 1.22.1 keeps the keys that it made at its start.
#[test]
fn a_policy_that_the_version_cannot_meet_is_said() {
    let text = "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    \
                server {\n        listen 443 ssl;\n    }\n}\n";
    let dir = tree(&[("nginx.conf", text)]);
    let version = ["--server-version", "nginx=1.22.1"];
    let args = [&["--policy", "automatic"], &version[..]].concat();
    let run = run(dir.path(), &["nginx.conf"], &args);
    assert_eq!(run.stdout, "");
    let why = "ticket-keys-against-policy: nginx 1.22.1 does not replace ticket keys by itself";
    let mut lines = run.stderr.lines();
    let said = lines.any(|line| line.starts_with("not changed: ") && line.contains(why));
    assert!(said, "{}", run.stderr);
}

/// Without tickets a client stays authenticated as long as it keeps coming back in TLS 1.3, so
/// that the first repair does not hold; the second has nothing to do with it.
#[test]
fn a_repair_that_does_not_hold_leaves_the_others() {
    let text = "LoadModule ssl_module modules/mod_ssl.so\n\
                LoadModule socache_shmcb_module modules/mod_socache_shmcb.so\n\
                Listen 443\nListen 8443\n\
                SSLSessionCache shmcb:/run/cache(512000)\nSSLSessionCacheTimeout 300\n\
                <VirtualHost *:443>\nServerName a.test\nSSLEngine on\n\
                SSLSessionTicketKeyFile a.key\nSSLVerifyClient require\n\
                SSLCACertificateFile ca.pem\n</VirtualHost>\n\
                <VirtualHost *:8443>\nServerName b.test\nSSLEngine on\n\
                SSLSessionTickets off\nSSLSessionCacheTimeout 400000\n</VirtualHost>\n";
    let dir = tree(&[("httpd.conf", text)]);
    let patch = dir.path().join("patch").display().to_string();
    let args = [
        "--server-version",
        "apache=2.4.62",
        "--policy",
        "no-tickets",
        "--patch-out",
        &patch,
        "--format",
        "json",
    ];
    let run = run(dir.path(), &["httpd.conf"], &args);
    let told = json(&run);
    let failed = told["failed"].as_array().unwrap();
    let root = dir.path().join("httpd.conf").display().to_string();
    let start = format!("{root}: resumption-not-disabled is not repaired: ");
    assert_eq!(failed.len(), 1, "{told}");
    let why = failed[0].as_str().unwrap();
    assert!(why.starts_with(&start), "{why}");
    assert!(
        why.contains("it would cause unbounded-tls13-session"),
        "{why}"
    );
    // And what a person can do about it.
    let way_out = "; who must be sure turns resumption off: `SSLSessionTickets off` and no \
                   `SSLSessionCache`";
    assert!(why.ends_with(way_out), "{why}");
    let patch = fs::read_to_string(patch).unwrap();
    let changed: Vec<&str> = patch
        .lines()
        .skip(2)
        .filter(|line| line.starts_with(['-', '+']))
        .collect();
    // A day is what a session may last by default.
    let wanted = [
        "-SSLSessionCacheTimeout 400000",
        "+SSLSessionCacheTimeout 86400",
    ];
    assert_eq!(changed, wanted, "{patch}");
}

/// Two servers read one file: what the first one needs is done when the second is looked at.
#[test]
fn a_file_of_two_servers_is_repaired_once() {
    let root = "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    \
                include ../shared.conf;\n    server {\n        listen 443 ssl;\n    }\n}\n";
    let shared = "ssl_session_tickets on;\n";
    let files = [
        ("one/nginx.conf", root),
        ("two/nginx.conf", root),
        ("shared.conf", shared),
    ];
    let dir = tree(&files);
    let roots = ["one/nginx.conf", "two/nginx.conf"];
    let args = [
        "--server-version",
        "nginx=1.22.1",
        "--policy",
        "no-tickets",
        "--format",
        "json",
        "--write",
        "--validate",
        "never",
    ];
    let run = run(dir.path(), &roots, &args);
    assert_eq!(run.code, Some(0), "{run:?}");
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("shared.conf"), "ssl_session_tickets off;\n");
    for name in roots {
        assert_eq!(read(name), root);
    }
    let told = json(&run);
    assert_eq!(told["failed"], Value::Array(Vec::new()), "{told}");
    assert_eq!(told["left"], Value::Array(Vec::new()), "{told}");
}

/// Many files that are read inside of hosts: whether every step of writing them is sound is not
/// tried, which is said when they are written too.
#[test]
fn an_order_that_is_not_known_to_be_sound_is_said() {
    const COUNT: usize = 65;
    let mut main =
        "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n\
                    ssl_session_tickets off;\n"
            .to_owned();
    let mut files = Vec::new();
    for number in 0..COUNT {
        let name = format!("s{number}.test");
        main.push_str(&format!(
            "server {{ listen 443 ssl; server_name {name}; include hosts/{name}; }}\n"
        ));
        files.push((format!("hosts/{name}"), "ssl_session_tickets on;\n"));
    }
    main.push_str("}\n");
    let mut all = vec![("nginx.conf", main.as_str())];
    all.extend(files.iter().map(|(name, text)| (name.as_str(), *text)));
    let dir = tree(&all);
    let args = [
        "--server-version",
        "nginx=1.22.1",
        "--policy",
        "no-tickets",
        "--format",
        "json",
        "--write",
        "--validate",
        "never",
    ];
    let run = run(dir.path(), &["nginx.conf"], &args);
    assert_eq!(run.code, Some(0), "{run:?}");
    let why = format!("whether every step is sound is not known, {COUNT} files are replaced");
    let told = json(&run);
    let said = told["broken_between"].as_str().unwrap();
    assert!(said.starts_with(&why), "{said}");
    assert!(run.stderr.contains(&why), "{}", run.stderr);
}

/// Without tickets httpd is as the policy asks, whatever else is found.
#[test]
fn a_policy_that_is_met_is_no_reason_to_say_that_it_cannot_be() {
    let text = "LoadModule ssl_module modules/mod_ssl.so\nListen 443\n\
                SSLSessionCache shmcb:/run/cache(512000)\n\
                <VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile a.pem\n\
                SSLSessionTickets off\nSSLSessionCacheTimeout 400000\n</VirtualHost>\n";
    let dir = tree(&[("httpd.conf", text)]);
    let args = ["--server-version", "apache=2.4.62", "--policy", "rotate"];
    let run = run(dir.path(), &["httpd.conf"], &args);
    assert!(
        run.stderr.contains("excessive-session-timeout"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("not changed"), "{}", run.stderr);
}
