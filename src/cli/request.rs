//! The request behind the arguments.

use std::path::Path;

use super::args::{JudgeArguments, ReadArguments};
use super::hints::{Said, said};
use crate::app::{Request, Startup, Versions, explain, standard_input};
use crate::policy::{Goal, Policy};

/// `goal` is what the command aims at where no `--policy` says otherwise.
pub(super) fn request(
    read: &ReadArguments,
    judge: Option<(&JudgeArguments, Goal)>,
) -> Result<Request, Said> {
    let (streams, paths): (Vec<_>, Vec<_>) = read
        .paths
        .iter()
        .cloned()
        .partition(|path| path.as_os_str() == "-");
    let settings = match &read.settings {
        Some(Ok(settings)) => Some(settings),
        Some(Err(said)) => return Err(said.clone()),
        None => None,
    };
    let mut policy = Policy::default();
    if let Some((judge, goal)) = judge {
        policy.goal = goal;
        if let Some(settings) = settings {
            settings.policy(&mut policy);
        }
        if let Some(profile) = judge.profile {
            profile.apply(&mut policy);
        }
        if let Some(name) = judge.policy {
            policy.goal = name.goal();
        }
        policy.keys_directory = judge.keys_dir.clone();
        policy.apache_directive = judge.apache_directive.directive();
    }
    let named = |judge: &JudgeArguments| {
        let profile = judge.profile.map(|profile| profile.goal);
        judge.policy.map(|name| name.goal()).or(profile)
    };
    let goal = judge.and_then(|(judge, _)| named(judge));
    let mut request = Request {
        versions: versions(read)?,
        startup: startup(read)?,
        stream: if streams.is_empty() {
            None
        } else {
            Some(standard_input().map_err(said)?)
        },
        paths,
        allow_missing: read.allow_missing.clone(),
        policy,
        pedantic: judge.is_some_and(|(judge, _)| judge.pedantic),
        min_confidence: judge.and_then(|(judge, _)| Some(judge.min_confidence?.confidence())),
        context: read.context,
        ..Request::default()
    };
    if let Some(settings) = settings {
        settings.complete(&mut request, goal);
    }
    Ok(request)
}

/// Refuses names that are no rule's.
pub(super) fn known_rules(names: &[String]) -> Result<(), Said> {
    names
        .iter()
        .try_for_each(|name| explain(name).map(drop))
        .map_err(said)
}

fn versions(read: &ReadArguments) -> Result<Versions, Said> {
    let mut versions = Versions {
        detect: read.detect,
        ..Versions::default()
    };
    for spec in &read.server_version {
        versions
            .add(spec)
            .map_err(|error| (format!("--server-version: {error}"), None))?;
    }
    for spec in &read.package {
        versions
            .add_package(spec)
            .map_err(|error| (format!("--package: {error}"), None))?;
    }
    Ok(versions)
}

fn startup(read: &ReadArguments) -> Result<Startup, Said> {
    let mut startup = Startup::default();
    for spec in &read.define {
        startup
            .define(spec)
            .map_err(|error| (format!("--define: {error}"), None))?;
    }
    for list in &read.modules {
        let added = match list.strip_prefix('@') {
            Some(file) => startup.modules_file(Path::new(file)),
            None => startup.modules(list),
        };
        added.map_err(|error| (format!("--modules: {error}"), None))?;
    }
    Ok(startup)
}
