//! Which includes may be missing (`--allow-missing`).

use std::path::Path;
use std::sync::Arc;

use super::glob::{beginning, path_matches};
use super::path::bytes_of;
use super::shortlist::Shortlist;

/// Globs of include paths that may be missing; `*` does not cross a slash, and a glob without
/// one is compared with the file's name. Clones share what they hold.
#[derive(Clone, Debug, Default)]
pub struct AllowedMissing(Arc<Globs>);

#[derive(Debug, Default)]
struct Globs {
    all: Vec<String>,
    shortlist: Shortlist,
}

impl AllowedMissing {
    /// True where a glob is what was written, or matches one of the paths that it stands for.
    pub(super) fn allows(&self, written: &[u8], paths: [&Path; 2]) -> bool {
        if self.0.all.is_empty() {
            return false;
        }
        let bytes = paths.map(|path| bytes_of(path.as_os_str()));
        let all = [written, &bytes[0], &bytes[1]];
        let names: Vec<&[u8]> = all.into_iter().flat_map(names).collect();
        let globs = self.0.shortlist.of(&names).into_iter();
        let mut globs = globs.map(|index| self.0.all[index].as_bytes());
        globs.any(|glob| glob == written || paths.iter().any(|path| path_matches(glob, path)))
    }
}

impl FromIterator<String> for AllowedMissing {
    fn from_iter<T: IntoIterator<Item = String>>(globs: T) -> Self {
        let all: Vec<String> = globs.into_iter().collect();
        let mut shortlist = Shortlist::default();
        for (index, glob) in all.iter().enumerate() {
            let fixed = names(glob.as_bytes());
            shortlist.add(index, fixed.filter(|name| beginning(name) == *name));
        }
        Self(Arc::new(Globs { all, shortlist }))
    }
}

impl From<Vec<String>> for AllowedMissing {
    fn from(globs: Vec<String>) -> Self {
        globs.into_iter().collect()
    }
}

/// What stands between slashes.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looked up by names, globs allow what they allow one by one.
    #[test]
    fn globs_together_allow_what_each_allows() {
        let names = ["a", "b.c", "*", "?", "[ab]", "a*", "\\a", "[", "..", "."];
        let mut globs: Vec<String> = Vec::new();
        for one in names {
            globs.extend([one.to_owned(), format!("/{one}"), format!("{one}/")]);
            for two in names {
                globs.extend([format!("{one}/{two}"), format!("/{one}//{two}")]);
            }
        }
        let mut refused = 0;
        for step in [1, 7, 50] {
            let some: Vec<String> = globs.iter().step_by(step).cloned().collect();
            let together = AllowedMissing::from(some.clone());
            for written in &globs {
                let paths = [&*Path::new("/etc").join(written), Path::new(written)];
                let one = |glob: &String| {
                    let glob = glob.as_bytes();
                    glob == written.as_bytes() || paths.iter().any(|it| path_matches(glob, it))
                };
                let expected = some.iter().any(one);
                let seen = together.allows(written.as_bytes(), paths);
                assert_eq!(seen, expected, "{step} {written}");
                refused += usize::from(step == 50 && !expected);
            }
        }
        assert!(refused > 10, "{refused} are refused by few globs");
    }

    #[test]
    fn what_was_written_is_allowed_to_the_letter() {
        let paths = [Path::new("/etc/x/*.conf"), Path::new("x/*.conf")];
        for (glob, expected) in [
            ("x/*.conf", true),
            ("x/[*].conf", true),
            ("*.conf", true),
            ("y/*.conf", false),
            ("*.inc", false),
        ] {
            let allowed = AllowedMissing::from(vec![glob.to_owned()]);
            assert_eq!(allowed.allows(b"x/*.conf", paths), expected, "{glob}");
        }
        assert!(!AllowedMissing::default().allows(b"a", [Path::new("a"); 2]));
    }
}
