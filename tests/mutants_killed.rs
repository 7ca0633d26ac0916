//! What mutation testing showed that no other suite would notice: one test for each answer that
//! could change unseen. Expected values by reasoning over the servers' rules, which the live
//! suites hold. docs/guides/testing.md says how the mutants are made.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(unreachable_pub)]

#[path = "mutants_killed/apache.rs"]
mod apache;
#[path = "mutants_killed/fix.rs"]
mod fix;
#[path = "mutants_killed/hunks.rs"]
mod hunks;
#[path = "mutants_killed/nginx.rs"]
mod nginx;
#[cfg(unix)]
#[path = "mutants_killed/repairs.rs"]
mod repairs;
#[path = "mutants_killed/rules.rs"]
mod rules;
#[path = "mutants_killed/schedule.rs"]
mod schedule;
#[path = "mutants_killed/trust.rs"]
mod trust;
#[path = "mutants_killed/world.rs"]
mod world;
