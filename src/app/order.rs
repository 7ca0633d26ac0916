//! In which order the files of a repair are replaced. Looks at mixtures of new and old files;
//! replaces none.
//!
//! A server may read its configuration between any two steps. Up to [`MOST_FILES`] files every
//! step is judged as a whole configuration, and where the usual order has a broken step others
//! are searched. For more, that would take a judgement a file.
//!
//! Then it is used that files of virtual hosts meet in few places. What a judgement says
//! of an address and name follows from the host itself, from the host that governs its address,
//! and from what stands around all hosts; a rule that compares, compares two hosts of one
//! address. A zone or a name that is taken twice is a matter of two. So whatever breaks in a
//! step shows in at most three of the files that change inside of hosts, with all others old
//! or new alike. [`fix::cover`] gives mixtures in which any three of them stand as in each
//! step, and each of those is judged as a whole configuration: if something breaks in a step,
//! the same three files break one of them.
//!
//! Hosts that govern others become new behind all of those, or before them, whichever holds:
//! the mixtures are made for each kind by itself, with all of the other kind old or new.
//!
//! A file that changes anything around hosts, or that is read twice or within a host, may
//! concern all of them: it is a step of its own. What comes before it in the order is new
//! in all the mixtures behind it, what comes after it is old in those before. With more of
//! them than [`MOST_AROUND`], or hosts that are governed otherwise afterwards, this says
//! nothing, and neither does it where a mixture is broken that is no step: then it is told that
//! the steps were not tried.
//!
//! `tests` below holds it against judging every step.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::lint::Judged;
use super::mixture::{Concerned, Mixtures};
use crate::catalog::Server;
use crate::fix::{self, Order, PlannedFile};
use crate::model::Endpoint;
use crate::source::{Directive, DirectiveId, FileId, Project};
use crate::text::Span;

/// Up to so many files each step of the way is judged.
const MOST_FILES: usize = 64;
/// So many files may change something around hosts.
const MOST_AROUND: usize = 8;
/// Directives times mixtures: more would take minutes.
const MOST_WORK: usize = 40_000_000;

/// Whether the steps are more than are judged one by one.
pub(super) fn is_long(files: &[PlannedFile]) -> bool {
    files.len() > MOST_FILES
}

/// The usual order of many files, of which nothing is known.
pub(super) fn untried(files: &[PlannedFile]) -> Order {
    let count = files.len();
    Order {
        broken: Some(format!(
            "whether every step is sound was not tried: {count} files are replaced, and without \
             --write up to {MOST_FILES} are tried"
        )),
        ..Order::usual(count)
    }
}

/// An order in which every step is sound, or the usual one and why that is not known.
pub(super) fn find(files: &[PlannedFile], mixtures: &Mixtures<'_>) -> Order {
    if !is_long(files) {
        return Order::find(files.len(), &mut |new| mixtures.sound(new));
    }
    find_long(files, mixtures)
}

/// What a changed file holds.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Part {
    /// Hosts, none of which governs another file's.
    Hosts,
    /// A host that governs others, where what it says counts for them.
    Governor,
    /// Something else: it is a step by itself.
    Around,
}

/// Tries hosts before those that govern them, then the other way round; what stands around
/// them comes last, the root behind all. Else as usual.
fn find_long(files: &[PlannedFile], mixtures: &Mixtures<'_>) -> Order {
    let usual = Order::usual(files.len());
    let tried = parts(files, mixtures).and_then(|parts| {
        let in_order = |ranks: fn(Part) -> u8| {
            let mut sequence = usual.sequence.clone();
            sequence.sort_by_key(|file| ranks(parts[*file]));
            covered(mixtures, &sequence, &parts).map(|()| sequence)
        };
        let last = in_order(|part| match part {
            Part::Hosts => 0,
            Part::Governor => 1,
            Part::Around => 2,
        });
        last.or_else(|why| {
            let first = in_order(|part| match part {
                Part::Governor => 0,
                Part::Hosts => 1,
                Part::Around => 2,
            });
            first.map_err(|_| why)
        })
    });
    let count = files.len();
    match tried {
        Ok(sequence) => Order {
            sequence,
            broken: None,
        },
        Err(why) => Order {
            broken: Some(format!(
                "whether every step is sound is not known, {count} files are replaced: {why}"
            )),
            ..usual
        },
    }
}

fn parts(files: &[PlannedFile], mixtures: &Mixtures<'_>) -> Result<Vec<Part>, String> {
    let mut parts = vec![Part::Hosts; files.len()];
    for concerned in &mixtures.concerned {
        if !governed_alike(concerned) {
            return Err("hosts are governed otherwise afterwards".to_owned());
        }
        let governing = governing(concerned);
        for index in &concerned.reads {
            let mut paths = files[*index].paths.iter();
            if parts[*index] == Part::Hosts && paths.any(|path| governing.contains(&**path)) {
                parts[*index] = Part::Governor;
            }
        }
        let project = &concerned.old.loaded.project;
        for index in outside_of_hosts(project, files, &concerned.reads) {
            parts[index] = Part::Around;
        }
    }
    let around = parts.iter().filter(|part| **part == Part::Around).count();
    match around > MOST_AROUND {
        true => Err(format!("{around} of them change what stands around hosts")),
        false => Ok(parts),
    }
}

/// Files with a host that governs another one.
fn governing(concerned: &Concerned) -> HashSet<&Path> {
    let site = &concerned.old.site;
    let others = site.endpoints.iter().filter(|it| it.governor != it.block);
    let blocks = others.filter_map(|it| site.blocks.get(it.governor.0 as usize));
    blocks.map(|block| &*block.location.path).collect()
}

/// Judges what stands for every step of a sequence of files.
fn covered(mixtures: &Mixtures<'_>, sequence: &[usize], parts: &[Part]) -> Result<(), String> {
    let trials = trials(sequence, parts);
    let size = |it: &Concerned| it.old.loaded.project.directives.len();
    let work: usize = mixtures.concerned.iter().map(size).sum();
    if work.saturating_mul(trials.len()) > MOST_WORK {
        return Err("trying would take minutes".to_owned());
    }
    trials.iter().try_for_each(|new| mixtures.sound(new))
}

/// The mixtures that stand for all steps, each ascending. Hosts and those that govern are runs
/// of their own, so that none stands otherwise than before all of the other run or behind it.
fn trials(sequence: &[usize], parts: &[Part]) -> Vec<Vec<usize>> {
    let same =
        |one: &usize, other: &usize| parts[*one] == parts[*other] && parts[*one] != Part::Around;
    let mut trials = Vec::new();
    let mut start = 0;
    for run in sequence.chunk_by(same) {
        let before = &sequence[..start];
        for places in fix::cover(run.len()) {
            let new = places.iter().map(|place| run[*place]);
            trials.push(before.iter().copied().chain(new).collect());
        }
        start += run.len();
        if start < sequence.len() {
            trials.push(sequence[..start].to_vec());
        }
    }
    for trial in &mut trials {
        trial.sort_unstable();
    }
    trials
}

/// Every endpoint is there before and afterwards, made from the same blocks.
fn governed_alike(concerned: &Concerned) -> bool {
    let of = |judged: &Judged| judged.site.endpoints.len();
    let same = |one: &Endpoint, other: &Endpoint| {
        one.block == other.block
            && one.governor == other.governor
            && one.address == other.address
            && one.names == other.names
    };
    let (old, new) = (&concerned.old, &concerned.new);
    let mut pairs = old.site.endpoints.iter().zip(&new.site.endpoints);
    of(old) == of(new) && pairs.all(|(one, other)| same(one, other))
}

/// Those of these planned files that change anything but the insides of hosts that stand in
/// them, or that are read otherwise than once.
fn outside_of_hosts<'a>(
    project: &'a Project,
    files: &'a [PlannedFile],
    reads: &'a [usize],
) -> impl Iterator<Item = usize> + 'a {
    let mut entries: HashMap<&Path, Vec<FileId>> = HashMap::new();
    for (index, file) in project.files.iter().enumerate() {
        let name = file.real.as_deref().unwrap_or(&file.path);
        let entries = entries.entry(name).or_default();
        entries.push(FileId(index as u32));
    }
    let hosts = Hosts::of(project);
    reads.iter().filter_map(move |index| {
        let file = files.get(*index)?;
        let name = file
            .real
            .as_deref()
            .or(file.paths.first().map(|it| &**it))?;
        let inside = match entries.get(name).map(Vec::as_slice) {
            Some([only]) => hosts.hold(*only, file),
            _ => false,
        };
        (!inside).then_some(*index)
    })
}

/// The insides of hosts, by file.
struct Hosts {
    /// In order; none lies in another.
    bodies: Vec<Vec<Span>>,
    /// The file is read once, and by no macro.
    once: Vec<bool>,
}

impl Hosts {
    fn of(project: &Project) -> Self {
        let count = project.files.len();
        let mut hosts = Self {
            bodies: vec![Vec::new(); count],
            once: vec![true; count],
        };
        let mut chains = vec![None; count];
        for (index, directive) in project.directives.iter().enumerate() {
            let file = directive.file.0 as usize;
            if chains[file]
                .replace(directive.via)
                .is_some_and(|via| via != directive.via)
            {
                hosts.once[file] = false;
            }
            if !is_host(project, DirectiveId(index as u32), directive) {
                continue;
            }
            hosts.bodies[file].extend(directive.body);
        }
        hosts
    }

    fn hold(&self, id: FileId, file: &PlannedFile) -> bool {
        let index = id.0 as usize;
        let bodies = self.bodies.get(index).map_or(&[][..], Vec::as_slice);
        let inside = |span: Span| {
            let behind = bodies.partition_point(|body| body.start <= span.start);
            let body = behind.checked_sub(1).and_then(|last| bodies.get(last));
            body.is_some_and(|body| span.end <= body.end)
        };
        let once = self.once.get(index).is_some_and(|once| *once);
        once && fix::changes(file).iter().all(|change| inside(change.span))
    }
}

/// A virtual host: nginx `server`, which is no block in an `upstream`; httpd `VirtualHost`.
fn is_host(project: &Project, id: DirectiveId, directive: &Directive) -> bool {
    let name = project.name(id);
    directive.body.is_some()
        && match project.server {
            Server::Nginx => name == b"server",
            Server::Apache => name.eq_ignore_ascii_case(b"VirtualHost"),
        }
}

#[cfg(test)]
mod tests;
