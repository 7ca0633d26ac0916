//! What keeps a server from starting and no finding says already.

use std::collections::HashSet;
use std::path::Path;

use super::lint::Judged;
use crate::report;
use crate::source::RootKind;
use crate::text::Location;

/// Rules that say themselves that the server does not start, with a repair.
const TOLD_BY_RULES: [&str; 2] = ["directive-not-in-version", "malformed-conf-command"];

/// What keeps the server from starting and no finding says already.
pub(super) fn refusals(judged: &Judged) -> Vec<report::Problem> {
    let (loaded, site) = (&judged.loaded, &judged.site);
    // What a lone fragment lacks may stand around the place that includes it, and what is
    // missing in a tree may stand in a file that was only assumed.
    let fragment = matches!(loaded.root.kind, RootKind::Fragment(_));
    if fragment || !loaded.project.assumed.is_empty() {
        return Vec::new();
    }
    if site.refusals.is_empty() {
        return Vec::new();
    }
    let silenced = judged.silenced.iter().map(|it| &it.finding);
    let findings = judged.findings.iter().chain(silenced);
    let told = findings.filter(|finding| TOLD_BY_RULES.contains(&finding.rule));
    let told: HashSet<(&Path, u32)> = told.map(|it| line_of(&it.location)).collect();
    let said = |at: &Location| told.contains(&line_of(at));
    let new = site.refusals.iter().filter(|refusal| !said(&refusal.at));
    new.map(|refusal| report::Problem {
        kind: "refused",
        path: refusal.at.path.to_path_buf(),
        line: refusal.at.line,
        location: Some(refusal.at.clone()),
        message: refusal.message.clone(),
        refused: true,
    })
    .collect()
}

fn line_of(place: &Location) -> (&Path, u32) {
    (&place.path, place.line)
}
