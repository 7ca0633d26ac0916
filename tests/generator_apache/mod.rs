//! Random httpd trees, a client for them, and what the project says of them.

pub mod client;
pub mod compare;
pub mod coverage;
pub mod faults;
pub mod noise;
pub mod predict;
pub mod print;
pub mod rng;
pub mod run;
pub mod settings;
pub mod tree;
pub mod world;
