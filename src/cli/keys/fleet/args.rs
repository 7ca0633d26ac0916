//! The arguments of the commands of a fleet, as clap reads them. What a fleet is stands in the
//! settings; nothing else happens here.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Where `[fleet]` stands.
#[derive(Debug, Args)]
pub(in crate::cli::keys) struct FleetArguments {
    /// Settings to take instead of the nearest stekguard.toml; `[fleet]` and `[rotation]` are
    /// read
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli::keys) config: Option<PathBuf>,
    /// Take no settings but those of --config
    #[arg(long)]
    pub(in crate::cli::keys) isolated: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli::keys) struct InitFleetArguments {
    #[command(flatten)]
    pub(super) fleet: FleetArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli::keys) struct GenerateArguments {
    #[command(flatten)]
    pub(super) fleet: FleetArguments,
    /// Offer once and end: the seeds end too, so this is to try out a set-up
    #[arg(long)]
    pub(super) once: bool,
    /// The fleet has had no key so far: make all keys at once. Without it a generator that
    /// starts first waits an eighth of an interval for another one that may have the seeds
    #[arg(long)]
    pub(super) founding: bool,
    /// Go on where the system does not lock memory: seeds may be swapped to a disk
    #[arg(long)]
    pub(super) allow_unlocked: bool,
    /// Write metrics in the text format of Prometheus to this file
    #[arg(long, value_name = "FILE")]
    pub(super) metrics_file: Option<PathBuf>,
    /// Show metrics at this loopback address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(in crate::cli::keys) struct EnrollArguments {
    #[command(flatten)]
    pub(super) fleet: FleetArguments,
    /// The host [default: `host` of the settings]
    #[arg(long, value_name = "NAME")]
    pub(super) host: Option<String>,
    /// At the generator: the public key that `keys enroll` printed on the host
    #[arg(long, value_name = "PUBLICKEY")]
    pub(super) identity: Option<String>,
    /// At the generator: the roster [default: `roster` of the settings]
    #[arg(long, value_name = "FILE", requires = "identity")]
    pub(super) roster: Option<PathBuf>,
    /// At the generator: the host has another identity than before
    #[arg(long, requires = "identity")]
    pub(super) replace: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli::keys) struct RevokeArguments {
    #[command(flatten)]
    pub(super) fleet: FleetArguments,
    /// The host, as in the roster
    #[arg(value_name = "HOST")]
    pub(super) host: String,
    /// The roster [default: `roster` of the settings]
    #[arg(long, value_name = "FILE")]
    pub(super) roster: Option<PathBuf>,
}
