//! What cannot be read as a key, a ticket or a session. Never carries their bytes.

/// Why bytes are not what they should be.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum TlsError {
    /// A key file of another length.
    #[error("a ticket key file has {} bytes, not {length}", .wanted)]
    KeyLength {
        /// How many bytes the layout asks for.
        wanted: usize,
        /// How many there are.
        length: usize,
    },
    /// A key of one width in the layout of the other.
    #[error("a key for AES-{aes} does not fit into a file of {wanted} bytes")]
    KeyWidth {
        /// The key's width in bits.
        aes: usize,
        /// How many bytes the layout asks for.
        wanted: usize,
    },
    /// A session that is not what OpenSSL writes.
    #[error("not a TLS session as `openssl s_client -sess_out` writes it: {why}")]
    Session {
        /// What is wrong with it.
        why: &'static str,
    },
}
