//! `stekguard config`, and the settings for every command that reads configurations: what the
//! command line leaves open is filled in from them before the command runs.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand, ValueEnum};

use super::args::{Arguments, Command, JudgeArguments, ReadArguments};
use super::hints::{self, Said};
use super::terminal::Terminal;
use super::{CLEAN, FAILED};
use crate::app::{self, AppError, Configured, Lookup, SettingsError};
use crate::policy::settings::{Settings, json_schema};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every value in force and where it comes from
    Show(WhichArguments),
    /// Say what is wrong in the settings
    Check(WhichArguments),
    /// Write a stekguard.toml in which every key is explained
    Init(InitArguments),
    /// Print the JSON schema of stekguard.toml
    Schema,
}

#[derive(Debug, Args)]
struct WhichArguments {
    /// For these paths; without any, for the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Settings to take instead of the nearest stekguard.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take no settings but those of --config
    #[arg(long)]
    isolated: bool,
}

#[derive(Debug, Args)]
struct InitArguments {
    /// The folder to write it to
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

impl WhichArguments {
    fn lookup(&self) -> Lookup {
        lookup(self.config.as_ref(), self.isolated)
    }
}

pub(super) fn run(arguments: &ConfigArguments, terminal: &Terminal) -> u8 {
    let done = match &arguments.command {
        ConfigCommand::Show(which) => show(which, terminal),
        ConfigCommand::Check(which) => check(which, terminal),
        ConfigCommand::Init(init) => begin(init, terminal),
        ConfigCommand::Schema => Ok(terminal.report(json_schema().as_bytes(), None)),
    };
    done.unwrap_or_else(|error| hints::failure(&hints::said(error.into()), terminal))
}

fn show(which: &WhichArguments, terminal: &Terminal) -> Result<u8, SettingsError> {
    app::all_there(&which.paths)?;
    let configured = app::configured(&which.paths, &which.lookup())?;
    let text = report::settings(&configured.effective, terminal.paint(None));
    Ok(terminal.report(text.as_bytes(), None))
}

fn check(which: &WhichArguments, terminal: &Terminal) -> Result<u8, SettingsError> {
    app::all_there(&which.paths)?;
    let files = app::settings_files(&which.paths, &which.lookup())?;
    if files.is_empty() {
        terminal.say("no settings: every value is the default");
    }
    let mut count = 0;
    for path in &files {
        let faults = app::check_settings(path)?;
        if faults.is_empty() {
            terminal.say(&format!("{}: good", report::escape_path(path)));
        }
        for fault in &faults {
            let place = path.display();
            let sentence = format!("{place}:{}: {}", fault.line, fault.message);
            terminal.error(&sentence, fault.hint.as_deref());
        }
        count += faults.len();
    }
    if count > 0 {
        return Ok(FAILED);
    }
    // Several good files can still contradict each other.
    app::configured(&which.paths, &which.lookup()).map(|_| CLEAN)
}

fn begin(init: &InitArguments, terminal: &Terminal) -> Result<u8, SettingsError> {
    let (path, text) = app::new_settings(&init.folder)?;
    let code = terminal.report(text.as_bytes(), Some(&path));
    if code == CLEAN {
        terminal.say(&format!("wrote {}", report::escape_path(&path)));
    }
    Ok(code)
}

/// Reads the settings for a command that reads configurations, and fills in what the command
/// line leaves open. What is wrong with them is said when the command asks for its request.
pub(super) fn fill(parsed: &mut Arguments, matches: &ArgMatches) {
    let Some((_, given)) = matches.subcommand() else {
        return;
    };
    let said = |name: &str| source(given, name) == Some(ValueSource::CommandLine);
    let color = source(matches, "color").or(source(given, "color"));
    let color_said = color == Some(ValueSource::CommandLine);
    let filled = match &mut parsed.command {
        Command::Lint(lint) => load(&mut lint.read).map(|settings| {
            fill_judge(&mut lint.judge, &settings, &said);
            let format = (!said("format")).then_some(&mut lint.format);
            (fill_format(format, &settings), settings)
        }),
        Command::Fix(fix) => load(&mut fix.read).map(|settings| {
            fill_judge(&mut fix.judge, &settings, &said);
            (None, settings)
        }),
        Command::Inspect(inspect) => load(&mut inspect.read).map(|settings| (None, settings)),
        _ => return,
    };
    let Some((wrong, settings)) = filled else {
        return;
    };
    if let Some(color) = settings.output.color.filter(|_| !color_said) {
        parsed.color = word(color).unwrap_or(parsed.color);
    }
    if let (Some(wrong), Command::Lint(lint)) = (wrong, &mut parsed.command) {
        lint.read.settings = Some(Err(wrong));
    }
}

/// Where a value comes from; `None` for arguments that a command does not have.
fn source(matches: &ArgMatches, name: &str) -> Option<ValueSource> {
    let there = matches.try_contains_id(name).unwrap_or(false);
    there.then(|| matches.value_source(name)).flatten()
}

fn load(read: &mut ReadArguments) -> Option<Settings> {
    let paths = read.paths.iter().filter(|path| path.as_os_str() != "-");
    let paths: Vec<PathBuf> = paths.cloned().collect();
    let lookup = lookup(read.config.as_ref(), read.isolated);
    let configured = app::configured(&paths, &lookup);
    let settings = configured.as_ref().ok().map(Configured::settings).cloned();
    read.settings = Some(configured.map_err(|error| hints::said(AppError::Settings(error))));
    settings
}

fn lookup(config: Option<&PathBuf>, isolated: bool) -> Lookup {
    Lookup {
        config: config.cloned(),
        isolated,
        ..Lookup::default()
    }
}

fn fill_judge(judge: &mut JudgeArguments, settings: &Settings, said: &dyn Fn(&str) -> bool) {
    if let Some(grade) = settings.output.fail_on.filter(|_| !said("fail_on")) {
        judge.fail_on = word(grade).unwrap_or(judge.fail_on);
    }
    let directory = settings.rotation.directory.clone();
    if let Some(directory) = directory.filter(|_| !said("keys_dir")) {
        judge.keys_dir = directory;
    }
    let directive = settings.judging.apache_directive;
    if let Some(directive) = directive.filter(|_| !said("apache_directive")) {
        judge.apache_directive = word(directive).unwrap_or(judge.apache_directive);
    }
}

/// A format that this command does not have is a fault of the settings.
fn fill_format<F: ValueEnum>(format: Option<&mut F>, settings: &Settings) -> Option<Said> {
    let (format, name) = (format?, settings.output.format.as_deref()?);
    match F::from_str(name, false) {
        Ok(named) => *format = named,
        Err(_) => {
            let values = F::value_variants().iter();
            let known: Vec<String> = values
                .filter_map(|value| Some(value.to_possible_value()?.get_name().to_owned()))
                .collect();
            return Some((
                format!("the settings: no format is called {name}"),
                Some(format!("one of {}", known.join(", "))),
            ));
        }
    }
    None
}

/// The argument's value of the same word: both enums spell their values alike.
fn word<F: ValueEnum>(value: impl serde::Serialize) -> Option<F> {
    let word = serde_json::to_value(value).ok()?;
    F::from_str(word.as_str()?, false).ok()
}
