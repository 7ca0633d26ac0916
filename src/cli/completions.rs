//! `stekguard completions SHELL` and `stekguard man`: both from the arguments as clap knows
//! them.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::{Arguments, ManArguments};
use super::terminal::Terminal;
use super::{CLEAN, FAILED};

pub(super) fn completions(shell: Shell, terminal: &Terminal) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "stekguard", &mut script);
    terminal.report(&script, None)
}

/// The main page on stdout, or every page into a folder.
pub(super) fn man(arguments: &ManArguments, terminal: &Terminal) -> u8 {
    let command = Arguments::command();
    if let Some(folder) = &arguments.dir {
        return match clap_mangen::generate_to(command, folder) {
            Ok(()) => CLEAN,
            Err(error) => {
                let hint = "make the folder first";
                terminal.error(&format!("{}: {error}", folder.display()), Some(hint));
                FAILED
            }
        };
    }
    let mut page = Vec::new();
    match clap_mangen::Man::new(command).render(&mut page) {
        Ok(()) => terminal.report(&page, None),
        Err(error) => {
            terminal.error(&error.to_string(), None);
            FAILED
        }
    }
}
