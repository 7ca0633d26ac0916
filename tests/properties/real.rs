//! Configurations that people wrote: the sites and rule cases of testdata, and the files of the
//! corpora. Each is copied before it is rewritten.

use std::fs;
use std::path::{Path, PathBuf};

use stekguard::catalog::Server;

use super::nginx_text::{statements, tokens, value};
use super::{Step, Texts, apache, nginx};

/// A configuration: a folder with a main file, or a file.
#[derive(Debug, Clone)]
pub struct Real {
    pub server: Server,
    /// What is copied, with everything below it.
    pub from: PathBuf,
    /// The main file below it; empty for a file.
    pub main: PathBuf,
}

const MAIN_FILES: [&str; 3] = ["nginx.conf", "apache2.conf", "httpd.conf"];
/// Larger files are no better, and slow.
const LARGEST: u64 = 30_000;

/// All of them, in a fixed order.
pub fn all() -> Vec<Real> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut found = Vec::new();
    for part in ["sites", "rules"] {
        for entry in sorted(&data.join(part)) {
            collect(&entry, None, &mut found);
        }
    }
    if let Some(corpora) = std::env::var_os("STEKGUARD_CORPORA") {
        let before = found.len();
        for (name, server) in [("nginx", Server::Nginx), ("apache", Server::Apache)] {
            let below = walkdir::WalkDir::new(Path::new(&corpora).join(name)).sort_by_file_name();
            let files = below.into_iter().map(Result::unwrap);
            let files = files.filter(|it| it.file_type().is_file());
            found.extend(files.map(|it| file(server, it.into_path())));
        }
        println!("{} files of the corpora", found.len() - before);
    } else {
        println!("STEKGUARD_CORPORA is not set: testdata only");
    }
    found.retain(Real::is_ordinary);
    found
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut all: Vec<PathBuf> = entries.collect();
    all.sort();
    all
}

fn file(server: Server, path: PathBuf) -> Real {
    Real {
        server,
        from: path,
        main: PathBuf::new(),
    }
}

/// A folder with a main file is one configuration; other files are one each.
fn collect(path: &Path, top: Option<&Path>, found: &mut Vec<Real>) {
    if path.is_file() {
        let text = fs::read(path).unwrap();
        let name = path.extension().and_then(|end| end.to_str());
        if name == Some("conf") {
            found.push(file(server_of(&text), path.to_path_buf()));
        }
        return;
    }
    let top = top.unwrap_or(path);
    for name in MAIN_FILES {
        if path.join(name).is_file() {
            let server = match name {
                "nginx.conf" => Server::Nginx,
                _ => Server::Apache,
            };
            let main = path.join(name).strip_prefix(top).unwrap().to_path_buf();
            let from = top.to_path_buf();
            found.push(Real { server, from, main });
        }
    }
    for entry in sorted(path) {
        // Files beside a main file belong to it.
        let own = entry.is_dir() || !MAIN_FILES.iter().any(|name| path.join(name).is_file());
        if own {
            collect(&entry, entry.is_dir().then_some(top), found);
        }
    }
}

fn server_of(text: &[u8]) -> Server {
    let text = String::from_utf8_lossy(text);
    let said = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim_start().starts_with('#'));
    match said.filter(|line| line.ends_with([';', '{'])).count() {
        0 => Server::Apache,
        _ => Server::Nginx,
    }
}

impl Real {
    /// Suppression comments hold for the lines beside them; a NUL or another language ends what
    /// the steps know. A file of comments only is refused for that, until a step gives it a line.
    fn is_ordinary(&self) -> bool {
        let walk = walkdir::WalkDir::new(&self.from).into_iter();
        let files = walk
            .map(Result::unwrap)
            .filter(|it| it.file_type().is_file());
        let texts: Vec<Vec<u8>> = files.map(|it| fs::read(it.path()).unwrap()).collect();
        let says = |text: &Vec<u8>| {
            // To httpd a comment goes on behind a backslash.
            let mut goes_on = false;
            let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            lines.any(|line| {
                let comment = goes_on || line.starts_with(b"#");
                goes_on = comment && line.ends_with(b"\\");
                !comment && !line.is_empty()
            })
        };
        let plain = texts.iter().all(|text| {
            let marked = text.windows(9).any(|part| part == b"stekguard");
            !marked && text.len() as u64 <= LARGEST
        });
        plain && texts.iter().any(says)
    }

    /// A copy: its main file, and the texts of its files.
    pub fn copied(&self, folder: &Path) -> (PathBuf, Texts) {
        let mut texts = Texts::new();
        let walk = walkdir::WalkDir::new(&self.from).into_iter();
        for entry in walk.map(Result::unwrap) {
            let below = entry.path().strip_prefix(&self.from).unwrap();
            let mut to = folder.join(below);
            if self.from.is_file() {
                to = folder.join(match self.server {
                    Server::Nginx => "nginx.conf",
                    Server::Apache => "httpd.conf",
                });
            }
            if entry.file_type().is_dir() {
                fs::create_dir_all(&to).unwrap();
                continue;
            }
            let text = fs::read(entry.path()).unwrap();
            fs::write(&to, &text).unwrap();
            texts.insert(to, text);
        }
        let root = match self.from.is_file() {
            true => texts.keys().next().unwrap().clone(),
            false => folder.join(&self.main),
        };
        (root, texts)
    }

    /// The texts after some steps, and the steps that found something to do.
    pub fn rewritten(
        &self,
        root: &Path,
        texts: &Texts,
        steps: &[Step],
    ) -> (Texts, Vec<&'static str>) {
        let base = root.parent().unwrap().to_path_buf();
        let texts = texts.clone();
        let mut done = Vec::new();
        match self.server {
            Server::Nginx => {
                let whole = is_whole(&texts[root]);
                let mut written = nginx::Written {
                    texts,
                    base,
                    made: 0,
                };
                for step in of(steps, &nginx::KINDS) {
                    // A fragment is known by what stands in it.
                    let allowed = whole || !["split", "joined"].contains(&nginx::KINDS[step.what]);
                    if allowed && written.step(step) {
                        done.push(nginx::KINDS[step.what]);
                    }
                }
                (written.texts, done)
            }
            Server::Apache => {
                let macros = texts.values().any(|text| has_macros(text));
                let mut written = apache::Written {
                    texts,
                    base,
                    made: 0,
                };
                for step in of(steps, &apache::KINDS) {
                    // A macro's body may open or close what stands around its use.
                    let moves = ["split", "joined"].contains(&apache::KINDS[step.what]);
                    if !(moves && macros) && written.step(step) {
                        done.push(apache::KINDS[step.what]);
                    }
                }
                (written.texts, done)
            }
        }
    }
}

fn of<'a>(steps: &'a [Step], kinds: &'a [&str]) -> impl Iterator<Item = Step> + 'a {
    steps.iter().copied().filter(|step| step.what < kinds.len())
}

fn has_macros(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    text.windows(6).any(|part| part == b"<macro")
}

/// A main file of nginx.
fn is_whole(text: &[u8]) -> bool {
    let Some(all) = tokens(text) else {
        return false;
    };
    let found = statements(text, &all).unwrap_or_default();
    let opens = [&b"events"[..], b"http", b"stream", b"mail"];
    found.iter().any(|one| {
        let name = value(text, &all[one.words[0]]);
        one.block == 0 && name.is_some_and(|name| opens.contains(&name))
    })
}
