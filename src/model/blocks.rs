//! The blocks of a configuration that resumption depends on, with every known directive that
//! stands directly in them. Decides nothing.

use std::sync::Arc;

use super::state::Reason;
use super::{
    Block, BlockId, BlockKind, ByName, Effect, Origin, Place, Setting, SettingId, Why,
    WrittenBlock, WrittenSetting,
};
use crate::catalog::{self, NameKey, in_parts};
use crate::source::{DirectiveId, Facts, FileOrigin, Project};
use crate::text::{Location, Span};

/// Blocks, settings, and which stand where.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct Blocks {
    /// All blocks; an outer block before its inner ones.
    pub(in crate::model) blocks: Vec<Block>,
    /// All settings, in file order within a block.
    pub(in crate::model) settings: Vec<Setting>,
    /// All settings by name.
    by_name: Arc<ByName>,
    /// Where each block stands.
    places: Vec<Arc<Place>>,
    /// The names of a block of which none were said yet.
    nameless: Arc<[String]>,
    facts: Facts,
}

/// Blocks and settings while they are collected.
#[derive(Debug, Default)]
pub(in crate::model) struct Collected {
    blocks: Vec<WrittenBlock>,
    /// Settings by their directive, with the block that each stands in.
    settings: Vec<(DirectiveId, &'static str, BlockId)>,
}

/// For fewer settings, starting threads takes longer than they save.
const FEW: usize = 4000;

impl Blocks {
    /// The settings of this name that stand directly in a block, in order.
    pub(in crate::model) fn own(&self, block: BlockId, name: &str) -> &[SettingId] {
        let block = self.blocks.get(block.0 as usize);
        block.map_or(&[], |block| block.by_name.named(name))
    }

    /// The settings of this name, in file order.
    pub(in crate::model) fn named(&self, name: &str) -> &[SettingId] {
        self.by_name.named(name)
    }

    /// The same text for the same certificate under different names, where the files are
    /// known; else the name.
    pub(in crate::model) fn certificate(&self, name: &str) -> String {
        let facts = self.facts.of(name);
        let known = facts.and_then(|facts| facts.certificate.or(facts.content));
        known.map_or_else(|| name.to_owned(), |number| format!("#{number:x}"))
    }

    /// The same text for the same list of certificates under different names.
    pub(in crate::model) fn list_of(&self, name: &str) -> String {
        let known = self.facts.of(name).and_then(|facts| facts.content);
        known.map_or_else(|| name.to_owned(), |number| format!("#{number:x}"))
    }

    /// Blocks and settings, for the site of a version, until they are given back.
    pub(in crate::model) fn lent(&mut self) -> (Vec<Block>, Vec<Setting>, Arc<ByName>) {
        (
            std::mem::take(&mut self.blocks),
            std::mem::take(&mut self.settings),
            Arc::clone(&self.by_name),
        )
    }

    /// Gives back what was lent, as no version has had it.
    pub(in crate::model) fn take_back(&mut self, mut blocks: Vec<Block>, settings: Vec<Setting>) {
        for block in &mut blocks {
            block.names = Arc::clone(&self.nameless);
            block.tls = false;
            block.reads_early_data = false;
        }
        self.blocks = blocks;
        // A site says of every setting what became of it.
        self.settings = settings;
    }

    /// A setting.
    pub(in crate::model) fn setting(&self, id: SettingId) -> &Setting {
        &self.settings[id.0 as usize]
    }

    /// A block.
    pub(in crate::model) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The kind of the outermost block around a block, or of itself.
    pub(in crate::model) fn outermost(&self, block: BlockId) -> BlockKind {
        let mut here = self.block(block);
        while let Some(parent) = here.parent {
            here = self.block(parent);
        }
        here.kind
    }

    /// A reason with the place of its setting; `block` is the endpoint's own.
    fn why(&self, reason: Reason<'_>, block: BlockId) -> Why {
        let setting = reason.by.map(|id| self.setting(id));
        let written = match setting {
            None => Origin::Default,
            Some(setting) if setting.block == block => Origin::Set,
            Some(_) => Origin::Inherited,
        };
        Why {
            field: reason.field,
            setting: reason.setting,
            value: reason.value.into_owned(),
            origin: reason.origin.unwrap_or(written),
            at: setting.map(|setting| Arc::clone(&setting.written)),
            by: reason.by,
        }
    }

    /// The reasons of an endpoint of `block`, by field; `whys` has those of another version, and
    /// what is the same stays.
    pub(in crate::model) fn tell(
        &self,
        mut reasons: Vec<Reason<'_>>,
        block: BlockId,
        whys: &mut Vec<Why>,
    ) {
        reasons.sort_by_key(|reason| reason.field);
        whys.truncate(reasons.len());
        whys.reserve_exact(reasons.len() - whys.len());
        let known = whys.len();
        let mut reasons = reasons.into_iter();
        for (why, reason) in whys.iter_mut().zip(reasons.by_ref().take(known)) {
            if !reason.is_said_by(why) {
                *why = self.why(reason, block);
            }
        }
        whys.extend(reasons.map(|reason| self.why(reason, block)));
    }

    /// Where a block stands and how it was reached.
    pub(in crate::model) fn place(&self, block: BlockId) -> Arc<Place> {
        Arc::clone(&self.places[block.0 as usize])
    }
}

impl Collected {
    /// The blocks with what is asked of them again and again.
    pub(in crate::model) fn finish(mut self, project: &Project) -> Blocks {
        let found = &self.settings;
        let settings = in_parts(found.len(), FEW, |range| {
            let written = found[range].iter().map(|it| setting(project, *it));
            written.collect::<Vec<_>>()
        });
        let blocks = &self.blocks;
        let few = FEW.saturating_sub(found.len());
        let known = in_parts(blocks.len(), few, |range| {
            let known = blocks[range].iter().map(|block| {
                let own = block.settings.iter();
                let named = own.map(|id| (NameKey::of(found[id.0 as usize].1), *id));
                (ByName::of(named), Arc::new(place(project, block)))
            });
            known.collect::<Vec<_>>()
        });
        let mut places = Vec::with_capacity(self.blocks.len());
        for (block, (by_name, place)) in self.blocks.iter_mut().zip(known.into_iter().flatten()) {
            block.by_name = by_name;
            places.push(place);
        }
        let ids = (0..).map(SettingId);
        let named = found.iter().map(|(_, name, _)| NameKey::of(name)).zip(ids);
        let by_name = Arc::new(ByName::of(named));
        let nameless: Arc<[String]> = Arc::new([]);
        let blocks = self.blocks.into_iter().map(|written| Block {
            written: Arc::new(written),
            names: Arc::clone(&nameless),
            tls: false,
            reads_early_data: false,
        });
        Blocks {
            blocks: blocks.collect(),
            settings: joined(settings),
            by_name,
            places,
            nameless,
            facts: project.facts.clone(),
        }
    }

    /// The kind of a block, changed.
    pub(in crate::model) fn set_kind(&mut self, block: BlockId, kind: BlockKind) {
        self.blocks[block.0 as usize].kind = kind;
    }

    /// Adds the top level of the root file.
    pub(in crate::model) fn push_top(&mut self, project: &Project, kind: BlockKind) -> BlockId {
        let location = top(project);
        self.push(WrittenBlock {
            kind,
            directive: None,
            head: location.clone(),
            location,
            parent: None,
            settings: Vec::new(),
            by_name: ByName::default(),
        })
    }

    /// Adds a block. One that only stands around a lone fragment has no text of its own: the
    /// fragment's top level is where its statements go.
    pub(in crate::model) fn push_block(
        &mut self,
        project: &Project,
        id: DirectiveId,
        kind: BlockKind,
        parent: Option<BlockId>,
    ) -> BlockId {
        if project.file(project.directive(id).file).origin == FileOrigin::Stub {
            let top = self.push_top(project, kind);
            self.blocks[top.0 as usize].parent = parent;
            return top;
        }
        self.push(WrittenBlock {
            kind,
            directive: Some(id),
            location: project.location(id),
            head: head(project, id),
            parent,
            settings: Vec::new(),
            by_name: ByName::default(),
        })
    }

    fn push(&mut self, block: WrittenBlock) -> BlockId {
        self.blocks.push(block);
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// Keeps a simple directive that the catalog knows, and a script: that it is there counts.
    pub(in crate::model) fn push_setting(
        &mut self,
        project: &Project,
        id: DirectiveId,
        block: BlockId,
    ) {
        let directive = project.directive(id);
        let Some(spec) = directive.spec else {
            return;
        };
        let kept = match directive.body {
            None => catalog::Body::None,
            Some(_) => catalog::Body::Lua,
        };
        if spec.body != kept {
            return;
        }
        let setting_id = SettingId(self.settings.len() as u32);
        self.settings.push((id, spec.name, block));
        self.blocks[block.0 as usize].settings.push(setting_id);
    }
}

/// One list of several.
fn joined<T>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    let rest = parts.as_slice().iter().map(Vec::len).sum();
    all.reserve_exact(rest);
    parts.for_each(|part| all.extend(part));
    all
}

fn setting(
    project: &Project,
    (directive, name, block): (DirectiveId, &'static str, BlockId),
) -> Setting {
    let arguments = project.arguments(directive);
    let written = WrittenSetting {
        directive,
        name,
        arguments: arguments
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect(),
        location: project.location(directive),
        block,
    };
    Setting {
        written: Arc::new(written),
        effect: Effect::Unused,
        // What a version leaves open is said with its site.
        when: Vec::new(),
        excluded: false,
    }
}

fn place(project: &Project, block: &WrittenBlock) -> Place {
    let via = block
        .directive
        .map(|id| project.via(id))
        .unwrap_or_default();
    let step = |step: &Location| format!("{}:{}", step.path.display(), step.line);
    Place {
        path: block.location.path.to_path_buf(),
        line: block.location.line,
        via: via.iter().map(step).collect(),
    }
}

/// `IfModule mod_ssl.c`, or `IfModule !mod_ssl.c`.
pub(in crate::model) fn literal_text(atom: &str, holds: bool) -> String {
    match (holds, atom.split_once(' ')) {
        (true, _) | (false, None) => atom.to_owned(),
        (false, Some((name, argument))) => format!("{name} !{argument}"),
    }
}

/// A block's opening word: `server`, `<VirtualHost`.
fn head(project: &Project, id: DirectiveId) -> Location {
    let directive = project.directive(id);
    let word = Span::new(directive.span.start, directive.name.span.end);
    project.location_of(directive.file, word)
}

fn top(project: &Project) -> Location {
    match project.files.first() {
        Some(file) => Location::new(&file.path, Span::at(0), &file.lines),
        None => Location {
            path: project.root.as_path().into(),
            span: Span::at(0),
            line: 1,
            column: 1,
        },
    }
}
