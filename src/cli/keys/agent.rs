//! `keys agent`: keys of a fleet on this host.

use clap::Args;

use super::args::RunArguments;
use super::{report, request};
use crate::app::Lookup;
use crate::app::keys::{self, AgentNews, AgentRequest, FleetWish, Places};
use crate::cli::hints::{self, Said};
use crate::cli::terminal::Terminal;
use crate::cli::{CLEAN, FAILED, FOUND};
use crate::report::agent_metrics;

#[derive(Debug, Args)]
pub(in crate::cli) struct AgentArguments {
    #[command(flatten)]
    run: RunArguments,
    /// Ask the stores once, do what the schedule asks for and end: for timers, and to try out a
    /// set-up. Not where seeds are sealed for this host alone: the key that opens them lives in
    /// the memory of an agent that runs
    #[arg(long)]
    once: bool,
    /// A drill: read the wall clock wrong by so much, as `-90s` or `250ms`
    #[arg(long, value_name = "TIME", value_parser = offset, allow_hyphen_values = true)]
    clock_offset: Option<i64>,
}

pub(super) fn agent(arguments: &AgentArguments, terminal: &Terminal) -> Result<u8, Said> {
    let run = &arguments.run;
    let request = request::working(run)?;
    let (fleet, places) = fleet(run, terminal)?;
    let request = AgentRequest {
        keys: request,
        fleet,
        places,
        once: arguments.once,
        metrics: run.metrics_listen,
        clock_offset: arguments.clock_offset.unwrap_or(0),
    };
    if request.once && request.has_to_run() {
        let hint = "leave --once away, or use `mode = \"fleet-key\"`";
        let why = "--once: seeds are sealed for this host under a key that lives in the memory \
                   of an agent that runs";
        return Err((why.to_owned(), Some(hint.to_owned())));
    }
    if request.clock_offset != 0 {
        terminal.note(
            "drill",
            "the wall clock is read wrong, as --clock-offset says",
        );
    }
    let ended = keys::agent(&request, &mut |news| tell(news, run, terminal));
    let ended = ended.map_err(hints::said)?;
    Ok(match (ended.failed, ended.wrong.is_empty()) {
        (true, _) => FAILED,
        (false, false) => FOUND,
        (false, true) => CLEAN,
    })
}

/// The fleet of the settings.
pub(super) fn fleet(run: &RunArguments, terminal: &Terminal) -> Result<(FleetWish, Places), Said> {
    let places = Places {
        credentials: terminal.place("CREDENTIALS_DIRECTORY"),
        agent: terminal.place("SSH_AUTH_SOCK"),
    };
    let lookup = Lookup {
        config: run.keys.config.clone(),
        isolated: run.keys.isolated,
        ..Lookup::default()
    };
    let fleet = keys::fleet(&lookup, &places).map_err(hints::said)?;
    Ok((fleet, places))
}

fn tell(news: &AgentNews<'_>, run: &RunArguments, terminal: &Terminal) -> Option<String> {
    match news {
        AgentNews::Note(text) => terminal.note("note", text),
        AgentNews::Alarm(text) => terminal.note("alarm", text),
        AgentNews::Ran(rotated) => {
            report::tell(rotated, terminal);
        }
        AgentNews::Failed(error) => terminal.error(&error.to_string(), None),
        AgentNews::Stands(status, seen) => {
            let text = agent_metrics(status, seen);
            if let Err((why, _)) = report::write_metrics(run.metrics_file.as_deref(), &text) {
                terminal.error(&why, None);
            }
            return Some(text);
        }
    }
    None
}

/// Milliseconds, out of `90`, `-90s`, `+250ms` or `2m`.
fn offset(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time such as -90s, 250ms or 5m");
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = digits.split_at(end.unwrap_or(digits.len()));
    let factor = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    if text.len() > digits.len() + 1 {
        return Err(wrong());
    }
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let time = number.checked_mul(factor).ok_or_else(wrong)?;
    Ok(if text.starts_with('-') { -time } else { time })
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn offsets_are_signed_times() {
        assert_eq!(offset("90"), Ok(90_000));
        assert_eq!(offset("-90s"), Ok(-90_000));
        assert_eq!(offset("+250ms"), Ok(250));
        assert_eq!(offset("-2h"), Ok(-7_200_000));
        for text in ["", "-", "--1", "1d", "1.5s", "s", "9223372036854775807h"] {
            assert!(offset(text).is_err(), "{text}");
        }
    }
}
