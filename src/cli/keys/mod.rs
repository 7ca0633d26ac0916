//! `stekguard keys`: ticket keys of one server. Judges nothing by itself.

#[cfg(all(target_os = "linux", feature = "fleet"))]
mod agent;
mod args;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod fleet;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod fleet_status;
#[cfg(target_os = "linux")]
mod httpd;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod request;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod stores;

use super::terminal::Terminal;

pub(super) use args::KeysArguments;

#[cfg(target_os = "linux")]
pub(super) fn run(arguments: &KeysArguments, terminal: &Terminal) -> u8 {
    report::run(arguments, terminal)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn run(_: &KeysArguments, terminal: &Terminal) -> u8 {
    terminal.error(
        "keys: works on Linux only, where memory can be a folder",
        None,
    );
    super::FAILED
}
