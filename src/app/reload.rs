//! A running server made to read its files again, by a signal to its master; and whether it
//! is still up afterwards, on new processes. Refuses beforehand what a reload would end.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::lint::Judged;
use super::server::installed;
use crate::catalog::Server;
use crate::machine::read_at_most;
use crate::source::{DirectiveId, Project};

/// How many steps a server may take until a new process of it is there.
const PATIENCE: u32 = 200;
/// How many steps it has to live on then.
const AFTERWARDS: u32 = 10;
const STEP: Duration = Duration::from_millis(50);
/// A file with a process id holds a number; the configuration may name any file.
const LONGEST_PID: u64 = 64;

/// Programs by the name that the kernel keeps of them.
const NGINX: [&str; 4] = ["nginx", "openresty", "angie", "freenginx"];
const APACHE: [&str; 2] = ["apache2", "httpd"];

/// httpd reads so many bytes of a key file, and ends where there are fewer.
const APACHE_KEY: u64 = 48;

/// Its findings say that httpd ends itself on a reload.
const DEADLY: &str = "malformed-conf-command";

/// A server that runs.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Running {
    server: Server,
    master: i32,
    /// Its children before the reload.
    before: Vec<i32>,
}

/// A server that was reloaded.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Reloaded {
    /// The root file.
    pub root: PathBuf,
    /// The master's process id.
    pub pid: u32,
}

/// Caches whose loss httpd does not survive without a new start.
const NEEDED: [&str; 2] = ["SSLSessionCache", "SSLStaplingCache"];

/// The server that runs with this configuration, as it was and as it will be, if a reload
/// would not end it.
pub(super) fn running(old: &Judged, judged: &Judged) -> Result<Running, String> {
    survives(old, judged)?;
    let project = &judged.loaded.project;
    let root = judged.loaded.root.path.display();
    let file = pid_file(judged).ok_or_else(|| {
        format!("{root}: the configuration does not name the file with the server's process id")
    })?;
    let named = read_at_most(&file, LONGEST_PID)
        .map_err(|error| format!("{}: {error}: is the server running?", file.display()))?;
    let none = || format!("{}: does not name a running server", file.display());
    let master: i32 = String::from_utf8_lossy(&named)
        .trim()
        .parse()
        .map_err(|_| none())?;
    let name = fs::read_to_string(format!("/proc/{master}/comm")).map_err(|_| none())?;
    let known: &[&str] = match project.server {
        Server::Nginx => &NGINX,
        Server::Apache => &APACHE,
    };
    if !known.contains(&name.trim_end()) {
        return Err(format!(
            "{}: process {master} is no {}: {}",
            file.display(),
            known[0],
            name.trim_end()
        ));
    }
    Ok(Running {
        server: project.server,
        master,
        before: children(master),
    })
}

/// What the server's own test does not see and a reload does not survive.
fn survives(old: &Judged, judged: &Judged) -> Result<(), String> {
    let project = &judged.loaded.project;
    if project.server == Server::Nginx {
        return Ok(());
    }
    let has = |judged: &Judged, name: &str| {
        let mut values = values(&judged.loaded.project, name).into_iter();
        values.any(|value| !value.eq_ignore_ascii_case("none"))
    };
    let lost = |name: &&&str| has(old, name) && !has(judged, name);
    if let Some(name) = NEEDED.iter().find(lost) {
        return Err(format!(
            "without {name} a reload would end the server: write without --reload, then stop the \
             server and start it again"
        ));
    }
    if let Some(finding) = judged.findings.iter().find(|it| it.rule == DEADLY) {
        let (path, line) = (finding.location.path.display(), finding.location.line);
        return Err(format!(
            "{path}:{line}: {}: a reload would end the server",
            finding.message
        ));
    }
    let named = values(project, "SSLSessionTicketKeyFile");
    for name in named {
        let size = project.facts.of(&name).and_then(|facts| facts.size);
        if let Some(size) = size.filter(|size| *size < APACHE_KEY) {
            return Err(format!(
                "{name}: the key file has {size} bytes, not {APACHE_KEY}: a reload would end the \
                 server"
            ));
        }
    }
    Ok(())
}

/// The first arguments of all directives of this name, in reading order.
fn values(project: &Project, name: &str) -> Vec<String> {
    let all = (0..project.directives.len() as u32).map(DirectiveId);
    let named = all.filter(|id| project.name(*id).eq_ignore_ascii_case(name.as_bytes()));
    named
        .filter_map(|id| Some(project.argument_text(id, 0)?.into_owned()))
        .collect()
}

fn pid_file(judged: &Judged) -> Option<PathBuf> {
    let (root, project) = (&judged.loaded.root, &judged.loaded.project);
    let last = |name: &str| values(project, name).pop();
    if project.server == Server::Nginx {
        let built = || installed(Server::Nginx).ok();
        return match last("pid") {
            Some(named) if Path::new(&named).is_absolute() => Some(named.into()),
            Some(named) => Some(built()?.prefix.join(named)),
            None => built()?.pid,
        };
    }
    let base = last("ServerRoot").map_or_else(|| root.base().to_path_buf(), PathBuf::from);
    let named = last("PidFile")?;
    // A plain relative name starts from DefaultRuntimeDir where there is one.
    let runtime = last("DefaultRuntimeDir").map(|dir| base.join(dir));
    Some(runtime.unwrap_or(base).join(named))
}

impl Running {
    /// Has the server read its files again.
    pub(super) fn reload(&self, root: &Path) -> Result<Reloaded, String> {
        let place = root.display();
        signal(self.master, self.server)
            .map_err(|error| format!("{place}: process {}: {error}", self.master))?;
        let is_new = |pid: &i32| !self.before.contains(pid);
        for _ in 0..PATIENCE {
            thread::sleep(STEP);
            self.must_live(root)?;
            if !children(self.master).iter().any(is_new) {
                continue;
            }
            for _ in 0..AFTERWARDS {
                thread::sleep(STEP);
                self.must_live(root)?;
            }
            return Ok(Reloaded {
                root: root.to_path_buf(),
                pid: self.master.unsigned_abs(),
            });
        }
        Err(format!(
            "{place}: the server did not take the new files, its old processes go on; its error \
             log says why"
        ))
    }

    fn must_live(&self, root: &Path) -> Result<(), String> {
        if is_alive(self.master) {
            return Ok(());
        }
        Err(format!(
            "{}: the reload ended the server; start it again",
            root.display()
        ))
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn signal(pid: i32, server: Server) -> Result<(), String> {
    use rustix::process;
    let signal = match server {
        Server::Nginx => process::Signal::HUP,
        Server::Apache => process::Signal::USR1,
    };
    let pid = process::Pid::from_raw(pid).ok_or("no such process")?;
    process::kill_process(pid, signal).map_err(|error| error.to_string())
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn signal(_: i32, _: Server) -> Result<(), String> {
    Err("no signals on this system".to_owned())
}

/// State and parent of a process, behind its name in brackets.
fn status(pid: &str) -> Option<(String, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    let state = words.next()?.to_owned();
    Some((state, words.next()?.parse().ok()?))
}

/// A process that has ended and that nobody has asked for is none.
fn is_alive(pid: i32) -> bool {
    status(&pid.to_string()).is_some_and(|(state, _)| state != "Z" && state != "X")
}

fn children(master: i32) -> Vec<i32> {
    // Where the kernel lists them; else every process is asked for its parent.
    if let Ok(listed) = fs::read_to_string(format!("/proc/{master}/task/{master}/children")) {
        return listed
            .split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect();
    }
    let Ok(found) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let names = found.filter_map(|item| item.ok()?.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let own = pids
        .filter(|pid| status(pid).is_some_and(|(state, parent)| parent == master && state != "Z"));
    own.filter_map(|pid| pid.parse().ok()).collect()
}
