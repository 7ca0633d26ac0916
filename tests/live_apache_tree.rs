//! What httpd accepts is expanded as a live httpd expands it: its own dump of the tree, by
//! mod_info, is the judge, for real files and for Debian's own tree.
//!
//! `STEKGUARD_CORPORA` names the folder that holds `apache/`; without it the test says so.
//! httpd is taken from `HTTPD` and `HTTPD_MODULES` (Debian's places by default).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod httpd_tree;

use std::path::Path;
use std::process::Command;

use httpd_tree::{Dumped, ENVIRONMENT, Httpd, ON_READ, corpora, dumped, files_below, without};
use stekguard::catalog::Server;
use stekguard::source::{
    DirectiveId, Disk, FileId, LoadOptions, Problem, Project, Root, apache, load,
};
use stekguard::syntax::apache::lines;
use stekguard::text::Span;

/// The line that httpd reports for a statement: the last one of its first logical line.
fn reported(project: &Project, file: FileId, span: Span) -> u32 {
    let text = &project.file(file).text;
    let own = lines(text).find(|line| line.span.end > span.start);
    own.map_or(0, |line| line.number)
}

fn ids(project: &Project) -> impl Iterator<Item = DirectiveId> + use<> {
    (0..project.directives.len() as u32).map(DirectiveId)
}

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
    // What httpd loses is not in its tree either, and is said.
    let lost = |problem: &Problem| problem.message.ends_with("a line feed is lost");
    match project.problems.iter().all(lost) && project.whens.len() == 1 {
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
    let mut failures = Vec::new();
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
    println!(
        "httpd's tree: {compared} of {files} files accepted ({commented} lines commented out for \
         that), {directives} directives with file, line, depth, name and arguments equal"
    );
}

/// A small generator, so that a failure comes again with the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// Lines whose combinations are what reading is about. The directives are allowed
/// everywhere, so that httpd has nothing else to say of them.
const LINES: [&str; 46] = [
    "ErrorDocument 404 x",
    "ErrorDocument 404 x \\",
    "errordocument 404 \"y",
    "NoSuch",
    "\\",
    "",
    "# c \\",
    "#c",
    "<If \"1 == 1\">",
    "<If \"1 == 1\"> # c",
    "</If>",
    "</If> # c",
    "</if >",
    "<IfDefine X>",
    "<IfDefine !X>",
    "<IfDefine Y>",
    "</IfDefine>",
    "</IfDefine>",
    "</IfDefine> x",
    "</ifdefine>",
    "<IfModule alias_module>",
    "<IfModule !mod_alias.c>",
    "</IfModule>",
    "</IfModule>",
    "Define X",
    "Define Y",
    "UnDefine X",
    "Define A ErrorDocument",
    "Define A '404 y'",
    "${A} 404 z",
    "ErrorDocument ${A}",
    "${B}",
    "Define C </If>",
    "${C}",
    "<Macro m $a>",
    "<Macro n $a $b>",
    "</Macro>",
    "</Macro>",
    "Use m 404",
    "Use n ErrorDocument '500 q'",
    "Use m \"404 \\\\\"",
    "ErrorDocument $a x",
    "$a $b",
    "UndefMacro m",
    "<IfVersion >= 2.4>",
    "</IfVersion>",
];

/// Statements that httpd accepts below [`PREAMBLE`], and sections with their ends.
const STATEMENTS: [&str; 14] = [
    "ErrorDocument 404 x",
    "errordocument 404 \"y",
    "",
    "# c \\\nNoSuch",
    "Define X",
    "Define Y z",
    "UnDefine X",
    "${A} 404 z",
    "Use m 404",
    "Use n ErrorDocument '500 \"q\"'",
    "Use o <If \"1==1\">\nUse o </If>",
    "Error\\\nDocument \\\n  404 x",
    "\"ErrorDocument\" 404 'a \\' b'",
    "Use p 40\\\\",
];
const PREAMBLE: &str = "Define A ErrorDocument\n<Macro m $a>\nErrorDocument $a m\n</Macro>\n\
    <Macro n $a @b>\n# $a\n<If \"2 == 2\">\n$a 404 @b\n</If>\n</Macro>\n\
    <Macro o $a>\n$a\n</Macro>\n<Macro p $c>\nErrorDocument $c\n5 x\n</Macro>\n";
const SECTIONS: [(&str, &str); 7] = [
    ("<If \"1 == 1\"> # c", "</if> c"),
    ("<IfDefine X>", "</IfDefine>"),
    ("<IfDefine !X>", "</ifdefine>"),
    ("<IfModule alias_module >", "</IfModule>"),
    (
        "<IfModule !mod_alias.c>\n<NoSuch>\n</NoSuch> c",
        "</IfModule>",
    ),
    ("<IfVersion >= 2.4>", "</IfVersion>"),
    ("<IfFile \"/\">", "</IfFile>"),
];

/// A file that httpd most likely accepts.
fn balanced(random: &mut Random) -> String {
    let mut text = PREAMBLE.to_owned();
    let mut ends = Vec::new();
    for _ in 0..3 + random.next(14) {
        match random.next(4) {
            0 => {
                let (begin, end) = SECTIONS[random.next(SECTIONS.len())];
                text += begin;
                ends.push(end);
            }
            1 => text += ends.pop().unwrap_or_default(),
            _ => text += STATEMENTS[random.next(STATEMENTS.len())],
        }
        text += "\n";
    }
    text + &ends.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Random files get httpd's own verdict: accepted with the same tree, or refused at the
/// same line. `STEKGUARD_RANDOM_FILES` sets how many.
#[test]
fn random_files_get_httpds_verdict() {
    let count = std::env::var("STEKGUARD_RANDOM_FILES")
        .ok()
        .and_then(|text| text.parse().ok());
    let count = count.unwrap_or(250);
    let mut httpd = Httpd::new();
    let wanted = ["mpm_event", "authz_core", "alias", "macro", "info"];
    httpd
        .modules
        .retain(|(symbol, _)| wanted.contains(&symbol.trim_end_matches("_module")));
    let options = LoadOptions {
        defines_known: true,
        modules: Some(httpd.module_names()),
        ..LoadOptions::default()
    };
    let (mut accepted, mut refused, mut failures) = (0, 0, Vec::new());
    let mut random = Random(11);
    let pattern = regex::Regex::new(r"Syntax error on line ([0-9]+) of (\S+)").unwrap();
    for _ in 0..count {
        let orderly = random.next(2) == 0;
        let mut text = if orderly {
            balanced(&mut random)
        } else {
            String::new()
        };
        for _ in 0..if orderly { 0 } else { 2 + random.next(12) } {
            text += LINES[random.next(LINES.len())];
            text += if random.next(12) == 0 { "\r\n" } else { "\n" };
        }
        // An empty root is a mistake here, so something always follows.
        let text = format!("ServerName a\n{text}");
        let path = httpd.folder.path().join("random.conf");
        std::fs::write(&path, &text).unwrap();
        let (ok, output) = httpd.run(&path);
        let mut root = Root::new(Server::Apache, &path);
        root.installed = true;
        let project = load(&root, &Disk::default(), &options);
        let ours = first_refused(&project);
        if ok {
            accepted += 1;
            if let Err(why) = same_tree(&project, &dumped(&output)) {
                failures.push(format!("{text}httpd accepts; {why}"));
            } else if let Some(ours) = ours {
                failures.push(format!("{text}httpd accepts; here {ours:?}"));
            }
            continue;
        }
        refused += 1;
        let said = output.lines().find_map(|line| pattern.captures(line));
        let said = said.unwrap_or_else(|| panic!("{output}"));
        let in_macro = &said[2] == "macro";
        let line: u32 = said[1].parse().unwrap();
        match ours {
            Some((ours, _)) if in_macro || ours == line => {}
            ours => failures.push(format!("{text}{}\nhere {ours:?}", output.trim())),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count}\n\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n\n")
    );
    println!(
        "random files: {accepted} accepted with the same tree, {refused} refused at the same line"
    );
}

/// What httpd would refuse first: a line while reading, else a name that it does not know or
/// an ErrorDocument that is not a code and a text.
fn first_refused(project: &Project) -> Option<(u32, String)> {
    let refused = project.problems.iter().find(|problem| problem.refused);
    if let Some(problem) = refused {
        return Some((problem.line, problem.message.clone()));
    }
    let known = [
        "errordocument",
        "if",
        "define",
        "undefine",
        "use",
        "undefmacro",
        "servername",
    ];
    let unknown = ids(project).find(|id| {
        let name = String::from_utf8_lossy(project.name(*id)).to_lowercase();
        let words: Vec<&[u8]> = project.arguments(*id).collect();
        let code = words
            .first()
            .is_some_and(|code| code.iter().all(u8::is_ascii_digit));
        let unknown = !known.contains(&name.as_str());
        unknown || (name == "errordocument" && (words.len() != 2 || !code))
    })?;
    let directive = project.directive(unknown);
    let line = reported(project, directive.file, directive.span);
    Some((
        line,
        String::from_utf8_lossy(project.name(unknown)).into_owned(),
    ))
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
