//! What is defined, loaded and set while a configuration is read, each under conditions
//! that may be unknown.
//!
//! A fact is kept with the condition under which it was stated; asked under another
//! condition, the answer can be yes, no, or a question that only the model can put to a
//! version or a build. It must not read files.

use std::collections::HashMap;

use crate::catalog;
use crate::source::{Atom, AtomKind, Literal, When, WhenId};

/// An answer to a condition.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) enum Answer {
    Yes,
    No,
    /// It holds where all of these hold.
    Open(Vec<Literal>),
}

/// Conjunctions and the questions in them, each once.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) atoms: Vec<Atom>,
    pub(super) whens: Vec<When>,
    atom_ids: HashMap<String, u32>,
    when_ids: HashMap<Vec<Literal>, WhenId>,
}

/// The condition that always holds.
pub(super) const ALWAYS: WhenId = WhenId(0);

impl Conditions {
    pub(super) fn new() -> Self {
        Self {
            atoms: Vec::new(),
            whens: vec![When::default()],
            atom_ids: HashMap::new(),
            when_ids: HashMap::from([(Vec::new(), ALWAYS)]),
        }
    }

    pub(super) fn atom(&mut self, kind: AtomKind, text: String) -> u32 {
        if let Some(id) = self.atom_ids.get(&text) {
            return *id;
        }
        let id = self.atoms.len() as u32;
        self.atom_ids.insert(text.clone(), id);
        self.atoms.push(Atom { kind, text });
        id
    }

    pub(super) fn literals(&self, when: WhenId) -> &[Literal] {
        self.whens.get(when.0 as usize).map_or(&[], |when| &when.0)
    }

    /// `when` and all of `more`.
    pub(super) fn and(&mut self, when: WhenId, more: &[Literal]) -> WhenId {
        let mut all = self.literals(when).to_vec();
        all.extend_from_slice(more);
        all.sort_unstable();
        all.dedup();
        if let Some(id) = self.when_ids.get(&all) {
            return *id;
        }
        let id = WhenId(self.whens.len() as u32);
        self.when_ids.insert(all.clone(), id);
        self.whens.push(When(all));
        id
    }

    /// What is left to ask of `wanted` under `when`: nothing (it holds), or `None` where it
    /// cannot hold.
    pub(super) fn open(&self, when: WhenId, wanted: &[Literal]) -> Option<Vec<Literal>> {
        let known = self.literals(when);
        let against = |literal: &Literal| {
            known
                .iter()
                .any(|other| other.atom == literal.atom && other.holds != literal.holds)
        };
        if wanted.iter().any(against) {
            return None;
        }
        Some(
            wanted
                .iter()
                .filter(|literal| !known.contains(literal))
                .copied()
                .collect(),
        )
    }

    /// What is left to ask under `when` about something that was stated under `stated`.
    pub(super) fn reaches(&self, when: WhenId, stated: WhenId) -> Option<Vec<Literal>> {
        self.open(when, self.literals(stated))
    }
}

/// Statements about one name, oldest first: its value (`None`: taken away) and when.
type Statements = Vec<(Option<Vec<u8>>, WhenId)>;

/// Statements kept about one name; real files make one or two.
const MOST_STATEMENTS: usize = 256;

/// Names with the statements made about them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    statements: HashMap<Vec<u8>, Statements>,
}

/// What is known of a name under a condition.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) enum Known<'a> {
    /// Nobody said anything that can reach.
    Nothing,
    /// This value, or none: stated last.
    Value(Option<&'a [u8]>),
    /// Stated under conditions that are open here: those, and the value.
    Perhaps(Vec<Literal>, Option<&'a [u8]>),
    /// Several statements differ and depend on open conditions.
    Unclear,
}

impl Facts {
    /// States a value (or `None`: that there is none) under a condition.
    pub(super) fn state(&mut self, name: Vec<u8>, value: Option<Vec<u8>>, when: WhenId) {
        let statements = self.statements.entry(name).or_default();
        if when == ALWAYS {
            statements.clear();
        }
        statements.retain(|(_, other)| *other != when);
        statements.push((value, when));
        if statements.len() > MOST_STATEMENTS {
            statements.remove(0);
        }
    }

    /// The value stated last, under whatever condition.
    pub(super) fn newest(&self, name: &[u8]) -> Option<&[u8]> {
        self.statements.get(name)?.last()?.0.as_deref()
    }

    /// What holds for a name under `when`.
    pub(super) fn known(&self, name: &[u8], when: WhenId, conditions: &Conditions) -> Known<'_> {
        let mut open: Option<(Vec<Literal>, Option<&[u8]>)> = None;
        for (value, stated) in self.statements.get(name).into_iter().flatten().rev() {
            let Some(left) = conditions.reaches(when, *stated) else {
                continue;
            };
            let value = value.as_deref();
            match (&open, left.is_empty()) {
                (None, true) => return Known::Value(value),
                (None, false) => open = Some((left, value)),
                (Some((_, newer)), true) if *newer == value => return Known::Value(value),
                (Some(_), _) => return Known::Unclear,
            }
        }
        match open {
            Some((left, value)) => Known::Perhaps(left, value),
            None => Known::Nothing,
        }
    }
}

/// The other name by which `<IfModule>` knows a module: `mod_ssl.c` for `ssl_module`, and the other way round. What
/// httpd does not ship is taken to follow the custom that nearly all of them follow.
pub fn other_name(name: &[u8]) -> Option<Vec<u8>> {
    if let Some(module) = catalog::module(name) {
        let other = match module.name.as_bytes() == name {
            true => module.file,
            false => module.name,
        };
        return Some(other.as_bytes().to_vec());
    }
    if let Some(stem) = name.strip_suffix(b"_module") {
        return Some([b"mod_", stem, b".c"].concat());
    }
    let stem = name.strip_prefix(b"mod_")?.strip_suffix(b".c")?;
    Some([stem, b"_module"].concat())
}

/// Modules that every httpd has built in, by both names.
pub(super) fn is_built_in(name: &[u8]) -> bool {
    catalog::module(name).is_some_and(catalog::Module::always_built_in)
}

/// Modules that some build may have built in.
pub(super) fn may_be_built_in(name: &[u8]) -> bool {
    catalog::module(name).is_some_and(|module| !module.built_in.is_empty())
}
