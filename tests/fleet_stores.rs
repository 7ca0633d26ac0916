//! The stores of a fleet's ticket keys: one contract for all engines, on real servers, and
//! against servers and folders that mean harm.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "fleet_stores/contract.rs"]
mod contract;
#[path = "fleet_stores/directory.rs"]
mod directory;
#[path = "fleet_stores/engines.rs"]
mod engines;
#[path = "fleet_stores/hostile.rs"]
mod hostile;
#[path = "fleet_stores/relay.rs"]
mod relay;
#[path = "fleet_stores/servers.rs"]
mod servers;
#[path = "fleet_stores/setup.rs"]
mod setup;
