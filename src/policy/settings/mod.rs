//! What `stekguard.toml` can say, as plain data: the shape of the file, its values merged over
//! several files, and what they make of the policy.
//!
//! Reads no file and knows no rule: names of rules stay text here, and the app compares them.

mod check;
mod close;
mod fleet;
mod json_schema;
mod layers;
mod period;
mod rotation;
mod sample;
mod schema;
mod schema_fleet;
mod schema_rotation;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ApacheDirective, Goal, Policy, Profile};

pub use close::close;
pub use fleet::{FLEET_MEMORY, FLEET_SCOPE, FleetMode, FleetSettings, STORE_PATIENCE};
pub use json_schema::json_schema;
pub use layers::{Effective, Fault, Layer, Origin};
pub use period::{Period, PeriodError};
pub use rotation::{Preset, RotationSettings};
pub use sample::sample;
pub use schema::{KEYS, Key, Kind};

/// Everything that the settings say, of all files together.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What to measure by where no override says otherwise.
    #[serde(flatten)]
    pub judging: Judging,
    /// Show pedantic findings too.
    pub pedantic: Option<bool>,
    /// Leave out findings that are less sure.
    pub min_confidence: Option<MinConfidence>,
    /// Globs of files that `fix` does not edit.
    pub protected: Option<Vec<String>>,
    /// Globs of files that a search through a directory leaves out.
    pub exclude: Option<Vec<String>>,
    /// Also leave out what `.gitignore` names.
    pub respect_gitignore: Option<bool>,
    /// Globs of include paths that may be missing.
    pub allow_missing: Option<Vec<String>>,
    /// How ticket keys rotate.
    pub rotation: RotationSettings,
    /// Ticket keys that many hosts share.
    pub fleet: FleetSettings,
    /// Versions of the servers where a root does not say them.
    pub versions: VersionSettings,
    /// The configurations to read where no path is given, and what holds for each.
    pub root: Vec<RootSettings>,
    /// Places on the server and where they lie here.
    pub path_map: Vec<PathMapSettings>,
    /// How the report looks.
    pub output: OutputSettings,
    /// What holds for some paths only; later ones over earlier ones.
    #[serde(rename = "override")]
    pub overrides: Vec<Override>,
}

/// What to measure by.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Judging {
    /// What resumption has to look like.
    pub policy: Option<Goal>,
    /// The name of a profile to start from.
    pub profile: Option<String>,
    /// A lifetime above this is a warning.
    pub lifetime_warning: Option<Period>,
    /// A lifetime above this is an error.
    pub lifetime_error: Option<Period>,
    /// A ticket key should be replaced at least this often.
    pub key_age: Option<Period>,
    /// How httpd's tickets are turned off.
    pub apache_directive: Option<ApacheDirective>,
    /// Grades of rules by name.
    pub rules: BTreeMap<String, RuleGrade>,
}

/// What becomes of a rule's findings.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleGrade {
    /// They are dropped.
    Off,
    /// They keep the grade that the rule gives them.
    Default,
    /// All of them are errors.
    Error,
    /// All of them are warnings.
    Warning,
    /// All of them are notes.
    Note,
    /// All of them are shown on request only.
    Pedantic,
}

/// How sure a finding has to be.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MinConfidence {
    /// All findings.
    Low,
    /// Those that hold unless a named assumption is wrong, and surer ones.
    Medium,
    /// Those that follow from what was read.
    High,
}

/// Versions, as on the command line.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionSettings {
    /// Of nginx.
    pub nginx: Vec<String>,
    /// Of Apache httpd.
    pub apache: Vec<String>,
    /// Of OpenSSL.
    pub openssl: Option<String>,
}

/// One configuration.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RootSettings {
    /// The file in which it begins; relative to the settings' folder.
    pub path: PathBuf,
    /// Whose it is, where its text does not tell.
    pub kind: Option<ServerKind>,
    /// The server's versions.
    pub versions: Vec<String>,
    /// OpenSSL's version.
    pub openssl: Option<String>,
    /// The package's version.
    pub package: Option<String>,
    /// httpd: what `--define` takes.
    pub defines: Vec<String>,
    /// httpd: all modules, by name.
    pub modules: Vec<String>,
    /// nginx: the blocks around a file that is no root, as `http,server`.
    pub context: Option<String>,
}

/// A kind of server.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// nginx.
    Nginx,
    /// Apache httpd.
    Apache,
}

/// A folder of the server and the folder here that holds its files.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PathMapSettings {
    /// On the server, absolute.
    pub deployed: PathBuf,
    /// Here; relative to the settings' folder.
    pub repository: PathBuf,
}

/// How the report looks.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputSettings {
    /// The report's format, by the name that `--format` takes.
    pub format: Option<String>,
    /// When there are colours.
    pub color: Option<ColorWhen>,
    /// Which grade is exit code 1.
    pub fail_on: Option<FailGrade>,
}

/// When there are colours.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorWhen {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Which grade is exit code 1.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailGrade {
    /// Errors.
    Error,
    /// Warnings and errors.
    Warning,
    /// Notes, warnings and errors.
    Note,
    /// None.
    Never,
}

/// What holds for some paths only.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// Globs of the paths.
    pub paths: Vec<String>,
    /// What to measure them by.
    #[serde(flatten)]
    pub judging: Judging,
}

impl Judging {
    /// Writes what it says into a policy; grades of rules are not part of one.
    pub fn apply(&self, policy: &mut Policy) {
        if let Some(profile) = self.profile.as_deref().and_then(Profile::by_name) {
            profile.apply(policy);
        }
        if let Some(goal) = self.policy {
            policy.goal = goal;
        }
        if let Some(directive) = self.apache_directive {
            policy.apache_directive = directive;
        }
        let set = |field: &mut u64, period: Option<Period>| {
            *field = period.map_or(*field, |period| period.0);
        };
        set(&mut policy.lifetime_warning, self.lifetime_warning);
        set(&mut policy.lifetime_error, self.lifetime_error);
        set(&mut policy.key_age, self.key_age);
    }
}
