//! Room for what an include of many files brings: a list that grows by itself is copied each time,
//! and of a large configuration these lists are hundreds of megabytes. Must not read.

use super::Project;
use super::ahead::AT_ONCE;
use super::options::Limits;

/// What there was when an include began.
#[derive(Debug)]
pub(super) struct Room {
    files: usize,
    directives: usize,
    arguments: usize,
}

impl Room {
    /// How far a project is.
    pub(super) fn before(project: &Project) -> Self {
        Self {
            files: project.files.len(),
            directives: project.directives.len(),
            arguments: project.arguments.len(),
        }
    }

    /// Makes room for all that an include names once the first [`AT_ONCE`] of it were put in their
    /// place, as if the others were like these. Where there is no such room, lists grow as they do
    /// without it.
    pub(super) fn make<T>(&self, project: &mut Project, named: &[T], limits: &Limits) {
        self.expect(
            project,
            AT_ONCE,
            named.len().saturating_sub(AT_ONCE),
            limits,
        );
    }

    fn expect(&self, project: &mut Project, done: usize, left: usize, limits: &Limits) {
        let expected = |now: usize, before: usize, most: usize| {
            let each = now.saturating_sub(before);
            // A sixteenth more: not all are alike.
            let wanted = each.saturating_mul(left) / done.max(1);
            // Else every include of many files would copy the list for less than it holds already.
            if wanted < now {
                return 0;
            }
            wanted
                .saturating_add(wanted / 16)
                .min(most.saturating_sub(now))
        };
        let files = expected(project.files.len(), self.files, limits.instances);
        let directives = expected(project.directives.len(), self.directives, limits.directives);
        let arguments = expected(project.arguments.len(), self.arguments, limits.words);
        // No room is no failure.
        let _ = project.files.try_reserve_exact(files);
        let _ = project.directives.try_reserve_exact(directives);
        let _ = project.arguments.try_reserve_exact(arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Server;
    use crate::source::{LoadOptions, Memory, Root, load};

    fn project(hosts: usize) -> Project {
        let main = "events {}\nhttp { include sites/*; }\n".to_owned();
        let mut files = vec![("/n/nginx.conf".to_owned(), main)];
        files.extend((0..hosts).map(|host| {
            let text = format!("server {{ listen 443 ssl; server_name h{host}; }}\n");
            (format!("/n/sites/{host:04}"), text)
        }));
        let root = Root::new(Server::Nginx, "/n/nginx.conf");
        load(&root, &Memory::new(files), &LoadOptions::default())
    }

    #[test]
    fn room_is_made_for_files_like_those_before_and_within_limits() {
        let mut read = project(4);
        let begun = Room {
            files: 1,
            directives: 3,
            arguments: 1,
        };
        let limits = LoadOptions::default().limits;
        begun.expect(&mut read, 4, 40, &limits);
        assert!(read.directives.capacity() - read.directives.len() >= 3 * 40);
        assert!(read.arguments.capacity() - read.arguments.len() >= 3 * 40);
        assert!(read.files.capacity() - read.files.len() >= 40);
        // Of little more than there is, none is made: the list is not copied for it.
        let mut full = project(4);
        let (before, held) = (full.directives.len(), full.directives.capacity());
        begun.expect(&mut full, 4, 4, &limits);
        assert!(before > 3 && full.directives.capacity() == held);
        // A few large files among a great many do not take the memory of the machine.
        let mut large = project(4);
        begun.expect(&mut large, 1, usize::MAX / 2, &limits);
        assert!(large.directives.capacity() <= limits.directives);
        assert!(large.arguments.capacity() <= limits.words);
    }
}
