//! Random configurations out of a seed: pure, no server, no file, no clock. What a tree means
//! is nowhere said here; a test asks a server.
//!
//! Placeholders of a printed tree, which a test fills in: `{d}` the folder of the root file,
//! `{w}` the folder of certificates, `{p0}`, `{p1}` ... ports.
#![allow(dead_code, unreachable_pub)]

pub mod faults;
pub mod nginx;
pub mod print;
pub mod rng;
pub mod settings;
pub mod tree;
