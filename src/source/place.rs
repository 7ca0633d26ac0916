//! What the place of a file says: usual places, layouts of distributions, trees that stand
//! below a folder of a repository.
//!
//! Sources: the packages' own file lists (Debian nginx-common and apache2, RHEL nginx and
//! httpd) and the servers' default prefixes.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::catalog::Server;
use crate::syntax::NodeId;
use crate::syntax::nginx::{Options, args, name, parse};

use super::files::FileSystem;
use super::folders::Folders;
use super::maps::PathMap;
use super::options::Root;
use super::{FileOrigin, glob, path};

/// Where main files stand on servers, in the order in which they are looked for.
pub(super) const USUAL: [(Server, &str); 10] = [
    (Server::Nginx, "/etc/nginx/nginx.conf"),
    (Server::Nginx, "/usr/local/nginx/conf/nginx.conf"),
    (Server::Nginx, "/usr/local/etc/nginx/nginx.conf"),
    (Server::Nginx, "/opt/homebrew/etc/nginx/nginx.conf"),
    (Server::Nginx, "/usr/local/openresty/nginx/conf/nginx.conf"),
    (Server::Apache, "/etc/apache2/apache2.conf"),
    (Server::Apache, "/etc/httpd/conf/httpd.conf"),
    (Server::Apache, "/usr/local/apache2/conf/httpd.conf"),
    (Server::Apache, "/usr/local/etc/apache24/httpd.conf"),
    (Server::Apache, "/opt/homebrew/etc/httpd/httpd.conf"),
];

/// Folders of `/etc` that a server owns.
const OWNED: [&str; 5] = ["nginx", "apache2", "httpd", "openresty", "angie"];

/// Folders whose files a main file one level up includes.
const PARTS: [&str; 16] = [
    "conf.d",
    "sites-enabled",
    "sites-available",
    "modules-enabled",
    "modules-available",
    "mods-enabled",
    "mods-available",
    "conf-enabled",
    "conf-available",
    "conf.modules.d",
    "default.d",
    "snippets",
    "stream.d",
    "streams-enabled",
    "vhosts.d",
    "vhosts",
];

/// Endings of files that a program still has to fill in.
const TEMPLATES: [&str; 9] = [
    "j2", "jinja", "jinja2", "erb", "epp", "template", "tmpl", "tpl", "mustache",
];

/// Endings of configurations.
const ENDINGS: [&str; 6] = ["conf", "vhost", "nginx", "nginxconf", "inc", "include"];

/// True for names that a search through a directory opens.
pub(super) fn is_candidate(file: &Path) -> bool {
    let Some(name) = file.file_name().map(path::bytes_of) else {
        return false;
    };
    if name.starts_with(b".") || name.ends_with(b"~") {
        return false;
    }
    match file.extension() {
        Some(ending) if ENDINGS.iter().any(|known| ending == *known) => true,
        // Debian's `sites-enabled/default`, `sites-enabled/example.org`.
        _ => is_site_folder(file) && !is_backup(file),
    }
}

fn is_site_folder(file: &Path) -> bool {
    let folder = file.parent().and_then(Path::file_name);
    folder.is_some_and(|folder| folder == "sites-enabled" || folder == "sites-available")
}

fn is_backup(file: &Path) -> bool {
    const ENDINGS: [&str; 8] = [
        "bak",
        "orig",
        "old",
        "save",
        "swp",
        "dpkg-dist",
        "dpkg-old",
        "rpmnew",
    ];
    file.extension()
        .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// True for names of templates of configurations: `nginx.conf.j2`, `default.conf.template`.
pub(super) fn is_template_name(file: &Path) -> bool {
    let is_template = file
        .extension()
        .is_some_and(|ending| TEMPLATES.iter().any(|known| ending == *known));
    if !is_template {
        return false;
    }
    let rendered = file.with_extension("");
    is_candidate(&rendered) || rendered.file_name().is_some_and(|name| name == "nginx")
}

/// True for a file of `sites-available`, `snippets` and the like next to a root, which its
/// server reads only where something includes it.
pub(super) fn is_inactive<'a>(file: &Path, mut roots: impl Iterator<Item = &'a Root>) -> bool {
    let Some(folder) = file
        .ancestors()
        .skip(1)
        .find(|folder| is_on_request(folder))
    else {
        return false;
    };
    let Some(tree) = folder.parent() else {
        return false;
    };
    roots.any(|root| root.path.parent() == Some(tree))
}

fn is_on_request(folder: &Path) -> bool {
    let name = folder.file_name().map(path::bytes_of).unwrap_or_default();
    name.ends_with(b"-available") || *name == *b"snippets"
}

/// True where a file is the one that the server of this machine reads.
pub(super) fn is_installed(file: &Path, files: &dyn FileSystem) -> bool {
    let spelled = path::clean(file);
    files.origin(file) == FileOrigin::Disk
        && USUAL.iter().any(|(_, usual)| spelled == Path::new(usual))
}

/// Maps for a tree that stands below some folder as it stands below `/` on its server:
/// `roles/web/files/etc/nginx/nginx.conf`.
pub(super) fn path_map(file: &Path, files: &dyn FileSystem) -> Vec<PathMap> {
    let spelled = path::clean(file);
    let spelled = match owned_folder(&spelled) {
        Some(_) => spelled,
        // `nginx.conf`, called from within `etc/nginx`.
        None => match files.real(file) {
            Some(real) if file.is_relative() => real,
            _ => return Vec::new(),
        },
    };
    let Some((top, server_folder)) = owned_folder(&spelled) else {
        return Vec::new();
    };
    if top == Path::new("/") || USUAL.iter().any(|(_, usual)| spelled == Path::new(usual)) {
        return Vec::new();
    }
    let from = Path::new("/").join(&server_folder);
    vec![
        PathMap {
            from,
            to: top.join(&server_folder),
            whole: true,
        },
        PathMap {
            from: PathBuf::from("/"),
            to: top,
            whole: false,
        },
    ]
}

/// Splits `a/b/etc/nginx/x.conf` into `a/b` and `etc/nginx`.
fn owned_folder(file: &Path) -> Option<(PathBuf, PathBuf)> {
    let parts: Vec<Component<'_>> = file.components().collect();
    let is_owned = |pair: &[Component<'_>]| {
        pair[0].as_os_str() == "etc" && OWNED.iter().any(|name| pair[1].as_os_str() == *name)
    };
    // The file itself is no folder.
    let folders = &parts[..parts.len().saturating_sub(1)];
    let at = folders.windows(2).rposition(is_owned)?;
    Some((
        parts[..at].iter().collect(),
        parts[at..at + 2].iter().collect(),
    ))
}

/// The folder of httpd's main file, or the one above it in the layouts that have `conf/`.
pub(super) fn apache_base(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let name = folder.file_name();
    let is_below = name.is_some_and(|name| name == "conf" || is_part(folder));
    let base = if is_below { folder.parent() } else { None };
    base.unwrap_or(folder).to_path_buf()
}

fn is_part(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| PARTS.iter().any(|part| name == *part))
}

/// The folder that a lone nginx fragment's relative includes start from: the one in which
/// most of them exist, else the folder above `conf.d` and the like.
pub(super) fn fragment_base(file: &Path, text: &[u8], files: &dyn FileSystem) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let above = folder.parent().filter(|_| is_part(folder));
    let likely = above.unwrap_or(folder);
    let names = relative_includes(text);
    let there = |base: &Path| {
        names
            .iter()
            .filter(|name| exists(base, name, files))
            .count()
    };
    let mut best = (there(likely), likely);
    for base in folder.ancestors().take(3) {
        let count = there(base);
        if count > best.0 {
            best = (count, base);
        }
    }
    best.1.to_path_buf()
}

fn exists(base: &Path, name: &[u8], files: &dyn FileSystem) -> bool {
    if glob::is_pattern(name) {
        return !glob::expand(base, name, &Folders::new(files))
            .paths
            .is_empty();
    }
    files.kind(&path::below(base, name)).is_some()
}

fn relative_includes(text: &[u8]) -> Vec<Vec<u8>> {
    let tree = parse(text, &Options::default());
    let nodes = (0..tree.nodes.len() as u32).map(NodeId);
    let includes = nodes.filter(|node| {
        name(text, &tree, *node).is_some_and(|word| word.value.as_ref() == b"include")
    });
    let names = includes.filter_map(|node| args(text, &tree, node).next());
    let names = names.map(|word| word.value.into_owned());
    names.filter(|name| !path::is_absolute(name)).collect()
}

/// The variables of Debian's `envvars`, which its start script sources before httpd.
pub(super) fn environment(base: &Path, files: &dyn FileSystem) -> BTreeMap<String, Vec<u8>> {
    let text = files.read(&base.join("envvars"));
    text.map(|text| shell_variables(&text)).unwrap_or_default()
}

/// Assignments of a shell script, later ones over earlier ones. A value that only a shell
/// can work out takes its variable away: unknown, not wrong.
fn shell_variables(script: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut variables = BTreeMap::new();
    for line in script.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        let line = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii();
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let Ok(name) = std::str::from_utf8(&line[..equals]) else {
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric());
        if !is_name {
            continue;
        }
        match shell_value(&line[equals + 1..], &variables) {
            Some(value) => variables.insert(name.to_owned(), value),
            None => variables.remove(name),
        };
    }
    variables
}

/// One word of shell: quotes, and variables that are known.
fn shell_value(text: &[u8], known: &BTreeMap<String, Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut quote = None;
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (*byte, quote) {
            (b'\'' | b'"', None) => quote = Some(*byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'$', None | Some(b'"')) => {
                let (name, behind) = shell_name(rest)?;
                rest = behind;
                out.extend_from_slice(known.get(name)?);
            }
            (b'`', None | Some(b'"')) => return None,
            (b' ' | b'\t' | b';', None) => break,
            _ => out.push(*byte),
        }
    }
    Some(out)
}

/// `NAME` or `{NAME}` behind a dollar sign.
fn shell_name(text: &[u8]) -> Option<(&str, &[u8])> {
    let is_braced = text.starts_with(b"{");
    let text = if is_braced { &text[1..] } else { text };
    let is_part = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
    let length = text
        .iter()
        .position(|byte| !is_part(byte))
        .unwrap_or(text.len());
    let (name, behind) = text.split_at(length);
    let behind = if is_braced {
        behind.strip_prefix(b"}")?
    } else {
        behind
    };
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty())?;
    Some((name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_envvars_are_data() {
        let script = b"unset HOME\n\
            if [ \"${APACHE_CONFDIR##/etc/apache2-}\" != \"${APACHE_CONFDIR}\" ] ; then\n\
            \tSUFFIX=\"-${APACHE_CONFDIR##/etc/apache2-}\"\nelse\n\tSUFFIX=\nfi\n\
            export APACHE_RUN_USER=www-data\n\
            export APACHE_PID_FILE=/var/run/apache2$SUFFIX/apache2.pid\n\
            export APACHE_LOG_DIR=\"/var/log/apache2${SUFFIX}\" # here\n\
            export NOW=$(date)\n";
        let variables = shell_variables(script);
        let value = |name: &str| {
            variables
                .get(name)
                .map(|value| String::from_utf8_lossy(value))
        };
        assert_eq!(value("APACHE_RUN_USER").as_deref(), Some("www-data"));
        assert_eq!(
            value("APACHE_PID_FILE").as_deref(),
            Some("/var/run/apache2/apache2.pid")
        );
        assert_eq!(value("APACHE_LOG_DIR").as_deref(), Some("/var/log/apache2"));
        assert_eq!(value("NOW"), None);
    }

    #[test]
    fn a_tree_below_a_folder_is_split_there() {
        let split = |file: &str| owned_folder(Path::new(file));
        let expected = Some((PathBuf::from("roles/web"), PathBuf::from("etc/nginx")));
        assert_eq!(split("roles/web/etc/nginx/conf.d/a.conf"), expected);
        assert_eq!(
            split("etc/nginx/nginx.conf"),
            Some(("".into(), "etc/nginx".into()))
        );
        assert_eq!(split("roles/web/nginx/nginx.conf"), None);
        assert_eq!(split("roles/etc/nginx"), None);
    }
}
