//! nginx: bytes to tokens, tokens to a tree, tree to words.
//!
//! Follows the server's reader byte for byte (`src/core/ngx_conf_file.c`), so a file is
//! refused here where `nginx -t` refuses its spelling, at the same line and with the same
//! sentence. It must not know what a directive means, only what kind of body it opens.

mod diagnose;
mod lexer;
mod limits;
mod lua;
mod options;
mod parser;
mod view;

pub use limits::{MAX_DEPTH, MAX_ERRORS, MAX_FILE};
pub use options::{Body, InitialContext, Options, server_bodies};
pub use parser::parse;
pub use view::{Word, args, decode, name, words};
