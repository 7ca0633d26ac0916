//! `nginx -T` output: a whole tree in one stream. It must not judge the configuration.
//!
//! nginx writes `# configuration file PATH:` and a line feed, the file's bytes, and one
//! more line feed, for each file once, the main file first (`ngx_dump_config` in
//! `src/core/nginx.c`). Its messages go to standard error, before the files; a stream that
//! holds both is read too.

use std::path::{Path, PathBuf};

use super::files::FileSystem;
use super::memory::Memory;
use super::{FileOrigin, path};

/// How many lines of messages may stand before the first file.
const MOST_LEADING_LINES: usize = 200;

/// The files of a dump.
#[derive(Clone, Debug)]
pub struct Dump {
    /// The main file's path on its own machine.
    pub root: PathBuf,
    files: Memory,
}

impl Dump {
    /// Reads a stream; `None` where it is no dump.
    pub fn parse(stream: &[u8]) -> Option<Self> {
        let mut root = None;
        let mut files = Memory::with_origin(FileOrigin::Dump);
        let mut section: Option<Section> = None;
        for (number, line) in stream.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if let Some((path, carriage)) = header(line) {
                if let Some(done) = section.take() {
                    done.store(&mut files);
                }
                root.get_or_insert_with(|| path.clone());
                section = Some(Section {
                    carriage,
                    path,
                    text: Vec::new(),
                });
                continue;
            }
            if is_message(line) {
                continue;
            }
            match &mut section {
                Some(section) => section.text.extend_from_slice(line),
                None if number >= MOST_LEADING_LINES || is_statement(line) => return None,
                None => {}
            }
        }
        section?.store(&mut files);
        Some(Self { root: root?, files })
    }

    /// The files, to be read by their paths on the dumped machine.
    pub fn files(&self) -> &dyn FileSystem {
        &self.files
    }

    /// The files, to keep.
    pub fn into_files(self) -> Memory {
        self.files
    }

    /// The paths in the dump, in path order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.paths()
    }
}

struct Section {
    path: PathBuf,
    /// A terminal stood in between: every line feed has got a carriage return.
    carriage: bool,
    text: Vec<u8>,
}

impl Section {
    fn store(mut self, files: &mut Memory) {
        // The line feed that nginx adds behind every file.
        if self.text.last() == Some(&b'\n') {
            self.text.pop();
        }
        if self.carriage && self.text.last() == Some(&b'\r') {
            self.text.pop();
        }
        files.insert(&self.path, self.text.into());
    }
}

/// The path of a header line, and whether a terminal in between (`exec -t`) has left a
/// carriage return behind it.
fn header(line: &[u8]) -> Option<(PathBuf, bool)> {
    let rest = line.strip_prefix(b"# configuration file ")?;
    let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
    let (rest, carriage) = match rest.strip_suffix(b"\r") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let path = path::from_bytes(rest.strip_suffix(b":")?);
    // A comment may look like a header; what names a folder (`.`, `/`) is none.
    path.file_name()?;
    Some((path, carriage))
}

/// nginx's two closing messages, wherever mixing two streams has put them. No
/// configuration has such a line: it would be a statement without an end.
fn is_message(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let file = line.strip_prefix(b"nginx: the configuration file ");
    let test = line.strip_prefix(b"nginx: configuration file ");
    file.is_some_and(|rest| rest.ends_with(b" syntax is ok"))
        || test.is_some_and(|rest| rest.ends_with(b" test is successful"))
}

/// True for a line before the first header that says: this is a configuration itself, and
/// the header only a comment in it.
fn is_statement(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"#") || matches!(line.last(), Some(b';' | b'{' | b'}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_exact_and_the_first_is_the_root() {
        let stream = b"nginx: the configuration file /e/n.conf syntax is ok\n\
            nginx: configuration file /e/n.conf test is successful\n\
            # configuration file /e/n.conf:\nevents {}\n\n\n\
            # configuration file /e/no-newline:\na b;\n\
            # configuration file /e/empty:\n\n";
        let dump = Dump::parse(stream).unwrap();
        assert_eq!(dump.root, Path::new("/e/n.conf"));
        let read = |name: &str| dump.files().read(Path::new(name)).unwrap().to_vec();
        assert_eq!(read("/e/n.conf"), b"events {}\n\n");
        assert_eq!(read("/e/no-newline"), b"a b;");
        assert_eq!(read("/e/empty"), b"");
    }

    #[test]
    fn a_configuration_with_such_a_comment_is_no_dump() {
        assert!(Dump::parse(b"events {}\n# configuration file x:\n").is_none());
        for folder in [".", "..", "/", "/etc/..", ""] {
            let stream = format!("# configuration file {folder}:\nevents {{}}\n\n");
            assert!(Dump::parse(stream.as_bytes()).is_none(), "{folder}");
        }
        assert!(Dump::parse(b"").is_none());
        assert!(Dump::parse(b"events {}\n").is_none());
    }

    #[test]
    fn messages_behind_and_between_the_files_are_dropped() {
        let stream = b"# configuration file /n:\r\na b;\r\n\
            nginx: configuration file /n test is successful\r\nc;\r\n\r\n";
        let dump = Dump::parse(stream).unwrap();
        assert_eq!(
            &*dump.files().read(Path::new("/n")).unwrap(),
            b"a b;\r\nc;\r\n"
        );
    }
}
