//! What the environment may not do to a run: have the TLS library of a process of root load
//! something of somebody else's, or start threads by the thousand.

use super::FAILED;
use super::args::Command;
use super::terminal::Terminal;
use crate::machine;

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
