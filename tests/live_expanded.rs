//! `inspect --expanded` of the real program against httpd's own dump of the tree, and what
//! mod_macro's tests recorded; `--detect` and `--modules` against a real httpd.
//!
//! `STEKGUARD_CORPORA` names the folder that holds `apache/`; without it the tests that read
//! it say so. httpd is taken from `HTTPD` and `HTTPD_MODULES` (Debian's places by default).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod httpd_tree;
#[allow(dead_code, unreachable_pub)]
#[path = "httpd_tree/macros.rs"]
mod macros;

use std::path::Path;
use std::process::{Command, Output};

use httpd_tree::{Dumped, ENVIRONMENT, Httpd, ON_READ, corpora, dumped, files_below, without};
use macros::{Recorded, plain, recorded};
use serde_json::Value;
use stekguard::catalog;

fn stekguard(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

/// The expanded document of one root.
fn expanded(folder: &Path, root: &str, more: &[&str]) -> (i32, Value, String) {
    let mut arguments = vec!["inspect", "--expanded", "--format", "json", root];
    arguments.extend(more);
    let output = stekguard(folder, &arguments);
    let document = serde_json::from_slice(&output.stdout).expect("stdout is one document");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), document, said)
}

fn directives(document: &Value) -> &Vec<Value> {
    document["servers"][0]["directives"].as_array().unwrap()
}

fn words(directive: &Value) -> Vec<Vec<u8>> {
    let words = directive["arguments"].as_array().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().as_bytes().to_vec())
        .collect()
}

/// What httpd keeps of it, in its dump's form. Bytes that are no text are replaced in JSON.
fn kept(document: &Value) -> Vec<Dumped> {
    let kept = directives(document).iter().filter(|directive| {
        let name = directive["name"].as_str().unwrap().to_ascii_lowercase();
        !ON_READ.contains(&name.as_bytes())
    });
    kept.map(|directive| Dumped {
        place: directive["path"].as_str().unwrap().to_owned(),
        line: directive["line"].as_u64().unwrap() as u32,
        depth: directive["depth"].as_u64().unwrap() as usize,
        name: directive["name"].as_str().unwrap().to_lowercase(),
        words: words(directive),
    })
    .collect()
}

/// The document says what httpd dumped, nothing under a condition and nothing unread.
fn same(code: i32, document: &Value, theirs: &[Dumped]) -> Result<(), String> {
    let mut ours = kept(document);
    for (ours, theirs) in ours.iter_mut().zip(theirs) {
        // httpd counts a macro's lines from its beginning, and calls the macro the place.
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
    let open = directives(document)
        .iter()
        .filter(|directive| !directive["when"].as_array().unwrap().is_empty());
    let (open, read) = (open.count(), code == 0 && document["complete"] == true);
    let why = &document["servers"][0]["incomplete"];
    let lost = why.as_array().unwrap().iter().all(|gap| {
        let message = gap["message"].as_str().unwrap_or_default();
        message.ends_with("a line feed is lost")
    });
    match ours.len() == theirs.len() && open == 0 && (read || lost) {
        true => Ok(()),
        false => Err(format!(
            "{} directives, httpd {}; {open} under conditions; {why}",
            ours.len(),
            theirs.len()
        )),
    }
}

/// What httpd is told by its own arguments and environment.
fn told(httpd: &Httpd) -> Vec<String> {
    let list = httpd.folder.path().join("modules.list");
    std::fs::write(&list, httpd.module_names().join("\n")).unwrap();
    let mut told = vec![
        "--define=!*".to_owned(),
        "--define=DUMP_CONFIG".to_owned(),
        format!("--modules=@{}", list.display()),
    ];
    for (name, value) in ENVIRONMENT {
        told.push(format!("--define={name}={value}"));
    }
    told
}

#[test]
fn the_corpora_expand_as_httpd_dumps_them() {
    let Some(root) = corpora() else {
        return;
    };
    let httpd = Httpd::new();
    let told = told(&httpd);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let speaks = regex::bytes::Regex::new(r"(?m-u)^([ \t]*)(?:[Ww]arning|[Ee]rror)[ \t]+").unwrap();
    let (mut files, mut compared, mut count) = (0, 0, 0);
    let mut failures = Vec::new();
    for path in files_below(&root) {
        if path.extension().is_some_and(|extension| extension == "out") {
            continue;
        }
        files += 1;
        // mod_macro's tests speak by directives that a release does not have or stops at.
        let text = std::fs::read(&path).unwrap();
        let mut text = speaks
            .replace_all(&text, &b"${1}ErrorDocument 404 "[..])
            .into_owned();
        let copy = httpd.folder.path().join("copy.conf");
        let mut theirs = Vec::new();
        for _ in 0..80 {
            std::fs::write(&copy, &text).unwrap();
            let (ok, output) = httpd.run(&copy);
            if ok {
                theirs = dumped(&output);
                break;
            }
            let Some(shorter) = without(&text, &output) else {
                break;
            };
            text = shorter;
        }
        if theirs.is_empty() {
            continue;
        }
        compared += 1;
        count += theirs.len();
        let copy = copy.to_str().unwrap();
        let (code, document, _) = expanded(httpd.folder.path(), copy, &told);
        if let Err(why) = same(code, &document, &theirs) {
            let shown = path.strip_prefix(&root).unwrap().display();
            failures.push(format!("{shown}: {why}"));
        }
    }
    println!(
        "--expanded equals httpd's dump: {} of {compared} files (of {files}), {count} directives",
        compared - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared >= 80 && count >= 1200, "{compared} {count}");
}

#[test]
fn macros_expand_as_mod_macros_tests_record() {
    let Some(root) = corpora() else {
        return;
    };
    let folder = root.join("mod_macro");
    let (mut files, mut said, mut refused) = (0, 0, 0);
    let mut failures = Vec::new();
    for path in files_below(&folder.join("ref")) {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected = recorded(&std::fs::read_to_string(&path).unwrap());
        let root = format!("./conf/{stem}.conf");
        let more = [
            "--define=!*",
            "--define=PWD=./conf",
            "--modules=mod_macro.c",
        ];
        let (code, document, errors) = expanded(&folder, &root, &more);
        files += 1;
        for event in &expected {
            match event {
                Recorded::Said(..) => said += 1,
                Recorded::Refused(..) => refused += 1,
                Recorded::Misplaced => {}
            }
        }
        if let Err(why) = spoken(code, &document, &errors, &expected) {
            failures.push(format!("{stem}: {why}"));
        }
    }
    println!(
        "--expanded holds {} of {files} recorded outputs: {said} lines said, {refused} refused",
        files - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(files == 69 && said > 100 && refused > 15);
}

/// What Warning and Error directives say, in order, is what httpd recorded.
fn spoken(code: i32, document: &Value, errors: &str, expected: &[Recorded]) -> Result<(), String> {
    if let Some(Recorded::Refused(_, message)) = expected.last() {
        let said = plain(&errors.replace('\n', " ").to_lowercase());
        let head = plain(&message.to_lowercase().replace("\\n\\t", ""));
        let known = head.len() >= 12 && said.contains(&head[..12]);
        return match code == 2 && known {
            true => Ok(()),
            false => Err(format!("exit {code}: {message}\n    {errors}")),
        };
    }
    // What httpd refuses for its place may be said here too.
    if code != 0 && !matches!(expected.last(), Some(Recorded::Misplaced)) {
        return Err(format!("exit {code}: {errors}"));
    }
    let mut ours = directives(document).iter().filter(|directive| {
        let name = directive["name"].as_str().unwrap();
        name.eq_ignore_ascii_case("warning") || name.eq_ignore_ascii_case("error")
    });
    for event in expected {
        let Recorded::Said(text, line, place) = event else {
            return Ok(());
        };
        let ours = ours.next().ok_or_else(|| format!("missing: {text}"))?;
        let said = String::from_utf8(words(ours).concat()).unwrap();
        if plain(&said) != plain(text) {
            return Err(format!("{text:?} is here {said:?}"));
        }
        if place.starts_with("macro") {
            continue;
        }
        let clean = |path: &str| path.trim_start_matches("./").to_owned();
        let here = (clean(ours["path"].as_str().unwrap()), ours["line"].as_u64());
        if here != (clean(place), Some(u64::from(*line))) {
            return Err(format!("{text}: {place}:{line} is here {here:?}"));
        }
    }
    Ok(())
}

/// Both names of a module, and what loads it, are what httpd itself says of each that is here.
#[test]
fn modules_have_the_names_that_httpd_gives_them() {
    let httpd = Httpd::new();
    let mut config = String::new();
    let mut checked = 0;
    for (_, path) in &httpd.modules {
        let so = path.file_name().unwrap().to_str().unwrap();
        let row = catalog::modules().iter().find(|row| row.so == Some(so));
        let row = row.unwrap_or_else(|| panic!("grammars/apache/modules.toml lacks {so}"));
        for name in [row.name, row.file] {
            config += &format!("<IfModule !{name}>\nError \"{so} is not {name}\"\n</IfModule>\n");
        }
        checked += 1;
    }
    for row in catalog::modules()
        .iter()
        .filter(|row| row.always_built_in())
    {
        for name in [row.name, row.file] {
            config += &format!("<IfModule !{name}>\nError \"not {name}\"\n</IfModule>\n");
        }
    }
    // An empty root has no tree to print.
    config += "ServerName here\n";
    let path = httpd.folder.path().join("names.conf");
    std::fs::write(&path, config).unwrap();
    let (ok, output) = httpd.run(&path);
    assert!(ok, "{output}");
    assert!(checked > 80, "{checked}");
    println!("{checked} modules are known to httpd by the names of the catalog");
}

/// What this httpd has built in is what some build is said to have.
#[test]
fn what_is_built_in_may_be_built_in() {
    let program = std::env::var("HTTPD").unwrap_or_else(|_| "apache2".to_owned());
    let output = Command::new(program).arg("-l").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text
        .lines()
        .map(str::trim)
        .filter(|name| name.ends_with(".c"));
    let mut count = 0;
    for name in names {
        let row = catalog::module(name.as_bytes()).unwrap_or_else(|| panic!("{name} is unknown"));
        assert!(!row.built_in.is_empty(), "{name}");
        count += 1;
    }
    assert!(count >= 3, "{text}");
}

const DETECTED: &str = "\
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule ssl_module {modules}/mod_ssl.so
DefaultRuntimeDir {dir}
ServerName a
Listen 127.0.0.1:443 http
Define OWN
<IfDefine GIVEN>
Timeout 11
</IfDefine>
<IfDefine OTHER>
Timeout 22
</IfDefine>
<IfDefine !OWN>
Timeout 33
</IfDefine>
<IfModule mod_ssl.c>
<VirtualHost 127.0.0.1:443>
ServerName b
</VirtualHost>
</IfModule>
<IfModule mod_version.c>
Timeout 44
</IfModule>
<IfModule mod_macro.c>
Timeout 55
</IfModule>
";

/// httpd is asked, and what it says settles every condition as httpd itself decides it.
#[cfg(unix)]
#[test]
fn what_httpd_says_of_itself_settles_conditions() {
    use std::os::unix::fs::PermissionsExt as _;
    let httpd = Httpd::new();
    let folder = httpd.folder.path();
    let module = |name: &str| {
        let found = httpd.modules.iter().find(|(symbol, _)| symbol == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.clone()
    };
    let modules = module("ssl_module").parent().unwrap().to_owned();
    let text = DETECTED
        .replace("{modules}", &modules.display().to_string())
        .replace("{dir}", &folder.display().to_string());
    let root = folder.join("httpd.conf");
    std::fs::write(&root, &text).unwrap();
    // What a service's own script does: the program with its configuration and definitions.
    let script = folder.join("bin/apachectl");
    std::fs::create_dir(folder.join("bin")).unwrap();
    let line = format!(
        "#!/bin/sh\nexec {} -d {} -f {} -D GIVEN \"$@\"\n",
        httpd.program,
        folder.display(),
        root.display()
    );
    std::fs::write(&script, line).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();

    // httpd's own tree, by the same script.
    let info = format!("LoadModule info_module {}", module("info_module").display());
    let dump = Command::new(&script)
        .args(["-t", "-DDUMP_CONFIG", "-C", &info])
        .output()
        .unwrap();
    let theirs = dumped(&String::from_utf8_lossy(&dump.stdout));
    assert!(
        theirs.len() >= 5,
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );

    let path = std::env::var("PATH").unwrap();
    let ask = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        command
            .args(["inspect", "--expanded", "--format", "json"])
            .args(more)
            .arg(&root)
            .env("PATH", format!("{}:{path}", folder.join("bin").display()));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).expect(&said);
        (output.status.code().unwrap(), document)
    };
    let (code, detected) = ask(&["--detect"]);
    same(code, &detected, &theirs).unwrap();
    assert_eq!(detected["servers"][0]["version"]["source"], "detected");
    let open = |document: &Value| {
        let all = directives(document).iter();
        all.filter(|it| !it["when"].as_array().unwrap().is_empty())
            .count()
    };
    assert_eq!(open(&detected), 0);
    let (_, unknown) = ask(&[]);
    assert!(open(&unknown) >= 3, "{unknown}");

    // The same by hand, with what httpd prints of its modules.
    let list = Command::new(&script).arg("-M").output().unwrap();
    assert!(list.status.success());
    let file = folder.join("list");
    std::fs::write(&file, list.stdout).unwrap();
    let modules = format!("--modules=@{}", file.display());
    let (code, told) = ask(&["--define=GIVEN", "--define=!*", &modules]);
    same(code, &told, &theirs).unwrap();
    println!(
        "{} directives as httpd has them, by its own word",
        theirs.len()
    );
}

/// crossplane names a wrong file behind an include when it combines by itself, so its
/// separate files are put together here by the indexes that it gives.
const CROSSPLANE: &str = r#"
import crossplane, json, sys
found = crossplane.parse(sys.argv[1], comments=False, strict=False, check_ctx=False,
                         check_args=False)
assert found["status"] == "ok", found["errors"]
files = found["config"]
def flat(file, block, depth):
    for it in block:
        yield [file["file"], it["line"], depth, it["directive"], it["args"]]
        for index in it.get("includes") or []:
            yield from flat(files[index], files[index]["parsed"], depth)
        yield from flat(file, it.get("block") or [], depth + 1)
print(json.dumps(list(flat(files[0], files[0]["parsed"], 0))))
"#;

const NGINX: [(&str, &str); 5] = [
    (
        "nginx.conf",
        "events { worker_connections 64; }\npid {dir}/pid;\nerror_log {dir}/log;\nhttp {\n    \
         include types.conf;\n    map $host $x { default 0; a.test \"1 2\"; }\n    \
         access_log off;\n    include sites/*.conf;\n    keepalive_timeout 5s;\n}\n",
    ),
    ("types.conf", "types {\n    text/html html htm;\n}\n"),
    (
        "sites/b.conf",
        "server {\n    listen 127.0.0.1:8081;\n    server_name 'b.test'\n        c.test;\n    \
         include snippets/loc.conf;\n}\n",
    ),
    (
        "sites/a.conf",
        "server {\n    listen 127.0.0.1:8082;\n    include snippets/loc.conf;\n    \
         location = /x { return 200 \"a b;\"; }\n}\n",
    ),
    (
        "snippets/loc.conf",
        "location / {\n    # twice\n    return 404;\n}\n",
    ),
];

/// nginx: the tree is the one that crossplane puts together, and the same from `nginx -T`.
#[test]
fn nginx_trees_are_put_together_alike() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    for (name, text) in NGINX {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("{dir}", &dir)).unwrap();
    }
    let mut trees = vec![folder.path().join("nginx.conf")];
    let installed = Path::new("/etc/nginx/nginx.conf");
    if installed.exists() {
        trees.push(installed.to_owned());
    }
    for root in trees {
        let root = root.to_str().unwrap();
        let (code, ours, said) = expanded(folder.path(), root, &[]);
        assert_eq!(code, 0, "{said}");
        let output = Command::new("python3")
            .args(["-c", CROSSPLANE, root])
            .output();
        let output = output.expect("this test needs python3 with crossplane");
        let said = String::from_utf8_lossy(&output.stderr);
        let theirs: Value = serde_json::from_slice(&output.stdout).expect(&said);
        let row = |it: &Value| {
            serde_json::json!([
                it["path"],
                it["line"],
                it["depth"],
                it["name"],
                it["arguments"]
            ])
        };
        let own: Vec<Value> = directives(&ours).iter().map(row).collect();
        let theirs = theirs.as_array().unwrap();
        for (ours, theirs) in own.iter().zip(theirs) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(own.len(), theirs.len(), "{root}");
        println!("{root}: {} directives as crossplane reads them", own.len());
    }

    let root = folder.path().join("nginx.conf");
    let root = root.to_str().unwrap();
    let dump = Command::new("nginx")
        .args(["-T", "-c", root, "-p", &dir])
        .output();
    let dump = dump.or_else(|_| {
        Command::new("/usr/sbin/nginx")
            .args(["-T", "-c", root, "-p", &dir])
            .output()
    });
    let dump = dump.expect("this test needs nginx");
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    let file = folder.path().join("dump");
    std::fs::write(&file, &dump.stdout).unwrap();
    let (_, files, _) = expanded(folder.path(), root, &[]);
    let (code, dumped, said) = expanded(folder.path(), file.to_str().unwrap(), &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(directives(&dumped), directives(&files));
    println!("nginx -T: the same {} directives", directives(&files).len());
}
