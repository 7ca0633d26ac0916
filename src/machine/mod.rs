//! The machine as something to be careful with: files that may be pipes or grow without end,
//! programs that somebody else may have put into the search path, variables that make a program
//! load what it should not.
//!
//! It must not know servers, configurations or keys; it runs nothing by itself.

mod files;
mod programs;
mod threads;
mod trust;
mod variables;

pub use files::{open_regular, open_seen, read_at_most};
pub use programs::{program, program_of_user};
pub use threads::bound_threads;
pub use trust::{is_root, stranger};
pub use variables::distrusted;
