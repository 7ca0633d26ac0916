//! Ticket keys: which key encrypts when, the files that servers read them from, and the
//! checks around them.
//!
//! `core` decides, without a file and without a clock; the rest carries it out. Key bytes
//! never leave this room and `tls` but for the server's own key files.

pub mod core;
