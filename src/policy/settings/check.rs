//! A parsed file against the table of keys: unknown keys, values of the wrong kind, each with
//! its line. Notes where every value stands. Changes nothing.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::close::close;
use super::layers::Fault;
use super::period::Period;
use super::schema::{KEYS, Key, Kind};

/// More faults than this say nothing new.
const MOST_FAULTS: usize = 50;

/// What the walk gives.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The line of every key, by its path: `rotation.interval`, `root[0].path`.
    pub(super) lines: BTreeMap<String, u32>,
    /// What is wrong, in the order of the file's keys.
    pub(super) faults: Vec<Fault>,
}

/// Walks a file's table.
pub(super) fn check(text: &str, table: &DeTable<'_>) -> Checked {
    let mut walk = Walk {
        starts: starts(text),
        checked: Checked::default(),
    };
    walk.table("", table, KEYS);
    walk.checked.faults.sort_by_key(|fault| fault.line);
    walk.checked
}

/// The line of a byte offset, from 1.
pub(super) fn line(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let feeds = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(feeds + 1).unwrap_or(u32::MAX)
}

fn starts(text: &str) -> Vec<usize> {
    let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    feeds.map(|(at, _)| at).collect()
}

struct Walk {
    /// Where line feeds stand: a file of many keys is not counted from its start for each.
    starts: Vec<usize>,
    checked: Checked,
}

impl Walk {
    fn line(&self, offset: usize) -> u32 {
        let before = self.starts.partition_point(|feed| *feed < offset);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    fn full(&self) -> bool {
        self.checked.faults.len() >= MOST_FAULTS
    }

    fn fault(&mut self, line: u32, message: String, hint: Option<String>) {
        if !self.full() {
            self.checked.faults.push(Fault {
                line,
                message,
                hint,
            });
        }
    }

    fn table(&mut self, place: &str, table: &DeTable<'_>, keys: &[Key]) {
        // In the order of the file, so that the first faults are told where there are many.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            if self.full() {
                return;
            }
            let line = self.line(name.span().start);
            let name = name.get_ref().as_ref();
            let path = join(place, name);
            match keys.iter().find(|key| key.name == name) {
                Some(key) => {
                    self.value(&path, line, value, key.kind);
                    self.checked.lines.insert(path, line);
                }
                None => self.unknown(place, name, line, keys),
            }
        }
    }

    fn unknown(&mut self, place: &str, name: &str, line: u32, keys: &[Key]) {
        let shown: String = name.chars().take(60).collect();
        let message = match place {
            "" => format!("unknown key `{shown}`"),
            _ => format!("unknown key `{shown}` in `{place}`"),
        };
        let near = close(name, keys.iter().map(|key| key.name));
        let hint = match near.as_slice() {
            [] => {
                let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
                format!("the keys here are {}", names.join(", "))
            }
            near => format!("did you mean `{}`?", near.join("` or `")),
        };
        self.fault(line, message, Some(hint));
    }

    fn value(&mut self, path: &str, line: u32, value: &Spanned<DeValue<'_>>, kind: Kind) {
        let wanted = match (kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(_)) | (Kind::Text, DeValue::String(_)) => return,
            (Kind::Count, DeValue::Integer(number)) => {
                let digits = number.as_str();
                let count = u32::from_str_radix(digits, number.radix());
                if count.is_ok() {
                    return;
                }
                let shown: String = digits.chars().take(60).collect();
                let wanted = wanted(kind, path);
                return self.fault(line, format!("`{path}` is {wanted}, not {shown}"), None);
            }
            (Kind::Period, DeValue::String(text)) => {
                let Err(error) = Period::parse(text) else {
                    return;
                };
                return self.fault(line, format!("`{path}`: {error}"), None);
            }
            (Kind::Word(words), DeValue::String(word)) => {
                return self.word(path, line, word, words);
            }
            (Kind::Texts, DeValue::Array(items)) => {
                if items.iter().all(|item| item.get_ref().is_str()) {
                    return;
                }
                "a list of texts".to_owned()
            }
            (Kind::Names(words), DeValue::Table(table)) => {
                return self.names(path, table, words);
            }
            (Kind::Table(keys), DeValue::Table(table)) => return self.table(path, table, keys),
            (Kind::Tables(keys, required), DeValue::Array(items)) => {
                if items.iter().all(|item| item.get_ref().is_table()) {
                    return self.tables(path, items.iter(), keys, required);
                }
                format!("a table: write [[{path}]]")
            }
            (kind, _) => wanted(kind, path),
        };
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) {
            "an"
        } else {
            "a"
        };
        self.fault(
            line,
            format!("`{path}` is {wanted}, not {article} {found}"),
            None,
        );
    }

    fn word(&mut self, path: &str, line: u32, word: &str, words: &[&str]) {
        if words.contains(&word) {
            return;
        }
        // One line, whatever the word holds.
        let mut shown = String::new();
        for character in word.chars().take(60) {
            match character.is_control() {
                true => shown.extend(character.escape_default()),
                false => shown.push(character),
            }
        }
        let message = format!("`{path}`: `{shown}` is none of {}", words.join(", "));
        let near = close(word, words.iter().copied());
        let hint = near.first().map(|word| format!("did you mean `{word}`?"));
        self.fault(line, message, hint);
    }

    fn names(&mut self, place: &str, table: &DeTable<'_>, words: &[&str]) {
        for (name, value) in table {
            let line = self.line(name.span().start);
            let path = join(place, name.get_ref());
            match value.get_ref() {
                DeValue::String(word) => self.word(&path, line, word, words),
                other => {
                    let found = other.type_str();
                    let message = format!("`{path}` is one of {}, not a {found}", words.join(", "));
                    self.fault(line, message, None);
                }
            }
            self.checked.lines.insert(path, line);
        }
    }

    fn tables<'v>(
        &mut self,
        path: &str,
        items: impl Iterator<Item = &'v Spanned<DeValue<'v>>>,
        keys: &[Key],
        required: &[&str],
    ) {
        for (index, item) in items.enumerate() {
            let Some(table) = item.get_ref().as_table() else {
                continue;
            };
            let place = format!("{path}[{index}]");
            let line = self.line(item.span().start);
            self.checked.lines.insert(place.clone(), line);
            self.table(&place, table, keys);
            for name in required {
                if !table.contains_key(*name) {
                    self.fault(line, format!("[[{path}]] has no `{name}`"), None);
                }
            }
        }
    }
}

fn join(place: &str, name: &str) -> String {
    // The name of a hostile key is bounded, as it is shown.
    let name: String = name.chars().take(200).collect();
    match place {
        "" => name,
        _ => format!("{place}.{name}"),
    }
}

fn wanted(kind: Kind, path: &str) -> String {
    match kind {
        Kind::Flag => "true or false".to_owned(),
        Kind::Count => "a whole number from 0 to 4294967295".to_owned(),
        Kind::Text => "a text in quotes".to_owned(),
        Kind::Period => "a period in quotes such as \"24h\"".to_owned(),
        Kind::Word(words) => format!("one of \"{}\"", words.join("\", \"")),
        Kind::Texts => "a list of texts".to_owned(),
        Kind::Names(_) | Kind::Table(_) => format!("a table: write [{path}]"),
        Kind::Tables(..) => format!("a table: write [[{path}]]"),
    }
}
