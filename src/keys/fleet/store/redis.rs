//! Redis and Valkey as a store. A claim is one atomic `SET NX EXAT GET` (Redis 7), or on older
//! servers `SET NX EXAT` and then a `GET` of what stands there.

use ::redis::{Cmd, Value, cmd};

use super::address::Place;
use super::failed::Failed;
use super::link::Link;
use super::resp::{FRAME, Resp, granted, unexpected};
use super::tls::Tls;
use super::wire::Wire;
use super::{Access, Claim, LARGEST, Store, StoreError, check, clock};

/// Names that are asked for at once: a bound on what one answer holds in memory.
const AT_ONCE: usize = 32;
/// A page of names; the server takes the number as a hint only.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 4 << 20;
/// More names are no fleet's.
const MOST: usize = 500_000;
/// Claims against a record that expires at that very moment.
const ROUNDS: usize = 3;

/// A server.
pub(super) struct Redis {
    name: String,
    access: Access,
    link: Link<Resp>,
    /// The server knows `SET NX GET`; found out by asking.
    atomic: bool,
}

impl Redis {
    pub(super) fn at(
        name: String,
        place: Place,
        user: Option<String>,
        tls: bool,
        access: &Access,
    ) -> Result<Self, StoreError> {
        let access = Access {
            user: user.or_else(|| access.user.clone()),
            ..access.clone()
        };
        let tls = match tls {
            true => Some(Tls::new(&name, &access)?),
            false => None,
        };
        Ok(Self {
            link: Link::new(place, tls, access.patience),
            name,
            access,
            atomic: true,
        })
    }

    pub(super) fn call<T>(
        &mut self,
        work: impl FnMut(&mut Wire, &mut Resp, bool) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let access = &self.access;
        let done = self.link.call(|wire, resp| greet(access, wire, resp), work);
        done.map_err(|failed| failed.of(&self.name))
    }

    /// Asks one thing.
    pub(super) fn ask(&mut self, command: &Cmd, most: usize) -> Result<Value, StoreError> {
        self.call(|wire, resp, _| resp.one(wire, command, most))
    }

    /// One by one and cut off by the server: for records that are larger than any of ours.
    fn read_cut(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut records = Vec::new();
        for name in names {
            let mut command = cmd("GETRANGE");
            command.arg(name).arg(0).arg(LARGEST);
            let answer = self.call(|wire, resp, _| {
                let mut answers = resp.ask(wire, std::slice::from_ref(&command), LARGEST)?;
                Ok(answers.pop().unwrap_or(Value::Nil))
            })?;
            records.push(match answer {
                Value::BulkString(bytes) if bytes.is_empty() => None,
                Value::BulkString(bytes) => Some(bytes),
                // Not even a string: something that is refused later.
                Value::ServerError(_) => Some(Vec::new()),
                _ => return Err(unexpected().of(&self.name)),
            });
        }
        Ok(records)
    }

    fn read_some(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut command = cmd("MGET");
        command.arg(names);
        let most = names.len() * (LARGEST + 32);
        let mut too_much = false;
        let read = self.call(|wire, resp, _| {
            let answer = resp.one(wire, &command, most);
            too_much = matches!(answer, Err(Failed::TooMuch(_)));
            records(answer?, names.len())
        });
        match read {
            Err(_) if too_much => self.read_cut(names),
            read => read,
        }
    }
}

fn greet(access: &Access, wire: &mut Wire, resp: &mut Resp) -> Result<(), Failed> {
    let password = access.password().map_err(Failed::Own)?;
    let mut command = cmd("AUTH");
    match (&access.user, &password) {
        (None, None) => return Ok(()),
        (user, password) => {
            command.arg(user);
            command.arg(password.as_deref().map_or("", String::as_str));
        }
    }
    let answer = resp.one(wire, &command, 0);
    match answer {
        Ok(Value::Okay) => Ok(()),
        Ok(_) => Err(unexpected()),
        // Not the server's words: it may say the password again.
        Err(Failed::Refused(_)) => {
            let user = access.user.as_deref().unwrap_or("default");
            Err(Failed::Refused(format!("user {user} with this password")))
        }
        Err(failed) => Err(failed),
    }
}

fn records(answer: Value, count: usize) -> Result<Vec<Option<Vec<u8>>>, Failed> {
    let Value::Array(values) = answer else {
        return Err(unexpected());
    };
    if values.len() != count {
        return Err(unexpected());
    }
    values.into_iter().map(record).collect()
}

fn record(value: Value) -> Result<Option<Vec<u8>>, Failed> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(mut bytes) => {
            bytes.truncate(LARGEST + 1);
            Ok(Some(bytes))
        }
        _ => Err(unexpected()),
    }
}

/// `SET name record`, which expires then.
fn set(name: &str, record: &[u8], expires: u64) -> Cmd {
    let mut command = cmd("SET");
    // Redis refuses 0 as a time; both are long ago.
    command
        .arg(name)
        .arg(record)
        .arg("EXAT")
        .arg(expires.max(1));
    command
}

impl Store for Redis {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        check::names(&self.name, names)?;
        let mut records = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE) {
            records.extend(self.read_some(some)?);
        }
        Ok(records)
    }

    fn claim(&mut self, name: &str, record: &[u8], expires: u64) -> Result<Claim, StoreError> {
        check::write(&self.name, name, record)?;
        let mut atomic = self.atomic;
        let claimed = self.call(|wire, resp, again| {
            let claim = claim(wire, resp, &mut atomic, &set(name, record, expires), name)?;
            Ok(match claim {
                // The first try was heard, only its answer was not.
                Claim::Taken(bytes) if again && bytes == record => Claim::Written,
                claim => claim,
            })
        });
        self.atomic = atomic;
        claimed
    }

    fn put(&mut self, name: &str, record: &[u8], expires: u64) -> Result<(), StoreError> {
        check::write(&self.name, name, record)?;
        match self.ask(&set(name, record, expires), 0)? {
            Value::Okay => Ok(()),
            _ => Err(unexpected().of(&self.name)),
        }
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let pattern = pattern(prefix);
        let names = self.call(|wire, resp, _| {
            let mut names = std::collections::BTreeSet::new();
            let mut cursor = b"0".to_vec();
            loop {
                let mut command = cmd("SCAN");
                command.arg(&cursor).arg("MATCH").arg(&pattern);
                command.arg("COUNT").arg(PAGE);
                let (next, page) = page(resp.one(wire, &command, PAGE_BYTES)?)?;
                names.extend(page.into_iter().filter(|name| name.starts_with(prefix)));
                if names.len() > MOST {
                    return Err(Failed::TooMuch("it lists names without end".to_owned()));
                }
                if next == b"0" {
                    return Ok(names);
                }
                cursor = next;
            }
        })?;
        Ok(names.into_iter().collect())
    }

    fn expiries(&mut self, names: &[String]) -> Result<Vec<Option<u64>>, StoreError> {
        check::names(&self.name, names)?;
        let asked = |command: &str, name: &String| {
            let mut command = cmd(command);
            command.arg(name);
            command
        };
        let mut out = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE * 8) {
            out.extend(self.call(|wire, resp, _| {
                let commands: Vec<Cmd> = some.iter().map(|it| asked("EXPIRETIME", it)).collect();
                let answers = resp.ask(wire, &commands, 0)?;
                let times: Result<Vec<i64>, Failed> = answers.into_iter().map(integer).collect();
                if let Ok(times) = times {
                    return Ok(times.into_iter().map(|it| u64::try_from(it).ok()).collect());
                }
                // Before Redis 7 the time that is left; the server's clock against ours.
                let commands: Vec<Cmd> = some.iter().map(|it| asked("TTL", it)).collect();
                let answers = resp.ask(wire, &commands, 0)?;
                let left = answers.into_iter().map(integer);
                let until = |left: i64| u64::try_from(left).ok().map(|left| clock::now() + left);
                left.map(|left| left.map(until))
                    .collect::<Result<Vec<_>, _>>()
            })?);
        }
        Ok(out)
    }
}

fn claim(
    wire: &mut Wire,
    resp: &mut Resp,
    atomic: &mut bool,
    set: &Cmd,
    name: &str,
) -> Result<Claim, Failed> {
    let largest = LARGEST + FRAME;
    let mut once = set.clone();
    once.arg("NX");
    if *atomic {
        let mut both = once.clone();
        both.arg("GET");
        match resp.one(wire, &both, largest) {
            Ok(Value::Nil) => return Ok(Claim::Written),
            Ok(answer) => return taken(answer),
            Err(Failed::Refused(why)) if why.contains("syntax error") => *atomic = false,
            Err(failed) => return Err(failed),
        }
    }
    let mut what_stands = cmd("GET");
    what_stands.arg(name);
    for _ in 0..ROUNDS {
        match resp.one(wire, &once, 0)? {
            Value::Okay => return Ok(Claim::Written),
            Value::Nil => {}
            _ => return Err(unexpected()),
        }
        match resp.one(wire, &what_stands, largest)? {
            // Expired meanwhile.
            Value::Nil => {}
            answer => return taken(answer),
        }
    }
    Err(Failed::Busy(format!("{name} is there and is not")))
}

fn taken(answer: Value) -> Result<Claim, Failed> {
    record(answer)?.map(Claim::Taken).ok_or_else(unexpected)
}

fn integer(answer: Value) -> Result<i64, Failed> {
    match granted(answer)? {
        Value::Int(number) => Ok(number),
        _ => Err(unexpected()),
    }
}

/// Next cursor and names of a page of `SCAN`.
fn page(answer: Value) -> Result<(Vec<u8>, Vec<String>), Failed> {
    let Value::Array(parts) = answer else {
        return Err(unexpected());
    };
    let Ok([Value::BulkString(cursor), Value::Array(names)]) = <[Value; 2]>::try_from(parts) else {
        return Err(unexpected());
    };
    let text = |value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    };
    let names = names.into_iter().filter_map(text);
    Ok((cursor, names.filter(|name| check::is_name(name)).collect()))
}

/// A pattern that matches what begins so, whatever signs stand in it.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::new();
    for character in prefix.chars() {
        if "*?[]\\^".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}
