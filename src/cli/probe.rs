//! `stekguard probe`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::args::{FailOn, ReadArguments};
use super::hints::Said;
use super::output::Output;
use super::request::request;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, UNREACHABLE, hints};
use crate::app::{
    self, AppError, DEFAULT_PORT, Mail, Manner, Mode, Plan, ProbeError, ProbeOutcome, ProbeRequest,
    Speech, Target,
};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct ProbeArguments {
    /// Where: a name or address, with a port other than 443 (25, 143, 110 with --starttls)
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "config")]
    targets: Vec<String>,
    /// Ask for this name instead of the host's own; empty: send none
    #[arg(long, value_name = "NAME")]
    sni: Vec<String>,
    /// Look at this version of TLS only
    #[arg(long, value_enum, value_name = "VERSION")]
    tls: Option<Version>,
    /// Ask for TLS in clear first
    #[arg(long, value_enum, value_name = "PROTOCOL", conflicts_with = "speak")]
    starttls: Option<MailName>,
    /// What is spoken inside TLS; none: listen only
    #[arg(long, value_enum, value_name = "PROTOCOL", default_value_t = SpeechName::Http)]
    speak: SpeechName,
    /// Send a line of the PROXY protocol first, as a proxy in front of the server does
    #[arg(long)]
    proxy_protocol: bool,
    /// The certificate (PEM, with its chain) to show when asked
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// Its key, where it stands in another file
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Offer this protocol by ALPN
    #[arg(long, value_name = "NAME")]
    alpn: Vec<String>,
    /// Fresh sessions of each kind that are offered: with several processes or hosts, few may
    /// miss the one that does not know a session
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    attempts: u32,
    /// The longest that one connection may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// How often a connection is tried again that did not come about
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: u32,
    /// Connections a second at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Endpoints that are looked at side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Go on looking for this long (90s, 30m, 2h): does the key change, how long do sessions
    /// live
    #[arg(long, value_name = "DURATION", value_parser = duration, group = "what")]
    watch: Option<Duration>,
    /// Between two looks of a watch [default: a 60th of it, from 1s to 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "watch")]
    every: Option<Duration>,
    /// Compare all addresses behind the names: who resumes whose sessions, who shares a key
    #[arg(long, group = "what")]
    fleet: bool,
    /// Offer sessions of each of these names at the others, without a name and with an unknown
    /// one
    #[arg(long, value_name = "NAME", num_args = 1.., group = "what")]
    across: Vec<String>,
    /// Try which of its own sessions a client can end, and how
    #[arg(long, group = "what")]
    invalidate: bool,
    /// End this saved session (`openssl s_client -sess_out`), and show whether it still resumes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "fleet", "across", "config"])]
    session_in: Option<PathBuf>,
    /// Compare with what these files promise: a root file or a directory. Without HOST,
    /// wildcard addresses are looked for on this machine
    #[arg(long, value_name = "PATH", group = "what")]
    config: Vec<PathBuf>,
    /// With --config: the server's version, as for `inspect`
    #[arg(long, value_name = "NAME=VERSION", requires = "config")]
    server_version: Vec<String>,
    /// With --config: the package's version, as for `inspect`
    #[arg(long, value_name = "NAME=VERSION", requires = "config")]
    package: Vec<String>,
    /// With --config: httpd is started with -D NAME
    #[arg(long, value_name = "NAME", requires = "config")]
    define: Vec<String>,
    /// With --config: all modules of httpd
    #[arg(long, value_name = "LIST|@FILE", requires = "config")]
    modules: Vec<String>,
    /// With --config: ask the installed servers for their versions
    #[arg(long, requires = "config")]
    detect: bool,
    /// With --config: includes that may be missing
    #[arg(long, value_name = "GLOB", requires = "config")]
    allow_missing: Vec<String>,
    /// Exit with 1 when something this bad or worse was seen
    #[arg(long, value_enum, value_name = "GRADE", default_value_t = FailOn::Warning)]
    fail_on: FailOn,
    /// The report's format
    #[arg(long, value_enum, default_value_t = ProbeFormat::Text)]
    format: ProbeFormat,
    /// Write the report to this file instead of stdout; FORMAT=FILE adds one
    #[arg(short, long, value_name = "[FORMAT=]FILE")]
    output: Vec<OsString>,
}

/// Formats of `probe`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum ProbeFormat {
    Text,
    Json,
    Sarif,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum Version {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum MailName {
    Smtp,
    Imap,
    Pop3,
}

impl MailName {
    const fn protocol(self) -> Mail {
        match self {
            Self::Smtp => Mail::Smtp,
            Self::Imap => Mail::Imap,
            Self::Pop3 => Mail::Pop3,
        }
    }

    /// The port on which the protocol starts in clear.
    const fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
        }
    }
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum SpeechName {
    Http,
    Smtp,
    Imap,
    Pop3,
    None,
}

impl SpeechName {
    const fn speech(self) -> Speech {
        match self {
            Self::Http => Speech::Http,
            Self::Smtp => Speech::Mail(Mail::Smtp),
            Self::Imap => Speech::Mail(Mail::Imap),
            Self::Pop3 => Speech::Mail(Mail::Pop3),
            Self::None => Speech::Silent,
        }
    }
}

pub(super) fn run(arguments: &ProbeArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    let bar = progress(terminal);
    let tick = |count: usize, place: &str| {
        bar.set_message(format!(
            "{count} connections, {}",
            report::escape_line(place)
        ));
    };
    let outcome = asked(arguments).and_then(|request| {
        app::probe(&request, &tick).map_err(|error| (unreachable(&error), hints::said(error)))
    });
    bar.finish_and_clear();
    match outcome {
        Ok(outcome) => show(&outcome, arguments, &output, terminal),
        Err((code, said)) => {
            hints::failure(&said, terminal);
            let problem = hints::failed(&said.0).problems;
            let failed = ProbeOutcome {
                problems: problem,
                ..ProbeOutcome::default()
            };
            let probe = failed.report();
            output.write(terminal, |format, _| match format {
                ProbeFormat::Text => None,
                ProbeFormat::Json => Some(report::probe_json(&probe).into_bytes()),
                ProbeFormat::Sarif => Some(report::probe_sarif(&probe).into_bytes()),
            });
            code
        }
    }
}

fn show(
    outcome: &ProbeOutcome,
    arguments: &ProbeArguments,
    output: &Output<ProbeFormat>,
    terminal: &Terminal,
) -> u8 {
    let probe = outcome.report();
    let written = output.write(terminal, |format, look| {
        let text = match format {
            ProbeFormat::Text => report::probe_text(&probe, look.paint),
            ProbeFormat::Json => report::probe_json(&probe),
            ProbeFormat::Sarif => report::probe_sarif(&probe),
        };
        Some(text.into_bytes())
    });
    hints::say_problems(&outcome.problems, &outcome.sources, terminal);
    terminal.say(&report::probe_summary(&probe));
    if written != CLEAN || !outcome.complete() {
        return FAILED;
    }
    if outcome.unreachable() {
        return UNREACHABLE;
    }
    let grade = arguments.fail_on.grade();
    if grade.is_some_and(|grade| outcome.reaches(grade)) {
        FOUND
    } else {
        CLEAN
    }
}

/// The exit code of an error: a server that is not there is another matter than a request that
/// cannot be met.
fn unreachable(error: &AppError) -> u8 {
    match error {
        AppError::Probe(ProbeError::Unresolved { .. } | ProbeError::Unreachable { .. }) => {
            UNREACHABLE
        }
        _ => FAILED,
    }
}

fn asked(arguments: &ProbeArguments) -> Result<ProbeRequest, (u8, Said)> {
    let failed = |said: Said| (FAILED, said);
    let config = match &arguments.config[..] {
        [] => None,
        paths => Some(request(&reading(arguments, paths), None).map_err(failed)?),
    };
    let manner = manner(arguments).map_err(failed)?;
    Ok(ProbeRequest {
        plan: plan(arguments).map_err(failed)?,
        manner,
        config,
        session: arguments.session_in.clone(),
        ..ProbeRequest::default()
    })
}

fn reading(arguments: &ProbeArguments, paths: &[PathBuf]) -> ReadArguments {
    ReadArguments {
        paths: paths.to_vec(),
        server_version: arguments.server_version.clone(),
        package: arguments.package.clone(),
        define: arguments.define.clone(),
        modules: arguments.modules.clone(),
        detect: arguments.detect,
        allow_missing: arguments.allow_missing.clone(),
        context: None,
        config: None,
        isolated: true,
        settings: None,
        output: Vec::new(),
    }
}

fn plan(arguments: &ProbeArguments) -> Result<Plan, Said> {
    let port = arguments.starttls.map_or(DEFAULT_PORT, MailName::port);
    let targets = arguments.targets.iter();
    let targets = targets.map(|text| Target::parse(text, port));
    let targets = targets.collect::<Result<Vec<_>, _>>();
    let names = arguments.sni.iter().chain(&arguments.across);
    Ok(Plan {
        targets: targets.map_err(|why| (why.to_string(), None))?,
        names: names.map(|name| Some(name.clone())).collect(),
        tls12: arguments.tls != Some(Version::Tls13),
        tls13: arguments.tls != Some(Version::Tls12),
        attempts: arguments.attempts,
        retries: arguments.retries,
        rate: arguments.rate,
        jobs: usize::from(arguments.jobs),
        mode: mode(arguments),
        ..Plan::default()
    })
}

fn mode(arguments: &ProbeArguments) -> Mode {
    const SECOND: Duration = Duration::from_secs(1);
    if let Some(duration) = arguments.watch {
        let usual = (duration / 60).clamp(SECOND, 60 * SECOND);
        let every = arguments.every.unwrap_or(usual);
        return Mode::Watch { duration, every };
    }
    match (
        arguments.fleet,
        arguments.across.is_empty(),
        arguments.invalidate,
    ) {
        (true, ..) => Mode::Fleet,
        (_, false, _) => Mode::Across,
        (_, _, true) => Mode::Endings,
        _ => Mode::Look,
    }
}

fn manner(arguments: &ProbeArguments) -> Result<Manner, Said> {
    let key = arguments.client_key.as_ref();
    let identity = arguments
        .client_cert
        .as_ref()
        .map(|certificate| (certificate.clone(), key.unwrap_or(certificate).clone()));
    if let Some(name) = arguments
        .alpn
        .iter()
        .find(|name| !(1..=255).contains(&name.len()))
    {
        return Err((format!("--alpn: `{name}` has not 1 to 255 bytes"), None));
    }
    Ok(Manner {
        identity,
        alpn: arguments.alpn.clone(),
        starttls: arguments.starttls.map(MailName::protocol),
        speech: arguments.speak.speech(),
        proxy: arguments.proxy_protocol,
        patience: arguments.timeout,
    })
}

/// `90`, `90s`, `30m`, `2h`, `1d`; not zero, and at most 400 days.
fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: u64 = 400 * 86_400;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        unit => return Err(format!("`{unit}` is none of s, m, h, d")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "not of the form 90s, 30m, 2h".to_owned())?;
    match number.checked_mul(unit) {
        Some(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
        _ => Err("not between 1s and 400d".to_owned()),
    }
}

/// A line on a terminal; nothing where stderr is none.
fn progress(terminal: &Terminal) -> ProgressBar {
    if !terminal.watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("1d", 86_400),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "s",
            "0",
            "1w",
            "-1",
            "1.5h",
            "99999999999999999999",
            "401d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
