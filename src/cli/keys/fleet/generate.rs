//! `keys generate`: what it says while it runs.

use std::path::{Path, PathBuf};

use super::args::{FleetArguments, GenerateArguments};
use crate::app::keys::{self, GenerateRequest, GeneratorTick, Places};
use crate::cli::hints::{self, Said};
use crate::cli::keys::args::RunArguments;
use crate::cli::keys::report::write_metrics;
use crate::cli::terminal::Terminal;
use crate::cli::{CLEAN, FAILED};
use crate::report;

/// Runs it.
pub(in crate::cli::keys) fn generate(
    arguments: &GenerateArguments,
    terminal: &Terminal,
) -> Result<u8, Said> {
    let places = super::places(terminal);
    let request = GenerateRequest {
        fleet: super::wish(&arguments.fleet, &places)?,
        places,
        once: arguments.once,
        founding: arguments.founding,
        allow_unlocked: arguments.allow_unlocked,
        metrics: arguments.metrics_listen,
    };
    let mut before = Told::default();
    let mut tell = |tick: &GeneratorTick| {
        before.tell(tick, terminal);
        let text = report::generator_metrics(&tick.counts);
        if let Err((why, _)) = write_metrics(arguments.metrics_file.as_deref(), &text) {
            terminal.error(&why, None);
        }
        Some(text)
    };
    let last = keys::generate(&request, &mut tell).map_err(hints::said)?;
    match last.failed {
        Some(_) => Ok(FAILED),
        None => Ok(CLEAN),
    }
}

/// What was said last: what goes on is said once, and when it is over.
#[derive(Default)]
struct Told {
    alarms: Vec<String>,
    failed: Option<String>,
}

impl Told {
    fn tell(&mut self, tick: &GeneratorTick, terminal: &Terminal) {
        for line in &tick.audit {
            terminal.say(&report::escape_line(line));
        }
        let new = tick.alarms.iter().filter(|it| !self.alarms.contains(it));
        new.for_each(|alarm| terminal.note("alarm", alarm));
        self.alarms.clone_from(&tick.alarms);
        match (&tick.failed, &self.failed) {
            (Some(why), before) if before.as_ref() != Some(why) => {
                let hint = format!(
                    "{} seeds are kept, and offered again once this is over",
                    tick.counts.seeds
                );
                terminal.error(why, Some(&hint));
            }
            (None, Some(_)) => terminal.say("the store is back, and has the whole window"),
            _ => {}
        }
        self.failed.clone_from(&tick.failed);
    }
}

/// The unit that runs it, with the arguments that concern it.
pub(in crate::cli::keys) fn unit(
    arguments: &RunArguments,
    terminal: &Terminal,
) -> Result<(String, String), Said> {
    let settings = FleetArguments {
        config: arguments.keys.config.clone(),
        isolated: arguments.keys.isolated,
    };
    // The service has credentials of its own: what they hold is not asked for here.
    let places = Places {
        credentials: Some(PathBuf::from("/run/credentials")),
        ..super::places(terminal)
    };
    let fleet = super::wish(&settings, &places)?;
    fleet.signing_key().map_err(|why| hints::said(why.into()))?;
    let program = std::env::current_exe();
    let program = program.map_err(|why| (format!("this program's own path: {why}"), None))?;
    let mut unit = keys::unit_of(&fleet, places.agent, program);
    let mut add = |name: &str, value: String| unit.arguments.extend([name.to_owned(), value]);
    if let Some(config) = settings
        .config
        .or_else(|| fleet.settings().map(Path::to_owned))
    {
        let whole = std::path::absolute(&config).unwrap_or(config);
        add("--config", whole.display().to_string());
    }
    if let Some(address) = arguments.metrics_listen {
        add("--metrics-listen", address.to_string());
    }
    if let Some(file) = &arguments.metrics_file {
        add("--metrics-file", file.display().to_string());
        // A user that only the service has cannot write there.
        unit.own_user = false;
        unit.writes.extend(file.parent().map(Path::to_owned));
    }
    if settings.isolated {
        unit.arguments.push("--isolated".to_owned());
    }
    Ok(keys::generator_unit(&unit))
}
