//! The bytes of files by their paths. Must not read any.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::text::LineIndex;

/// The bytes of every file that a finding may point into, by the path as it was read: two
/// spellings are two files.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Sorted by the bytes of the paths, of which each stands once. Paths themselves take long to
    /// compare, and every place of every finding is looked up.
    texts: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    path: Arc<Path>,
    text: Arc<[u8]>,
    /// Read when a place of the file is first shown.
    lines: OnceLock<LineIndex>,
}

impl Sources {
    /// The bytes of a file.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Arc<[u8]>> {
        self.source(path).map(|source| &source.text)
    }

    /// The bytes of a file, and where its lines begin.
    pub(super) fn lines(&self, path: &Path) -> Option<(&Arc<[u8]>, &LineIndex)> {
        let source = self.source(path)?;
        let read = || LineIndex::new(&source.text);
        Some((&source.text, source.lines.get_or_init(read)))
    }

    /// The paths, sorted by their bytes.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<Path>> {
        self.texts.iter().map(|source| &source.path)
    }

    fn source(&self, path: &Path) -> Option<&Source> {
        let asked = bytes(path);
        let by_path = |known: &Source| bytes(&known.path).cmp(asked);
        let found = self.texts.binary_search_by(by_path);
        found.ok().map(|index| &self.texts[index])
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Of a path that comes twice, the last bytes are kept.
impl FromIterator<(Arc<Path>, Arc<[u8]>)> for Sources {
    fn from_iter<I: IntoIterator<Item = (Arc<Path>, Arc<[u8]>)>>(texts: I) -> Self {
        let each = texts.into_iter().map(|(path, text)| Source {
            path,
            text,
            lines: OnceLock::new(),
        });
        let mut texts: Vec<Source> = each.collect();
        texts.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        texts.dedup_by(|later, kept| {
            let same = bytes(&later.path) == bytes(&kept.path);
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self { texts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_last_bytes_and_no_other_spelling_has_them() {
        let all = [
            ("/b", "1"),
            ("/a/c", "2"),
            ("/b", "3"),
            ("/a", "4"),
            ("/b", "5"),
        ];
        let all = all.map(|(path, text)| (Arc::from(Path::new(path)), Arc::from(text.as_bytes())));
        let sources: Sources = all.into_iter().collect();
        let get = |path: &str| sources.get(Path::new(path)).map(|text| text.to_vec());
        assert_eq!(get("/b"), Some(b"5".to_vec()));
        assert_eq!(get("/a"), Some(b"4".to_vec()));
        assert_eq!(get("/a/c"), Some(b"2".to_vec()));
        assert_eq!(get("/a/"), None);
        assert_eq!(get("/c"), None);
        let paths: Vec<_> = sources.paths().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/a", "/a/c", "/b"]);
        assert!(Sources::default().get(Path::new("/b")).is_none());
    }
}
