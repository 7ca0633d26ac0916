//! TLS as resumption needs it: ticket keys and their files, tickets, sessions, and a client.
//!
//! The codecs are pure and always there; the client ([`client`]) opens sockets and needs the
//! cargo feature `tls`. Knows no configuration, judges nothing, and shows no key.

#[cfg(feature = "tls")]
pub mod client;
mod error;
mod key;
mod manner;
mod session;
mod ticket;

pub use error::TlsError;
pub use key::{KEY_NAME, Layout, TicketKey};
pub use manner::{Mail, Manner, Speech};
pub use session::{Protocol, Session};
pub use ticket::{STATEFUL, Ticket};
