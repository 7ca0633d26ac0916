//! Real httpd files that nobody here wrote print back byte for byte.
//!
//! `STEKGUARD_CORPORA` names the folder that holds `apache/`; without it the test says so.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;

use stekguard::syntax::apache::parse;

#[test]
fn every_file_prints_back() {
    let Some(root) = std::env::var_os("STEKGUARD_CORPORA") else {
        println!("STEKGUARD_CORPORA is unset: no file of the corpora was read");
        return;
    };
    let root = PathBuf::from(root).join("apache");
    let (mut files, mut bytes, mut nodes, mut errors, mut fatal) = (0, 0, 0, 0, 0);
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap();
        let tree = parse(&text);
        assert_eq!(tree.print(&text), text, "{}", entry.path().display());
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
