//! Globs of paths as `.gitignore` has them: gitignore(5), over bytes.
//!
//! Compares names only; which file a list comes from is the caller's business.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::glob::{beginning, wildcard_matches};
use super::path::{bytes_of, clean};
use super::shortlist::Shortlist;

/// A list of globs that belongs to one folder, the last match decides.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    rules: Rules,
}

/// Globs of the settings: relative ones from the settings' folder, absolute ones from `/`.
#[derive(Clone, Debug, Default)]
pub struct PathGlobs {
    folder: PathBuf,
    /// Shared by clones.
    rules: Arc<Rules>,
}

/// Many lists of globs of the settings.
#[derive(Clone, Debug, Default)]
pub struct PathLists {
    lists: Vec<PathGlobs>,
    shortlist: Shortlist,
}

/// Lines in order.
#[derive(Clone, Debug, Default)]
struct Rules {
    lines: Vec<Rule>,
    shortlist: Shortlist,
}

/// One line.
#[derive(Clone, Debug)]
struct Rule {
    /// It began with `!`: takes an earlier match back.
    negated: bool,
    /// It ended in `/`: matches directories.
    directory: bool,
    /// It began with `/`.
    rooted: bool,
    /// It is one name, which stands at any depth.
    floating: bool,
    parts: Vec<Part>,
}

/// What stands between slashes.
#[derive(Clone, Debug)]
enum Part {
    /// `**`: any number of folders, none included.
    Folders,
    /// A glob of one name.
    Name(Vec<u8>),
}

impl Patterns {
    /// The lines of a `.gitignore`.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self {
            rules: text.split(|byte| *byte == b'\n').collect(),
        }
    }

    /// What the list says of a path below its folder; `None` where nothing matches.
    pub(super) fn verdict(&self, names: &[&[u8]], directory: bool) -> Option<bool> {
        let rules = self.rules.reaching(names).rev();
        let mut hits = rules.filter(|rule| directory || !rule.directory);
        hits.find(|rule| rule.matches(names))
            .map(|rule| !rule.negated)
    }
}

impl PathGlobs {
    /// The globs of a list. `folder` is absolute.
    pub fn new<'g>(folder: &Path, globs: impl IntoIterator<Item = &'g str>) -> Self {
        Self {
            folder: clean(folder),
            rules: Arc::new(globs.into_iter().map(str::as_bytes).collect()),
        }
    }

    /// True where the list holds no glob.
    pub fn is_empty(&self) -> bool {
        self.rules.lines.is_empty()
    }

    /// True for a file that a glob matches, or one of the folders around it. `path` is taken
    /// from the working directory where it is relative.
    pub fn covers(&self, path: &Path) -> bool {
        if self.is_empty() {
            return false;
        }
        let path = absolute(path);
        self.cover(&path, &names(&path))
    }

    /// The same for an absolute path and its names.
    fn cover(&self, path: &Path, whole: &[&[u8]]) -> bool {
        let below = path.strip_prefix(&self.folder).ok().map(names);
        let mut covered = false;
        // From the top: what is said of a folder holds for its files until a later glob
        // says otherwise.
        for rule in self.rules.reaching(whole) {
            let reached = match &below {
                _ if rule.rooted => rule.reaches(whole),
                Some(below) => rule.reaches(below),
                None => rule.floating && rule.reaches(whole),
            };
            if reached {
                covered = !rule.negated;
            }
        }
        covered
    }
}

impl PathLists {
    /// The numbers of the lists that cover a path, in order.
    pub fn covering(&self, path: &Path) -> Vec<usize> {
        let path = absolute(path);
        let names = names(&path);
        let mut lists = self.shortlist.of(&names);
        lists.retain(|index| self.lists[*index].cover(&path, &names));
        lists
    }
}

impl FromIterator<PathGlobs> for PathLists {
    fn from_iter<T: IntoIterator<Item = PathGlobs>>(lists: T) -> Self {
        let lists: Vec<PathGlobs> = lists.into_iter().collect();
        let mut shortlist = Shortlist::default();
        for (index, list) in lists.iter().enumerate() {
            // What is taken back has to be there first.
            for rule in list.rules.lines.iter().filter(|rule| !rule.negated) {
                shortlist.add(index, rule.fixed());
            }
        }
        Self { lists, shortlist }
    }
}

impl Rules {
    /// Those that can match a path of these names, in order.
    fn reaching(&self, names: &[&[u8]]) -> impl DoubleEndedIterator<Item = &Rule> {
        let indices = self.shortlist.of(names).into_iter();
        indices.map(|index| &self.lines[index])
    }
}

impl<'line> FromIterator<&'line [u8]> for Rules {
    fn from_iter<T: IntoIterator<Item = &'line [u8]>>(lines: T) -> Self {
        let lines: Vec<Rule> = lines.into_iter().filter_map(Rule::parse).collect();
        let mut shortlist = Shortlist::default();
        for (index, rule) in lines.iter().enumerate() {
            shortlist.add(index, rule.fixed());
        }
        Self { lines, shortlist }
    }
}

impl Rule {
    /// Reads a line; `None` for a comment and for nothing.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = without_spaces(line);
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let (negated, line) = match line.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (directory, line) = match line.strip_suffix(b"/") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (rooted, line) = match line.strip_prefix(b"/") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        if line.is_empty() {
            return None;
        }
        let pieces: Vec<&[u8]> = line.split(|byte| *byte == b'/').collect();
        let floating = !rooted && pieces.len() == 1;
        let mut parts = Vec::with_capacity(pieces.len() + 1);
        if floating {
            parts.push(Part::Folders);
        }
        let last = pieces.len() - 1;
        for (index, piece) in pieces.iter().enumerate() {
            match *piece {
                b"**" if !floating => parts.push(Part::Folders),
                name => parts.push(Part::Name(name.to_vec())),
            }
            // Behind a slash at the end it means everything inside.
            if *piece == b"**" && index == last && !floating {
                parts.push(Part::Name(b"*".to_vec()));
            }
        }
        Some(Self {
            negated,
            directory,
            rooted,
            floating,
            parts,
        })
    }

    /// The names that each path has to hold which it matches.
    fn fixed(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) if beginning(name).len() == name.len() => Some(&name[..]),
            Part::Name(_) | Part::Folders => None,
        })
    }

    /// True for a path or a folder around it.
    fn reaches(&self, names: &[&[u8]]) -> bool {
        let shortest = 1;
        let longest = names.len() - usize::from(self.directory && !names.is_empty());
        (shortest..=longest).any(|length| self.matches(&names[..length]))
    }

    /// Backtracks to the last `**` only, so the time is bounded by the product of the lengths.
    fn matches(&self, names: &[&[u8]]) -> bool {
        let (mut at, mut next) = (0, 0);
        let mut folders: Option<(usize, usize)> = None;
        while next < names.len() {
            match self.parts.get(at) {
                Some(Part::Folders) => {
                    folders = Some((at + 1, next));
                    at += 1;
                    continue;
                }
                Some(Part::Name(glob)) if wildcard_matches(glob, names[next]) => {
                    at += 1;
                    next += 1;
                    continue;
                }
                _ => {}
            }
            let Some((behind, taken)) = folders else {
                return false;
            };
            folders = Some((behind, taken + 1));
            (at, next) = (behind, taken + 1);
        }
        at == self.parts.len()
    }
}

/// A path from the root, without `.` and `..`.
pub(super) fn absolute(path: &Path) -> PathBuf {
    clean(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// Spaces at the end count only behind a backslash.
fn without_spaces(line: &[u8]) -> &[u8] {
    let mut end = line.len();
    while end > 0 && line[end - 1] == b' ' {
        if end > 1 && line[end - 2] == b'\\' {
            break;
        }
        end -= 1;
    }
    &line[..end]
}

/// The names of a path, without its root.
pub(super) fn names(path: &Path) -> Vec<&[u8]> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    parts
        .map(|name| match bytes_of(name) {
            std::borrow::Cow::Borrowed(bytes) => bytes,
            std::borrow::Cow::Owned(_) => name.as_encoded_bytes(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_of_the_settings_cover_files_and_folders() {
        let globs = |list: &[&str]| PathGlobs::new(Path::new("/repo"), list.iter().copied());
        let covered = globs(&[
            "vendor/",
            "conf.d/gen-*.conf",
            "/etc/nginx/**",
            "!keep.conf",
        ]);
        for (path, expected) in [
            ("/repo/vendor/a.conf", true),
            ("/repo/deep/vendor/b/a.conf", true),
            ("/elsewhere/vendor/a.conf", true),
            ("/repo/vendor", false),
            ("/repo/conf.d/gen-1.conf", true),
            ("/repo/x/conf.d/gen-1.conf", false),
            ("/elsewhere/conf.d/gen-1.conf", false),
            ("/etc/nginx/conf.d/a.conf", true),
            ("/etc/nginx/conf.d/keep.conf", false),
            ("/repo/a.conf", false),
            ("/repo/x/../vendor/a.conf", true),
        ] {
            assert_eq!(covered.covers(Path::new(path)), expected, "{path}");
        }
        assert!(!globs(&[]).covers(Path::new("/repo/a")));
    }

    /// The list with each of its globs tried on each path.
    fn tried(list: &PathGlobs) -> PathGlobs {
        let mut list = list.clone();
        let rules = Arc::make_mut(&mut list.rules);
        rules.shortlist = Shortlist::default();
        for index in 0..rules.lines.len() {
            rules.shortlist.add(index, std::iter::empty());
        }
        list
    }

    /// Looked up by names, globs cover what they cover when all are tried.
    #[test]
    fn lists_together_cover_what_each_covers() {
        let globs = [
            "", "a", "a/", "/a", "a/b", "/repo/a", "**/a", "a/**", "a/**/b", "*", "?", "[ab]",
            "\\a", "*.b", "!a", "!*.b", "/**", "c/a.b", "#", "a ",
        ];
        let mut lists = Vec::new();
        for one in globs {
            for two in globs {
                lists.push(PathGlobs::new(Path::new("/repo"), [one, two]));
            }
        }
        let together: PathLists = lists.iter().cloned().collect();
        let lists: Vec<PathGlobs> = lists.iter().map(tried).collect();
        let names = ["a", "b", "c", "a.b", "repo"];
        let mut covered = 0;
        for one in names {
            for two in names {
                for three in names {
                    for folder in ["/repo", "/repo/a", "/other", "/"] {
                        let path = Path::new(folder).join(one).join(two).join(three);
                        let each = lists.iter().enumerate();
                        let each = each.filter(|(_, list)| list.covers(&path));
                        let each: Vec<usize> = each.map(|(index, _)| index).collect();
                        assert_eq!(together.covering(&path), each, "{}", path.display());
                        covered += each.len();
                    }
                }
            }
        }
        assert!(covered > 10_000, "{covered}");
    }

    /// Within a list the order decides, whichever names its globs hold.
    #[test]
    fn the_last_glob_that_matches_decides() {
        let globs = |list: &[&str]| PathGlobs::new(Path::new("/repo"), list.iter().copied());
        for (list, expected) in [
            (&["*.conf", "!a.conf"][..], false),
            (&["!a.conf", "*.conf"], true),
            (&["h/", "!a.conf", "h/a.conf"], true),
            (&["h/a.conf", "!h/"], false),
            (&["h/a.conf", "!**", "a.conf"], true),
        ] {
            let path = Path::new("/repo/h/a.conf");
            assert_eq!(globs(list).covers(path), expected, "{list:?}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let glob = "**/a/".repeat(200) + "b";
        let globs = PathGlobs::new(Path::new("/"), [&*glob]);
        let path = "/a".repeat(2000);
        assert!(!globs.covers(Path::new(&path)));
    }
}
