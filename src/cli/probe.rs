//! `stekguard probe`.

mod arguments;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::ReadArguments;
use super::hints::Said;
use super::output::Output;
use super::request::request;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, UNREACHABLE, hints};
use crate::app::{
    self, AppError, DEFAULT_PORT, Manner, Mode, Plan, ProbeError, ProbeOutcome, ProbeRequest,
    Target,
};
use crate::report;

pub(super) use arguments::ProbeArguments;
use arguments::{MailName, ProbeFormat, Version};

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
