//! The arguments of `ticket_keys`, and the request that they make. The names are those of the
//! options of `stekguard keys`, with `_` for `-`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::ansible::loose;
use crate::app::Lookup;
use crate::app::keys::{
    KeysGoal, KeysRequest, KeysServer, Layout, Live, Target, WhenMissing, cache_size, plan, target,
};
use crate::policy::settings::{Period, Preset, RotationSettings};

/// How long a server may hand out tickets under the older key after its new processes run.
const OLD_TICKETS: Duration = Duration::from_secs(5);

/// As they were given; what is missing has the value that the command takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::ansible) struct KeysArguments {
    pub(super) state: State,
    dir: Option<PathBuf>,
    layout: LayoutName,
    preset: Option<Preset>,
    interval: Option<Period>,
    #[serde(deserialize_with = "loose::number")]
    ahead: Option<u32>,
    #[serde(deserialize_with = "loose::number")]
    previous: Option<u32>,
    lifetime: Option<Period>,
    skew: Option<Period>,
    config: Option<PathBuf>,
    #[serde(deserialize_with = "loose::boolean")]
    isolated: bool,
    server_config: PathBuf,
    pid_file: PathBuf,
    #[serde(deserialize_with = "loose::list")]
    check: Vec<String>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
    #[serde(deserialize_with = "loose::boolean")]
    proxy_protocol: bool,
    test_command: String,
    reload_command: Option<String>,
    restart_command: Option<String>,
    #[serde(deserialize_with = "loose::boolean")]
    leave_server: bool,
    #[serde(deserialize_with = "loose::boolean")]
    no_check: bool,
    patience: Period,
    cache: Option<String>,
    when_missing: Missing,
    #[serde(deserialize_with = "loose::boolean")]
    allow_disk: bool,
}

/// What is to be.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Keys are there, and the one that is due encrypts.
    #[default]
    Present,
    /// No key of before is good any more.
    RotatedNow,
}

impl State {
    pub(super) const fn goal(self) -> KeysGoal {
        match self {
            Self::Present => KeysGoal::Init,
            Self::RotatedNow => KeysGoal::RotateNow,
        }
    }
}

#[derive(Copy, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LayoutName {
    #[default]
    Nginx80,
    Nginx48,
}

#[derive(Copy, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Missing {
    #[default]
    Ratchet,
    LocalRandom,
    TicketsOff,
}

impl Default for KeysArguments {
    fn default() -> Self {
        Self {
            state: State::default(),
            dir: None,
            layout: LayoutName::default(),
            preset: None,
            interval: None,
            ahead: None,
            previous: None,
            lifetime: None,
            skew: None,
            config: None,
            isolated: false,
            server_config: PathBuf::from("/etc/nginx/nginx.conf"),
            pid_file: PathBuf::from("/run/nginx.pid"),
            check: Vec::new(),
            client_cert: None,
            client_key: None,
            proxy_protocol: false,
            test_command: "nginx -t -q".to_owned(),
            reload_command: None,
            restart_command: None,
            leave_server: false,
            no_check: false,
            patience: Period(30),
            cache: None,
            when_missing: Missing::default(),
            allow_disk: false,
        }
    }
}

impl KeysArguments {
    /// The server is asked for tickets.
    pub(super) const fn checks(&self) -> bool {
        !self.no_check && !self.leave_server
    }

    /// The request that they make.
    pub(super) fn request(&self) -> Result<KeysRequest, String> {
        if self.client_cert.is_some() != self.client_key.is_some() {
            return Err("client_cert and client_key belong together".to_owned());
        }
        if let Some(size) = self.cache.as_ref().filter(|size| !cache_size(size)) {
            return Err(format!("cache: `{size}` is not a size such as 10m"));
        }
        let lookup = Lookup {
            config: self.config.clone(),
            isolated: self.isolated,
            ..Lookup::default()
        };
        let plan = plan(self.over(), &lookup).map_err(|error| error.to_string())?;
        let (rotation, folder) = plan?;
        Ok(KeysRequest {
            folder,
            layout: match self.layout {
                LayoutName::Nginx80 => Layout::Nginx80,
                LayoutName::Nginx48 => Layout::Nginx48,
            },
            rotation,
            when_missing: match self.when_missing {
                Missing::Ratchet => WhenMissing::Ratchet,
                Missing::LocalRandom => WhenMissing::LocalRandom,
                Missing::TicketsOff => WhenMissing::TicketsOff,
            },
            server: self.server(),
            live: Live {
                targets: self.targets()?,
                identity: self.client_cert.clone().zip(self.client_key.clone()),
                proxy: self.proxy_protocol,
                patience: OLD_TICKETS,
            },
            unchecked: self.no_check,
            cache: self.cache.clone(),
            allow_disk: self.allow_disk,
            root: Some(self.server_config.clone()),
        })
    }

    fn server(&self) -> KeysServer {
        KeysServer {
            test: Some(self.test_command.clone()).filter(|it| !it.trim().is_empty()),
            reload: self.reload_command.clone(),
            restart: self.restart_command.clone(),
            pid_file: Some(self.pid_file.clone()),
            label: None,
            leave: self.leave_server,
            patience: Duration::from_secs(self.patience.0.max(1)),
        }
    }

    fn targets(&self) -> Result<Vec<Target>, String> {
        let read = |text: &String| {
            let wrong =
                || format!("check: `{text}` is not of the form 127.0.0.1:443=www.example.com");
            target(text).ok_or_else(wrong)
        };
        self.check.iter().map(read).collect()
    }

    fn over(&self) -> RotationSettings {
        RotationSettings {
            preset: self.preset,
            interval: self.interval,
            ahead: self.ahead,
            previous: self.previous,
            lifetime: self.lifetime,
            skew: self.skew,
            directory: self.dir.clone(),
            scheduled_reload: None,
        }
    }
}
