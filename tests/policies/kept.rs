//! What no fix may touch: comments, statements that are not about sessions as they are written,
//! line ends, a last line without one, bytes that are no ASCII. Read off the two texts alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stekguard::catalog::Server;
use stekguard::syntax::{NodeId, TokenKind, Tree, apache, nginx};

/// The files below a folder.
pub type Texts = BTreeMap<PathBuf, Vec<u8>>;

/// Reads every file below a folder.
pub fn texts(dir: &Path) -> Texts {
    let walk = walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap);
    walk.filter(|item| item.file_type().is_file())
        .map(|item| {
            (
                item.path().to_path_buf(),
                std::fs::read(item.path()).unwrap(),
            )
        })
        .collect()
}

/// Says what was touched, if anything was.
pub fn touched(server: Server, before: &Texts, after: &Texts) -> Option<String> {
    if !before.keys().eq(after.keys()) {
        return Some(format!(
            "files {:?} became {:?}",
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>()
        ));
    }
    before
        .iter()
        .zip(after.values())
        .find_map(|((path, old), new)| {
            if old == new {
                return None;
            }
            let what = in_file(server, old, new)?;
            Some(format!("{}: {what}", path.display()))
        })
}

/// The same for one file.
pub fn in_file(server: Server, old: &[u8], new: &[u8]) -> Option<String> {
    let feeds = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    let pairs = |text: &[u8]| text.windows(2).filter(|two| two == b"\r\n").count();
    if pairs(old) == feeds(old) && pairs(new) != feeds(new) {
        return Some("line ends are mixed now".to_owned());
    }
    if pairs(old) == 0 && pairs(new) != 0 {
        return Some("carriage returns came in".to_owned());
    }
    if old.ends_with(b"\n") != new.ends_with(b"\n") {
        return Some("the end of the last line changed".to_owned());
    }
    let high = |text: &[u8]| -> Vec<u8> { text.iter().copied().filter(|b| *b >= 0x80).collect() };
    if high(old) != high(new) {
        return Some("bytes that are no ASCII changed".to_owned());
    }
    let (one, other) = (written(server, old), written(server, new));
    let differs = one.iter().zip(&other).find(|(one, other)| one != other);
    match differs {
        Some((one, other)) => Some(format!("{one:?} became {other:?}")),
        None if one.len() != other.len() => {
            Some(format!("{} statements became {}", one.len(), other.len()))
        }
        None => None,
    }
}

/// Comments, and statements that no policy is about, as they are spelled.
fn written(server: Server, text: &[u8]) -> Vec<String> {
    let tree = match server {
        Server::Nginx => nginx::parse(text, &nginx::Options::default()),
        Server::Apache => apache::parse(text),
    };
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut found: Vec<(u32, String)> = Vec::new();
    for token in tree
        .tokens
        .iter()
        .filter(|it| it.kind == TokenKind::Comment)
    {
        found.push((token.span.start, show(token.span.of(text))));
    }
    for id in 0..tree.nodes.len() as u32 {
        let node = tree.node(NodeId(id));
        let words = words(server, text, &tree, NodeId(id));
        let first = words.first().map(|word| word.to_ascii_lowercase());
        let about = first.is_some_and(|name| is_about_sessions(&name, &words));
        if !about {
            let words: Vec<String> = words.iter().map(|word| show(word)).collect();
            found.push((node.span.start, words.join(" ")));
        }
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}

/// The words of a statement as they are spelled; httpd's are one logical line.
fn words(server: Server, text: &[u8], tree: &Tree, id: NodeId) -> Vec<Vec<u8>> {
    if server == Server::Nginx {
        let words = nginx::words(text, tree, id);
        return words.map(|word| word.span.of(text).to_vec()).collect();
    }
    let line = apache::logical(text, tree, id);
    let mut words = vec![line.name.to_vec()];
    words.push(line.args.to_vec());
    words
}

fn is_about_sessions(name: &[u8], words: &[Vec<u8>]) -> bool {
    let name = name.trim_ascii();
    let name: Vec<u8> = name
        .iter()
        .copied()
        .filter(|b| !b"\"'".contains(b))
        .collect();
    let about: [&[u8]; 9] = [
        b"ssl_session_tickets",
        b"ssl_session_cache",
        b"ssl_session_timeout",
        b"ssl_session_ticket_key",
        b"ssl_conf_command",
        b"worker_shutdown_timeout",
        b"sslsessiontickets",
        b"sslsessioncache",
        b"sslsessioncachetimeout",
    ];
    let keys = name == b"include"
        && words
            .last()
            .is_some_and(|it| it.ends_with(b"/rotated/*.conf"));
    keys || name == b"sslopensslconfcmd" || about.contains(&name.as_slice())
}
