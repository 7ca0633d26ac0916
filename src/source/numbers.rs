//! The line numbers by which servers themselves name directives. Reads nothing anew.

use std::collections::HashMap;

use super::{DirectiveId, FileId, Project};
use crate::catalog::Server;
use crate::syntax::apache;

/// Ends and numbers of the logical lines of httpd's files, worked out once a file.
#[derive(Debug, Default)]
pub struct LineNumbers {
    of: HashMap<FileId, Vec<(u32, u32)>>,
}

impl LineNumbers {
    /// The line that the server names for a directive: nginx the one of its name, httpd the
    /// last one of its first logical line. Both agree where no line is continued.
    pub fn named(&mut self, project: &Project, id: DirectiveId) -> u32 {
        let begins = project.name_location(id).line;
        if project.server == Server::Nginx {
            return begins;
        }
        let directive = project.directive(id);
        let ends = self.of.entry(directive.file).or_insert_with(|| {
            let lines = apache::lines(&project.file(directive.file).text);
            lines.map(|line| (line.span.end, line.number)).collect()
        });
        let at = ends.partition_point(|(end, _)| *end <= directive.span.start);
        ends.get(at).map_or(begins, |(_, number)| *number)
    }
}
