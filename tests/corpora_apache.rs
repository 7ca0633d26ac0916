//! Real httpd files that nobody here wrote: they print back byte for byte, mod_macro's own
//! tests give what their recorded output says, and what httpd accepts is expanded as a live
//! httpd expands it.
//!
//! `STEKGUARD_CORPORA` names the folder that holds `apache/`; without it the tests say so.
//! The live one takes httpd from `HTTPD` and `HTTPD_MODULES` (Debian's places by default).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use stekguard::catalog::Server;
use stekguard::source::{
    DirectiveId, Disk, FileId, LoadOptions, Memory, Project, Root, apache, load,
};
use stekguard::syntax::apache::{lines, parse, words};
use stekguard::text::Span;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("STEKGUARD_CORPORA");
    if root.is_none() {
        println!("STEKGUARD_CORPORA is unset: no file of the corpora was read");
    }
    root.map(|root| PathBuf::from(root).join("apache"))
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name();
    let entries = walk.into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect()
}

#[test]
fn every_file_prints_back() {
    let Some(root) = corpora() else {
        return;
    };
    let (mut files, mut bytes, mut nodes, mut errors, mut fatal) = (0, 0, 0, 0, 0);
    for path in files_below(&root) {
        let text = std::fs::read(&path).unwrap();
        let tree = parse(&text);
        assert_eq!(tree.print(&text), text, "{}", path.display());
        files += 1;
        bytes += text.len();
        nodes += tree.nodes.len();
        errors += tree.errors.len();
        fatal += usize::from(tree.errors.iter().any(|error| error.fatal));
    }
    assert!(files >= 150, "only {files} files below {}", root.display());
    println!(
        "httpd corpora: {files} files, {bytes} bytes print back; {nodes} nodes, \
         {errors} errors, {fatal} files with a fatal one"
    );
}

/// The line that httpd reports for a statement: the last one of its first logical line.
fn reported(project: &Project, file: FileId, span: Span) -> u32 {
    let text = &project.file(file).text;
    let own = lines(text).find(|line| line.span.end > span.start);
    own.map_or(0, |line| line.number)
}

fn ids(project: &Project) -> impl Iterator<Item = DirectiveId> + use<> {
    (0..project.directives.len() as u32).map(DirectiveId)
}

/// Text without what quoting changes.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\\' | '\''))
        .collect()
}

/// What one of mod_macro's recorded outputs says.
#[derive(Debug)]
enum Recorded {
    /// A Warning or Error directive was carried out: text, line, place.
    Said(String, u32, String),
    /// httpd refused a line while it read.
    Refused(u32, String),
    /// httpd refused a directive where it stands, after all was read.
    Misplaced,
}

fn recorded(text: &str) -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("[core:") {
            let said = line.split_once("] ").unwrap().1;
            // The text may itself say "on line"; what httpd adds begins at the last one that
            // is followed by a number, outside of a macro's place.
            let (text, place) = split_place(said);
            let (number, place) = place.split_once(" of ").unwrap();
            found.push(Recorded::Said(
                text.to_owned(),
                number.parse().unwrap(),
                place.to_owned(),
            ));
        } else if let Some(rest) = line.strip_prefix("httpd: Syntax error on line ") {
            let (number, rest) = rest.split_once(" of ").unwrap();
            let message = rest.split_once(": ").unwrap().1.to_owned();
            let more = lines.clone().take_while(|line| line.starts_with('\t'));
            let message = more.fold(message, |message, line| message + line);
            found.push(Recorded::Refused(number.parse().unwrap(), message));
        } else if line.starts_with("AH00526") {
            let message = lines.next().unwrap();
            if !message.contains("stopped by Error directive") {
                found.push(Recorded::Misplaced);
            }
        }
    }
    found
}

fn split_place(said: &str) -> (&str, &str) {
    let place = regex::Regex::new(r#" on line ([0-9]+ of (\./conf/[^" ]+|macro '.*))$"#).unwrap();
    let mut from = 0;
    // The leftmost match that the whole rest of the line is.
    while let Some(at) = said[from..].find(" on line ").map(|at| at + from) {
        if let Some(found) = place
            .captures(&said[at..])
            .filter(|found| found.get(0).unwrap().start() == 0)
        {
            return (&said[..at], found.get(1).unwrap().as_str());
        }
        from = at + 1;
    }
    panic!("no place: {said}");
}

#[test]
fn macros_do_what_mod_macros_tests_record() {
    let Some(root) = corpora() else {
        return;
    };
    let folder = root.join("mod_macro/conf");
    let texts: Vec<(PathBuf, Vec<u8>)> = files_below(&folder)
        .into_iter()
        .map(|path| {
            (
                Path::new("./conf").join(path.file_name().unwrap()),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    let memory = Memory::new(texts.iter().map(|(path, text)| (path, text)));
    let (mut files, mut said, mut refused, mut misplaced) = (0, 0, 0, 0);
    let mut failures = Vec::new();
    for path in files_below(&root.join("mod_macro/ref")) {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected = recorded(&std::fs::read_to_string(&path).unwrap());
        let mut server = Root::new(Server::Apache, format!("./conf/{stem}.conf"));
        server.base = Some(PathBuf::new());
        server.environment = BTreeMap::from([("PWD".to_owned(), b"./conf".to_vec())]);
        let options = LoadOptions {
            defines_known: true,
            modules: Some(vec!["mod_macro.c".to_owned()]),
            ..LoadOptions::default()
        };
        let project = load(&server, &memory, &options);
        files += 1;
        for event in &expected {
            match event {
                Recorded::Said(..) => said += 1,
                Recorded::Refused(..) => refused += 1,
                Recorded::Misplaced => misplaced += 1,
            }
        }
        if let Err(why) = compare(&project, &expected) {
            failures.push(format!("{stem}: {why}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {files}\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        files == 69 && said > 100 && refused > 15,
        "{files} {said} {refused}"
    );
    println!(
        "mod_macro: {files} recorded outputs hold: {said} lines said, {refused} refused while \
         reading, {misplaced} refused for their place"
    );
}

fn compare(project: &Project, expected: &[Recorded]) -> Result<(), String> {
    if let Some(Recorded::Refused(line, message)) = expected.last() {
        let problem = project.problems.iter().find(|problem| problem.refused);
        let Some(problem) = problem else {
            return Err(format!("nothing refused, but: {message}"));
        };
        // In a macro httpd counts the body's lines; we say that behind the message.
        let said = problem
            .message
            .split(" (line ")
            .next()
            .unwrap()
            .to_lowercase();
        let message = message.replace("\\n\\t", "");
        let same = plain(&message.to_lowercase()).contains(&plain(&said));
        let counted = format!("(line {line} of macro");
        let placed = problem.line == *line || problem.message.contains(&counted);
        return match same && placed {
            true => Ok(()),
            false => Err(format!("line {line}: {message}\n    {problem:?}")),
        };
    }
    if let Some(problem) = project.problems.iter().find(|problem| problem.refused) {
        return Err(format!("refused: {problem:?}"));
    }
    let mut ours = ids(project).filter(|id| {
        let name = project.name(*id).to_ascii_lowercase();
        name == b"warning" || name == b"error"
    });
    for event in expected {
        let Recorded::Said(text, line, place) = event else {
            return Ok(());
        };
        let id = ours.next().ok_or_else(|| format!("missing: {text}"))?;
        let words: Vec<_> = project.arguments(id).map(String::from_utf8_lossy).collect();
        if plain(&words.concat()) != plain(text) {
            return Err(format!("{text:?} is here {words:?}"));
        }
        placed(project, id, *line, place).map_err(|why| format!("{text}: {why}"))?;
    }
    match ours.next().map(|id| project.name(id).to_ascii_lowercase()) {
        // Behind an Error, httpd carries nothing out.
        Some(_) if expected.is_empty() => Err("httpd said nothing".to_owned()),
        _ => Ok(()),
    }
}

/// A directive stands in the file and line that httpd names, or was put in by the outermost
/// Use that it names.
fn placed(project: &Project, id: DirectiveId, line: u32, place: &str) -> Result<(), String> {
    let clean = |path: &str| path.trim_start_matches("./").to_owned();
    let directive = project.directive(id);
    if !place.starts_with("macro") {
        let file = project.file(directive.file).path.display().to_string();
        let ours = (
            clean(&file),
            reported(project, directive.file, directive.span),
        );
        return match ours == (clean(place), line) {
            true => Ok(()),
            false => Err(format!("{place}:{line} is here {ours:?}")),
        };
    }
    let used = regex::Regex::new(r#"used on line ([0-9]+) of "(\./conf/[^"]+)""#).unwrap();
    let used = used.captures_iter(place).last().unwrap();
    let wanted = (clean(&used[2]), used[1].parse::<u32>().unwrap());
    let mut next = Some(directive.via);
    let mut chain = Vec::new();
    while let Some(via) = next.filter(|via| via.0 != 0) {
        let step = &project.vias[via.0 as usize];
        let file = project.file(step.file).path.display().to_string();
        chain.push((clean(&file), reported(project, step.file, step.span)));
        next = step.parent;
    }
    match chain.contains(&wanted) {
        true => Ok(()),
        false => Err(format!("{wanted:?} is not among {chain:?}")),
    }
}

/// A directive of httpd's own dump.
#[derive(Clone, Eq, PartialEq, Debug)]
struct Dumped {
    place: String,
    line: u32,
    depth: usize,
    name: String,
    words: Vec<Vec<u8>>,
}

/// What Debian's starter sets and its files use.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("APACHE_LOG_DIR", "logs"),
    ("APACHE_PID_FILE", "logs/pid"),
    ("APACHE_RUN_DIR", "logs"),
    ("APACHE_RUN_GROUP", "daemon"),
    ("APACHE_RUN_USER", "daemon"),
];

struct Httpd {
    program: String,
    modules: Vec<(String, PathBuf)>,
    folder: tempfile::TempDir,
}

impl Httpd {
    fn new() -> Self {
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
    fn run(&self, file: &Path) -> (bool, String) {
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
    fn module_names(&self) -> Vec<String> {
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

fn dumped(output: &str) -> Vec<Dumped> {
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
const ON_READ: [&[u8]; 13] = [
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

fn expanded(project: &Project) -> Vec<Dumped> {
    let mut found = Vec::new();
    for id in ids(project) {
        let name = project.name(id).to_ascii_lowercase();
        if ON_READ.contains(&name.as_slice()) {
            continue;
        }
        let directive = project.directive(id);
        let mut depth = 0;
        let mut parent = directive.parent;
        while let Some(next) = parent {
            depth += 1;
            parent = project.directive(next).parent;
        }
        found.push(Dumped {
            place: project.file(directive.file).path.display().to_string(),
            line: reported(project, directive.file, directive.span),
            depth,
            name: String::from_utf8_lossy(&name).into_owned(),
            words: project.arguments(id).map(<[u8]>::to_vec).collect(),
        });
    }
    found
}

/// Comments out the logical line that httpd refuses: what it means needs files, users or
/// modules that are not here. A section cannot go without its end.
fn without(text: &[u8], output: &str) -> Option<Vec<u8>> {
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

/// The expanded project equals the tree that httpd printed.
fn same_tree(project: &Project, theirs: &[Dumped]) -> Result<(), String> {
    let mut ours = expanded(project);
    for (ours, theirs) in ours.iter_mut().zip(theirs) {
        // A macro's lines are counted otherwise.
        if theirs.place.starts_with("macro '") {
            (ours.place, ours.line) = (theirs.place.clone(), theirs.line);
        }
    }
    let different = ours
        .iter()
        .zip(theirs)
        .find(|(ours, theirs)| ours != theirs);
    if let Some((ours, theirs)) = different {
        return Err(format!("\n  httpd {theirs:?}\n  here  {ours:?}"));
    }
    if ours.len() != theirs.len() {
        return Err(format!(
            "{} directives, httpd has {}",
            ours.len(),
            theirs.len()
        ));
    }
    match project.problems.is_empty() && project.whens.len() == 1 {
        true => Ok(()),
        false => Err(format!("{:?} {:?}", project.problems, project.atoms)),
    }
}

#[test]
fn httpds_own_tree_is_the_same() {
    let Some(root) = corpora() else {
        return;
    };
    let httpd = Httpd::new();
    let options = LoadOptions {
        defines_known: true,
        modules: Some(httpd.module_names()),
        ..LoadOptions::default()
    };
    let speaks = regex::bytes::Regex::new(r"(?m-u)^([ \t]*)(?:[Ww]arning|[Ee]rror)[ \t]+").unwrap();
    let (mut files, mut compared, mut directives, mut commented) = (0, 0, 0, 0);
    let (mut failures, mut refused) = (Vec::new(), Vec::new());
    for path in files_below(&root) {
        if path.extension().is_some_and(|extension| extension == "out") {
            continue;
        }
        files += 1;
        let text = std::fs::read(&path).unwrap();
        // mod_macro's tests speak by directives that a release does not have or stops at.
        let mut text = speaks
            .replace_all(&text, &b"${1}ErrorDocument 404 "[..])
            .into_owned();
        let copy = httpd.folder.path().join("copy.conf");
        let mut dump = None;
        for _ in 0..80 {
            std::fs::write(&copy, &text).unwrap();
            let (ok, output) = httpd.run(&copy);
            if ok {
                dump = Some(dumped(&output));
                break;
            }
            let Some(shorter) = without(&text, &output) else {
                refused.push(format!("{}: {output}", path.display()));
                break;
            };
            text = shorter;
            commented += 1;
        }
        let Some(theirs) = dump.filter(|dump| !dump.is_empty()) else {
            continue;
        };
        let mut server = Root::new(Server::Apache, &copy);
        server.installed = true;
        let assigned: Vec<String> = ENVIRONMENT
            .iter()
            .map(|(name, value)| format!("export {name}={value}\n"))
            .collect();
        server.environment = apache::environment(assigned.concat().as_bytes());
        let project = load(&server, &Disk::default(), &options);
        compared += 1;
        directives += theirs.len();
        let shown = path.strip_prefix(&root).unwrap().display().to_string();
        if let Err(why) = same_tree(&project, &theirs) {
            failures.push(format!("{shown}: {why}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {compared}\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        compared >= 80 && directives >= 1200,
        "{compared} files, {directives} directives"
    );
    for refused in &refused {
        let why = refused
            .lines()
            .rfind(|line| !line.is_empty() && !line.contains("AH00014"));
        let name = refused.split(": ").next().unwrap_or_default();
        println!("not accepted: {name}: {}", why.unwrap_or_default());
    }
    println!(
        "httpd's tree: {compared} of {files} files accepted ({commented} lines commented out for \
         that), {directives} directives with file, line, depth, name and arguments equal"
    );
}

/// Debian's own tree with ssl and its default site, read through its symlinks.
#[test]
fn debians_tree_is_the_same() {
    let installed = Path::new("/etc/apache2");
    if !installed.join("apache2.conf").exists() {
        println!("/etc/apache2/apache2.conf is not here: Debian's tree was not compared");
        return;
    }
    let httpd = Httpd::new();
    let tree = httpd.folder.path().join("apache2");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(installed)
        .arg(&tree)
        .status()
        .unwrap();
    assert!(copied.success());
    for (folder, name) in [
        ("mods", "ssl.load"),
        ("mods", "ssl.conf"),
        ("mods", "socache_shmcb.load"),
        ("sites", "default-ssl.conf"),
    ] {
        let link = tree.join(format!("{folder}-enabled/{name}"));
        if !link.exists() {
            std::os::unix::fs::symlink(format!("../{folder}-available/{name}"), link).unwrap();
        }
    }
    let root = tree.join("apache2.conf");
    let mut environment = apache::environment(&std::fs::read(tree.join("envvars")).unwrap());
    assert_eq!(environment["APACHE_RUN_USER"], b"www-data");
    assert_eq!(environment["APACHE_RUN_DIR"], b"/var/run/apache2");
    // Made by the service where it starts.
    for name in ["APACHE_RUN_DIR", "APACHE_LOCK_DIR", "APACHE_LOG_DIR"] {
        environment.insert(name.to_owned(), tree.to_str().unwrap().into());
    }
    let mut command = Command::new(&httpd.program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for (name, value) in &environment {
        command.env(name, String::from_utf8_lossy(value).into_owned());
    }
    let info = httpd
        .modules
        .iter()
        .find(|(symbol, _)| symbol == "info_module")
        .unwrap();
    command
        .arg("-C")
        .arg(format!("LoadModule info_module {}", info.1.display()));
    command
        .args(["-t", "-DDUMP_CONFIG", "-d"])
        .arg(&tree)
        .arg("-f")
        .arg(&root);
    let output = command.output().unwrap();
    let theirs = dumped(&String::from_utf8_lossy(&output.stdout));
    assert!(
        theirs.len() > 100,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let mut server = Root::new(Server::Apache, &root);
    server.environment = environment;
    server.installed = true;
    let built_in = Httpd {
        modules: vec![info.clone()],
        ..httpd
    };
    let options = LoadOptions {
        defines_known: true,
        modules: Some(built_in.module_names()),
        ..LoadOptions::default()
    };
    let project = load(&server, &Disk::default(), &options);
    if let Err(why) = same_tree(&project, &theirs) {
        panic!("{why}");
    }
    // Without knowing the build, more stays in force, under conditions; nothing is unread.
    let unknown = load(&server, &Disk::default(), &LoadOptions::default());
    assert!(unknown.complete(), "{:?}", unknown.problems);
    println!(
        "Debian's tree: {} files, {} directives equal; with nothing known of the build {} \
         conditions stay open: {:?}",
        project.files.len(),
        theirs.len(),
        unknown.atoms.len(),
        unknown
            .atoms
            .iter()
            .map(|atom| &atom.text)
            .collect::<Vec<_>>()
    );
}
