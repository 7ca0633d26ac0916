//! nginx's own test of a real file, at the level where it stands.

use std::path::{Path, PathBuf};
use std::process::Command;

use regex::bytes::Regex;
use stekguard::catalog::Server;
use stekguard::syntax::{NodeKind, nginx};
use tempfile::TempDir;

use super::{Case, Judge};
use crate::support::{certs, install};

/// The levels at which a file may stand, the outermost first.
pub const SURROUNDINGS: [&[&str]; 4] = [&[], &["http"], &["http", "server"], &["stream"]];

/// A folder with more files is a collection and no tree.
const NEIGHBOURS: usize = 30;

pub struct Nginx {
    program: install::Program,
    /// Certificates and logs.
    aside: TempDir,
    changes: Vec<(Regex, String)>,
}

impl Nginx {
    pub fn new() -> Self {
        let aside = TempDir::new().unwrap();
        certs::self_signed(aside.path(), "one", &["a.test"], &certs::nonce());
        std::fs::create_dir(aside.path().join("logs")).unwrap();
        Self {
            program: install::nginx_packaged(),
            changes: changes(aside.path()),
            aside,
        }
    }

    /// A real file with its folder, so that nothing outside is read or written: full paths of
    /// includes and logs lead aside, certificates are ones that exist.
    pub fn case(&self, path: &Path) -> Case {
        let folder = path.parent().unwrap();
        let name = |path: &Path| path.strip_prefix(folder).unwrap().to_path_buf();
        let mut files = crate::httpd_tree::files_below(folder);
        if files.len() > NEIGHBOURS {
            files.retain(|file| file == path);
        }
        let texts = files.iter().map(|file| {
            let text = std::fs::read(file).unwrap();
            (name(file), self.here(&text))
        });
        Case {
            server: Server::Nginx,
            texts: texts.collect(),
            root: name(path),
            around: &[],
            accepted: false,
        }
    }

    fn here(&self, text: &[u8]) -> Vec<u8> {
        let changes = self.changes.iter();
        changes.fold(text.to_vec(), |text, (from, to)| {
            from.replace_all(&text, to.as_bytes()).into_owned()
        })
    }
}

/// What leads aside, and how it is written then.
fn changes(aside: &Path) -> Vec<(Regex, String)> {
    let aside = aside.display();
    let all = [
        (r#"include[ \t]+["']?)/"#, format!("${{1}}{aside}/absent/")),
        (
            r#"(?:access_log|error_log)[ \t]+["']?)/[^;"' \t]*"#,
            format!("${{1}}{aside}/logs/a.log"),
        ),
        (
            r#"pid[ \t]+["']?)/[^;"' \t]*"#,
            format!("${{1}}{aside}/logs/pid"),
        ),
        (
            r"ssl_certificate[ \t]+)[^;]*;",
            format!("${{1}}{aside}/one.crt;"),
        ),
        (
            r"ssl_certificate_key[ \t]+)[^;]*;",
            format!("${{1}}{aside}/one.key;"),
        ),
        (
            r")(ssl_dhparam|ssl_client_certificate|ssl_trusted_certificate|ssl_crl)",
            "${1}#$2".to_owned(),
        ),
    ];
    let whole = all.map(|(from, to)| {
        let from = Regex::new(&format!(r"(?m-u)^([ \t]*{from}"));
        (from.unwrap(), to)
    });
    whole.into()
}

impl Judge for Nginx {
    fn verdict(&self, case: &Case, folder: &Path) -> Result<(), String> {
        let root = folder.join(&case.root);
        let mut named = root.clone();
        if !case.around.is_empty() {
            // In the same folder, as includes start from the root's.
            named = root.with_file_name("around.judge");
            let open: String = case
                .around
                .iter()
                .map(|block| format!("{block} {{\n"))
                .collect();
            let text = format!(
                "events {{}}\n{open}include \"{}\";\n{}",
                root.display(),
                "}\n".repeat(case.around.len())
            );
            std::fs::write(&named, text).unwrap();
        }
        let output = Command::new(&self.program.path)
            .args(["-t", "-p"])
            .arg(self.aside.path())
            .arg("-c")
            .arg(&named)
            .output()
            .unwrap();
        if named != root {
            std::fs::remove_file(&named).unwrap();
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // What the machine lacks after that (a port, a folder) is not about the text.
        match said.contains("syntax is ok") {
            true => Ok(()),
            false => Err(said),
        }
    }

    fn shorter(&self, case: &Case, folder: &Path, said: &str) -> Option<Case> {
        let line = said.lines().find(|line| line.contains("[emerg]"))?;
        let (what, place) = line.rsplit_once(" in ")?;
        // Another level is tried then.
        if what.contains("is not allowed here") {
            return None;
        }
        let (path, number) = place.trim().rsplit_once(':')?;
        let number: u32 = number.parse().ok()?;
        let name = PathBuf::from(path).strip_prefix(folder).ok()?.to_path_buf();
        let text = case.texts.get(&name)?;
        let tree = nginx::parse(text, &nginx::Options::default());
        let line_of =
            |at: u32| 1 + text[..at as usize].iter().filter(|b| **b == b'\n').count() as u32;
        // nginx names the line where the statement's words end.
        let ends = |node: &&stekguard::syntax::Node| {
            let at = match (node.kind, node.body) {
                (NodeKind::Block | NodeKind::Foreign, Some(body)) => body.start - 1,
                _ => node.span.end - 1,
            };
            line_of(at) == number
        };
        let found: Vec<_> = tree.nodes.iter().filter(ends).collect();
        let named = found.iter().find(|node| {
            let text = String::from_utf8_lossy(node.span.of(text)).into_owned();
            let first = text
                .split([' ', '\t', '\n', ';', '{'])
                .next()
                .unwrap_or_default()
                .to_owned();
            what.contains(&format!("\"{first}\""))
        });
        let node = named.or(found.first())?;
        let mut shorter = case.clone();
        let text = shorter.texts.get_mut(&name)?;
        let span = node.span.start as usize..node.span.end as usize;
        // Lines stay where they are.
        let blank: Vec<u8> = text[span.clone()]
            .iter()
            .copied()
            .filter(|b| *b == b'\n')
            .collect();
        text.splice(span, blank);
        Some(shorter)
    }

    fn told(&self) -> Vec<String> {
        vec![
            "--server-version".to_owned(),
            format!("nginx={}", self.program.version),
        ]
    }
}
