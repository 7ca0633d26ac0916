//! The arguments of `keys`, as clap reads them. Nothing else happens here.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[cfg(all(target_os = "linux", feature = "fleet"))]
use super::agent::AgentArguments;
#[cfg(all(target_os = "linux", feature = "fleet"))]
use super::fleet::{EnrollArguments, GenerateArguments, InitFleetArguments, RevokeArguments};
#[cfg(all(target_os = "linux", feature = "fleet"))]
use super::stores::{RelayArguments, StoreConfigArguments, StoreDoctorArguments};
use crate::policy::settings::Period;

/// Ticket keys of one server.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeysArguments {
    #[command(subcommand)]
    pub(super) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make the folder and its keys, or rotate them where they are there already
    Init(RunArguments),
    /// Do what the schedule asks for: nothing, or the next key
    Rotate(RunArguments),
    /// Do so again and again, for hosts and containers without timers
    Run(RunArguments),
    /// Replace every key at once: sessions of before do not resume any more
    RotateNow(RotateNowArguments),
    /// Show which key encrypts and what is wrong
    Status(StatusArguments),
    /// Examine everything around the keys
    Doctor(DoctorArguments),
    /// Print units of systemd that do all of this, or write them
    Units(UnitArguments),
    /// Fleet: take the keys of a fleet on this host, until stopped
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    Agent(AgentArguments),
    /// Fleet: make what a generator needs, and print what its hosts have to be told
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    InitFleet(InitFleetArguments),
    /// Fleet: make keys for all hosts and offer them, until stopped
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    Generate(GenerateArguments),
    /// Fleet: on a host make its identity; at the generator take the host in
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    Enroll(EnrollArguments),
    /// Fleet: put a host out, and replace every key
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    RevokeHost(RevokeArguments),
    /// Fleet: copy sealed records from one store into another, until stopped
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    Relay(RelayArguments),
    /// Fleet: print a hardened configuration for a store's server
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    StoreConfig(StoreConfigArguments),
    /// Fleet: compare a running store with that configuration
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    StoreDoctor(StoreDoctorArguments),
}

/// Which keys, and how they rotate.
#[derive(Debug, Args)]
pub(super) struct KeyArguments {
    /// The folder of keys [default: that of the settings, or /run/stekguard/keys/nginx]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// How keys lie in their files
    #[arg(long, value_enum, default_value_t = LayoutName::Nginx80, value_name = "LAYOUT")]
    pub(super) layout: LayoutName,
    /// Start from a plan with a name
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) preset: Option<PresetName>,
    /// How long one key encrypts [default: 1h]
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD")]
    pub(super) interval: Option<Period>,
    /// Coming keys that are loaded to decrypt [default: 2]
    #[arg(long, value_name = "N")]
    pub(super) ahead: Option<u32>,
    /// Past keys that are kept to decrypt [default: 19]
    #[arg(long, value_name = "N")]
    pub(super) previous: Option<u32>,
    /// How long a session may resume: ssl_session_timeout [default: 18h]
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD")]
    pub(super) lifetime: Option<Period>,
    /// How late a change may be [default: 5m]
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD")]
    pub(super) skew: Option<Period>,
    /// Settings to take instead of the nearest stekguard.toml; `[rotation]` is read
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Take no settings
    #[arg(long)]
    pub(super) isolated: bool,
    /// The root of the server's configuration, which says where to check
    #[arg(long, value_name = "FILE", default_value = "/etc/nginx/nginx.conf")]
    pub(super) server_config: PathBuf,
    /// Where the server writes the number of its first process
    #[arg(long, value_name = "FILE", default_value = "/run/nginx.pid")]
    pub(super) pid_file: PathBuf,
    /// Ask here for tickets, as often as wanted [default: where the configuration uses the keys]
    #[arg(long, value_name = "ADDRESS[=NAME]")]
    pub(super) check: Vec<String>,
    /// Show this certificate to the server (PEM), with --client-key
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(super) client_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(super) client_key: Option<PathBuf>,
    /// The server expects a line of the PROXY protocol first
    #[arg(long)]
    pub(super) proxy_protocol: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) keys: KeyArguments,
    /// Test the configuration by this shell command
    #[arg(long, value_name = "COMMAND", default_value = "nginx -t -q")]
    pub(super) test_command: String,
    /// Reload by this shell command [default: a signal to the first process]
    #[arg(long, value_name = "COMMAND")]
    pub(super) reload_command: Option<String>,
    /// rotate-now: stop and start the server by this shell command
    #[arg(long, value_name = "COMMAND")]
    pub(super) restart_command: Option<String>,
    /// Write keys only; neither test nor reload nor check
    #[arg(long)]
    pub(super) leave_server: bool,
    /// Do not ask the server for tickets
    #[arg(long)]
    pub(super) no_check: bool,
    /// The longest that a command or a reload may take
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD", default_value = "30s")]
    pub(super) patience: Period,
    /// A shared session cache of this size stands beside the keys, and ends with them at
    /// rotate-now
    #[arg(long, value_name = "SIZE")]
    pub(super) cache: Option<String>,
    /// What becomes of tickets when no key comes
    #[arg(long, value_enum, value_name = "POLICY", default_value_t = MissingName::Ratchet)]
    pub(super) when_missing: MissingName,
    /// The SELinux type of the folder, where files carry labels; an empty one leaves it as it
    /// is [default: httpd_var_run_t]
    #[arg(long, value_name = "TYPE")]
    pub(super) selinux_type: Option<String>,
    /// Let keys lie on a disk: they can be read from it long after they were replaced
    #[arg(long)]
    pub(super) allow_disk: bool,
    /// Write metrics in the text format of Prometheus to this file
    #[arg(long, value_name = "FILE")]
    pub(super) metrics_file: Option<PathBuf>,
    /// run: show metrics at this loopback address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct RotateNowArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// At a generator: replace every key of the fleet, by the generation in its roster
    #[cfg(feature = "fleet")]
    #[arg(long)]
    pub(super) fleet: bool,
    /// With --fleet: the roster [default: `roster` of the settings]
    #[cfg(feature = "fleet")]
    #[arg(long, value_name = "FILE", requires = "fleet")]
    pub(super) roster: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    pub(super) keys: KeyArguments,
    /// The report's format
    #[arg(long, value_enum, default_value_t = StatusFormat::Text)]
    pub(super) format: StatusFormat,
    /// Draw which key encrypts and decrypts when, instead of the report
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "format")]
    pub(super) timeline: Option<TimelineForm>,
    /// The fleet of the settings: its generator and every host of its roster
    #[cfg(feature = "fleet")]
    #[arg(long)]
    pub(super) fleet: bool,
    /// Every host of a large fleet, not only those with troubles
    #[cfg(feature = "fleet")]
    #[arg(long, requires = "fleet")]
    pub(super) all: bool,
    /// In which order hosts stand
    #[cfg(feature = "fleet")]
    #[arg(long, value_enum, requires = "fleet", default_value_t = SortOrder::Worst)]
    pub(super) sort: SortOrder,
    /// Columns of the drawn text, 60 to 200
    #[arg(long, value_name = "N", default_value_t = 80)]
    pub(super) width: usize,
}

#[cfg(feature = "fleet")]
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum SortOrder {
    /// The worst first
    Worst,
    /// As the roster has them
    Roster,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum TimelineForm {
    /// For a terminal
    Text,
    /// A picture
    Svg,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    #[command(flatten)]
    pub(super) keys: KeyArguments,
    /// Look for units and processes below this folder
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(super) system_root: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct UnitArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// The server's unit
    #[arg(long, value_name = "NAME", default_value = "nginx")]
    pub(super) service: String,
    /// Only reload the server this often: for keys that live in its memory
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD")]
    pub(super) scheduled_reload: Option<Period>,
    /// The unit of a fleet's generator instead, as `[fleet]` of the settings describes it
    #[cfg(feature = "fleet")]
    #[arg(long)]
    pub(super) generator: bool,
    /// An agent of a fleet brings the keys, as `[fleet]` of the settings says
    #[arg(long)]
    pub(super) agent: bool,
    /// Write the units into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    pub(super) write: Option<PathBuf>,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum LayoutName {
    /// nginx, AES-256
    Nginx80,
    /// nginx, AES-128
    Nginx48,
    /// httpd, AES-128: one key at a time
    Apache48,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum PresetName {
    /// Hourly keys, two ahead, 19 kept
    Hourly,
    /// The published scheme: one ahead, 18 kept
    #[value(name = "published-2015")]
    Published2015,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum MissingName {
    /// The next key is derived from the last one
    Ratchet,
    /// A random key
    LocalRandom,
    /// No tickets
    TicketsOff,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum StatusFormat {
    Text,
    Json,
    /// Metrics in the text format of Prometheus
    Prometheus,
}
