//! httpd's own dump of a configuration's tree (mod_info), and the real files that it is asked
//! about: what the tests that compare with it share.

use std::path::{Path, PathBuf};
use std::process::Command;

use stekguard::syntax::apache::{lines, words};

pub fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("STEKGUARD_CORPORA");
    if root.is_none() {
        println!("STEKGUARD_CORPORA is unset: no file of the corpora was read");
    }
    root.map(|root| PathBuf::from(root).join("apache"))
}

pub fn files_below(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name();
    let entries = walk.into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect()
}

/// A directive of httpd's own dump.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Dumped {
    pub place: String,
    pub line: u32,
    pub depth: usize,
    pub name: String,
    pub words: Vec<Vec<u8>>,
}

/// What Debian's starter sets and its files use.
pub const ENVIRONMENT: [(&str, &str); 5] = [
    ("APACHE_LOG_DIR", "logs"),
    ("APACHE_PID_FILE", "logs/pid"),
    ("APACHE_RUN_DIR", "logs"),
    ("APACHE_RUN_GROUP", "daemon"),
    ("APACHE_RUN_USER", "daemon"),
];

pub struct Httpd {
    pub program: String,
    pub modules: Vec<(String, PathBuf)>,
    pub folder: tempfile::TempDir,
}

impl Httpd {
    pub fn new() -> Self {
        let program = std::env::var("HTTPD").unwrap_or_else(|_| "apache2".to_owned());
        let modules = std::env::var("HTTPD_MODULES");
        let modules = modules.unwrap_or_else(|_| "/usr/lib/apache2/modules".to_owned());
        let mut found = Vec::new();
        for path in files_below(Path::new(&modules)) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let Some(symbol) = name.strip_prefix("mod_") else {
                continue;
            };
            // Others need a second library, or change how requests are read.
            let wanted = !symbol.starts_with("mpm_") || symbol == "mpm_event";
            let plain = !matches!(symbol, "lua" | "dialup" | "cgi");
            if wanted && plain {
                found.push((format!("{symbol}_module"), path));
            }
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        // What others build on comes first.
        let rank = |symbol: &str| {
            let early = [
                "mpm_event",
                "proxy_",
                "dav_",
                "cache_",
                "session_",
                "ldap_",
                "xml2enc",
            ];
            early
                .iter()
                .position(|prefix| symbol.starts_with(prefix))
                .map_or(9, |at| {
                    let alone = symbol.trim_end_matches("_module").contains('_');
                    if alone && at > 0 { 10 } else { at }
                })
        };
        found.sort_by_key(|(symbol, _)| (rank(symbol), symbol.clone()));
        let mut httpd = Self {
            program,
            modules: found,
            folder,
        };
        httpd.keep_what_loads();
        httpd
    }

    /// Drops modules that this httpd cannot load here.
    fn keep_what_loads(&mut self) {
        let empty = self.folder.path().join("empty.conf");
        std::fs::write(&empty, "").unwrap();
        for _ in 0..self.modules.len() {
            let (ok, output) = self.run(&empty);
            if ok {
                return;
            }
            let bad = self.modules.iter().position(|(symbol, path)| {
                output.contains(&*path.to_string_lossy()) || output.contains(symbol.as_str())
            });
            self.modules
                .remove(bad.unwrap_or_else(|| panic!("httpd does not start: {output}")));
        }
    }

    /// Whether httpd accepts a file, and its tree or what it says instead.
    pub fn run(&self, file: &Path) -> (bool, String) {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .envs(ENVIRONMENT)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .args(["-t", "-DDUMP_CONFIG", "-d"])
            .arg(self.folder.path())
            .arg("-f")
            .arg(file);
        for (symbol, path) in &self.modules {
            command
                .arg("-C")
                .arg(format!("LoadModule {symbol} {}", path.display()));
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("this test needs httpd ({}): {error}", self.program));
        // The tree is printed once it was carried out; what the check says of folders for
        // logs and the like comes later.
        let carried_out = output.status.success() || output.stdout.starts_with(b"# In file: ");
        let text = if carried_out {
            output.stdout
        } else {
            output.stderr
        };
        (carried_out, String::from_utf8_lossy(&text).into_owned())
    }

    /// The names by which `<IfModule>` knows what is loaded.
    pub fn module_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (symbol, _) in &self.modules {
            let name = symbol.trim_end_matches("_module");
            let file = if name == "mpm_event" {
                "event.c".to_owned()
            } else {
                format!("mod_{name}.c")
            };
            names.extend([symbol.clone(), file]);
        }
        let output = Command::new(&self.program).arg("-l").output().unwrap();
        let built_in = String::from_utf8_lossy(&output.stdout).into_owned();
        for file in built_in
            .lines()
            .map(str::trim)
            .filter(|line| line.ends_with(".c"))
        {
            names.push(file.to_owned());
            names.push(file.trim_start_matches("mod_").replace(".c", "_module"));
        }
        names
    }
}

pub fn dumped(output: &str) -> Vec<Dumped> {
    let (mut place, mut line) = (String::new(), 0);
    let mut found = Vec::new();
    for text in output.lines() {
        let inner = text.trim_start_matches(' ');
        let depth = (text.len() - inner.len()) / 2;
        if let Some(name) = inner.strip_prefix("# In file: ") {
            place = name.to_owned();
        } else if let Some(number) = inner
            .strip_prefix('#')
            .and_then(|rest| rest.strip_suffix(':'))
        {
            line = number.trim().parse().unwrap();
        } else if !inner.starts_with("</") && line > 0 {
            let (name, args) = inner.split_once(' ').unwrap_or((inner, ""));
            let section = name.starts_with('<');
            let args = if section {
                args.rsplit_once('>').map_or(args, |(args, _)| args)
            } else {
                args
            };
            let mut words: Vec<Vec<u8>> = words(args.as_bytes())
                .into_iter()
                .map(|word| word.value.into_owned())
                .collect();
            let name = name
                .trim_start_matches('<')
                .trim_end_matches('>')
                .to_lowercase();
            let arity = stekguard::catalog::apache(name.as_bytes()).map(|row| row.arity);
            if arity == Some(stekguard::catalog::Arity::Flag) {
                words.truncate(1);
            }
            found.push(Dumped {
                place: place.clone(),
                line,
                depth,
                name,
                words,
            });
        }
    }
    found
}

/// Carried out while reading, so that httpd's tree does not hold them.
pub const ON_READ: [&[u8]; 13] = [
    b"include",
    b"includeoptional",
    b"define",
    b"undefine",
    b"loadmodule",
    b"loadfile",
    b"serverroot",
    b"use",
    b"undefmacro",
    b"defaultruntimedir",
    b"unclist",
    b"remoteiptrustedproxylist",
    b"remoteipinternalproxylist",
];

/// Comments out the logical line that httpd refuses: what it means needs files, users or
/// modules that are not here. A section cannot go without its end.
pub fn without(text: &[u8], output: &str) -> Option<Vec<u8>> {
    if output.contains("AH02291") {
        // A folder for logs: httpd names the section, not the line.
        let log = regex::bytes::Regex::new(r"(?mi-u)^([ \t]*)(ErrorLog)").unwrap();
        return Some(log.replace_all(text, &b"$1#$2"[..]).into_owned());
    }
    let missing = ["Could not open", "Cannot load", "ServerRoot must be"];
    let known = output.contains("AH00526") || missing.iter().any(|why| output.contains(why));
    let number = output.split(": Syntax error on line ").nth(1);
    let number = number.or_else(|| output.split("AH00526: Syntax error on line ").nth(1));
    let number: u32 = number.filter(|_| known)?.split(' ').next()?.parse().ok()?;
    let line = lines(text).find(|line| line.number == number)?;
    let joined = line.joined(text);
    let first = joined
        .bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'<' | b'#') {
        return None;
    }
    let at = line.span.start as usize;
    Some([&text[..at], b"#", &text[at..]].concat())
}
