//! `stekguard ansible run`, and the binary as a module of its own: bytes to the Ansible skin and
//! its answer to stdout.

use std::ffi::OsString;
use std::path::Path;

use super::terminal::Terminal;
use super::{CLEAN, FAILED, hints};
use crate::ansible::{self, Answer};
use crate::app;

/// Answers the call on standard input.
pub(super) fn run(terminal: &Terminal) -> u8 {
    match app::standard_input() {
        Ok(document) => tell(&ansible::run(&document), terminal),
        Err(error) => {
            let (sentence, hint) = hints::said(error);
            terminal.error(&sentence, hint.as_deref());
            FAILED
        }
    }
}

/// Answers Ansible's binary-module protocol, where these arguments are such a call: the path of
/// an argument file and nothing else. Any other file is a mistake that clap explains.
pub(super) fn as_module(arguments: &[OsString], terminal: &Terminal) -> Option<u8> {
    let [program, file] = arguments else {
        return None;
    };
    let file = Path::new(file);
    if !file.is_absolute() || !file.is_file() {
        return None;
    }
    let name = Path::new(program).file_name()?.to_string_lossy();
    let bytes = std::fs::read(file).ok()?;
    if !ansible::is_argument_file(&bytes) {
        return None;
    }
    Some(tell(&ansible::binary_module(&bytes, &name), terminal))
}

fn tell(answer: &Answer, terminal: &Terminal) -> u8 {
    let written = terminal.report(answer.json().as_bytes(), None);
    if written != CLEAN || answer.is_failure() {
        FAILED
    } else {
        CLEAN
    }
}
