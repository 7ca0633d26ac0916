//! The request behind the arguments of `keys`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{KeyArguments, LayoutName, MissingName, PresetName, RunArguments};
use super::httpd;
use crate::app::Lookup;
use crate::app::keys::{
    KeysRequest, KeysServer, Layout, Live, Target, WhenMissing, cache_size, plan, target,
};
use crate::cli::hints::{self, Said};
use crate::policy::Rotation;
use crate::policy::settings::{Preset, RotationSettings};

/// How long a server may hand out tickets under the older key after its new processes run.
const OLD_TICKETS: Duration = Duration::from_secs(5);

/// A request that only looks.
pub(super) fn looking(keys: &KeyArguments) -> Result<KeysRequest, Said> {
    let live = Live {
        targets: keys
            .check
            .iter()
            .map(|text| checked(text))
            .collect::<Result<_, _>>()?,
        identity: keys.client_cert.clone().zip(keys.client_key.clone()),
        proxy: keys.proxy_protocol,
        patience: OLD_TICKETS,
    };
    let (rotation, folder) = match keys.layout {
        LayoutName::Apache48 => httpd::plan(keys)?,
        _ => rotation(keys)?,
    };
    Ok(KeysRequest {
        folder,
        layout: layout(keys.layout),
        rotation,
        when_missing: WhenMissing::Ratchet,
        server: KeysServer {
            pid_file: Some(httpd::path(keys.layout, &keys.pid_file)),
            ..KeysServer::default()
        },
        live,
        unchecked: false,
        cache: None,
        allow_disk: false,
        root: Some(httpd::path(keys.layout, &keys.server_config)),
    })
}

/// A request that works.
pub(super) fn working(arguments: &RunArguments) -> Result<KeysRequest, Said> {
    let mut request = looking(&arguments.keys)?;
    request.server = KeysServer {
        test: Some(httpd::test(arguments)).filter(|it| !it.trim().is_empty()),
        reload: arguments.reload_command.clone(),
        restart: arguments.restart_command.clone(),
        label: arguments.selinux_type.clone(),
        leave: arguments.leave_server,
        patience: Duration::from_secs(arguments.patience.0.max(1)),
        ..request.server
    };
    request.unchecked = arguments.no_check;
    request.when_missing = match arguments.when_missing {
        MissingName::Ratchet => WhenMissing::Ratchet,
        MissingName::LocalRandom => WhenMissing::LocalRandom,
        MissingName::TicketsOff => WhenMissing::TicketsOff,
    };
    request.allow_disk = arguments.allow_disk;
    if let Some(size) = &arguments.cache {
        if !cache_size(size) {
            return Err((format!("--cache: `{size}` is not a size such as 10m"), None));
        }
        request.cache = Some(size.clone());
    }
    Ok(request)
}

/// The plan and the folder of the settings, with what the arguments say over them.
fn rotation(keys: &KeyArguments) -> Result<(Rotation, PathBuf), Said> {
    let lookup = Lookup {
        config: keys.config.clone(),
        isolated: keys.isolated,
        ..Lookup::default()
    };
    let over = RotationSettings {
        preset: keys.preset.map(|name| match name {
            PresetName::Hourly => Preset::Hourly,
            PresetName::Published2015 => Preset::Published2015,
        }),
        interval: keys.interval,
        ahead: keys.ahead,
        previous: keys.previous,
        lifetime: keys.lifetime,
        skew: keys.skew,
        directory: keys.dir.clone(),
        scheduled_reload: None,
    };
    let plan = plan(over, &lookup).map_err(hints::said)?;
    plan.map_err(|why| (why, None))
}

fn layout(name: LayoutName) -> Layout {
    match name {
        LayoutName::Nginx80 => Layout::Nginx80,
        LayoutName::Nginx48 => Layout::Nginx48,
        LayoutName::Apache48 => Layout::Apache48,
    }
}

fn checked(text: &str) -> Result<Target, Said> {
    target(text).ok_or_else(|| {
        let sentence =
            format!("--check: `{text}` is not of the form 127.0.0.1:443=www.example.com");
        (sentence, None)
    })
}

/// The arguments that were given, as the units pass them on.
pub(super) fn given(arguments: &RunArguments, folder: &Path) -> Vec<String> {
    let keys = &arguments.keys;
    let mut out = vec!["--dir".to_owned(), folder.display().to_string()];
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push(format!("--{name}"));
            out.push(value);
        }
    };
    let path = |path: &PathBuf| path.display().to_string();
    let layout = match keys.layout {
        LayoutName::Nginx80 => None,
        LayoutName::Nginx48 => Some("nginx48"),
        LayoutName::Apache48 => Some("apache48"),
    };
    add("layout", layout.map(str::to_owned));
    let published = keys.preset == Some(PresetName::Published2015);
    add("preset", published.then(|| "published-2015".to_owned()));
    add("interval", keys.interval.map(|it| it.to_string()));
    add("ahead", keys.ahead.map(|it| it.to_string()));
    add("previous", keys.previous.map(|it| it.to_string()));
    add("lifetime", keys.lifetime.map(|it| it.to_string()));
    add("skew", keys.skew.map(|it| it.to_string()));
    add("config", keys.config.as_ref().map(path));
    let used = |given: &Path| path(&httpd::path(keys.layout, given));
    add("server-config", Some(used(&keys.server_config)));
    add("pid-file", Some(used(&keys.pid_file)));
    for check in &keys.check {
        add("check", Some(check.clone()));
    }
    add("client-cert", keys.client_cert.as_ref().map(path));
    add("client-key", keys.client_key.as_ref().map(path));
    add("test-command", Some(httpd::test(arguments)));
    add("reload-command", arguments.reload_command.clone());
    add("cache", arguments.cache.clone());
    add("selinux-type", arguments.selinux_type.clone());
    let missing = match arguments.when_missing {
        MissingName::Ratchet => None,
        MissingName::LocalRandom => Some("local-random".to_owned()),
        MissingName::TicketsOff => Some("tickets-off".to_owned()),
    };
    add("when-missing", missing);
    let listen = arguments.metrics_listen;
    add("metrics-listen", listen.map(|address| address.to_string()));
    add("metrics-file", arguments.metrics_file.as_ref().map(path));
    for (name, on) in [
        ("--isolated", keys.isolated),
        ("--proxy-protocol", keys.proxy_protocol),
        ("--no-check", arguments.no_check),
        ("--allow-disk", arguments.allow_disk),
    ] {
        out.extend(on.then(|| name.to_owned()));
    }
    out
}
