//! A server's processes as /proc shows them: its master, the workers of now and those that only
//! finish what they began. Reads, signals nothing.

use std::fs;
use std::path::Path;

use super::saved::Draining;
use crate::machine::read_at_most;

/// What nginx calls a worker in its process title.
const WORKER: &str = "worker process";
const DRAINING: &str = "is shutting down";
/// A pid file holds a number.
const LONGEST_PID: u64 = 64;

/// A child of the master.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Child {
    pub(super) pid: u32,
    /// Ticks since boot.
    pub(super) started: u64,
    title: String,
}

impl Child {
    /// True when it takes no new connection any more. httpd does not say so.
    pub(super) fn drains(&self) -> bool {
        self.title.contains(DRAINING)
    }

    /// True for what serves connections; nginx has other children too.
    pub(super) fn works(&self) -> bool {
        self.title.contains(WORKER) || !self.is_nginx()
    }

    pub(super) fn is_nginx(&self) -> bool {
        self.title.starts_with("nginx: ")
    }

    /// True when both are the same process: a number alone is used again.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }
}

/// The process of a pid file, where it runs and is a web server's first one.
pub(super) fn master(pid_file: &Path) -> Option<u32> {
    let named = read_at_most(pid_file, LONGEST_PID).ok()?;
    let pid = std::str::from_utf8(&named).ok()?.trim().parse().ok()?;
    let title = title(pid)?;
    // A number in a forgotten file may be anybody's by now.
    let ours = ["nginx", "openresty", "angie", "apache2", "httpd"];
    ours.iter().any(|name| title.contains(name)).then_some(pid)
}

/// True for a first process of httpd.
pub(super) fn is_httpd(pid: u32) -> bool {
    let name = title(pid).unwrap_or_default();
    !name.starts_with("nginx: ") && ["apache2", "httpd"].iter().any(|it| name.contains(it))
}

/// The children of a process.
pub(super) fn children(master: u32) -> Vec<Child> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut children: Vec<Child> = pids.filter_map(|pid| child(pid, master)).collect();
    children.sort_by_key(|child| child.pid);
    children
}

fn child(pid: u32, master: u32) -> Option<Child> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything: fields are counted behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent: u32 = fields.get(1)?.parse().ok()?;
    if parent != master {
        return None;
    }
    Some(Child {
        pid,
        started: fields.get(19)?.parse().ok()?,
        title: title(pid)?,
    })
}

fn title(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    (!text.trim().is_empty()).then_some(text)
}

/// Draining processes with the time when each was first seen so; `now` in seconds since 1970.
pub(super) fn draining(children: &[Child], known: &[Draining], now: u64) -> Vec<Draining> {
    let since = |child: &Child| {
        let seen = known
            .iter()
            .find(|it| (it.pid, it.started) == (child.pid, child.started));
        seen.map_or(now, |it| it.since)
    };
    let draining = children.iter().filter(|child| child.drains());
    draining
        .map(|child| Draining {
            pid: child.pid,
            started: child.started,
            since: since(child),
        })
        .collect()
}
