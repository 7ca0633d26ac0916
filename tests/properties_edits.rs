//! What `fix` changes: on random trees of both servers, for every policy, the edits that it names
//! are disjoint, in order and within their file; made by hand they give what GNU patch makes of
//! the printed diff and what `--write` leaves on disk; `undo` gives back every byte, mode, owner
//! and link; and a write that is killed, or whose system call fails, ends after the next command
//! with all old bytes.
//!
//! `STEKGUARD_CASES=10` tries ten times as many trees, `STEKGUARD_SEED=7` others.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod differential;
mod generator;
mod generator_apache;
mod properties;
mod support;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::Instant;

use differential::live::{self, Site};
use differential::world::World;
use generator::nginx::tree;
use generator::print;
use generator_apache::run;
use generator_apache::world::World as ApacheWorld;
use properties::fixing::{CALLS, Cut, Tally, Tool};
use properties::{BUILT_IN, holds, pick, seed};
use proptest::prelude::*;
use support::install;

const NGINX_TREES: u32 = 40;
const APACHE_TREES: u32 = 40;
const POLICIES: [&str; 5] = [
    "no-tickets",
    "no-resumption",
    "rotate",
    "automatic",
    "sound",
];

/// How a tree is fixed.
#[derive(Debug, Clone, Copy)]
struct Wish {
    number: u32,
    policy: usize,
    version: u32,
    unsafe_fixes: bool,
    /// Of files: modes, owners, which are links.
    attributes: u64,
    cut: Cut,
}

fn wishes() -> impl Strategy<Value = Wish> {
    let cut = (0..CALLS.len(), 1..8_u32, any::<bool>());
    let cut = cut.prop_map(|(call, number, fails)| Cut {
        call,
        number,
        fails,
    });
    let number = (0..100_000_u32).no_shrink();
    let wish = (
        number,
        0..POLICIES.len(),
        0..4_u32,
        any::<bool>(),
        any::<u64>(),
        cut,
    );
    wish.prop_map(
        |(number, policy, version, unsafe_fixes, attributes, cut)| Wish {
            number,
            policy,
            version,
            unsafe_fixes,
            attributes,
            cut,
        },
    )
}

impl Wish {
    fn arguments(&self, versions: &[&str]) -> Vec<String> {
        let mut all = vec!["--isolated", "--validate", "never"];
        all.extend(["--policy", POLICIES[self.policy]]);
        if let Some(version) = pick(versions, self.version).filter(|it| !it.is_empty()) {
            all.extend(["--server-version", version]);
        }
        if self.unsafe_fixes {
            all.push("--unsafe-fixes");
        }
        all.into_iter().map(str::to_owned).collect()
    }

    /// Gives the files modes and owners, and puts links in the place of some.
    fn dress(&self, folder: &Path, names: &[String]) {
        const MODES: [u32; 4] = [0o644, 0o640, 0o600, 0o755];
        let away = folder.join("away");
        fs::create_dir(&away).unwrap();
        for (index, name) in names.iter().enumerate() {
            let bits = self.attributes.rotate_right(index as u32 * 7);
            let path = folder.join(name);
            let mut file = path.clone();
            // httpd would read a folder whole; links stay what they are.
            if bits >> 4 & 3 == 0 {
                file = away.join(index.to_string());
                fs::rename(&path, &file).unwrap();
                symlink(&file, &path).unwrap();
            }
            let mode = MODES[bits as usize & 3];
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            if install::is_root() && bits >> 2 & 3 == 0 {
                chown(&file, Some(12), Some(34)).unwrap();
            }
        }
    }
}

#[test]
fn nginx_edits_are_the_diff_and_can_be_taken_back() {
    let program = install::nginx_packaged();
    let (world, ability) = (World::new(), live::ability(&program));
    let (tally, started) = (RefCell::new(Tally::default()), Instant::now());
    let own = format!("nginx={}", program.version);
    let versions = [&*own, "nginx=1.31.7", "nginx=1.28.3", &*own];
    holds(NGINX_TREES, &wishes(), |wish| {
        let tree = tree(seed(), wish.number as usize, &ability);
        let files = print::noisy(&tree.nodes, &mut tree.noise.clone());
        let site = Site::write(&files, &tree, &world);
        let names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
        wish.dress(site.path(), &names);
        let arguments = wish.arguments(&versions);
        let tool = Tool::new(site.path(), &site.root, arguments);
        let verdict = || site.tested(&program).is_ok();
        tool.judge(wish.cut, &verdict, &mut tally.borrow_mut())
    });
    tally.into_inner().finish("nginx", started);
}

#[test]
fn httpd_edits_are_the_diff_and_can_be_taken_back() {
    let program = install::apache();
    let world = ApacheWorld::new();
    let (tally, started) = (RefCell::new(Tally::default()), Instant::now());
    let own = format!("apache={}", program.version);
    let versions = [&*own, "apache=2.4.52", &*own, "apache=2.4.62"];
    holds(APACHE_TREES, &wishes(), |wish| {
        let index = wish.number as usize;
        let tree = run::written(seed(), index, &program, &world, |_, _, _| {});
        let names: Vec<String> = tree.files.keys().cloned().collect();
        wish.dress(tree.dir.path(), &names);
        let mut arguments = wish.arguments(&versions);
        let told = ["--define", "LIVE", "--define", "!*", "--modules", BUILT_IN];
        arguments.extend(told.map(str::to_owned));
        let root = tree.root();
        let tool = Tool::new(tree.dir.path(), &root, arguments);
        let verdict = || tree.verdict(&program).0;
        tool.judge(wish.cut, &verdict, &mut tally.borrow_mut())
    });
    tally.into_inner().finish("httpd", started);
}
