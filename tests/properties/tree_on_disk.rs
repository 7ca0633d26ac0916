//! A directory as it is: bytes, modes, owners, links, times, attributes, by path.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub bytes: Vec<u8>,
    /// Of a link, where it leads.
    pub link: Option<PathBuf>,
    pub mode: u32,
    pub owner: (u32, u32),
    /// Seconds and nanoseconds of the last change of the bytes.
    pub time: (i64, i64),
}

/// Everything below a folder.
pub type State = BTreeMap<PathBuf, Entry>;

/// Looks.
pub fn state(folder: &Path) -> State {
    let walk = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    let is_log = |item: &walkdir::DirEntry| item.path().extension() == Some("log".as_ref());
    // What a server's test writes is no part of the tree.
    let entries = walk.filter(|item| !is_log(item)).map(|item| {
        let path = item.path();
        let metadata = fs::symlink_metadata(path).unwrap();
        let entry = Entry {
            bytes: match metadata.is_file() {
                true => fs::read(path).unwrap(),
                false => Vec::new(),
            },
            link: fs::read_link(path).ok(),
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            time: (metadata.mtime(), metadata.mtime_nsec()),
        };
        (path.strip_prefix(folder).unwrap().to_path_buf(), entry)
    });
    entries.collect()
}

/// Where two states differ but for the times of what `written` names: those files are new ones
/// with the old bytes, in folders that have seen them come.
pub fn differences(before: &State, after: &State, written: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    for path in before
        .keys()
        .chain(after.keys().filter(|it| !before.contains_key(*it)))
    {
        let (old, new) = (before.get(path), after.get(path));
        let (Some(old), Some(new)) = (old, new) else {
            let what = if new.is_some() { "appeared" } else { "is gone" };
            found.push(format!("{} {what}", path.display()));
            continue;
        };
        let is_folder = old.mode & 0o170_000 == 0o040_000;
        let timeless = is_folder || written.iter().any(|it| it == path);
        let mut new = new.clone();
        if timeless {
            new.time = old.time;
        }
        if *old != new {
            let what = match old.bytes == new.bytes {
                true => format!("{old:?} became {new:?}"),
                false => format!(
                    "{}\nbecame\n{}",
                    old.bytes.escape_ascii(),
                    new.bytes.escape_ascii()
                ),
            };
            found.push(format!("{}: {what}", path.display()));
        }
    }
    found
}
