//! What a host signs: its public key of the day, and its report on itself.

use super::{Refused, fleet, host, read};
use crate::keys::core::KeyId;
use crate::keys::fleet::codec::{Reader, cut, put_text};
use crate::keys::fleet::envelope::{Draft, Kind};
use crate::keys::fleet::seal::RecipientPublic;
use crate::keys::fleet::sign::{Pinned, PublicKey, Signer};
use crate::keys::fleet::{FleetName, HostName, SealError};

/// The longest word on a live check that a report carries, in bytes.
const LONGEST_CHECK: usize = 160;

/// A host's public key of the day.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct HostKey {
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostName,
    /// What seeds are sealed for.
    pub public: RecipientPublic,
    /// When it was made, by the host's clock.
    pub made: u64,
    /// From when on nothing is sealed for it, by the host's clock.
    pub expires: u64,
}

impl HostKey {
    /// No key lives longer than this, whatever it says: a week.
    pub const LONGEST_LIFE: u64 = 7 * 24 * 3_600_000;
    /// How far the clocks of host and generator may differ for a key that has just been made.
    pub const SKEW: u64 = 3_600_000;

    /// Where a key says so itself, or lives too long, or comes from the future.
    fn is_expired(&self, now: u64) -> bool {
        let life = self.expires.saturating_sub(self.made);
        let future = self.made > now.saturating_add(Self::SKEW);
        life == 0 || life > Self::LONGEST_LIFE || now >= self.expires || future
    }
}

/// What a host says of itself.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct HostReport {
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostName,
    /// The host's clock.
    pub time: u64,
    /// The slot that the host believes it is.
    pub epoch: u64,
    /// The floor that it has seen.
    pub generation: u32,
    /// What encrypts: the seed, or where it is not known (a derived key) the key itself.
    pub encrypts: Option<KeyId>,
    /// Keys that it holds for coming slots.
    pub ahead: u32,
    /// Keys that it holds.
    pub held: u32,
    /// Its clock's lead over the head's, in milliseconds.
    pub skew: i64,
    /// When the store last answered.
    pub contact: u64,
    /// When its server last took keys.
    pub reloaded: u64,
    /// What the last live check said; longer words are cut at 160 bytes.
    pub live_check: String,
    /// How many alarms stand.
    pub alarms: u32,
    /// Whether the key that encrypts was derived because none came.
    pub derived: bool,
}

impl HostKey {
    fn take(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            fleet: fleet(reader)?,
            host: host(reader)?,
            public: RecipientPublic(reader.array()?),
            made: reader.u64()?,
            expires: reader.u64()?,
        })
    }
}

impl HostReport {
    fn take(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            fleet: fleet(reader)?,
            host: host(reader)?,
            time: reader.u64()?,
            epoch: reader.u64()?,
            generation: reader.u32()?,
            encrypts: match reader.u8()? {
                0 => None,
                1 => Some(KeyId(reader.array()?)),
                _ => return None,
            },
            ahead: reader.u32()?,
            held: reader.u32()?,
            skew: reader.i64()?,
            contact: reader.u64()?,
            reloaded: reader.u64()?,
            live_check: words(reader.text()?)?,
            alarms: reader.u32()?,
            derived: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        })
    }
}

/// Signs a host's key of the day by the host's identity.
///
/// # Errors
/// [`SealError::Agent`].
pub fn sign_host_key(key: &HostKey, identity: &Signer) -> Result<Vec<u8>, SealError> {
    let mut body = Vec::new();
    put_text(&mut body, key.fleet.as_str());
    put_text(&mut body, key.host.as_str());
    body.extend_from_slice(&key.public.0);
    for number in [key.made, key.expires] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    Draft::new(Kind::HostKey, &body, identity).sign(&[], identity)
}

/// Reads the key of the day of this host, which is known by this identity. A store can give an
/// older one that has not expired: whoever has seen one remembers `made`, and takes no older
/// one.
///
/// # Errors
/// [`Refused`].
pub fn read_host_key(
    bytes: &[u8],
    fleet: &FleetName,
    host: &HostName,
    identity: &PublicKey,
    now: u64,
) -> Result<HostKey, Refused> {
    let pinned = Pinned(vec![identity.clone()]);
    let key = read(bytes, &[Kind::HostKey], &pinned, HostKey::take)?;
    is_from((&key.fleet, &key.host), (fleet, host))?;
    if key.is_expired(now) {
        return Err(Refused::Expired);
    }
    Ok(key)
}

/// Signs what a host says of itself by the host's identity.
///
/// # Errors
/// [`SealError::Agent`].
pub fn sign_report(report: &HostReport, identity: &Signer) -> Result<Vec<u8>, SealError> {
    let mut body = Vec::new();
    put_text(&mut body, report.fleet.as_str());
    put_text(&mut body, report.host.as_str());
    for number in [report.time, report.epoch] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend_from_slice(&report.generation.to_be_bytes());
    body.push(u8::from(report.encrypts.is_some()));
    body.extend(report.encrypts.iter().flat_map(|id| id.0));
    for number in [report.ahead, report.held] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend_from_slice(&report.skew.to_be_bytes());
    for number in [report.contact, report.reloaded] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    put_words(&mut body, &report.live_check);
    body.extend_from_slice(&report.alarms.to_be_bytes());
    body.push(u8::from(report.derived));
    Draft::new(Kind::Report, &body, identity).sign(&[], identity)
}

/// Reads what this host, which is known by this identity, says of itself.
///
/// # Errors
/// [`Refused`].
pub fn read_report(
    bytes: &[u8],
    fleet: &FleetName,
    host: &HostName,
    identity: &PublicKey,
) -> Result<HostReport, Refused> {
    let pinned = Pinned(vec![identity.clone()]);
    let report = read(bytes, &[Kind::Report], &pinned, HostReport::take)?;
    is_from((&report.fleet, &report.host), (fleet, host))?;
    Ok(report)
}

fn is_from(found: (&FleetName, &HostName), wanted: (&FleetName, &HostName)) -> Result<(), Refused> {
    match (found.0 == wanted.0, found.1 == wanted.1) {
        (false, _) => Err(Refused::Fleet),
        (true, false) => Err(Refused::Host),
        (true, true) => Ok(()),
    }
}

fn put_words(out: &mut Vec<u8>, text: &str) {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    put_text(out, cut(&plain, LONGEST_CHECK));
}

/// Words that a terminal can show as they are.
fn words(text: &str) -> Option<String> {
    let fits = text.len() <= LONGEST_CHECK && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}
