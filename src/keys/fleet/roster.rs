//! Who belongs to a fleet: the hosts, by name and identity, and those that were turned out. A
//! file at the generator, TOML, which `keys enroll` and `keys revoke-host` write and a person
//! can. Text to data and back; no file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::HostName;
use super::sign::PublicKey;

/// No roster of ours comes near: a hundred thousand hosts, in bytes.
const LARGEST: usize = 16 << 20;

/// A host of the fleet.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Enrolled {
    /// Its name.
    pub name: HostName,
    /// The key that it signs with.
    pub identity: PublicKey,
}

/// A host that was turned out.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Revoked {
    /// Its name, which may be given again, with another identity.
    pub name: HostName,
    /// The key that it signed with, which never comes back.
    pub identity: PublicKey,
    /// The generation of keys from which on it had none.
    pub generation: u32,
}

/// The hosts of a fleet.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Roster {
    /// Rises when all keys are to be replaced at once.
    pub generation: u32,
    /// Those that belong to it.
    pub hosts: Vec<Enrolled>,
    /// Those that no longer do.
    pub revoked: Vec<Revoked>,
}

/// What is wrong with a roster, or with what was asked of it.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum RosterError {
    /// The file's text.
    #[error("{}:{line}: {why}", .path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What to change.
        why: String,
    },
    /// The file has more than 16 MiB.
    #[error("{}: longer than any roster", .0.display())]
    TooLarge(PathBuf),
    /// The name is taken.
    #[error("host {0} is enrolled with another identity: revoke it first")]
    Name(HostName),
    /// The identity is taken.
    #[error("the identity of {0} is that of {1}: every host has its own")]
    Identity(HostName, HostName),
    /// The identity was turned out.
    #[error("the identity of {0} was revoked: make a new one on the host")]
    Revoked(HostName),
    /// There is no such host.
    #[error("no host {0} is enrolled")]
    Unknown(HostName),
    /// The number of generations is used up.
    #[error("there is no generation after {0}")]
    Generation(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    generation: u32,
    #[serde(default)]
    host: Vec<Row>,
    #[serde(default)]
    revoked: Vec<RevokedRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Spanned<String>,
    identity: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedRow {
    name: Spanned<String>,
    identity: Spanned<String>,
    generation: Spanned<u32>,
}

impl Roster {
    /// Reads a roster; `path` is for messages.
    ///
    /// # Errors
    /// [`RosterError::Text`] with the line, [`RosterError::TooLarge`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, RosterError> {
        if text.len() > LARGEST {
            return Err(RosterError::TooLarge(path.to_owned()));
        }
        let wrong = |span: Option<Range<usize>>, why: String| RosterError::Text {
            path: path.to_owned(),
            line: line(text, span),
            why,
        };
        let file: File =
            toml::from_str(text).map_err(|why| wrong(why.span(), why.message().to_owned()))?;
        let mut roster = Self {
            generation: file.generation,
            ..Self::default()
        };
        for row in &file.revoked {
            let span = row.generation.span();
            roster
                .take_revoked(row)
                .map_err(|(at, why)| wrong(Some(at.unwrap_or(span)), why))?;
        }
        let mut taken = Taken::of(&roster.revoked);
        for row in &file.host {
            let host = read(&row.name, &row.identity).map_err(|(at, why)| wrong(Some(at), why))?;
            let fits = taken.take(&host);
            fits.map_err(|why| wrong(Some(row.name.span()), why.to_string()))?;
            roster.hosts.push(host);
        }
        Ok(roster)
    }

    fn take_revoked(&mut self, row: &RevokedRow) -> Result<(), (Option<Range<usize>>, String)> {
        let host = read(&row.name, &row.identity).map_err(|(at, why)| (Some(at), why))?;
        let generation = *row.generation.get_ref();
        if generation > self.generation {
            let why = format!(
                "{} was revoked with generation {generation}, and the roster has {}",
                host.name, self.generation
            );
            return Err((None, why));
        }
        self.revoked.push(Revoked {
            name: host.name,
            identity: host.identity,
            generation,
        });
        Ok(())
    }

    /// The file's text, which reads as this roster. Comments of a person are not in it.
    pub fn print(&self) -> String {
        let mut out = format!("generation = {}\n", self.generation);
        // Writing to a text never fails.
        for host in &self.hosts {
            let (name, identity) = (&host.name, &host.identity);
            let _ = write!(
                out,
                "\n[[host]]\nname = \"{name}\"\nidentity = \"{identity}\"\n"
            );
        }
        for gone in &self.revoked {
            let (name, identity, since) = (&gone.name, &gone.identity, gone.generation);
            let _ = write!(
                out,
                "\n[[revoked]]\nname = \"{name}\"\nidentity = \"{identity}\"\ngeneration = {since}\n"
            );
        }
        out
    }

    /// The host of a name.
    pub fn host(&self, name: &HostName) -> Option<&Enrolled> {
        self.hosts.iter().find(|host| host.name == *name)
    }

    /// Takes a host in. False where it is in already, with this identity.
    ///
    /// # Errors
    /// [`RosterError`] where the name or the identity is taken or was revoked.
    pub fn enroll(&mut self, name: HostName, identity: PublicKey) -> Result<bool, RosterError> {
        let host = Enrolled { name, identity };
        if self.hosts.contains(&host) {
            return Ok(false);
        }
        let mut taken = Taken::of(&self.revoked);
        for other in &self.hosts {
            taken.take(other)?;
        }
        taken.take(&host)?;
        self.hosts.push(host);
        Ok(true)
    }

    /// Turns a host out and raises the generation: its keys are void at once.
    ///
    /// # Errors
    /// [`RosterError::Unknown`], [`RosterError::Generation`].
    pub fn revoke(&mut self, name: &HostName) -> Result<(), RosterError> {
        let place = self.hosts.iter().position(|host| host.name == *name);
        let place = place.ok_or_else(|| RosterError::Unknown(name.clone()))?;
        self.replace_keys()?;
        let gone = self.hosts.remove(place);
        self.revoked.push(Revoked {
            name: gone.name,
            identity: gone.identity,
            generation: self.generation,
        });
        Ok(())
    }

    /// Raises the generation: all keys are replaced at once.
    ///
    /// # Errors
    /// [`RosterError::Generation`].
    pub fn replace_keys(&mut self) -> Result<(), RosterError> {
        let next = self.generation.checked_add(1);
        self.generation = next.ok_or(RosterError::Generation(self.generation))?;
        Ok(())
    }
}

/// Names and identities that are given.
struct Taken {
    names: BTreeSet<HostName>,
    identities: BTreeMap<[u8; 32], HostName>,
    gone: BTreeSet<[u8; 32]>,
}

impl Taken {
    fn of(revoked: &[Revoked]) -> Self {
        let gone = revoked.iter().map(|host| host.identity.bytes());
        Self {
            names: BTreeSet::new(),
            identities: BTreeMap::new(),
            gone: gone.collect(),
        }
    }

    fn take(&mut self, host: &Enrolled) -> Result<(), RosterError> {
        let (name, bytes) = (host.name.clone(), host.identity.bytes());
        if self.gone.contains(&bytes) {
            return Err(RosterError::Revoked(name));
        }
        if self.names.contains(&name) {
            return Err(RosterError::Name(name));
        }
        if let Some(other) = self.identities.get(&bytes) {
            return Err(RosterError::Identity(name, other.clone()));
        }
        self.names.insert(name.clone());
        self.identities.insert(bytes, name);
        Ok(())
    }
}

fn read(
    name: &Spanned<String>,
    identity: &Spanned<String>,
) -> Result<Enrolled, (Range<usize>, String)> {
    let read = HostName::parse(name.get_ref());
    let host = read.map_err(|why| (name.span(), why.to_string()))?;
    let read = PublicKey::parse(identity.get_ref());
    let key = read.map_err(|why| (identity.span(), why.to_string()))?;
    Ok(Enrolled {
        name: host,
        identity: key,
    })
}

fn line(text: &str, span: Option<Range<usize>>) -> usize {
    let end = span.map_or(0, |span| span.start).min(text.len());
    let before = text.as_bytes().get(..end).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
