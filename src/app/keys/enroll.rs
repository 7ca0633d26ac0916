//! Who belongs to a fleet: private keys made, hosts taken into the roster and put out of it, the
//! generation raised. Every change can be made again and changes nothing then.

use std::path::Path;

use super::FleetError;
use super::fleet_wish::{FleetMode, FleetWish};
use crate::app::clock;
use crate::keys::fleet::store::open;
use crate::keys::fleet::{
    FleetKey, HostName, Places, PublicKey, Roster, RosterError, RosterFile, Signer, make_fleet_key,
    make_signing_key,
};

/// A key, and whether it was made just now.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Made<T> {
    /// Where it is.
    pub place: String,
    /// What may be told of it.
    pub public: T,
    /// It was made; otherwise it was there.
    pub new: bool,
}

/// What `init-fleet` found or made.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The generator's private key.
    pub signing: Made<PublicKey>,
    /// The key of the whole fleet, in that mode.
    pub fleet: Option<Made<()>>,
    /// The roster.
    pub roster: Made<Roster>,
    /// Why the store cannot be written, as things are.
    pub store: Option<String>,
}

/// Makes what a generator needs and does not have: its private key, in fleet-key mode the key
/// that all hosts have, and an empty roster.
///
/// # Errors
/// [`FleetError`]; what is there is never written over.
pub fn found(fleet: &FleetWish, places: &Places) -> Result<Founded, FleetError> {
    let signing = private(fleet.signing_key()?, places)?;
    let key = match fleet.mode {
        FleetMode::PerHost => None,
        FleetMode::FleetKey => Some(shared(fleet.fleet_key()?, places)?),
    };
    let file = RosterFile::at(fleet.roster()?);
    let new = file.make()?;
    Ok(Founded {
        signing,
        fleet: key,
        roster: Made {
            place: file.path().display().to_string(),
            public: file.read()?,
            new,
        },
        store: written(fleet).err().map(|why| why.to_string()),
    })
}

/// Writes to the store what nobody reads: a folder that is not there yet is made by that.
fn written(fleet: &FleetWish) -> Result<(), FleetError> {
    let mut store = open(&fleet.write_store, &fleet.access)?;
    let name = format!("stekguard:{}:init", fleet.name);
    store.put(&name, b"init", clock::now() + 60)?;
    Ok(())
}

/// Makes this host's identity where it has none.
///
/// # Errors
/// [`FleetError`]; an identity that is there is never written over.
pub fn identify(fleet: &FleetWish, places: &Places) -> Result<Made<PublicKey>, FleetError> {
    private(fleet.identity()?, places)
}

/// Takes a host into the roster; `replace`: also where it has another identity there.
///
/// # Errors
/// [`FleetError`].
pub fn enroll(
    roster: &Path,
    host: &str,
    identity: &str,
    replace: bool,
) -> Result<Enrollment, FleetError> {
    let name = HostName::parse(host)?;
    let identity = PublicKey::parse(identity)?;
    let mut done = Enrollment::Known;
    RosterFile::at(roster).change(|before| {
        let mut wanted = before.clone();
        let known = before.host(&name);
        let other = known.is_some_and(|known| known.identity != identity);
        if other && !replace {
            return Err(FleetError::OtherIdentity {
                roster: roster.to_owned(),
                host: name.to_string(),
            });
        }
        wanted.hosts.retain(|host| !other || host.name != name);
        let added = wanted.enroll(name.clone(), identity.clone());
        if !added.map_err(change_error(roster))? {
            return Ok(None);
        }
        done = match other {
            true => Enrollment::Replaced,
            false => Enrollment::Added,
        };
        Ok(Some(wanted))
    })?;
    Ok(done)
}

fn change_error(roster: &Path) -> impl Fn(RosterError) -> FleetError {
    let roster = roster.to_owned();
    move |why| FleetError::Change {
        roster: roster.clone(),
        why,
    }
}

/// What became of a host that was to be taken in.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Enrollment {
    /// It was there.
    Known,
    /// It is there now.
    Added,
    /// It has another identity now.
    Replaced,
}

/// Puts a host out of the roster and raises the generation: keys that it has are void. Gives the
/// generation; the flag says that it was revoked before, and nothing changed.
///
/// # Errors
/// [`FleetError`]; in fleet-key mode always.
pub fn revoke(fleet: &FleetWish, roster: &Path, host: &str) -> Result<(u32, bool), FleetError> {
    let name = HostName::parse(host)?;
    if fleet.mode == FleetMode::FleetKey {
        return Err(FleetError::FleetKey(name.to_string()));
    }
    let mut known = false;
    let now = RosterFile::at(roster).change(|before| {
        known = before.host(&name).is_none() && before.revoked.iter().any(|it| it.name == name);
        if known {
            return Ok(None);
        }
        let mut wanted = before.clone();
        wanted.revoke(&name).map_err(change_error(roster))?;
        Ok::<_, FleetError>(Some(wanted))
    })?;
    Ok((now.generation, known))
}

/// Raises the generation: every key of before is void.
///
/// # Errors
/// [`FleetError`].
pub fn raise(roster: &Path) -> Result<u32, FleetError> {
    let now = RosterFile::at(roster).change(|before| {
        let mut wanted = before.clone();
        wanted.replace_keys().map_err(change_error(roster))?;
        Ok::<_, FleetError>(Some(wanted))
    })?;
    Ok(now.generation)
}

fn private(place: &str, places: &Places) -> Result<Made<PublicKey>, FleetError> {
    let new = is_absent(place);
    let public = match new {
        true => make_signing_key(Path::new(place))?,
        false => Signer::open(place, places)?.public().clone(),
    };
    Ok(Made {
        place: place.to_owned(),
        public,
        new,
    })
}

fn shared(place: &str, places: &Places) -> Result<Made<()>, FleetError> {
    let new = is_absent(place);
    match new {
        true => make_fleet_key(Path::new(place))?,
        false => drop(FleetKey::open(place, places)?),
    }
    Ok(Made {
        place: place.to_owned(),
        public: (),
        new,
    })
}

/// A file that is to be there and is not. What is no file is somebody else's to make.
fn is_absent(place: &str) -> bool {
    place.starts_with('/') && !Path::new(place).exists()
}
