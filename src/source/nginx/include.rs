//! Follows an `include`: which files it names, and each of them read in its place.

use std::path::Path;

use super::{Expander, Place};
use crate::source::ahead::{self, AT_ONCE, Batch};
use crate::source::resolve::Named;
use crate::source::room::Room;
use crate::source::{DirectiveId, ProblemKind, Via, ViaId};

impl Expander<'_> {
    /// Follows an include directive.
    pub(super) fn include(&mut self, id: DirectiveId, place: Place, data: bool) {
        if self.project.arguments(id).len() != 1 {
            // Among data too; elsewhere the same was said already.
            let message = "invalid number of arguments in \"include\" directive";
            return self.report(id, ProblemKind::Syntax, message.to_owned(), true);
        }
        let name = self.project.first_argument(id).unwrap_or_default();
        // The C library reads names up to NUL.
        let name = name
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .to_vec();
        if self.stack.len() >= self.options.limits.depth {
            let most = self.options.limits.depth;
            let message = format!("includes nest deeper than {most}; not read further");
            return self.report(id, ProblemKind::Limit, message, false);
        }
        let chain = Via {
            parent: Some(place.via),
            file: self.project.directive(id).file,
            span: self.project.directive(id).span,
        };
        let via = ViaId(self.project.vias.len() as u32);
        match self.resolver.resolve(&name) {
            Named::One(path) => {
                self.project.vias.push(chain);
                self.follow(id, &path, Place { via, ..place }, data, &name);
            }
            Named::Pattern(paths, hidden) if paths.is_empty() => {
                if let Some(file) = self.awaited_keys(&name) {
                    self.project.vias.push(chain);
                    self.instance(file, Place { via, ..place });
                } else if let Some(folder) = hidden {
                    self.hidden(id, &folder, &name);
                }
            }
            Named::Pattern(paths, hidden) => {
                if let Some(folder) = hidden {
                    self.hidden(id, &folder, &name);
                }
                self.project.vias.push(chain);
                let mut room = Some(Room::before(&self.project));
                let mut parts = paths.chunks(AT_ONCE).peekable();
                let first = parts.peek().and_then(|part| self.fresh(part, data));
                let mut ready = first.map(Batch::read);
                while let Some(part) = parts.next() {
                    self.ahead.put(ready.take());
                    let next = parts.peek().and_then(|part| self.fresh(part, data));
                    ready = ahead::beside(next, || {
                        let before = self.project.files.len();
                        for path in part {
                            self.follow(id, path, Place { via, ..place }, data, &name);
                        }
                        self.project.forget_trees(before);
                    });
                    if let Some(room) = room.take() {
                        room.make(&mut self.project, &paths, &self.options.limits);
                    }
                    if self.stopped {
                        break;
                    }
                }
            }
            Named::Elsewhere(folder) => match self.awaited_keys(&name) {
                Some(file) => {
                    self.project.vias.push(chain);
                    self.instance(file, Place { via, ..place });
                }
                None => self.elsewhere(id, &folder, &name),
            },
        }
    }

    /// Reads the file of an include in its place.
    fn follow(&mut self, id: DirectiveId, path: &Path, place: Place, data: bool, name: &[u8]) {
        if self.stopped {
            return;
        }
        self.instances += 1;
        if self.instances > self.options.limits.instances {
            let most = self.options.limits.instances;
            return self.stop(id, format!("files are included more than {most} times"));
        }
        let Some(file) = self.file(id, path, data, name) else {
            return;
        };
        if self.bytes > self.options.limits.bytes {
            let most = self.options.limits.bytes;
            return self.stop(
                id,
                format!("all files have more than {most} bytes together"),
            );
        }
        let identity = self.identity[file.0 as usize];
        let open = self
            .stack
            .iter()
            .position(|open| self.identity[open.0 as usize] == identity);
        let Some(first) = open else {
            return self.instance(file, place);
        };
        let chain = self.stack[first..].iter().chain([&file]);
        let chain: Vec<String> = chain
            .map(|file| self.project.file(*file).path.display().to_string())
            .collect();
        let message = format!("include cycle: {}; nginx crashes on it", chain.join(" -> "));
        self.report(id, ProblemKind::Cycle, message, true);
    }
}
