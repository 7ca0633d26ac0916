//! What a search leaves out is what git itself ignores: `git check-ignore` answers for a few
//! hundred random lists.

use std::fs;
use std::process::Command;

use crate::binary::{run, tree, write};

/// A small generator: the same lists in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

const FOLDERS: [&str; 6] = ["", "a/", "b/", "a/b/", "a/b/c/", "build/"];
const FILES: [&str; 4] = ["x.conf", "y.conf", "b.conf", "xy.conf"];
const PIECES: [&str; 12] = [
    "a",
    "b",
    "c",
    "*",
    "**",
    "x.conf",
    "*.conf",
    "?.conf",
    "[xy].conf",
    "build",
    "[!x]*",
    "b*",
];

fn pattern(random: &mut Random) -> String {
    let pieces: Vec<&str> = (0..=random.below(3))
        .map(|_| PIECES[random.below(PIECES.len())])
        .collect();
    let begin = ["", "", "", "/", "!", "!/"][random.below(6)];
    let end = ["", "", "", "/", " "][random.below(5)];
    format!("{begin}{}{end}", pieces.join("/"))
}

#[test]
fn git_and_the_search_agree() {
    let lists: usize = std::env::var("STEKGUARD_GITIGNORE_LISTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(60);
    let folder = tree(&[]);
    let top = folder.path();
    assert!(
        Command::new("git")
            .args(["init", "-q"])
            .current_dir(top)
            .status()
            .unwrap()
            .success()
    );
    let mut paths = Vec::new();
    for directory in FOLDERS {
        for file in FILES {
            let path = format!("{directory}{file}");
            write(top, &path, b"server {\n    listen 80;\n}\n");
            paths.push(path);
        }
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut ignored, mut kept) = (0, 0);
    for _ in 0..lists {
        let mut all = String::new();
        for place in ["", "a/", "a/b/"] {
            let file = top.join(place).join(".gitignore");
            let _ = fs::remove_file(&file);
            if place.is_empty() || random.below(3) == 0 {
                let lines: Vec<String> = (0..=random.below(4))
                    .map(|_| pattern(&mut random))
                    .collect();
                let text = lines.join("\n") + "\n";
                all.push_str(&format!("{place}.gitignore:\n{text}"));
                fs::write(&file, text).unwrap();
            }
        }
        let mut expected = 0;
        for path in &paths {
            let status = Command::new("git")
                .args(["check-ignore", "-q", "--no-index", path])
                .current_dir(top)
                .status()
                .unwrap();
            expected += usize::from(status.code() == Some(0));
        }
        let run = run(top, &["lint", "--isolated", "--format", "json", "."]);
        let excluded = match serde_json::from_str::<serde_json::Value>(&run.out) {
            Ok(document) if run.code != 2 => {
                document["summary"]["excluded"].as_u64().unwrap() as usize
            }
            // Nothing is left to look at.
            _ => {
                assert!(run.err.contains("no configuration"), "{run:?}");
                paths.len()
            }
        };
        assert_eq!(excluded, expected, "\n{all}\n{run:?}");
        ignored += expected;
        kept += paths.len() - expected;
    }
    println!("{lists} lists: {ignored} files ignored, {kept} kept, git and the search agree");
    assert!(ignored > lists && kept > lists);
}
