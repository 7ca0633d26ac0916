//! The vhosts of an httpd configuration, and what is in force under one answer to its
//! undecided conditions. Decides nothing about sessions.

use crate::model::blocks::{Blocks, Collected};
use crate::model::{BlockId, BlockKind, SettingId};
use crate::source::{DirectiveId, Project, WhenId};

/// The blocks with the roles they have. Statements under undecided conditions are all here;
/// a [`View`] leaves out those that an answer excludes.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) blocks: Blocks,
    pub(super) main: BlockId,
    /// `<VirtualHost>` sections in file order.
    pub(super) vhosts: Vec<(BlockId, DirectiveId)>,
}

impl Roles {
    /// Collects them.
    pub(super) fn of(project: &Project) -> Self {
        let mut blocks = Collected::default();
        let main = blocks.push_top(project, BlockKind::Main);
        let mut collector = Collector {
            blocks,
            main,
            vhosts: Vec::new(),
        };
        collector.level(project, None, main);
        Self {
            blocks: collector.blocks.finish(project),
            main,
            vhosts: collector.vhosts,
        }
    }
}

#[derive(Debug)]
struct Collector {
    blocks: Collected,
    main: BlockId,
    vhosts: Vec<(BlockId, DirectiveId)>,
}

impl Collector {
    fn level(&mut self, project: &Project, parent: Option<DirectiveId>, block: BlockId) {
        for id in project.children(parent) {
            if project.directive(id).body.is_none() {
                self.blocks.push_setting(project, id, block);
                continue;
            }
            let name = project.name(id);
            let is_vhost = name.strip_prefix(b"<").unwrap_or(name);
            if is_vhost.eq_ignore_ascii_case(b"VirtualHost") {
                let kind = BlockKind::VirtualHost;
                let vhost = self.blocks.push_block(project, id, kind, Some(self.main));
                self.vhosts.push((vhost, id));
                self.level(project, Some(id), vhost);
            }
        }
    }
}

/// What is in force under one answer to each undecided condition.
#[derive(Copy, Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) project: &'a Project,
    pub(super) roles: &'a Roles,
    /// One answer for each atom of the project.
    pub(super) answers: &'a [bool],
}

impl View<'_> {
    /// The settings of this name in force in a block, in order.
    pub(super) fn own(&self, block: BlockId, name: &str) -> Vec<SettingId> {
        let all = self.roles.blocks.own(block, name).iter().copied();
        all.filter(|id| self.in_force(self.roles.blocks.setting(*id).directive))
            .collect()
    }

    /// The vhosts in force.
    pub(super) fn vhosts(&self) -> impl Iterator<Item = (BlockId, DirectiveId)> {
        self.roles
            .vhosts
            .iter()
            .copied()
            .filter(|(_, id)| self.in_force(*id))
    }

    /// True where a directive of httpd's core stands directly in a section.
    pub(super) fn has_core(&self, section: DirectiveId) -> bool {
        let is_core = |id: DirectiveId| {
            let spec = self.project.directive(id).spec;
            spec.is_some_and(|spec| spec.module == "core" && !spec.exec_on_read)
        };
        let mut inside = self.project.children(Some(section));
        inside.any(|id| is_core(id) && self.in_force(id))
    }

    fn in_force(&self, id: DirectiveId) -> bool {
        self.holds(self.project.directive(id).when)
    }

    fn holds(&self, when: WhenId) -> bool {
        let literals = self.project.whens.get(when.0 as usize);
        literals.is_none_or(|when| {
            when.0.iter().all(|literal| {
                self.answers
                    .get(literal.atom as usize)
                    .is_none_or(|answer| *answer == literal.holds)
            })
        })
    }
}
