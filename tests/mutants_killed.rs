//! What mutation testing showed that no other suite would notice: one test for each answer that
//! could change unseen. Expected values by reasoning over the servers' rules, which the live
//! suites hold. docs/guides/testing.md says how the mutants are made.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "mutants_killed/apache.rs"]
mod apache;
#[path = "mutants_killed/fix.rs"]
mod fix;
#[path = "mutants_killed/nginx.rs"]
mod nginx;
#[path = "mutants_killed/rules.rs"]
mod rules;
#[path = "mutants_killed/schedule.rs"]
mod schedule;
#[path = "mutants_killed/world.rs"]
mod world;
