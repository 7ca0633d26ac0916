//! The arguments, as clap reads them. Nothing else happens here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::config::ConfigArguments;
use super::hints::Said;
use super::probe::ProbeArguments;
use crate::app::{Configured, FragmentContext};
use crate::finding::{Confidence, Severity};
use crate::policy::{ApacheDirective, Goal, KEYS_DIRECTORY, PROFILES, Profile};

/// Lints, inspects and fixes TLS session resumption in nginx and Apache httpd.
#[derive(Debug, Parser)]
#[command(
    name = "stekguard",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// Colours: auto asks the terminal, NO_COLOR, CLICOLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is wrong, with the line that decides it
    Lint(LintArguments),
    /// Print the smallest patch that repairs it, or apply it
    Fix(FixArguments),
    /// Take the last `fix --write` back
    Undo(UndoArguments),
    /// Show what resumes, by address and name, and why
    Inspect(InspectArguments),
    /// Show what a running server really does: what resumes, for how long, under which key
    Probe(ProbeArguments),
    /// Print the page of a rule
    Explain(ExplainArguments),
    /// List the rules
    Rules,
    /// Make, rotate and check ticket keys
    Keys(Box<super::keys::KeysArguments>),
    /// Show, check or begin the settings, stekguard.toml
    Config(ConfigArguments),
    /// Answer a module of the Ansible collection (JSON on stdin, JSON on stdout)
    Ansible(AnsibleArguments),
    /// Print the completions of a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(super) struct AnsibleArguments {
    #[command(subcommand)]
    pub(super) command: AnsibleCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum AnsibleCommand {
    /// Answer the call on standard input
    Run,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// Root files, directories to search, or - for a file or `nginx -T` output on stdin;
    /// without any, the usual places of nginx and Apache httpd
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Judge for these versions: nginx=1.22.1,1.28.3, apache=2.4.71, openssl=3.0
    #[arg(long, value_name = "NAME=VERSION")]
    pub(super) server_version: Vec<String>,
    /// The package's version, which tells what it has been patched for:
    /// nginx=1.22.1-9+deb12u11
    #[arg(long, value_name = "NAME=VERSION")]
    pub(super) package: Vec<String>,
    /// httpd is started with -D NAME; NAME=VALUE also gives a variable its value, !NAME says
    /// that NAME is not defined, !* that nothing else is
    #[arg(long, value_name = "NAME")]
    pub(super) define: Vec<String>,
    /// All modules of httpd: a list, or @FILE with what `apachectl -M` prints
    #[arg(long, value_name = "LIST|@FILE")]
    pub(super) modules: Vec<String>,
    /// Ask the installed servers for their versions, and httpd for its modules and definitions
    /// (runs `nginx -V`, `apachectl -V`, `-l` and `-t -D DUMP_MODULES -D DUMP_RUN_CFG`)
    #[arg(long)]
    pub(super) detect: bool,
    /// Includes that may be missing; what they would say is then assumed to be nothing
    #[arg(long, value_name = "GLOB")]
    pub(super) allow_missing: Vec<String>,
    /// nginx: the blocks around a file that is no root, as http,server; it is then judged alone
    #[arg(long, value_name = "BLOCKS")]
    pub(super) context: Option<FragmentContext>,
    /// Settings to take instead of the nearest stekguard.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Take no settings but those of --config
    #[arg(long)]
    pub(super) isolated: bool,
    /// The settings for the paths, filled in once they are read
    #[arg(skip)]
    pub(super) settings: Option<Result<Configured, Said>>,
    /// FILE takes the report instead of stdout; FORMAT=FILE writes a further one, as often as
    /// wanted
    #[arg(short, long, value_name = "[FORMAT=]FILE")]
    pub(super) output: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(super) struct JudgeArguments {
    /// What resumption has to look like [default: sound for lint, no-tickets for fix]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(super) policy: Option<PolicyName>,
    /// A known demand: cis-2, cis-3 or mozilla; it sets the policy and the longest lifetime
    #[arg(long, value_name = "NAME", value_parser = profile)]
    pub(super) profile: Option<&'static Profile>,
    /// Where rotated ticket keys of nginx are listed
    #[arg(long, value_name = "DIR", default_value = KEYS_DIRECTORY)]
    pub(super) keys_dir: PathBuf,
    /// Exit with 1 when a finding is this bad or worse
    #[arg(long, value_enum, value_name = "GRADE", default_value_t = FailOn::Warning)]
    pub(super) fail_on: FailOn,
    /// Show pedantic findings too
    #[arg(long)]
    pub(super) pedantic: bool,
    /// Leave out findings that are less sure than this [default: low]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(super) min_confidence: Option<Sureness>,
    /// How httpd's tickets are turned off
    #[arg(long, value_enum, value_name = "HOW", default_value_t = ApacheWay::Auto)]
    pub(super) apache_directive: ApacheWay,
}

#[derive(Debug, Args)]
pub(super) struct LintArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    #[command(flatten)]
    pub(super) judge: JudgeArguments,
    /// Only findings of this rule
    #[arg(long, value_name = "RULE")]
    pub(super) rule: Vec<String>,
    /// Report only findings that this baseline does not hold
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write all findings down as a baseline
    #[arg(long, value_name = "FILE", conflicts_with = "rule")]
    pub(super) write_baseline: Option<PathBuf>,
    /// The report's format
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub(super) format: LintFormat,
}

#[derive(Debug, Args)]
pub(super) struct FixArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    #[command(flatten)]
    pub(super) judge: JudgeArguments,
    /// Apply the patch; `undo` takes it back
    #[arg(long)]
    pub(super) write: bool,
    /// Ask for every hunk whether it is to be taken
    #[arg(short, long)]
    pub(super) interactive: bool,
    /// Before anything is written, have the server test the result: auto (the installed
    /// server's own tree only, as root), always, never, or a shell command for which
    /// $STEKGUARD_CONFIG names the root file
    #[arg(long, value_name = "WHEN|COMMAND", default_value = "auto")]
    pub(super) validate: String,
    /// After writing, have the running servers read the files; where that fails, everything
    /// is put back
    #[arg(long, requires = "write")]
    pub(super) reload: bool,
    /// Write the patch to this file too, as `git apply` takes it
    #[arg(long, value_name = "FILE")]
    pub(super) patch_out: Option<PathBuf>,
    /// Apply fixes too that may change more than the policy asks for
    #[arg(long)]
    pub(super) unsafe_fixes: bool,
    /// Only fixes of this rule
    #[arg(long, value_name = "RULE")]
    pub(super) rule: Vec<String>,
    /// With --policy rotate: make the first keys before the files are written, as `keys init`
    /// does; the folder has to be in memory
    #[arg(long, requires = "write")]
    pub(super) init_keys: bool,
    /// Edit files too that say they are managed by another tool
    #[arg(long)]
    pub(super) force: bool,
    /// The report's format
    #[arg(long, value_enum, default_value_t = FixFormat::Patch)]
    pub(super) format: FixFormat,
}

#[derive(Debug, Args)]
pub(super) struct UndoArguments {
    /// List what can be taken back, newest first; change nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Overwrite files that have been changed since
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    /// The report's format
    #[arg(long, value_enum, default_value_t = InspectFormat::Text)]
    pub(super) format: InspectFormat,
    /// Show every directive in force instead, with file and line, in the server's order
    #[arg(long, conflicts_with = "pairs")]
    pub(super) expanded: bool,
    /// Show instead what an upgrade from version A to version B changes
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["pairs", "expanded"])]
    pub(super) compare_version: Option<Vec<String>>,
    /// Also list which endpoint resumes a session of which other one
    #[arg(long)]
    pub(super) pairs: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The rule's name
    pub(super) rule: String,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// Formats of `lint`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum LintFormat {
    /// Findings with the lines that decide them
    Text,
    /// The same with the reason of each rule, and what a fix does and costs
    Full,
    /// One line a finding
    Concise,
    /// One document, schema stekguard-lint/1
    Json,
    /// One object a line, schema stekguard-lint-lines/1
    JsonLines,
    /// SARIF 2.1.0, for code scanning services and editors
    Sarif,
    /// GitHub's workflow commands, which become annotations
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit's XML
    Junit,
    /// Checkstyle's XML
    Checkstyle,
    /// One page for a browser
    Html,
}

impl LintFormat {
    /// True where a program reads it: then also what could not be done has to be in it.
    pub(super) const fn is_document(self) -> bool {
        !matches!(self, Self::Text | Self::Full | Self::Concise)
    }
}

/// Formats of `inspect`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum InspectFormat {
    /// A table
    Text,
    /// One document, schema stekguard-inspect/1
    Json,
    /// One page for a browser
    Html,
}

/// Formats of `fix`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum FixFormat {
    /// A unified diff
    #[value(alias = "text")]
    Patch,
    /// Findings, edits and what was done
    Json,
    /// One page for a browser, the patch side by side
    Html,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum PolicyName {
    /// Off, or tickets off with a bounded cache, or keys that rotate
    Sound,
    /// No stateless tickets
    NoTickets,
    /// Nothing resumes
    NoResumption,
    /// Tickets under key files that are replaced (nginx)
    Rotate,
    /// Tickets under keys that nginx replaces itself, on a version that does it well
    Automatic,
}

fn profile(name: &str) -> Result<&'static Profile, String> {
    Profile::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = PROFILES.iter().map(|known| known.name).collect();
        format!("the profiles are {}", names.join(", "))
    })
}

impl PolicyName {
    pub(super) const fn goal(self) -> Goal {
        match self {
            Self::Sound => Goal::Sound,
            Self::NoTickets => Goal::NoTickets,
            Self::NoResumption => Goal::NoResumption,
            Self::Rotate => Goal::Rotate,
            Self::Automatic => Goal::Automatic,
        }
    }
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum Sureness {
    /// All findings
    Low,
    /// Those that hold unless an assumption that they name is wrong
    Medium,
    /// Those that follow from what was read
    High,
}

impl Sureness {
    pub(super) const fn confidence(self) -> Confidence {
        match self {
            Self::Low => Confidence::Low,
            Self::Medium => Confidence::Medium,
            Self::High => Confidence::High,
        }
    }
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    /// The grade; `None` for never.
    pub(super) const fn grade(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum ApacheWay {
    /// SSLSessionTickets, or SSLOpenSSLConfCmd where the vhost uses it already
    Auto,
    /// SSLSessionTickets off
    SessionTickets,
    /// SSLOpenSSLConfCmd Options -SessionTicket
    ConfCommand,
}

impl ApacheWay {
    pub(super) const fn directive(self) -> ApacheDirective {
        match self {
            Self::Auto => ApacheDirective::Automatic,
            Self::SessionTickets => ApacheDirective::SessionTickets,
            Self::ConfCommand => ApacheDirective::ConfCmd,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
