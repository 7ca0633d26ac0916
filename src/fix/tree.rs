//! The text of a tree that was moved to another folder: what names a file to be read as
//! configuration by its full path names it there. Texts only; touches no file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::catalog::Server;
use crate::fix::FixError;
use crate::fix::shadow::within;
use crate::source::{DirectiveId, FileId, FileOrigin, Project};
use crate::text::{Edit, EditSet, Span};

/// A tree, ready to be laid out below another folder.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Copied {
    /// Absolute path of each file of configuration and its text, includes moved.
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    /// The folder that relative names start from.
    base: PathBuf,
    /// The folders that have to be there, outer ones first: names with `..` in them lead
    /// through the outer ones too.
    folders: BTreeSet<PathBuf>,
}

impl Copied {
    /// The files of a project, moved below `top`. `base` is the folder that relative names
    /// start from before any ServerRoot.
    ///
    /// # Errors
    /// [`FixError::Copy`] where an include cannot be moved.
    pub fn of(project: &Project, base: &Path, top: &Path) -> Result<Self, FixError> {
        let refuse = |path: &Path, why: &str| {
            Err(FixError::Copy {
                path: path.to_path_buf(),
                why: why.to_owned(),
            })
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
        let prefix = top.as_os_str().as_encoded_bytes();
        if !prefix.iter().copied().all(plain) {
            return refuse(top, "an include could not name it without quotes");
        }
        let moves = moves(project)?;
        let mut files = BTreeMap::new();
        for (index, file) in project.files.iter().enumerate() {
            if file.origin == FileOrigin::Stub {
                return refuse(&file.path, "it is not there");
            }
            let mut edits = EditSet::new();
            for at in moves.get(&FileId(index as u32)).into_iter().flatten() {
                let edit = Edit {
                    span: Span::at(*at),
                    replacement: prefix.to_vec(),
                };
                let inserted = edits.insert(edit);
                inserted.map_err(|source| FixError::Edit {
                    path: file.path.to_path_buf(),
                    source,
                })?;
            }
            let text = edits.apply(&file.text).map_err(|source| FixError::Edit {
                path: file.path.to_path_buf(),
                source,
            })?;
            files.insert(absolute(&file.path)?, text);
        }
        let base = absolute(base)?;
        let above = files
            .keys()
            .flat_map(|path: &PathBuf| path.ancestors().skip(1));
        let folders = above.chain(base.ancestors()).map(Path::to_path_buf);
        let folders = folders.collect();
        Ok(Self {
            files,
            base,
            folders,
        })
    }

    /// Where a file lies below `top`, where it is part of the tree.
    #[must_use]
    pub fn place(&self, path: &Path, top: &Path) -> Option<PathBuf> {
        let path = absolute(path).ok()?;
        self.files.contains_key(&path).then(|| within(top, &path))
    }

    /// The places of all files below `top`, with their texts.
    pub fn places<'a>(&'a self, top: &'a Path) -> impl Iterator<Item = (PathBuf, &'a [u8])> {
        let files = self.files.iter();
        files.map(|(path, text)| (within(top, path), text.as_slice()))
    }

    /// The folder below `top` that relative names start from.
    #[must_use]
    pub fn base(&self, top: &Path) -> PathBuf {
        within(top, &self.base)
    }

    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }

    /// True for what the copy has of its own.
    pub(super) fn replaces(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.folders.contains(path)
    }
}

/// The full path without `.` and `..`, by its words alone: where a link stands before a `..`
/// this is another place, and the server then reads another file than the copy has.
/// An empty one is the folder of a file that is named by its name alone.
fn absolute(path: &Path) -> Result<PathBuf, FixError> {
    let here = path.as_os_str().is_empty();
    let named = if here { Path::new(".") } else { path };
    let full = std::path::absolute(named).map_err(|source| FixError::io(path, "read", source))?;
    let mut plain = PathBuf::new();
    for part in full.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    Ok(plain)
}

/// Offsets at which the new folder is put in front of a full path, by file.
fn moves(project: &Project) -> Result<BTreeMap<FileId, BTreeSet<u32>>, FixError> {
    let mut moves: BTreeMap<FileId, BTreeSet<u32>> = BTreeMap::new();
    let mut relative: BTreeSet<(FileId, u32)> = BTreeSet::new();
    for index in 0..project.directives.len() as u32 {
        let id = DirectiveId(index);
        if !reads(project.server, project.name(id)) {
            continue;
        }
        let directive = project.directive(id);
        let (Some(text), Some(value)) = (
            project.argument_texts(id).first(),
            project.first_argument(id),
        ) else {
            continue;
        };
        let raw = text.span.of(&project.file(directive.file).text);
        let quoted = raw.first().is_some_and(|byte| b"\"'".contains(byte));
        let at = text.span.start + u32::from(quoted);
        if value.starts_with(b"/") {
            moves.entry(directive.file).or_default().insert(at);
        } else {
            relative.insert((directive.file, at));
        }
    }
    let both = |(file, at): &&(FileId, u32)| moves.get(file).is_some_and(|all| all.contains(at));
    match relative.iter().find(both) {
        None => Ok(moves),
        Some((file, _)) => Err(FixError::Copy {
            path: project.file(*file).path.to_path_buf(),
            why: "an include of a macro names a full path at one place and none at another"
                .to_owned(),
        }),
    }
}

/// True for directives that name files of configuration, or the folder these start from.
fn reads(server: Server, name: &[u8]) -> bool {
    match server {
        Server::Nginx => name == b"include",
        Server::Apache => ["Include", "IncludeOptional", "ServerRoot"]
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(name)),
    }
}
