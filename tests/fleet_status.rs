//! What operators see: the timeline of keys as text and as a picture, judged by reasoning over
//! the plan, and how a fleet stands.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

#[path = "fleet_status/command.rs"]
mod command;
#[path = "fleet_status/hosts.rs"]
mod hosts;
#[path = "fleet_status/live.rs"]
mod live;
#[path = "fleet_status/migrate.rs"]
mod migrate;
#[path = "cli/schema.rs"]
mod schema;
#[path = "fleet_status/timeline.rs"]
mod timeline;
#[path = "fleet_status/xml.rs"]
mod xml;
