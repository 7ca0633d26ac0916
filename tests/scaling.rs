//! Nothing grows with the square of the virtual hosts: what `lint` carries out is counted in
//! processor instructions, never in seconds, and what it holds at once in kilobytes of memory, for
//! two sizes of every tree.
//!
//! Instructions are counted by valgrind for 150 and 600 hosts: one size is four times the other,
//! so that tables which grow by doubling are equally full in both. `STEKGUARD_SCALING` gives the
//! larger size. Memory is what the kernel counted, for 1,000 and 8,000: fewer hosts fit into the
//! files that are read ahead, whose memory is used again by what follows. tests/install_servers.sh
//! installs valgrind and GNU time; the guide on speed has figures up to 100,000.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../benches/trees/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod trees;

use std::fs;
use std::process::Command;

use trees::{Kind, Shape};

/// The hosts for which memory is counted.
const MEMORY: [usize; 2] = [1000, 8000];

/// How a figure is taken: the command in front of the binary, and the mark in front of the number
/// that it says on standard error.
struct Meter {
    what: &'static str,
    command: &'static [&'static str],
    mark: &'static str,
}

const INSTRUCTIONS: Meter = Meter {
    what: "instructions",
    command: &[
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ],
    mark: "Collected : ",
};
const KILOBYTES: Meter = Meter {
    what: "KiB",
    command: &["/usr/bin/time", "-q", "-f", "peak %M KiB"],
    mark: "peak ",
};

impl Meter {
    /// What `lint` over a tree of so many hosts costs.
    fn cost(&self, kind: Kind, shape: Shape, hosts: usize) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().to_str().unwrap();
        for (path, text) in trees::tree(kind, shape, hosts, name) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let output = Command::new(self.command[0])
            .args(&self.command[1..])
            .arg(env!("CARGO_BIN_EXE_stekguard"))
            .args(["lint", "--format", "json"])
            .arg(folder.path().join(kind.root()))
            // One thread: two would wait for each other, and waiting counts too.
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .expect("tests/install_servers.sh installs what counts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        let document = String::from_utf8_lossy(&output.stdout);
        let rule = match shape {
            // Of several rules, in nginx not the same in every version.
            Shape::Own => "\"rule\":",
            _ => "tickets-without-rotation",
        };
        let found = document.matches(rule).count();
        match shape {
            Shape::Findings | Shape::Own => assert!(found >= hosts, "{found} findings"),
            _ => assert_eq!(found, 0),
        }
        let mut lines = said.lines();
        let number = lines.find_map(|line| line.split_once(self.mark)?.1.split(' ').next());
        let number = number.unwrap_or_else(|| panic!("{said}"));
        number.replace(',', "").parse().unwrap()
    }

    fn grows_evenly(&self, kind: Kind, shape: Shape, [small, large]: [usize; 2]) {
        // What a run costs by itself says nothing about growth.
        let alone = self.cost(kind, shape, 1);
        let [few, many] = [small, large].map(|hosts| self.cost(kind, shape, hosts) - alone);
        let steps = (large - 1) as f64 / (small - 1) as f64;
        let exponent = (many / few).ln() / steps.ln();
        let each = many / (large - 1) as f64;
        let what = self.what;
        println!("{kind:?} {shape:?}: {each:.1} {what} a host, exponent {exponent:.3}");
        assert!(
            exponent <= 1.05,
            "{kind:?} {shape:?}, {what}: exponent {exponent:.3}"
        );
    }
}

fn grows_evenly(kind: Kind) {
    let large = std::env::var("STEKGUARD_SCALING").map_or(600, |size| size.parse().unwrap());
    for shape in Shape::ALL {
        INSTRUCTIONS.grows_evenly(kind, shape, [large / 4, large]);
        KILOBYTES.grows_evenly(kind, shape, MEMORY);
    }
}

#[test]
fn nginx_grows_evenly() {
    grows_evenly(Kind::Nginx);
}

#[test]
fn httpd_grows_evenly() {
    grows_evenly(Kind::Apache);
}
