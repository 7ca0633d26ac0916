//! `keys relay`, `keys store-config` and `keys store-doctor`: their arguments and what they say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::report::write_metrics;
use crate::app::keys::{
    self, Access, Engine, FleetName, Grade, HostName, Pass, RelayRequest, Role, StoreError, Wanted,
};
use crate::cli::hints::Said;
use crate::cli::terminal::Terminal;
use crate::cli::{CLEAN, FOUND};
use crate::policy::settings::Period;
use crate::report;

/// How a store lets us in.
#[derive(Debug, Args)]
pub(super) struct AccessArguments {
    /// The user [default: that of the address, as in redis://USER@HOST]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file whose first line is the password, or credential:NAME of systemd
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
    /// Trust these certificates instead of the system's (PEM), for rediss://
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Show this certificate (PEM), with --client-key
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// The longest that one call may take
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD", default_value = "5s")]
    patience: Period,
}

#[derive(Debug, Args)]
pub(super) struct RelayArguments {
    /// Read this store: redis://HOST:PORT, rediss://HOST:PORT or directory:/PATH
    #[arg(long, value_name = "STORE")]
    from: String,
    /// Write this one: memcached://HOST:PORT, directory:/PATH or another without a password
    #[arg(long, value_name = "STORE")]
    to: String,
    /// The fleet
    #[arg(long, value_name = "NAME", value_parser = fleet)]
    fleet: FleetName,
    /// Only what this host needs, as often as wanted [default: all hosts]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<HostName>,
    /// One pass instead of one after the other
    #[arg(long)]
    once: bool,
    /// The time between two passes
    #[arg(long, value_parser = Period::parse, value_name = "PERIOD", default_value = "5s")]
    every: Period,
    /// Write metrics in the text format of Prometheus to this file
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
    #[command(flatten)]
    access: AccessArguments,
}

#[derive(Debug, Args)]
pub(super) struct StoreConfigArguments {
    /// The server
    #[arg(value_enum, value_name = "SERVER")]
    server: EngineName,
    /// Redis, Valkey: what it is there for
    #[arg(long, value_enum, default_value_t = RoleName::Master, value_name = "ROLE")]
    role: RoleName,
    /// Users touch records of this fleet only [default: of all]
    #[arg(long, value_name = "NAME", value_parser = fleet)]
    fleet: Option<FleetName>,
    /// A user of its own for this host, as often as wanted [default: one for all agents]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<HostName>,
}

#[derive(Debug, Args)]
pub(super) struct StoreDoctorArguments {
    /// redis://HOST:PORT, rediss://HOST:PORT, memcached://HOST:PORT or directory:/PATH
    #[arg(value_name = "STORE")]
    store: String,
    #[command(flatten)]
    access: AccessArguments,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum EngineName {
    Redis,
    Valkey,
    Memcached,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
enum RoleName {
    /// Takes what generators and agents write
    Master,
    /// A site's copy, which agents read
    Replica,
}

fn fleet(text: &str) -> Result<FleetName, keys::NameError> {
    FleetName::parse(text)
}

fn host(text: &str) -> Result<HostName, keys::NameError> {
    HostName::parse(text)
}

fn said(error: StoreError) -> Said {
    let hint = match &error {
        StoreError::Password(_) => Some("--password-file FILE".to_owned()),
        StoreError::Unable { .. } => {
            Some("a relay reads from Redis, Valkey or a directory".to_owned())
        }
        _ => None,
    };
    (report::escape_line(&error.to_string()), hint)
}

fn access(arguments: &AccessArguments, terminal: &Terminal) -> Result<Access, Said> {
    let credentials = terminal.place("CREDENTIALS_DIRECTORY");
    let file = |text: &String| Access::secret_file(text, credentials.as_deref());
    let password = arguments.password_file.as_ref().map(file);
    Ok(Access {
        user: arguments.user.clone(),
        password: password.transpose().map_err(said)?,
        authorities: arguments.ca.clone(),
        identity: arguments
            .client_cert
            .clone()
            .zip(arguments.client_key.clone()),
        patience: Duration::from_secs(arguments.patience.0.max(1)),
    })
}

/// What a relay has done since it began.
#[derive(Default)]
struct Counters {
    passes: usize,
    failures: usize,
    sum: Pass,
    /// What the last pass failed by: said once, not every time.
    failed: Option<String>,
}

impl Counters {
    fn tell(&mut self, pass: &Result<Pass, StoreError>, terminal: &Terminal) {
        self.passes += 1;
        let pass = match pass {
            Ok(pass) => pass,
            Err(why) => {
                self.failures += 1;
                let why = report::escape_line(&why.to_string());
                if self.failed.as_ref() != Some(&why) {
                    terminal.error(&why, Some("what was copied stays; tried again"));
                }
                self.failed = Some(why);
                return;
            }
        };
        if self.failed.take().is_some() {
            terminal.say("both stores answer again");
        }
        if self.passes == 1 || pass.written > 0 {
            terminal.say(&format!(
                "{} records copied ({} bytes) of {}",
                pass.written, pass.bytes, pass.seen
            ));
        }
        if pass.lost > 0 {
            let why = format!("{} records were gone before their time", pass.lost);
            terminal.note(
                "lost",
                &format!("{why}: pushed out, or the store was restarted"),
            );
        }
        if pass.refused > 0 && pass.refused != self.sum.refused {
            let why = format!("{} are larger than a record, or never expire", pass.refused);
            terminal.note("refused", &why);
        }
        self.sum.written += pass.written;
        self.sum.bytes += pass.bytes;
        self.sum.lost += pass.lost;
        self.sum.seen = pass.seen;
        self.sum.refused = pass.refused;
    }

    fn metrics(&self) -> String {
        let rows = [
            ("passes_total", "counter", self.passes),
            ("failures_total", "counter", self.failures),
            ("copied_records_total", "counter", self.sum.written),
            ("copied_bytes_total", "counter", self.sum.bytes),
            ("lost_records_total", "counter", self.sum.lost),
            ("source_records", "gauge", self.sum.seen),
            ("refused_records", "gauge", self.sum.refused),
            ("up", "gauge", usize::from(self.failed.is_none())),
        ];
        let row = |(name, kind, value): &(&str, &str, usize)| {
            let name = format!("stekguard_relay_{name}");
            format!("# TYPE {name} {kind}\n{name} {value}\n")
        };
        rows.iter().map(row).collect()
    }
}

pub(super) fn relay(arguments: &RelayArguments, terminal: &Terminal) -> Result<u8, Said> {
    let access = access(&arguments.access, terminal)?;
    let request = RelayRequest {
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        // No password goes to the other store.
        access_to: Access {
            user: None,
            password: None,
            ..access.clone()
        },
        access,
        fleet: arguments.fleet.clone(),
        hosts: arguments.host.clone(),
        every: Duration::from_secs(arguments.every.0.max(1)),
        once: arguments.once,
    };
    let mut counters = Counters::default();
    let file = arguments.metrics_file.as_deref();
    keys::relay(&request, &mut |pass| {
        counters.tell(pass, terminal);
        if let Err((why, _)) = write_metrics(file, &counters.metrics()) {
            terminal.error(&why, None);
        }
    })
    .map_err(said)?;
    Ok(CLEAN)
}

pub(super) fn config(arguments: &StoreConfigArguments, terminal: &Terminal) -> Result<u8, Said> {
    let text = keys::store_config(&Wanted {
        engine: match arguments.server {
            EngineName::Redis => Engine::Redis,
            EngineName::Valkey => Engine::Valkey,
            EngineName::Memcached => Engine::Memcached,
        },
        role: match arguments.role {
            RoleName::Master => Role::Master,
            RoleName::Replica => Role::Replica,
        },
        fleet: arguments.fleet.clone(),
        hosts: arguments.host.clone(),
    });
    Ok(terminal.report(text.as_bytes(), None))
}

pub(super) fn doctor(arguments: &StoreDoctorArguments, terminal: &Terminal) -> Result<u8, Said> {
    let access = access(&arguments.access, terminal)?;
    let doctor = keys::store_doctor(&arguments.store, &access).map_err(said)?;
    let text = report::keys_doctor(&doctor.checks, terminal.paint(None));
    let written = terminal.report(text.as_bytes(), None);
    let found = match doctor.worst() {
        Grade::Ok | Grade::Note => CLEAN,
        Grade::Warning | Grade::Error => FOUND,
    };
    Ok(written.max(found))
}
