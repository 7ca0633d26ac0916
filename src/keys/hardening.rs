//! How closed in the tool itself runs: its units as systemd has them or as their files say, with
//! their drop-ins, and its running processes as /proc shows them. Reads only; one row each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::examine::{Check, Grade};
use crate::machine::program;

/// Where units lie, the strongest first.
const FOLDERS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
/// What the units of `keys units` are called.
const UNITS: &str = "stekguard-";
const SERVICE: &str = ".service";
/// What a unit of keys has to say, and what happens without it.
const WANTED: [(&str, &str, &str); 7] = [
    ("LimitCORE", "0", "a crash may write keys to a disk"),
    ("NoNewPrivileges", "yes", "a flaw may gain rights"),
    ("ProtectSystem", "strict", "a flaw may write anywhere"),
    (
        "MemoryDenyWriteExecute",
        "yes",
        "a flaw may bring code of its own",
    ),
    ("ProtectHome", "yes", "a flaw may read homes"),
    ("PrivateTmp", "yes", "files are shared with everybody"),
    (
        "LimitMEMLOCK",
        "infinity",
        "memory cannot be locked and may be swapped out",
    ),
];
/// Units that only reload a server hold no key.
const RELOADING: &str = "stekguard-reload-";

/// The rows, for units and processes below `root`.
pub fn hardening(root: &Path) -> Vec<Check> {
    let mut checks: Vec<Check> = services(root)
        .iter()
        .flat_map(|name| unit(root, name))
        .collect();
    checks.extend(processes(root));
    checks
}

/// The names of the tool's own services.
fn services(root: &Path) -> BTreeSet<String> {
    let entries = FOLDERS
        .iter()
        .filter_map(|dir| fs::read_dir(root.join(dir)).ok());
    let names = entries
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.starts_with(UNITS) && name.ends_with(SERVICE))
        .collect()
}

fn unit(root: &Path, name: &str) -> Vec<Check> {
    let row = "unit";
    let (settings, source) = match running(root, name) {
        Some(settings) => (settings, "systemd has"),
        None => (written(root, name), "its files say"),
    };
    let said = |key: &str| settings.get(key).map_or("", String::as_str);
    let wanted = WANTED
        .iter()
        .filter(|(key, ..)| *key != "LimitMEMLOCK" || !name.starts_with(RELOADING));
    let wanted: Vec<_> = wanted.collect();
    let missing = wanted
        .iter()
        .filter(|(key, value, _)| !same(said(key), value));
    let mut checks: Vec<Check> = missing
        .map(|(key, value, why)| {
            let has = match said(key) {
                "" => "nothing".to_owned(),
                value => format!("{key}={value}"),
            };
            let text = format!("{name}: {why}: {source} {has}; set {key}={value} under [Service]");
            Check::new(row, Grade::Warning, text)
        })
        .collect();
    if checks.is_empty() {
        let text = format!(
            "{name} is closed in: {} settings, as {source}",
            wanted.len()
        );
        checks.push(Check::new(row, Grade::Ok, text));
    }
    checks
}

/// Spellings of one value.
fn same(said: &str, wanted: &str) -> bool {
    let truth = |text: &str| matches!(text, "yes" | "true" | "on" | "1");
    said == wanted
        || (truth(wanted) && truth(said))
        // systemd shows limits as numbers.
        || (wanted == "infinity" && said == u64::MAX.to_string())
}

/// What systemd made of a unit, where systemd runs: it knows of every drop-in.
fn running(root: &Path, name: &str) -> Option<BTreeMap<String, String>> {
    if root != Path::new("/") || !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    let keys: Vec<&str> = WANTED.iter().map(|(key, ..)| *key).collect();
    let output = program("systemctl".as_ref())
        .ok()?
        .args([
            "show",
            "--property",
            &format!("LoadState,{}", keys.join(",")),
            "--",
            name,
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let settings: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let loaded = settings.get("LoadState").is_some_and(|it| it == "loaded");
    (output.status.success() && loaded).then_some(settings)
}

/// What the files of a unit say: the strongest file of its name, then drop-ins by their names,
/// of which the strongest of each name counts. The last word wins.
fn written(root: &Path, name: &str) -> BTreeMap<String, String> {
    let folders = || FOLDERS.iter().map(|dir| root.join(dir));
    let main = folders()
        .map(|dir| dir.join(name))
        .find(|path| path.exists());
    let mut extra: BTreeMap<String, PathBuf> = BTreeMap::new();
    // Those of all services of a kind are weaker than a unit's own of the same name.
    for dir in folders()
        .map(|dir| dir.join(format!("{name}.d")))
        .chain(folders().map(|dir| dir.join("service.d")))
    {
        for path in fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
        {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let conf = name.filter(|name| name.ends_with(".conf"));
            if let Some(name) = conf {
                extra.entry(name).or_insert(path);
            }
        }
    }
    let mut settings = BTreeMap::new();
    for path in main.into_iter().chain(extra.into_values()) {
        let text = fs::read_to_string(path).unwrap_or_default();
        take_in(&text, &mut settings);
    }
    settings
}

fn take_in(text: &str, settings: &mut BTreeMap<String, String>) {
    let mut service = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            service = line == "[Service]";
            continue;
        }
        let comment = line.starts_with(['#', ';']);
        if let Some((key, value)) = line.split_once('=').filter(|_| service && !comment) {
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// The tool's processes that stay: `keys run` and the fleet's.
fn processes(root: &Path) -> Vec<Check> {
    let proc = root.join("proc");
    let entries = fs::read_dir(&proc).into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let staying = pids
        .into_iter()
        .filter(|pid| stays(&proc.join(pid.to_string())));
    staying.flat_map(|pid| process(&proc, pid)).collect()
}

fn stays(proc: &Path) -> bool {
    let line = fs::read(proc.join("cmdline")).unwrap_or_default();
    let words: Vec<String> = line
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let program = words
        .first()
        .is_some_and(|word| Path::new(word).ends_with("stekguard"));
    let work = |name: &str| matches!(name, "run" | "agent" | "generate");
    program
        && words.get(1).is_some_and(|it| it == "keys")
        && words.get(2).is_some_and(|it| work(it))
}

fn process(proc: &Path, pid: u32) -> Vec<Check> {
    let row = "process";
    let read =
        |name: &str| fs::read_to_string(proc.join(pid.to_string()).join(name)).unwrap_or_default();
    let (status, limits) = (read("status"), read("limits"));
    let field = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).unwrap_or_default().to_owned()
    };
    if status.is_empty() || limits.is_empty() {
        // It ended, or belongs to somebody else who may hide it.
        let text = format!("{pid}: its state cannot be read: look as root");
        return vec![Check::new(row, Grade::Note, text)];
    }
    let dump = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let dump = dump
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("unknown");
    let locked = field("VmLck");
    let rights = u64::from_str_radix(&field("CapEff"), 16).unwrap_or(u64::MAX);
    let mut checks = Vec::new();
    let mut add = |wrong: bool, grade, text: String| {
        if wrong {
            checks.push(Check::new(row, grade, format!("{pid}: {text}")));
        }
    };
    add(
        dump != "0",
        Grade::Warning,
        format!(
            "a crash may write keys to a disk (core limit {dump}): LimitCORE=0, or `ulimit -c 0` before it starts"
        ),
    );
    add(
        locked.starts_with("0 ") || locked.is_empty(),
        Grade::Warning,
        "its memory is not locked and may be swapped out: LimitMEMLOCK=infinity, or CAP_IPC_LOCK"
            .to_owned(),
    );
    add(
        field("NoNewPrivs") != "1",
        Grade::Note,
        "it may gain rights: NoNewPrivileges=yes in its unit, or `setpriv --no-new-privs`"
            .to_owned(),
    );
    add(
        field("Seccomp") != "2",
        Grade::Note,
        "no system call is refused to it: MemoryDenyWriteExecute=yes and its like in its unit"
            .to_owned(),
    );
    let more = rights & !NEEDED;
    add(
        more != 0,
        Grade::Note,
        format!(
            "it has rights that it does not need ({more:x}): CapabilityBoundingSet= as `stekguard keys units` writes it"
        ),
    );
    if checks.is_empty() {
        let text =
            format!("{pid} writes no core, locks its memory ({locked}) and can gain no rights");
        checks.push(Check::new(row, Grade::Ok, text));
    }
    checks
}

/// CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, IPC_LOCK: those of the
/// generated units, by their numbers in capabilities(7).
const NEEDED: u64 = 1 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 14;
