//! What `keys` says: data on stdout, what was done on stderr.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{
    DoctorArguments, KeysArguments, KeysCommand, LayoutName, RotateNowArguments, RunArguments,
    StatusArguments, StatusFormat, TimelineForm, UnitArguments,
};
#[cfg(feature = "fleet")]
use super::{agent, fleet, fleet_status, stores};
use super::{httpd, request};
use crate::app::keys::{
    self, AgentUnit, Grade, KeysGoal, KeysRequest, Layout, Rotated, Status, Tick, UnitOptions,
    Verdict,
};
use crate::cli::hints::{self, Said};
use crate::cli::terminal::Terminal;
use crate::cli::{CLEAN, FAILED, FOUND};
use crate::report;

pub(super) fn run(arguments: &KeysArguments, terminal: &Terminal) -> u8 {
    let done = match &arguments.command {
        KeysCommand::Init(arguments) => rotate(arguments, KeysGoal::Init, terminal),
        KeysCommand::Rotate(arguments) => rotate(arguments, KeysGoal::Rotate, terminal),
        KeysCommand::RotateNow(arguments) => rotate_now(arguments, terminal),
        KeysCommand::Run(arguments) => forever(arguments, terminal),
        KeysCommand::Status(arguments) => status(arguments, terminal),
        KeysCommand::Doctor(arguments) => doctor(arguments, terminal),
        KeysCommand::Units(arguments) => units(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::Agent(arguments) => agent::agent(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::InitFleet(arguments) => fleet::init(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::Generate(arguments) => fleet::generate(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::Enroll(arguments) => fleet::enroll(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::RevokeHost(arguments) => fleet::revoke(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::Relay(arguments) => stores::relay(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::StoreConfig(arguments) => stores::config(arguments, terminal),
        #[cfg(feature = "fleet")]
        KeysCommand::StoreDoctor(arguments) => stores::doctor(arguments, terminal),
    };
    done.unwrap_or_else(|(sentence, hint)| {
        terminal.error(&sentence, hint.as_deref());
        FAILED
    })
}

fn rotate(arguments: &RunArguments, goal: KeysGoal, terminal: &Terminal) -> Result<u8, Said> {
    let request = request::working(arguments)?;
    let rotated = keys::rotate(&request, goal).map_err(hints::said)?;
    let code = tell(&rotated, terminal);
    if arguments.metrics_file.is_some() {
        let status = keys::status(&request).map_err(hints::said)?;
        let file = arguments.metrics_file.as_deref();
        write_metrics(file, &report::keys_metrics(&status))?;
    }
    Ok(code)
}

#[cfg(feature = "fleet")]
fn rotate_now(arguments: &RotateNowArguments, terminal: &Terminal) -> Result<u8, Said> {
    if !arguments.fleet {
        return rotate(&arguments.run, KeysGoal::RotateNow, terminal);
    }
    let keys = &arguments.run.keys;
    let settings = fleet::FleetArguments {
        config: keys.config.clone(),
        isolated: keys.isolated,
    };
    fleet::rotate_now(&settings, arguments.roster.as_deref(), terminal)
}

#[cfg(not(feature = "fleet"))]
fn rotate_now(arguments: &RotateNowArguments, terminal: &Terminal) -> Result<u8, Said> {
    rotate(&arguments.run, KeysGoal::RotateNow, terminal)
}

/// What a run did and what is wrong; its exit code.
pub(super) fn tell(rotated: &Rotated, terminal: &Terminal) -> u8 {
    let done = &rotated.done;
    for line in &done.audit {
        terminal.say(&report::escape_line(line));
    }
    for alarm in &done.alarms {
        terminal.note("alarm", &alarm.to_string());
    }
    if let Some(why) = &done.failed {
        let hint = "the server goes on with the keys that it had; the next run tries again";
        terminal.error(&format!("the new keys did not go live: {why}"), Some(hint));
        return FAILED;
    }
    if let Some(verdict @ (Verdict::Verified(_) | Verdict::NotCheckable(_))) = &done.verdict {
        terminal.note("live check", &verdict.to_string());
    }
    for remark in &rotated.remarks {
        terminal.note("to do", remark);
    }
    if rotated.remarks.is_empty() {
        CLEAN
    } else {
        FOUND
    }
}

fn forever(arguments: &RunArguments, terminal: &Terminal) -> Result<u8, Said> {
    let request = request::working(arguments)?;
    let mut tell = |tick: &Tick| match tick {
        Tick::Start(refused) => {
            refused.iter().for_each(|line| terminal.note("note", line));
            None
        }
        Tick::Ran(rotated, status) => {
            tell(rotated, terminal);
            let text = report::keys_metrics(status);
            if let Err((why, _)) = write_metrics(arguments.metrics_file.as_deref(), &text) {
                terminal.error(&why, None);
            }
            Some(text)
        }
        Tick::Failed(error) => {
            terminal.error(&error.to_string(), None);
            None
        }
    };
    keys::run(&request, arguments.metrics_listen, &mut tell).map_err(hints::said)?;
    Ok(CLEAN)
}

/// A reader finds the old page or the new one.
pub(super) fn write_metrics(path: Option<&Path>, text: &str) -> Result<(), Said> {
    let Some(path) = path else {
        return Ok(());
    };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    put(&new, text)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|why| failed(path, &why))
}

fn status(arguments: &StatusArguments, terminal: &Terminal) -> Result<u8, Said> {
    #[cfg(feature = "fleet")]
    if arguments.fleet {
        return fleet_status::status(arguments, terminal);
    }
    let request = request::looking(&arguments.keys)?;
    let status = keys::status(&request).map_err(hints::said)?;
    let text = match arguments.format {
        _ if arguments.timeline.is_some() => drawn(arguments, &request, &status, terminal),
        StatusFormat::Text => report::keys_status_text(&status),
        StatusFormat::Json => report::keys_status_json(&status),
        StatusFormat::Prometheus => report::keys_metrics(&status),
    };
    let written = terminal.report(text.as_bytes(), None);
    let found = if status.alarms.is_empty() {
        CLEAN
    } else {
        FOUND
    };
    Ok(written.max(found))
}

/// The timeline of one host.
fn drawn(
    arguments: &StatusArguments,
    request: &KeysRequest,
    status: &Status,
    terminal: &Terminal,
) -> String {
    let timeline = keys::timeline(request, status);
    let folder = request.folder.display();
    let picture = report::Picture {
        subject: &format!("TLS ticket keys of {folder}"),
        timeline: &timeline,
        hosts: &BTreeMap::new(),
    };
    match arguments.timeline {
        Some(TimelineForm::Svg) => report::timeline_svg(&picture),
        _ => report::timeline_text(&picture, arguments.width, terminal.paint(None)),
    }
}

fn doctor(arguments: &DoctorArguments, terminal: &Terminal) -> Result<u8, Said> {
    let request = request::looking(&arguments.keys)?;
    #[cfg_attr(
        not(feature = "fleet"),
        expect(unused_mut, reason = "the rows of a fleet")
    )]
    let mut doctor = keys::doctor(&request, &arguments.system_root).map_err(hints::said)?;
    #[cfg(feature = "fleet")]
    doctor
        .checks
        .extend(fleet_status::checks(&arguments.keys, terminal));
    let text = report::keys_doctor(&doctor.checks, terminal.paint(None));
    let written = terminal.report(text.as_bytes(), None);
    let found = match doctor.worst() {
        Grade::Ok | Grade::Note => CLEAN,
        Grade::Warning | Grade::Error => FOUND,
    };
    Ok(written.max(found))
}

fn units(arguments: &UnitArguments, terminal: &Terminal) -> Result<u8, Said> {
    #[cfg(feature = "fleet")]
    if arguments.generator {
        let unit = fleet::unit(&arguments.run, terminal)?;
        return write_units(arguments, &[unit], terminal);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if arguments.service.is_empty() || !arguments.service.chars().all(plain) {
        return Err((
            format!("--service: `{}` is no name of a unit", arguments.service),
            None,
        ));
    }
    // Without key files nothing of the rest is asked for.
    let (folder, interval) = match arguments.scheduled_reload {
        Some(_) => (PathBuf::new(), 0),
        None => {
            let request = request::working(&arguments.run)?;
            if request.layout == Layout::Apache48 && !keys::proven(&request) {
                return Err(httpd::unproven());
            }
            (request.folder, request.rotation.interval)
        }
    };
    let program = std::env::current_exe();
    let program = program.map_err(|why| (format!("this program's own path: {why}"), None))?;
    let (agent, folders) = agent_unit(arguments, terminal)?;
    let metrics = arguments.run.metrics_file.as_deref().and_then(Path::parent);
    let metrics = metrics.map(Path::to_owned);
    let units = keys::units(&UnitOptions {
        program,
        service: service(arguments),
        one_key: arguments.run.keys.layout == LayoutName::Apache48,
        arguments: request::given(&arguments.run, &folder),
        folder,
        writes: metrics.into_iter().chain(folders).collect(),
        agent,
        interval,
        noswap: keys::kernel_has_noswap(),
        scheduled_reload: arguments.scheduled_reload.map(|period| period.0),
    });
    let code = write_units(arguments, &units, terminal)?;
    if let Some(period) = arguments.scheduled_reload {
        terminal.hint(&format!(
            "tell lint by `[rotation] scheduled_reload = \"{period}\"` in stekguard.toml"
        ));
    }
    Ok(code)
}

/// Units as they are printed or written, and what to do with them.
fn write_units(
    arguments: &UnitArguments,
    units: &[(String, String)],
    terminal: &Terminal,
) -> Result<u8, Said> {
    let code = match &arguments.write {
        None => {
            let text: String = units
                .iter()
                .map(|(name, text)| format!("# {name}\n{text}\n"))
                .collect();
            terminal.report(text.as_bytes(), None)
        }
        Some(folder) => {
            for (name, text) in units {
                let path = folder.join(name);
                put(&path, text).map_err(|why| failed(&path, &why))?;
                terminal.say(&format!("written {}", report::escape_path(&path)));
            }
            CLEAN
        }
    };
    let enabled: Vec<&str> = units
        .iter()
        .filter(|(_, text)| text.contains("[Install]"))
        .map(|(name, _)| name.as_str())
        .collect();
    terminal.hint(&format!(
        "systemctl daemon-reload, then systemctl enable --now {}",
        enabled.join(" ")
    ));
    Ok(code)
}

/// nginx, unless another was named or the keys are httpd's.
fn service(arguments: &UnitArguments) -> String {
    let named = arguments.service.trim_end_matches(".service");
    match arguments.run.keys.layout {
        LayoutName::Apache48 if named == "nginx" => "apache2".to_owned(),
        _ => named.to_owned(),
    }
}

/// What an agent's unit needs, and the folders that are stores.
#[cfg(feature = "fleet")]
fn agent_unit(
    arguments: &UnitArguments,
    terminal: &Terminal,
) -> Result<(Option<AgentUnit>, Vec<PathBuf>), Said> {
    if !arguments.agent {
        return Ok((None, Vec::new()));
    }
    let (fleet, _) = agent::fleet(&arguments.run, terminal)?;
    let (unit, folders) = keys::agent_unit(&fleet);
    Ok((Some(unit), folders))
}

#[cfg(not(feature = "fleet"))]
fn agent_unit(
    arguments: &UnitArguments,
    _: &Terminal,
) -> Result<(Option<AgentUnit>, Vec<PathBuf>), Said> {
    match arguments.agent {
        true => Err(("--agent: this build has no fleets".to_owned(), None)),
        false => Ok((None, Vec::new())),
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

fn failed(path: &Path, why: &io::Error) -> Said {
    (format!("{}: {why}", path.display()), None)
}
