//! Too much of everything: each run ends, within bounded memory, with a correct result or one
//! clear sentence and exit code 2. `STEKGUARD_HOSTILE_FULL=1` takes the largest sizes; without
//! it the expensive ones are a tenth.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod hostile;

use std::fs;
use std::path::Path;

use hostile::{Ran, httpd, nginx, run};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

fn tenth() -> usize {
    match std::env::var_os("STEKGUARD_HOSTILE_FULL") {
        Some(_) => 1,
        None => 10,
    }
}

fn shown(what: &str, ran: &Ran) {
    println!("{what}: exit code {}, {} MiB", ran.code, ran.peak);
}

fn place(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn sparse(path: &Path, size: u64) {
    fs::File::create(path).unwrap().set_len(size).unwrap();
}

#[test]
fn a_gibibyte_of_anything_is_not_read() {
    let folder = TempDir::new().unwrap();
    sparse(&folder.path().join("nginx.conf"), 1 << 30);
    sparse(&folder.path().join("httpd.conf"), 1 << 40);
    sparse(&folder.path().join("stekguard.toml"), 1 << 30);
    for command in ["lint", "inspect", "fix"] {
        for root in ["nginx.conf", "httpd.conf"] {
            let ran = run(folder.path(), &[command, "--isolated", root]);
            ran.refused(
                command,
                "it is larger than 67108864 bytes, the most that is read",
            );
            assert!(ran.peak < 64, "{} MiB", ran.peak);
        }
    }
    fs::write(folder.path().join("small.conf"), nginx("")).unwrap();
    let ran = run(folder.path(), &["lint", "small.conf"]);
    ran.refused("settings", "it is larger than 4194304 bytes");
    let ran = run(
        folder.path(),
        &[
            "lint",
            "--isolated",
            "--baseline",
            "nginx.conf",
            "small.conf",
        ],
    );
    ran.refused("baseline", "it is larger than 67108864 bytes");
}

/// Files within the limit, each of one thing only.
#[test]
fn one_thing_without_end() {
    let many = |unit: &str, count: usize| unit.repeat(count).into_bytes();
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("nothing but NUL", vec![0; 20 * MIB], "the file is binary"),
        ("braces", many("{", 9 * MIB), "more than 8388608 statements"),
        (
            "braces that close",
            many("}", 9 * MIB),
            "more than 8388608 statements",
        ),
        (
            "semicolons",
            many(";", 9 * MIB),
            "more than 8388608 statements",
        ),
        (
            "short lines",
            many("a\n", 9 * MIB),
            "more than 8388608 statements",
        ),
        (
            "sections",
            many("<\n", 9 * MIB),
            "more than 8388608 statements",
        ),
        ("words", many("a ", 25 * MIB), "25165824 words"),
        (
            "line ends",
            many("\n", 20 * MIB),
            "the file holds no directive",
        ),
        ("one word", many("a", 20 * MIB), "line"),
        (
            "one comment",
            [b"#".to_vec(), many("x", 20 * MIB)].concat(),
            "no directive",
        ),
    ];
    for (what, text, words) in cases {
        let folder = place(&[("httpd.conf", &text), ("nginx.conf", &text)]);
        for root in ["nginx.conf", "httpd.conf"] {
            let ran = run(folder.path(), &["lint", root]);
            shown(&format!("{what}, {root}"), &ran);
            // nginx's own sentence on a long word.
            let words = match (what, root) {
                ("one word", "nginx.conf") => "too long",
                _ => words,
            };
            ran.refused(&format!("{what}: {root}"), words);
        }
    }
}

#[test]
fn nesting_ends_at_a_limit() {
    let nested =
        |open: &str, close: &str, count: usize| [open.repeat(count), close.repeat(count)].concat();
    let directories = nested("<Directory />\n", "</Directory>\n", 100_000);
    let ifs = nested("<If \"true\">\n", "</If>\n", 100_000);
    let blocks = format!("events {{}} http {{ {} }}", nested("a {", "}", 1_000_000));
    let open = format!("events {{}} {}", "http {".repeat(1_000_000));
    let cases = [
        ("nginx.conf", blocks, "blocks nest deeper than 1000 levels"),
        ("nginx.conf", open, "blocks nest deeper than 1000 levels"),
        (
            "httpd.conf",
            httpd(&directories),
            "sections nest deeper than 10000",
        ),
        ("httpd.conf", httpd(&ifs), "sections nest deeper than 10000"),
        // By files that include each other, each with some hundred of its own.
        ("chain", String::new(), "sections nest deeper than 10000"),
    ];
    for (root, text, words) in cases {
        let folder = TempDir::new().unwrap();
        let mut name = root.to_owned();
        if root == "chain" {
            name = "httpd.conf".to_owned();
            for number in 0..20 {
                let own = match number {
                    0 => "httpd.conf".to_owned(),
                    _ => format!("{number}.conf"),
                };
                let inner = format!("Include {}.conf\n", number + 1);
                let open = "<If \"true\">\n".repeat(600);
                let text = format!("Listen {number}\n{open}{inner}{}", "</If>\n".repeat(600));
                fs::write(folder.path().join(own), text).unwrap();
            }
            fs::write(folder.path().join("20.conf"), "ServerName a\n").unwrap();
        } else {
            fs::write(folder.path().join(root), text).unwrap();
        }
        let commands: &[&str] = match root {
            "nginx.conf" => &["lint", "inspect", "fix"],
            "httpd.conf" => &["lint", "fix"],
            _ => &["lint"],
        };
        for command in commands {
            let ran = run(folder.path(), &[*command, &name]);
            shown(&format!("{command} {root}"), &ran);
            ran.refused(&format!("{command} {root}"), words);
        }
    }
    // Below the limit everything is read.
    let folder = place(&[(
        "httpd.conf",
        httpd(&nested("<If \"true\">\n", "</If>\n", 900)).as_bytes(),
    )]);
    let ran = run(folder.path(), &["lint", "httpd.conf"]);
    assert_eq!(ran.code, 1, "{}", ran.err());
}

#[test]
fn a_million_directives_in_one_block_are_judged() {
    let count = 1_000_000 / tenth();
    let text = format!(
        "events {{}}\nhttp {{\n server {{\n listen 443 ssl;\n ssl_certificate a;\n \
         ssl_certificate_key b;\n{}}}\n}}\n",
        "add_header a b;\n".repeat(count)
    );
    let other = format!(
        "Listen 443\n<VirtualHost *:443>\nServerName a\nSSLEngine on\nSSLCertificateFile a\n{}\
         </VirtualHost>\n",
        "Header set a b\n".repeat(count)
    );
    let folder = place(&[
        ("nginx.conf", text.as_bytes()),
        ("httpd.conf", other.as_bytes()),
    ]);
    for root in ["nginx.conf", "httpd.conf"] {
        let few = place(&[(
            root,
            match root {
                "nginx.conf" => nginx("").into_bytes(),
                _ => httpd("").into_bytes(),
            }
            .as_slice(),
        )]);
        for command in ["lint", "fix"] {
            let ran = run(folder.path(), &[command, root]);
            shown(&format!("{command} {root}, {count} directives"), &ran);
            // What decides is found among them as if they were not there.
            let expected = run(few.path(), &[command, root]);
            assert_eq!(ran.code, expected.code, "{command} {root}: {}", ran.err());
            assert_eq!(ran.code, 1);
            assert!(ran.peak < 1024, "{command} {root}: {} MiB", ran.peak);
        }
    }
}

/// 2^30 instances of a small file, and links by which one large file is read as many.
#[test]
fn includes_that_multiply_end_at_a_limit() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for level in 0..30 {
        let next = level + 1;
        let text = format!("include f{next};include f{next};");
        fs::write(at(&format!("f{level}")), text).unwrap();
    }
    fs::write(at("f30"), "# the last\n").unwrap();
    fs::write(at("nginx.conf"), nginx("include f0;")).unwrap();
    for level in 0..30 {
        let next = level + 1;
        let text = format!("Include g{next}\nInclude g{next}\n");
        fs::write(at(&format!("g{level}")), text).unwrap();
    }
    fs::write(at("g30"), "# the last\n").unwrap();
    fs::write(at("httpd.conf"), httpd("Include g0")).unwrap();
    let ran = run(folder.path(), &["lint", "nginx.conf"]);
    shown("2^30 includes", &ran);
    ran.refused("2^30 includes", "files are included more than 250000 times");
    let ran = run(folder.path(), &["lint", "httpd.conf"]);
    shown("2^30 includes of httpd", &ran);
    ran.refused("2^30 includes of httpd", "more than 250000 times");

    let line = format!("# {}\n", "x".repeat(1000));
    fs::create_dir(at("many")).unwrap();
    fs::write(at("large"), line.repeat(60 * MIB / line.len())).unwrap();
    for number in 0..40 {
        let link = at(&format!("many/{number:02}.conf"));
        std::os::unix::fs::symlink("../large", link).unwrap();
    }
    fs::write(at("nginx.conf"), nginx("include many/*.conf;")).unwrap();
    fs::write(at("httpd.conf"), httpd("Include many")).unwrap();
    for root in ["nginx.conf", "httpd.conf"] {
        let ran = run(folder.path(), &["lint", root]);
        shown(&format!("40 links to 60 MiB, {root}"), &ran);
        ran.refused(root, "all files have more than 268435456 bytes together");
    }
}

#[test]
fn a_folder_of_two_hundred_thousand_files() {
    let count = 200_000 / tenth();
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("d")).unwrap();
    for number in 0..count {
        fs::write(at(&format!("d/{number:06}.conf")), "").unwrap();
    }
    fs::write(at("nginx.conf"), nginx("include d/*.conf;")).unwrap();
    fs::write(at("httpd.conf"), httpd("Include d")).unwrap();
    for root in ["nginx.conf", "httpd.conf", "."] {
        let ran = run(folder.path(), &["lint", root]);
        shown(&format!("{count} files, {root}"), &ran);
        assert_eq!(ran.code, 1, "{root}: {}", ran.err());
        assert!(ran.peak < 1024, "{root}: {} MiB", ran.peak);
    }
    let expected = format!(" in {} files", count + 1);
    let ran = run(folder.path(), &["lint", "nginx.conf"]);
    assert!(ran.err().contains(&expected), "{}", ran.err());
}

/// The expanded stream of `nginx -T` is bounded as files are.
#[test]
fn a_stream_without_end_is_refused() {
    let folder = TempDir::new().unwrap();
    sparse(&folder.path().join("stream"), 1 << 30);
    let binary = env!("CARGO_BIN_EXE_stekguard");
    for source in ["cat stream", "yes '{'", "cat /dev/zero"] {
        let line = format!("{source} | timeout -s KILL 120 {binary} lint -");
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{source}: {err}");
        assert!(
            err.contains("standard input: more than 67108864 bytes"),
            "{source}: {err}"
        );
    }
}

/// Folders with two links each to the next one: 2^30 names of one file.
#[test]
fn links_that_multiply_end_at_a_limit() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for level in 0..30 {
        fs::create_dir(at(&format!("d{level}"))).unwrap();
        for link in ["a", "b"] {
            let next = format!("../d{}", level + 1);
            std::os::unix::fs::symlink(next, at(&format!("d{level}/{link}"))).unwrap();
        }
    }
    fs::create_dir(at("d30")).unwrap();
    for text in ["Include d0", "IncludeOptional d0", "Include d0/*"] {
        fs::write(at("httpd.conf"), httpd(text)).unwrap();
        let ran = run(folder.path(), &["lint", "httpd.conf"]);
        shown(&format!("2^30 links, {text}"), &ran);
        ran.refused(text, "names more than 250000 files and folders");
    }
}
