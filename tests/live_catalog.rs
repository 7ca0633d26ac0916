//! The tables against the servers' own syntax checks: where each directive may stand, and with
//! how many arguments. Needs nginx and httpd; a missing server fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use stekguard::catalog::{self, Body, Context, Kind, Server, Version};

/// What an nginx context looks like around a line.
const NGINX: [(Context, &str, &str); 14] = [
    (Context::Main, "", ""),
    (Context::Events, "events {", "}"),
    (Context::Http, "http {", "}"),
    (Context::HttpServer, "http { server {", "}}"),
    (Context::HttpServerIf, "http { server { if ($host) {", "}}}"),
    (Context::HttpLocation, "http { server { location / {", "}}}"),
    (
        Context::HttpLocationIf,
        "http { server { location / { if ($host) {",
        "}}}}",
    ),
    (
        Context::HttpLimitExcept,
        "http { server { location / { limit_except GET {",
        "}}}}",
    ),
    (Context::HttpUpstream, "http { upstream u {", "}}"),
    (Context::Stream, "stream {", "}"),
    (Context::StreamServer, "stream { server {", "}}"),
    (Context::StreamUpstream, "stream { upstream u {", "}}"),
    (Context::Mail, "mail {", "}"),
    (Context::MailServer, "mail { server {", "}}"),
];

/// What an httpd context looks like around a line.
const APACHE: [(Context, &str, &str); 4] = [
    (Context::ServerConfig, "", ""),
    (
        Context::VirtualHost,
        "<VirtualHost 127.0.0.1:9>",
        "</VirtualHost>",
    ),
    (Context::Directory, "<Directory /nowhere>", "</Directory>"),
    (Context::Proxy, "<Proxy *>", "</Proxy>"),
];

struct Nginx {
    folder: tempfile::TempDir,
    version: Version,
}

impl Nginx {
    fn found() -> Self {
        let out = Command::new("/usr/sbin/nginx").arg("-v").output();
        let out = out.expect("nginx is missing: run tests/install_servers.sh");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        let version = text.trim().split_once("nginx/").expect("nginx -v").1;
        let version = version.split_whitespace().next().unwrap().parse().unwrap();
        println!("nginx {version}");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        Self { folder, version }
    }

    fn says(&self, text: &str) -> String {
        let file = self.folder.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        let folder = self.folder.path();
        let mut command = Command::new("/usr/sbin/nginx");
        command
            .args(["-t", "-q", "-e", "stderr", "-p"])
            .arg(folder)
            .arg("-c")
            .arg(&file);
        String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned()
    }

    /// Whether this build has what the context needs.
    fn has(&self, open: &str, close: &str) -> bool {
        !self
            .says(&format!("{open}\n{close}"))
            .contains("unknown directive")
    }
}

#[test]
fn nginx_allows_each_directive_where_the_table_says() {
    let nginx = Nginx::found();
    let (mut checked, mut absent) = (0, 0);
    for (context, open, close) in NGINX {
        if !nginx.has(open, close) {
            println!("not in this build: {}", context.word());
            continue;
        }
        let mut last = "";
        for row in catalog::all(Server::Nginx) {
            if row.name == std::mem::replace(&mut last, row.name) {
                continue;
            }
            let said = nginx.says(&format!("{open}\n{};\n{close}", row.name));
            if said.contains(&format!("unknown directive \"{}\"", row.name)) {
                absent += 1;
                continue;
            }
            let known = catalog::nginx_in(row.name.as_bytes(), context);
            let expected = known.is_some_and(|row| row.exists(nginx.version));
            let live = !said.contains("directive is not allowed here");
            assert_eq!(live, expected, "{} in {}: {said}", row.name, context.word());
            checked += 1;
        }
    }
    println!("{checked} pairs of directive and context agree, {absent} not in this build");
    assert!(checked >= 500, "only {checked} were checked");
}

#[test]
fn nginx_takes_as_many_arguments_as_the_table_says() {
    let nginx = Nginx::found();
    let mut checked = 0;
    for row in catalog::all(Server::Nginx)
        .iter()
        .filter(|row| row.body == Body::None)
    {
        let place = NGINX.iter().find(|(context, ..)| row.allowed_in(*context));
        let (_, open, close) = place.unwrap();
        for count in 0..=8 {
            let arguments = " x".repeat(count);
            let said = nginx.says(&format!("{open}\n{}{arguments};\n{close}", row.name));
            if said.contains("unknown directive") || said.contains("not allowed here") {
                break;
            }
            let live = !said.contains("invalid number of arguments");
            assert_eq!(
                live,
                row.arity.accepts(count),
                "{} with {count}: {said}",
                row.key
            );
            checked += 1;
        }
    }
    println!("{checked} counts of arguments agree");
    assert!(checked >= 400, "only {checked} were checked");
}

const MODULES: [&str; 9] = [
    "mpm_event",
    "authz_core",
    "authn_core",
    "ssl",
    "socache_shmcb",
    "macro",
    "proxy",
    "remoteip",
    "md",
];

fn httpd_says(folder: &Path, text: &str) -> String {
    let modules = Path::new("/usr/lib/apache2/modules");
    let mut all = String::from("ServerName x\nErrorLog /dev/null\nListen 127.0.0.1:9\n");
    all.push_str(&format!(
        "DefaultRuntimeDir {0}\nPidFile {0}/pid\n",
        folder.display()
    ));
    for name in MODULES {
        let file = modules.join(format!("mod_{name}.so"));
        assert!(
            file.exists(),
            "{} is missing: run tests/install_servers.sh",
            file.display()
        );
        all.push_str(&format!("LoadModule {name}_module {}\n", file.display()));
    }
    let file = folder.join("httpd.conf");
    fs::write(&file, format!("{all}{text}\n")).unwrap();
    let mut command = Command::new("/usr/sbin/apache2");
    command.arg("-t").arg("-d").arg(folder).arg("-f").arg(&file);
    let out = command.output();
    let out = out.expect("httpd is missing: run tests/install_servers.sh");
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// A value that gets past the parser; what it would do is not of interest.
fn sample(row: &catalog::Directive, index: usize) -> &'static str {
    match row.kind(index) {
        Kind::Flag => "off",
        Kind::Enum => row.values[0],
        Kind::Number | Kind::AtoiSeconds => "5",
        Kind::Path | Kind::Glob => "/dev/null",
        Kind::Socache => "none",
        Kind::Address => "127.0.0.1:10",
        Kind::Protocols => row.values.last().unwrap(),
        Kind::Command => "Options",
        _ => "x",
    }
}

#[test]
fn httpd_allows_each_directive_where_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for row in catalog::all(Server::Apache) {
        // Windows only.
        if row.name == "UNCList" {
            continue;
        }
        let count = (1..=3).find(|count| row.arity.accepts(*count)).unwrap_or(0);
        let words: Vec<&str> = (0..count).map(|index| sample(row, index)).collect();
        let words = words.join(" ");
        let line = match row.body {
            Body::None => format!("{} {words}", row.name),
            _ => format!("<{0} {words}>\n</{0}>", row.name),
        };
        for (context, open, close) in APACHE {
            let said = httpd_says(folder.path(), &format!("{open}\n{line}\n{close}"));
            let refused = [
                "not allowed",
                "cannot occur within",
                "only used in <VirtualHost>",
            ];
            let live = !refused.iter().any(|text| said.contains(text));
            let expected = row.allowed_in(context);
            assert_eq!(live, expected, "{line} in {}: {said}", context.word());
            checked += 1;
        }
        let said = httpd_says(folder.path(), &line);
        assert!(!said.contains("Invalid command"), "{line}: {said}");
    }
    println!("{checked} pairs of directive and context agree");
    assert!(checked >= 300, "only {checked} were checked");
}

/// Texts of a binary that could be names of directives.
fn words_of(binary: &Path) -> BTreeSet<String> {
    let bytes = fs::read(binary).unwrap();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words = bytes.split(|byte| !is_name(byte));
    let words = words.filter(|word| (4..=60).contains(&word.len()));
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The name with two letters swapped in its middle; `None` where that is the same.
fn slip(name: &str) -> Option<String> {
    let mut letters = name.as_bytes().to_vec();
    let middle = letters.len() / 2;
    letters.swap(middle - 1, middle);
    let slip = String::from_utf8(letters).unwrap();
    (slip != name && name.len() >= 4).then_some(slip)
}

/// What a server itself knows is never taken for a mistake, and a mistake that it refuses is.
fn holds_names(server: Server, words: &BTreeSet<String>, refuses: impl Fn(&str) -> bool) {
    let taken: Vec<&String> = words
        .iter()
        .filter(|word| catalog::meant(server, word.as_bytes()).is_some())
        .collect();
    for word in &taken {
        assert!(refuses(word), "`{word}` is a directive");
    }
    let mut slips = 0;
    for row in catalog::all(server) {
        let Some(slip) = slip(row.name) else { continue };
        if !refuses(&slip) {
            continue;
        }
        let meant = catalog::meant(server, slip.as_bytes());
        assert!(meant.is_some(), "`{slip}` for `{}`", row.name);
        slips += 1;
    }
    println!(
        "{} words of the binaries, {} of them near to a directive and refused; {slips} slips seen",
        words.len(),
        taken.len()
    );
    assert!(words.len() > 2_000, "too few words");
    assert!(slips >= 80, "only {slips} slips");
}

#[test]
fn no_directive_of_nginx_is_called_misspelled_and_slips_are() {
    let nginx = Nginx::found();
    let words = words_of(Path::new("/usr/sbin/nginx"));
    assert!(words.contains("proxy_ssl_session_reuse"), "not the names");
    holds_names(Server::Nginx, &words, |word| {
        let said = nginx.says(&format!("{word} x;"));
        said.contains(&format!("unknown directive \"{word}\""))
    });
}

#[test]
fn no_directive_of_httpd_is_called_misspelled_and_slips_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut words = words_of(Path::new("/usr/sbin/apache2"));
    for name in MODULES {
        let file = format!("/usr/lib/apache2/modules/mod_{name}.so");
        words.extend(words_of(Path::new(&file)));
    }
    assert!(words.contains("SSLProxyEngine"), "not the names");
    holds_names(Server::Apache, &words, |word| {
        let said = httpd_says(folder.path(), &format!("{word} x"));
        said.contains("Invalid command")
    });
}
