//! The running server: has it test its configuration, take it in, or start anew, and waits for
//! what comes of it. Every wait ends. Signals nothing but the process of the pid file and,
//! where told to, its draining children.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::workers::{self, Child};
use crate::machine::program_of_user;

const STEP: Duration = Duration::from_millis(10);
/// The most that is kept of what a command says.
const SAID: u64 = 64 * 1024;
const TAIL: usize = 600;

/// How to speak with a server.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Server {
    /// The shell command that tests its configuration; `None`: it is not tested.
    pub test: Option<String>,
    /// The shell command that reloads it; `None`: a signal to its first process.
    pub reload: Option<String>,
    /// The shell command that stops and starts it.
    pub restart: Option<String>,
    /// Where its first process writes its number.
    pub pid_file: Option<PathBuf>,
    /// The SELinux type that it may read; `None`: the one that every policy knows, empty: the
    /// folder keeps the label that it has.
    pub label: Option<String>,
    /// Do not touch the server at all.
    pub leave: bool,
    /// The longest that a command or a reload may take.
    pub patience: Duration,
}

/// What came of a reload.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) enum Reloaded {
    /// New processes serve.
    Done,
    /// The command ended well; nothing shows the processes.
    Unseen,
    /// No server runs; it finds the keys when it starts.
    NotRunning,
}

impl Server {
    /// The number of its first process.
    pub fn master(&self) -> Option<u32> {
        workers::master(self.pid_file.as_deref()?)
    }

    /// Its other processes.
    pub(super) fn children(&self) -> Vec<Child> {
        self.master().map_or_else(Vec::new, workers::children)
    }

    /// Has the configuration tested.
    pub(super) fn test(&self) -> Result<(), String> {
        match &self.test {
            Some(command) if !self.leave => self.run(command),
            _ => Ok(()),
        }
    }

    /// Has the server take its configuration in.
    pub(super) fn reload(&self) -> Result<Reloaded, String> {
        if self.leave {
            return Ok(Reloaded::NotRunning);
        }
        let master = self.master();
        let before = master.map_or_else(Vec::new, workers::children);
        match (&self.reload, master) {
            (Some(command), _) => self.run(command)?,
            (None, Some(master)) => signal(master, graceful(master))?,
            (None, None) => return Ok(Reloaded::NotRunning),
        }
        let Some(master) = master else {
            return Ok(Reloaded::Unseen);
        };
        let nginx = before.iter().any(Child::is_nginx);
        self.wait(|| {
            let now = workers::children(master);
            let old = |child: &Child| before.iter().any(|it| it.is(child));
            let fresh = now.iter().any(|child| child.works() && !old(child));
            let retired = |child: &Child| !child.works() || child.drains();
            let left = nginx && now.iter().any(|child| old(child) && !retired(child));
            fresh && !left
        })
        .then_some(Reloaded::Done)
        .ok_or_else(|| "the server did not take the new configuration in".to_owned())
    }

    /// Stops and starts the server; `None` where nothing says how.
    pub fn restart(&self) -> Option<Result<(), String>> {
        let command = self.restart.as_ref().filter(|_| !self.leave)?;
        Some(self.run(command))
    }

    /// Ends the processes that were replaced, and waits until they are gone.
    ///
    /// # Errors
    /// One sentence.
    pub fn end_draining(&self) -> Result<usize, String> {
        let draining: Vec<Child> = self.children().into_iter().filter(Child::drains).collect();
        for child in &draining {
            signal(child.pid, Signal::TERM)?;
        }
        let gone = self.wait(|| {
            let now = self.children();
            !draining.iter().any(|old| now.iter().any(|it| it.is(old)))
        });
        gone.then_some(draining.len())
            .ok_or_else(|| "replaced processes do not end".to_owned())
    }

    fn wait(&self, mut done: impl FnMut() -> bool) -> bool {
        let steps = self.patience.as_millis() / STEP.as_millis();
        for _ in 0..=steps {
            if done() {
                return true;
            }
            thread::sleep(STEP);
        }
        false
    }

    fn run(&self, command: &str) -> Result<(), String> {
        let process = program_of_user("/bin/sh".as_ref()).and_then(|mut shell| {
            shell
                .args(["-c", command])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                // Its own group, so that all of it can be ended.
                .process_group(0)
                .spawn()
        });
        let mut process = process.map_err(|why| format!("`{command}` cannot be run: {why}"))?;
        let said = process.stderr.take().map(|stderr| {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.take(SAID).read_to_end(&mut text);
                text
            })
        });
        let mut status = None;
        self.wait(|| {
            status = process.try_wait().ok().flatten();
            status.is_some()
        });
        let Some(status) = status else {
            let group = Pid::from_child(&process);
            let _ = kill_process_group(group, Signal::KILL);
            let _ = process.wait();
            return Err(format!("`{command}` does not end"));
        };
        if status.success() {
            return Ok(());
        }
        let said = said
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        Err(format!("`{command}`: {status}: {}", tail(said.trim())))
    }
}

/// HUP ends what httpd's clients have begun; USR1 has nginx open its logs anew.
fn graceful(master: u32) -> Signal {
    if workers::is_httpd(master) {
        Signal::USR1
    } else {
        Signal::HUP
    }
}

fn signal(pid: u32, signal: Signal) -> Result<(), String> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let number = number.ok_or_else(|| format!("{pid} is no process"))?;
    kill_process(number, signal).map_err(|why| format!("process {pid}: {why}"))
}

/// The end of what a command said, where the reason stands.
fn tail(said: &str) -> &str {
    let from = said.len().saturating_sub(TAIL);
    let from = (from..said.len()).find(|at| said.is_char_boundary(*at));
    &said[from.unwrap_or(0)..]
}
