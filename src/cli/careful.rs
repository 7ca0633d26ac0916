//! What environment and arguments may not do to a run: have the TLS library of a process of root
//! load something of somebody else's, start threads by the thousand, or speak to a terminal.

use std::ffi::OsString;
use std::path::Path;

use super::FAILED;
use super::args::Command;
use super::terminal::Terminal;
use crate::{machine, report};

/// The exit code where the run ends before it begins.
pub(super) fn refused(command: &Command, terminal: &Terminal) -> Option<u8> {
    machine::bound_threads();
    let speaks = matches!(
        command,
        Command::Probe(_) | Command::Keys(_) | Command::Ansible(_)
    );
    let (name, part) = machine::distrusted().filter(|_| speaks && machine::is_root())?;
    terminal.error(
        &format!(
            "{name} names what others can change, and this runs as root: {}",
            part.display()
        ),
        Some(&format!(
            "unset {name}, or have it name what belongs to root alone"
        )),
    );
    Some(FAILED)
}

/// The arguments as they can be shown; `None` where that makes no difference.
pub(super) fn shown(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let safe = |argument: &OsString| OsString::from(report::escape_path(Path::new(argument)));
    let shown: Vec<OsString> = arguments.iter().map(safe).collect();
    (shown != arguments).then_some(shown)
}
