//! The blocks of an nginx configuration that resumption depends on, with every directive
//! that stands directly in them. Decides nothing.

use std::collections::HashMap;

use crate::catalog;
use crate::model::{Block, BlockId, BlockKind, Effect, Module, Setting, SettingId};
use crate::source::{DirectiveId, Project};
use crate::text::{Location, Span};

/// Blocks, settings, and which stand where.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// All blocks; an outer block before its inner ones.
    pub(super) blocks: Vec<Block>,
    /// All settings, in file order within a block.
    pub(super) settings: Vec<Setting>,
    /// The settings of each block by name, in order.
    own: Vec<HashMap<&'static str, Vec<SettingId>>>,
    /// `server` blocks with their module, in file order.
    pub(super) servers: Vec<(BlockId, Module)>,
    /// `http`, `stream` and `mail` blocks.
    pub(super) outers: Vec<(BlockId, Module)>,
}

impl Blocks {
    /// Collects them.
    pub(super) fn of(project: &Project) -> Self {
        let mut blocks = Self::default();
        let main = blocks.top_level(project);
        for id in project.children(None) {
            match blocks.module(project, id) {
                Some((kind, module)) => blocks.outer(project, id, kind, module),
                None => blocks.top_statement(project, id, main),
            }
        }
        blocks
    }

    /// The settings of this name that stand directly in a block, in order.
    pub(super) fn own(&self, block: BlockId, name: &str) -> &[SettingId] {
        let found = self.own.get(block.0 as usize).and_then(|own| own.get(name));
        found.map_or(&[], Vec::as_slice)
    }

    /// A setting.
    pub(super) fn setting(&self, id: SettingId) -> &Setting {
        &self.settings[id.0 as usize]
    }

    /// A block.
    pub(super) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The file's top level: nginx's main context, or, for a fragment that a root includes
    /// inside `http`, that block itself.
    fn top_level(&mut self, project: &Project) -> BlockId {
        let location = match project.files.first() {
            Some(file) => Location::new(&file.path, Span::at(0), &file.lines),
            None => Location {
                path: project.root.as_path().into(),
                span: Span::at(0),
                line: 1,
                column: 1,
            },
        };
        self.push(Block {
            kind: BlockKind::Main,
            directive: None,
            head: location.clone(),
            location,
            parent: None,
            names: Vec::new(),
            tls: false,
        })
    }

    /// A statement outside `http`, `stream` and `mail`. A `server` there means that the file
    /// is a fragment, which the top level then stands in for.
    fn top_statement(&mut self, project: &Project, id: DirectiveId, main: BlockId) {
        if project.name(id) != b"server" || project.directive(id).body.is_none() {
            self.setting_of(project, id, main);
            return;
        }
        if self.outers.iter().all(|(block, _)| *block != main) {
            self.blocks[main.0 as usize].kind = BlockKind::Http;
            self.outers.push((main, Module::Http));
        }
        self.server(project, id, main, Module::Http);
    }

    fn module(&self, project: &Project, id: DirectiveId) -> Option<(BlockKind, Module)> {
        project.directive(id).body?;
        match project.name(id) {
            b"http" => Some((BlockKind::Http, Module::Http)),
            b"stream" => Some((BlockKind::Stream, Module::Stream)),
            b"mail" => Some((BlockKind::Mail, Module::Mail)),
            _ => None,
        }
    }

    fn outer(&mut self, project: &Project, id: DirectiveId, kind: BlockKind, module: Module) {
        let outer = self.push(block(project, id, kind, None));
        self.outers.push((outer, module));
        for child in project.children(Some(id)) {
            let is_server =
                project.name(child) == b"server" && project.directive(child).body.is_some();
            if is_server {
                self.server(project, child, outer, module);
            } else {
                self.setting_of(project, child, outer);
            }
        }
    }

    fn server(&mut self, project: &Project, id: DirectiveId, outer: BlockId, module: Module) {
        let server = self.push(block(project, id, BlockKind::Server, Some(outer)));
        self.servers.push((server, module));
        for child in project.children(Some(id)) {
            self.setting_of(project, child, server);
        }
    }

    fn push(&mut self, block: Block) -> BlockId {
        self.blocks.push(block);
        self.own.push(HashMap::new());
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// Keeps a directive that the catalog knows; blocks inside a server (locations) decide
    /// nothing about sessions.
    fn setting_of(&mut self, project: &Project, id: DirectiveId, block: BlockId) {
        let directive = project.directive(id);
        let Some(spec) = directive.spec.filter(|_| directive.body.is_none()) else {
            return;
        };
        if spec.body != catalog::Body::None || spec.name == "include" {
            return;
        }
        let setting = Setting {
            directive: id,
            name: spec.name,
            arguments: project
                .arguments(id)
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect(),
            location: project.location(id),
            block,
            effect: Effect::Unused,
            when: Vec::new(),
        };
        let setting_id = SettingId(self.settings.len() as u32);
        self.settings.push(setting);
        self.own[block.0 as usize]
            .entry(spec.name)
            .or_default()
            .push(setting_id);
    }
}

fn block(project: &Project, id: DirectiveId, kind: BlockKind, parent: Option<BlockId>) -> Block {
    Block {
        kind,
        directive: Some(id),
        location: project.location(id),
        head: project.name_location(id),
        parent,
        names: Vec::new(),
        tls: false,
    }
}
