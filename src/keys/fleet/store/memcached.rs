//! memcached as a store, by its text protocol. Our own client: it allocates nothing by a
//! length that the server gives, and nothing in it waits longer than the wire does.

use std::collections::BTreeMap;
use std::io::Read;

use super::address::Place;
use super::failed::{Failed, words};
use super::link::Link;
use super::wire::Wire;
use super::{Access, Claim, LARGEST, Store, StoreError, check, clock};

/// Names that are asked for at once.
const AT_ONCE: usize = 32;
/// No line of an answer is longer.
const LINE: usize = 512;
/// Bytes of a record that is none of ours that are skipped rather than given up.
const SKIPPED: usize = 4 << 20;
/// Claims against a record that goes at that very moment.
const ROUNDS: usize = 3;

/// A server.
pub(super) struct Memcached {
    name: String,
    link: Link<Text>,
}

/// Bytes that were read and not used yet, from `at` on.
#[derive(Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    at: usize,
}

impl Memcached {
    pub(super) fn at(name: String, place: Place, access: &Access) -> Self {
        Self {
            name,
            link: Link::new(place, None, access.patience),
        }
    }

    fn call<T>(
        &mut self,
        work: impl FnMut(&mut Wire, &mut Text, bool) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let done = self.link.call(|_, _| Ok(()), work);
        done.map_err(|failed| failed.of(&self.name))
    }

    /// What the server says of itself: `stats`, or a part of it.
    pub(super) fn stats(&mut self, part: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.call(|wire, text, _| {
            wire.send(format!("stats {part}\r\n").as_bytes(), 1 << 20)?;
            let mut out = BTreeMap::new();
            loop {
                let line = text.line(wire)?;
                if line == "END" {
                    return Ok(out);
                }
                let mut parts = line.splitn(3, ' ');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some("STAT"), Some(name), value) => {
                        out.insert(name.to_owned(), value.unwrap_or_default().to_owned());
                    }
                    _ => return Err(said(&line)),
                }
            }
        })
    }
}

impl Store for Memcached {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        check::names(&self.name, names)?;
        let mut records = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE) {
            let found = self.call(|wire, text, _| get(wire, text, some))?;
            records.extend(some.iter().map(|name| found.get(name).cloned()));
        }
        Ok(records)
    }

    fn claim(&mut self, name: &str, record: &[u8], expires: u64) -> Result<Claim, StoreError> {
        check::write(&self.name, name, record)?;
        let one = [name.to_owned()];
        self.call(|wire, text, again| {
            for _ in 0..ROUNDS {
                match store(wire, text, "add", name, record, expires)?.as_str() {
                    "STORED" => return Ok(Claim::Written),
                    "NOT_STORED" => {}
                    line => return Err(said(line)),
                }
                match get(wire, text, &one)?.remove(name) {
                    // The first try was heard, only its answer was not.
                    Some(bytes) if again && bytes == record => return Ok(Claim::Written),
                    Some(bytes) => return Ok(Claim::Taken(bytes)),
                    // Expired or evicted meanwhile.
                    None => {}
                }
            }
            Err(Failed::Busy(format!("{name} is there and is not")))
        })
    }

    fn put(&mut self, name: &str, record: &[u8], expires: u64) -> Result<(), StoreError> {
        check::write(&self.name, name, record)?;
        self.call(
            |wire, text, _| match store(wire, text, "set", name, record, expires)?.as_str() {
                "STORED" => Ok(()),
                line => Err(said(line)),
            },
        )
    }

    fn list(&mut self, _: &str) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Unable {
            store: self.name.clone(),
            what: "list names",
        })
    }

    fn expiries(&mut self, names: &[String]) -> Result<Vec<Option<u64>>, StoreError> {
        check::names(&self.name, names)?;
        let mut out = Vec::with_capacity(names.len());
        for name in names {
            let left = self.call(|wire, text, _| {
                wire.send(format!("mg {name} t\r\n").as_bytes(), LINE)?;
                let line = text.line(wire)?;
                match line.strip_prefix("HD t") {
                    Some(left) => Ok(left.parse::<u64>().ok()),
                    None if line == "EN" => Ok(None),
                    None => Err(said(&line)),
                }
            })?;
            out.push(left.map(|left| clock::now() + left));
        }
        Ok(out)
    }
}

/// Sends a record; the server's line.
fn store(
    wire: &mut Wire,
    text: &mut Text,
    verb: &str,
    name: &str,
    record: &[u8],
    expires: u64,
) -> Result<String, Failed> {
    // Numbers up to a month are seconds from now; such a time is long ago, which -1 says.
    let expires = match expires {
        ..=2_592_000 => "-1".to_owned(),
        expires => expires.to_string(),
    };
    let mut command = format!("{verb} {name} 0 {expires} {}\r\n", record.len()).into_bytes();
    command.extend_from_slice(record);
    command.extend_from_slice(b"\r\n");
    wire.send(&command, LINE)?;
    text.line(wire)
}

fn get(
    wire: &mut Wire,
    text: &mut Text,
    names: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
    let command = format!("get {}\r\n", names.join(" "));
    let most = names.len() * (LARGEST + LINE) + LINE + SKIPPED;
    wire.send(command.as_bytes(), most)?;
    let mut found = BTreeMap::new();
    // As many values as names, the end, and no more.
    for _ in 0..=names.len() {
        let line = text.line(wire)?;
        if line == "END" {
            return Ok(found);
        }
        let mut parts = line
            .strip_prefix("VALUE ")
            .ok_or_else(|| said(&line))?
            .split(' ');
        let (name, _, length) = (parts.next(), parts.next(), parts.next());
        let name = name.filter(|name| names.iter().any(|it| it == name));
        let length = length.and_then(|it| it.parse::<usize>().ok());
        let (Some(name), Some(length)) = (name, length) else {
            return Err(garbled());
        };
        let record = text.record(wire, length)?;
        found.insert(name.to_owned(), record);
    }
    Err(garbled())
}

/// A line that grants nothing.
fn said(line: &str) -> Failed {
    let refusal = ["ERROR", "CLIENT_ERROR", "SERVER_ERROR"];
    match refusal.iter().any(|it| line.starts_with(it)) {
        // After an error memcached may still read what was meant as a record.
        true => Failed::Garbled(words(line)),
        false => garbled(),
    }
}

fn garbled() -> Failed {
    Failed::Garbled("what it answers is not memcached".to_owned())
}

impl Text {
    /// The next line, without its end.
    fn line(&mut self, wire: &mut Wire) -> Result<String, Failed> {
        let mut line = Vec::new();
        loop {
            match self.byte(wire)? {
                b'\n' => break,
                byte if line.len() < LINE => line.push(byte),
                _ => return Err(garbled()),
            }
        }
        let line = line.strip_suffix(b"\r").ok_or_else(garbled)?;
        String::from_utf8(line.to_vec()).map_err(|_| garbled())
    }

    /// A record of this length, kept up to its first byte too many, and the line's end.
    fn record(&mut self, wire: &mut Wire, length: usize) -> Result<Vec<u8>, Failed> {
        let mut record = Vec::new();
        let mut missing = length;
        while missing > 0 {
            self.fill(wire)?;
            let some = &self.bytes[self.at..];
            let some = &some[..some.len().min(missing)];
            let kept = (LARGEST + 1 - record.len()).min(some.len());
            record.extend_from_slice(&some[..kept]);
            missing -= some.len();
            self.at += some.len();
        }
        match (self.byte(wire)?, self.byte(wire)?) {
            (b'\r', b'\n') => Ok(record),
            _ => Err(garbled()),
        }
    }

    fn byte(&mut self, wire: &mut Wire) -> Result<u8, Failed> {
        self.fill(wire)?;
        self.at += 1;
        Ok(self.bytes[self.at - 1])
    }

    /// At least one byte that was not used yet.
    fn fill(&mut self, wire: &mut Wire) -> Result<(), Failed> {
        if self.at < self.bytes.len() {
            return Ok(());
        }
        self.bytes.resize(16 * 1024, 0);
        self.at = 0;
        let read = wire.read(&mut self.bytes);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read.map_err(|_| wire.why().unwrap_or_else(garbled))?;
        Ok(())
    }
}
