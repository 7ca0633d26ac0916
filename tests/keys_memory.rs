//! Where the bytes of keys are: in the tmpfs, in the server, and nowhere else. Every key is looked
//! for in the memory of the tool between two runs, when it needs none, and so is a certificate's
//! private key, which it never needs; keys that have left the window in the memory of nginx; all of
//! them in every file that was written since the start. The tool's own writes are traced.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use keys_bench::search::{hits, is_whole, memory_at_rest, memory_of, searched};
use keys_bench::{Bench, Daemon};
use support::install::{self, Program};

const HTTP: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 1h;";
const PLAN: [&str; 10] = [
    "--interval",
    "1s",
    "--ahead",
    "1",
    "--previous",
    "2",
    "--lifetime",
    "1s",
    "--skew",
    "1s",
];
/// Keys that have to come and go before anything is searched.
const RETIRED: usize = 8;
/// How often the tool's memory is searched; STEKGUARD_MEMORY_LOOKS says another number.
const LOOKS: u32 = 40;
/// Files larger than this hold no log of ours.
const LARGEST: u64 = 32 << 20;

#[test]
fn packaged_forgets() {
    forgets(&install::nginx_packaged());
}

#[test]
fn mainline_forgets() {
    forgets(&install::nginx_mainline());
}

fn forgets(program: &Program) {
    let began = SystemTime::now() - Duration::from_secs(1);
    let bench = Bench::new(program, HTTP);
    let private = bench.join_pair();
    let server = bench.serve();
    let trace = bench.dir.path().join("trace");
    let run = bench.keys("run", &PLAN);
    let mut traced = Command::new("strace");
    traced
        .args([
            "-f",
            "-qq",
            "-y",
            "-e",
            "trace=open,openat,creat,rename,renameat,renameat2",
            "-o",
        ])
        .arg(&trace)
        .arg(run.get_program())
        .args(run.get_args())
        .stdin(Stdio::null());
    let daemon = Daemon::start(traced, &bench.dir.path().join("run.log"));

    // Every key that ever was, by its file's name.
    let mut known: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let now = bench.key_files();
        for path in &now {
            if let Some(bytes) = fs::read(path).ok().filter(|bytes| is_whole(bytes)) {
                known.insert(path.clone(), bytes);
            }
        }
        if known.keys().filter(|path| !now.contains(path)).count() >= RETIRED {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{} keys only\n{}",
            known.len(),
            daemon.log()
        );
        thread::sleep(Duration::from_millis(50));
    }
    // A worker of before may take a second to go; the last reload is over by then.
    thread::sleep(Duration::from_millis(1500));
    let tool = child_of(daemon.child.id()).expect("the traced process");
    let title = fs::read_to_string(format!("/proc/{tool}/cmdline")).unwrap();
    assert!(title.contains("keys"), "{title}");
    let leash = Leash(tool);
    // What is left behind is overwritten sooner or later: looks at many moments, also for keys that
    // are in use, which every run reads anew.
    let (mut looks, mut least) = (0, usize::MAX);
    let wanted = wanted_looks();
    assert!(wanted > 0, "no look was asked for");
    let deadline = Instant::now() + Duration::from_secs(60) + Duration::from_secs(1) * wanted;
    while looks < wanted {
        assert!(
            Instant::now() < deadline,
            "only {looks} looks while it rested"
        );
        thread::sleep(Duration::from_millis(60));
        for path in bench.key_files() {
            if let Some(bytes) = fs::read(&path).ok().filter(|bytes| is_whole(bytes)) {
                known.insert(path, bytes);
            }
        }
        let Some(memory) = memory_at_rest(tool) else {
            continue;
        };
        looks += 1;
        let keys = known.values().map(|bytes| &bytes[16..]);
        let all: Vec<&[u8]> = keys.chain([private.as_bytes()]).collect();
        let (bytes, found) = searched(&memory, &all);
        least = least.min(bytes);
        assert!(
            found.is_empty(),
            "keys in the memory of the tool while it rests, look {looks}:\n{}\n{}\n{}",
            found.join("\n"),
            threads(tool),
            fs::read_to_string(format!("/proc/{tool}/maps")).unwrap_or_default()
        );
    }
    println!(
        "{}: tool: {looks} looks at {least} bytes or more, for {} keys",
        program.version,
        known.len()
    );
    assert!(
        least > 100_000,
        "only {least} bytes of the tool were searched"
    );

    let now = bench.key_files();
    let retired = known.iter().filter(|(path, _)| !now.contains(path));
    let retired: Vec<&[u8]> = retired.map(|(_, bytes)| &bytes[16..]).collect();
    let (bytes, found) = searched(&memory_of(bench.pid()), &retired);
    println!("{}: nginx: {bytes} bytes searched", program.version);
    assert!(
        found.is_empty(),
        "old keys in the memory of nginx:\n{}",
        found.join("\n")
    );
    // The search finds what is there: the keys that the server has loaded at this moment.
    let control = (0..10).any(|_| {
        let files = bench.key_files();
        let alive: Vec<Vec<u8>> = files
            .iter()
            .filter_map(|path| fs::read(path).ok())
            .collect();
        let alive: Vec<&[u8]> = alive.iter().filter_map(|bytes| bytes.get(16..)).collect();
        !searched(&memory_of(bench.pid()), &alive).1.is_empty()
    });
    assert!(control, "the search of memory finds nothing at all");

    drop(leash);
    drop(daemon);
    let all: Vec<&[u8]> = known.values().map(|bytes| &bytes[16..]).collect();
    let text = fs::read_to_string(&trace).unwrap();
    let written = written_paths(&text);
    let tmpfs = bench.memory.path();
    assert!(
        written.iter().any(|path| path.starts_with(tmpfs)),
        "nothing was traced"
    );
    let allowed = |path: &&PathBuf| {
        path.starts_with(tmpfs) || path.starts_with(bench.dir.path()) || path.starts_with("/dev")
    };
    let stray: Vec<_> = written.iter().filter(|path| !allowed(path)).collect();
    // `nginx -t` opens the files of its own defaults; they are searched below.
    println!("{}: written outside: {stray:?}", program.version);
    let keys_outside = written
        .iter()
        .any(|path| path.extension().is_some_and(|end| end == "key") && !path.starts_with(tmpfs));
    assert!(!keys_outside, "{written:?}");

    let mut files: Vec<PathBuf> = stray.into_iter().cloned().collect();
    for folder in [
        "/tmp",
        "/var/log",
        "/var/tmp",
        "/var/lib/nginx",
        "/var/lib/stekguard",
        "/root",
    ] {
        newer(Path::new(folder), began, tmpfs, 0, &mut files);
    }
    let mut bytes = 0;
    for path in &files {
        let Ok(text) = fs::read(path) else { continue };
        bytes += text.len();
        assert!(
            hits(&text, &all).is_empty(),
            "a key is in {}",
            path.display()
        );
    }
    assert!(
        files.iter().any(|path| path.ends_with("error.log")),
        "no log was searched"
    );
    println!(
        "{}: {} files, {bytes} bytes searched for {} keys",
        program.version,
        files.len(),
        all.len()
    );
    // The search finds what is there.
    let planted = bench.dir.path().join("planted");
    fs::write(&planted, [b"head", all[0], b"tail"].concat()).unwrap();
    assert_eq!(hits(&fs::read(&planted).unwrap(), &all).len(), 4);
    drop(server);
}

#[test]
fn the_tool_keeps_its_memory_to_itself() {
    let bench = Bench::new(&install::nginx_packaged(), HTTP);
    let mut daemon = Daemon::start(bench.keys("run", &[]), &bench.dir.path().join("run.log"));
    daemon.says("encrypts");
    let pid = daemon.child.id();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let locked = status
        .lines()
        .find(|line| line.starts_with("VmLck"))
        .unwrap();
    let locked: u64 = locked.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(locked > 1000, "{status}");
    // Whoever sets LimitMEMLOCK counts on no more: what the allocator reserves counts too.
    assert!(locked < 200_000, "{status}");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // What cannot be dumped belongs to root in /proc, and can be read by nobody else.
    let words = daemon.log();
    assert!(!words.contains("cannot be"), "{words}");
}

/// Ends the traced process, which outlives its tracer.
struct Leash(u32);

impl Drop for Leash {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-KILL", &self.0.to_string()])
            .status();
    }
}

fn wanted_looks() -> u32 {
    let asked = std::env::var("STEKGUARD_MEMORY_LOOKS").ok();
    asked.map_or(LOOKS, |text| text.parse().expect("a number of looks"))
}

/// What every thread is at: its system call, stack pointer and place in the program.
fn threads(pid: u32) -> String {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let lines = tasks.flatten().map(|task| {
        let call = fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        format!("thread {:?}: {}", task.file_name(), call.trim())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn child_of(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Paths that were opened for writing, made or renamed to, as strace shows them.
fn written_paths(trace: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for line in trace.lines().filter(|line| !line.contains(" = -1 ")) {
        let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        let opens =
            line.contains("O_WRONLY") || line.contains("O_RDWR") || line.contains("O_CREAT");
        if line.contains("rename") || opens || line.contains("creat(") {
            paths.extend(quoted.last().map(PathBuf::from));
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Files that changed since then.
fn newer(folder: &Path, since: SystemTime, not: &Path, depth: usize, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    if depth > 6 || folder == not {
        return;
    }
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        // Other tests have tmpfs of their own, with keys of their own; none of them is ours.
        if metadata.is_dir() {
            newer(&path, since, not, depth + 1, out);
        } else if metadata.is_file()
            && metadata.len() < LARGEST
            && metadata.modified().is_ok_and(|time| time >= since)
        {
            out.push(path);
        }
    }
}
