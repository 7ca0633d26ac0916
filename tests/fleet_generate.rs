//! The generator of a fleet, on the real binary and real stores: what it claims opens for those
//! it is meant for, several agree, a wiped store heals, and no seed is found anywhere.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "fleet_generate/bad.rs"]
mod bad;
#[path = "fleet_generate/bench.rs"]
mod bench;
mod keys_bench;
#[path = "fleet_generate/redis.rs"]
mod redis;
#[path = "fleet_generate/roster.rs"]
mod roster;
#[path = "fleet_generate/secrets.rs"]
mod secrets;
mod support;
#[path = "fleet_generate/window.rs"]
mod window;
