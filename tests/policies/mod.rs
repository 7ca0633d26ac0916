//! What `fix --write` leaves of a generated tree, for every policy: the program under test does
//! the work, a server and a client judge it.
#![allow(dead_code, unreachable_pub)]

pub mod apache;
pub mod kept;
pub mod nginx;
pub mod tally;
pub mod tool;
