//! Which blocks of an nginx configuration are modules, and which are servers. Decides
//! nothing.

use crate::model::blocks::{Blocks, Collected};
use crate::model::{BlockId, BlockKind, Module};
use crate::source::{DirectiveId, Project};

/// The blocks with the roles they have.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) blocks: Blocks,
    /// `server` blocks with their module, in file order.
    pub(super) servers: Vec<(BlockId, Module)>,
    /// `http`, `stream` and `mail` blocks.
    pub(super) outers: Vec<(BlockId, Module)>,
}

#[derive(Debug, Default)]
struct Collector {
    blocks: Collected,
    servers: Vec<(BlockId, Module)>,
    outers: Vec<(BlockId, Module)>,
}

impl Roles {
    /// Collects them.
    pub(super) fn of(project: &Project) -> Self {
        let mut roles = Collector::default();
        let main = roles.blocks.push_top(project, BlockKind::Main);
        for id in project.children(None) {
            match module(project, id) {
                Some((kind, module)) => roles.outer(project, id, kind, module),
                None => roles.top_statement(project, id, main),
            }
        }
        Self {
            blocks: roles.blocks.finish(project),
            servers: roles.servers,
            outers: roles.outers,
        }
    }
}

impl Collector {
    /// A statement outside `http`, `stream` and `mail`. A `server` there means that the file
    /// is a fragment, which the top level then stands in for.
    fn top_statement(&mut self, project: &Project, id: DirectiveId, main: BlockId) {
        if !is_server(project, id) {
            self.blocks.push_setting(project, id, main);
            return;
        }
        if self.outers.iter().all(|(block, _)| *block != main) {
            self.blocks.set_kind(main, BlockKind::Http);
            self.outers.push((main, Module::Http));
        }
        self.server(project, id, main, Module::Http);
    }

    fn outer(&mut self, project: &Project, id: DirectiveId, kind: BlockKind, module: Module) {
        let outer = self.blocks.push_block(project, id, kind, None);
        self.outers.push((outer, module));
        for child in project.children(Some(id)) {
            match is_server(project, child) {
                true => self.server(project, child, outer, module),
                false => self.blocks.push_setting(project, child, outer),
            }
        }
    }

    fn server(&mut self, project: &Project, id: DirectiveId, outer: BlockId, module: Module) {
        let server = self
            .blocks
            .push_block(project, id, BlockKind::Server, Some(outer));
        self.servers.push((server, module));
        for child in project.children(Some(id)) {
            self.blocks.push_setting(project, child, server);
        }
    }
}

fn is_server(project: &Project, id: DirectiveId) -> bool {
    project.directive(id).body.is_some() && project.name(id) == b"server"
}

fn module(project: &Project, id: DirectiveId) -> Option<(BlockKind, Module)> {
    project.directive(id).body?;
    match project.name(id) {
        b"http" => Some((BlockKind::Http, Module::Http)),
        b"stream" => Some((BlockKind::Stream, Module::Stream)),
        b"mail" => Some((BlockKind::Mail, Module::Mail)),
        _ => None,
    }
}
