//! Random trees on running servers: what the project says of a tree against what a client
//! sees of it. Expected values come from the server alone.
#![allow(dead_code, unreachable_pub)]

pub mod client;
pub mod compare;
pub mod coverage;
pub mod live;
pub mod observe;
pub mod predict;
pub mod run;
pub mod shrink;
pub mod world;
