//! stekguard keeps TLS session resumption in nginx and Apache httpd safe.
//!
//! ARCHITECTURE.md describes the rooms, what each may use and the invariants.

pub mod ansible;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod finding;
pub mod fix;
pub mod keys;
pub mod machine;
pub mod model;
pub mod policy;
pub mod probe;
pub mod report;
pub mod rules;
pub mod source;
pub mod syntax;
pub mod text;
pub mod tls;
