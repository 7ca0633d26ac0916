//! First contact: what `stekguard` alone says, and hints for those who know another tool's
//! words.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::terminal::Terminal;
use super::{CLEAN, FAILED};
use crate::report;

/// What `stekguard` alone says.
pub(super) const INTRODUCTION: &str = "\
stekguard keeps TLS session resumption in nginx and Apache httpd safe.

  stekguard lint [PATH...]      what is wrong, with the line that decides it
  stekguard fix [PATH...]       the smallest patch that repairs it; --write, then `undo`
  stekguard inspect [PATH...]   what resumes, by address and name, and why
  stekguard probe HOST[:PORT]   what a running server really does
  stekguard keys ...            ticket keys that rotate, on this host
  stekguard explain RULE        a rule's page; `stekguard rules` lists them

PATH: a root file, a directory, - for `nginx -T` output, or nothing. See `stekguard --help`.
";

/// Words of other tools for commands, and what they are here.
const COMMANDS: [(&str, &str); 15] = [
    ("analyze", "stekguard lint"),
    ("audit", "stekguard lint"),
    ("check", "stekguard lint"),
    ("scan", "stekguard lint"),
    ("test", "stekguard lint"),
    ("validate", "stekguard lint"),
    ("apply", "stekguard fix --write"),
    ("repair", "stekguard fix"),
    ("patch", "stekguard fix"),
    ("diff", "stekguard fix"),
    ("revert", "stekguard undo"),
    ("show", "stekguard inspect"),
    ("status", "stekguard inspect"),
    ("help", "stekguard --help"),
    ("version", "stekguard --version"),
];

/// The same for options.
const OPTIONS: [(&str, &str); 13] = [
    (
        "--fix",
        "`stekguard fix --write` repairs, `stekguard fix` shows how",
    ),
    (
        "--apply",
        "`stekguard fix --write` repairs, `stekguard fix` shows how",
    ),
    ("--in-place", "`stekguard fix --write` changes the files"),
    ("--diff", "`stekguard fix` prints the diff"),
    (
        "--dry-run",
        "`stekguard fix` changes nothing without --write",
    ),
    (
        "--check",
        "`stekguard lint` changes nothing; its exit code is 1 where something is found",
    ),
    ("--json", "--format json"),
    ("--sarif", "--format sarif"),
    ("--html", "--format html"),
    (
        "--output-format",
        "--format NAME; --output FORMAT=FILE writes a further report",
    ),
    ("--select", "--rule RULE, as often as wanted"),
    ("--severity", "--fail-on GRADE sets the exit code"),
    ("--exit-zero", "--fail-on never"),
];

/// Help and version go to stdout and are no failure; everything else is one, with a hint
/// where one is known.
pub(super) fn usage(error: &clap::Error, terminal: &Terminal) -> u8 {
    let said = error.render().to_string();
    let safe = report::escape_lines(&said);
    if safe == said {
        // A reader that has gone away is no reason to fail.
        let _ = error.print();
    } else {
        // What was given is repeated, but not acted on.
        terminal.say(&safe);
    }
    if let Some(hint) = hint(error) {
        terminal.hint(&hint);
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => CLEAN,
        _ => FAILED,
    }
}

fn hint(error: &clap::Error) -> Option<String> {
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => command(said(ContextKind::InvalidSubcommand)?),
        ErrorKind::UnknownArgument => {
            let given = said(ContextKind::InvalidArg)?;
            let name = given.split('=').next().unwrap_or(given);
            let known = OPTIONS.iter().find(|(option, _)| *option == name);
            known.map(|(_, here)| (*here).to_owned())
        }
        _ => None,
    }
}

/// What was given where a command belongs.
fn command(given: &str) -> Option<String> {
    let known = COMMANDS.iter().find(|(word, _)| *word == given);
    if let Some((_, here)) = known {
        return Some(format!("it is called `{here}`"));
    }
    let path = given.contains('/') || given == "-" || Path::new(given).exists();
    path.then(|| format!("a command comes first: stekguard lint {given}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_words_of_other_tools_are_understood() {
        assert_eq!(
            command("scan").as_deref(),
            Some("it is called `stekguard lint`")
        );
        assert_eq!(
            command("/etc/nginx").as_deref(),
            Some("a command comes first: stekguard lint /etc/nginx")
        );
        assert_eq!(command("lnit"), None, "clap has an answer itself");
    }
}
