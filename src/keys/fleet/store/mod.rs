//! Where records lie between the generator and the hosts: one trait, an engine a file. An
//! engine carries bytes; it neither opens nor believes them.

use std::path::PathBuf;

mod access;
mod address;
mod check;
mod clock;
mod directory;
mod doctor;
mod failed;
mod folder;
mod link;
mod memcached;
mod redis;
mod resp;
mod settings;
mod tls;
mod wire;

pub use access::Access;
pub(in crate::keys::fleet) use clock::now;
pub use doctor::examine;
pub use settings::{Engine, Role, Wanted, configuration};

use address::Address;

/// The largest record that is read or written, in bytes. Records of ours have less than 1 KiB;
/// a store that answers with more is not one of ours.
pub const LARGEST: usize = 64 * 1024;

/// What became of a claim.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Claim {
    /// The record stands now.
    Written,
    /// Somebody was first; this is what stands there.
    Taken(Vec<u8>),
}

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time.
    #[error("{store} does not answer: {why}")]
    Down {
        /// The store, as the user named it, without a password.
        store: String,
        /// The system's or the server's words.
        why: String,
    },
    /// It answers, and refuses.
    #[error("{store} refuses: {why}")]
    Refused {
        /// The store.
        store: String,
        /// The server's words.
        why: String,
    },
    /// This engine has no such thing.
    #[error("{store} cannot {what}")]
    Unable {
        /// The store.
        store: String,
        /// What was asked.
        what: &'static str,
    },
    /// The user's words do not name a store.
    #[error(
        "{0:?} is no store: directory:/PATH, redis://HOST:PORT, rediss://HOST:PORT or memcached://HOST:PORT"
    )]
    NoStore(String),
    /// A password where everybody who lists processes reads it.
    #[error("{0:?}: a password stands in a file of its own, not in the address of a store")]
    Password(String),
    /// A file that is needed to get in cannot be used.
    #[error("{}: {why}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Makes the client of a store. Asks nothing of it yet: a store that is down now may be up when
/// it is needed.
///
/// # Errors
/// [`StoreError::NoStore`], [`StoreError::Password`]; [`StoreError::Unable`] for `rediss://` in
/// a build without TLS.
pub fn open(url: &str, access: &Access) -> Result<Box<dyn Store>, StoreError> {
    let name = address::shown(url);
    Ok(match Address::parse(url)? {
        Address::Directory(path) => Box::new(directory::Directory::at(path, access)),
        Address::Redis { place, user, tls } => {
            Box::new(redis::Redis::at(name, place, user, tls, access)?)
        }
        Address::Memcached(place) => Box::new(memcached::Memcached::at(name, place, access)),
    })
}

/// A place for small records that expire. Names are those of [`super::Item::name`]; times are
/// in seconds since 1970.
///
/// Every call ends within the store's patience, whatever the other side does: it answers, or
/// [`StoreError::Down`].
pub trait Store: Send {
    /// The store as the user named it, without a password.
    fn name(&self) -> &str;

    /// Reads records, in the order of the names; `None` where there is none. An answer larger
    /// than [`LARGEST`] is cut off behind its first byte over it, so that it is refused later.
    ///
    /// # Errors
    /// [`StoreError`]; a record that is not there is no error.
    fn read(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Writes a record unless there is one of this name.
    ///
    /// # Errors
    /// [`StoreError`]; it is then not known whether it was written.
    fn claim(&mut self, name: &str, record: &[u8], expires: u64) -> Result<Claim, StoreError>;

    /// Writes a record, over what stands there.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put(&mut self, name: &str, record: &[u8], expires: u64) -> Result<(), StoreError>;

    /// When records expire, in the order of the names; `None` where there is none, or one that
    /// stays. For who copies records.
    ///
    /// # Errors
    /// [`StoreError`].
    fn expiries(&mut self, names: &[String]) -> Result<Vec<Option<u64>>, StoreError>;

    /// The names that begin so.
    ///
    /// # Errors
    /// [`StoreError::Unable`] for memcached, which cannot tell.
    fn list(&mut self, prefix: &str) -> Result<Vec<String>, StoreError>;
}
