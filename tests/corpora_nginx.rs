//! Real configuration files that nobody here wrote: each prints back, and its names,
//! arguments and nesting are those that crossplane (PyPI), an independent parser, reports.
//!
//! The folder comes from STEKGUARD_CORPORA; python3 with crossplane has to be there then.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stekguard::syntax::nginx::{Options, parse, words};
use stekguard::syntax::{NodeId, NodeKind, Tree};

/// Prints one line of JSON a file: its statements, or null where crossplane gives up.
const CROSSPLANE: &str = r#"
import crossplane, json, sys
for path in sys.stdin.read().split("\n"):
    try:
        config = crossplane.parse(path, single=True, comments=False, strict=False,
                                  check_ctx=False, check_args=False)["config"][0]
        print(json.dumps(config["parsed"] if config["status"] == "ok" else None))
    except Exception:
        print("null")
"#;

/// Where crossplane differs from nginx, not from us: a file's path below the corpus, the number
/// of statements that differ, and the reason, tried on nginx 1.22.1.
const EXPLAINED: [(&str, usize, &str); 2] = [
    (
        "crossplane/messy/nginx.conf",
        1,
        "crossplane joins words around `${`: `try_files /abc/${uri} /abc/${uri}.html` has three",
    ),
    (
        "crossplane/missing-semicolon/broken-above.conf",
        2,
        "a `}` among arguments: crossplane drops it, nginx refuses the file (unexpected \"}\")",
    ),
];

#[test]
fn corpora_print_back_and_agree_with_crossplane() {
    let Ok(corpora) = std::env::var("STEKGUARD_CORPORA") else {
        println!("STEKGUARD_CORPORA is unset: no corpus was read");
        return;
    };
    let corpus = Path::new(&corpora).join("nginx");
    let files: Vec<PathBuf> = walkdir::WalkDir::new(&corpus)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    assert!(!files.is_empty(), "no files below {}", corpus.display());
    let theirs = crossplane(&files);
    let mut differ = Vec::new();
    let [mut clean, mut compared, mut statements, mut given_up] = [0; 4];
    for (path, their) in files.iter().zip(&theirs) {
        let text = fs::read(path).unwrap();
        let tree = parse(&text, &Options::default());
        assert!(tree.print(&text) == text, "{} prints back", path.display());
        match tree.errors.first() {
            None => clean += 1,
            Some(error) => println!("{}:{}: {}", path.display(), error.line, error.message),
        }
        let Value::Array(their) = their else {
            given_up += 1;
            continue;
        };
        compared += 1;
        statements += tree.nodes.len();
        let name = path
            .strip_prefix(&corpus)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let ours = ours(&text, &tree);
        let mut lines = Vec::new();
        flatten(their, 0, &mut lines);
        assert_eq!(ours.len(), lines.len(), "{name}: statements");
        let wrong = || {
            ours.iter()
                .zip(&lines)
                .filter(|(our, their)| !agree(our, their))
        };
        if let Some((our, their)) = wrong().next() {
            println!("differs: {name}: {:?} and {their:?}", our.words);
            differ.push((name, wrong().count()));
        }
    }
    println!(
        "{} files print back, {clean} without a syntax error; {compared} compared with \
         crossplane ({statements} statements), {} differ, {} of them explained; crossplane gave \
         up on {given_up}",
        files.len(),
        differ.len(),
        EXPLAINED.len(),
    );
    let expected = EXPLAINED.map(|(name, count, _)| (name.to_string(), count));
    assert_eq!(differ, expected);
}

fn crossplane(files: &[PathBuf]) -> Vec<Value> {
    use std::io::Write;
    let mut child = Command::new("python3")
        .args(["-c", CROSSPLANE])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("python3 with the package crossplane is needed for this test");
    let list: Vec<_> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let mut input = child.stdin.take().unwrap();
    input.write_all(list.join("\n").as_bytes()).ok();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "python3 with the package crossplane is needed for this test (pip install crossplane)"
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    let values: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(values.len(), files.len());
    values
}

/// A statement of the tree: depth, and each word as nginx stores it and as it is written.
struct Ours {
    depth: usize,
    words: Vec<[String; 2]>,
}

/// A statement of crossplane: depth, name and arguments.
type Theirs = (usize, Vec<String>);

fn ours(text: &[u8], tree: &Tree) -> Vec<Ours> {
    let mut lines = Vec::new();
    let mut depths: Vec<usize> = Vec::new();
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (index, node) in tree.nodes.iter().enumerate() {
        let depth = node
            .parent
            .map_or(0, |parent| depths[parent.0 as usize] + 1);
        depths.push(depth);
        let mut line: Vec<[String; 2]> = words(text, tree, NodeId(index as u32))
            .map(|word| {
                let raw = word.span.of(text);
                let raw = if word.quoted {
                    &raw[1..raw.len() - 1]
                } else {
                    raw
                };
                [lossy(&word.value), lossy(raw)]
            })
            .collect();
        if let Some(body) = node.body.filter(|_| node.kind == NodeKind::Foreign) {
            line.push([lossy(body.of(text)), lossy(body.of(text))]);
        }
        if line.first().is_some_and(|name| name[0] == "if") {
            without_parentheses(&mut line);
        }
        lines.push(Ours { depth, words: line });
    }
    lines
}

/// Crossplane takes one pair of parentheses of `if` away.
fn without_parentheses(line: &mut Vec<[String; 2]>) {
    let opens = line.get(1).is_some_and(|word| word[0].starts_with('('));
    if !opens || !line.last().unwrap()[0].ends_with(')') {
        return;
    }
    for form in &mut line[1] {
        form.remove(0);
    }
    let last = line.last_mut().unwrap();
    for form in last.iter_mut() {
        form.pop();
    }
    // What held nothing else goes with its parenthesis; an argument `""` stays.
    if line[1][0].is_empty() {
        line.remove(1);
    }
    line.pop_if(|word| word[0].is_empty());
}

fn flatten(statements: &[Value], depth: usize, lines: &mut Vec<Theirs>) {
    for statement in statements {
        // It reports comments among arguments even when asked to leave comments out.
        if statement["directive"] == "#" {
            continue;
        }
        let mut line = vec![statement["directive"].as_str().unwrap().to_string()];
        let args = statement["args"].as_array().unwrap();
        line.extend(args.iter().map(|arg| arg.as_str().unwrap().to_string()));
        lines.push((depth, line));
        if let Value::Array(block) = &statement["block"] {
            flatten(block, depth + 1, lines);
        }
    }
}

/// Crossplane keeps most escapes as they are written, where nginx resolves them (tokens.tsv
/// holds nginx's own answers), so a word may agree in either form.
fn agree(ours: &Ours, (depth, line): &Theirs) -> bool {
    ours.depth == *depth
        && ours.words.len() == line.len()
        && ours.words.iter().zip(line).all(|([value, raw], their)| {
            their == value || their == raw || *their == raw.replace("\\\"", "\"")
        })
}
