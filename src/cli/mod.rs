//! The command line: arguments in, a report on stdout, the rest on stderr, an exit code out.
//!
//! Exit codes: 0 done and nothing at or above `--fail-on`; 1 findings remain or the diff is
//! not empty; 2 the job could not be done; 3 a probed server was not reached. Judges nothing by itself.

mod ansible;
mod args;
mod careful;
mod choose;
mod completions;
mod config;
mod explain;
mod first;
mod fix;
mod fix_page;
mod hints;
mod inspect;
mod keys;
mod lint;
mod output;
mod probe;
mod progress;
mod request;
mod terminal;
mod undo;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

use args::{Arguments, Command};
use terminal::Terminal;

pub use args::Arguments as CommandLine;

/// Nothing at or above `--fail-on`.
const CLEAN: u8 = 0;
/// Findings remain, or the diff is not empty.
const FOUND: u8 = 1;
/// The job could not be done.
const FAILED: u8 = 2;
/// A server was not reached.
const UNREACHABLE: u8 = 3;

/// Runs with these arguments (the first is the program's name) and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.len() <= 1 {
        let terminal = Terminal::new(args::Color::Auto);
        let code = terminal.report(first::INTRODUCTION.as_bytes(), None);
        return code.max(FAILED);
    }
    if let Some(code) = ansible::as_module(&arguments, &Terminal::new(args::Color::Auto)) {
        return code;
    }
    let parsed = match parsed(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // What was given is repeated, but nothing obeys it.
            let error = careful::shown(&arguments)
                .and_then(|shown| parsed_wrongly(&shown))
                .unwrap_or(error);
            return first::usage(&error, &Terminal::new(args::Color::Auto));
        }
    };
    let terminal = Terminal::new(parsed.color);
    if let Some(code) = careful::refused(&parsed.command, &terminal) {
        return code;
    }
    if let Command::Lint(_) | Command::Fix(_) | Command::Inspect(_) = parsed.command {
        crate::app::lead();
    }
    match parsed.command {
        Command::Lint(arguments) => lint::run(&arguments, &terminal),
        Command::Fix(arguments) => fix::run(&arguments, &terminal),
        Command::Undo(arguments) => undo::run(&arguments, &terminal),
        Command::Inspect(arguments) => inspect::run(&arguments, &terminal),
        Command::Probe(arguments) => probe::run(&arguments, &terminal),
        Command::Explain(arguments) => explain::run(&arguments, &terminal),
        Command::Rules => explain::list(&terminal),
        Command::Keys(arguments) => keys::run(&arguments, &terminal),
        Command::Config(arguments) => config::run(&arguments, &terminal),
        Command::Ansible(_) => ansible::run(&terminal),
        Command::Completions(arguments) => completions::completions(arguments.shell, &terminal),
        Command::Man(arguments) => completions::man(&arguments, &terminal),
    }
}

fn parsed(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let matches = Arguments::command().try_get_matches_from(arguments)?;
    let mut parsed = Arguments::from_arg_matches(&matches)?;
    config::fill(&mut parsed, &matches);
    Ok(parsed)
}

fn parsed_wrongly(arguments: &[OsString]) -> Option<clap::Error> {
    parsed(arguments).err()
}
