//! What to do about an error: the part of the answer that knows the command line.

use super::FAILED;
use super::terminal::Terminal;
use crate::app::{AppError, FixError, Outcome, Part, ProbeError, SettingsError, SourceError};
use crate::report::{self, Problem, Sources};

/// An error as a sentence, and what somebody can do about it.
pub(super) type Said = (String, Option<String>);

/// The sentence and the hint of an error.
pub(super) fn said(error: AppError) -> Said {
    let hint = match &error {
        AppError::UnknownRule { close, .. } if !close.is_empty() => {
            let names: Vec<String> = close.iter().map(|name| format!("`{name}`")).collect();
            Some(format!("did you mean {}?", names.join(" or ")))
        }
        AppError::UnknownRule { .. } => Some("`stekguard rules` lists the names".to_owned()),
        AppError::Source(SourceError::NothingFound { .. }) => Some(
            "name the root file itself, or pipe the server's own view: nginx -T | stekguard lint -"
                .to_owned(),
        ),
        AppError::Source(SourceError::NoUsualPlace { .. }) => {
            Some("give a PATH: a root file or a directory".to_owned())
        }
        AppError::Settings(error) => settings_hint(error),
        AppError::Detect { .. } => {
            Some("say the version instead: --server-version nginx=1.28.3".to_owned())
        }
        AppError::Fix(FixError::ChangedSince(_)) => {
            Some("--force overwrites what was changed since".to_owned())
        }
        AppError::Fix(FixError::NoFile(_)) => {
            Some("without --write the patch is printed; apply it there".to_owned())
        }
        AppError::Probe(ProbeError::NotBuilt) => Some(
            "build it with OpenSSL's headers, or with --features vendored, which needs perl and \
             make instead"
                .to_owned(),
        ),
        #[cfg(all(target_os = "linux", feature = "fleet"))]
        AppError::Fleet(error) => fleet_hint(error),
        _ => None,
    };
    (error.to_string(), hint)
}

#[cfg(all(target_os = "linux", feature = "fleet"))]
fn fleet_hint(error: &crate::app::keys::FleetError) -> Option<String> {
    use crate::app::keys::FleetError as Error;
    let hint = match error {
        Error::OtherIdentity { .. } => "--replace, where the host has really been set up anew",
        Error::Missing { .. } => "`stekguard config init` writes every key with its meaning",
        Error::Unlocked(_) => {
            "raise the limit (LimitMEMLOCK=infinity, --ulimit memlock=-1), or --allow-unlocked"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn settings_hint(error: &SettingsError) -> Option<String> {
    match error {
        SettingsError::Wrong { first, .. } => first.hint.clone(),
        SettingsError::Different { .. } => {
            Some("--config FILE says which one, --isolated takes none".to_owned())
        }
        SettingsError::Exists(_) => Some("`stekguard config check` looks at it".to_owned()),
        SettingsError::Missing(_) => Some("give a configuration or its folder".to_owned()),
        SettingsError::Unreadable { .. } => None,
    }
}

/// Problems on stderr, with a hint where files are missing.
pub(super) fn say_problems(problems: &[Problem], sources: &Sources, terminal: &Terminal) {
    if problems.is_empty() {
        return;
    }
    terminal.say(&report::problems(problems, sources, terminal.paint_err()));
    if problems
        .iter()
        .any(|problem| problem.message.starts_with("the value of ${"))
    {
        terminal.hint("--define NAME=VALUE gives a variable its value");
    }
    if problems.iter().any(|problem| problem.kind == "missing") {
        terminal.hint("--allow-missing GLOB says which includes may be missing");
    }
}

/// Says where a named file was judged.
pub(super) fn say_parts(parts: &[Part], terminal: &Terminal) {
    for part in parts {
        let sentence = format!(
            "{} is judged in {}, which includes it",
            part.file.display(),
            part.root.display()
        );
        terminal.note("note", &sentence);
    }
}

/// Says that a version is judged as an older one.
pub(super) fn say_newer(outcome: &Outcome, terminal: &Terminal) {
    if let Some((name, version, newest)) = outcome.newer_than_known() {
        terminal.hint(&format!(
            "{name} {version} is newer than {newest}, the newest version known here, and is \
             judged as that one"
        ));
    }
}

/// Says that nothing speaks TLS, where everything was read.
pub(super) fn say_silent(servers: &[report::Server<'_>], complete: bool, terminal: &Terminal) {
    let silent = servers
        .iter()
        .all(|server| server.site.endpoints.is_empty());
    if servers.is_empty() || !silent || !complete {
        return;
    }
    let mut missing: Vec<&str> = servers
        .iter()
        .map(|server| report::tls_statement(server))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let sentence = format!(
        "nothing here speaks TLS, so nothing resumes: {}",
        missing.join(", ")
    );
    terminal.note("note", &sentence);
}

/// Says how to narrow findings that hold for some versions only.
pub(super) fn say_versions(outcome: &Outcome, terminal: &Terminal) {
    if outcome.versions_matter() {
        terminal.hint(
            "some findings depend on the version, which nothing here says: \
             --server-version nginx=1.28.3 judges for one",
        );
    }
}

/// Says what stopped a command; gives its exit code.
pub(super) fn failure((sentence, hint): &Said, terminal: &Terminal) -> u8 {
    terminal.error(sentence, hint.as_deref());
    FAILED
}

/// The outcome of a use case that had nothing to judge, for documents.
pub(super) fn failed(sentence: &str) -> Outcome {
    let problem = Problem {
        message: sentence.to_owned(),
        ..Problem::default()
    };
    Outcome {
        problems: vec![problem],
        ..Outcome::default()
    }
}
