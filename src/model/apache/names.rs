//! Which names lead to a vhost, and the name under which its sessions are kept.
//!
//! Source: server/vhost.c (ap_fini_vhost_config), modules/ssl/ssl_util.c (ssl_util_vhostid)
//! and ssl_engine_kernel.c (ssl_util_vhost_matches).

use std::collections::{BTreeSet, HashMap, HashSet};

use super::config::Engine;
use super::sockets::Vhost;

const HTTPS: u16 = 443;
const HTTP: u16 = 80;

/// ServerName and aliases. A vhost for every address that has no ServerName has the server's.
pub(super) fn of(vhost: &Vhost, vhosts: &[Vhost]) -> Vec<String> {
    let mut names = vhost.config.names.clone();
    if vhost.config.name.is_none()
        && for_every_address(vhost)
        && let Some(name) = main_name(vhosts)
        && !names.iter().any(|own| own.eq_ignore_ascii_case(name))
    {
        names.push(name.to_owned());
    }
    names
}

/// The session id context: the name as written, and the port that ServerName gives; without
/// one that of https, whatever the address (of http where `SSLEngine on` is not written). A
/// vhost without a ServerName has the port of its first address.
pub(super) fn context(vhost: &Vhost, vhosts: &[Vhost]) -> String {
    let fallback = match vhost.config.engine.value {
        Engine::On => HTTPS,
        _ => HTTP,
    };
    if let Some(name) = &vhost.config.name {
        return format!("{name}:{}", vhost.config.port.unwrap_or(fallback));
    }
    let Some(first) = vhost.addresses.first() else {
        // The server level, named by the machine.
        return format!("{MACHINE}:{fallback}");
    };
    let name = match (&first.host, for_every_address(vhost)) {
        (_, true) | (None, _) => main_name(vhosts).unwrap_or(MACHINE).to_owned(),
        (Some(host), false) => format!("(the name of {host})"),
    };
    let port = first.port.or(vhost.main_port).unwrap_or(fallback);
    format!("{name}:{port}")
}

/// Names that lead to a vhost already.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Without `*` and `?`, in lower case.
    plain: HashSet<String>,
    /// The others by what they begin and end with, in lower case: only these can cover a name.
    patterns: HashMap<(String, String), Alike>,
    /// How long these beginnings and ends are.
    lengths: BTreeSet<(usize, usize)>,
}

/// Patterns that begin and end alike.
#[derive(Debug, Default)]
struct Alike {
    /// By a part between two of `*` and `?`, in lower case, which a name has to hold; by an empty
    /// one where there is none.
    by_part: HashMap<String, HashSet<String>>,
    /// How long these parts are.
    lengths: BTreeSet<usize>,
    /// How many patterns there are.
    count: usize,
}

impl Taken {
    pub(super) fn add(&mut self, name: String) {
        let Some((begin, end)) = around(&name) else {
            self.plain.insert(name.to_ascii_lowercase());
            return;
        };
        let (begin, end) = (begin.to_ascii_lowercase(), end.to_ascii_lowercase());
        self.lengths.insert((begin.len(), end.len()));
        let alike = self.patterns.entry((begin, end)).or_default();
        alike.add(name);
    }

    /// True where everything that `name` matches leads there as well.
    pub(super) fn covers(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        if self.plain.contains(&lower) {
            return true;
        }
        let mut alike = self.lengths.iter().filter_map(|(begin, end)| {
            let begin = lower.get(..*begin)?;
            let end = lower.get(lower.len().checked_sub(*end)?..)?;
            self.patterns.get(&(begin.to_owned(), end.to_owned()))
        });
        alike.any(|patterns| patterns.cover(name, &lower))
    }
}

impl Alike {
    /// Of its parts the one decides that the fewest have been added by, then the longest one.
    fn add(&mut self, name: String) {
        let special = ['*', '?'];
        let lower = name.to_ascii_lowercase();
        let mut parts: Vec<&str> = lower.split(special).collect();
        // What it begins and ends with.
        parts.pop();
        let inner = parts.into_iter().skip(1);
        let added = |part: &str| self.by_part.get(part).map_or(0, HashSet::len);
        let parts = inner.filter(|part| !part.is_empty());
        let part = parts.min_by_key(|part| (added(part), usize::MAX - part.len()));
        let part = part.unwrap_or_default();
        self.lengths.insert(part.len());
        let same = self.by_part.entry(part.to_owned()).or_default();
        self.count += usize::from(same.insert(name));
    }

    fn cover(&self, name: &str, lower: &str) -> bool {
        let by = |pattern: &String| matches(pattern.as_bytes(), name.as_bytes());
        if self.lengths.len() * lower.len() >= self.count {
            // So many parts to look up that it is quicker to try all.
            return self.by_part.values().flatten().any(by);
        }
        self.lengths.iter().any(|length| {
            let begins = match length {
                0 => 0..1,
                _ => 0..(lower.len() + 1).saturating_sub(*length),
            };
            let mut parts = begins.filter_map(|at| lower.get(at..at + length));
            parts.any(|part| {
                let held = self.by_part.get(part);
                held.is_some_and(|patterns| patterns.iter().any(by))
            })
        })
    }
}

/// What stands before the first and behind the last `*` or `?`; `None` without any.
fn around(name: &str) -> Option<(&str, &str)> {
    let special = ['*', '?'];
    let (begin, _) = name.split_once(special)?;
    let (_, end) = name.rsplit_once(special)?;
    Some((begin, end))
}

/// What stands for the name of the machine, which no file says.
const MACHINE: &str = "(this machine)";

fn for_every_address(vhost: &Vhost) -> bool {
    let mut addresses = vhost.addresses.iter();
    addresses.any(|address| address.host.is_none())
}

fn main_name(vhosts: &[Vhost]) -> Option<&str> {
    vhosts.first()?.config.name.as_deref()
}

/// httpd's `*` and `?`, without regard to case; a star of the name needs one of the pattern.
/// Goes back to the last star only, which is enough and keeps it short for any name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let fits = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some(b'?') => name[from] != b'*',
            Some(byte) => byte.eq_ignore_ascii_case(&name[from]),
            None => false,
        };
        if fits {
            at += 1;
            from += 1;
            continue;
        }
        let Some((behind, begun)) = star else {
            return false;
        };
        star = Some((behind, begun + 1));
        at = behind + 1;
        from = begun + 1;
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By their beginnings and ends the same is found as by trying each pattern.
    #[test]
    fn patterns_that_cover_a_name_are_found() {
        let parts = ["", "a", "B.t", "*", "?", "**", "a*", "*.t", "é"];
        let mut names: Vec<String> = Vec::new();
        for one in parts {
            for two in parts {
                names.extend(parts.iter().map(|three| format!("{one}{two}{three}")));
            }
        }
        for pattern in &names {
            let mut taken = Taken::default();
            taken.add(pattern.clone());
            for name in &names {
                let expected = matches(pattern.as_bytes(), name.as_bytes());
                assert_eq!(taken.covers(name), expected, "{pattern} {name}");
            }
        }
        // All of some together.
        for step in [7, 31, 200] {
            let some: Vec<&String> = names.iter().skip(step).step_by(step).collect();
            let mut taken = Taken::default();
            for pattern in &some {
                taken.add((*pattern).clone());
            }
            for name in &names {
                let by = |pattern: &&String| matches(pattern.as_bytes(), name.as_bytes());
                assert_eq!(taken.covers(name), some.iter().any(by), "{step} {name}");
            }
        }
    }

    /// A part that all have says nothing about any of them.
    #[test]
    fn patterns_lie_by_what_sets_them_apart() {
        let mut taken = Taken::default();
        for host in 0..100 {
            taken.add(format!("*.example*h{host}?*"));
        }
        let [alike] = &taken.patterns.values().collect::<Vec<_>>()[..] else {
            panic!("{taken:?}");
        };
        assert!(alike.by_part.values().all(|patterns| patterns.len() < 3));
        assert!(taken.covers("www.example.h7x.org"));
        assert!(!taken.covers("www.example.k7x.org"));
    }
}
