//! Offers a session in a handshake. The one file of the project with unsafe code, one line of
//! it: the openssl crate has no safe way to offer a session that was kept as bytes.
#![allow(unsafe_code)]

use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslSession};

/// Offers a session that was decoded from its encoding.
pub(super) fn offer(ssl: &mut SslRef, der: &[u8]) -> Result<(), ErrorStack> {
    let session = SslSession::from_der(der)?;
    // SAFETY: the crate asks that the session belongs to the context of `ssl`. This one was
    // decoded a line above and belongs to none; SSL_set_session takes a reference of its own
    // and refuses a session of another protocol.
    unsafe { ssl.set_session(&session) }
}
