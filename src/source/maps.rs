//! Where files of the server's machine lie here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of the server's machine and the folder here that holds its files.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct PathMap {
    /// On the server: absolute, such as `/etc/nginx`.
    pub from: PathBuf,
    /// Here, such as `roles/web/files/etc/nginx`.
    pub to: PathBuf,
    /// True where `to` is the whole of `from`: what is not there does not exist. False
    /// where this machine's own file is taken for what `to` lacks.
    pub whole: bool,
}

/// Maps in order; the first that holds wins. Clones share those that were listed.
#[derive(Clone, Debug, Default)]
pub struct PathMaps {
    listed: Arc<Listed>,
    /// Behind them, the few of one tree.
    found: Vec<PathMap>,
}

#[derive(Debug, Default)]
struct Listed {
    all: Vec<PathMap>,
    /// Numbers in `all`, by the folder of the server.
    by_from: HashMap<PathBuf, Vec<usize>>,
    /// The folders here that are the whole of one of the server's.
    whole: HashSet<PathBuf>,
}

impl PathMaps {
    /// Those of a folder around a path of the server's, in order.
    pub(super) fn over(&self, path: &Path) -> Vec<&PathMap> {
        let mut listed: Vec<usize> = Vec::new();
        if !self.listed.all.is_empty() {
            let around = path.ancestors();
            let each = around.filter_map(|folder| self.listed.by_from.get(folder));
            listed.extend(each.flatten());
            listed.sort_unstable();
        }
        let listed = listed.into_iter().map(|index| &self.listed.all[index]);
        let found = self.found.iter();
        listed
            .chain(found.filter(|map| path.starts_with(&map.from)))
            .collect()
    }

    /// True for a path below a folder here that is the whole of one of the server's.
    pub(super) fn knows_all_around(&self, path: &Path) -> bool {
        let listed = &self.listed.whole;
        let known = |folder: &Path| listed.contains(folder);
        let found = |map: &PathMap| map.whole && path.starts_with(&map.to);
        !listed.is_empty() && path.ancestors().any(known) || self.found.iter().any(found)
    }
}

impl FromIterator<PathMap> for PathMaps {
    fn from_iter<T: IntoIterator<Item = PathMap>>(maps: T) -> Self {
        let all: Vec<PathMap> = maps.into_iter().collect();
        let mut by_from: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        for (index, map) in all.iter().enumerate() {
            by_from.entry(map.from.clone()).or_default().push(index);
        }
        let whole = all.iter().filter(|map| map.whole);
        let whole = whole.map(|map| map.to.clone()).collect();
        Self {
            listed: Arc::new(Listed {
                all,
                by_from,
                whole,
            }),
            found: Vec::new(),
        }
    }
}

impl From<Vec<PathMap>> for PathMaps {
    fn from(maps: Vec<PathMap>) -> Self {
        maps.into_iter().collect()
    }
}

impl Extend<PathMap> for PathMaps {
    fn extend<T: IntoIterator<Item = PathMap>>(&mut self, maps: T) {
        self.found.extend(maps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(from: &str, to: &str, whole: bool) -> PathMap {
        let (from, to) = (PathBuf::from(from), PathBuf::from(to));
        PathMap { from, to, whole }
    }

    #[test]
    fn maps_are_found_by_folders_in_order() {
        let all = vec![
            map("/etc/nginx/", "a", true),
            map("/", "b", false),
            map("/etc", "c/./d", true),
            map("/etc/nginx", "e", false),
            map("/srv", "f", true),
        ];
        let mut maps = PathMaps::from(all.clone());
        maps.extend([map("/etc", "g", false), map("/opt", "h/i", true)]);
        for (path, expected) in [
            ("/etc/nginx/x.conf", &["a", "b", "c/./d", "e", "g"][..]),
            ("/etc/nginx", &["a", "b", "c/./d", "e", "g"]),
            ("/etc/nginx2/x", &["b", "c/./d", "g"]),
            ("/srv", &["b", "f"]),
            ("/opt/x", &["b", "h/i"]),
            ("etc/nginx/x", &[]),
            ("", &[]),
        ] {
            let found = maps.over(Path::new(path));
            let found: Vec<&str> = found.iter().map(|map| map.to.to_str().unwrap()).collect();
            assert_eq!(found, expected, "{path}");
        }
        for (path, expected) in [
            ("a/x", true),
            ("a", true),
            ("ab/x", false),
            ("b/x", false),
            ("c/d/x", true),
            ("h/i/x", true),
            ("h/x", false),
            ("e/x", false),
        ] {
            let known = maps.knows_all_around(Path::new(path));
            assert_eq!(known, expected, "{path}");
        }
    }
}
