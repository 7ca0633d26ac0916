//! The fuzzer's dictionaries, made of the catalog and the table of settings, so that no fact about
//! a server stands in them by hand. What is not of a grammar is punctuation.

use std::collections::BTreeSet;

use stekguard::catalog::{self, Server};
use stekguard::policy::settings::{KEYS, Key, Kind};
use stekguard::rules;

/// File names and texts.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("nginx.dict", text(nginx(), NGINX_MARKS)),
        ("apache.dict", text(apache(), APACHE_MARKS)),
        ("includes.dict", text(includes(), INCLUDE_MARKS)),
        ("settings.dict", text(settings(), SETTINGS_MARKS)),
        ("values.dict", text(values(), VALUE_MARKS)),
        (
            "suppression.dict",
            text(suppression(), &["# stekguard: ", "ignore[", "] "]),
        ),
        (
            "ansible.dict",
            text(
                ansible(),
                &["{\"", "\":", "\",\"", "[\"", "\"]", "\":null", "true"],
            ),
        ),
    ]
}

const NGINX_MARKS: &[&str] = &[
    "{",
    "}",
    ";",
    "\"",
    "'",
    "#",
    "\\",
    "$",
    "${",
    "[[",
    "]]",
    "--[[",
    "\r\n",
    ";\n",
    " {\n",
    "}\n",
    "# configuration file /etc/nginx/nginx.conf:\n",
    "include *.conf;",
    "ssl_certificate a.pem;",
];
const APACHE_MARKS: &[&str] = &[
    "<",
    "</",
    ">",
    "\\\n",
    "\\\r\n",
    "${",
    "}",
    "$",
    "@",
    "%",
    "!",
    "\"",
    "'",
    "*:443",
    "\n",
    "Define A b\n",
    "Use A ",
    "<Macro A $b>\n",
    "</Macro>\n",
    "Include *.conf\n",
];
const INCLUDE_MARKS: &[&str] = &[
    "%%f nginx/a.conf\n",
    "%%f apache2/a.conf\n",
    "%%l nginx/b.conf a.conf\n",
    "%%l apache2/d .\n",
    "%%x nginx/c.conf\n",
    "%%p nginx/d.conf\n",
    "*",
    "?",
    "[a-c]",
    "../",
    "*.conf",
    ";\n",
];
const SETTINGS_MARKS: &[&str] = &[
    "[", "]", "[[", "]]", " = ", "\"", "'''", "\n", "{ ", " }", ".",
];
const VALUE_MARKS: &[&str] = &[
    "(", ")", ":", ",", "-", "+", " ", "\n", "[::]:", "unix:", "**/",
];

/// Names, words and defaults of a server's rows.
fn rows(server: Server) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for row in catalog::all(server) {
        words.insert(row.name.to_owned());
        words.extend(row.values.iter().map(|value| (*value).to_owned()));
        words.extend(row.default.map(str::to_owned));
    }
    words
}

fn nginx() -> BTreeSet<String> {
    rows(Server::Nginx)
}

fn apache() -> BTreeSet<String> {
    let mut words = rows(Server::Apache);
    let modules = catalog::modules().iter();
    words.extend(modules.flat_map(|module| [module.name.to_owned(), module.file.to_owned()]));
    words
}

/// Directives that lead to another file, and blocks to stand in.
fn includes() -> BTreeSet<String> {
    let servers = [Server::Nginx, Server::Apache].into_iter();
    let rows = servers.flat_map(catalog::all);
    let named = rows.filter(|row| row.exec_on_read || row.name == "include" || row.opens.is_some());
    named.map(|row| row.name.to_owned()).collect()
}

fn settings() -> BTreeSet<String> {
    let mut words: BTreeSet<String> = rules::all().iter().map(|it| it.name.to_owned()).collect();
    keys(KEYS, &mut words);
    words
}

fn keys(table: &[Key], words: &mut BTreeSet<String>) {
    for key in table {
        words.extend([
            key.name.to_owned(),
            key.default.to_owned(),
            key.example.to_owned(),
        ]);
        match key.kind {
            Kind::Word(known) | Kind::Names(known) => {
                words.extend(known.iter().map(|word| format!("\"{word}\"")));
            }
            Kind::Table(inner) | Kind::Tables(inner, _) => keys(inner, words),
            _ => {}
        }
    }
}

/// Values of single arguments.
fn values() -> BTreeSet<String> {
    let servers = [Server::Nginx, Server::Apache].into_iter();
    let rows = servers.flat_map(catalog::all);
    rows.flat_map(|row| row.values.iter().copied().chain(row.default))
        .flat_map(|value| value.split(' '))
        .map(str::to_owned)
        .collect()
}

fn suppression() -> BTreeSet<String> {
    let mut words: BTreeSet<String> = rules::all().iter().map(|it| it.name.to_owned()).collect();
    let tls = |row: &&catalog::Directive| row.name.to_ascii_lowercase().starts_with("ssl");
    let servers = [Server::Nginx, Server::Apache].into_iter();
    let rows = servers.flat_map(catalog::all).filter(tls);
    words.extend(rows.map(|row| row.name.to_owned()));
    words
}

/// Arguments as Ansible's own documentation of the modules lists them.
fn ansible() -> BTreeSet<String> {
    let folder = super::root().join("ansible/plugins/modules");
    let mut words: BTreeSet<String> = ["protocol", "module", "check_mode", "diff", "arguments"]
        .map(str::to_owned)
        .into();
    let entries = std::fs::read_dir(folder).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "py") {
            continue;
        }
        words.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        let text = std::fs::read_to_string(&path).unwrap();
        // `  name:` below `options:`, two spaces deep.
        let documented = text.lines().skip_while(|line| *line != "options:").skip(1);
        let documented = documented.take_while(|line| line.starts_with(' ') || line.is_empty());
        let names = documented.filter_map(|line| {
            let name = line.strip_prefix("  ")?.strip_suffix(':')?;
            (!name.starts_with(' ')).then(|| name.to_owned())
        });
        words.extend(names);
    }
    assert!(words.len() > 20, "options were found: {words:?}");
    words
}

/// libFuzzer's form: a quoted word a line.
fn text(words: BTreeSet<String>, marks: &[&str]) -> String {
    let mut out =
        String::from("# Made of the grammars by tests/fuzz_replay.rs; not edited by hand.\n");
    let marks = marks.iter().map(|mark| (*mark).to_owned());
    for word in words
        .into_iter()
        .chain(marks)
        .filter(|word| !word.is_empty())
    {
        out.push('"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
                b' '..=b'~' => out.push(char::from(byte)),
                _ => out.push_str(&format!("\\x{byte:02x}")),
            }
        }
        out.push_str("\"\n");
    }
    out
}
