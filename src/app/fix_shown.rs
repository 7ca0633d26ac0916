//! A repair in words and as a patch: what it changes, what it costs and what comes next.

use std::collections::HashSet;

use super::Repair;
use crate::finding::GoLive;
use crate::fix;
use crate::model::{Endpoint, Lifetimes, Tickets, Tls12, Tls13};
use crate::policy::{Goal, Policy};
use crate::report;

impl Repair {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// The patch: for a terminal with what it would act on written out, and with colours or
    /// without; else as `git apply` takes it.
    pub fn patch(&self, terminal: bool, colour: bool) -> Vec<u8> {
        let root = fix::common_repository(&self.plan.files);
        let options = fix::PatchOptions {
            root: root.as_deref(),
            terminal,
            colour,
        };
        fix::patch(&self.plan.files, options)
    }

    /// The patch file by file, for the report room.
    pub fn pages(&self) -> report::HtmlPatch<'_> {
        let file = |file: &'_ fix::PlannedFile| {
            let path = file.paths.first().map(|path| path.display().to_string());
            path.unwrap_or_default()
        };
        let files = self.plan.files.iter().map(|it| report::PatchedFile {
            path: file(it),
            before: &it.before,
            after: &it.after,
            reasons: it
                .reasons
                .iter()
                .map(|why| (why.span, why.clause()))
                .collect(),
        });
        report::HtmlPatch {
            files: files.collect(),
            costs: &self.plan.costs,
            notes: self.notes(),
            go_live: self.go_live(),
            refused: self.refused.iter().chain(&self.failed).cloned().collect(),
        }
    }

    /// How the patch is applied without `--write`, a command; `None` where nothing changes or
    /// a file exists in a stream only.
    pub fn command(&self) -> Option<String> {
        let files = &self.plan.files;
        if files.is_empty() || files.iter().any(|file| file.real.is_none()) {
            return None;
        }
        Some(match fix::common_repository(files) {
            Some(root) => format!("git -C {} apply", root.display()),
            None => "patch -p1 -d /".to_owned(),
        })
    }

    /// What it costs, a sentence each.
    pub fn costs(&self) -> &[String] {
        &self.plan.costs
    }

    /// What a reader of the patch should know, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.plan.notes.iter();
        let notes = notes.map(|note| format!("{}: {}", note.path.display(), note.text));
        notes.chain(self.advice.iter().cloned()).collect()
    }

    /// A configuration can name keys and not make them.
    pub(super) fn advice_for(&self, policy: &Policy) -> Vec<String> {
        let mut sites = self.after.servers.iter().map(|server| &server.site);
        let awaits = sites.any(|site| site.awaited.is_some());
        let mut advice: Vec<String> = self.changing().into_iter().collect();
        if self.plan.is_empty() || policy.goal != Goal::Rotate || !awaits {
            return advice;
        }
        advice.push(format!(
            "make the keys first, with `stekguard keys init`: none is seen in {}, and until they \
             are there nginx starts with a random key of its own",
            policy.keys_directory.display()
        ));
        advice
    }

    /// Every address and name at which something else resumes afterwards, where there are
    /// several: one edited line may stand for many servers.
    fn changing(&self) -> Option<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        let pairs = self.before.servers.iter().zip(&self.after.servers);
        let endpoints =
            pairs.flat_map(|(old, new)| old.site.endpoints.iter().zip(&new.site.endpoints));
        for (old, new) in endpoints {
            let label = new.label();
            if new.reachable && state(old) != state(new) && seen.insert(label.clone()) {
                labels.push(label);
            }
        }
        (labels.len() > 1).then(|| {
            let count = labels.len();
            format!("{count} addresses and names change: {}", labels.join("; "))
        })
    }

    /// What makes it live, a sentence; `None` where nothing changes.
    pub fn go_live(&self) -> Option<&'static str> {
        self.plan.go_live.map(|go_live| match go_live {
            GoLive::Reload => "a reload makes it live",
            GoLive::StopAndStart => {
                "stop the server and start it again: a reload would end it, though its configuration \
                 test passes"
            }
        })
    }
}

/// What a client can tell of an endpoint's sessions. A repair adds and moves no endpoint, so
/// that before and after stand in the same order.
fn state(endpoint: &Endpoint) -> (Tls12, Tls13, Lifetimes, &Tickets) {
    let key = &endpoint.ticket_key;
    (
        endpoint.tls12,
        endpoint.tls13,
        endpoint.lifetime_seconds,
        key,
    )
}
