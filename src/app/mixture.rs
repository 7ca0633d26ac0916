//! A tree of which some files are new and some old: what a server finds that reads it while
//! files are being replaced. Judges in memory; changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::inputs::Replaced;
use super::lint::{Judged, Session};
use super::refused::refusals;
use crate::finding::Severity;
use crate::fix::PlannedFile;
use crate::model::Endpoint;

/// The configurations that planned files belong to, as they were and as they will be.
#[derive(Debug)]
pub(super) struct Mixtures<'a> {
    session: &'a Session<'a>,
    /// By planned file: its names and its new bytes.
    texts: Vec<(Vec<PathBuf>, Arc<[u8]>)>,
    pub(super) concerned: Vec<Concerned>,
}

/// A configuration with at least one planned file.
#[derive(Debug)]
pub(super) struct Concerned {
    index: usize,
    /// Which of the planned files it reads, ascending.
    pub(super) reads: Vec<usize>,
    pub(super) old: Judged,
    pub(super) new: Judged,
    states: (State, State),
}

/// What counts of a judged tree.
#[derive(Debug)]
struct State {
    /// Why it is not read, or the server would not start.
    refused: BTreeSet<String>,
    endpoints: BTreeMap<String, Worth>,
    /// Rules of findings of warning or above with each endpoint they name.
    found: BTreeSet<(&'static str, String)>,
}

/// What an endpoint does, more is worse.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
struct Worth {
    stateless: bool,
    resumes: bool,
    seconds: u64,
}

impl<'a> Mixtures<'a> {
    /// Reads every configuration of the request that has one of the files, before and after.
    pub(super) fn new(session: &'a Session<'a>, files: &'a [PlannedFile]) -> Self {
        let texts: Vec<_> = files.iter().map(texts).collect();
        let (mut opened, mut real) = (HashMap::new(), HashMap::new());
        for (index, file) in files.iter().enumerate() {
            opened.extend(file.paths.iter().map(|path| (&**path, index)));
            real.extend(file.real.as_deref().map(|path| (path, index)));
        }
        let replaced = everything(files);
        let concerned = (0..session.inputs.count()).filter_map(|index| {
            let old = session.judged(index, &[])?;
            let read = old.loaded.project.files.iter();
            let each = read.flat_map(|file| {
                let by_real = file.real.as_deref().and_then(|path| real.get(path));
                [opened.get(&*file.path), by_real].into_iter().flatten()
            });
            let reads: BTreeSet<usize> = each.copied().collect();
            if reads.is_empty() {
                return None;
            }
            let loaded = session.inputs.load(index, &[&replaced])?;
            let new = session.judged_for(loaded, old.platforms.clone())?;
            Some(Concerned {
                index,
                reads: reads.into_iter().collect(),
                states: (State::of(&old), State::of(&new)),
                old,
                new,
            })
        });
        Self {
            concerned: concerned.collect(),
            session,
            texts,
        }
    }

    /// With these files new, ascending, and the others old: the server accepts it, and no
    /// endpoint does what it does neither before nor afterwards.
    pub(super) fn sound(&self, new: &[usize]) -> Result<(), String> {
        let new_texts = new.iter().filter_map(|index| self.texts.get(*index));
        let replaced: Replaced = new_texts
            .flat_map(|(names, text)| names.iter().map(|name| (name.clone(), Arc::clone(text))))
            .collect();
        for it in &self.concerned {
            let is_new = |file: &&usize| new.binary_search(file).is_ok();
            let count = it.reads.iter().filter(is_new).count();
            if count == 0 || count == it.reads.len() {
                continue;
            }
            let loaded = self.session.inputs.load(it.index, &[&replaced]);
            let judged = loaded
                .and_then(|loaded| self.session.judged_for(loaded, it.old.platforms.clone()))
                .ok_or("it cannot be read again")?;
            let (old, new) = &it.states;
            compare(&State::of(&judged), old, new).map_err(|why| format!("in between {why}"))?;
        }
        Ok(())
    }
}

/// Says what of a tree is worse than both what was and what will be, as the end of a sentence.
pub(super) fn sound_between(mixed: &Judged, old: &Judged, new: &Judged) -> Result<(), String> {
    compare(&State::of(mixed), &State::of(old), &State::of(new))
}

/// What all files are replaced by, under every name.
pub(super) fn everything(files: &[PlannedFile]) -> Replaced {
    let each = files.iter().map(texts);
    each.flat_map(|(names, text)| names.into_iter().map(move |name| (name, Arc::clone(&text))))
        .collect()
}

/// Every name of a file, and its new bytes.
fn texts(file: &PlannedFile) -> (Vec<PathBuf>, Arc<[u8]>) {
    let opened = file.paths.iter().map(|path| path.to_path_buf());
    let names = opened.chain(file.real.clone()).collect();
    (names, Arc::clone(&file.after))
}

impl State {
    fn of(judged: &Judged) -> Self {
        let problems = judged.loaded.project.problems.iter();
        let mut refused: BTreeSet<String> = problems.map(|it| it.message.clone()).collect();
        let more = refusals(judged);
        refused.extend(more.into_iter().map(|it| it.message));
        let mut endpoints: BTreeMap<String, Worth> = BTreeMap::new();
        for endpoint in &judged.site.endpoints {
            let worth = endpoints.entry(endpoint.label()).or_default();
            *worth = worth.or(Worth::of(endpoint));
        }
        let grave = judged.findings.iter();
        let grave = grave.filter(|finding| finding.severity >= Severity::Warning);
        let found = grave.flat_map(|finding| {
            let named = finding.endpoints.iter().cloned();
            let none = finding.endpoints.is_empty().then(String::new);
            named.chain(none).map(|endpoint| (finding.rule, endpoint))
        });
        Self {
            refused,
            endpoints,
            found: found.collect(),
        }
    }
}

impl Worth {
    fn of(endpoint: &Endpoint) -> Self {
        let seconds = endpoint.lifetime_seconds;
        Self {
            stateless: endpoint.reachable && endpoint.stateless_resumes(),
            resumes: endpoint.reachable && endpoint.resumes(),
            seconds: seconds.tls12.max(seconds.tls13).unwrap_or(0),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            stateless: self.stateless || other.stateless,
            resumes: self.resumes || other.resumes,
            seconds: self.seconds.max(other.seconds),
        }
    }
}

fn compare(mixed: &State, old: &State, new: &State) -> Result<(), String> {
    let known = |why: &&String| !old.refused.contains(*why) && !new.refused.contains(*why);
    if let Some(why) = mixed.refused.iter().find(known) {
        return Err(format!("the server would say: {why}"));
    }
    let served = old.endpoints.keys();
    let mut served = served.filter(|label| new.endpoints.contains_key(*label));
    if let Some(label) = served.find(|label| !mixed.endpoints.contains_key(*label)) {
        return Err(format!("{label} would not be served"));
    }
    for (label, worth) in &mixed.endpoints {
        let known = |state: &State| state.endpoints.get(label).copied().unwrap_or_default();
        let either = known(old).or(known(new));
        if worth.or(either) != either {
            return Err(format!(
                "{label} would resume more than before and afterwards"
            ));
        }
    }
    let more = |it: &&(&'static str, String)| !old.found.contains(*it) && !new.found.contains(*it);
    match mixed.found.iter().find(more) {
        None => Ok(()),
        Some((rule, endpoint)) if endpoint.is_empty() => Err(format!("there is {rule}")),
        Some((rule, endpoint)) => Err(format!("{endpoint} has {rule}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Request;
    use crate::catalog::Server;
    use crate::fix::Order;
    use crate::text::EditSet;

    const TICKETS: &str = "ssl_session_tickets off;\n";

    /// A tree with a root (first) and two included files, each as it was and as it will be.
    fn order(files: [(&str, &str); 3]) -> (Vec<usize>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let names = ["nginx.conf", "a.conf", "b.conf"];
        let text = |index: usize, said: &str| match index {
            0 => format!(
                "events {{}}\nhttp {{\nssl_certificate c;\nssl_certificate_key k;\n{said}\
                 include a.conf;\ninclude b.conf;\nserver {{ listen 127.0.0.1:8443 ssl; }}\n}}\n"
            ),
            _ => said.to_owned(),
        };
        let mut planned = Vec::new();
        for (index, (old, new)) in files.iter().enumerate() {
            let path = base.join(names[index]);
            let (before, after) = (text(index, old), text(index, new));
            std::fs::write(&path, &before).unwrap();
            planned.push(PlannedFile {
                paths: vec![Arc::from(path.as_path())],
                real: Some(path),
                server: Server::Nginx,
                before: Arc::from(before.as_bytes()),
                after: after.into_bytes().into(),
                rounds: vec![EditSet::new()],
                reasons: Vec::new(),
                crowded: false,
            });
        }
        let request = Request {
            paths: vec![base.join(names[0])],
            ..Request::default()
        };
        let session = Session::open(&request).unwrap();
        let mixtures = Mixtures::new(&session, &planned);
        assert_eq!(mixtures.concerned.len(), 1);
        let order = Order::find(planned.len(), &mut |new| mixtures.sound(new));
        (order.sequence, order.broken)
    }

    #[test]
    fn files_that_do_not_touch_each_other_keep_the_usual_order() {
        let timeout = "ssl_session_timeout 1h;\n";
        let found = order([("", TICKETS), ("", timeout), ("", "ssl_buffer_size 4k;\n")]);
        assert_eq!(found, (vec![2, 1, 0], None));
    }

    /// Twice would be refused; nowhere is as it was: tickets are on.
    #[test]
    fn a_line_leaves_before_its_successor_arrives() {
        let on = "ssl_session_tickets on;\n";
        let (sequence, broken) = order([(on, ""), ("", TICKETS), ("", "ssl_buffer_size 4k;\n")]);
        assert_eq!(broken, None);
        assert_eq!(sequence, [2, 0, 1]);
    }

    /// Off before and afterwards: twice would be refused, and nowhere they would be on.
    #[test]
    fn a_line_that_moves_has_no_sound_order_and_that_is_said() {
        let (sequence, broken) = order([(TICKETS, ""), ("", TICKETS), ("", "")]);
        assert_eq!(sequence, [2, 1, 0]);
        let broken = broken.unwrap();
        assert!(
            broken.starts_with("no order of these files is sound"),
            "{broken}"
        );
    }
}
