//! What the system makes of a folder of keys and of the server's processes: read, not changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::folder::Folder;
use super::ground::Ground;
use super::label;
use super::server::Server;

/// How good something is.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Should be changed, or could not be proven.
    Warning,
    /// Must be changed.
    Error,
}

/// One row of the table.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How good it is.
    pub grade: Grade,
    /// One sentence.
    pub text: String,
}

impl Check {
    /// A row.
    pub fn new(name: &'static str, grade: Grade, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name, grade, text }
    }
}

/// Files, memory and processes.
pub fn examine(folder: &Folder, server: &Server) -> Vec<Check> {
    let mut checks = vec![ground(folder), owner(folder)];
    checks.push(files(folder));
    checks.extend(label(folder));
    checks.push(dumps(server));
    checks
}

fn ground(folder: &Folder) -> Check {
    let name = "memory only";
    match Ground::under(folder.dir()) {
        Ok(ground) => match ground.why_not() {
            None => {
                let swap = if ground.noswap {
                    "never swapped"
                } else {
                    "there is no swap"
                };
                Check::new(
                    name,
                    Grade::Ok,
                    format!("{} at {}, {swap}", ground.kind, ground.mounted.display()),
                )
            }
            Some(why) => Check::new(name, Grade::Error, why),
        },
        Err(why) => Check::new(name, Grade::Error, why.to_string()),
    }
}

fn owner(folder: &Folder) -> Check {
    let name = "folder";
    let path = folder.dir().display();
    match fs::symlink_metadata(folder.dir()) {
        Err(why) => Check::new(name, Grade::Error, format!("{path}: {why}")),
        Ok(found) if !found.is_dir() => {
            Check::new(name, Grade::Error, format!("{path} is no folder"))
        }
        Ok(found) if found.mode() & 0o077 != 0 => Check::new(
            name,
            Grade::Error,
            format!(
                "{path} is open to others (mode {:o}): chmod 700 {path}",
                found.mode() & 0o7777
            ),
        ),
        Ok(found) => Check::new(
            name,
            Grade::Ok,
            format!("{path} is closed to others, owned by user {}", found.uid()),
        ),
    }
}

fn files(folder: &Folder) -> Check {
    let name = "key files";
    let contents = match folder.contents() {
        Ok(contents) => contents,
        Err(why) => return Check::new(name, Grade::Error, why.to_string()),
    };
    if let Some(damaged) = contents.damaged.first() {
        let text = format!(
            "{} is damaged: `stekguard keys rotate` replaces it",
            damaged.display()
        );
        return Check::new(name, Grade::Error, text);
    }
    let open = contents.keys.iter().find_map(|offer| {
        let path = folder.file(offer);
        let mode = fs::symlink_metadata(&path).ok()?.mode();
        (mode & 0o077 != 0).then_some((path, mode))
    });
    if let Some((path, mode)) = open {
        let text = format!(
            "{} is open to others (mode {:o})",
            path.display(),
            mode & 0o7777
        );
        return Check::new(name, Grade::Error, text);
    }
    match contents.keys.len() {
        0 => Check::new(
            name,
            Grade::Error,
            "there are none: `stekguard keys init` makes them",
        ),
        count => Check::new(
            name,
            Grade::Ok,
            format!("{count}, all closed to others and whole"),
        ),
    }
}

/// SELinux: whether the server may read what lies there. Nothing where there are no labels.
fn label(folder: &Folder) -> Option<Check> {
    let name = "label";
    let enforcing = fs::read_to_string("/sys/fs/selinux/enforce").ok();
    let label = match (label::of(folder.dir()), &enforcing) {
        (Some(label), _) => label,
        (None, Some(_)) => return Some(Check::new(name, Grade::Warning, "there is no label")),
        (None, None) => return None,
    };
    // What the web server's domain may read: httpd_*, cert_t and its like.
    let kind = label::kind(&label);
    let readable = kind.starts_with("httpd_") || kind == "cert_t";
    let strict = enforcing.is_some_and(|it| it.trim() != "0");
    let grade = match (readable, strict) {
        (true, _) => Grade::Ok,
        (false, false) => Grade::Note,
        (false, true) => Grade::Warning,
    };
    let text = match readable {
        true => format!("{label}, which web servers may read"),
        false => format!(
            "{label}: web servers may not be allowed to read it; `stekguard keys init` sets {}, \
             or the type that --selinux-type names",
            label::READABLE
        ),
    };
    Some(Check::new(name, grade, text))
}

/// Whether a crash of the server would write its keys to a disk.
fn dumps(server: &Server) -> Check {
    let name = "core dumps";
    let Some(master) = server.master() else {
        return Check::new(
            name,
            Grade::Note,
            "the server does not run, so its limits are not known",
        );
    };
    let limit = |pid: u32| {
        let limits = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("limits"));
        let limits = limits.ok()?;
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))?;
        line.split_whitespace().nth(4).map(str::to_owned)
    };
    let pids = server
        .children()
        .into_iter()
        .map(|child| child.pid)
        .chain([master]);
    let dumping = pids.filter_map(limit).find(|limit| limit != "0");
    match dumping {
        None => Check::new(name, Grade::Ok, "the server's processes write none"),
        Some(limit) => Check::new(
            name,
            Grade::Warning,
            format!(
                "a crash of the server may write its keys to a disk (limit {limit}): LimitCORE=0 \
                 in its unit, no worker_rlimit_core"
            ),
        ),
    }
}
