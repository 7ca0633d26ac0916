//! What all trees share: certificates, client CAs, ticket keys, in one folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::apache::server_root;
use crate::support::certs;

/// The folder; gone when dropped.
pub struct World {
    dir: TempDir,
    /// Every certificate carries it.
    pub nonce: String,
}

/// Ticket key files, by their stem.
pub const KEYS: [&str; 3] = ["k1", "k2", "k3"];

impl World {
    /// A server certificate, a client's, two CA files that both hold the client's, three keys.
    pub fn new() -> Self {
        let dir = server_root();
        let nonce = certs::nonce();
        certs::self_signed(dir.path(), "one", &["a.test"], &nonce);
        certs::self_signed(dir.path(), "two", &["b.test"], &nonce);
        let client = certs::self_signed(dir.path(), "client", &["client.test"], &nonce);
        let client = fs::read_to_string(client.cert).unwrap();
        for stem in ["ca1", "ca2"] {
            let other = certs::self_signed(dir.path(), stem, &[stem], &nonce);
            let both = client.clone() + &fs::read_to_string(&other.cert).unwrap();
            fs::write(dir.path().join(format!("{stem}.pem")), both).unwrap();
        }
        for stem in KEYS {
            certs::ticket_key(&dir.path().join(format!("{stem}.key")), 48);
        }
        fs::write(dir.path().join("empty.key"), b"").unwrap();
        Self { dir, nonce }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The name that stands in front of a key file's tickets.
    pub fn key_name(&self, stem: &str) -> Vec<u8> {
        fs::read(self.path().join(format!("{stem}.key"))).unwrap()[..16].to_vec()
    }
}
