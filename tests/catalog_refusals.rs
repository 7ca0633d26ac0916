//! What build.rs refuses: each fault planted once in a small sound catalog.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(dead_code, unreachable_pub)]
#[path = "../src/catalog/names.rs"]
mod names;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/catalog/schema/mod.rs"]
mod schema;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/catalog/validity.rs"]
mod validity;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/catalog/version.rs"]
mod version;

use std::path::Path;
use stekguard::catalog;

const ROW: &str = r#"
[[directive]]
name = "bb"
contexts = ["http"]
args = "TAKE1"
module = "m"
source = "https://example.org/"
"#;

const SOUND: [String; 0] = [];

/// The problems of a small sound catalog with `text` added as the file at `path`.
fn problems(path: &str, text: &str) -> Vec<String> {
    let range = |oldest: &str| {
        format!("[range]\noldest = \"{oldest}\"\nnewest = \"9.0.0\"\nsource = \"live: x\"\n")
    };
    let files = vec![
        ("apache/range.toml".to_owned(), range("2.4.35")),
        ("nginx/range.toml".to_owned(), range("1.18.0")),
        (path.to_owned(), text.to_owned()),
    ];
    schema::load(&files).err().unwrap_or_default()
}

/// Exactly one problem, and it names the file, the row and the reason.
fn refused(path: &str, text: &str, row: &str, reason: &str) {
    let found = problems(path, text);
    assert_eq!(found.len(), 1, "{reason}: {found:?}");
    let expected = format!("grammars/{path}: {row}");
    assert!(found[0].starts_with(&expected), "{found:?}");
    assert!(found[0].contains(reason), "{found:?} lacks {reason:?}");
}

fn refused_directive(from: &str, to: &str, reason: &str) {
    let text = ROW.replacen(from, to, 1);
    assert_ne!(text, ROW, "the planted fault changes the row");
    refused("nginx/x.toml", &text, "directive `bb`", reason);
}

#[test]
fn the_sound_row_passes() {
    assert_eq!(problems("nginx/x.toml", ROW), SOUND);
}

#[test]
fn unknown_words_are_refused() {
    refused_directive("\"http\"", "\"htp\"", "unknown context `htp`");
    // httpd's context is not nginx's.
    refused_directive(
        "\"http\"",
        "\"virtual-host\"",
        "unknown context `virtual-host`",
    );
    refused_directive("TAKE1", "TAKE0", "unknown args `TAKE0`");
    refused_directive("TAKE1", "TAKE", "unknown args `TAKE`");
    refused_directive("module", "kinds = [\"tme\"]\nmodule", "unknown kind `tme`");
    refused_directive("module", "inherit = \"x\"\nmodule", "unknown inherit `x`");
    refused_directive(
        "module",
        "duplicate = \"x\"\nmodule",
        "unknown duplicate `x`",
    );
    refused_directive("module", "body = \"x\"\nmodule", "unknown body `x`");
    let decider = "deciders = [{ by = \"somebody\", source = \"live: x\" }]\nmodule";
    refused_directive("module", decider, "unknown decider `somebody`");
}

#[test]
fn missing_parts_are_refused() {
    refused_directive("source = \"https://example.org/\"", "", "missing source");
    refused_directive("https://example.org/", "somewhere", "a source starts with");
    refused_directive("module = \"m\"", "", "missing module");
    refused_directive("[\"http\"]", "[]", "no context");
    refused_directive(
        "module",
        "kinds = [\"enum\"]\nmodule",
        "`enum` without values",
    );
    refused_directive(
        "module",
        "body = \"block\"\nmodule",
        "a block without `opens`",
    );
    refused_directive(
        "module",
        "opens = \"http\"\nmodule",
        "`opens` without a body",
    );
    refused_directive("module", "body = \"section\"\nmodule", "not this server's");
    let nameless = problems("nginx/x.toml", &ROW.replace("\"bb\"", "\"\""));
    assert!(
        nameless[0].contains("directive without a name"),
        "{nameless:?}"
    );
}

#[test]
fn unsound_versions_are_refused() {
    refused_directive(
        "module",
        "since = \"1.x\"\nmodule",
        "malformed version `1.x` in since",
    );
    refused_directive(
        "module",
        "since = \"1.2\"\nmodule",
        "malformed version `1.2` in since",
    );
    refused_directive(
        "module",
        "since = \"1.2.3w\"\nmodule",
        "malformed version `1.2.3w`",
    );
    refused_directive(
        "module",
        "removed = \"1.99999.1\"\nmodule",
        "malformed version",
    );
    let twisted = "since = \"1.5.9\"\nremoved = \"1.5.9\"\nmodule";
    refused_directive("module", twisted, "`since` is not below `removed`");
}

#[test]
fn gaps_between_deciders_are_refused() {
    let row = |from: &str| format!("{{ {from}by = \"both\", source = \"live: x\" }}");
    let list = |rows: &[String]| format!("deciders = [{}]\nmodule", rows.join(", "));
    let first = list(&[row("from = \"1.1.1\", "), row("from = \"1.2.0\", ")]);
    refused_directive("module", &first, "the first decider, and only the first");
    let second = list(&[row(""), row("")]);
    refused_directive("module", &second, "the first decider, and only the first");
    let turned = list(&[
        row(""),
        row("from = \"1.2.0\", "),
        row("from = \"1.1.0\", "),
    ]);
    refused_directive("module", &turned, "not sorted by `from`");
    refused_directive(
        "module",
        "deciders = [{ by = \"both\" }]\nmodule",
        "missing source",
    );
}

#[test]
fn order_and_duplicates_are_refused() {
    let text = format!("{ROW}{}", ROW.replace("bb", "aa"));
    refused("nginx/x.toml", &text, "directive `aa`", "not sorted");
    // The same contexts twice under two keys.
    let other = ROW.replace("name = \"bb\"", "name = \"bb\"\nkey = \"bb.again\"");
    let text = format!("{ROW}{other}");
    refused("nginx/x.toml", &text, "directive `bb.again`", "duplicate");
    // Other contexts under another key are sound.
    let other = other.replace("\"http\"", "\"mail\"");
    assert_eq!(problems("nginx/x.toml", &format!("{ROW}{other}")), SOUND);
    // httpd compares without case.
    let one = ROW.replace("\"http\"", "\"proxy\"");
    let found = problems(
        "apache/x.toml",
        &format!("{one}{}", one.replace("bb", "BB")),
    );
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|text| text.contains("duplicate")),
        "{found:?}"
    );
}

#[test]
fn unknown_columns_and_broken_files_are_refused() {
    let found = problems("nginx/x.toml", &ROW.replace("module", "modul"));
    assert!(found[0].starts_with("grammars/nginx/x.toml: "), "{found:?}");
    assert!(found[0].contains("modul"), "{found:?}");
    let found = problems("nginx/x.toml", "[[directive\n");
    assert!(found[0].starts_with("grammars/nginx/x.toml: "), "{found:?}");
}

#[test]
fn a_server_without_a_range_is_refused() {
    let found = schema::load(&[]).unwrap_err();
    assert!(
        found.iter().any(|text| text.contains("no [range]")),
        "{found:?}"
    );
}

#[test]
fn unsound_behaviours_are_refused() {
    let row = |ranges: &str| {
        let rest = "summary = \"s\"\nsource = \"live: x\"\n";
        format!("[[behaviour]]\nname = \"b\"\nranges = [{ranges}]\n{rest}")
    };
    let sound = row("{ from = \"1.1.0\", before = \"1.2.0\" }, { from = \"1.2.0\" }");
    assert_eq!(problems("nginx/x.toml", &sound), SOUND);
    let refused = |ranges: &str, reason: &str| {
        refused("nginx/x.toml", &row(ranges), "behaviour `b`", reason);
    };
    refused("", "no range");
    refused("{ from = \"1.2.0\", before = \"1.1.0\" }", "not below");
    refused("{ from = \"1.2.0\" }, { from = \"1.3.0\" }", "overlap");
    refused("{ before = \"1.4.0\" }, { from = \"1.3.0\" }", "overlap");
}

#[test]
fn unsound_common_rows_are_refused() {
    let advisory = |fixed: &str, source: &str| {
        format!(
            "[[advisory]]\nid = \"C\"\nserver = \"nginx\"\ntitle = \"t\"\n\
             affected = [{{ before = \"1.2.0\" }}]\nfixed = [\"{fixed}\"]\ncondition = \"c\"\n\
             severity = \"low\"\nsource = \"{source}\"\n"
        )
    };
    let path = "advisories.toml";
    assert_eq!(problems(path, &advisory("1.2.0", "live: x")), SOUND);
    refused(
        path,
        &advisory("1.3.0", "live: x"),
        "advisory `C`",
        "not in `fixed`",
    );
    refused(
        path,
        &advisory("1.2.0", ""),
        "advisory `C`",
        "missing source",
    );
    let stub =
        "[[stub]]\nserver = \"nginx\"\nsuffix = \"s\"\nfile = \"gone\"\nsource = \"live: x\"\n";
    refused(
        "stubs/stubs.toml",
        stub,
        "stub `s`",
        "no file grammars/stubs/gone",
    );
    let decider = "nginx = [{ by = \"y\", source = \"live: x\" }]";
    let command = format!("[[command]]\nname = \"c\"\nsource = \"live: x\"\n{decider}\n");
    refused(
        "library.toml",
        &command,
        "command `c`",
        "unknown decider `y`",
    );
    let misplaced = problems("library.toml", ROW);
    assert!(
        misplaced[0].contains("belong to a server's folder"),
        "{misplaced:?}"
    );
}

#[test]
fn the_projects_own_grammars_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let tables = schema::load(&schema::read(&root).unwrap()).unwrap();
    let nginx = catalog::all(catalog::Server::Nginx).len();
    assert_eq!(tables.nginx.directives.len(), nginx);
    let apache = catalog::all(catalog::Server::Apache).len();
    assert_eq!(tables.apache.directives.len(), apache);
}

const MODULE: &str = r#"
[[module]]
name = "a_module"
file = "mod_a.c"
so = "mod_a.so"
built_in = ["debian"]
source = "https://example.org/"
"#;

#[test]
fn modules_are_checked() {
    assert_eq!(problems("apache/x.toml", MODULE), SOUND);
    for (from, to, reason) in [
        ("https:", "", "a source starts with"),
        ("mod_a.c\"", "mod_a\"", "file ends with `.c`"),
        ("mod_a.so", "mod_a", "ends with `.so`"),
        ("debian", "plan9", "unknown build `plan9`"),
        ("so = \"mod_a.so\"", "", "a module without `so`"),
    ] {
        let text = MODULE.replacen(from, to, 1);
        assert_ne!(text, MODULE);
        refused("apache/x.toml", &text, "module `a_module`", reason);
    }
    let text = MODULE.replace("a_module", "a_mod");
    refused(
        "apache/x.toml",
        &text,
        "module `a_mod`",
        "ends with `_module`",
    );
    let second = MODULE
        .replace("a_module", "b_module")
        .replace("mod_a.so", "b.so");
    let both = MODULE.to_owned() + &second;
    refused(
        "apache/x.toml",
        &both,
        "module `b_module`",
        "the same `file`",
    );
    let turned = second + MODULE;
    let found = problems("apache/x.toml", &turned);
    assert!(
        found.iter().any(|it| it.contains("not sorted")),
        "{found:?}"
    );
    let found = problems("nginx/x.toml", MODULE);
    assert!(found[0].contains("httpd's folder"), "{found:?}");
}
