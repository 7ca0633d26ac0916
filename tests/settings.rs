//! stekguard.toml as people use it: what the file may say, what it does, and what is said of a
//! bad one, on the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "settings/binary.rs"]
mod binary;
#[path = "settings/effects.rs"]
mod effects;
#[path = "settings/hostile.rs"]
mod hostile;
#[path = "settings/ignored.rs"]
mod ignored;
#[path = "settings/shape.rs"]
mod shape;
