//! Ticket keys: which key encrypts when, the files that servers read them from, and the
//! checks around them.
//!
//! `core` decides, without a file and without a clock; the rest carries it out. Key bytes
//! never leave this room and `tls` but for the server's own key files. Works on Linux, where
//! there is memory that is a folder; the core works anywhere.

pub mod core;
mod error;
#[cfg(target_os = "linux")]
mod examine;
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub mod fleet;
#[cfg(target_os = "linux")]
mod folder;
#[cfg(target_os = "linux")]
mod ground;
#[cfg(target_os = "linux")]
mod hardening;
#[cfg(target_os = "linux")]
mod include;
#[cfg(target_os = "linux")]
mod label;
#[cfg(target_os = "linux")]
mod live;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod saved;
#[cfg(target_os = "linux")]
mod secret;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod source;
#[cfg(target_os = "linux")]
mod status;
#[cfg(target_os = "linux")]
mod turn;
#[cfg(target_os = "linux")]
mod units;
#[cfg(target_os = "linux")]
mod workers;

pub use error::KeysError;
#[cfg(target_os = "linux")]
pub use examine::{Check, Grade, examine};
#[cfg(target_os = "linux")]
pub use folder::{Contents, Folder, Lock, read_key};
#[cfg(target_os = "linux")]
pub use ground::Ground;
#[cfg(target_os = "linux")]
pub use hardening::hardening;
#[cfg(target_os = "linux")]
pub use include::NAME as INCLUDE;
#[cfg(target_os = "linux")]
pub use live::{Live, Target, Verdict};
#[cfg(target_os = "linux")]
pub use memory::keep_to_itself;
#[cfg(target_os = "linux")]
pub use saved::{Draining, History, SCHEMA, Saved};
#[cfg(target_os = "linux")]
pub use server::Server;
#[cfg(target_os = "linux")]
pub use source::{Brought, Source};
#[cfg(target_os = "linux")]
pub use status::Status;
#[cfg(target_os = "linux")]
pub use turn::{Done, Goal, Turn, check_now, pause};
#[cfg(target_os = "linux")]
pub use units::{AgentUnit, UnitOptions, units};
#[cfg(target_os = "linux")]
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use units::{GeneratorUnit, generator_unit};
