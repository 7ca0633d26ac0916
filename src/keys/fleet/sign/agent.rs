//! A key that an ssh-agent holds: it signs, and never gives the key away. Two messages of its
//! protocol (draft-ietf-sshm-ssh-agent): which keys are there, and sign this. The agent may hang
//! or answer nonsense; the caller waits for a while and reads a bounded answer.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::SealError;
use super::super::codec::Reader;
use super::PublicKey;

/// How long the agent may take for one question. It may have to ask a person.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer to our questions comes near, in bytes.
const LARGEST: usize = 256 * 1024;

const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;
const KIND: &[u8] = b"ssh-ed25519";

/// One key of an ssh-agent.
pub(super) struct Agent {
    socket: PathBuf,
    blob: Vec<u8>,
    patience: Duration,
}

impl Agent {
    /// The key of the agent at this socket, if it has it.
    pub(super) fn find(socket: &Path, key: &PublicKey) -> Result<Self, SealError> {
        Self::find_within(socket, key, PATIENCE)
    }

    fn find_within(socket: &Path, key: &PublicKey, patience: Duration) -> Result<Self, SealError> {
        let agent = Self {
            socket: socket.to_owned(),
            blob: [string(KIND), string(&key.bytes())].concat(),
            patience,
        };
        let answer = agent.ask(vec![LIST])?;
        let listed = keys(&answer).ok_or_else(|| agent.says("it answers with something else"))?;
        if !listed.contains(&agent.blob.as_slice()) {
            let why = format!("it has no key {key}: ssh-add it");
            return Err(agent.says(&why));
        }
        Ok(agent)
    }

    /// What the key makes of a message. The caller verifies it.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], SealError> {
        let no_flags = 0_u32.to_be_bytes();
        let mut question = vec![SIGN];
        for part in [&string(&self.blob), &string(message), &no_flags[..]] {
            question.extend_from_slice(part);
        }
        let answer = self.ask(question)?;
        signature(&answer).ok_or_else(|| self.says("it refuses (locked, or asked and declined)"))
    }

    fn says(&self, why: &str) -> SealError {
        SealError::Agent(format!("{} {why}", self.socket.display()))
    }

    /// In a thread of its own: connecting to a socket that nobody serves any more, or reading
    /// byte after byte, would have no end.
    fn ask(&self, question: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let (answer, answered) = mpsc::channel();
        let (socket, patience) = (self.socket.clone(), self.patience);
        let asking = thread::Builder::new().name("ssh-agent".to_owned());
        let started = asking.spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = answer.send(talk(&socket, &question, patience));
        });
        started.map_err(|why| self.says(&why.to_string()))?;
        match answered.recv_timeout(self.patience) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(self.says(&why.to_string())),
            Err(_) => Err(self.says(&format!("does not answer within {:?}", self.patience))),
        }
    }
}

fn talk(socket: &Path, question: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(&string(question))?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(io::Error::other("its answer is too long"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// The protocol's string: a length of four bytes in front.
fn string(bytes: &[u8]) -> Vec<u8> {
    // Nothing of ours comes near.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn take_string<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(reader.u32()?).ok()?;
    reader.take(length)
}

fn keys(answer: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(answer);
    if reader.u8()? != LISTED {
        return None;
    }
    let count = reader.u32()?;
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(take_string(&mut reader)?);
        let _comment = take_string(&mut reader)?;
    }
    Some(keys)
}

fn signature(answer: &[u8]) -> Option<[u8; 64]> {
    let mut reader = Reader::new(answer);
    if reader.u8()? != SIGNED {
        return None;
    }
    let mut signature = Reader::new(take_string(&mut reader)?);
    let kind = take_string(&mut signature)?;
    let bytes = take_string(&mut signature)?.try_into().ok()?;
    (kind == KIND && signature.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests;
