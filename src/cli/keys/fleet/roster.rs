//! `keys init-fleet`, `enroll`, `revoke-host` and `rotate-now --fleet`: what they say. Public
//! parts on stdout, what was done on stderr.

use std::path::{Path, PathBuf};

use super::args::{EnrollArguments, FleetArguments, InitFleetArguments, RevokeArguments};
use crate::app::keys::{self, Enrollment, FleetError, FleetMode, FleetWish};
use crate::cli::CLEAN;
use crate::cli::hints::{self, Said};
use crate::cli::terminal::Terminal;

const SAME_TIME: &str = "generators that run take it at their next tick; where the roster lies on \
several machines, copy it to each";

/// Makes what a generator needs; prints what hosts have to be told.
pub(in crate::cli::keys) fn init(
    arguments: &InitFleetArguments,
    terminal: &Terminal,
) -> Result<u8, Said> {
    let places = super::places(terminal);
    let fleet = super::wish(&arguments.fleet, &places)?;
    let founded = keys::found(&fleet, &places).map_err(said)?;
    let word = |new| if new { "made" } else { "was there" };
    let tell = |what: &str, place: &str, new| {
        terminal.say(&format!("{what} {place} {}", word(new)));
    };
    let signing = &founded.signing;
    tell("signing key", &signing.place, signing.new);
    if let Some(key) = &founded.fleet {
        tell("fleet key", &key.place, key.new);
    }
    tell("roster", &founded.roster.place, founded.roster.new);
    match &founded.store {
        None => terminal.say(&format!("store {} is written", fleet.write_store)),
        Some(why) => terminal.note("to do", why),
    }
    let mode = match fleet.mode {
        FleetMode::PerHost => "per-host",
        FleetMode::FleetKey => "fleet-key",
    };
    let text = format!(
        "[fleet]\nname = \"{}\"\nmode = \"{mode}\"\nsigners = [{}]\n",
        fleet.name,
        signers(&fleet, &signing.public)
    );
    let code = terminal.report(text.as_bytes(), None);
    terminal
        .hint("these lines belong into stekguard.toml of every host, and of every other generator");
    if founded.fleet.is_some() {
        terminal
            .hint("the fleet key goes to every host and every other generator, unread by others");
    }
    Ok(code)
}

/// Those of the settings and the own one.
fn signers(fleet: &FleetWish, own: &keys::PublicKey) -> String {
    let known = fleet.signers.0.iter().filter(|key| *key != own);
    let all: Vec<String> = known.chain([own]).map(|key| format!("\"{key}\"")).collect();
    all.join(", ")
}

/// On a host: its identity. At the generator: the host into the roster.
pub(in crate::cli::keys) fn enroll(
    arguments: &EnrollArguments,
    terminal: &Terminal,
) -> Result<u8, Said> {
    let Some(identity) = &arguments.identity else {
        return identify(arguments, terminal);
    };
    let Some(host) = &arguments.host else {
        return Err((
            "--identity: whose is it? --host says it".to_owned(),
            Some("the line that `keys enroll` printed on the host has both".to_owned()),
        ));
    };
    let roster = roster(arguments.roster.as_deref(), &arguments.fleet, terminal)?;
    let done = keys::enroll(&roster, host, identity, arguments.replace).map_err(said)?;
    let place = roster.display();
    terminal.say(&match done {
        Enrollment::Known => format!("host {host} was in {place} already"),
        Enrollment::Added => format!("host {host} is in {place} now"),
        Enrollment::Replaced => format!("host {host} has another identity in {place} now"),
    });
    if done != Enrollment::Known {
        terminal.hint(SAME_TIME);
    }
    Ok(CLEAN)
}

fn identify(arguments: &EnrollArguments, terminal: &Terminal) -> Result<u8, Said> {
    let places = super::places(terminal);
    let fleet = super::wish(&arguments.fleet, &places)?;
    let host = match &arguments.host {
        Some(host) => keys::HostName::parse(host)
            .map_err(FleetError::Name)
            .map_err(said)?,
        None => fleet.host().map_err(said)?.clone(),
    };
    let made = keys::identify(&fleet, &places).map_err(said)?;
    terminal.say(&match made.new {
        true => format!("identity {} made", made.place),
        false => format!("identity {} was there", made.place),
    });
    let line = format!(
        "stekguard keys enroll --host {host} --identity {}\n",
        made.public
    );
    let code = terminal.report(line.as_bytes(), None);
    terminal.hint("that is the command for the generator; check the line on a way you trust");
    Ok(code)
}

/// Puts a host out of the fleet.
pub(in crate::cli::keys) fn revoke(
    arguments: &RevokeArguments,
    terminal: &Terminal,
) -> Result<u8, Said> {
    let places = super::places(terminal);
    let fleet = super::wish(&arguments.fleet, &places)?;
    let roster = match &arguments.roster {
        Some(roster) => roster.clone(),
        None => fleet.roster().map_err(said)?.to_owned(),
    };
    let host = &arguments.host;
    let (generation, before) = keys::revoke(&fleet, &roster, host).map_err(said)?;
    if before {
        terminal.say(&format!("host {host} was revoked already"));
        return Ok(CLEAN);
    }
    terminal.say(&format!(
        "host {host} is revoked; the keys of generation {generation} are made without it"
    ));
    terminal.hint(SAME_TIME);
    terminal.hint(
        "every other host takes the new keys at its next look: sessions of before do not resume \
         there, and clients make one full handshake each",
    );
    terminal.hint(
        "stop the server on the revoked host, or replace its certificate: its old keys still open \
         tickets there, and what was recorded before",
    );
    Ok(CLEAN)
}

/// Raises the generation of a fleet.
pub(in crate::cli::keys) fn rotate_now(
    fleet: &FleetArguments,
    given: Option<&Path>,
    terminal: &Terminal,
) -> Result<u8, Said> {
    let roster = roster(given, fleet, terminal)?;
    let generation = keys::raise(&roster).map_err(said)?;
    terminal.say(&format!(
        "{}: generation {generation}; all keys of before are void",
        roster.display()
    ));
    terminal.hint(SAME_TIME);
    Ok(CLEAN)
}

fn roster(
    given: Option<&Path>,
    arguments: &FleetArguments,
    terminal: &Terminal,
) -> Result<PathBuf, Said> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let fleet = super::wish(arguments, &super::places(terminal))?;
    Ok(fleet.roster().map_err(said)?.to_owned())
}

fn said(error: FleetError) -> Said {
    hints::said(error.into())
}
