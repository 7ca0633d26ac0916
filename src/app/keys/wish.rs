//! What a user says about keys, as words: the plan over that of the settings, addresses and
//! sizes.

use std::path::PathBuf;

use super::Target;
use crate::app::{AppError, Lookup, configured};
use crate::policy::settings::RotationSettings;
use crate::policy::{KEYS_DIRECTORY, Rotation};

/// The plan and the folder of the settings, with what `over` says above them. The inner error
/// is a sentence about the plan.
///
/// # Errors
/// [`AppError::Settings`] where the settings cannot be used.
pub fn plan(
    over: RotationSettings,
    lookup: &Lookup,
) -> Result<Result<(Rotation, PathBuf), String>, AppError> {
    let configured = configured(&[], lookup).map_err(AppError::Settings)?;
    let settings = configured.settings().rotation.clone();
    let all = RotationSettings {
        preset: over.preset.or(settings.preset),
        interval: over.interval.or(settings.interval),
        ahead: over.ahead.or(settings.ahead),
        previous: over.previous.or(settings.previous),
        lifetime: over.lifetime.or(settings.lifetime),
        skew: over.skew.or(settings.skew),
        directory: over.directory.or(settings.directory),
        scheduled_reload: over.scheduled_reload.or(settings.scheduled_reload),
    };
    let plan = all.plan();
    let plan = plan.map_err(|(name, why)| format!("rotation: {name}: {why}"));
    let folder = all.directory;
    Ok(plan.map(|plan| {
        let folder = folder.unwrap_or_else(|| PathBuf::from(KEYS_DIRECTORY));
        (plan, folder)
    }))
}

/// `127.0.0.1:443` or `127.0.0.1:443=www.example.com`.
pub fn target(text: &str) -> Option<Target> {
    let (address, name) = match text.split_once('=') {
        Some((address, name)) => (address, Some(name.to_owned())),
        None => (text, None),
    };
    let address = address.parse().ok()?;
    Some(Target { address, name })
}

/// True for a size as nginx reads it: it stands in a configuration.
pub fn cache_size(text: &str) -> bool {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M']);
    !digits.is_empty()
        && digits.len() + 1 >= text.len()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}
