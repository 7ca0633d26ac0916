//! Nothing grows with the square of the virtual hosts: what `lint` carries out is counted in
//! processor instructions, never in seconds, and what it holds at once in bytes of its heap, for
//! two sizes of every tree.
//!
//! One size is four times the other, so that tables which grow by doubling are equally full in
//! both. valgrind counts; tests/install_servers.sh installs it. `STEKGUARD_SCALING` gives the larger
//! size of the two (default 600); the guide on speed has figures up to 100,000.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../benches/trees/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod trees;

use std::fs;
use std::process::Command;

use trees::{Kind, Shape};

/// What `lint` over one tree costs.
struct Cost {
    instructions: f64,
    /// Bytes of the heap at its fullest.
    bytes: f64,
}

/// The cost of a tree of so many hosts.
fn cost(kind: Kind, shape: Shape, hosts: usize) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    for (path, text) in trees::tree(kind, shape, hosts, name) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let counted = |tool: &[&str], mark: &str| {
        let output = Command::new("valgrind")
            .args(tool)
            .arg(env!("CARGO_BIN_EXE_stekguard"))
            .args(["lint", "--format", "json"])
            .arg(folder.path().join(kind.root()))
            // One thread: two would wait for each other, and waiting counts too.
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .expect("valgrind is installed by tests/install_servers.sh");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        let document = String::from_utf8_lossy(&output.stdout);
        let found = document.matches("tickets-without-rotation").count();
        match shape {
            Shape::Findings => assert!(found >= hosts, "{found} findings"),
            _ => assert_eq!(found, 0),
        }
        let mut lines = said.lines();
        let number = lines.find_map(|line| line.split_once(mark)?.1.split(' ').next());
        let number = number.unwrap_or_else(|| panic!("{said}"));
        number.replace(',', "").parse().unwrap()
    };
    let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let dhat = ["--tool=dhat", "--dhat-out-file=/dev/null"];
    Cost {
        instructions: counted(&callgrind, "Collected : "),
        bytes: counted(&dhat, "At t-gmax: "),
    }
}

fn grows_evenly(kind: Kind) {
    let large = std::env::var("STEKGUARD_SCALING").map_or(600, |size| size.parse().unwrap());
    let small = large / 4;
    for shape in Shape::ALL {
        // What a run costs by itself says nothing about growth.
        let alone = cost(kind, shape, 1);
        let [few, many] = [small, large].map(|hosts| cost(kind, shape, hosts));
        let steps = (large - 1) as f64 / (small - 1) as f64;
        for (what, of) in WHAT {
            let [few, many] = [&few, &many].map(|cost| of(cost) - of(&alone));
            let exponent = (many / few).ln() / steps.ln();
            let each = (many / (large - 1) as f64) as u64;
            println!("{kind:?} {shape:?}: {each} {what} a host, exponent {exponent:.3}");
            assert!(
                exponent <= 1.05,
                "{kind:?} {shape:?}, {what}: exponent {exponent:.3}"
            );
        }
    }
}

/// What is counted.
const WHAT: [(&str, fn(&Cost) -> f64); 2] = [
    ("instructions", |cost| cost.instructions),
    ("bytes", |cost| cost.bytes),
];

#[test]
fn nginx_grows_evenly() {
    grows_evenly(Kind::Nginx);
}

#[test]
fn httpd_grows_evenly() {
    grows_evenly(Kind::Apache);
}
