//! The answers under which an httpd configuration is judged: one where the files and the
//! version decide everything, more where modules, names or files are unknown.

use regex::bytes::Regex;

use crate::catalog::Version;
use crate::model::blocks::literal_text;
use crate::source::{Atom, AtomKind, Project, WhenId};

/// Up to this many open conditions, every combination of answers is judged; beyond, each
/// one is answered against all others held true, so that the number grows with the
/// conditions and not with their combinations.
const ALL_COMBINATIONS: usize = 4;

/// The answers judged.
#[derive(Debug)]
pub(super) struct Alternatives<'a> {
    atoms: &'a [Atom],
    open: Vec<usize>,
    answers: Vec<Vec<bool>>,
}

impl<'a> Alternatives<'a> {
    /// Every answer that a configuration has to be judged under for one version.
    pub(super) fn of(project: &'a Project, version: Version) -> Self {
        let atoms = project.atoms.as_slice();
        let decided: Vec<Option<bool>> = atoms.iter().map(|atom| decide(atom, version)).collect();
        let open: Vec<usize> = (0..atoms.len())
            .filter(|index| decided[*index].is_none())
            .collect();
        let base: Vec<bool> = decided
            .iter()
            .map(|answer| answer.unwrap_or(true))
            .collect();
        let answers = combinations(&base, &open);
        Self {
            atoms,
            open,
            answers,
        }
    }

    /// One answer an atom, for each alternative; the first holds every open condition true.
    pub(super) fn answers(&self) -> &[Vec<bool>] {
        &self.answers
    }

    /// The literals of a conjunction that stay open, as written, and whether the version
    /// decides one of them the other way.
    pub(super) fn settled(&self, project: &Project, when: WhenId) -> (Vec<String>, bool) {
        let literals = project
            .whens
            .get(when.0 as usize)
            .map_or(&[][..], |when| &when.0);
        let mut texts = Vec::new();
        let mut excluded = false;
        for literal in literals {
            let index = literal.atom as usize;
            let (Some(atom), Some(first)) = (self.atoms.get(index), self.answers.first()) else {
                continue;
            };
            if self.open.contains(&index) {
                texts.push(literal_text(&atom.text, literal.holds));
            } else {
                excluded |= first.get(index) != Some(&literal.holds);
            }
        }
        (texts, excluded)
    }

    /// What the alternatives in `found` have in common and the others do not.
    pub(super) fn when(&self, found: &[usize]) -> Vec<String> {
        if found.len() == self.answers.len() {
            return Vec::new();
        }
        let mut texts = Vec::new();
        for atom in &self.open {
            let mut answers = found.iter().map(|index| self.answers[*index][*atom]);
            let Some(first) = answers.next() else {
                continue;
            };
            if answers.all(|answer| answer == first) {
                texts.push(literal_text(&self.atoms[*atom].text, first));
            }
        }
        texts
    }
}

fn combinations(base: &[bool], open: &[usize]) -> Vec<Vec<bool>> {
    if open.len() > ALL_COMBINATIONS {
        let mut all = vec![base.to_vec()];
        for atom in open {
            let mut answers = base.to_vec();
            answers[*atom] = false;
            all.push(answers);
        }
        return all;
    }
    let count = 1_usize << open.len();
    let combination = |number: usize| {
        let mut answers = base.to_vec();
        for (bit, atom) in open.iter().enumerate() {
            answers[*atom] = number & (1 << bit) == 0;
        }
        answers
    };
    (0..count).map(combination).collect()
}

/// What the version answers; `None` where it does not.
fn decide(atom: &Atom, version: Version) -> Option<bool> {
    let AtomKind::Version { operator, operand } = &atom.kind else {
        return None;
    };
    if operator == "~" || operand.starts_with('/') {
        let pattern = operand.trim_matches('/');
        let regex = Regex::new(pattern).ok()?;
        return Some(regex.is_match(version.to_string().as_bytes()));
    }
    let mut wanted = operand.split('.').map(|part| part.parse::<u16>().ok());
    let mut next = || wanted.next().unwrap_or(Some(0));
    let wanted = Version::new(next()?, next()?, next()?);
    match operator.as_str() {
        "=" | "==" => Some(version == wanted),
        ">" => Some(version > wanted),
        ">=" => Some(version >= wanted),
        "<" => Some(version < wanted),
        "<=" => Some(version <= wanted),
        _ => None,
    }
}
