//! What the records of a fleet say: the generator's claims and heartbeat, a host's key of the
//! day and its report. Bytes to data and back; signed here by whoever owns the key, and believed
//! only if somebody pinned signed them. Opens no seal; see [`super::seal`].
//!
//! Times are in milliseconds since 1970, lengths of time in milliseconds.

use super::super::core::{KeyId, Slot};
use super::codec::{Reader, put_text};
use super::envelope::{Draft, Envelope, Kind};
use super::sign::{Pinned, Signer};
use super::{FleetName, HostName, SealError};

mod host;
mod refused;

pub use host::{HostKey, HostReport, read_host_key, read_report, sign_host_key, sign_report};
pub use refused::Refused;

/// What stands in clear in front of every sealed seed, and is bound to it.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Header {
    /// Whose key it is.
    pub fleet: FleetName,
    /// When it encrypts.
    pub slot: Slot,
    /// The length of a slot.
    pub interval: u64,
    /// The seed's name.
    pub seed: KeyId,
    /// When it was made.
    pub made: u64,
}

/// What the generator says of itself at every tick.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Head {
    /// The fleet.
    pub fleet: FleetName,
    /// Keys of a lower generation are void.
    pub generation: u32,
    /// The generator's clock.
    pub time: u64,
    /// The length of a slot.
    pub interval: u64,
    /// The newest epoch that there is a key for.
    pub newest: u64,
}

impl Header {
    /// The header, unless it counts slots of another length.
    ///
    /// # Errors
    /// [`Refused::Interval`].
    pub fn of_interval(self, interval: u64) -> Result<Self, Refused> {
        if self.interval != interval {
            return Err(Refused::Interval);
        }
        Ok(self)
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self.fleet.as_str());
        out.extend_from_slice(&self.slot.generation.to_be_bytes());
        out.extend_from_slice(&self.slot.epoch.to_be_bytes());
        out.extend_from_slice(&self.interval.to_be_bytes());
        out.extend_from_slice(&self.seed.0);
        out.extend_from_slice(&self.made.to_be_bytes());
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            fleet: fleet(reader)?,
            slot: Slot {
                generation: reader.u32()?,
                epoch: reader.u64()?,
            },
            interval: reader.u64()?,
            seed: KeyId(reader.array()?),
            made: reader.u64()?,
        })
    }

    /// Refuses a header that is not about this fleet and slot.
    pub(super) fn check(&self, fleet: &FleetName, slot: Slot) -> Result<(), Refused> {
        if self.fleet != *fleet {
            return Err(Refused::Fleet);
        }
        if self.slot != slot {
            return Err(Refused::Slot);
        }
        if self.interval == 0 {
            return Err(Refused::Interval);
        }
        Ok(())
    }
}

impl Head {
    /// The head, unless it counts slots of another length.
    ///
    /// # Errors
    /// [`Refused::Interval`].
    pub fn of_interval(self, interval: u64) -> Result<Self, Refused> {
        if self.interval != interval {
            return Err(Refused::Interval);
        }
        Ok(self)
    }

    fn take(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            fleet: fleet(reader)?,
            generation: reader.u32()?,
            time: reader.u64()?,
            interval: reader.u64()?,
            newest: reader.u64()?,
        })
    }
}

/// Signs the generator's heartbeat.
///
/// # Errors
/// [`SealError::Agent`].
pub fn sign_head(head: &Head, signer: &Signer) -> Result<Vec<u8>, SealError> {
    let mut body = Vec::new();
    put_text(&mut body, head.fleet.as_str());
    body.extend_from_slice(&head.generation.to_be_bytes());
    for number in [head.time, head.interval, head.newest] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    Draft::new(Kind::Head, &body, signer).sign(&[], signer)
}

/// Reads the heartbeat of a generator of this fleet.
///
/// # Errors
/// [`Refused`].
pub fn read_head(bytes: &[u8], fleet: &FleetName, pinned: &Pinned) -> Result<Head, Refused> {
    let head = read(bytes, &[Kind::Head], pinned, Head::take)?;
    if head.fleet != *fleet {
        return Err(Refused::Fleet);
    }
    if head.interval == 0 {
        return Err(Refused::Interval);
    }
    Ok(head)
}

/// Signs the claim on a slot, without the seed: what stands under a slot's name where seeds are
/// sealed for each host.
///
/// # Errors
/// [`SealError::Agent`].
pub fn sign_claim(header: &Header, signer: &Signer) -> Result<Vec<u8>, SealError> {
    let mut body = Vec::new();
    header.put(&mut body);
    Draft::new(Kind::Claim, &body, signer).sign(&[], signer)
}

/// Reads who has a slot: a claim, or the header of a seed that is sealed for the whole fleet,
/// which this does not open.
///
/// # Errors
/// [`Refused`].
pub fn read_claim(
    bytes: &[u8],
    fleet: &FleetName,
    slot: Slot,
    pinned: &Pinned,
) -> Result<Header, Refused> {
    let kinds = [Kind::Claim, Kind::ForFleet];
    let header = read(bytes, &kinds, pinned, Header::take)?;
    header.check(fleet, slot)?;
    Ok(header)
}

fn read<T>(
    bytes: &[u8],
    kinds: &[Kind],
    signers: &Pinned,
    take: fn(&mut Reader<'_>) -> Option<T>,
) -> Result<T, Refused> {
    let envelope = Envelope::open(bytes, signers)?;
    if !kinds.contains(&envelope.kind) {
        return Err(Refused::Kind);
    }
    whole(envelope.body, take)
}

/// Reads a body that has nothing behind its last part.
pub(super) fn whole<T>(
    body: &[u8],
    take: impl Fn(&mut Reader<'_>) -> Option<T>,
) -> Result<T, Refused> {
    let mut reader = Reader::new(body);
    let found = take(&mut reader).ok_or(Refused::Malformed)?;
    match reader.is_empty() {
        true => Ok(found),
        false => Err(Refused::Malformed),
    }
}

fn fleet(reader: &mut Reader<'_>) -> Option<FleetName> {
    FleetName::parse(reader.text()?).ok()
}

pub(super) fn host(reader: &mut Reader<'_>) -> Option<HostName> {
    HostName::parse(reader.text()?).ok()
}
