//! httpd's one session store: the line in force, its kind and its path. Must not judge.

use crate::catalog::Server;
use crate::model::{Effect, Setting, Site};
use crate::rules::{places, sessions_off};

/// The store in force, with the endpoints that keep sessions in it.
pub(super) fn in_force(site: &Site) -> Option<(&Setting, Vec<usize>)> {
    let name = sessions_off::directive(Server::Apache);
    let mut stores = places::named(site, name).filter(|setting| {
        setting.effect == Effect::InForce && sessions_off::is_real_cache(setting)
    });
    let store = stores.next_back()?;
    let keeps = |(_, endpoint): &(usize, &crate::model::Endpoint)| {
        endpoint.reachable && (endpoint.tls12.session_id.kept_here() || endpoint.resumes())
    };
    let endpoints = site.endpoints.iter().enumerate().filter(keeps);
    let endpoints: Vec<usize> = endpoints.map(|(index, _)| index).collect();
    (!endpoints.is_empty()).then_some((store, endpoints))
}

/// `dbm` of `dbm:/path`.
pub(super) fn kind(value: &str) -> &str {
    value.split(':').next().unwrap_or_default()
}

/// `/path` of `shmcb:/path(512000)`.
pub(super) fn path(setting: &Setting) -> Option<&str> {
    let (_, rest) = setting.arguments.first()?.split_once(':')?;
    rest.split('(').next().filter(|path| !path.is_empty())
}
