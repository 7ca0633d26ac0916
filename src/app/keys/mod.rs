//! `keys`: ticket keys of one server made, rotated, checked and forgotten. Joins the folder, the
//! server and what its configuration says; one use case a file.

#[cfg(feature = "fleet")]
mod agent;
mod doctor;
#[cfg(feature = "fleet")]
mod enroll;
mod first;
#[cfg(feature = "fleet")]
mod fleet_doctor;
#[cfg(feature = "fleet")]
mod fleet_error;
#[cfg(feature = "fleet")]
mod fleet_status;
#[cfg(feature = "fleet")]
mod fleet_wish;
#[cfg(feature = "fleet")]
mod generate;
mod httpd;
mod port;
#[cfg(feature = "fleet")]
mod relay;
mod rotate;
mod run;
#[cfg(feature = "fleet")]
mod said;
mod stand;
#[cfg(feature = "fleet")]
mod store_config;
#[cfg(feature = "fleet")]
mod store_doctor;
mod targets;
mod wish;

use std::path::PathBuf;

use super::AppError;
use super::clock;
use crate::keys::core::Schedule;
use crate::keys::{Folder, KeysError};
use crate::policy::Rotation;

pub use crate::keys::core::{Timeline, WhenMissing};
#[cfg(feature = "fleet")]
pub use crate::keys::fleet::{HostName, Places, PublicKey};
pub use crate::keys::{
    AgentUnit, Done, Goal as KeysGoal, Live, Server as KeysServer, Status, Target, UnitOptions,
    Verdict,
};
pub use crate::tls::Layout;
#[cfg(feature = "fleet")]
pub use agent::{AgentNews, AgentRequest, Ended, Tell, agent, agent_unit};
pub use doctor::{Check, Doctor, Grade, doctor};
#[cfg(feature = "fleet")]
pub use enroll::{Enrollment, Founded, Made, enroll, found, identify, raise, revoke};
pub use first::first;
#[cfg(feature = "fleet")]
pub use fleet_doctor::fleet_doctor;
#[cfg(feature = "fleet")]
pub use fleet_error::FleetError;
#[cfg(feature = "fleet")]
pub use fleet_status::{Overview, fleet_status};
#[cfg(feature = "fleet")]
pub(in crate::app) use fleet_wish::fault as fleet_fault;
#[cfg(feature = "fleet")]
pub use fleet_wish::{FleetMode, FleetWish, fleet};
#[cfg(feature = "fleet")]
pub use generate::{
    GenerateRequest, GeneratorCounts, GeneratorTick, GeneratorUnit, generate, generator_unit,
    unit_of,
};
pub use httpd::proven;
#[cfg(feature = "fleet")]
pub use relay::{Access, Pass, RelayRequest, StoreError, relay};
pub use rotate::{Rotated, rotate};
pub use run::{Tick, run};
pub use stand::{Placed, Stand, check, stand};
#[cfg(feature = "fleet")]
pub use store_config::{Engine, FleetName, NameError, Role, Wanted, store_config};
#[cfg(feature = "fleet")]
pub use store_doctor::store_doctor;
pub use wish::{cache_size, plan, target};

/// Whose keys, how they rotate and how the server is reached.
#[derive(Clone, Debug)]
pub struct KeysRequest {
    /// The folder of keys.
    pub folder: PathBuf,
    /// How keys lie in their files.
    pub layout: Layout,
    /// The plan.
    pub rotation: Rotation,
    /// What becomes of tickets when no key comes.
    pub when_missing: WhenMissing,
    /// The server.
    pub server: KeysServer,
    /// How it is checked; without targets they are taken from its configuration.
    pub live: Live,
    /// No live check: the answer is then that there was none.
    pub unchecked: bool,
    /// The size of a session cache that stands beside the keys, as `10m`.
    pub cache: Option<String>,
    /// Keys may lie on a disk.
    pub allow_disk: bool,
    /// The root of the server's configuration.
    pub root: Option<PathBuf>,
}

impl KeysRequest {
    fn folder(&self) -> Result<Folder, KeysError> {
        Folder::at(&self.folder, self.layout)
    }

    fn schedule(&self) -> Schedule {
        Schedule::new(&self.rotation, self.when_missing)
    }
}

/// How the keys stand.
///
/// # Errors
/// [`AppError::Keys`] where there are none or the folder cannot be read.
pub fn status(request: &KeysRequest) -> Result<Status, AppError> {
    let folder = request.folder()?;
    Ok(Status::read(&folder, &request.schedule(), clock::both())?)
}

/// When each key decrypts, encrypts and is forgotten.
pub fn timeline(request: &KeysRequest, status: &Status) -> Timeline {
    let lifetime = request.rotation.lifetime.saturating_mul(1000);
    let now = status.now.saturating_mul(1000);
    Timeline::of(&request.schedule(), lifetime, now, &status.state)
}

/// The generated units of systemd, by file name.
pub fn units(options: &UnitOptions) -> Vec<(String, String)> {
    crate::keys::units(options)
}

/// True when this kernel knows tmpfs without swap (Linux 6.4).
pub fn kernel_has_noswap() -> bool {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy().into_owned();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|it| it.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(4))
}
