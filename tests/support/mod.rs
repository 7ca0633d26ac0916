//! Real servers and a client that judges them by resuming: what the live tests share.
//!
//! Knows nothing of the library: a live test compares the program with the server, so nothing
//! here may take a verdict from the program's own code.
#![allow(dead_code, unreachable_pub)]

pub mod apache;
pub mod authority;
pub mod certs;
pub mod client;
pub mod compare;
pub mod inspect;
pub mod install;
pub mod mail;
pub mod nginx;
pub mod observe;
pub mod probe;
pub mod program;
pub mod quic;
pub mod server;
pub mod session;
pub mod table;
pub mod words;
