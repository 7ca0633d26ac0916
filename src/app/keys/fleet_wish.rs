//! What the settings say about a fleet, made into what the commands work with: names, public
//! keys, stores and places of private keys. Reads nothing but the settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fleet_error::FleetError;
use crate::app::settings::wrong;
use crate::app::{AppError, Lookup, SettingsError, configured};
use crate::keys::fleet::store::Access;
use crate::keys::fleet::{FleetName, HostName, Pinned, Places, PublicKey};
use crate::policy::settings::{
    Effective, FLEET_MEMORY, FLEET_SCOPE, Fault, FleetSettings, STORE_PATIENCE,
};
use crate::policy::{KEYS_DIRECTORY, Rotation};

pub use crate::policy::settings::FleetMode;

/// The longest word for a scope: it is part of what keys are derived from.
const LONGEST_SCOPE: usize = 64;

/// A fleet as the settings describe it.
#[derive(Clone, Debug)]
pub struct FleetWish {
    /// Its name.
    pub name: FleetName,
    /// For whom keys are sealed.
    pub mode: FleetMode,
    /// Stores to read, nearest first; at least one.
    pub stores: Vec<String>,
    /// The store to write.
    pub write_store: String,
    /// How to get into them.
    pub access: Access,
    /// Generators that are believed.
    pub signers: Pinned,
    /// The plan.
    pub rotation: Rotation,
    /// How often the store is looked at, in milliseconds.
    pub poll: u64,
    /// This host, where the settings say it.
    pub host: Option<HostName>,
    /// Hosts of one scope have the same key files.
    pub scope: String,
    /// Where a host remembers the highest generation.
    pub memory: PathBuf,
    /// The folder that this host's server reads keys from.
    pub folder: PathBuf,
    signing_key: Option<String>,
    fleet_key: Option<String>,
    identity: Option<String>,
    roster: Option<PathBuf>,
    password: Option<String>,
    settings: Option<PathBuf>,
}

/// The fleet of the nearest settings.
///
/// # Errors
/// [`AppError::Settings`] with the line that is wrong; [`FleetError::Missing`] where the settings
/// say no name or no store.
pub fn fleet(lookup: &Lookup, places: &Places) -> Result<FleetWish, AppError> {
    let configured = configured(&[], lookup).map_err(AppError::Settings)?;
    let effective = &configured.effective;
    let fleet = &effective.settings.fleet;
    let settings = effective.files.first().cloned();
    // Checked with the rest of the settings.
    let fault = |(key, why): (&str, String)| settings_error(effective, key, why);
    let checked = check(fleet).map_err(fault)?;
    let missing = |key| FleetError::Missing {
        key,
        settings: settings.clone(),
    };
    let rotation = effective.settings.rotation.plan();
    let rotation = rotation.map_err(|(_, why)| fault(("name", why)))?;
    let first = fleet.store.first().or(fleet.write_store.as_ref());
    let first = first.ok_or_else(|| missing("store"))?.clone();
    let interval = rotation.interval.saturating_mul(1000);
    let path = |key: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        Some(PathBuf::from(placed(effective, key, text)))
    };
    let place = |key: &str, text: &Option<String>| Some(placed(effective, key, text.as_ref()?));
    let password = place("store_password_file", &fleet.store_password_file);
    let file = password
        .as_ref()
        .map(|text| Access::secret_file(text, places.credentials.as_deref()));
    Ok(FleetWish {
        name: checked.name.ok_or_else(|| missing("name"))?,
        mode: fleet.mode.unwrap_or_default(),
        write_store: fleet.write_store.clone().unwrap_or_else(|| first.clone()),
        stores: match fleet.store.is_empty() {
            true => vec![first],
            false => fleet.store.clone(),
        },
        access: Access {
            user: fleet.store_user.clone(),
            password: file.transpose().map_err(FleetError::Store)?,
            authorities: path("store_ca", &fleet.store_ca),
            identity: path("store_cert", &fleet.store_cert)
                .zip(path("store_key", &fleet.store_key)),
            patience: Duration::from_secs(fleet.store_patience.map_or(STORE_PATIENCE, |it| it.0)),
        },
        signers: checked.signers,
        poll: fleet
            .poll
            .map_or((interval / 20).max(50), |it| it.0.saturating_mul(1000)),
        rotation,
        host: checked.host,
        scope: fleet
            .scope
            .clone()
            .unwrap_or_else(|| FLEET_SCOPE.to_owned()),
        memory: path("memory", &fleet.memory).unwrap_or_else(|| PathBuf::from(FLEET_MEMORY)),
        folder: effective
            .settings
            .rotation
            .directory
            .clone()
            .unwrap_or_else(|| PathBuf::from(KEYS_DIRECTORY)),
        signing_key: place("signing_key", &fleet.signing_key),
        fleet_key: place("fleet_key", &fleet.fleet_key),
        identity: place("identity", &fleet.identity),
        roster: path("roster", &fleet.roster),
        password,
        settings,
    })
}

impl FleetWish {
    /// Where the generator's private key is: a path, `credential:NAME` or `agent:PUBLICKEY`.
    ///
    /// # Errors
    /// [`FleetError::Missing`] where the settings do not say it; so for all of these.
    pub fn signing_key(&self) -> Result<&str, FleetError> {
        self.need("signing_key", self.signing_key.as_deref())
    }

    /// Where the key of the whole fleet is.
    ///
    /// # Errors
    /// See [`Self::signing_key`].
    pub fn fleet_key(&self) -> Result<&str, FleetError> {
        self.need("fleet_key", self.fleet_key.as_deref())
    }

    /// Where this host's private key is.
    ///
    /// # Errors
    /// See [`Self::signing_key`].
    pub fn identity(&self) -> Result<&str, FleetError> {
        self.need("identity", self.identity.as_deref())
    }

    /// The file with the roster.
    ///
    /// # Errors
    /// See [`Self::signing_key`].
    pub fn roster(&self) -> Result<&Path, FleetError> {
        self.need("roster", self.roster.as_deref())
    }

    /// This host's name in the roster.
    ///
    /// # Errors
    /// See [`Self::signing_key`].
    pub fn host(&self) -> Result<&HostName, FleetError> {
        self.need("host", self.host.as_ref())
    }

    /// The nearest settings that were read.
    pub fn settings(&self) -> Option<&Path> {
        self.settings.as_deref()
    }

    /// Where everything secret is that a generator reads.
    pub fn secrets(&self) -> Vec<String> {
        let key = match self.mode {
            FleetMode::PerHost => None,
            FleetMode::FleetKey => self.fleet_key.clone(),
        };
        let all = [self.signing_key.clone(), key, self.password.clone()];
        all.into_iter().flatten().collect()
    }

    fn need<T>(&self, key: &'static str, value: Option<T>) -> Result<T, FleetError> {
        value.ok_or_else(|| FleetError::Missing {
            key,
            settings: self.settings.clone(),
        })
    }
}

/// What can be read out of the settings alone.
struct Checked {
    name: Option<FleetName>,
    host: Option<HostName>,
    signers: Pinned,
}

/// What is wrong with `[fleet]`: the key and one sentence.
pub(in crate::app) fn fault(effective: &Effective) -> Option<(PathBuf, Fault)> {
    let (key, why) = check(&effective.settings.fleet).err()?;
    Some(effective.fault(&format!("fleet.{key}"), format!("[fleet]: {key}: {why}")))
}

fn check(fleet: &FleetSettings) -> Result<Checked, (&'static str, String)> {
    let name = fleet.name.as_deref().map(FleetName::parse).transpose();
    let host = fleet.host.as_deref().map(HostName::parse).transpose();
    let keys = fleet.signers.iter().map(|text| PublicKey::parse(text));
    let keys = keys.collect::<Result<Vec<_>, _>>();
    let checked = Checked {
        name: name.map_err(|why| ("name", why.to_string()))?,
        host: host.map_err(|why| ("host", why.to_string()))?,
        signers: Pinned(keys.map_err(|why| ("signers", why.to_string()))?),
    };
    let plain = |scope: &String| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !scope.is_empty() && scope.len() <= LONGEST_SCOPE && scope.bytes().all(letter)
    };
    if fleet.scope.as_ref().is_some_and(|scope| !plain(scope)) {
        let why = "a scope is a word of 1 to 64 letters, digits, `-`, `_` and `.`";
        return Err(("scope", why.to_owned()));
    }
    if fleet.poll.is_some_and(|poll| poll.0 == 0) {
        return Err(("poll", "the store cannot be looked at every 0s".to_owned()));
    }
    if fleet.store_patience.is_some_and(|patience| patience.0 == 0) {
        let why = "a store cannot answer within 0s";
        return Err(("store_patience", why.to_owned()));
    }
    if fleet.store_cert.is_some() != fleet.store_key.is_some() {
        let key = match fleet.store_cert {
            Some(_) => "store_cert",
            None => "store_key",
        };
        let why = "a certificate and its key go together: `store_cert` and `store_key`";
        return Err((key, why.to_owned()));
    }
    Ok(checked)
}

fn settings_error(effective: &Effective, key: &str, why: String) -> AppError {
    let (path, fault) = effective.fault(&format!("fleet.{key}"), format!("[fleet]: {why}"));
    let error: SettingsError = wrong(&path, vec![fault]);
    AppError::Settings(error)
}

/// A file of the settings as it is opened; places that are no files stay as they are.
fn placed(effective: &Effective, key: &str, text: &str) -> String {
    if text.starts_with("credential:") || text.starts_with("agent:") {
        return text.to_owned();
    }
    let folder = effective.folder(&format!("fleet.{key}"));
    folder.join(text).display().to_string()
}
