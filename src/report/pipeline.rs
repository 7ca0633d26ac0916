//! What the formats for pipelines share: which file a finding names there, and what its fix
//! changes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Lint, RulePage};
use crate::finding::Finding;
use crate::text::{Edit, Location};

/// Everything that a format for pipelines is made from.
#[derive(Copy, Clone, Debug)]
pub struct Pipeline<'a> {
    /// What was found.
    pub lint: &'a Lint<'a>,
    /// Every rule, sorted by name.
    pub rules: &'a [RulePage<'a>],
    /// What each fix changes, as far as it is known.
    pub edits: &'a Edits,
    /// The working directory: files below it are named from there, as the services expect
    /// that show a report beside a repository.
    pub base: Option<&'a Path>,
}

/// What makes a finding the same: rule, place and words.
pub type EditKey = (&'static str, Location, String);

/// What the fix of each finding changes by itself.
pub type Edits = BTreeMap<EditKey, Listed>;

/// Where the changes of a fix are listed.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Listed {
    /// Here.
    Here(Vec<FileEdits>),
    /// With another finding, whose fix has most of them in common with this one.
    With(EditKey),
}

/// Changes of one file.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct FileEdits {
    /// The file, as the server opens it.
    pub path: Arc<Path>,
    /// Sorted and disjoint.
    pub edits: Vec<Edit>,
}

/// The key of a finding in [`Edits`].
pub fn edit_key(finding: &Finding) -> EditKey {
    let words = finding.message.clone();
    (finding.rule, finding.location.clone(), words)
}

impl<'a> Pipeline<'a> {
    /// A file as a pipeline names it: from the working directory where it lies below, without
    /// `./`, with slashes.
    pub(super) fn path(&self, path: &'a Path) -> Cow<'a, str> {
        let below = self
            .base
            .filter(|_| path.is_absolute())
            .and_then(|base| path.strip_prefix(base).ok())
            .unwrap_or(path);
        let below = below.strip_prefix(".").unwrap_or(below);
        let text = below.to_string_lossy();
        if cfg!(windows) {
            return Cow::Owned(text.replace('\\', "/"));
        }
        text
    }

    /// The page of a rule.
    pub(super) fn page(&self, rule: &str) -> Option<&RulePage<'a>> {
        self.rules.iter().find(|page| page.name == rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Sources;

    #[test]
    fn files_are_named_from_the_working_directory() {
        let lint = Lint {
            servers: Vec::new(),
            findings: Vec::new(),
            problems: &[],
            sources: &Sources::default(),
            templates: 0,
            silenced: &[],
            resolved: 0,
            excluded: 0,
        };
        let edits = Edits::new();
        let pipeline = Pipeline {
            lint: &lint,
            rules: &[],
            edits: &edits,
            base: Some(Path::new("/srv/site")),
        };
        for (path, shown) in [
            ("/srv/site/a/b.conf", "a/b.conf"),
            ("/srv/sites/b.conf", "/srv/sites/b.conf"),
            ("./a.conf", "a.conf"),
            ("a.conf", "a.conf"),
        ] {
            assert_eq!(pipeline.path(Path::new(path)), shown);
        }
    }
}
